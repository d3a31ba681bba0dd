// Hypervolume and best so far, over evaluations and over time.
section("report", "progress", "Over the search", (box) => {
  const times = models.started.map((s, i) => (s === null ? null : s + models.seconds[i]));
  const shown = data.objectives.filter((o) => o.direction !== "constrain" && data.best[o.name].length > 0);
  const hv = data.hypervolume, figures = [];
  if (shown.length === 0 && hv.value.length === 0)
    return false;
  // [title, spec] for an axis: "evaluations" or "time"
  const volume = (byTime) => ({title: "hypervolume", x: {label: byTime ? "seconds since the first start" : "evaluations", from: 0},
    y: {label: "hypervolume"}, height: 260,
    lines: [{x: byTime ? hv.seconds : hv.evaluations, y: hv.value, class: "front thin", step: true, toTheEdge: true,
             names: hv.value.map((v) => "hypervolume " + format(v))}]});
  const best = (o, byTime) => {
    const steps = data.best[o.name], y = models.objectives[o.name];
    return {title: "best " + o.name, x: {label: byTime ? "seconds since the first start" : "evaluations", from: 0},
      y: {label: o.name, log: wantsLog(standing.map((i) => y[i]).filter((v) => v !== null))}, height: 260,
      points: [{x: standing.map((i) => (byTime ? times[i] : models.evaluation[i])), y: standing.map((i) => y[i]), rows: standing, class: "other", size: 4}],
      lines: [{x: byTime ? data.best_seconds[o.name] : steps.map((s) => s[0]), y: steps.map((s) => s[1]), rows: steps.map((s) => placeOfArchid.get(s[2])),
               class: "front thin", step: true, toTheEdge: true}]};
  };
  const specs = [...(hv.value.length > 0 ? [volume] : []), ...shown.map((o) => (byTime) => best(o, byTime))];
  specs.forEach((make) => figures.push(plot(make(false))));
  add(box, choice(["evaluations", "time"], (name) => figures.forEach((f, k) => f.change(specs[k](name === "time")))),
    el("p", {class: "muted"}, "Dots: the models as they finished; line: the best so far among the rows that stand for their architectures. " +
       "The reference point of the hypervolume is an attribute of /hypervolume in results.h5."),
    el("div", {class: "grid wide"}, ...figures));
});
