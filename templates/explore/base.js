// What all parts of the page share: elements, numbers as people read them, the server, the state.
export const facts = JSON.parse(document.getElementById("facts").textContent);
export const element = (id) => document.getElementById(id);
const token = document.querySelector("meta[name=token]").content;

export function made(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === undefined || value === null) continue;
    if (name in node && name !== "list" && name !== "form") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// -- numbers as people read them

export const whole = (value) => Math.round(value).toLocaleString("en-US");

export function short(value) {
  for (const [limit, unit] of [[1e9, " G"], [1e6, " M"], [1e3, " k"]]) {
    if (value >= limit) return `${Number((value / limit).toPrecision(3))}${unit}`;
  }
  return `${Number(value.toPrecision(3))}`;
}

export function bytes(value) {
  for (const [limit, unit] of [[2 ** 30, " GiB"], [2 ** 20, " MiB"], [2 ** 10, " KiB"]]) {
    if (value >= limit) return `${Number((value / limit).toPrecision(3))}${unit}`;
  }
  return `${Math.round(value)} B`;
}

export const milliseconds = (value) => `${Number(value.toPrecision(3))} ms`;

export const METRICS = {
  params: { label: "parameters", less: "fewer", show: whole },
  macs: { label: "MACs", less: "fewer", show: short },
  peak_activation_bytes: { label: "peak activations", less: "smaller", show: bytes },
  size_bytes: { label: "weights", less: "smaller", show: bytes },
  latency_ms: { label: "latency", less: "less", show: milliseconds },
};
export const metric = (name) => METRICS[name] || { label: `ms on ${name}`, less: "fewer", show: milliseconds };

// -- the server

export async function ask(path, body) {
  const options = body === undefined ? {} : {
    method: "POST",
    headers: { "content-type": "application/json", "x-dse-token": token },
    body: JSON.stringify(body),
  };
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("the explorer does not answer: was it ended? Start it again and reload the page.");
  }
  const document = await answer.json();
  if (!answer.ok) throw new Error(document.problem);
  return document;
}

// -- the state: what was ever wanted, by decision, and the limits

export const state = { wanted: {}, budget: {}, answer: null, changed: null };

// The source that is shown, and the design as JSON.
export const files = { module: "", python: "", json: "" };
