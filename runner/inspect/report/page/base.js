"use strict";
// What all sections share: the data, elements, names, and the panel about one model. Texts become text nodes, never markup.
const kind = document.body.dataset.kind;
const data = JSON.parse(document.getElementById("archai-" + kind).textContent);
const sections = [];
// Register a section: it is drawn, in the order of the files, where draw(box) returns anything but false.
function section(ofKind, id, title, draw) {
  if (ofKind === kind)
    sections.push({id, title, draw});
}

function make(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {}))
    if (name.startsWith("on"))
      element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? "" : value);
  element.append(...children.filter((c) => c !== null && c !== undefined));
  return element;
}
const el = (name, attributes, ...children) => make(document.createElement(name), attributes, children);
const svg = (name, attributes, ...children) =>
  make(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
const add = (box, ...children) => make(box, {}, children); // null: nothing

// -- numbers and names -----------------------------------------------------------------------------------------------
function format(v) {
  if (v === null || v === undefined)
    return "-";
  if (typeof v !== "number")
    return String(v);
  if (Number.isInteger(v) && Math.abs(v) < 1e15)
    return String(v);
  return String(Number(v.toPrecision(6)));
}
function duration(s) {
  if (s === null || s === undefined)
    return "-";
  return s < 120 ? Number(s.toPrecision(3)) + " s" : s < 7200 ? Math.round(s / 60) + " min" : (s / 3600).toFixed(1) + " h";
}
const plural = (n, what) => n + " " + what + (n === 1 ? "" : "s");
const shell = (text) => (/^[\w./:=+-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\\''") + "'");
const cut = (text, n) => (text.length > n ? text.slice(0, n - 1) + "\u2026" : text);
// "stages.0.kernel" for Archai's "stages._configs.0.kernel"
const paramName = (name) => name.replace(/\._(configs|repeat_times)(?=\.|$)/g, "");

// -- models: a model is its place in the columns ------------------------------------------------------------------------
const models = data.models || {id: [], archid: [], params: {}, metrics: {}, objectives: {}};
const count = models.id.length;
const placeOfId = new Map(models.id.map((id, i) => [id, i]));
const placeOfArchid = new Map();
for (let i = 0; i < count; i++)
  if (models.stands[i] || !placeOfArchid.has(models.archid[i]))
    placeOfArchid.set(models.archid[i], i);
const differing = (i) => Object.keys(models.params).filter((p) => models.params[p][i] !== null)
  .map((p) => paramName(p) + "=" + format(models.params[p][i]));
const describe = (i) => cut([models.short[i], differing(i).join(", ")].filter(Boolean).join(": "), 300);
const hasValues = (i) => models.status[i] === "ok" || models.status[i] === "cached";
const standing = [...models.id.keys()].filter((i) => models.stands[i]);
const objective = (name) => (data.objectives || []).find((o) => o.name === name);
const leftOut = data.run && data.run.rows > count
  ? "Of " + plural(data.run.rows, "evaluation") + " this page holds " + count +
    ": the front, all that was the best at some time, an example of each failure, and others at equal distances."
  : "";

// -- the panel ----------------------------------------------------------------------------------------------------------
const tip = el("div", {id: "tip", hidden: true});
const panel = el("aside", {id: "detail", hidden: true, "aria-label": "the chosen model"});
const listeners = [];
let chosen = -1;

function copy(button, text) {
  const done = () => { button.textContent = "copied"; setTimeout(() => { button.textContent = "copy"; }, 1500); };
  const byHand = () => {
    const area = el("textarea", {}, text);
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    done();
  };
  if (navigator.clipboard)
    navigator.clipboard.writeText(text).then(done, byHand);
  else
    byHand();
}
function code(text) {
  return el("div", {class: "code"}, el("pre", {}, text),
            el("button", {type: "button", onclick: (e) => copy(e.target, text)}, "copy"));
}
// Was the network described to libtorch? Then it can be written down again; a program of the user's has its own.
const isNetwork = (data.config || []).some(([of, name, value]) => of === "evaluator" && name === "kind" && value === "torch");
// Weights cannot be exported of a model whose weights were not kept.
function commands(name, file, kept) {
  const inspect = "archai-inspect " + shell(data.run.path) + " ";
  return inspect + "show " + name + "\n" + (kept ? inspect + "export " + name + " --format pt -o " + file + ".pt\n" : "") +
    (isNetwork ? inspect + "export " + name + " -o " + file + ".py\n" : "") + inspect + "export " + name + " --format arch -o " + file + ".json\n";
}
function line(name, value) {
  return el("tr", {}, el("td", {class: "text"}, name), el("td", {}, value));
}
function select(i) {
  chosen = i;
  listeners.forEach((f) => f());
  panel.hidden = i < 0;
  if (i < 0)
    return;
  const rows = [line("archid", models.archid[i]), line("status", models.status[i]),
    ...data.objectives.map((o) => line(o.name, format(models.objectives[o.name][i]) + (o.unit ? " " + o.unit : ""))),
    ...Object.keys(models.params).filter((p) => models.params[p][i] !== null)
      .map((p) => line(paramName(p), format(models.params[p][i]))),
    ...Object.keys(models.metrics).filter((m) => models.metrics[m][i] !== null)
      .map((m) => line(m, format(models.metrics[m][i]))),
    line("budget", format(models.budget[i])), line("took", duration(models.seconds[i])),
    line("by", models.operator[i] + ", rank " + models.rank[i])];
  const name = models.front[i] ? "front:" + models.front[i] : shell(models.archid[i]);
  panel.replaceChildren();
  add(panel, el("h2", {}, models.short[i]),
    el("button", {type: "button", class: "close", onclick: () => select(-1), "aria-label": "close"}, "\u00d7"),
    el("p", {class: "muted"}, "candidate " + models.id[i] + (models.front[i] ? ", on the front" : "")),
    models.error[i] ? el("pre", {class: "bad"}, models.error[i]) : null,
    hasValues(i) ? code(commands(name, "model", models.weights[i])) : code("archai-inspect " + shell(data.run.path) + " show " + models.id[i] + "\n"),
    el("table", {}, el("tbody", {}, ...rows)));
  panel.scrollTop = 0;
}
const modelLink = (i) => el("button", {type: "button", class: "link", onclick: (e) => { e.stopPropagation(); select(i); }},
                            models.short[i]);

function showTip(x, y, text) {
  tip.textContent = text;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - box.width - 4)) + "px";
  tip.style.top = Math.max(4, y + 18 + box.height > innerHeight ? y - box.height - 10 : y + 18) + "px";
}

// A row of buttons, one of them pressed; take(name) is called with the first, too.
function choice(names, take) {
  const buttons = names.map((name) => el("button", {type: "button", onclick: () => press(name)}, name));
  const press = (name) => {
    buttons.forEach((b) => b.setAttribute("aria-pressed", b.textContent === name));
    take(name);
  };
  press(names[0]);
  return el("div", {class: "tools"}, ...buttons);
}
