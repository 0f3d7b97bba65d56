// Where the design lies: among random designs of the space, and beside the fronts of runs.
import { METRICS, ask, element, facts, made, metric, state } from "./base.js";

let show = () => {};
export function onTaken(heard) { show = heard; }

const dark = matchMedia("(prefers-color-scheme: dark)");
const narrow = matchMedia("(max-width: 40rem)");
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const escaped = (text) => String(text).replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash"];
const CONFIG = { displaylogo: false, responsive: true, displayModeBar: false };
const STAR = '<svg viewBox="-11 -11 22 22" width="22" height="22"><path d="M0-10.5 2.9-3.6 10.4-3 4.7 1.8 6.5 9.1 0 5.2-6.5 9.1-4.7 1.8-10.4-3-2.9-3.6z"/></svg>';

const COSTS = ["params", "macs", "peak_activation_bytes", "size_bytes", ...facts.devices];
const cloud = { costs: Object.fromEntries(COSTS.map((name) => [name, []])), presets: [], finished: false, problem: "", budget: "" };
const runs = new Map();
let design = null;

// -- axes

const axes = { x: "params", y: "macs" };
for (const [id, axis] of [["across", "x"], ["up", "y"]]) {
  const select = element(id);
  select.append(...COSTS.map((name) => made("option", { value: name, selected: axes[axis] === name }, metric(name).label)));
  select.addEventListener("change", () => {
    axes[axis] = select.value;
    paintCloud();
    paintFronts();
  });
}

const costOf = (of, name) => (of.latency && facts.devices.includes(name) ? of.latency.find((told) => told.device === name).ms : of[name]);
const limitOf = (name) => (name === facts.devices[0] ? state.budget.latency_ms : state.budget[name]);

function axisOf(name, values) {
  const found = values.filter((value) => value > 0);
  const low = Math.log10(Math.min(...found));
  const high = Math.log10(Math.max(...found));
  const room = 0.05 * (high - low) + 0.03;
  return {
    type: "log", title: { text: escaped(metric(name).label), font: { size: 13, color: colour("quiet") } },
    range: found.length ? [low - room, high + room] : undefined,
    dtick: high - low < 0.9 ? "D1" : high - low < 2.4 ? "D2" : 1, exponentformat: "SI",
    gridcolor: colour("line"), linecolor: colour("strong"), zeroline: false, automargin: true, tickfont: { color: colour("quiet") },
  };
}

function layoutOf(more) {
  return {
    font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: colour("ink") },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 56, r: 12, t: 36, b: 48 }, hovermode: "closest", dragmode: narrow.matches ? false : "zoom",
    hoverlabel: { align: "left", bgcolor: colour("panel"), bordercolor: colour("strong"), font: { color: colour("ink") } },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: narrow.matches ? 11 : 12 } },
    ...more,
  };
}

// What the limits rule out, shaded.
function shaded(pairs) {
  return pairs.filter(([, limit]) => limit > 0).map(([axis, limit]) => ({
    type: "rect", layer: "below", line: { width: 0 }, fillcolor: colour("over"),
    ...(axis === "x" ? { xref: "x", yref: "paper", x0: limit, x1: limit * 1e6, y0: 0, y1: 1 } : { xref: "paper", yref: "y", x0: 0, x1: 1, y0: limit, y1: limit * 1e6 }),
  }));
}

// -- this design, drawn over the plot: moving it redraws nothing else

function overlay(target, className, html) {
  const found = target.querySelector(`:scope > .${className}`);
  if (found) return found;
  const fresh = made("div", { className, innerHTML: html });
  target.append(fresh);
  return fresh;
}

function placed(target, x, y) {
  const layout = target._fullLayout;
  if (!layout?.xaxis?.range || !(x > 0)) return;
  const inner = layout.xaxis;
  const left = inner._offset + inner.l2p(Math.log10(x));
  const inside = left >= inner._offset && left <= inner._offset + inner._length;
  const line = overlay(target, "line", "");
  line.style.cssText = `left:${left - 1}px;top:${layout.yaxis._offset}px;height:${layout.yaxis._length}px`;
  line.hidden = !inside || target.id === "cloud";
  const here = overlay(target, "here", STAR);
  here.title = "this design";
  here.hidden = !inside || y === null;
  if (y === null) return;
  const up = layout.yaxis;
  const top = up._offset + up.l2p(up.type === "log" ? Math.log10(y) : y);
  here.style.left = `${left}px`;
  here.style.top = `${top}px`;
  here.hidden = !inside || top < up._offset || top > up._offset + up._length;
}

