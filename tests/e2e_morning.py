"""The morning after: what results.h5, archai-inspect and report.html say of a search, recomputed here with h5py and numpy."""
import csv
import io
import json
import os
import re
import subprocess

import h5py
import numpy as np

from check_report import Rows, check, report_of
from check_results import hypervolume

BIN = os.environ["ARCHAI_BIN"]


def run(program, *args, code=0):
    p = subprocess.run([f"{BIN}/{program}", *args], capture_output=True, text=True)
    assert p.returncode == code, (args, p.returncode, p.stdout, p.stderr)
    return p


def put(name, text):
    with open(name, "w") as f:
        f.write(text)


def text(d):
    return [v.decode() for v in d[()]]


CONFIG = """[search]
algorithm = {algorithm}
max_evaluations = {n}
seed = 1
{search}
[space]
name = config
tree = {tree}
[objective.acc]
direction = maximize
[objective.latency]
direction = minimize
[evaluator]
{evaluator}
[output]
directory = {directory}
"""


# -- importances ----------------------------------------------------------------------------------------------------------
def forest(codes, y, trees=200, seed=7):
    """Mean decrease in impurity, written down plainly: what report.html says that it computes."""
    rng = np.random.default_rng(seed)
    y = (y - y.mean()) / y.std()

    def grow(rows, gain):
        v = y[rows]
        if len(rows) < 2 or v.var() < 1e-14:
            return
        found = (-np.inf, None, None)
        for f in rng.permutation(codes.shape[1]):
            order = np.argsort(codes[rows, f], kind="stable")
            c, s = codes[rows, f][order], np.cumsum(v[order])
            cut = np.flatnonzero(c[1:] != c[:-1])
            if len(cut) == 0:
                continue
            score = s[cut] ** 2 / (cut + 1) + (s[-1] - s[cut]) ** 2 / (len(rows) - cut - 1)
            k = int(np.argmax(score))
            if score[k] > found[0]:
                found = (score[k], f, c[cut[k]])
        if found[1] is None:
            return
        gain[found[1]] += found[0] - v.sum() ** 2 / len(rows)
        left = codes[rows, found[1]] <= found[2]
        grow(rows[left], gain)
        grow(rows[~left], gain)

    shares = np.zeros(codes.shape[1])
    for _ in range(trees):
        gain = np.zeros(codes.shape[1])
        grow(rng.integers(0, len(y), len(y)), gain)
        shares += gain / max(gain.sum(), 1e-300)
    return shares / shares.sum()


def ranks(column):
    if column.dtype.kind == "S":
        return np.unique(column, return_inverse=True)[1]
    return np.unique(np.where(np.isnan(column), -np.inf, column), return_inverse=True)[1]


