// All models that the page holds, to be sorted and filtered.
section("report", "models", "Models", (box) => {
  const PAGE = 25, budgets = new Set(models.budget).size > 1;
  if (count === 0)
    return false;
  const columns = [
    {name: "id", of: (i) => models.id[i]}, {name: "model", text: true, of: (i) => models.short[i], cell: modelLink},
    {name: "front", of: (i) => models.front[i] || null}, ...data.objectives.map((o) => ({name: o.name, of: (i) => models.objectives[o.name][i]})),
    {name: "status", text: true, of: (i) => models.status[i]}, ...(budgets ? [{name: "budget", of: (i) => models.budget[i]}] : []),
    {name: "seconds", of: (i) => models.seconds[i]},
    ...byWeight.slice(0, 8).map((p) => ({name: paramName(p), text: models.params[p].some((v) => typeof v === "string"), of: (i) => models.params[p][i]}))];
  const byName = new Map([...Object.keys(models.metrics).map((m) => [m, (i) => models.metrics[m][i]]),
    ...Object.keys(models.params).map((p) => [paramName(p), (i) => models.params[p][i]]), ...columns.map((c) => [c.name, c.of])]);
  const texts = [...models.id.keys()].map((i) => [models.archid[i], models.status[i], models.error[i], ...differing(i)].join(" ").toLowerCase());
  const compare = (a, b) => (a === null ? (b === null ? 0 : 1) : b === null ? -1
    : typeof a === "number" && typeof b === "number" ? a - b : String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0);
  let order = [...models.id.keys()], sorted = null, down = false, page = 0;

  // "gelu", "width=16", "accuracy>0.9": all words must hold
  const test = (word) => {
    const m = /^(.+?)(<=|>=|=|<|>)(.+)$/.exec(word), of = m && byName.get(m[1]);
    if (!of)
      return (i) => texts[i].includes(word.toLowerCase());
    const want = Number(m[3]);
    return (i) => {
      const v = of(i);
      if (m[2] === "=")
        return v !== null && (v === want || String(v) === m[3]);
      return v !== null && {"<": v < want, ">": v > want, "<=": v <= want, ">=": v >= want}[m[2]];
    };
  };
  const body = el("tbody", {class: "rows"}), said = el("span", {class: "muted"}), input = el("input", {type: "search", "aria-label": "filter",
    placeholder: "filter: words, width=16, status=failed, " + (data.objectives[0] ? data.objectives[0].name + ">0.9" : ""), oninput: () => filter()});
  const show = () => {
    const pages = Math.max(1, Math.ceil(order.length / PAGE));
    page = Math.max(0, Math.min(page, pages - 1));
    said.textContent = `${order.length} of ${count}, page ${page + 1} of ${pages}`;
    body.replaceChildren(...order.slice(page * PAGE, (page + 1) * PAGE).map((i) =>
      el("tr", {class: i === chosen ? "chosen" : undefined, onclick: () => select(i)},
         ...columns.map((c) => el("td", {class: c.text ? "text" : undefined}, c.cell ? c.cell(i) : cut(format(c.of(i)), 60))))));
  };
  function filter() {
    const tests = input.value.split(/\s+/).filter(Boolean).map(test);
    order = [...models.id.keys()].filter((i) => tests.every((t) => t(i)));
    if (sorted)
      order.sort((a, b) => {
        const x = sorted.of(a), y = sorted.of(b);
        return x === null || y === null ? compare(x, y) : down ? compare(y, x) : compare(x, y);
      });
    page = 0;
    show();
  }
  const heads = columns.map((c) => el("th", {class: c.text ? "text" : undefined}, el("button", {type: "button", onclick: () => sortBy(c)}, c.name)));
  function sortBy(c, downwards) {
    down = downwards !== undefined ? downwards : sorted === c && !down;
    sorted = c;
    heads.forEach((h, k) => {
      h.setAttribute("aria-sort", columns[k] !== c ? "none" : down ? "descending" : "ascending");
      h.firstChild.textContent = columns[k].name + (columns[k] !== c ? "" : down ? " \u25bc" : " \u25b2");
    });
    filter();
  }
  const turn = (by) => el("button", {type: "button", onclick: () => { page += by; show(); }}, by < 0 ? "previous" : "next");
  add(box, leftOut ? el("p", {class: "muted"}, leftOut) : null,
    el("div", {class: "tools"}, input, turn(-1), turn(1), said),
    el("div", {class: "scroll"}, el("table", {}, el("thead", {}, el("tr", {}, ...heads)), body)));
  listeners.push(show);
  sortBy(columns[2], false); // the front first
});
