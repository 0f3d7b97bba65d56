  // Colours follow the page's scheme; what a mark stands for is written in its trace's `meta`.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 40rem)");
  const DASHES = ["solid", "dash", "dot", "dashdot", "longdash"];
  const CONFIG = { displaylogo: false, responsive: true, displayModeBar: false };
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const data = (id) => JSON.parse(document.getElementById(id).textContent);
  const escaped = (text) => String(text).replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);

  function faint(value, share) {
    const [r, g, b] = value.match(/\w\w/g).map((pair) => parseInt(pair, 16));
    return `rgba(${r},${g},${b},${share})`;
  }

  function painted(trace) {
    const { role, dash = 0, band, open } = trace.meta;
    const own = colour(role);
    const shown = { ...trace };
    if (band) return { ...shown, fillcolor: faint(own, 0.16), line: { width: 0 } };
    if (shown.marker) shown.marker = { ...shown.marker, color: own, line: { color: open ? own : colour("paper"), width: open ? 2 : 1 } };
    if (shown.line) shown.line = { ...shown.line, color: own, dash: DASHES[dash % DASHES.length] };
    for (const bar of ["error_x", "error_y"]) if (shown[bar]) shown[bar] = { ...shown[bar], color: own };
    return shown;
  }

  function layoutOf(given) {
    const layout = { ...given };
    const axis = { gridcolor: colour("line"), linecolor: colour("strong"), zeroline: false, zerolinecolor: colour("strong"), automargin: true, tickfont: { color: colour("quiet") } };
    for (const name of ["xaxis", "yaxis"]) {
      layout[name] = { ...axis, ...given[name] };
      layout[name].title = { ...layout[name].title, font: { size: 13, color: colour("quiet") } };
    }
    layout.shapes = (given.shapes || []).map((shape) => ({ ...shape, fillcolor: colour("over") }));
    return {
      font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: colour("ink") },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 56, r: 12, t: 36, b: 48 },
      hovermode: "closest",
      dragmode: narrow.matches ? false : "zoom", // on a phone a finger scrolls the page
      hoverlabel: { align: "left", bgcolor: colour("panel"), bordercolor: colour("strong"), font: { color: colour("ink") } },
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: narrow.matches ? 11 : 12 } },
      ...layout,
    };
  }

  // Everything that is drawn, to be drawn anew when the scheme or the width changes.
  const drawings = [];
  for (const query of [dark, narrow]) query.addEventListener("change", () => drawings.forEach((draw) => draw()));
