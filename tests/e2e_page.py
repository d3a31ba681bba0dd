"""report.html in a browser: nothing on its console, hostile texts stay texts, hover, click, sort and filter do what they say,
contrast of all texts, in both colour schemes, at 390 and 1400 pixels. Skipped where there is no Chromium."""
import csv
import html
import io
import json
import os
import re
import shutil
import subprocess
import sys

from check_report import check

BIN = os.environ["ARCHAI_BIN"]
BROWSER = next((b for b in ("chromium", "chromium-browser", "google-chrome") if shutil.which(b)), None)
if BROWSER is None:
    print("skipped: there is no Chromium to look at the page with")
    sys.exit(77)

HOSTILE = ["</script><script>document.title='owned'</script>", "=1+1|<img src=x onerror=\"document.title='owned'\">", "'; rm -rf $HOME `id` & <b>\"\\u2028"]
with open("tree.json", "w") as f:
    json.dump({"width": {"choice": [1, 2, 3, 4, 5]}, "<i>act</i>": {"choice": HOSTILE}}, f)
with open("program.py", "w") as f:
    f.write("import json, sys\njob = json.load(sys.stdin)\nw, act = job['params']['width'], job['params']['<i>act</i>']\n"
            "if w == 5: sys.exit('ValueError: ' + act + ' of candidate %d in /tmp/%d/x' % (job['id'], job['id']))\n"
            "print(json.dumps({'acc': w / 5, 'cost': w * w + len(act) / 100, 'loss<b>': [1 / w, 0.5 / w]}))\n")
with open("c.ini", "w") as f:
    f.write("[search]\nalgorithm = random_search\nmax_evaluations = 14\nseed = 2\n[space]\nname = config\ntree = tree.json\n"
            "[objective.acc]\ndirection = maximize\n[objective.cost]\ndirection = minimize\n"
            "[evaluator]\nkind = command\ncommand = python3 program.py\n[output]\ndirectory = r\n")
p = subprocess.run([f"{BIN}/archai-run", "c.ini", "--progress", "none"], capture_output=True, text=True)
assert p.returncode == 0, p.stderr
assert check("r") > 100
# a spreadsheet gets no formula; programs get the text
p = subprocess.run([f"{BIN}/archai-inspect", "r", "csv"], capture_output=True, text=True, check=True)
acts = [row["<i>act</i>"] for row in csv.DictReader(io.StringIO(p.stdout))]
assert {a.lstrip("'") for a in acts} == {a.lstrip("'") for a in HOSTILE} and not any(a[0] in "=+-@" for a in acts), acts
p = subprocess.run([f"{BIN}/archai-inspect", "r", "table", "--json"], capture_output=True, text=True, check=True)
assert {row["<i>act</i>"] for row in json.loads(p.stdout)} == set(HOSTILE)
page = open("r/report.html").read()
said = json.loads(re.search(r'id="archai-report">(.*?)</script>', page, re.S).group(1))
assert 0 < said["run"]["statuses"]["failed"] < 14 and len(said["failures"]) == 3 and all("log" in f for f in said["failures"])
assert page.count("<script") == 2 and not re.search(r'(src|href)="|url\(|@import|https?://(?!www\.w3\.org/2000/svg)', re.sub(r"<script type.*?</script>", "", page, flags=re.S))

