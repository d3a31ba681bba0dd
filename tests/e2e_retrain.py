#!/usr/bin/python3
"""archai-run CONFIG --from RESULTS: chosen models are trained once more, from their weights or afresh, into results of their own. The
source is not changed, and no longer needed once the run has begun; what does not fit is refused, or said. The same results, and
folders of arch files, begin a search (search.initial_population_paths). ARCHAI_LONG=1: also without a copy of the weights."""
import hashlib
import json
import os
import pathlib
import shutil
import subprocess

import h5py
import numpy as np

CONFIG = """
[search]
algorithm = evolution_pareto
max_evaluations = 2
seed = 5
[space]
name = cnn
max_layers = 3
kernel_list = 1 3
hidden_list = 4 8
[data]
format = synthetic
samples = 200
width = 12
height = 12
[train]
epochs = 1
learning_rate = 1e-2
batch_size = 50
inherit_weights = yes
[objective.loss]
source = val_loss
direction = minimize
[objective.params]
source = params
direction = minimize
[evaluator]
device = cpu
threads = 1
[output]
report = no
"""
GENTLE = ["--set", "train.learning_rate=1e-6", "--set", "train.optimizer=sgd", "--set", "train.momentum=0"]
pathlib.Path("base.ini").write_text(CONFIG)


def run(output, *arguments, ranks=1, code=0, config="base.ini"):
    mpi = ["mpirun", "-n", str(ranks)] if ranks > 1 else []
    p = subprocess.run([*mpi, "archai-run", config, "--output", output, "--progress", "none", *arguments],
                       capture_output=True, text=True, timeout=120)
    assert p.returncode == code, (arguments, p.returncode, p.stdout, p.stderr)
    return p.stderr


def content(directory):
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in pathlib.Path(directory).rglob("*") if p.is_file()}


def rows(directory):
    with h5py.File(f"{directory}/results.h5") as f:
        c, share = f["candidates"], f["metrics/inherited"][()] if "metrics/inherited" in f else None
        return [dict(archid=a, status=s, operator=o, error=e, inherited=None if share is None else share[i])
                for i, (a, s, o, e) in enumerate(zip(*(c[k].asstr()[()] for k in ("archid", "status", "operator", "error"))))]


def weights(directory):
    with h5py.File(f"{directory}/results.h5") as f:
        return {a: {k: v[()] for k, v in g.items()} for a, g in f["models"].items()}


def inspect(*arguments):
    return subprocess.run(["archai-inspect", *arguments], capture_output=True, text=True, check=True).stdout


def far(one, other):
    return max(abs(one[k] - other[k]).max() for k in one if k.endswith("weight") and one[k].ndim == 4)


run("source", "--set", "output.weights=all", "--set", "search.max_evaluations=5")
front = [r["archid"] for r in json.loads(inspect("source", "pareto", "--json"))]
everything = [r["archid"] for r in rows("source")]
source, before = weights("source"), content("source")
assert len(front) >= 2

# -- what would be trained --------------------------------------------------------------------------
said = run("none", "--from", "source", "--dry-run")
assert f"{len(front)} models of source are trained, from the stored weights: '{front[0]}', '{front[1]}'" in said, said
said = run("none", "--dry-run", "--from", "source", everything[4], "front:2", "0", "--fresh")
listed = list(dict.fromkeys([everything[4], front[1], everything[0]]))
assert "from new weights: " + ", ".join(f"'{a}'" for a in listed) in said, said
said = run("none", "--dry-run", "--from", "source/results.h5", "top", "loss", "2")
best = [r["archid"] for r in json.loads(inspect("source", "top", "loss", "-n", "2", "--json"))]
assert "2 models of source/results.h5 are trained" in said and ", ".join(f"'{a}'" for a in best) in said, said
assert not os.path.exists("none")

# -- from their weights, whatever [search] says; on two ranks ----------------------------------------
run("again", "--from", "source", *GENTLE, ranks=2)
again = rows("again")
assert [r["archid"] for r in again] == front and {r["operator"] for r in again} == {"retrain"}, again
assert {r["status"] for r in again} == {"ok"} and {r["inherited"] for r in again} == {1.0}, again
for archid, own in weights("again").items():
    assert 0 < far(own, source[archid]) < 1e-4
    assert own["model.1.num_batches_tracked"] == 2 * source[archid]["model.1.num_batches_tracked"]
assert inspect("again", "verify") and content("source") == before

# -- afresh ----------------------------------------------------------------------------------------------
run("afresh", "--from", "source", "--fresh", front[0], *GENTLE)
assert [(r["archid"], r["inherited"]) for r in rows("afresh")] == [(front[0], None)]
assert not os.path.exists("afresh/from/0.safetensors")
assert front[0] not in weights("afresh") or far(weights("afresh")[front[0]], source[front[0]]) > 1e-2

