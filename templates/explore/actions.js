// What can be done with a design: files, a training, a place in a run. Commands and their lines.
import { ask, element, files, made, state } from "./base.js";

function say(text, wrong = false) {
  const said = element("said");
  said.textContent = text;
  said.className = wrong ? "notice" : "";
}

const asked = (more = {}) => ({ decisions: state.answer.decisions, name: element("as").value, ...more });

function does(id, act) {
  const button = element(id);
  button?.addEventListener("click", async () => {
    button.disabled = true;
    say("…");
    try {
      await act();
    } catch (error) {
      say(error.message, true);
    } finally {
      button.disabled = false;
    }
  });
}

function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  made("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

export function prepareActions() {
  for (const path of ["save", "emit", "enqueue"]) {
    does(path, async () => say((await ask(`/${path}`, asked({ run: element("run")?.value }))).said));
  }
  for (const [path, more] of [["onnx", () => ({})], ["train", () => ({ dataset: element("dataset").value.trim(), epochs: Number(element("epochs").value) || null })]]) {
    does(path, async () => {
      const job = await ask(`/${path}`, asked(more()));
      say("");
      follow(job);
    });
  }
  element("download-json").addEventListener("click", () => download(`${files.module}.json`, files.json));
  element("download-py").addEventListener("click", () => download(`${files.module}.py`, files.python));
  const button = element("copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(files.python);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(element("source"));
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2500);
  });
  ask("/jobs").then((jobs) => jobs.forEach(follow), () => {});
}

// A command's lines, as they come; a line that was cut off is asked for again by the browser.
function follow(job) {
  const tag = made("span", { className: "tag stale" }, job.state);
  const cancel = made("button", { type: "button" }, "Cancel");
  cancel.addEventListener("click", async () => {
    cancel.disabled = true;
    tag.textContent = "being cancelled";
    try {
      await ask("/cancel", { job: job.number });
    } catch (error) {
      say(error.message, true);
    }
  });
  const lines = made("pre", { tabIndex: 0 });
  lines.setAttribute("aria-label", `output of the ${job.title}`);
  const box = made("div", { className: "job" },
    made("p", { className: "head" }, made("b", {}, job.title), tag, ...(job.state === "running" ? [cancel] : [])),
    made("p", { className: "quiet" }, made("code", {}, job.command)), lines);
  element("jobs").prepend(box);
  const source = new EventSource(`/jobs/${job.number}/lines`);
  source.addEventListener("message", (event) => {
    const atEnd = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 40;
    lines.append(`${JSON.parse(event.data)}\n`);
    if (atEnd) lines.scrollTop = lines.scrollHeight;
  });
  source.addEventListener("end", (event) => {
    const ended = JSON.parse(event.data);
    source.close();
    cancel.remove();
    tag.textContent = ended.state;
    tag.className = `tag ${{ done: "", failed: "over", cancelled: "stale" }[ended.state]}`;
  });
}
