// Failures by kind, and one whole log of each.
section("report", "failures", "Failures", (box) => {
  if (data.failures.length === 0)
    return false;
  const shown = data.failures.slice(0, 50), more = data.failures.slice(50).reduce((n, f) => n + f.count, data.failures_of_other_kinds);
  add(box, el("p", {class: "muted"}, "By kind: numbers are masked as N, paths as PATH."),
    ...shown.map((f) => {
      const i = placeOfId.get(f.id);
      return el("details", {}, el("summary", {}, el("b", {class: "bad"}, f.count + " \u00d7 "), cut(f.kind, 400)),
        el("p", {}, "Such as candidate " + f.id, i === undefined ? null : ", ", i === undefined ? null : modelLink(i), ":"),
        el("pre", {}, f.example), f.log === undefined ? el("p", {class: "muted"}, "No log of it was kept.") : el("p", {}, "Its log:"),
        f.log === undefined ? null : el("pre", {}, f.log));
    }), more > 0 ? el("p", {class: "muted"}, `${more} more of other kinds; results.h5 has all of them.`) : null);
});
