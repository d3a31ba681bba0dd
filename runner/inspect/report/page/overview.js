// What was searched with what, how far it got, and the best by each objective.
section("report", "overview", null, (box) => {
  const run = data.run, counts = Object.entries(run.statuses).filter(([, n]) => n > 0).map(([name, n]) => n + " " + name).join(", ");
  document.title = "archai-run: " + run.space;
  add(box, el("h1", {}, "Search over " + run.space),
    el("p", {class: "muted"}, `${run.algorithm}, ${run.schedule}, seed ${run.seed}, ${plural(run.ranks, "rank")}; ${run.state}; ` +
       `started ${run.started}, last change ${run.updated}; ${run.software}`),
    el("p", {}, `${plural(run.rows, "evaluation")}${counts ? ": " + counts : ""}` +
       (run.rejected > 0 ? `; ${run.rejected} more rejected by a constraint before evaluation` : "") +
       `; ${run.architectures} architectures with results, ${data.front.length} on the Pareto front` +
       (data.utilisation === null ? "" : `; ${plural(data.timeline.slots, "slot")} busy ${(100 * data.utilisation).toFixed(0)} % of the time`) + "."),
    el("nav", {}, ...sections.filter((s) => s.title).map((s) => el("a", {href: "#" + s.id}, s.title))));
  const rows = data.objectives.filter((o) => data.best[o.name].length > 0).map((o) => {
    const [evaluation, value, archid] = data.best[o.name][data.best[o.name].length - 1], i = placeOfArchid.get(archid);
    return el("tr", {}, el("td", {class: "text"}, o.name + (o.direction === "maximize" ? " \u2191" : " \u2193")), el("td", {}, format(value)),
      el("td", {class: "text"}, modelLink(i)), el("td", {class: "text params"}, cut(differing(i).join(", "), 300)), el("td", {}, String(evaluation)));
  });
  if (rows.length > 0)
    add(box, el("div", {class: "scroll"}, el("table", {},
      el("thead", {}, el("tr", {}, el("th", {class: "text"}, "objective"), el("th", {}, "best"), el("th", {class: "text"}, "model"),
                         el("th", {class: "text"}, "parameters"), el("th", {}, "at evaluation"))),
      el("tbody", {}, ...rows))));
  const common = Object.entries(data.common || {});
  if (common.length > 0 && common.length <= 40)
    add(box, el("p", {class: "muted"}, "The same in all models: " + cut(common.map(([n, v]) => paramName(n) + "=" + format(v)).join(", "), 600)));
  if (leftOut)
    add(box, el("p", {class: "muted"}, leftOut));
});
