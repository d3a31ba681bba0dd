// The configuration: what was chosen and what is not at its default; the rest folded.
section("report", "config", "Configuration", (box) => {
  const rows = data.config.filter((c) => c[3]).map(([of, name, value]) =>
    el("tr", {}, el("td", {class: "text"}, of + "." + name), el("td", {class: "text"}, cut(value, 400))));
  add(box, rows.length > 0 ? el("table", {}, el("tbody", {}, ...rows)) : null,
    el("p", {class: "muted"}, "Keys that choose something or are not at their defaults" + (rows.length === 0 ? ": none." : ".")),
    el("details", {}, el("summary", {}, "the whole configuration"), code(data.config_text)));
});
