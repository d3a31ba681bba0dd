#!/usr/bin/python3
"""How long do summary and report take for many rows, how large is the page, and how fast does it answer?

usage: report_rate.py BIN [ROWS...]     default: 10 1000 100000

Makes results.h5 of so many rows with h5py: 3 objectives, 12 parameters of all kinds, 4 metrics, curves of 10 epochs, 5 % failures
of 40 kinds, 64 ranks. Prints a table in Markdown. The answer to a click is the time from the event until the page is laid out
again, the slowest of: a row of the table, a dot of a plot, a sort, a filter, another axis for all plots of a section.
"""
import html
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

BROWSER = next((b for b in ("chromium", "chromium-browser", "google-chrome") if shutil.which(b)), None)


def make(directory, n):
    rng = np.random.default_rng(1)
    os.makedirs(directory)
    f = h5py.File(f"{directory}/results.h5", "w", libver="v110", track_order=True)
    f.attrs.update({"format": "archai-results", "format_version": 1, "state": "complete", "space": "config", "algorithm": "nsga2", "schedule": "async",
                    "seed": 1, "ranks": 64, "rejected": 0, "config": "[search]\nalgorithm = nsga2\nmax_evaluations = %d\nseed = 7\n[space]\nname = config\n" % n,
                    "started": "2026-01-01T00:00:00Z", "updated": "2026-01-02T00:00:00Z", "software": "archai-run bench"})
    fixed = lambda values: np.array(values, dtype=object).astype(bytes) if len(values) else np.array([], "S1")
    options = {"compression": "gzip", "compression_opts": 1, "chunks": True} if n > 100 else {}

    def put(name, values, text=False):
        if text:
            values = fixed(values)
            d = f.create_dataset(name, data=values.astype(h5py.string_dtype("utf-8", max(1, values.dtype.itemsize))), **options)
        else:
            d = f.create_dataset(name, data=values, **options)
        return d

    width, depth = rng.integers(8, 256, n), rng.integers(1, 30, n)
    ok = rng.random(n) > 0.05
    nan = np.where(ok, 0, np.nan)
    accuracy = 1 - np.exp(-width / 80) * 0.5 - 0.3 / depth + 0.05 * rng.standard_normal(n) + nan
    size = (width * width * depth).astype(float) + nan
    latency = 0.01 * width * depth * np.exp(0.2 * rng.standard_normal(n)) + nan
    params = {"width": width.astype(float), "depth": depth.astype(float), "activation": [["relu", "gelu", "silu"][k] for k in rng.integers(0, 3, n)],
              "kernel": np.where(rng.random(n) < 0.5, rng.choice([3.0, 5, 7], n), np.nan), **{f"rate.{k}": rng.random(n) for k in range(8)}}
    put("candidates/id", np.arange(n))
    put("candidates/archid", ["%040x" % int.from_bytes(rng.bytes(20), "big") for _ in range(n)], True)
    put("candidates/arch", [json.dumps({"width": int(w), "depth": int(d)}) for w, d in zip(width, depth)], True)
    put("candidates/status", np.where(ok, "ok", "failed").tolist(), True)
    kinds = rng.integers(0, 40, n)
    put("candidates/error", ["" if o else "RuntimeError: of kind %s, at /tmp/%d/x.py:%d" % (chr(65 + k), i, i) for i, (o, k) in enumerate(zip(ok, kinds))], True)
    for name, text in (("operator", "mutation"), ("parents", "[]"), ("metadata", "{}"), ("device", "cpu"), ("log", "")):
        put(f"candidates/{name}", [text] * n, True)
    put("candidates/generation", np.zeros(n, "i4"))
    put("candidates/rank", (np.arange(n) % 64).astype("i4"))
    put("candidates/budget", np.ones(n))
    seconds = 40 + 20 * rng.random(n)
    put("candidates/seconds", seconds)
    put("candidates/started", 1767225600 + (np.arange(n) // 64) * 60.0)
    for name, values in params.items():
        put(f"params/{name}", values, isinstance(values, list))
    for name, values, direction in (("accuracy", accuracy, "maximize"), ("params", size, "minimize"), ("latency", latency, "minimize")):
        d = put(f"objectives/{name}", values)
        d.attrs.update({"direction": direction, "expensive": 1, "unit": "", "constraint": np.array([]), "source": name})
    for k in range(4):
        put(f"metrics/m{k}", rng.random(n))
    put("curves/val_loss", (rng.random((n, 10)) + nan[:, None]).astype("f4"))
    points = np.stack([-accuracy, size, latency], 1)
    rows = [i for i in np.lexsort(points.T[::-1]) if ok[i]]
    front = []
    for i in rows: # in order of accuracy: only earlier ones can dominate
        if not any((points[j] <= points[i]).all() for j in front):
            front.append(i)
    put("pareto/index", np.sort(np.array(front, dtype=np.int64)))
    steps = np.unique(np.linspace(1, n, min(n, 20000)).astype(np.int64))
    put("hypervolume/evaluations", steps)
    put("hypervolume/seconds", steps / 64 * 60.0)
    put("hypervolume/value", 1 - 1 / (1 + np.log1p(steps)))
    f.close()


ASK = """
const slowest = {};
const time = (name, act) => { const from = performance.now(); act(); document.body.getBoundingClientRect(); slowest[name] = performance.now() - from; };
const row = document.querySelectorAll("#models tbody tr")[3];
time("row", () => row.click());
const figure = document.querySelector("#fronts figure svg"), ring = figure.querySelector("circle.ring"), at = figure.getBoundingClientRect();
time("dot", () => figure.dispatchEvent(new MouseEvent("click", {clientX: at.left + 90, clientY: at.top + 60, bubbles: true})));
time("hover", () => figure.dispatchEvent(new PointerEvent("pointermove", {clientX: at.left + 90, clientY: at.top + 60, bubbles: true})));
time("sort", () => document.querySelectorAll("#models th button")[3].click());
const input = document.querySelector("#models input");
time("filter", () => { input.value = "accuracy>0.8 gelu"; input.dispatchEvent(new Event("input")); });
time("axis", () => document.querySelectorAll("#progress .tools button")[1].click());
time("parameter", () => document.querySelectorAll("#along .tools button")[1].click());
const paint = performance.getEntriesByType("navigation")[0];
document.body.dataset.told = JSON.stringify({slowest, ready: performance.now()});
"""


def timed(*argv):
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    p = subprocess.run(argv, capture_output=True, text=True)
    assert p.returncode == 0, p.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    inspect = f"{sys.argv[1]}/archai-inspect"
    print("| rows | summary | report | page | models in it | slowest answer | script until ready |\n|---|---|---|---|---|---|---|")
    for n in [int(a) for a in sys.argv[2:]] or [10, 1000, 100000]:
        with tempfile.TemporaryDirectory() as d:
            make(f"{d}/r", n)
            summary, report = timed(inspect, f"{d}/r", "summary"), timed(inspect, f"{d}/r", "report")
            page = open(f"{d}/r/report.html").read()
            models = len(json.loads(re.search(r'id="archai-report">(.*?)</script>', page).group(1))["models"]["id"])
            answer = ready = "-"
            if BROWSER:
                with open(f"{d}/asked.html", "w") as f:
                    f.write(page.replace("<script>\n", "<script>\nconst began = performance.now();\n").replace("</body>", f"<script>{{{ASK.replace('ready: performance.now()', 'ready: performance.now() - began')}}}</script></body>"))
                p = subprocess.run([BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={d}/profile", "--window-size=1400,900",
                                    "--dump-dom", f"file://{d}/asked.html"], capture_output=True, text=True)
                told = json.loads(html.unescape(re.search(r'data-told="(.*?)"', p.stdout).group(1)))
                name = max(told["slowest"], key=told["slowest"].get)
                answer, ready = f"{told['slowest'][name]:.0f} ms ({name})", f"{told['ready'] / 1000:.2f} s"
            print(f"| {n} | {summary[0]:.2f} s ({summary[1]:.2f} s CPU) | {report[0]:.2f} s ({report[1]:.2f} s CPU) | {len(page) / 1e6:.2f} MB | {models} | {answer} | {ready} |", flush=True)


main()
