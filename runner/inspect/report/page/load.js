// How to load the winner.
section("report", "load", "Load the winner", (box) => {
  const n = Math.min(data.front.length, 50), holder = el("div", {});
  if (n === 0)
    return false;
  const show = (k) => {
    const i = placeOfArchid.get(data.front[k - 1]), name = "front:" + k, folder = data.run.path.replace(/\/?results\.h5$/, "") || ".";
    const kept = i === undefined || models.weights[i] === 1;
    holder.replaceChildren(
      i === undefined ? el("p", {}, data.front[k - 1]) : el("p", {}, modelLink(i), " ", cut(differing(i).join(", "), 300)),
      code(commands(name, "best", kept) + (isNetwork ? "archai-space " + shell(folder + "/config.ini") + " show best.json   # its modules, as PyTorch prints them\n" : "")),
      el("p", {}, kept ? "In Python:" : "Its weights were not kept (output.weights of the configuration says whose are)."),
      ...(kept ? [code(isNetwork ? "from best import Model, load, read_weights\n\nmodel = load(Model(), read_weights(\"best.pt\")).eval()\n"
        : "import torch\n\nmodel.load_state_dict(torch.load(\"best.pt\"))   # model: yours, made with the parameters above\n")] : []));
  };
  const list = el("select", {"aria-label": "model of the front", onchange: (e) => show(Number(e.target.value))},
    ...[...Array(n).keys()].map((k) => {
      const i = placeOfArchid.get(data.front[k]);
      return el("option", {value: k + 1}, cut("front:" + (k + 1) + "  " + (i === undefined ? data.front[k] : describe(i)), 70));
    }));
  add(box, el("div", {class: "tools"}, list), holder);
  show(1);
});
