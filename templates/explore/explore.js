// The page: which design it shows is in its address; what is said of it comes from the server.
import { prepareActions } from "./actions.js";
import { METRICS, ask, bytes, element, facts, files, made, milliseconds, short, state, whole } from "./base.js";
import { drawHoles, onDecision } from "./decisions.js";
import { drawCloud, drawFronts, onTaken, place } from "./plots.js";

const LIMITS = ["params", "macs", "peak_activation_bytes", "size_bytes", ...(facts.devices.length ? ["latency_ms"] : [])];

function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const decisions = {};
  const budget = {};
  for (const [name, text] of asked) {
    if (name.startsWith("budget:")) {
      if (Number(text) > 0) budget[name.slice(7)] = Number(text);
    } else {
      try {
        decisions[name] = JSON.parse(text);
      } catch {
        decisions[name] = text;
      }
    }
  }
  const given = [...asked.keys()].length > 0;
  state.budget = given ? budget : { ...facts.budget };
  state.wanted = given && Object.keys(decisions).length ? decisions : { ...facts.start };
}

// A word stands as it is, unless it would be read as a number or truth.
function written(value) {
  if (typeof value !== "string") return JSON.stringify(value);
  try {
    JSON.parse(value);
    return JSON.stringify(value);
  } catch {
    return value;
  }
}

function address() {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(state.answer.decisions)) asked.set(name, written(value));
  for (const [name, limit] of Object.entries(state.budget)) asked.set(`budget:${name}`, limit);
  return `#${asked}`;
}

let asking = false;
let again = false;
const busy = (is) => document.querySelector("main").setAttribute("aria-busy", String(is));

let settling;
function settle() {
  clearTimeout(settling);
  settling = setTimeout(() => {
    if (again) return; // a newer design is on its way
    const now = address();
    if (!location.hash) history.replaceState(null, "", now);
    else if (now !== location.hash) history.pushState(null, "", now);
    if (!asking) busy(false);
  }, 400);
}

// -- updates: one at a time, and always of the newest design

async function update(changes = {}, changed = null) {
  Object.assign(state.wanted, changes);
  if (changed !== null) state.changed = changed;
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  busy(true);
  try {
    do {
      again = false;
      const asked = { decisions: state.wanted, budget: state.budget };
      const answer = await ask("/update", asked);
      // A newer design may be wanted by now; what is there is drawn all the same.
      if (!again) state.wanted = { ...state.wanted, ...answer.decisions };
      state.answer = answer;
      draw(answer);
      settle();
      if (!again) await sourceAndOptions(answer);
    } while (again);
  } catch (error) {
    complain(error.message);
    busy(false);
  } finally {
    asking = false;
    if (state.answer) settle();
  }
}

const ROUNDS = 40;
async function sourceAndOptions(answer) {
  const asked = { decisions: answer.decisions, budget: state.budget };
  if (answer.design) drawSource(await ask("/source", { decisions: answer.decisions }));
  for (let round = 0; answer.more && !again && round < ROUNDS; round += 1) {
    const rest = await ask("/options", asked);
    Object.assign(answer, rest);
    if (!again) drawHoles(answer, state);
  }
}

// All decisions at once, as of another design.
function show(decisions) {
  state.changed = null;
  state.wanted = { ...state.wanted, ...decisions };
  update();
}

function complain(text) {
  const said = element("problem");
  said.textContent = text;
  said.hidden = !text;
}

// -- drawing

function draw(answer) {
  drawHoles(answer, state);
  const { design } = answer;
  // In place, where it was caused; the last picture stays.
  const inPlace = answer.problem && document.querySelector(".hole.wrong");
  complain(answer.problem && !inPlace ? answer.problem : "");
  element("verdict").className = `tag ${answer.problem ? "stale" : ""}`;
  for (const id of ["save", "emit", "onnx", "download-json", "download-py", "train", "enqueue"]) {
    if (element(id)) element(id).disabled = !design;
  }
  if (!design) {
    element("verdict").textContent = "cannot be built: the last design that can is shown";
    return;
  }
  element("name").textContent = design.name;
  element("size").textContent = `${design.nodes} blocks`;
  drawVerdict(design);
  drawGauges(design);
  element("drawing").innerHTML = design.svg;
  drawStages(design);
  drawLatency(design);
  place(design);
}

function drawVerdict(design) {
  const over = Object.keys(design.over);
  const limited = Object.keys(state.budget).length > 0;
  const verdict = element("verdict");
  verdict.className = `tag ${over.length ? "over" : limited ? "" : "stale"}`;
  verdict.textContent = over.length
    ? `over the budget in ${over.map((name) => METRICS[name].label).join(" and ")}`
    : limited ? "within the budget" : "no budget";
}

function valueOf(design, name) {
  return name === "latency_ms" ? design.latency[0].ms : design[name];
}