ASK = r"""
const told = {title: document.title, drawn: document.body.dataset.drawn, width: innerWidth, over: document.documentElement.scrollWidth - innerWidth};
told.sections = [...document.querySelectorAll("main section")].map((s) => s.id);
told.alien = document.querySelectorAll("img, i, main b:not(.bad)").length;
told.rows = [...document.querySelectorAll("#models tbody tr")].length;
document.querySelectorAll("#models tbody tr")[0].click(); // front:1
told.chosen = document.querySelector("#detail").innerText;
told.ringed = document.querySelectorAll("circle.ring[visibility=visible]").length;
const at = document.querySelector("#fronts figure svg").getBoundingClientRect(), dot = document.querySelector("#fronts figure svg circle.ring");
scrollTo(0, at.top + scrollY - 50);
const from = document.querySelector("#fronts figure svg").getBoundingClientRect();
const where = {clientX: from.left + Number(dot.getAttribute("cx")), clientY: from.top + Number(dot.getAttribute("cy")), bubbles: true};
document.querySelector("#fronts figure svg").dispatchEvent(new PointerEvent("pointermove", where));
told.tip = document.querySelector("#tip").hidden ? null : document.querySelector("#tip").textContent;
document.querySelector("#detail .close").click();
told.closed = document.querySelector("#detail").hidden;
document.querySelector("#fronts figure svg").dispatchEvent(new MouseEvent("click", where));
told.words = document.body.innerText.match(/\b(null|undefined|NaN|\[object)\b/g);
told.clicked = document.querySelector("#detail").innerText;
const head = [...document.querySelectorAll("#models th button")].find((b) => b.textContent.startsWith("acc"));
head.click(); head.click();
told.sorted = [...document.querySelectorAll("#models tbody tr")].map((r) => r.cells[3].textContent);
const input = document.querySelector("#models input");
input.value = "width=2 status=ok"; input.dispatchEvent(new Event("input"));
told.filtered = [...document.querySelectorAll("#models tbody tr")].map((r) => r.cells[3].textContent);
input.value = "acc>0.5"; input.dispatchEvent(new Event("input"));
told.above = [...document.querySelectorAll("#models tbody tr")].map((r) => r.cells[3].textContent);
document.querySelectorAll("details").forEach((d) => { d.open = true; });
told.logs = [...document.querySelectorAll("#failures pre")].map((p) => p.textContent);
// the smallest contrast of a text with what is behind it (WCAG 2)
const light = (c) => { const [r, g, b] = c.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const rgb = (c) => c.match(/[\d.]+/g).map(Number);
told.contrast = [21, ""];
for (const e of document.querySelectorAll("body *")) {
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || e.closest("script, style, noscript") || !e.getClientRects().length)
    continue;
  let back = e, color = rgb(e instanceof SVGElement ? getComputedStyle(e).fill : getComputedStyle(e).color);
  while (back && (rgb(getComputedStyle(back).backgroundColor)[3] === 0 || back instanceof SVGElement))
    back = back.parentElement;
  const [a, b] = [light(color.slice(0, 3)), light(rgb(back ? getComputedStyle(back).backgroundColor : "rgb(255,255,255)").slice(0, 3))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < told.contrast[0])
    told.contrast = [ratio, e.outerHTML.slice(0, 100)];
}
told.title = document.title;
parent.postMessage(JSON.stringify(told), "*");
"""
# A window cannot be as narrow as a telephone, a frame can.
FRAME = """<!DOCTYPE html><script>addEventListener("message", (e) => { document.body.dataset.told = e.data; });</script>
<body style="margin:0"><iframe src="asked.html" style="border:0;width:%dpx;height:900px"></iframe></body>"""


def browse(page, *extra):
    p = subprocess.run([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={os.getcwd()}/profile", "--window-size=1400,900",
                        "--virtual-time-budget=5000", "--enable-logging=stderr", "--dump-dom", *extra, f"file://{os.getcwd()}/{page}"], capture_output=True, text=True, timeout=120)
    said = [line for line in p.stderr.splitlines() if "CONSOLE" in line]
    assert not said, said
    return p.stdout


def look(width, *extra):
    with open("asked.html", "w") as f:
        f.write(page.replace("</body>", f"<script>{{{ASK}}}</script></body>"))
    with open("frame.html", "w") as f:
        f.write(FRAME % width)
    dom = browse("frame.html", *extra)
    found = re.search(r'data-told="(.*?)"', dom)
    assert found, dom[-2000:]
    return json.loads(html.unescape(found.group(1)))


for width, extra in ((1400, []), (390, ["--blink-settings=preferredColorScheme=0"])):
    told = look(width, *extra)
    assert told["title"] == "archai-run: config" and told["drawn"] == "yes" and told["alien"] == 0, told
    assert told["over"] <= 0 and told["width"] == width, told # what is too wide scrolls in its own box
    assert told["sections"] == ["overview", "load", "fronts", "progress", "importance", "along", "parallel", "curves", "timeline", "failures", "models", "config"], told
    first = said["models"]["archid"].index(said["front"][0])
    assert said["front"][0] in told["chosen"] and "export front:1 --format arch" in told["chosen"] and "--format pt" not in told["chosen"] and told["ringed"] >= 3, told
    act = said["models"]["params"]["<i>act</i>"][first]
    assert told["tip"] and act in told["tip"] and f"width={said['models']['params']['width'][first]}" in told["tip"], told["tip"]
    assert told["closed"] and "export front:" in told["clicked"], told
    assert told["words"] is None, told["words"] # nothing of the script's own
    acc = [v for v in said["models"]["objectives"]["acc"] if v is not None]
    assert told["rows"] == 14 and told["sorted"][: len(acc)] == [f"{v:.6g}" for v in sorted(acc, reverse=True)] and set(told["sorted"][len(acc):]) <= {"-"}, told["sorted"]
    assert told["filtered"] == ["0.4"] * acc.count(0.4) and sorted(told["above"]) == sorted(f"{v:.6g}" for v in acc if v > 0.5), told
    assert all(any(f["log"] == log for log in told["logs"]) for f in said["failures"])
    assert told["contrast"][0] >= 4.5, told["contrast"]
    print(f"{told['width']} pixels: smallest contrast {told['contrast'][0]:.2f}")

subprocess.run([f"{BIN}/archai-inspect", "r", "r", "compare", "-o", "compare.html"], capture_output=True, check=True)
dom = browse("compare.html")
assert 'data-drawn="yes"' in dom and re.findall(r'<section id="(\w+)">', dom) == ["figures", "settings", "progress", "failures"] and dom.count("<svg") >= 4
