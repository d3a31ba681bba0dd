// Plots as SVG, drawn at the width that there is, so that their texts have one size on every screen.
const plots = []; // functions that draw again

const wantsLog = (values) => {
  let low = Infinity, high = 0;
  for (const v of values) {
    if (v === null)
      continue;
    if (v <= 0)
      return false;
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  return high >= 100 * low && high < Infinity;
};

// A scale from values to [0, 1]. Texts, and few different values of a parameter, get places of their own.
function scaleOf(axis, values) {
  if (axis.categories) {
    const n = axis.categories.length, at = new Map(axis.categories.map((c, i) => [c, (i + 0.5) / n]));
    const every = Math.ceil(n / (axis.room || 8));
    return {to: (v) => (at.has(v) ? at.get(v) : NaN),
            ticks: axis.categories.filter((c, i) => i % every === 0).map((c) => [at.get(c), cut(format(c), 14)])};
  }
  const put = axis.log ? (v) => (v > 0 ? Math.log10(v) : NaN) : (v) => v;
  let low = Infinity, high = -Infinity;
  for (const v of values) {
    const at = v === null ? NaN : put(v);
    if (Math.abs(at) <= 1e300) { // a range of larger numbers would overflow
      low = Math.min(low, at);
      high = Math.max(high, at);
    }
  }
  if (axis.from !== undefined)
    low = Math.min(low, put(axis.from));
  if (axis.upTo !== undefined)
    high = Math.max(high, put(axis.upTo));
  if (!(low <= high))
    [low, high] = [0, 1];
  const margin = high > low ? 0.04 * (high - low) : Math.max(0.5 * Math.abs(high), 0.5);
  const zero = axis.from !== undefined && low === put(axis.from);
  low -= zero ? 0 : margin;
  high += margin;
  return {to: (v) => (v === null ? NaN : (put(v) - low) / (high - low)), ticks: ticksOf(low, high, axis.log, put)};
}
function ticksOf(low, high, log, put) {
  const found = [];
  if (log && high - low > 1) {
    const step = Math.max(1, Math.ceil((high - low) / 8));
    for (let e = Math.ceil(low); e <= high; e += step)
      found.push(10 ** e);
  } else { // less than a decade: linear ticks read better
    const [a, b] = log ? [10 ** low, 10 ** high] : [low, high];
    const raw = (b - a) / 5, power = 10 ** Math.floor(Math.log10(raw)), share = raw / power;
    const step = power * (share > 5 ? 10 : share > 2 ? 5 : share > 1 ? 2 : 1);
    for (let i = Math.ceil(a / step), n = 0; i * step <= b && n < 12; i++, n++)
      found.push(Number((i * step).toPrecision(12)));
  }
  const text = (v) => (v !== 0 && (Math.abs(v) >= 1e6 || Math.abs(v) < 1e-4) ? v.toExponential().replace("e+", "e") : String(v));
  return found.map((v) => [(put(v) - low) / (high - low), text(v)]).filter(([at]) => at >= 0 && at <= 1);
}

// A line: through its points, or a step line, on which nothing is known between two neighbours.
function pathOf(line, xs, ys, edge) {
  let d = "";
  for (let i = 0; i < xs.length; i++)
    if (Number.isFinite(xs[i]) && Number.isFinite(ys[i]))
      d += d === "" ? `M${xs[i].toFixed(1)} ${ys[i].toFixed(1)}`
        : line.step ? `H${xs[i].toFixed(1)}V${ys[i].toFixed(1)}` : `L${xs[i].toFixed(1)} ${ys[i].toFixed(1)}`;
  return d !== "" && line.toTheEdge ? d + `H${edge}` : d;
}

// spec: {title, x: axis, y: axis, height, points: [{x, y, rows, class, size}], lines: [{x, y, rows, class, step, toTheEdge, names}]}
// axis: {label, log, categories, from, upTo}. rows: the models of the points, hovered and clicked; names: texts for hovering.
function plot(spec) {
  const holder = el("div", {}), box = el("figure", {}, spec.title ? el("figcaption", {}, spec.title) : null, holder);
  let near = [], ring = null;

  function draw() {
    const width = Math.max(200, holder.clientWidth || 320), height = spec.height || 300;
    const points = spec.points || [], lines = spec.lines || [];
    const all = (k) => [...points, ...lines].flatMap((s) => s[k]);
    const sx = scaleOf({room: width / 60, ...spec.x}, all("x")), sy = scaleOf({room: height / 20, ...spec.y}, all("y"));
    const left = 14 + 6.6 * Math.max(3, ...sy.ticks.map((t) => t[1].length)) + 16, right = width - 14, top = 10, bottom = height - 42;
    const toX = (v) => left + sx.to(v) * (right - left), toY = (v) => bottom - sy.to(v) * (bottom - top);
    const label = `${spec.y.label} against ${spec.x.label}`;
    const out = svg("svg", {viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": label});
    let drawn = 0, last = -Infinity;

    near = [];
    for (const [at, text] of sx.ticks) {
      const x = left + at * (right - left), half = 3.8 * text.length;
      out.append(svg("line", {class: "rule", x1: x, x2: x, y1: top, y2: bottom}));
      if (x - half > last + 6) { // numbers do not run into each other
        out.append(svg("text", {x: Math.min(x, width - half), y: bottom + 16, "text-anchor": "middle"}, text));
        last = x + half;
      }
    }
    for (const [at, text] of sy.ticks) {
      const y = bottom - at * (bottom - top);
      out.append(svg("line", {class: "rule", x1: left, x2: right, y1: y, y2: y}),
                 svg("text", {x: left - 6, y: y + 4, "text-anchor": "end"}, text));
    }
    out.append(svg("rect", {class: "frame", x: left, y: top, width: right - left, height: bottom - top}),
      svg("text", {class: "label", x: (left + right) / 2, y: height - 8, "text-anchor": "middle"}, cut(spec.x.label, width / 8)),
      svg("text", {class: "label", transform: `translate(12 ${(top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle"},
          cut(spec.y.label, height / 8)));
    for (const line of lines) {
      const xs = line.x.map(toX), ys = line.y.map(toY), d = pathOf(line, xs, ys, right);
      drawn += d !== "";
      out.append(svg("path", {class: line.class, d}));
      xs.forEach((x, i) => near.push({x, y: ys[i], row: line.rows ? line.rows[i] : -1, text: line.names ? line.names[i] : ""}));
    }
    for (const p of points) { // one path of dots: thousands of elements would make the page slow
      let d = "";
      for (let i = 0; i < p.x.length; i++) {
        const x = toX(p.x[i]) + (p.shift ? p.shift[i] * (right - left) : 0), y = toY(p.y[i]);
        if (!Number.isFinite(x) || !Number.isFinite(y))
          continue;
        d += `M${x.toFixed(1)} ${y.toFixed(1)}h.01`;
        near.push({x, y, row: p.rows ? p.rows[i] : -1, text: p.names ? p.names[i] : ""});
        drawn++;
      }
      out.append(svg("path", {class: p.class, d, "stroke-width": p.size || 6}));
    }
    if (drawn === 0)
      out.append(svg("text", {class: "label", x: (left + right) / 2, y: (top + bottom) / 2, "text-anchor": "middle"}, "nothing to draw yet"));
    near = near.filter((n) => Number.isFinite(n.x) && Number.isFinite(n.y) && (n.row >= 0 || n.text));
    ring = svg("circle", {class: "ring", fill: "none", r: 7, visibility: "hidden"});
    out.append(ring);
    mark();
    out.addEventListener("pointermove", hover);
    out.addEventListener("pointerleave", () => { tip.hidden = true; });
    out.addEventListener("click", (e) => { const n = nearest(e); if (n && n.row >= 0) select(n.row); });
    holder.replaceChildren(out);
  }
  function mark() {
    const n = chosen < 0 ? null : near.find((p) => p.row === chosen);
    ring.setAttribute("visibility", n ? "visible" : "hidden");
    if (n) {
      ring.setAttribute("cx", n.x);
      ring.setAttribute("cy", n.y);
    }
  }
  function nearest(e) {
    const at = e.currentTarget.getBoundingClientRect(), x = e.clientX - at.left, y = e.clientY - at.top;
    let best = null, least = 24 * 24;
    for (const n of near) {
      const d = (n.x - x) ** 2 + (n.y - y) ** 2;
      if (d <= least) { // later ones lie on top
        least = d;
        best = n;
      }
    }
    return best;
  }
  function hover(e) {
    const n = nearest(e);
    e.currentTarget.style.cursor = n && n.row >= 0 ? "pointer" : "";
    if (n)
      showTip(e.clientX, e.clientY, [n.row >= 0 ? describe(n.row) : "", n.row >= 0 ? values(n.row) : "", n.text].filter(Boolean).join("\n"));
    else
      tip.hidden = true;
  }
  const values = (row) => [spec.x.label, spec.y.label].filter((name) => models.objectives[name])
    .map((name) => name + " " + format(models.objectives[name][row])).join(", ");
  listeners.push(() => ring && mark());
  plots.push(draw);
  box.change = (changes) => { // draws another plot in its place
    Object.assign(spec, changes);
    if (box.isConnected)
      draw();
  };
  return box;
}

// What the lines and dots mean. entries: [class, text, is a dot]
function key(entries) {
  return el("div", {class: "key"}, ...entries.map(([cls, text, dot]) => el("span", {},
    svg("svg", {viewBox: "0 0 22 10"}, svg("path", {class: cls, d: dot ? "M11 5h.01" : "M1 5h20", "stroke-width": dot ? 7 : 2})), text)));
}