# -- a search over a table ------------------------------------------------------------------------------------------------
def a_table():
    put("tree.yaml", "width: {choice: [16, 24, 32]}\nact: {choice: [relu, gelu, tanh]}\nflag: {choice: [true, false]}\n"
                     "same: {choice: [5]}\nskip: {choice: [0, 1]}\nkernel: {choice: [3, 5], when: {skip: 1}}\n")
    lines, rng = ["width,act,flag,skip,kernel,acc,latency,extra"], np.random.default_rng(1)
    for w in (16, 24, 32):
        for a in ("relu", "gelu", "tanh"):
            for flag in ("true", "false"):
                for s, k in ((0, ""), (1, 3), (1, 5)):
                    if w == 32 and a == "tanh": # no such row: these fail
                        continue
                    acc = w / 32 + 0.4 * (a == "gelu") + 0.1 * (k == 5) + 0.02 * rng.random()
                    lines.append(f"{w},{a},{flag},{s},{k},{acc:.6f},{w * (1 + s)},{w / 7}")
    put("table.csv", "\n".join(lines) + "\n")
    put("t.ini", CONFIG.format(algorithm="random_search", n=60, search="", tree="tree.yaml", directory="t",
                               evaluator="kind = table\ntable = table.csv"))
    out = run("archai-run", "t.ini", "--progress", "none").stdout
    f = h5py.File("t/results.h5")
    archids, status = text(f["candidates/archid"]), text(f["candidates/status"])
    ok = [i for i, s in enumerate(status) if s == "ok"]
    assert 0 < len(ok) < len(archids)

    assert f.attrs["config"] == open("t/config.ini").read() # lines and all: --resume compares it

    # /params: numbers, texts, and nothing where the parameter does not exist
    params = {n: d[()] for n, d in f["params"].items()}
    assert sorted(params) == ["act", "flag", "kernel", "same", "skip", "width"]
    for i, arch in enumerate(json.loads(a) for a in text(f["candidates/arch"])):
        assert params["width"][i] == arch["width"] and params["act"][i].decode() == arch["act"]
        assert params["flag"][i] == arch["flag"] and params["skip"][i] == arch["skip"]
        assert np.isnan(params["kernel"][i]) if arch["skip"] == 0 else params["kernel"][i] == arch["kernel"]

    acc, latency = f["objectives/acc"][()], f["objectives/latency"][()]
    front = [i for i in ok if not any(acc[j] >= acc[i] and latency[j] <= latency[i] and (acc[j], latency[j]) != (acc[i], latency[i])
                                      for j in ok)]
    assert f["pareto/index"][()].tolist() == front
    named = sorted(front, key=lambda i: (-acc[i], i))

    # the final table, and every list: enough of the hash to name the model, and its parameters
    lines = out.splitlines()
    begin = next(k for k, line in enumerate(lines) if line.startswith("archid"))
    assert archids[named[0]].startswith(lines[begin + 1].split()[0]) and f"width={int(params['width'][named[0]])}" in lines[begin + 1]
    listed = run("archai-inspect", "t", "pareto").stdout.splitlines()
    assert [int(line.split()[0]) for line in listed[1:]] == named
    for i, line in zip(named, listed[1:]):
        short = line.split()[1]
        assert 8 <= len(short) < 40 and archids[i].startswith(short)
        assert f"width={int(params['width'][i])}, act={params['act'][i].decode()}" in line and "same=" not in line
        assert f"model        {archids[i]}" in run("archai-inspect", "t", "show", short).stdout
    summary = run("archai-inspect", "t", "summary").stdout
    assert f"failed {len(archids) - len(ok)} x: " in summary, summary

    rows = list(csv.DictReader(io.StringIO(run("archai-inspect", "t", "csv").stdout)))
    assert [r["act"] for r in rows] == [a.decode() for a in params["act"]] and [r["status"] for r in rows] == status
    assert [r["kernel"] for r in rows] == ["" if np.isnan(k) else str(int(k)) for k in params["kernel"]]
    assert [r["extra"] for r in rows] == ["" if np.isnan(v) else repr(float(v)) for v in f["metrics/extra"][()]]

    # report.html
    assert check("t") > 500
    html, said = report_of("t/report.html")
    assert said["front"] == [archids[i] for i in named] and not re.search(r'(src|href)="', html)
    assert all(a in html for a in said["front"])
    finished = np.argsort(f["candidates/started"][()] + f["candidates/seconds"][()], kind="stable")
    for name, values, sign in (("acc", acc, -1), ("latency", latency, 1)):
        steps, best = [], None
        for n, i in enumerate(finished, 1):
            if status[i] != "ok":
                continue
            other = latency[i] if name == "acc" else -acc[i]
            key = (sign * values[i], other, i)
            if best is None or key < best:
                best = key
                steps.append([n, values[i], archids[i]])
        assert said["best"][name] == steps, (name, said["best"][name], steps)
        assert steps[-1][2] in said["front"]
        varied = sorted(said["importance"][name])
        assert varied == ["act", "flag", "kernel", "skip", "width"]
        mine = forest(np.array([ranks(params[p][ok]) for p in varied]).T, values[ok])
        theirs = np.array([said["importance"][name][p] for p in varied])
        assert abs(theirs.sum() - 1) < 1e-9 and np.all(np.abs(mine - theirs) < 0.05), (name, dict(zip(varied, mine)), said["importance"])
        assert varied[int(np.argmax(theirs))] == varied[int(np.argmax(mine))]
    assert sum(k["count"] for k in said["failures"]) == len(archids) - len(ok) and len(said["failures"]) == 1
    assert "has no row for N" in said["failures"][0]["kind"] and 0 <= said["utilisation"] <= 1


