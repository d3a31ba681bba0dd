"""train.test: `all` measures every model on the test data; `front` those of the front, from their stored weights, when the
search is over, and finds the same numbers, bit for bit; `none` no model. A run that is killed in the middle of it is not
complete: --resume measures what is missing, nothing else, and an index that is made again has the numbers."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import h5py
import numpy as np

from check_results import faults_of
from processes import marked

EVALUATIONS = 6
MARK = f"ARCHAI_TEST_FRONT={os.getpid()}"
CONFIG = """
[search]
algorithm = random_search
max_evaluations = 6
seed = 4
[space]
name = cnn
min_layers = 1
max_layers = 3
kernel_list = 1 3
hidden_list = 4 8 12
[data]
format = hdf5
file = data.h5
normalize = auto
[train]
epochs = 1
batch_size = 32
learning_rate = 1e-2
ema = 0.5
[objective.accuracy]
source = val_accuracy
direction = maximize
[objective.params]
direction = minimize
[evaluator]
device = cpu
threads = 1
[output]
report = no
"""
pathlib.Path("c.ini").write_text(CONFIG)
random = np.random.default_rng(1)
with h5py.File("data.h5", "w") as f:
    f.attrs["num_classes"] = 10
    for split, n in (("train", 320), ("val", 100), ("test", 12000)):
        labels = random.integers(0, 10, n).astype(np.uint8)
        pictures = random.integers(0, 160, (n, 3, 16, 16)).astype(np.uint8)
        pictures[np.arange(n), 0, labels, :] += 90  # a line tells the class
        f[f"{split}/images"], f[f"{split}/labels"] = pictures, labels


def command(name, *more):
    return ["mpirun", "-n", "2", "archai-run", "c.ini", "--output", name, "--progress", "none", *more]


def run(name, *more, code=0):
    r = subprocess.run(command(name, *more), capture_output=True, text=True, timeout=300)
    assert r.returncode == code, (name, r.returncode, r.stderr)
    return r.stderr


def table(name, state="complete"):
    """{archid: {measure: value}} and the archids of the front."""
    faults = faults_of(f"{name}/results.h5", state=state)
    assert not faults, faults
    with h5py.File(f"{name}/results.h5", "r") as f:
        archids = f["candidates/archid"].asstr()[()]
        columns = {k: f[f"metrics/{k}"][()] for k in f["metrics"]}
        columns["accuracy"] = f["objectives/accuracy"][()]
        front = set(archids[f["pareto/index"][()]])
    return {a: {k: v[i] for k, v in columns.items()} for i, a in enumerate(archids)}, front


def rows(name):
    """How many rows the segments have for each id."""
    count = {}
    for path in pathlib.Path(name).glob("segment-*.h5"):
        with h5py.File(path, "r") as f:
            r = f["rows"][()]
        for i in r["id"][r["finished"] != 0]:
            count[int(i)] = count.get(int(i), 0) + 1
    return count


def same(a, b):
    return a == b or (np.isnan(a) and np.isnan(b))


def assert_tested(name, want):
    """Those of the front have the test measures that the run `all` has, the others none."""
    got, front = table(name)
    assert 2 <= len(front) < EVALUATIONS, front
    assert set(got) == set(want)
    for archid, measures in got.items():
        assert measures["accuracy"] == want[archid]["accuracy"], archid
        for k in ("test_loss", "test_accuracy", "test_top5"):
            assert same(measures[k], want[archid][k] if archid in front else np.nan), (archid, k, measures[k], want[archid][k])
    subprocess.run(["archai-inspect", name, "verify"], check=True, stdout=subprocess.DEVNULL)
    return front


run("all")
want, front = table("all")
assert all(np.isfinite(m["test_loss"]) for m in want.values()), want

# What normalize = auto took stands in results.h5: that of the training pictures.
with h5py.File("all/results.h5") as f, h5py.File("data.h5") as d:
    used = json.loads(f.attrs["data"])["normalize"]
    pictures = d["train/images"][()][f["split/train"][()]] / 255
    assert np.allclose(used["mean"], pictures.mean((0, 2, 3)), rtol=1e-12), used
    assert np.allclose(used["std"], pictures.std((0, 2, 3)), rtol=1e-12), used

run("front", "--set", "train.test=front")
assert assert_tested("front", want) == front
print(f"{len(front)} of {len(want)} on the front: the same measures on the test data")

run("none", "--set", "train.test=none")
got, _ = table("none")
assert not any(k.startswith("test_") for m in got.values() for k in m), got

# Killed between two tests.
victim = subprocess.Popen(command("killed", "--set", "train.test=front"), start_new_session=True, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, env=dict(os.environ, ARCHAI_TEST_FRONT=str(os.getpid())))
deadline = time.time() + 120
while sum(rows("killed").values()) <= EVALUATIONS and victim.poll() is None and time.time() < deadline:
    time.sleep(0.002)
for pid, _ in marked(MARK):
    with contextlib.suppress(ProcessLookupError):  # the guard ends its own as soon as it is alone
        os.kill(pid, signal.SIGKILL)
victim.wait()
before = rows("killed")
tested = sum(before.values()) - EVALUATIONS
assert len(before) == EVALUATIONS and tested >= 1, before
if tested < len(front):
    faults = faults_of("killed/results.h5", state="running")
    assert not faults, faults
else:
    print("the kill came too late")
run("killed", "--resume", "--set", "train.test=front")
assert assert_tested("killed", want) == front
after = rows("killed")
assert sum(after.values()) == EVALUATIONS + len(front) and max(after.values()) == 2, (before, after)
print(f"killed after {tested} of {len(front)}: --resume measured the other {len(front) - tested}")

# An index that is made again, and a run whose test was asked for later.
os.remove("killed/results.h5")
run("killed", "--resume", "--set", "train.test=front")
assert_tested("killed", want)
assert rows("killed") == after
run("none", "--resume", "--set", "train.test=front")
assert_tested("none", want)


def dry(*sets):
    return subprocess.run(["archai-run", "c.ini", "--dry-run", *[x for s in sets for x in ("--set", s)]], capture_output=True, text=True)


def refused(words, *sets):
    r = dry(*sets)
    assert r.returncode == 2 and len(r.stderr.splitlines()) == 1 and words in r.stderr, (words, r.returncode, r.stderr)


refused("train.test: front needs the weights of the front", "train.test=front", "output.weights=none")
refused("train.test: front needs the weights of the front", "train.test=front", "output.weights=best")
refused("objective.accuracy.source: test_accuracy is measured on the test data", "objective.accuracy.source=test_accuracy")
refused("objective.limit.source: test_loss is measured", "objective.limit.source=test_loss", "objective.limit.direction=none",
        "objective.limit.constraint=0 9")
refused("expected train.test = all", "objective.accuracy.source=test_accuracy", "search.allow_test_objective=yes", "train.test=front")
refused("evaluator.kind = null does not measure stored weights", "evaluator.kind=null", "train.test=front")
refused("train.test: front: the data have no test split", "train.test=front", "data.format=synthetic")
assert dry("objective.accuracy.source=test_accuracy", "search.allow_test_objective=yes").returncode == 0

# Results that an earlier version left with such an objective are resumed.
run("earlier", "--set", "objective.accuracy.source=test_accuracy", "--set", "search.allow_test_objective=yes", "--set",
    "search.max_evaluations=1")
run("earlier", "--resume", "--set", "objective.accuracy.source=test_accuracy", "--set", "search.max_evaluations=2")
