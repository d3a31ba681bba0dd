// What the ranks did when, with failures, and how much of the slots was busy.
section("report", "timeline", "Timeline of the ranks", (box) => {
  const rows = [...models.id.keys()].filter((i) => models.started[i] !== null && models.status[i] !== "cached");
  if (rows.length === 0)
    return false;
  const ranks = [...new Set([...rows.map((i) => models.rank[i]), ...data.timeline.ranks.filter((r) => r.busy.some((b) => b > 0)).map((r) => r.rank)])].sort((a, b) => a - b), lane = Math.max(3, Math.min(16, 300 / ranks.length));
  const holder = el("div", {}), classes = [["other", "ok"], ["front", "infeasible or another end"], ["failed", "failed"]];
  const classOf = (i) => (models.status[i] === "ok" ? 0 : models.status[i] === "failed" ? 2 : 1);
  const end = Math.max(data.timeline.seconds || 0, ...rows.map((i) => models.started[i] + models.seconds[i])) || 1;
  const place = new Map(ranks.map((r, k) => [r, k]));

  // Of very many evaluations each would be too short to be seen: how busy a rank was, as the strength of a colour.
  function drawShares(out, left, right, top) {
    const LEVELS = 8, paths = new Map(); // one path for each colour and strength: tens of thousands of elements would be slow
    for (const r of data.timeline.ranks) {
      const w = (right - left) / r.busy.length, y = (top + (place.get(r.rank) + 0.5) * lane).toFixed(1);
      r.busy.forEach((busy, k) => {
        for (const [share, cls] of [[busy - r.failed[k], "other"], [r.failed[k], "failed"]])
          if (share > 0 && place.has(r.rank)) {
            const name = cls + " " + Math.min(LEVELS, Math.ceil((share / 1000) * LEVELS));
            paths.set(name, (paths.get(name) || "") + `M${(left + k * w).toFixed(1)} ${y}h${(w + 0.3).toFixed(1)}`);
          }
      });
    }
    for (const cls of ["other", "failed"])
      for (let level = 1; level <= LEVELS; level++)
        if (paths.has(cls + " " + level))
          out.append(svg("path", {class: cls, d: paths.get(cls + " " + level), "stroke-width": Math.max(1, lane - 1), "stroke-opacity": level / LEVELS,
                                  style: "stroke-linecap:butt"}));
  }
  function drawBars(out, toX, toY) {
    classes.forEach(([cls], c) => { // failures on top; a gap of a pixel between neighbours
      const d = rows.filter((i) => classOf(i) === c).map((i) => {
        const x = toX(models.started[i]), w = Math.max(0.5, toX(models.started[i] + models.seconds[i]) - x - 1);
        return `M${x.toFixed(1)} ${toY(i).toFixed(1)}h${w.toFixed(1)}`;
      }).join("");
      out.append(svg("path", {class: cls, d, "stroke-width": Math.max(1.5, lane - 2), style: "stroke-linecap:butt"}));
    });
  }
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
    if (leftOut)
      drawShares(out, left, right, top);
    else
      drawBars(out, toX, toY);
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
  add(box, key(present), leftOut ? el("p", {class: "muted"}, "All evaluations together: the stronger the colour, the larger the share of the time. Those that this page holds can be clicked." +
      (data.timeline.ranks.length >= 256 ? " Ranks from 256 on show only these." : "")) : null,
    holder, shares.length > 0 ? plot({title: "share of the slots that was busy", x: {label: "seconds since the first start", from: 0}, y: {label: "busy", from: 0, upTo: 1},
      height: 180, lines: [{x: shares.map((_, k) => k * width), y: shares, class: "c1 thin", step: true, toTheEdge: true,
                            names: shares.map((s) => (100 * s).toFixed(0) + " % busy")}]}) : null);
});
