// The front of every pair of objectives, and how it grew.
section("report", "fronts", "Pareto fronts", (box) => {
  if (data.pairs.length === 0)
    return false;
  const optimised = data.objectives.filter((o) => o.direction !== "constrain").length;
  const used = new Set(data.pairs.flatMap((p) => [p.x, p.y])).size;
  add(box, el("p", {class: "muted"}, (optimised > 2 ? "Each plot shows the front of its two objectives alone. " : "") +
    (used < optimised ? `Only the first ${used} of ${optimised} objectives are paired. ` : "") + leftOut),
    key([["front thin", "front now"], ["past thin", "front after a quarter, a half, three quarters of the evaluations"],
         ["front", "on the front of all objectives", true], ["other", "others", true]]));
  add(box, el("div", {class: "grid wide"}, ...data.pairs.map((pair) => {
    const x = models.objectives[pair.x], y = models.objectives[pair.y];
    const dots = (rows, cls, size) => ({x: rows.map((i) => x[i]), y: rows.map((i) => y[i]), rows, class: cls, size});
    const of = (k) => standing.map((i) => k[i]).filter((v) => v !== null);
    const lines = pair.growth.map((g, q) => {
      const rows = g.ids.map((id) => placeOfId.get(id)), now = q === pair.growth.length - 1;
      return {x: rows.map((i) => x[i]), y: rows.map((i) => y[i]), rows, step: true, class: now ? "front thin" : "past",
              names: rows.map(() => (now ? "" : `front after ${g.evaluation} evaluations`))};
    });
    const thinned = pair.growth.some((g) => g.size > g.ids.length);
    const figure = plot({title: `${pair.y} against ${pair.x}`, x: {label: pair.x, log: wantsLog(of(x))}, y: {label: pair.y, log: wantsLog(of(y))},
      height: 340, lines, points: [dots(standing.filter((i) => !models.front[i]), "other", 5), dots(standing.filter((i) => models.front[i]), "front", 8)]});
    if (thinned)
      figure.append(el("p", {class: "muted"}, "Of long fronts 300 points at equal distances are joined."));
    return figure;
  })));
});
