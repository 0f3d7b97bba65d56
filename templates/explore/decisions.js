// The decisions as sliders and chips. What is there stays: a slider under a finger is never replaced.
import { element, made, short, whole } from "./base.js";

let decide = () => {};
export function onDecision(heard) { decide = heard; }

const holes = new Map(); // by name: the nodes of a decision, and what they were made for
const groups = new Map(); // by title: a fieldset

const words = (value) => (typeof value === "boolean" ? (value ? "yes" : "no") : `${value}`);
const same = (a, b) => a === b || (typeof a === "number" && typeof b === "number" && Math.abs(a - b) < 1e-9);

function stateOf(option) {
  if (option.problem) return "bad";
  if (option.over === undefined) return "unknown";
  return Object.keys(option.over).length ? "over" : "fits";
}

function noteOf(option) {
  if (option.problem) return option.problem;
  if (option.params === undefined) return "";
  const cost = `${whole(option.params)} parameters, ${short(option.macs)} MACs`;
  const over = Object.entries(option.over).map(([name, share]) => `${Math.ceil(100 * share)} % over in ${name.replaceAll("_", " ")}`);
  return [cost, ...over].join("; ");
}

export function drawHoles(answer, state) {
  const shown = new Set();
  const titles = new Map();
  for (const hole of answer.holes) {
    shown.add(hole.name);
    if (!titles.has(hole.group)) titles.set(hole.group, []);
    titles.get(hole.group).push(hole);
  }
  for (const [name, kept] of holes) {
    if (!shown.has(name)) {
      kept.box.remove();
      holes.delete(name);
    }
  }
  const form = element("holes");
  let after = null;
  for (const [title, members] of titles) {
    const group = groups.get(title) || made("fieldset", {}, made("legend", {}, title || "whole network"));
    groups.set(title, group);
    let last = group.firstChild;
    for (const hole of members) {
      const box = drawn(hole);
      mark(box, hole, answer.problem && state.changed === hole.name ? answer.problem : "");
      if (last.nextSibling !== box) last.after(box);
      last = box;
    }
    if (after === null ? form.firstChild !== group : after.nextSibling !== group) {
      if (after === null) form.prepend(group);
      else after.after(group);
    }
    after = group;
  }
  for (const [title, group] of groups) {
    if (!titles.has(title)) {
      group.remove();
      groups.delete(title);
    }
  }
}

function mark(box, hole, problem) {
  box.classList.toggle("wrong", Boolean(problem));
  let why = box.querySelector(".why");
  if (!problem) {
    why?.remove();
    return;
  }
  if (!why) {
    why = made("p", { className: "why" });
    why.setAttribute("role", "alert");
    box.append(why);
  }
  if (why.textContent !== problem) why.textContent = problem;
}

function drawn(hole) {
  const made_for = JSON.stringify([hole.kind, hole.kind === "range" ? [hole.low, hole.high] : hole.options.map((option) => option.value)]);
  let kept = holes.get(hole.name);
  if (!kept || kept.made_for !== made_for) {
    const fresh = hole.options.length < 2 ? only(hole) : hole.kind === "labels" ? chips(hole) : slider(hole);
    kept?.box.replaceWith(fresh.box);
    kept = { ...fresh, made_for };
    holes.set(hole.name, kept);
  }
  kept.refresh(hole);
  return kept.box;
}

const title = (hole) => hole.label.replaceAll(".", " · ").replaceAll("_", " ");

function only(hole) {
  const output = made("output");
  const box = made("div", { className: "hole" }, made("div", { className: "label" }, made("span", {}, title(hole)), output));
  return { box, refresh: (now) => { output.textContent = words(now.value); } };
}

function chips(hole) {
  const inputs = [];
  const list = made("div", { className: "chips", role: "radiogroup" });
  list.setAttribute("aria-label", hole.name);
  hole.options.forEach((option, number) => {
    const input = made("input", { type: "radio", name: hole.name, value: `${number}` });
    input.addEventListener("change", () => decide(hole.name, option.value));
    const label = made("label", {}, input, made("span", {}, words(option.value)));
    inputs.push({ input, label });
    list.append(label);
  });
  const box = made("div", { className: "hole" }, made("div", { className: "label" }, made("span", {}, title(hole))), list);
  return {
    box,
    refresh(now) {
      now.options.forEach((option, number) => {
        const { input, label } = inputs[number];
        input.checked = same(option.value, now.value);
        describe(label, input, option);
      });
    },
  };
}

function describe(label, control, option) {
  const state = stateOf(option);
  if (state === "unknown") return; // on its way: what was said of the design before stays so long
  label.dataset.state = state;
  label.title = noteOf(option);
  control.setAttribute("aria-label", `${words(option.value)}${{ over: ", over the budget", bad: ", cannot be built" }[state] || ""}`);
}

const LABELLED = 9;

function slider(hole) {
  const range = hole.kind === "range";
  const values = hole.options.map((option) => option.value);
  const input = made("input", { type: "range", name: hole.name });
  if (range) {
    Object.assign(input, hole.log ? { min: 0, max: 1000, step: 1 } : { min: hole.low, max: hole.high, step: hole.step ?? (hole.high - hole.low) / 1000 });
  } else {
    Object.assign(input, { min: 0, max: values.length - 1, step: 1 });
  }
  input.setAttribute("aria-label", hole.name);
  const toValue = (text) => {
    if (!range) return values[Number(text)];
    if (!hole.log) return hole.step === 1 ? Math.round(Number(text)) : Number(text);
    const value = hole.low * (hole.high / hole.low) ** (Number(text) / 1000);
    return hole.step ? hole.low + Math.round((value - hole.low) / hole.step) * hole.step : value;
  };
  const toPlace = (value) => {
    if (!range) return values.findIndex((each) => same(each, value));
    return hole.log ? (1000 * Math.log(value / hole.low)) / Math.log(hole.high / hole.low) : value;
  };
  const share = (value) => (100 * (toPlace(value) - input.min)) / (input.max - input.min);
  input.addEventListener("input", () => {
    const value = toValue(input.value);
    output.textContent = shownNumber(value);
    input.setAttribute("aria-valuetext", shownNumber(value));
    decide(hole.name, value);
  });
  const output = made("output");
  const ticks = made("div", { className: "ticks" });
  const box = made("div", { className: "hole" },
    made("div", { className: "label" }, made("span", {}, title(hole)), output),
    made("div", { className: "slider" }, input, ticks));
  const marks = [];
  return {
    box,
    refresh(now) {
      output.textContent = shownNumber(now.value);
      if (document.activeElement !== input || !same(toValue(input.value), now.value)) input.value = toPlace(now.value);
      while (marks.length > now.options.length) marks.pop().remove();
      now.options.forEach((option, number) => {
        if (!marks[number]) {
          // For a pointer; with the keyboard the slider itself is at hand.
          marks[number] = made("button", { type: "button", tabIndex: -1 });
          marks[number].addEventListener("click", () => decide(hole.name, marks[number].option.value));
          ticks.append(marks[number]);
        }
        const tick = marks[number];
        tick.option = option;
        tick.style.left = `${share(option.value)}%`;
        tick.textContent = now.options.length <= LABELLED ? shownNumber(option.value) : "·";
        describe(tick, tick, option);
        if (same(option.value, now.value)) {
          const over = { over: ", over the budget", bad: ", cannot be built" }[stateOf(option)] || "";
          input.setAttribute("aria-valuetext", `${shownNumber(now.value)}${over}`);
        }
      });
    },
  };
}

const shownNumber = (value) => (typeof value === "number" ? `${Number(value.toPrecision(4))}` : words(value));
