#!/usr/bin/python3
"""train.inherit_weights: a child begins with its first parent's weights where names and shapes match, and with new ones elsewhere;
/metrics/inherited says how much that was. By generations everything is the same for 1, 2 and 4 ranks and over two starts, whatever
output.weights shows. Where nothing can be inherited, the key is refused."""
import json
import pathlib
import subprocess

import h5py

from same_results import assert_same

CONFIG = """
[search]
algorithm = evolution_pareto
schedule = generational
num_iters = 3
init_num_models = 4
num_random_mix = 2
num_crossovers = 3
mutations_per_parent = 4
max_unseen_population = 8
seed = 4
[space]
name = cnn
max_layers = 6
kernel_list = 1 3
hidden_list = 8 12
[data]
samples = 300
[train]
epochs = 1
batch_size = 50
inherit_weights = yes
optimizer = sgd
momentum = 0
learning_rate = 1e-6
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
weights = all
report = no
"""
STEPS = 6 # 270 pictures to train on, in batches of 50, of which the last has 20


def run(name, ranks, *arguments, text=CONFIG, code=0):
    pathlib.Path("inherit.ini").write_text(text)
    p = subprocess.run(["mpirun", "-n", str(ranks), "archai-run", "inherit.ini", "--output", name, "--progress", "none", *arguments],
                       capture_output=True, text=True, timeout=300)
    assert p.returncode == code, (p.returncode, p.stdout, p.stderr)
    return p.stderr


def families(name):
    """Of each row that was evaluated: its archid, its first parent's or None, its share of inherited tensors; and all weights."""
    with h5py.File(f"{name}/results.h5") as f:
        c = f["candidates"]
        rows = [(a, (json.loads(p) or [None])[0], o, share)
                for a, p, o, s, share in zip(c["archid"].asstr()[()], c["parents"].asstr()[()], c["operator"].asstr()[()],
                                             c["status"].asstr()[()], f["metrics/inherited"][()]) if s == "ok"]
        return rows, {a: {k: v[()] for k, v in g.items()} for a, g in f["models"].items()}


def check_families(name):
    rows, models = families(name)
    shares, near = [], []
    for archid, parent, operator, share in rows:
        own, theirs = models[archid], models[parent] if parent is not None else {}
        assert (parent is None) == (operator == "random")
        same = [k for k, v in own.items() if k in theirs and v.shape == theirs[k].shape]
        assert share == len(same) / len(own), (archid, share)
        for key, value in own.items():
            if key.endswith("num_batches_tracked"): # counts on from the parent's
                assert value == STEPS + (theirs[key] if key in same else 0), (archid, parent, key, value)
            elif value.ndim == 4 and key in theirs and key in same: # a convolution; hardly moved at this learning rate
                near.append(abs(value - theirs[key]).max())
        shares += [share] * bool(theirs)
    news = [models[archid] for archid, parent, _, _ in rows if parent is None]
    far = [abs(v - b[k]).max() for a, b in zip(news, news[1:]) for k, v in a.items()
           if v.ndim == 4 and k in b and v.shape == b[k].shape] # strangers
    assert len(shares) > 4 and max(near) < 1e-4 < 1e-2 < min(far), (shares, near, far)
    assert 0 < min(shares) < max(shares), shares
    print(f"{len(rows)} rows, {len(shares)} children, which inherit {min(shares):.2f} to {max(shares):.2f} of their tensors")


run("one", 1)
check_families("one")
for ranks, name in ((2, "two"), (4, "four")):
    run(name, ranks)
    content = assert_same("one", name)
assert any(path.startswith("/models/") for path in content)
# half of it, without weights on show, and the rest in another start
run("starts", 2, "--set", "search.max_evaluations=7", "--set", "output.weights=none")
with h5py.File("starts/results.h5") as f:
    assert not list(f["models"]) and f.attrs["state"] == "complete"
run("starts", 2, "--resume")
assert_same("one", "starts")

lines = [line for line in CONFIG.splitlines() if not line.startswith(("num_", "init_", "schedule"))]
said = run("refused", 1, "--dry-run", text="\n".join(lines).replace("evolution_pareto", "asha") + "\n", code=2)
assert "train.inherit_weights: what asha proposes has no parents" in said, said
said = run("refused", 1, "--dry-run", "--set", "evaluator.kind=null", code=2)
assert "train.inherit_weights: evaluator.kind = null does not inherit weights; these do: torch, command" in said, said
