"""Ranges and hyper-parameters: every algorithm searches them, `train` in the tree is what a candidate is trained with, and what
nothing uses is refused before anything starts."""
import json
import os
import subprocess

import h5py
import numpy as np

TREE = """parameters:
  width: {range: [4, 32], step: 4}
  pool: {choice: [null, [1, 2]]}
  stages: {repeat: {kernel: {choice: [1, 3]}, scale: {range: [0.5, 2.0], log: true}}, times: {range: [1, 3]}}
%s
network:
  - for: stages
    do: {Conv2d: {out_channels: "ceil(width * scale)", kernel_size: kernel}}
  - if: pool != None
    then: BatchNorm2d
  - AdaptiveAvgPool2d: 1
  - flatten
  - Linear: classes
"""
TRAIN = """  train:
    learning_rate: {range: [1.0e-4, 1.0e-1], log: true}
    batch_size: {choice: [16, 64]}
    epochs: {range: [1, 3]}
    optimizer: {choice: [sgd, adamw]}
"""


def write(name, algorithm, tree, evaluator, objectives, n):
    with open("tree.yaml", "w") as f:
        f.write(tree)
    with open(name + ".ini", "w") as f:
        f.write(f"""[search]
algorithm = {algorithm}
max_evaluations = {n}
[space]
name = config
tree = tree.yaml
[data]
samples = 200
[train]
learning_rate_schedule = constant
epochs = 2
{objectives}
[evaluator]
kind = {evaluator}
device = cpu
[output]
directory = {name}
weights = none
report = no
""")
    return name + ".ini"


def run(config, *more, code=0, ranks=0):
    command = ["mpirun", "-n", str(ranks)] if ranks > 0 else []
    p = subprocess.run([*command, "archai-run", config, "--progress", "none", *more], capture_output=True, text=True)
    assert p.returncode == code, (p.returncode, p.stdout, p.stderr)
    return p.stderr


def archs(directory):
    with h5py.File(f"{directory}/results.h5") as f:
        assert set(f["candidates/status"].asstr()[()]) == {"ok"}, f["candidates/error"].asstr()[()]
        return [json.loads(a) for a in f["candidates/arch"].asstr()[()]]


# each algorithm, with a measure of the width and the scale, and the count of parameters
with open("measure.py", "w") as f:
    f.write("""import json, sys
p = json.loads(sys.stdin.readline())["params"]
print(json.dumps({"score": -abs(p["width"] - 16) - abs(p["stages._configs.0.scale"] - 1)}))
""")
SCORE, PARAMS = "[objective.score]\ndirection = maximize\n", "[objective.params]\ndirection = minimize\n"
for algorithm in "random_search", "local_search", "regularized_evolution", "evolution_pareto", "nsga2", "bayes_opt", "mo_bananas":
    objectives = SCORE if algorithm == "regularized_evolution" else SCORE + PARAMS
    run(write(algorithm, algorithm, TREE % "", "command\ncommand = python3 measure.py", objectives, 14), ranks=2)
    seen = archs(algorithm)
    assert len(seen) == 14
    assert {type(a["pool"]) for a in seen} == {list, type(None)}, algorithm
    assert len({a["stages"]["_configs"]["0"]["scale"] for a in seen}) > 4, algorithm
    assert all(a["width"] % 4 == 0 and 4 <= a["width"] <= 32 for a in seen)

# trained as the tree says
ini = write("trained", "random_search", TREE % TRAIN, "torch\nthreads = 1",
            "[objective.val_accuracy]\ndirection = maximize", 8)
run(ini, ranks=2)
with h5py.File("trained/results.h5") as f:
    rates = f["curves/learning_rate"][()]
    loss = f["curves/train_loss"][()]
for a, rate, losses in zip(archs("trained"), rates, loss):
    said = a["train"]
    rate = rate[~np.isnan(rate)]
    assert len(rate) == said["epochs"] == np.sum(~np.isnan(losses)), (said, rate)
    assert np.allclose(rate, said["learning_rate"], rtol=1e-6), (said, rate)

# refused before anything starts, by name
for text, words in ((TRAIN.replace("learning_rate:", "lerning_rate:"), "train.lerning_rate: not a key of [train]; did you mean 'learning_rate'?"),
                    (TRAIN.replace("[16, 64]", "[16, 0]"), "train.batch_size: 0 is outside"),
                    ("  dropout: {range: [0.0, 0.5]}", "tree.yaml:5: dropout: nothing uses this parameter"),
                    ("  learning_rate: {range: [0.1, 0.5]}", "a key of [train] belongs in the group 'train'"),
                    ("  lr: {loguniform: [0.1, 0.5]}", "tree.yaml:5: lr: not a parameter: write {range: [0.1, 0.5], log: true}")):
    write("trained", "random_search", TREE % text, "torch", "[objective.val_accuracy]\ndirection = maximize", 8)
    said = run(ini, "--dry-run", "--output", "elsewhere", code=2)
    assert words in said and "trained.ini:6: space.tree: " in said, said
    assert not os.path.exists("elsewhere")
write("narrow", "random_search", "parameters: {width: {choice: [7, 8]}}\nnetwork: [flatten, {Linear: width}]\n", "torch", "[objective.val_accuracy]\ndirection = maximize", 3)
said = run("narrow.ini", "--dry-run", "--output", "elsewhere", code=2)
assert "for each example, but the data have 10 classes" in said and "models of config put out [" in said, said
write("trained", "asha", TREE % TRAIN, "torch", "[objective.val_accuracy]\ndirection = maximize", 8)
said = run(ini, "--dry-run", "--output", "elsewhere", code=2)
assert "train.epochs: the algorithm decides" in said, said

# a program of one's own gets all parameters
write("trained", "random_search", TREE % "  dropout: {range: [0.0, 0.5]}", "command\ncommand = true", "[objective.a]\ndirection = maximize", 8)
run(ini, "--dry-run", "--output", "elsewhere")

# a model is as large as memory allows, and what it would take is said
run(write("large", "random_search", "parameters: {width: {choice: [8, 1000000, 2000000000]}}\nnetwork: [flatten, {Linear: width}, {Linear: classes}]\n",
          "torch\nthreads = 1\nmemory_limit = 2G", "[objective.val_accuracy]\ndirection = maximize", 3), ranks=1)
with h5py.File("large/results.h5") as f:
    said = {json.loads(a)["width"]: e for a, e in zip(f["candidates/arch"].asstr()[()], f["candidates/error"].asstr()[()])}
assert said[8] == "", said
features = 28 * 28
for width, much in ((1000000, "11.8 GiB"), (2000000000, "23.1 TiB")):
    words = f"this model has {width * (features + 1) + 10 * (width + 1)} parameters, which take at least {much} of memory"
    assert words in said[width] and "(weights, gradients and the optimizer's state); " in said[width], said
    assert said[width].endswith("evaluator.memory_limit is 2 GiB"), said
