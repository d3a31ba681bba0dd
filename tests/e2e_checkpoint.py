#!/usr/bin/python3
"""An interrupted training goes on from its last epoch and ends where an uninterrupted one ends: the same weights and
measures, bit for bit, with a checkpoint left on request (SIGUSR1 to mpirun, SIGTERM to one rank), after kill -9 of everything, and
after the loss of the one rank that trained it, on another rank of the same run.
A damaged checkpoint costs the head start alone."""
import os
import pathlib
import signal
import subprocess
import sys
import time

import h5py
import numpy

EPOCHS = 6
CONFIG = """
[search]
algorithm = random_search
schedule = {schedule}
num_iters = 1
samples_per_iter = 3
max_evaluations = 3
seed = 3
[run]
coordinator_evaluates = no
grace = 120s
heartbeat = 500ms
lost_after = 5s
[space]
{space}
[data]
samples = 1200
[train]
epochs = 6
batch_size = 50
optimizer = {optimizer}
learning_rate = 1e-2
checkpoint = epoch
checkpoint_pause = 0s
{recipe}
[objective.accuracy]
source = val_accuracy
direction = maximize
[evaluator]
device = cpu
threads = 1
[output]
weights = all
report = no
"""


# What a training keeps besides its weights.
RECIPES = {"lion": "ema = 0.9\nkeep = best\nwarmup = 0.2\nclip_grad_norm = 1\nlabel_smoothing = 0.1\n",
           "rmsprop": "learning_rate_schedule = one_cycle\n"}
CNN = "name = cnn\nmin_layers = 2\nmax_layers = 3\nkernel_list = 3\nhidden_list = 8 12"
# What draws in training draws the same after a pause.
TREE = """
parameters: {width: {choice: [6, 8, 10, 12]}, depth: {choice: [2, 3]}}
network:
  - for: depth
    do:
      residual: [{Conv2d: {out_channels: width, kernel_size: 3, padding: same}}, BatchNorm2d, ReLU, {Dropout2d: 0.1}, {StochasticDepth: 0.2}]
  - mean: [2, 3]
  - Dropout: 0.3
  - Linear: classes
"""
SPACES = {"rmsprop": "name = config\ntree = tree.yaml"}
pathlib.Path("tree.yaml").write_text(TREE)


