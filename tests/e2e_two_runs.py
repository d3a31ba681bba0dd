"""Two runs that wrote to one directory at the same time, each taking the other for dead: --resume, also of a complete search, and
verify --repair make one consistent index of both, with the rules of io/results/reconcile.h, recomputed here from the segments.
"""
import json
import os
import shutil
import subprocess
import sys
import time

import h5py

from check_results import faults_of
from segments import evaluations

RUN, INSPECT = (os.path.join(os.environ["ARCHAI_BIN"], name) for name in ("archai-run", "archai-inspect"))
CONFIG = """[search]
algorithm = {algorithm}
{budget}
seed = 1
[space]
name = cnn
max_layers = {layers}
kernel_list = 1 3
hidden_list = 8 16
[objective.acc]
direction = maximize
[evaluator]
{evaluator}
[run]
heartbeat = 60s
lost_after = 300s
[output]
weights = all
report = no
"""
# weights that tell whose they are: the number of the process
PROGRAM = """import json, os, struct, sys, time
time.sleep(NAP)
c = json.loads(sys.stdin.readline())
data = struct.pack("<2f", c["id"], os.getpid())
head = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
open(os.environ["ARCHAI_WEIGHTS"], "wb").write(struct.pack("<Q", len(head)) + head + data)
print(json.dumps({"acc": (c["id"] * 7 % 11) / 11 if "same" in sys.argv else os.getpid() % 97 / 97}))
"""


def run(*command, code=0):
    p = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=240)
    assert p.returncode == code, (command, p.returncode, p.stdout[-500:], p.stderr)
    return p.stdout + p.stderr


def start(out, *more):
    return subprocess.Popen([RUN, "run.ini", "--output", out, "--progress", "none", *more], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def accident(out, **config):
    """B does not see that A is alive: A's `owner` was taken away. Neither looks at it again while it runs: a heartbeat is far away."""
    with open("run.ini", "w") as f:
        f.write(CONFIG.format(**config))
    for nap in 0.2, 1, 3:  # A must still be at work when B begins, however slow the machine is
        with open("ev.py", "w") as f:
            f.write(PROGRAM.replace("NAP", str(nap)))
        shutil.rmtree(out, ignore_errors=True)
        if both(out):
            return
    raise AssertionError("no accident")


def both(out):
    a = start(out)
    while not os.path.exists(f"{out}/segment-0-0.h5") or len(evaluations(out)) < 4:
        assert a.poll() is None, a.stderr.read()
        time.sleep(0.02)
    os.unlink(f"{out}/owner")
    b = start(out, "--resume")
    for p in a, b:
        said = p.communicate(timeout=240)[1]
        assert p.returncode == 0, said
    return {name.split("-")[1] for name in os.listdir(out) if name.startswith("segment-")} == {"0", "1"}


def rows_of(out):
    with h5py.File(f"{out}/results.h5") as f:
        weights = {a: f[f"models/{a}/w"][()].tolist() for a in f["models"]}
        return list(zip(f["candidates/id"][()].tolist(), f["candidates/archid"].asstr()[()], f["objectives/acc"][()].tolist())), weights


def measured(row):
    return next(m["value"] for m in row["measures"] if m["name"] == "acc") if isinstance(row["measures"], list) else row["measures"]["acc"]


def check(out):
    assert not faults_of(f"{out}/results.h5"), faults_of(f"{out}/results.h5")
    run(INSPECT, out, "verify")
    return rows_of(out)


tree = {"layers": 100, "algorithm": "random_search", "evaluator": f"kind = command\ncommand = {sys.executable} ev.py"}
accident("async", budget="max_evaluations = 24", **tree)
shutil.copytree("async", "copy")
said = run(RUN, "run.ini", "--output", "async", "--resume", "--progress", "none")  # it is complete
assert "is complete" in said and "written again from the segments" in said, said
rows, weights = check("async")
# independently: every evaluation of both once, the first one's values and weights, those of B under their ids
first, of_b = {}, {}
for r in evaluations("async"):
    if r["archid"] not in first or r["finished"] < first[r["archid"]]["finished"]:
        first[r["archid"]] = r
    if r["start"] == 1:
        of_b[r["id"]] = r["archid"]
assert sorted(a for _, a, _ in rows) == sorted(first), (len(rows), len(first))
assert all(abs(value - measured(first[a])) < 1e-12 for _, a, value in rows)
assert all(weights[a][0] == first[a]["id"] for a in first)
assert sum(of_b.get(i) == a for i, a, _ in rows) == sum(1 for a in of_b.values() if first[a]["start"] == 1)
# the tool does the same, and both stay as they are
said = run(INSPECT, "copy", "verify", "--repair")
assert "two runs wrote here at the same time" in said, said
assert check("copy") == (rows, weights)
assert "nothing to repair" in run(INSPECT, "copy", "repair")
before = {a: i for i, a, _ in rows}
run(RUN, "run.ini", "--output", "async", "--resume", "--progress", "none", "--set", f"search.max_evaluations={len(rows) + 3}")
rows, _ = check("async")
assert len(rows) == len(before) + 3 and all(before.get(a, i) == i for i, a, _ in rows), "ids changed"

# a generational search proposes the same in both runs: what they share counts once, what it repeats stays
accident("generations", budget="schedule = generational\nnum_iters = 4\ninit_num_models = 6\nnum_random_mix = 4\nmax_unseen_population = 6",
         layers=5, algorithm="evolution_pareto", evaluator=f"kind = command\ncommand = {sys.executable} ev.py same")
run(INSPECT, "generations", "verify", "--repair")
rows, _ = check("generations")
ids = {r["id"] for r in evaluations("generations")}
assert [i for i, _, _ in rows] == sorted(ids)
run(RUN, "run.ini", "--output", "generations", "--resume", "--progress", "none", "--set", "search.num_iters=5")
check("generations")
print("ok")