# -- budgets: the row of the highest one stands for the model, also where it is worse --------------------------------------
def a_model_that_gets_worse():
    put("k.yaml", "k: {choice: [1, 2, 3, 4, 5, 6]}\n")
    put("worse.awk", '{ match($0, /"k": *[0-9]+/); k = substr($0, RSTART, RLENGTH); sub(/.*: */, "", k);'
                     ' match($0, /"budget": *[0-9.]+/); b = substr($0, RSTART, RLENGTH); sub(/.*: */, "", b);'
                     ' print "{\\"acc\\": " (b + 0 > 1 ? 0.1 * k : k) ", \\"latency\\": " (k == 6 ? 1 : 2 + k / 10) "}" }')
    put("b.ini", CONFIG.format(algorithm="successive_halving", n=30, tree="k.yaml", directory="b",
                               search="num_iters = 2\ninit_num_models = 6\ninit_budget = 1\nbudget_multiplier = 3",
                               evaluator="kind = command\ncommand = awk -f worse.awk"))
    run("archai-run", "b.ini", "--progress", "none") # its only schedule needs not be written
    f = h5py.File("b/results.h5")
    budget, archid = f["candidates/budget"][()], text(f["candidates/archid"])
    assert len(set(budget)) == 2
    standing = {}
    for i in np.lexsort((np.arange(len(budget)), -budget)):
        standing.setdefault(archid[i], i)
    acc, latency = f["objectives/acc"][()], f["objectives/latency"][()]
    rows = sorted(standing.values())
    front = [i for i in rows if not any(acc[j] >= acc[i] and latency[j] <= latency[i] and (acc[j] > acc[i] or latency[j] < latency[i])
                                        for j in rows)]
    assert f["pareto/index"][()].tolist() == front and any(budget[i] == budget.min() for i in front)
    assert check("b") > 100
    value = f["hypervolume/value"][()]
    assert np.any(np.diff(value) < 0), value # the best of the first rung did not hold what they promised


# -- all failed -------------------------------------------------------------------------------------------------------------
def all_failed():
    put("bad.awk", '{ match($0, /"id": *[0-9]+/); i = substr($0, RSTART, RLENGTH); sub(/.*: */, "", i); print "ValueError: bad width " i > "/dev/stderr"; exit 3 }')
    put("a.ini", CONFIG.format(algorithm="random_search", n=3, search="", tree="k.yaml", directory="a",
                               evaluator="kind = command\ncommand = awk -f bad.awk"))
    said = run("archai-run", "a.ini", "--progress", "none", code=1).stderr
    assert "all 3 candidates failed" in said and "ValueError: bad width" in said, said
    assert run("archai-inspect", "a", "state").stdout == "complete\n" and open("a/exit_code").read().strip() == "1"
    assert re.search(r"failed 3 x: .*ValueError: bad width N", run("archai-inspect", "a", "summary").stdout)
    again = run("archai-run", "a.ini", "--resume", "--progress", "none", code=1)
    assert "all 3 candidates failed" in again.stderr and open("a/exit_code").read().strip() == "1"
    assert check("a") > 0
    said = report_of("a/report.html")[1]
    assert said["failures"][0]["count"] == 3 and "bad width" in said["failures"][0]["log"]
    assert said["importance"] == {"acc": {}, "latency": {}} # nothing can be told: no zeros


# -- where files are -----------------------------------------------------------------------------------------------------
def files_beside_the_configuration():
    os.makedirs("elsewhere/home", exist_ok=True)
    put("elsewhere/beside.yaml", "k: {choice: [1, 2, 3]}\n")
    put("elsewhere/t.csv", "k,acc,latency\n1,0.9,10\n2,0.9,1\n3,0.5,0.5\n")
    put("elsewhere/c.ini", CONFIG.format(algorithm="random_search", n=3, search="", tree="beside.yaml", directory="c",
                                         evaluator="kind = table\ntable = $HOME/../t.csv"))
    env = dict(os.environ, HOME=os.path.abspath("elsewhere/home"))
    p = subprocess.run([f"{BIN}/archai-run", "elsewhere/c.ini", "--progress", "none"], capture_output=True, text=True, env=env)
    assert p.returncode == 0 and "elsewhere/beside.yaml is taken" in p.stderr, p.stderr
    assert "tree = elsewhere/beside.yaml" in open("c/config.ini").read() and os.path.isdir("c")
    assert "\"k\"" in run("archai-space", "elsewhere/c.ini", "sample").stdout
    run("archai-run", "elsewhere/c.ini", code=2) # it stands there already
    p = subprocess.run([f"{BIN}/archai-run", "elsewhere/c.ini", "--dry-run"], capture_output=True, text=True, env=env)
    assert p.returncode == 0 and "holds the results of a run" in p.stderr and "tree = elsewhere/beside.yaml" in p.stdout, p.stderr

    # ties: the best by acc is the one on the front
    best = json.loads(run("archai-inspect", "c", "summary", "--json").stdout)["best"]["acc"]
    assert best["params"] == {"k": 2} and best["value"] == 0.9, best