def start(name, optimizer, schedule="async", resume=False, options=()):
    config = pathlib.Path(f"{optimizer}-{schedule}.ini")
    config.write_text(CONFIG.format(optimizer=optimizer, schedule=schedule, recipe=RECIPES.get(optimizer, ""),
                                    space=SPACES.get(optimizer, CNN)))
    command = ["mpirun", *options, "-n", "2" if resume else "3", "archai-run", str(config), "--output", name, "--progress", "none"]
    return subprocess.Popen(command + ["--resume"] * resume, start_new_session=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def end(process, name, code):
    said = process.communicate(timeout=300)[0]
    found = pathlib.Path(name, "exit_code")
    if not found.exists() or int(found.read_text()) != code:
        sys.exit(f"{name}: exit code {found.read_text() if found.exists() else 'absent'}, expected {code}\n{said}")


def checkpoints(name):
    return sorted(pathlib.Path(name).glob("checkpoint-*.safetensors"))


def wait_for_checkpoint(process, name, which=None):
    """Until a training (of this candidate) is past its second epoch (its first checkpoint is replaced)."""
    seen = {}
    deadline = time.time() + 120
    while time.time() < deadline:
        for path in checkpoints(name):
            try:
                seen.setdefault(path, set()).add(path.stat().st_ino)
            except FileNotFoundError:
                continue
            if len(seen[path]) >= 2 and which in (None, int(path.stem.split("-")[1])):
                return
        if process.poll() is not None:
            sys.exit(f"{name}: ended too early: {process.communicate()[0]}")
        time.sleep(0.005)
    sys.exit(f"{name}: no checkpoint")


def ranks_of(process):
    return [int(pid) for pid in subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()]


def kill_all(process, name):
    """SIGKILL to mpirun, its ranks and, by their guards, all that runs below them."""
    ranks = ranks_of(process)
    os.kill(process.pid, signal.SIGKILL)
    for rank in ranks:
        try:
            os.kill(rank, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.communicate()
    time.sleep(0.5)


def contents(name):
    """By archid: all measures but times, all curves, all weights; and the ranks."""
    with h5py.File(f"{name}/results.h5") as f:
        result, ranks = {}, {}
        for i, archid in enumerate(f["candidates/archid"].asstr()[()]):
            if f["candidates/status"].asstr()[i] == "cached":
                continue
            assert f["candidates/status"].asstr()[i] == "ok", f["candidates/error"].asstr()[i]
            row = {"id": f["candidates/id"][i], "accuracy": f["objectives/accuracy"][i]}
            row.update({m: v[i] for m, v in f["metrics"].items() if not m.endswith("seconds")})
            row.update({f"curve {c}": v[i] for c, v in f["curves"].items()})
            row.update({f"weight {w}": v[()] for w, v in f["models"][archid].items()})
            assert sum(w.startswith("weight ") for w in row) > 10
            assert all(numpy.isfinite(v).all() for v in row.values())
            assert row["curve val_loss"].shape == (EPOCHS,)
            result[archid], ranks[archid] = row, f["candidates/rank"][i]
        return result, ranks


def same(a, b, what):
    assert a.keys() == b.keys(), f"{what}: {sorted(a)} and {sorted(b)}"
    for archid in a:
        assert a[archid].keys() == b[archid].keys(), what
        for key in a[archid]:
            x, y = numpy.asarray(a[archid][key]), numpy.asarray(b[archid][key])
            assert x.dtype == y.dtype and x.tobytes() == y.tobytes(), f"{what}: {archid}: {key} differs"


def log(name):
    return pathlib.Path(name, "run.log").read_text()


def resumed(name):
    return [line for line in log(name).splitlines() if "continues after epoch" in line]


def story(optimizer, schedule, how):
    whole = f"whole-{optimizer}-{schedule}"
    if not pathlib.Path(whole).exists():
        end(start(whole, optimizer, schedule), whole, 0)
        assert not checkpoints(whole) and not resumed(whole)
    name = f"{how}-{optimizer}-{schedule}"
    process = start(name, optimizer, schedule)
    wait_for_checkpoint(process, name)
    if how == "killed":
        kill_all(process, name)
    else:
        if how == "terminated":
            os.kill(ranks_of(process)[-1], signal.SIGTERM)
        else:
            process.send_signal(signal.SIGUSR1)
        end(process, name, 75)
    left = checkpoints(name)
    assert left, f"{name}: no checkpoint was left"
    if how == "damaged":
        for path in left:
            raw = bytearray(path.read_bytes())
            raw[len(raw) // 2] ^= 1
            path.write_bytes(raw)
    end(start(name, optimizer, schedule, resume=True), name, 0)
    if how == "damaged":
        assert "damaged" in log(name) and not resumed(name), log(name)
    else:
        assert resumed(name), log(name)
    assert not checkpoints(name)
    (a, before), (b, after) = contents(whole), contents(name)
    if schedule == "async": # what had not begun is drawn anew
        going_on = {int(line.split("candidate ")[1].split(":")[0]) for line in resumed(name)}
        assert going_on <= {row["id"] for archid, row in b.items() if archid in a}, name
        a, b = ({k: v for k, v in one.items() if k in a and k in b} for one in (a, b))
    same(a, b, name)
    print(f"{name}: {len(a)} models the same bit for bit; ranks {[int(r) for r in before.values()]} and "
          f"{[int(r) for r in after.values()]}; " + "; ".join(line.split(": ", 1)[-1] for line in resumed(name)))


def rank_lost(optimizer):
    """The rank that trains candidate 0 is killed; the search goes on, and another rank goes on with that training."""
    name = f"lost-{optimizer}-async"
    # both workers have one candidate each then, the first the first
    process = start(name, optimizer, options=["--enable-recovery"])
    wait_for_checkpoint(process, name, which=0)
    ranks = subprocess.run(["pgrep", "-x", "archai-run", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    os.kill(sorted(map(int, ranks))[1], signal.SIGKILL)
    end(process, name, 0)
    assert "candidate 0 goes to another worker" in log(name), log(name)
    assert any("candidate 0: continues after epoch" in line for line in resumed(name)), log(name)
    assert not checkpoints(name)
    (a, before), (b, after) = contents(f"whole-{optimizer}-async"), contents(name)
    same(a, b, name)
    print(f"{name}: {len(a)} models the same bit for bit; ranks {[int(r) for r in before.values()]} and "
          f"{[int(r) for r in after.values()]}; " + "; ".join(line.split(": ", 1)[-1] for line in resumed(name)))


def main():
    story("adam", "async", "terminated")
    story("adamw", "async", "killed")
    rank_lost("adamw")
    story("sgd", "generational", "stopped")
    story("sgd", "generational", "damaged")
    story("lion", "generational", "stopped")
    story("rmsprop", "generational", "killed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
