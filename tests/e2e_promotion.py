#!/usr/bin/python3
"""A promoted model goes on from its stored weights, on whichever rank and in whichever start, and ends bit for bit where a
training without interruption ends: the same weights, curves and measures. So does one whose stored weights are damaged: it
begins again. /models shows nothing of what is stored for going on. By generations everything is the same for any number of
ranks."""
import math
import pathlib
import signal
import subprocess
import sys
import time

import h5py
import numpy

from check_results import faults_of

SPACE = """
[space]
name = cnn
min_layers = 1
max_layers = 3
kernel_list = 1 3
hidden_list = 6 8 10 12 14 16 18
[data]
samples = 300
[train]
batch_size = 50
optimizer = {optimizer}
learning_rate = 1e-2
[objective.loss]
source = val_loss
direction = minimize
[evaluator]
device = cpu
threads = 1
[output]
weights = {weights}
report = no
"""
HALVING = """
[search]
algorithm = successive_halving
schedule = generational
init_num_models = 9
init_budget = {budget}
budget_multiplier = 3
num_iters = {rounds}
seed = 3
"""
ASHA = """
[search]
algorithm = asha
init_budget = {budget}
max_budget = 9
seed = 3
max_evaluations = {evaluations}
"""


def run(name, ranks, config, *arguments, code=0, whole=True, meanwhile=None):
    path = pathlib.Path(f"{name}.ini")
    path.write_text(config)
    command = ["mpirun", "-n", str(ranks), "archai-run", str(path), "--output", name, "--progress", "none", *arguments]
    p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if meanwhile is not None:
        meanwhile(p)
    said = p.communicate(timeout=300)[0]
    found = pathlib.Path(name, "exit_code")
    if not found.exists() or int(found.read_text()) != code:
        sys.exit(f"{name}: {found.read_text() if found.exists() else 'no exit code'}, expected {code}\n{said}")
    p = subprocess.run(["archai-inspect", name, "verify"], capture_output=True, text=True)
    assert (p.returncode == 0) == whole, p.stdout + p.stderr


def rows(name):
    """(archid, budget) -> all that does not depend on time and place, and id, rank, operator."""
    with h5py.File(f"{name}/results.h5") as f:
        result, c = {}, f["candidates"]
        for i, (archid, budget) in enumerate(zip(c["archid"].asstr()[()], c["budget"][()])):
            if c["status"].asstr()[i] == "cached":
                continue
            assert c["status"].asstr()[i] == "ok", c["error"].asstr()[i]
            values = {m: v[i] for m, v in f["metrics"].items() if m not in ("train_seconds", "epochs_before")}
            values["loss"] = f["objectives/loss"][i]
            for curve, v in f["curves"].items():
                assert numpy.isfinite(v[i][:int(budget)]).all() and numpy.isnan(v[i][int(budget):]).all()
                values[f"curve {curve}"] = v[i][:int(budget)]
            if archid in f["models"] and f["models"][archid].attrs["id"] == c["id"][i]:
                names = list(f["models"][archid])
                assert len(names) >= 9 and not any(n.startswith("archai") for n in names), names
                values.update({f"weight {w}": v[()] for w, v in f["models"][archid].items()})
            result[archid, budget] = {"values": values, "id": int(c["id"][i]), "rank": int(c["rank"][i]),
                                      "operator": c["operator"].asstr()[i], "before": f["metrics/epochs_before"][i],
                                      "seconds": c["seconds"][i], "train_seconds": f["metrics/train_seconds"][i]}
        return result


def assert_same(a, b, what):
    assert a["values"].keys() == b["values"].keys(), (what, a["values"].keys() ^ b["values"].keys())
    for key, x in a["values"].items():
        x, y = numpy.asarray(x), numpy.asarray(b["values"][key])
        assert x.dtype == y.dtype and x.tobytes() == y.tobytes(), f"{what}: {key} differs"


def assert_all_same(a, b, what):
    assert a.keys() == b.keys(), (what, a.keys() ^ b.keys())
    for key in a:
        assert_same(a[key], b[key], f"{what}: {key}")


def went_on(name):
    return pathlib.Path(name, "run.log").read_text().count("continues after epoch")


def number(path):
    return int(path.name.split("-")[1].split(".")[0])


def interrupt(process, name, first):
    """SIGUSR1 once a candidate from `first` on has left a checkpoint."""
    deadline = time.time() + 120
    while time.time() < deadline and process.poll() is None:
        if any(number(path) >= first for path in pathlib.Path(name).glob("checkpoint-*.safetensors")):
            process.send_signal(signal.SIGUSR1)
            return
        time.sleep(0.005)


