// Draw every section, then its plots at the width that they got.
const main = document.querySelector("main");
for (const s of sections) {
  const box = el("section", {id: s.id}, ...(s.title ? [el("h2", {}, s.title)] : []));
  s.empty = s.draw(box) === false;
  if (!s.empty)
    main.append(box);
}
for (const a of document.querySelectorAll("nav a")) // sections that had nothing to show
  if (!document.getElementById(a.getAttribute("href").slice(1)))
    a.remove();
document.body.append(tip, panel);
const drawAll = () => plots.forEach((draw) => draw());
drawAll();
let width = main.clientWidth;
addEventListener("resize", () => {
  if (main.clientWidth !== width) {
    width = main.clientWidth;
    requestAnimationFrame(drawAll);
  }
});
addEventListener("beforeprint", drawAll);
addEventListener("keydown", (e) => { if (e.key === "Escape") select(-1); });
document.body.dataset.drawn = "yes";
