// Which parameters mattered, and the models along each of them.
const weightOf = (p) => Math.max(0, ...Object.values(data.importance || {}).map((of) => of[p] || 0));
const byWeight = Object.keys(models.params).sort((a, b) => weightOf(b) - weightOf(a));

// Values of a parameter as an axis: texts by name, few numbers each at its place, others on a scale.
function axisOf(p) {
  const values = models.params[p].filter((v) => v !== null), different = [...new Set(values)];
  const texts = different.some((v) => typeof v === "string");
  if (!texts && different.length > 12)
    return {label: paramName(p), log: wantsLog(values)};
  return {label: paramName(p), categories: different.sort((a, b) => (texts ? (String(a) < String(b) ? -1 : 1) : a - b))};
}

section("report", "importance", "Which parameters mattered", (box) => {
  const known = data.objectives.filter((o) => Object.keys(data.importance[o.name]).length > 0);
  if (known.length === 0)
    return false;
  add(box, el("div", {class: "grid"}, ...known.map((o) => {
    const shares = Object.entries(data.importance[o.name]).sort((a, b) => b[1] - a[1]);
    return el("figure", {}, el("figcaption", {}, "for " + o.name), el("table", {}, el("tbody", {}, ...shares.slice(0, 15).map(([p, share]) =>
      el("tr", {}, el("td", {class: "text"}, paramName(p)), el("td", {}, share.toFixed(3)),
         el("td", {class: "bars"}, el("div", {class: "bar", style: `width:${(100 * share).toFixed(1)}%`})))))),
      shares.length > 15 ? el("p", {class: "muted"}, `${shares.length - 15} more have smaller shares.`) : null);
  })), el("p", {class: "muted"}, "Shares: " + data.importance_method + "."));
});

section("report", "along", "One parameter at a time", (box) => {
  const DOTS = 2000, stride = Math.max(1, Math.ceil(standing.length / DOTS)); // eight plots of more would be slow
  const drawn = standing.filter((i, k) => models.front[i] || k % stride === 0);
  const shown = byWeight.slice(0, 8), optimised = data.objectives.filter((o) => standing.some((i) => models.objectives[o.name][i] !== null));
  if (shown.length === 0 || optimised.length === 0)
    return false;
  const spec = (p, name) => {
    const rows = drawn.filter((i) => models.params[p][i] !== null), x = axisOf(p), y = models.objectives[name];
    const room = x.categories ? 0.6 / x.categories.length : 0; // dots of one value beside each other
    const dots = (some, cls, size) => ({x: some.map((i) => models.params[p][i]), y: some.map((i) => y[i]), rows: some, class: cls, size,
      shift: some.map((i) => (((models.id[i] * 0.618034) % 1) - 0.5) * room)});
    return {title: paramName(p), x, y: {label: name, log: wantsLog(standing.map((i) => y[i]).filter((v) => v !== null))}, height: 230,
            points: [dots(rows.filter((i) => !models.front[i]), "other", 4), dots(rows.filter((i) => models.front[i]), "front", 7)]};
  };
  const figures = shown.map((p) => plot(spec(p, optimised[0].name)));
  add(box, choice(optimised.map((o) => o.name), (name) => figures.forEach((f, k) => f.change(spec(shown[k], name)))),
    byWeight.length > shown.length ? el("p", {class: "muted"}, `The ${shown.length} of ${byWeight.length} parameters with the largest shares.`) : null,
    stride > 1 ? el("p", {class: "muted"}, `The front, and one of ${stride} of the other models of this page.`) : null,
    el("div", {class: "grid"}, ...figures));
});
