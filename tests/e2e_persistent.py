"""Programs that stay (evaluator.persistent), and candidates that end early (search.prune): what crashes, hangs, talks nonsense or gives up costs its own candidate and no other,
in both schedules and with one rank; a log is its candidate's; weights and curves arrive; archai_program.py also works alone."""
import json
import os
import subprocess
import sys
import threading
import time

import h5py
import numpy as np

SOURCE, TMP, BIN = (os.environ[k] for k in ("ARCHAI_SOURCE", "ARCHAI_TMP", "ARCHAI_BIN"))

PROGRAM = """
import os, struct, sys, time
sys.path.insert(0, {examples!r})
import archai_program as archai

class Tensor:  # as NumPy's and PyTorch's; importing either takes its time
    def __init__(self, dtype, shape, data):
        self.dtype, self.shape, self.tobytes = dtype, shape, lambda: data

served = 0
def evaluate(c):
    global served
    served += 1
    print("candidate", c.id, "begins")
    for epoch in range(1, 4):
        archai.report(epoch=epoch, epochs=3, val_accuracy=c.params["x"] / 1000 * epoch / 3)
    if c.id % 8 == 1:
        os.kill(os.getpid(), 11)
    if c.id == 2 and sys.argv[1:] == ["hang"]:
        time.sleep(600)
    if c.id % 8 == 3:
        archai._out.write("Epoch 1: 50 %\\n")
        archai._out.flush()
        time.sleep(600)
    if c.id % 8 == 5:
        raise ValueError("no such layer")
    archai.save_weights({{"w": Tensor("float32", (2, 3), struct.pack("<f", c.id) * 6), "n": Tensor("torch.bool", (1,), b"\\1"),
                         "b": Tensor("int64", (), struct.pack("<q", c.id))}})
    archai.result(val_accuracy=c.params["x"] / 1000, pid=os.getpid(), served=served)

archai.for_each(evaluate)
"""

CONFIG = """
[search]
algorithm = {algorithm}
schedule = {schedule}
max_evaluations = {n}
seed = 1
{more}
[space]
name = config
tree = {tree}
[objective.accuracy]
source = val_accuracy
direction = maximize
[evaluator]
kind = command
command = "{python}" {program} {argument}
persistent = yes
timeout = {timeout}
[output]
weights = all
logs = all
report = no
"""


def write(name, text):
    path = os.path.join(TMP, name)
    with open(path, "w") as f:
        f.write(text)
    return path


PATH = write("program.py", PROGRAM.format(examples=os.path.join(SOURCE, "configs/examples")))
TREE = write("tree.yaml", "x: {range: [1, 999], step: 1}\n")


def run(name, ranks, n, argument="", timeout="none", path=PATH, **keys):
    out = os.path.join(TMP, name)
    ini = write(name + ".ini", CONFIG.format(tree=TREE, python=sys.executable, program=path, argument=argument,
                                           timeout=timeout, n=n, **keys))
    command = ["mpirun", "-n", str(ranks)] if ranks > 1 else []
    command += [os.path.join(BIN, "archai-run"), ini, "--output", out, "--progress", "none"]
    p = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert p.returncode == 0, (p.stdout, p.stderr)
    return out


def expected(i, hangs):
    if i == 2 and hangs:
        return "failed", "timeout: no result after"
    return {1: ("failed", "evaluator killed by signal 11"), 3: ("failed", "it wrote 'Epoch 1: 50 %', expected lines of JSON"),
            5: ("failed", "command: ValueError: no such layer")}.get(i % 8, ("ok", ""))


def check(out, n, hangs=False):
    with h5py.File(os.path.join(out, "results.h5"), "r") as f:
        c = {k: [v.decode() if isinstance(v, bytes) else v for v in f["candidates"][k][:]]
             for k in ("id", "status", "error", "archid", "log", "rank")}
        assert c["id"] == list(range(n)), c["id"]
        for i in range(n):
            status, text = expected(i, hangs)
            assert c["status"][i] == status and text in c["error"][i], (i, c["status"][i], c["error"][i])
            with open(os.path.join(out, c["log"][i])) as log:
                words = [line.split() for line in log.read().splitlines() if line.startswith("candidate")]
            assert words == [["candidate", str(i), "begins"]], (i, words)
            if status == "ok":
                model = f["models"][c["archid"][i]]
                assert np.all(model["w"][:] == i) and model["w"].shape == (2, 3) and model["b"][()] == i
        # A process survives what it reports itself, and nothing else.
        for rank in set(c["rank"]):
            mine = [i for i in range(n) if c["rank"][i] == rank]
            served, pid = f["metrics/served"][:], f["metrics/pid"][:]
            for a, b in zip(mine, mine[1:]):
                if c["status"][a] == c["status"][b] == "ok":
                    assert pid[a] == pid[b] and served[b] == served[a] + 1, (a, b)
            if len(mine) > 8:
                assert len(set(pid[i] for i in mine if c["status"][i] == "ok")) > 1
    return c


