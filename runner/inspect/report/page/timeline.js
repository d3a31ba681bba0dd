// What the ranks did when, with failures, and how much of the slots was busy.
section("report", "timeline", "Timeline of the ranks", (box) => {
  const rows = [...models.id.keys()].filter((i) => models.started[i] !== null && models.status[i] !== "cached");
  if (rows.length === 0)
    return false;
  const ranks = [...new Set(rows.map((i) => models.rank[i]))].sort((a, b) => a - b), lane = Math.max(3, Math.min(16, 300 / ranks.length));
  const holder = el("div", {}), classes = [["other", "ok"], ["front", "infeasible or another end"], ["failed", "failed"]];
  const classOf = (i) => (models.status[i] === "ok" ? 0 : models.status[i] === "failed" ? 2 : 1);
  const end = Math.max(data.timeline.seconds || 0, ...rows.map((i) => models.started[i] + models.seconds[i])) || 1;
  const place = new Map(ranks.map((r, k) => [r, k]));

  function draw() {
    const width = Math.max(200, holder.clientWidth || 320), left = 62, right = width - 14, top = 4, bottom = top + ranks.length * lane;
    const toX = (s) => left + (s / end) * (right - left), toY = (i) => top + (place.get(models.rank[i]) + 0.5) * lane;
    const out = svg("svg", {viewBox: `0 0 ${width} ${bottom + 40}`, height: bottom + 40, role: "img", "aria-label": "timeline of the ranks"});
    const ticks = ticksOf(0, end, false, (v) => v);
    for (const [at, text] of ticks.filter((_, k) => k % Math.ceil((ticks.length * 50) / (right - left)) === 0))
      out.append(svg("line", {class: "rule", x1: left + at * (right - left), x2: left + at * (right - left), y1: top, y2: bottom}),
                 svg("text", {x: left + at * (right - left), y: bottom + 16, "text-anchor": "middle"}, text));
    ranks.forEach((r, k) => {
      if (k % Math.ceil(14 / lane) === 0)
        out.append(svg("text", {x: left - 6, y: top + (k + 0.5) * lane + 4, "text-anchor": "end"}, "rank " + r));
    });
    classes.forEach(([cls], c) => { // failures on top; a gap of a pixel between neighbours
      const d = rows.filter((i) => classOf(i) === c).map((i) => {
        const x = toX(models.started[i]), w = Math.max(0.5, toX(models.started[i] + models.seconds[i]) - x - 1);
        return `M${x.toFixed(1)} ${toY(i).toFixed(1)}h${w.toFixed(1)}`;
      }).join("");
      out.append(svg("path", {class: cls, d, "stroke-width": Math.max(1.5, lane - 2), style: "stroke-linecap:butt"}));
    });
    out.append(svg("rect", {class: "frame", x: left, y: top, width: right - left, height: bottom - top}),
               svg("text", {class: "label", x: (left + right) / 2, y: bottom + 34, "text-anchor": "middle"}, "seconds since the first start"));
    const find = (e) => {
      const from = out.getBoundingClientRect(), x = e.clientX - from.left, y = e.clientY - from.top;
      return rows.find((i) => Math.abs(toY(i) - y) <= lane / 2 && x >= toX(models.started[i]) - 1 && x <= toX(models.started[i] + models.seconds[i]) + 1);
    };
    out.addEventListener("pointermove", (e) => {
      const i = find(e);
      if (i === undefined)
        tip.hidden = true;
      else
        showTip(e.clientX, e.clientY, `${describe(i)}\n${models.status[i]}, ${duration(models.seconds[i])}, rank ${models.rank[i]}` +
          (models.error[i] ? "\n" + cut(models.error[i], 160) : ""));
    });
    out.addEventListener("pointerleave", () => { tip.hidden = true; });
    out.addEventListener("click", (e) => { const i = find(e); if (i !== undefined) select(i); });
    holder.replaceChildren(out);
  }
  plots.push(draw);
  const shares = data.timeline.shares, width = data.timeline.seconds / Math.max(1, shares.length);
  const present = classes.filter((_, c) => rows.some((i) => classOf(i) === c));
  add(box, key(present), leftOut ? el("p", {class: "muted"}, "Gaps may be evaluations that this page does not hold; the share below counts all.") : null,
    holder, shares.length > 0 ? plot({title: "share of the slots that was busy", x: {label: "seconds since the first start", from: 0}, y: {label: "busy", from: 0, upTo: 1},
      height: 180, lines: [{x: shares.map((_, k) => k * width), y: shares, class: "c1 thin", step: true, toTheEdge: true,
                            names: shares.map((s) => (100 * s).toFixed(0) + " % busy")}]}) : null);
});
