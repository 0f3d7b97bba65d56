  // Cards of designs: unpacked when the first is asked for, shown in a dialog.
  const dialog = document.getElementById("card");
  let sheets;

  // What the page knows of a design whose card it does not carry.
  function brief({ name, run, trial, facts }) {
    const article = document.createElement("article");
    const add = (tag, text, parent = article) => parent.appendChild(Object.assign(document.createElement(tag), { textContent: text }));
    article.className = "card";
    add("h2", name).tabIndex = -1;
    const list = article.appendChild(Object.assign(document.createElement("dl"), { className: "choices" }));
    for (const [key, value] of facts) {
      const row = list.appendChild(document.createElement("div"));
      add("dt", key, row);
      add("dd", value, row);
    }
    add("p", "The page carries the whole cards of the fronts, the presets and the best designs only. The rest of this one:");
    add("pre", `dse show ${run}#${trial}\ndse show ${run}#${trial} --code`);
    return article;
  }

  async function openCard(place, known) {
    if (!dialog) return;
    const sheet = dialog.querySelector(".sheet");
    if (place >= 0) {
      try {
        sheets ??= unpacked("cards").then(JSON.parse);
        sheet.innerHTML = (await sheets)[place];
      } catch {
        sheet.textContent = "This browser cannot unpack the cards; one of 2023 or later can.";
      }
    } else {
      sheet.replaceChildren(brief(known));
    }
    dialog.showModal();
    dialog.scrollTop = 0;
    sheet.querySelector("h2")?.focus({ preventScroll: true });
  }

  dialog?.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.matches("[data-close]")) dialog.close();
  });

  document.addEventListener("click", async (event) => {
    const opener = event.target.closest("[data-card]");
    if (opener) openCard(Number(opener.dataset.card));
    const button = event.target.closest(".copy");
    if (!button) return;
    const source = button.closest(".card").querySelector(".source");
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2500);
  });