function nameIt() {
  const preset = cloud.presets.find((each) => each.digest === design?.digest);
  element("preset").textContent = preset ? `this is ${preset.name}` : "";
}

export function place(of) {
  design = of;
  nameIt();
  placeCloud();
  placeFronts();
}

// -- the cloud

function placeCloud() {
  if (!design) return;
  placed(element("cloud"), costOf(design, axes.x), costOf(design, axes.y));
  const count = cloud.costs.params.length;
  if (!count) return;
  const share = (test) => {
    let found = 0;
    for (let n = 0; n < count; n += 1) if (test(n)) found += 1;
    const part = (100 * found) / count;
    return part > 0 && part < 1 ? "under 1 %" : `${Math.round(part)} %`;
  };
  const [x, y] = [cloud.costs[axes.x], cloud.costs[axes.y]];
  const [atX, atY] = [costOf(design, axes.x), costOf(design, axes.y)];
  const both = axes.x === axes.y ? "" : `, ${share((n) => y[n] < atY)} ${metric(axes.y).less} ${metric(axes.y).label}, ${share((n) => x[n] < atX && y[n] < atY)} both`;
  element("where").textContent = `Of the ${count.toLocaleString("en-US")} random designs, ${share((n) => x[n] < atX)} have ${metric(axes.x).less} ${metric(axes.x).label} than this one${both}.`;
}

function paintCloud() {
  if (!window.Plotly) return;
  const hover = (name, of) => `<b>${escaped(name)}</b><br>${COSTS.map((cost) => `${escaped(metric(cost).label)} ${metric(cost).show(of(cost))}`).join("<br>")}`;
  const [x, y] = [cloud.costs[axes.x], cloud.costs[axes.y]];
  const marker = (role, more) => ({ color: colour(role), line: { color: colour("paper"), width: 1 }, ...more });
  const traces = [{
    type: "scatter", mode: "markers", name: "random design", x, y, hoverinfo: "text",
    hovertext: x.map((_, n) => hover("random design: click to take it", (cost) => cloud.costs[cost][n])),
    marker: { color: colour("searched"), size: 5, opacity: 0.35 }, customdata: x.map((_, n) => ({ point: n })),
  }];
  let number = 0;
  for (const run of runs.values()) {
    const trials = run.trials.filter((trial) => trial[axes.x] > 0 && trial[axes.y] > 0);
    traces.push({
      type: "scatter", mode: "markers", name: escaped(run.run), x: trials.map((t) => t[axes.x]), y: trials.map((t) => t[axes.y]), hoverinfo: "text",
      hovertext: trials.map((t) => `<b>${escaped(t.name)}</b>, trial ${t.trial} of ${escaped(run.run)}`),
      customdata: trials.map((t) => ({ run: run.run, trial: t.trial })),
      marker: { symbol: "circle-open", size: 9, color: colour(`run${(number + 1) % 8}`), line: { width: 2 } },
      visible: trials.length ? true : "legendonly", showlegend: trials.length > 0,
    });
    number += 1;
  }
  traces.push({
    type: "scatter", mode: narrow.matches ? "markers" : "markers+text", name: "preset of a paper",
    x: cloud.presets.map((p) => p.costs[axes.x]), y: cloud.presets.map((p) => p.costs[axes.y]),
    text: labelled(cloud.presets), textposition: "bottom center", textfont: { color: colour("quiet"), size: 11 },
    hoverinfo: "text", hovertext: cloud.presets.map((p) => hover(p.name, (cost) => p.costs[cost])),
    customdata: cloud.presets.map((p) => ({ preset: p.name })), marker: marker("preset", { symbol: "diamond", size: 11 }),
  });
  const all = (axis) => [...traces.flatMap((trace) => trace[axis]), design ? costOf(design, axes[axis]) : 0];
  const layout = layoutOf({
    xaxis: axisOf(axes.x, all("x")), yaxis: axisOf(axes.y, all("y")),
    shapes: shaded([["x", limitOf(axes.x)], ["y", limitOf(axes.y)]]),
  });
  const target = element("cloud");
  Plotly.react(target, traces, layout, CONFIG).then(() => listen(target, placeCloud));
  const noted = cloud.problem || (cloud.finished ? "" : "More are being drawn …");
  const budget = cloud.budget === "no budget" ? "any that can be built" : `within ${cloud.budget}`;
  element("cloud-note").textContent = [`Random designs: ${budget}. Shaded: over the budget of this page. Click a point to take its design.`, noted].filter(Boolean).join(" ");
  placeCloud();
}

