"""mo_bananas with its real surrogate, in processes of their own: the same candidates for any number of ranks and of starts; async
goes on from its history, and survives the death of the surrogate's process."""
import os
import signal
import subprocess
import time

import h5py

from processes import marked

MARK = f"ARCHAI_BANANAS={os.getpid()}"
DATA = os.path.join(os.environ["ARCHAI_SOURCE"], "tests", "data")
CONFIG = f"""[search]
algorithm = mo_bananas
num_iters = 4
[space]
name = cnn
[objective.accuracy]
direction = maximize
[objective.params]
direction = minimize
[evaluator]
kind = table
table = {DATA}/cnn_table.csv
delay = lognormal 3ms 1
[output]
weights = none
report = no
"""


def command(ranks, name, *arguments):
    run = ["archai-run", "b.ini", "--output", name, "--progress", "none", *arguments]
    return ["mpirun", "-n", str(ranks), *run] if ranks > 1 else run


def start(ranks, name, *arguments):
    p = subprocess.run(command(ranks, name, *arguments), capture_output=True, text=True, timeout=240)
    assert p.returncode in (0, 75), p.stderr
    return p.returncode


def rows(name):
    with h5py.File(f"{name}/results.h5", "r") as f:
        c = f["candidates"]
        return [(int(g), a.decode(), s.decode(), m.decode())
                for g, a, s, m in zip(c["generation"][()], c["archid"][()], c["status"][()], c["metadata"][()])]


def main():
    with open("b.ini", "w") as f:
        f.write(CONFIG)
    generational = ["--set", "search.schedule=generational"]
    for ranks in (1, 2, 4):
        assert start(ranks, f"g{ranks}", *generational) == 0
    starts = 1
    while start(2, "again", *generational, "--resume", "--set", "search.max_time=2s") == 75 and starts < 3:
        starts += 1
    assert start(1, "again", *generational, "--resume") == 0
    first = rows("g1")
    assert len(first) > 30 and "predicted_accuracy_mean" in first[-1][3], first[-1]
    for other in ("g2", "g4", "again"):
        assert rows(other) == first, f"g1 and {other} differ"

    asynchronous = ["--set", "evaluator.delay=200ms"]
    assert start(2, "a", *asynchronous, "--set", "search.max_evaluations=40") == 0
    assert start(2, "a", *asynchronous, "--resume", "--set", "search.max_evaluations=60") == 0
    archids = [r[1] for r in rows("a")]
    assert len(archids) == len(set(archids)) == 60
    assert sum("predicted_accuracy_mean" in r[3] for r in rows("a")) > 0

    p = subprocess.Popen(command(1, "killed", *asynchronous, "--set", "search.max_evaluations=40"), stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True, env=dict(os.environ, ARCHAI_BANANAS=str(os.getpid())))
    killed = 0
    while p.poll() is None and killed < 1:
        time.sleep(0.2)
        for pid in [pid for pid, name in marked(MARK) if name.startswith("archai-evaluato")]:
            os.kill(pid, signal.SIGKILL)
            killed += 1
    _, words = p.communicate(timeout=240)
    assert p.returncode == 0 and killed > 0, words
    assert sum("predicted_accuracy_mean" in r[3] for r in rows("killed")) > 0


main()
