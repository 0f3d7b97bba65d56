"use strict";
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 40rem)");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const copy = (value) => JSON.parse(JSON.stringify(value));

  // Colours follow the page; what the marks mean is written in `meta`.
  function painted(trace, several) {
    const shown = { ...copy(trace) };
    const own = colour(shown.meta);
    const dashes = ["dash", "dot", "dashdot", "longdash", "longdashdot"];
    if (shown.marker) shown.marker = { ...shown.marker, color: own, line: { color: colour("paper"), width: 1 } };
    if (shown.line) shown.line = { ...shown.line, color: own };
    if (shown.line && several && shown.meta !== "winner") shown.line.dash = dashes[(several - 1) % dashes.length];
    if (shown.text) shown.textfont = { color: colour("quiet"), size: 11 };
    if (shown.text && narrow.matches) shown.mode = "markers";
    return shown;
  }

  function layoutOf(given) {
    const layout = copy(given);
    const axis = { gridcolor: colour("line"), linecolor: colour("strong"), zeroline: false, automargin: true, tickfont: { color: colour("quiet") } };
    for (const name of ["xaxis", "yaxis"]) {
      layout[name] = { ...axis, ...layout[name] };
      layout[name].title = { ...layout[name].title, font: { size: 13, color: colour("quiet") } };
    }
    for (const shape of layout.shapes || []) shape.fillcolor = colour("over");
    for (const note of layout.annotations || []) note.font = { color: colour("quiet"), size: 12 };
    return {
      ...layout,
      font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: colour("ink") },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 56, r: 12, t: 36, b: 48 },
      hovermode: "closest",
      dragmode: narrow.matches ? false : "zoom", // on a phone a finger scrolls the page
      hoverlabel: { align: "left", bgcolor: colour("panel"), bordercolor: colour("strong"), font: { color: colour("ink") } },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: narrow.matches ? 11 : 12 } },
    };
  }

  function draw(target) {
    const plot = JSON.parse(document.getElementById(target.dataset.plot).textContent);
    const config = { displaylogo: false, responsive: true, displayModeBar: false };
    if (!plot.views) {
      const traces = plot.traces.map((trace, i) => painted(trace, i));
      Plotly.react(target, traces, layoutOf(plot.layout), config);
      return;
    }
    const chosen = document.querySelector(`[data-views="${target.id}"] input:checked`);
    const view = plot.views[chosen.value];
    const traces = plot.traces.map((trace, i) => ({ ...painted(trace), x: view.x[i] }));
    Plotly.react(target, [painted(view.front), ...traces], layoutOf(view.layout), config);
  }

  const targets = [...document.querySelectorAll("[data-plot]")];
  const drawAll = () => targets.forEach(draw);
  drawAll();
  dark.addEventListener("change", drawAll);
  narrow.addEventListener("change", drawAll);
  for (const group of document.querySelectorAll("[data-views]")) {
    group.addEventListener("change", () => draw(document.getElementById(group.dataset.views)));
  }

  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(source);
        button.textContent = "Selected: press Ctrl+C";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 2500);
    });
  }
})();