// The presets' names, as far as they do not stand on each other.
function labelled(presets) {
  const kept = [];
  return presets.map((preset) => {
    const at = [Math.log10(preset.costs[axes.x]), Math.log10(preset.costs[axes.y])];
    if (kept.some(([x, y]) => Math.abs(x - at[0]) < 0.45 && Math.abs(y - at[1]) < 0.12)) return "";
    kept.push(at);
    return escaped(preset.name.replace(/ \(.*/, ""));
  });
}

function listen(target, again) {
  if (target.dataset.heard) return;
  target.dataset.heard = "yes";
  target.on("plotly_relayout", again);
  target.on("plotly_afterplot", again);
  target.on("plotly_click", ({ points }) => take(points[0].customdata));
}

async function take(asked) {
  if (!asked) return;
  if (asked.preset) {
    show(cloud.presets.find((preset) => preset.name === asked.preset).decisions);
    return;
  }
  try {
    show((await ask("/start", asked)).decisions);
  } catch (error) {
    element("where").textContent = error.message;
  }
}

let polling = false;
export async function drawCloud() {
  paintCloud();
  if (polling || cloud.finished) return;
  polling = true;
  try {
    for (let wait = 300; !cloud.finished; wait = Math.min(2000, wait * 1.5)) {
      const more = await ask(`/cloud?since=${cloud.costs.params.length}`);
      const presets = more.presets.length !== cloud.presets.length;
      for (const name of COSTS) cloud.costs[name].push(...more.costs[name]);
      Object.assign(cloud, { presets: more.presets, finished: more.finished, problem: more.problem, budget: more.budget });
      if (presets) {
        listPresets();
        nameIt();
      }
      if (presets || more.costs.params.length || cloud.finished) paintCloud();
      element("random").disabled = !cloud.costs.params.length;
      if (!cloud.finished) await new Promise((done) => { setTimeout(done, wait); });
    }
  } catch (error) {
    element("cloud-note").textContent = error.message;
  } finally {
    polling = false;
  }
}

function listPresets() {
  const select = element("presets");
  select.replaceChildren(made("option", { value: "" }, "a preset …"),
    ...cloud.presets.map((preset) => made("option", { value: preset.name }, preset.name)));
}
element("presets").addEventListener("change", (event) => {
  const found = cloud.presets.find((preset) => preset.name === event.target.value);
  if (found) show(found.decisions);
  event.target.value = "";
});
element("random").addEventListener("click", () => {
  const count = cloud.costs.params.length;
  if (count) take({ point: Math.floor(Math.random() * count) });
});

// -- fronts of runs

const quality = (run) => `${run.trained ? "validation " : ""}${run.metric.replaceAll("_", " ")}`;
const score = (run, value) => (run.metric.endsWith("accuracy") ? `${(100 * value).toFixed(1)} %` : `${Number(value.toPrecision(4))}`);
const drawnAxis = () => (facts.devices.includes(axes.x) ? "params" : axes.x);

function frontOf(run, axis) {
  const sign = run.better === "minimize" ? -1 : 1;
  const steps = [];
  for (const trial of [...run.trials].filter((t) => !t.misses.length && t[axis] > 0).sort((a, b) => a[axis] - b[axis] || sign * (b.quality - a.quality))) {
    if (!steps.length || sign * trial.quality > sign * steps.at(-1).quality) steps.push(trial);
  }
  return steps;
}

function placeFronts() {
  if (!design || !element("fronts")) return;
  const axis = drawnAxis();
  const same = [...runs.values()].flatMap((run) => run.trials.filter((trial) => trial.digest === design.digest));
  placed(element("fronts"), design[axis], same.length ? same[0].quality : null);
  const { label, show: shown } = METRICS[axis];
  element("beside").replaceChildren(...[...runs.values()].map((run) => {
    if (!run.trials.length) return made("li", {}, `${run.run}: ${run.note}.`);
    const own = run.trials.find((trial) => trial.digest === design.digest);
    const best = frontOf(run, axis).filter((trial) => trial[axis] <= design[axis]).at(-1);
    const reached = best
      ? `up to its ${shown(design[axis])}${axis.endsWith("bytes") ? " of" : ""} ${label} the front reaches ${quality(run)} ${score(run, best.quality)} (trial ${best.trial}, ${shown(best[axis])})`
      : `it is smaller than all on the front, in ${label}`;
    const known = own ? `this design is trial ${own.trial}, ${quality(run)} ${score(run, own.quality)}${own.front ? ", on the front" : ""}; ` : "this design is none of its trials; ";
    return made("li", {}, `${run.run}: ${known}${reached}.`);
  }));
}

function paintFronts() {
  const target = element("fronts");
  if (!target || !window.Plotly) return;
  const axis = drawnAxis();
  const traces = [];
  let number = 0;
  const drawn = [...runs.values()].filter((run) => run.trials.length);
  for (const run of drawn) {
    const own = colour(`run${(number + 1) % 8}`); // the first colour is that of random designs
    const front = frontOf(run, axis);
    traces.push({
      type: "scatter", mode: "markers", name: escaped(run.run), x: run.trials.map((t) => t[axis]), y: run.trials.map((t) => t.quality), hoverinfo: "text",
      hovertext: run.trials.map((t) => `<b>${escaped(t.name)}</b>, trial ${t.trial} of ${escaped(run.run)}<br>${quality(run)} ${score(run, t.quality)}<br>${METRICS[axis].label} ${METRICS[axis].show(t[axis])}${t.misses.length ? `<br>misses ${escaped(t.misses.join(", "))}` : ""}`),
      customdata: run.trials.map((t) => ({ run: run.run, trial: t.trial })),
      marker: { color: own, size: run.trials.map((t) => (t.baseline ? 11 : 9)), symbol: run.trials.map((t) => (t.baseline ? "diamond" : "circle")), opacity: run.trials.map((t) => (t.misses.length ? 0.35 : 1)), line: { color: colour("paper"), width: 1 } },
    }, {
      type: "scatter", mode: "lines", name: `front of ${escaped(run.run)}`, x: front.map((t) => t[axis]), y: front.map((t) => t.quality), hoverinfo: "skip", showlegend: false,
      line: { shape: "hv", width: 2, color: own, dash: DASHES[number % DASHES.length] },
    });
    number += 1;
  }
  const first = drawn[0];
  const layout = layoutOf({
    xaxis: axisOf(axis, [...traces.flatMap((trace) => trace.x), design ? design[axis] : 0]),
    yaxis: {
      title: { text: first ? escaped(quality(first)) : "", font: { size: 13, color: colour("quiet") } }, tickformat: first?.metric.endsWith("accuracy") ? ".0%" : undefined,
      gridcolor: colour("line"), linecolor: colour("strong"), zeroline: false, automargin: true, tickfont: { color: colour("quiet") },
    },
    shapes: shaded([["x", state.budget[axis]]]),
  });
  Plotly.react(target, traces, layout, CONFIG).then(() => listen(target, placeFronts));
  const notes = [...runs.values()].filter((run) => run.note && run.trials.length).map((run) => `${run.run}: ${run.note}.`);
  const synthetic = drawn.filter((run) => run.synthetic).map((run) => `${run.run} was made on synthetic phantoms, not patients.`);
  const mixed = new Set(drawn.map((run) => `${run.dataset} ${run.metric}`)).size > 1 ? ["The runs are of different data sets or metrics: compare them in cost alone."] : [];
  element("fronts-note").textContent = ["Diamonds: presets. The dashed upright line: this design's cost; a star where a run has trained it.", ...mixed, ...synthetic, ...notes].join(" ");
  placeFronts();
}

const EVERY = 10_000;
export async function drawFronts() {
  for (const name of facts.runs) {
    try {
      const seen = runs.has(name) ? `?seen=${runs.get(name).version}` : "";
      const found = await ask(`/runs/${encodeURIComponent(name)}${seen}`);
      if (!found.unchanged) {
        runs.set(name, found);
        paintFronts();
        paintCloud();
      }
    } catch (error) {
      element("fronts-note").textContent = error.message;
    }
  }
  // A run may be going on.
  if (facts.runs.length) setTimeout(drawFronts, EVERY);
}

for (const query of [dark, narrow]) {
  query.addEventListener("change", () => {
    paintCloud();
    paintFronts();
  });
}
