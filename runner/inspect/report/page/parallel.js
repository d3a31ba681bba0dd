// Parallel coordinates: each line is a model, each axis a parameter or an objective.
section("report", "parallel", "Parallel coordinates", (box) => {
  const LINES = 400, HEIGHT = 340;
  const axes = [...byWeight.slice(0, 8).map((p) => ({...axisOf(p), values: models.params[p], room: 12})),
    ...data.objectives.slice(0, 4).map((o) => ({label: o.name, values: models.objectives[o.name],
      log: wantsLog(standing.map((i) => models.objectives[o.name][i]).filter((v) => v !== null))}))];
  if (axes.length < 3 || standing.length === 0)
    return false;
  const others = standing.filter((i) => !models.front[i]), fronts = standing.filter((i) => models.front[i]).slice(0, LINES);
  const stride = Math.max(1, Math.ceil(others.length / LINES));
  const rows = [...others.filter((_, k) => k % stride === 0), ...fronts];
  const holder = el("div", {class: "scroll"});
  let lines = [];

  function draw() {
    const width = Math.max(holder.clientWidth || 320, 90 * axes.length), left = 46, right = width - 46, top = 42, bottom = HEIGHT - 12;
    const out = svg("svg", {viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, style: `width:${width}px`, role: "img", "aria-label": "parallel coordinates"});
    const at = axes.map((_, k) => left + (k * (right - left)) / (axes.length - 1));
    const scales = axes.map((a) => scaleOf(a, a.values.filter((v, i) => models.stands[i])));
    lines = rows.map((row) => ({row, ys: axes.map((a, k) => {
      const y = a.values[row] === null ? NaN : scales[k].to(a.values[row]);
      return Number.isFinite(y) ? bottom - y * (bottom - top) : null;
    })}));
    for (const {row, ys} of lines) {
      let d = "", pen = "M";
      ys.forEach((y, k) => { // a parameter that the model does not have interrupts its line
        if (y === null)
          pen = "M";
        else {
          d += `${pen}${at[k].toFixed(1)} ${y.toFixed(1)}`;
          pen = "L";
        }
      });
      out.append(svg("path", {d, class: models.front[row] ? "front thin" : "other faint"}));
    }
    axes.forEach((a, k) => {
      out.append(svg("line", {class: "frame", x1: at[k], x2: at[k], y1: top, y2: bottom}),
        svg("text", {class: "label", x: at[k], y: k % 2 ? 14 : 28, "text-anchor": "middle"}, cut(a.label, Math.floor((right - left) / axes.length / 3.6))));
      for (const [share, text] of scales[k].ticks)
        out.append(svg("text", {x: at[k] + 4, y: bottom - share * (bottom - top) + 4}, cut(text, 10)));
    });
    const ring = svg("path", {class: "ring", d: ""});
    out.append(ring);
    const mark = () => {
      const line = lines.find((l) => l.row === chosen);
      ring.setAttribute("d", line ? line.ys.map((y, k) => (y === null ? "" : `${k && line.ys[k - 1] !== null ? "L" : "M"}${at[k]} ${y}`)).join("") : "");
    };
    const nearest = (e) => {
      const from = out.getBoundingClientRect(), x = e.clientX - from.left, y = e.clientY - from.top;
      const k = Math.max(0, Math.min(axes.length - 2, Math.floor(((x - left) / (right - left)) * (axes.length - 1))));
      const t = (x - at[k]) / (at[k + 1] - at[k]);
      let best = null, least = 12;
      for (const l of lines) {
        const d = l.ys[k] === null || l.ys[k + 1] === null ? Infinity : Math.abs(l.ys[k] * (1 - t) + l.ys[k + 1] * t - y);
        if (d <= least) {
          least = d;
          best = l;
        }
      }
      return best;
    };
    out.addEventListener("pointermove", (e) => {
      const l = nearest(e);
      if (l)
        showTip(e.clientX, e.clientY, describe(l.row));
      else
        tip.hidden = true;
    });
    out.addEventListener("pointerleave", () => { tip.hidden = true; });
    out.addEventListener("click", (e) => { const l = nearest(e); if (l) select(l.row); });
    box.mark = mark;
    mark();
    holder.replaceChildren(out);
  }
  listeners.push(() => box.mark && box.mark());
  plots.push(draw);
  add(box, key([["front thin", "on the front"], ["other", "others"]]),
    byWeight.length > 8 ? el("p", {class: "muted"}, `The 8 of ${byWeight.length} parameters with the largest shares.`) : null,
    stride > 1 ? el("p", {class: "muted"}, `The front, and one of ${stride} of the others.`) : null, holder);
});