def damage_weights(name):
    """One bit of every stored number, in place, at the offsets that HDF5 names."""
    for path in pathlib.Path(name).glob("segment-*.h5"):
        with h5py.File(path) as f:
            pool = f["pool/float32"]
            at, values = pool.id.get_offset(), pool[()].view("<u4")
        used = numpy.flatnonzero(values)
        with open(path, "r+b") as f:
            for i in used[:: max(1, len(used) // 2000)]:
                f.seek(at + 4 * int(i))
                f.write(int(values[i] ^ 1).to_bytes(4, "little"))


def halving(optimizer):
    space = SPACE.format(optimizer=optimizer, weights="all")
    search = HALVING.format(budget=1, rounds=3)
    # nine epochs without a break, of every model of the first round
    run("whole", 3, HALVING.format(budget=9, rounds=1) + space)
    whole = rows("whole")
    first = ["--set", f"search.max_evaluations={len(whole)}"] # the first round, and a clean end
    # three ranks, interrupted in the last rung, and two
    checkpoints = ["--set", "train.checkpoint=epoch", "--set", "train.checkpoint_pause=0s"]
    run("three", 3, search + space, *checkpoints, code=75, meanwhile=lambda p: interrupt(p, "three", len(whole) + 3))
    assert any(number(path) >= len(whole) + 3 for path in pathlib.Path("three").glob("checkpoint-*"))
    run("three", 2, search + space, *checkpoints, "--resume")
    three = rows("three")
    assert went_on("three") > sum(r["operator"] == "promotion" for r in three.values()) >= 3
    # first by rank 1 alone; then, after --resume, by rank 0 alone
    run("two", 2, search + space, "--set", "run.coordinator_evaluates=no", *first)
    assert {r["rank"] for r in rows("two").values()} == {1}
    subprocess.run(["cp", "-r", "two", "damaged"], check=True)
    run("two", 1, search + space, "--resume")
    two = rows("two")
    promoted = {k: r for k, r in two.items() if r["operator"] == "promotion"}
    assert {b for a, b in promoted} == {3, 9} and {r["rank"] for r in promoted.values()} == {0}
    for (archid, budget), r in promoted.items():
        before = two[archid, budget / 3]
        assert r["before"] == budget / 3 and r["train_seconds"] > before["train_seconds"]
        for curve in ("val_loss", "train_loss", "learning_rate"):
            assert r["values"][f"curve {curve}"][: int(r["before"])].tobytes() == before["values"][f"curve {curve}"].tobytes()
        steps = 6 # 270 pictures to train on, in batches of 50
        expected = [1e-2 * 0.5 * (1 + math.cos(math.pi * (k * steps - 1) / (9 * steps))) for k in range(1, int(budget) + 1)]
        assert numpy.allclose(r["values"]["curve learning_rate"], expected, rtol=1e-5, atol=1e-9)
    faults = faults_of("two/results.h5", state="complete", weights="all")
    assert not faults, faults
    best = [k for k in two if k[1] == 9]
    assert best
    for key in best:
        assert sum(v.startswith("weight ") for v in two[key]["values"]) >= 9
        assert two[key]["id"] != whole[key]["id"]
        assert_same(two[key], whole[key], f"{optimizer}: {key} in three rungs and in one go")
    assert_all_same(three, two, "three ranks and two starts")
    # what was stored is damaged: trained again from the first epoch, to the same end
    damage_weights("damaged")
    run("damaged", 2, search + space, "--resume", "--set", "output.weights=none", whole=False)
    damaged, log = rows("damaged"), pathlib.Path("damaged", "run.log").read_text()
    assert "does not have its checksum" in log and "is trained from its first epoch" in log, log
    for key, r in damaged.items():
        assert r["before"] == (0 if key[1] == 3 else promoted[key]["before"] if key[1] == 9 else 0)
        r["values"].update({k: v for k, v in two[key]["values"].items() if k.startswith("weight ")})
    assert_all_same(damaged, two, "damaged")
    with h5py.File("damaged/results.h5") as f:
        assert not list(f["models"])
    print(f"{optimizer}: " + ", ".join(f"{a} in {int(b)} epochs" for a, b in promoted))


def asha():
    """Models of the lowest rung that were handed out before the first promotion have the same ids, so the same seeds, in
    searches that begin higher up."""
    space = SPACE.format(optimizer="sgd", weights="pareto")
    run("asha", 6, ASHA.format(budget=1, evaluations=20) + space)
    run("asha", 4, ASHA.format(budget=1, evaluations=32) + space, "--resume")
    found = rows("asha")
    promoted = {k: r for k, r in found.items() if r["operator"] == "promotion"}
    first = min(r["id"] for r in promoted.values())
    assert first >= 3 and went_on("asha") == len(promoted)
    compared = {}
    for budget in (3, 9):
        run(f"asha-{budget}", 3, ASHA.format(budget=budget, evaluations=first) + space)
        whole = rows(f"asha-{budget}")
        for (archid, b), r in promoted.items():
            if b == budget and whole.get((archid, b), r)["id"] == found[archid, 1]["id"]:
                assert r["before"] == budget / 3
                one, other = (dict(x, values={k: v for k, v in x["values"].items() if not k.startswith("weight ")})
                              for x in (r, whole[archid, b]))
                assert_same(one, other, f"asha: {archid}, {budget} epochs")
                compared[archid, budget] = (found[archid, budget / 3]["rank"], r["rank"])
    assert compared
    print(f"asha: {len(promoted)} promotions; the same as in one go, from and to rank: {compared}")


if __name__ == "__main__":
    halving("adamw")
    asha()
