"""A text and tables of numbers are trained on: a transformer's perplexity falls, an mlp learns; each
candidate's own keys of [train] are those that it is trained with, and keys that do not go together are refused at the start."""
import csv
import json
import os
import subprocess

import h5py
import numpy as np

SPACES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "configs", "spaces")
rng = np.random.default_rng(3)


def run(name, space, data, train, objective, n=2, code=0, says=""):
    with open(name + ".ini", "w") as f:
        f.write(f"""[search]
algorithm = random_search
max_evaluations = {n}
[space]
{space}
[data]
{data}
[train]
{train}
[objective.o]
source = {objective}
direction = minimize
[objective.params]
direction = minimize
[evaluator]
device = cpu
threads = 1
[output]
directory = {name}
weights = none
report = no
""")
    r = subprocess.run([os.environ["ARCHAI_BIN"] + "/archai-run", name + ".ini", "--progress", "none"], capture_output=True, text=True)
    assert r.returncode == code and says in r.stderr, (name, r.returncode, r.stderr)


def read(name):
    """Archs, and each curve's values, a row for each candidate."""
    with h5py.File(name + "/results.h5") as f:
        assert set(f["candidates/status"].asstr()[()]) == {"ok"}, f["candidates/error"].asstr()[()]
        return [json.loads(a) for a in f["candidates/arch"].asstr()[()]], {c: v[()] for c, v in f["curves"].items()}


# a text of five words: who knows the words has to guess one letter in about four
WORDS = ["alpha ", "beta ", "gamma ", "delta ", "omega "]
text = "".join(rng.choice(WORDS, 6000))
with open("text.txt", "w") as f:
    f.write(text)
GPT2 = """name = transformer_flex
arch_type = gpt2
min_layers = 1
max_layers = 2
d_model_options = 32
d_inner_options = 64
n_head_options = 2
vocab_size = 256
max_sequence_length = 32"""
TEXT = "format = tokens\nfile = text.txt\nsequence_length = 32"
run("gpt2", GPT2, TEXT, "epochs = 4\nbatch_size = 16\nlearning_rate = 3e-3", "val_perplexity")
_, c = read("gpt2")
for perplexity, loss in zip(c["val_perplexity"], c["val_loss"]):
    assert np.allclose(perplexity, np.exp(loss), rtol=1e-4)
    assert perplexity[-1] < perplexity[0] / 1.5 and 1.2 < perplexity[-1] < 6, perplexity
run("pictures", GPT2, "samples = 200", "epochs = 1", "val_loss", code=2, says="tokens")
run("text-cnn", "name = cnn", TEXT, "epochs = 1", "val_loss", code=2, says="models of cnn do not take tokens")
run("text-mse", GPT2, TEXT, "epochs = 1\nloss = mse", "val_loss", code=2, says="train.loss: mse does not go with")

# a table: three classes by the sum of two columns, and that sum as a number
x = rng.normal(size=(900, 4))
total = x[:, 0] + 2 * x[:, 1]
for name, y in ("classes", np.digitize(total, [-1, 1])), ("numbers", total):
    with open(name + ".csv", "w", newline="") as f:
        csv.writer(f).writerows([["a", "b", "c", "d", "y"], *([*map(repr, r.tolist()), v] for r, v in zip(x, y.tolist()))])
MLP = f"name = config\ntree = {SPACES}/mlp.yaml"
run("classes", MLP, "format = numbers\nfile = classes.csv\ntarget = y", "epochs = 8\nbatch_size = 16", "val_loss", n=4)
_, c = read("classes")
assert np.max(c["val_accuracy"][:, -1]) > 0.8, c["val_accuracy"]
run("numbers", MLP, "format = numbers\nfile = numbers.csv\ntarget = y\ntargets = real", "epochs = 8\nbatch_size = 16\nloss = huber", "val_rmse", n=4)
_, c = read("numbers")
assert np.min(c["val_rmse"][:, -1]) < 0.5 * np.std(total), c["val_rmse"]
assert np.all(c["val_mae"] <= c["val_rmse"]) and "val_accuracy" not in c
run("accuracy", MLP, "format = numbers\nfile = numbers.csv\ntarget = y\ntargets = real", "epochs = 1", "val_accuracy", code=2,
    says="have no val_accuracy")