const gauges = new Map();
function gauge(name) {
  const value = made("span", { className: "value" });
  const fill = made("i");
  const limit = made("input", { type: "text", inputMode: "decimal", placeholder: "none", spellcheck: false });
  limit.setAttribute("aria-label", `limit on ${METRICS[name].label}`);
  limit.addEventListener("change", () => {
    const number = readNumber(limit.value);
    limit.setAttribute("aria-invalid", String(number === undefined));
    if (number === undefined) return;
    if (number === null) delete state.budget[name];
    else state.budget[name] = number;
    update();
    drawCloud();
  });
  const box = made("div", { className: "gauge" },
    made("div", { className: "what" }, METRICS[name].label, made("label", {}, "limit ", limit)),
    value, made("div", { className: "meter" }, fill));
  element("gauges").append(box);
  return { box, value, fill, limit };
}

// 1e6, 1M, 500k; nothing is no limit.
function readNumber(text) {
  const clean = text.trim().replace(/[,_\s]/g, "").toLowerCase();
  if (!clean || clean === "none") return null;
  const found = /^(\d*\.?\d+(?:e[+-]?\d+)?)([kmg]?)(?:i?b)?$/.exec(clean);
  if (!found) return undefined;
  const number = Number(found[1]) * { "": 1, k: 1e3, m: 1e6, g: 1e9 }[found[2]];
  return number > 0 && Number.isFinite(number) ? number : undefined;
}

function drawGauges(design) {
  for (const name of LIMITS) {
    if (!gauges.has(name)) gauges.set(name, gauge(name));
    const { box, value, fill, limit } = gauges.get(name);
    const spent = valueOf(design, name);
    const bound = state.budget[name];
    value.textContent = METRICS[name].show(spent);
    value.title = name === "macs" ? `${whole(spent)} MACs, ${whole(2 * spent)} FLOPs` : `${spent}`;
    box.classList.toggle("over", bound !== undefined && spent > bound);
    fill.style.width = bound === undefined ? "0" : `${Math.min(100, (100 * spent) / bound)}%`;
    if (document.activeElement !== limit) limit.value = bound === undefined ? "" : short(bound).replace(" ", "");
  }
}

function drawStages(design) {
  const most = (name) => Math.max(1, ...design.stages.map((stage) => stage[name]));
  const [params, macs] = [most("params"), most("macs")];
  const timed = facts.devices.length > 0;
  const share = (value, of, text) => made("td", { className: "share" }, text,
    made("i", { style: `width:${(92 * value) / of}%` }));
  element("stages").replaceChildren(...design.stages.map((stage) => made("tr", {},
    made("th", { scope: "row" }, stage.name, " ", made("span", { className: "quiet" },
      stage.blocks > 1 ? `${stage.blocks} × ${stage.kinds.join(", ")}` : stage.kinds.join(", "))),
    made("td", {}, stage.output),
    share(stage.params, params, whole(stage.params)),
    share(stage.macs, macs, short(stage.macs)),
    made("td", { className: "n" }, bytes(stage.peak_activation_bytes)),
    ...(timed ? [made("td", { className: "n" }, stage.ms.toFixed(3))] : []))));
  element("total").replaceChildren(made("tr", {},
    made("th", { scope: "row" }, "network"), made("td", {}),
    made("td", {}, whole(design.params)), made("td", {}, short(design.macs)),
    made("td", { className: "n" }, bytes(design.peak_activation_bytes)),
    ...(timed ? [made("td", { className: "n" }, design.latency[0].ms.toFixed(3))] : [])));
}

function drawLatency(design) {
  if (!facts.devices.length) return;
  element("latency").replaceChildren(...design.latency.map((told) => made("div", {},
    made("dt", {}, told.device),
    made("dd", {}, made("b", {}, milliseconds(told.ms)), ` ${told.low_ms.toPrecision(3)} to ${told.high_ms.toPrecision(3)} ms`),
    ...(told.unseen.length ? [made("dd", { className: "note" },
      `the profile never saw ${told.unseen.join(", ")}: guessed by their work`)] : []))));
}

// -- source

let known = null;
function drawSource(source) {
  Object.assign(files, source);
  const lines = source.html.replace(/\n$/, "").split("\n");
  const plain = source.python.replace(/\n$/, "").split("\n");
  const box = element("source");
  box.replaceChildren(...lines.map((html, number) => {
    const fresh = known !== null && !known.has(plain[number]);
    return made("span", { className: `row-of-code${fresh ? " fresh" : ""}`, innerHTML: html });
  }));
  known = new Set(plain);
}

// -- begin

onTaken(show);
onDecision((name, value) => update({ [name]: value }, name));
addEventListener("popstate", () => {
  clearTimeout(settling);
  readAddress();
  state.changed = null;
  update();
});
readAddress();
prepareActions();
update();
drawCloud();
drawFronts();