def each_costs_its_own_candidate():
    check(run("async", 2, 20, algorithm="random_search", schedule="async", argument="hang", timeout="3s", more=""), 20, hangs=True)
    check(run("one", 1, 6, algorithm="evolution_pareto", schedule="async", more="init_num_models = 4"), 6)
    check(run("generational", 2, 10, algorithm="evolution_pareto", schedule="generational", more="init_num_models = 8"), 10)


def it_works_alone():
    env = {k: v for k, v in os.environ.items() if not k.startswith("ARCHAI_")}
    p = subprocess.run([sys.executable, PATH, '{"x": 500}', '{"x": 250}'], capture_output=True, text=True, env=env)
    lines = [json.loads(line) for line in p.stdout.splitlines()]
    assert p.returncode < 0 and lines[3]["result"]["val_accuracy"] == 0.5, (p.returncode, lines)  # number 1 crashes
    assert "candidate 0 begins" in p.stderr
    sample = subprocess.run([os.path.join(BIN, "archai-space"), os.path.join(TMP, "one.ini"), "sample"], capture_output=True)
    p = subprocess.run([sys.executable, PATH], input=sample.stdout, capture_output=True, env=env)
    x = json.loads(sample.stdout)["arch"]["x"]
    assert json.loads(p.stdout.splitlines()[-1])["result"]["val_accuracy"] == x / 1000, p


LEARNER = """
import os, sys, time
sys.path.insert(0, {examples!r})
import archai_program as archai

for c in archai.candidates():
    with open({begun!r}, "a") as f:
        f.write(f"{{c.id}}\\n")
    for epoch in range(1, 11):
        time.sleep(0.01)
        archai.report(epoch=epoch, epochs=10, val_accuracy=c.params["x"] / 1000 * epoch / 10)
        while c.id == 0 and epoch == 4 and not os.path.exists({go!r}):
            time.sleep(0.01)
        if archai.should_stop():
            break
"""


def look_at_it(out, go):
    """Candidate 0 stays at epoch 4 until it was seen there."""
    while not os.path.exists(os.path.join(out, "results.h5")):
        time.sleep(0.01)
    watch = subprocess.Popen([os.path.join(BIN, "archai-inspect"), out, "watch"], stdout=subprocess.PIPE, text=True)
    for line in watch.stdout:
        if "epoch 4 of 10" in line and "val_accuracy" in line:
            assert line.split()[0] == "0", line
            with open(go, "w"):
                break
    else:
        raise AssertionError("watch ended and has not shown it")
    with watch.stdout:
        watch.stdout.read()
    assert watch.wait() == 0


def those_that_fall_behind_end_early():
    """By what they report, also against those of an earlier start, and none of them comes again."""
    begun, go = (os.path.join(TMP, name) for name in ("begun", "go"))
    program = write("learner.py", LEARNER.format(examples=os.path.join(SOURCE, "configs/examples"), begun=begun, go=go))
    more = "prune = median\nn_startup_trials = 3\nn_warmup_steps = 2"
    looker = threading.Thread(target=look_at_it, args=(os.path.join(TMP, "pruned"), go))
    looker.start()
    out = run("pruned", 2, 12, algorithm="random_search", schedule="async", more=more, path=program)
    looker.join()
    assert os.path.exists(go)
    resume = [os.path.join(BIN, "archai-run"), os.path.join(TMP, "pruned.ini"), "--output", out, "--progress", "none", "--resume",
              "--set", "search.max_evaluations=18"]
    subprocess.run(resume, check=True, capture_output=True, timeout=300)
    with open(begun) as f:
        assert sorted(map(int, f)) == list(range(18))
    with h5py.File(os.path.join(out, "results.h5"), "r") as f:
        status = [v.decode() for v in f["candidates/status"][:]]
        curve, value = f["curves/val_accuracy"][:], f["objectives/accuracy"][:]
        assert curve.shape == (18, 10) and set(status) == {"ok", "pruned"}, status
        for i in range(18):
            n = np.count_nonzero(~np.isnan(curve[i]))
            assert n == 10 if status[i] == "ok" else 2 <= n < 10, (i, status[i], curve[i])
            assert abs(value[i] - curve[i][n - 1]) < 1e-6
        best = max(range(18), key=lambda i: curve[i][1])
        assert status[best] == "ok" and list(f["pareto/index"][:]) == [best]
        assert "pruned" in status[12:]
    assert not os.path.exists(os.path.join(out, "running.json"))
    said = subprocess.run([os.path.join(BIN, "archai-inspect"), out, "summary"], capture_output=True, text=True).stdout
    assert f"{status.count('pruned')} pruned" in said, said


def it_is_refused_where_nothing_is_reported():
    command = [os.path.join(BIN, "archai-run"), os.path.join(TMP, "pruned.ini"), "--output", os.path.join(TMP, "refused"),
               "--set", "evaluator.persistent=no"]
    p = subprocess.run(command, capture_output=True, text=True)
    assert p.returncode == 2 and "search.prune: evaluator.kind = command says nothing while a candidate trains" in p.stderr, p


each_costs_its_own_candidate()
it_works_alone()
those_that_fall_behind_end_early()
it_is_refused_where_nothing_is_reported()