# epochs may be a fraction: a rate that falls in a line to 0 tells how many of the 25 steps of an epoch were made
for epochs, steps in (0.5, 13), (1.5, 38):
    run(f"fraction-{steps}", MLP, "format = numbers\nfile = classes.csv\ntarget = y\nvalidation = 0.1111",
        f"epochs = {epochs}\nbatch_size = 32\nlearning_rate_schedule = linear", "val_loss")
    models, c = read(f"fraction-{steps}")
    for m, rates in zip(models, c["learning_rate"]):
        assert len(rates) == np.ceil(epochs) and round(m["train"]["learning_rate"] / rates[-1]) == steps, (epochs, m, rates)

# what a candidate says of [train], lists included
TREE = """parameters:
  width: {choice: [8, 16]}
  train:
    %s
network:
  - flatten
  - Linear: width
  - Linear: classes
"""
TABLE = "format = numbers\nfile = classes.csv\ntarget = y"


def tree(keys):
    with open("tree.yaml", "w") as f:
        f.write(TREE % "\n    ".join(keys))
    return "name = config\ntree = tree.yaml"


run("own", tree(["learning_rate_schedule: multistep", "milestones: {choice: [[1, 3], [2]]}", "gamma: {choice: [0.5, 0.25]}",
                 "optimizer: {choice: [lion, sgd, rmsprop]}", "nesterov: {choice: [false, true]}", "weight_decay_on: weights",
                 "clip_grad_norm: 1.0", "label_smoothing: {choice: [0.0, 0.1]}", "ema: 0.5", "keep: best"]),
    TABLE, "epochs = 4\nlearning_rate = 0.01\nmilestones = 1 2 3", "val_loss", n=8)
models, c = read("own")
seen = set()
for m, rates in zip(models, c["learning_rate"]):
    said = m["train"]
    want = [0.01 * said["gamma"] ** sum(e >= s for s in said["milestones"]) for e in range(4)]
    assert np.allclose(rates, want, rtol=1e-5), (said, rates, want)
    seen.add(str(said["milestones"]))
assert len(seen) == 2, seen
run("precise", tree(["precision: {choice: [fp32, bf16]}"]), TABLE, "epochs = 1", "val_loss", n=6)
with h5py.File("precise/results.h5") as f:  # the device says how it computed
    told = {(json.loads(arch)["train"]["precision"], device)
            for arch, device in zip(f["candidates/arch"].asstr()[()], f["candidates/device"].asstr()[()])}
assert told == {("fp32", "cpu, 1 thread"), ("bf16", "cpu, 1 thread, bf16")}, told
run("half", tree(["gamma: 0.5"]), TABLE, "epochs = 1\nprecision = fp16", "val_loss", code=2, says="train.precision: fp16 needs a GPU")
for keys, train, says in ((["nesterov: {choice: [false, true]}", "optimizer: sgd"], "momentum = 0", "train.nesterov: needs momentum above 0"),
                          (["milestones: {choice: [[1], [2, 1]]}"], "", "train.milestones: expected ascending numbers"),
                          (["learning_rate_schedule: {choice: [step, cosine]}"], "", "train.step_size: missing"),
                          (["loss: {choice: [mse, l1]}"], "", "train.loss: is the same for all candidates"),
                          (["label_smoothing: {choice: [0.0, 1.5]}"], "", "train.label_smoothing: 1.5 is outside")):
    run("refused", tree(keys), TABLE, "epochs = 1\n" + train, "val_loss", code=2, says=says)
run("smooth", tree(["label_smoothing: {choice: [0.0, 0.1]}"]), "format = numbers\nfile = numbers.csv\ntarget = y\ntargets = real", "epochs = 1",
    "val_loss", code=2, says="train.label_smoothing: goes with cross_entropy alone")
print("ok")