# -- --resume trains the same models, without the source ---------------------------------------------------
shutil.copytree("source", "copy")
run("parts", "--from", "copy", *everything, *GENTLE, "--set", "search.max_evaluations=2")
assert len(rows("parts")) == 2
shutil.rmtree("copy")
said = run("parts", "--from", "copy", "pareto", "--resume", *GENTLE, code=2)
assert "search.models: the run in parts has " in said, said
said = run("parts", "--resume", *GENTLE, code=2)
assert "search.algorithm: the run in parts trains models of other results (--from), this one is a search" in said, said
run("parts", "--from", "copy", *everything, "--resume", *GENTLE)
parts = rows("parts")
assert [r["archid"] for r in parts] == everything and {r["inherited"] for r in parts} == {1.0}, parts
run("parts", "--resume", config="parts/config.ini") # complete
assert max(far(own, source[a]) for a, own in weights("parts").items()) < 1e-4
# a copy of weights that is gone costs its candidate, after some patience, which is not trained from others
if os.environ.get("ARCHAI_LONG"):
    run("hurt", "--from", "source", front[0], front[1], *GENTLE, "--set", "search.max_evaluations=1")
    pathlib.Path("hurt/from/1.safetensors").unlink()
    run("hurt", "--from", "source", front[0], front[1], *GENTLE, "--resume")
    hurt = rows("hurt")
    assert hurt[1]["status"] == "failed" and "1.safetensors" in hurt[1]["error"], hurt

# -- what does not fit -----------------------------------------------------------------------------------
said = run("head", "--from", "source", front[0], *GENTLE, "--set", "data.classes=5")
assert "there and [5, " in said and "the last layer begins with new weights" in said, said
(head,) = rows("head")
assert head["status"] == "ok" and 0.5 < head["inherited"] < 1, head
own = weights("head")[front[0]]
last = list(own)[-1].rsplit(".", 1)[0]
assert all(abs(v - source[front[0]][k]).max() < 1e-4 for k, v in own.items() if not k.startswith(last) and v.ndim == 4)
assert own[f"{last}.weight"].shape[0] == 5

other_space = CONFIG.replace("name = cnn\nmax_layers = 3\nkernel_list = 1 3\nhidden_list = 4 8", "name = natsbench_tss\nchannels = 4\ncells = 1")
pathlib.Path("other.ini").write_text(other_space)
for arguments, expected in {
    ("--set", "data.channels=3"): "do not fit this configuration: model.0.weight is [",
    ("--set", "evaluator.kind=null"): "evaluator.kind = null does not begin from weights; expected torch or command, or --fresh",
    ("top", "los", "1"): "source: no objective or metric 'los'; did you mean 'loss'?",
    ("--output", "source", "--resume"): "source: are the results of this very run",
}.items():
    said = run("none", "--dry-run", "--from", "source", *arguments, code=2)
    assert expected in said and "--from: search.from: " in said, (arguments, said)
said = run("none", "--dry-run", "--from", "source", config="other.ini", code=2)
assert "search.from: source: " in said and "space" in said, said
assert "--fresh goes with --from" in run("none", "--fresh", code=2)
run("bare", "--set", "output.weights=none", "--set", "train.inherit_weights=no", "--set", "search.max_evaluations=2")
said = run("none", "--dry-run", "--from", "bare", code=2)
assert "have no weights there" in said and "--fresh" in said, said

# -- a program of one's own gets the weights as a file -------------------------------------------------------
pathlib.Path("program.py").write_text("""
import json, os, struct, sys
path = os.environ.get("ARCHAI_START_WEIGHTS")
total = 0
if path:
    data = open(path, "rb").read()
    n, = struct.unpack("<Q", data[:8])
    head = json.loads(data[8:8 + n])
    total = sum(1 for k in head if k != "__metadata__")
json.load(sys.stdin)
print(json.dumps({"val_loss": 1.0, "tensors": total}))
""")
COMMAND = ["--set", "evaluator.kind=command", "--set", "evaluator.command=python3 program.py"]
run("program", "--from", "source", *COMMAND)
with h5py.File("program/results.h5") as f:
    assert f["metrics/tensors"][()].tolist() == [len(source[a]) for a in front]

# -- the same results, a folder and a file with an awkward name begin a search ---------------------------------
os.makedirs("archs/deeper")
for i, archid in enumerate(everything[:2]):
    subprocess.run(["archai-inspect", "source", "export", archid, "--format", "arch", "-o", f"archs/{i}"], check=True)
pathlib.Path("archs/0.pt").write_bytes(b"weights that lie there, too")
os.rename("archs/1", "a, b.json")
SEARCH = ["--set", 'search.initial_population_paths=archs "a, b.json" source', "--set", "evaluator.kind=null", "--set",
          "search.max_evaluations=6", "--set", "train.inherit_weights=no", "--set", "objective.loss.source=macs"]
for schedule in ("async", "generational"):
    run(f"begun_{schedule}", "--set", f"search.schedule={schedule}", *SEARCH)
    begun = rows(f"begun_{schedule}")
    given = [r["archid"] for r in begun if r["operator"] == "initial"]
    assert list(dict.fromkeys(given)) == list(dict.fromkeys([everything[0], everything[1], *front])), (given, everything, front)
assert content("source") == before
print(f"{len(front)} models of the front trained again, {len(everything)} in two starts")
