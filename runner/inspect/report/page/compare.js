// The page of `compare -o`: several runs side by side.
const runs = data.runs || [], runClass = (k) => `c${k % 6} thin${k >= 6 ? " dash" : ""}`;
const runKey = () => key(runs.map((r, k) => [`c${k % 6}${k >= 6 ? " dash" : ""}`, r.path]));

function sideBySide(rows) {
  return el("div", {class: "scroll"}, el("table", {},
    el("thead", {}, el("tr", {}, el("th", {class: "text"}, ""), ...runs.map((r) => el("th", {}, r.path)))),
    el("tbody", {}, ...rows.map(([name, values]) => el("tr", {}, el("td", {class: "text"}, name), ...values.map((v) => el("td", {}, v)))))));
}
// Lines of all runs, over evaluations or over time: at(run) gives x, seconds and y.
function lineUp(title, at) {
  const spec = (byTime) => ({title, height: 280, x: {label: byTime ? "seconds since the first start" : "evaluations", from: 0}, y: {label: title},
    lines: runs.map((r, k) => {
      const {x, seconds, y} = at(r);
      return {x: byTime ? seconds : x, y, class: runClass(k), step: true, toTheEdge: false, names: y.map((v) => `${r.path}: ${format(v)}`)};
    })});
  return {figure: plot(spec(false)), spec};
}

section("compare", "figures", null, (box) => {
  const percent = (v) => (v === null ? "-" : (100 * v).toFixed(0) + " %");
  document.title = "archai-run: " + plural(runs.length, "run");
  add(box, el("h1", {}, plural(runs.length, "run") + " side by side"),
    el("nav", {}, ...sections.filter((s) => s.title).map((s) => el("a", {href: "#" + s.id}, s.title))),
    sideBySide([["state", runs.map((r) => r.state)], ["rows", runs.map((r) => format(r.rows))], ["failed", runs.map((r) => format(r.failed))],
      ["time from the first start to the last end", runs.map((r) => duration(r.elapsed))], ["time of all evaluations", runs.map((r) => duration(r.seconds))],
      ["utilisation", runs.map((r) => percent(r.utilisation))], ["models on the front", runs.map((r) => format(r.front))],
      ...data.objectives.map((o) => [`best ${o.name} ${o.direction === "maximize" ? "\u2191" : "\u2193"}`, runs.map((r) => format(r.best[o.name]))]),
      ...[25, 50, 75, 100].map((share, q) => [`hypervolume after ${share} % of the rows`, runs.map((r) => format(r.hypervolume[q]))])]),
    el("p", {class: "muted"}, "Hypervolumes are against one reference point: the worst value of each objective among all runs, and a tenth of the range."));
});
section("compare", "settings", "Settings that differ", (box) => {
  const names = Object.keys(data.settings);
  add(box, names.length === 0 ? el("p", {}, "None.") : sideBySide(names.map((n) => [n, data.settings[n].map((v) => cut(format(v), 200))])));
});
section("compare", "progress", "Over the search", (box) => {
  const shown = [];
  if (runs.some((r) => r.hypervolume_curve.value.some((v) => v !== null)))
    shown.push(lineUp("hypervolume", (r) => ({x: r.hypervolume_curve.evaluations, seconds: r.hypervolume_curve.seconds, y: r.hypervolume_curve.value})));
  for (const o of data.objectives)
    if (runs.some((r) => r.best_steps[o.name].length > 0))
      shown.push(lineUp("best " + o.name, (r) => {
        const steps = r.best_steps[o.name], last = steps.length > 0 ? [[r.hypervolume_curve.evaluations.at(-1), r.elapsed, steps.at(-1)[2]]] : [];
        return {x: [...steps, ...last].map((s) => s[0]), seconds: [...steps, ...last].map((s) => s[1]), y: [...steps, ...last].map((s) => s[2])};
      }));
  if (shown.length === 0)
    return false;
  add(box, runKey(), choice(["evaluations", "time"], (name) => shown.forEach((s) => s.figure.change(s.spec(name === "time")))),
    el("div", {class: "grid wide"}, ...shown.map((s) => s.figure)));
});
section("compare", "failures", "Failures", (box) => {
  const kinds = new Map();
  runs.forEach((r, k) => r.failures.forEach((f) => kinds.set(f.kind, (kinds.get(f.kind) || runs.map(() => 0)).map((n, j) => (j === k ? f.count : n)))));
  const sum = (list) => list.reduce((a, b) => a + b, 0), sorted = [...kinds].sort((a, b) => sum(b[1]) - sum(a[1]));
  if (sorted.length === 0)
    return false;
  add(box, el("p", {class: "muted"}, "By kind: numbers are masked as N, paths as PATH."), sideBySide(sorted.slice(0, 50).map(([kind, n]) => [cut(kind, 300), n.map(String)])),
    sorted.length > 50 ? el("p", {class: "muted"}, `${sorted.length - 50} more kinds.`) : null);
});