def several_runs():
    said = json.loads(run("archai-inspect", "t", "c", "a", "compare", "--json").stdout)
    assert [r["path"] for r in said["runs"]] == ["t", "c", "a"] and [r["failed"] for r in said["runs"]][2] == 3
    assert said["settings"]["space.tree"] == ["tree.yaml", "elsewhere/beside.yaml", "k.yaml"] and "search.seed" not in said["settings"]
    acc = h5py.File("t/results.h5")["objectives/acc"][()]
    assert said["runs"][0]["best"]["acc"] == np.nanmax(acc) and said["runs"][2]["best"]["acc"] is None
    # the hypervolume after each part of the rows, against one reference point
    rows = {name: Rows(h5py.File(f"{name}/results.h5")) for name in "tca"}
    def minimised(of, at):
        return [[of.sign[k] * of.values[k][i] for k in ("acc", "latency")] for i in at]
    everything = np.array(sum((minimised(of, of.standing_after(of.n).values()) for of in rows.values()), []))
    reference = (everything.max(0) + 0.1 * (everything.max(0) - everything.min(0))).tolist()
    for told, of in zip(said["runs"], rows.values()):
        curve = told["hypervolume_curve"]
        for s in range(24):
            n = of.n * (s + 1) // 24
            mine = hypervolume(minimised(of, of.standing_after(n).values()), reference)
            assert abs(curve["value"][s] - mine) < 1e-9 and curve["evaluations"][s] == (of.evaluation[of.order[n - 1]] if n else 0), (told["path"], s)
        assert told["hypervolume"] == curve["value"][5::6]
        steps = of.best_steps("acc")
        assert [[e, v] for e, _, v in told["best_steps"]["acc"]] == [[e, of.values["acc"][i]] for e, i, _ in steps]
        assert np.allclose([t for _, t, _ in told["best_steps"]["acc"]], [t for _, _, t in steps])
    assert said["runs"][2]["failures"] == [{"kind": said["runs"][2]["failures"][0]["kind"], "count": 3}]
    run("archai-inspect", "t", "c", "a", "compare", "-o", "compare.html")
    page = open("compare.html").read()
    assert json.loads(re.search(r'id="archai-compare">(.*?)</script>', page).group(1)) == said and not re.search(r'(src|href)="', page)
    text = run("archai-inspect", "t", "c", "compare").stdout
    assert re.search(r"best acc +1\.\d+ +0\.9\n", text) and "hypervolume" in text, text
    assert run("archai-inspect", "t", "top", "--help").stdout.startswith("usage: archai-inspect RESULTS top NAME")


def the_encoding_is_named():
    names = [n.decode() for n in h5py.File("t/results.h5")["candidates/encoding"].attrs["names"]]
    f = h5py.File("t/results.h5")
    for i, name in enumerate(names):
        parameter, _, value = name.partition("=")
        column, got = f[f"params/{parameter}"][()], f["candidates/encoding"][()][:, i]
        if value:
            want = [v.decode() == value for v in column] if column.dtype.kind == "S" else column == {"true": 1, "false": 0}[value]
            assert np.array_equal(got, np.array(want, "f4")), name
        else:
            have = ~np.isnan(column)
            assert np.array_equal(got[have], column[have].astype("f4")), name


a_table()
the_encoding_is_named()
a_model_that_gets_worse()
all_failed()
files_beside_the_configuration()
several_runs()
