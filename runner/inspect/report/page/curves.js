// Learning curves of the front.
section("report", "curves", "Learning curves of the front", (box) => {
  const names = [...new Set(data.curves.flatMap((m) => Object.keys(m.curves)))];
  if (names.length === 0)
    return false;
  const figures = names.map((name) => plot({title: name, x: {label: "epoch", from: 0}, y: {label: name}, height: 240,
    lines: data.curves.filter((m) => m.curves[name]).map((m) => {
      const k = data.curves.indexOf(m), i = placeOfId.get(m.id), values = m.curves[name];
      return {x: values.map((_, e) => (e + 1) * m.stride), y: values, rows: values.map(() => i), class: `c${k % 6} thin${k >= 6 ? " dash" : ""}`,
              names: values.map((v, e) => `epoch ${(e + 1) * m.stride}: ${format(v)}`)};
    })}));
  const shown = data.curves.filter((m) => Object.keys(m.curves).length > 0);
  add(box, key(shown.map((m) => {
    const k = data.curves.indexOf(m), i = placeOfId.get(m.id);
    return [`c${k % 6}${k >= 6 ? " dash" : ""}`, `front:${k + 1} ${models.short[i]}`];
  })), data.front.length > data.curves.length ? el("p", {class: "muted"}, `The first ${data.curves.length} of ${data.front.length} models.`) : null,
    el("div", {class: "grid"}, ...figures));
});
