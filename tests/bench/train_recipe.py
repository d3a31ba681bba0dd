#!/usr/bin/python3
"""What augmentation and the recipe do for one fixed model on the digits, switch by switch, and the same recipe in PyTorch.

usage: train_recipe.py BIN IMAGES LABELS [--epochs N] [--seeds N] [--keep DIRECTORY] [--output FILE]

9,000 pictures to train on, 1,000 to validate. Every setting is trained by archai-run (--seeds times: other weights, other
order, the same split). The last setting is trained in PyTorch as well: the same network, optimizer, schedule and
augmentation on the recorded order of the same seeds, which gives the very same batches, and weights of PyTorch's own.
Trainings that lie in --keep are not run again."""
import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys

import h5py
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

CONFIG = """[search]
algorithm = random_search
max_evaluations = 1
[space]
name = config
tree = {tree}
[data]
format = idx
train_images = {images}
train_labels = {labels}
validation = 0.1
[train]
epochs = {epochs}
batch_size = 64
optimizer = adamw
learning_rate = 5e-3
learning_rate_schedule = cosine
[objective.accuracy]
source = val_accuracy
direction = maximize
[evaluator]
device = cpu
threads = 1
[output]
weights = none
report = no
"""
CROP, NORMALIZE = "data.augment=crop 2", "data.normalize=auto"
REST = ["train.warmup=0.1", "train.label_smoothing=0.1", "train.weight_decay=0.05", "train.weight_decay_on=weights", "train.clip_grad_norm=1"]
SETTINGS = {
    "as before: pictures from 0 to 1, adamw, cosine": [],
    "normalize = auto": [NORMALIZE],
    "augment = crop 2": [CROP],
    "augment = crop 2, cutout 8": [CROP + ", cutout 8"],
    "warmup = 0.1": REST[:1],
    "label_smoothing = 0.1": REST[1:2],
    "weight_decay = 0.05, on weights": REST[2:4],
    "clip_grad_norm = 1": REST[4:],
    "ema = 0.99": ["train.ema=0.99"],
    "sgd, nesterov, one_cycle": ["train.optimizer=sgd", "train.nesterov=yes", "train.learning_rate=0.1", "train.learning_rate_schedule=one_cycle"],
    "the recipe: normalize, crop 2, warmup, smoothing, decay, clipping": [NORMALIZE, CROP, *REST],
}
RECIPE = list(SETTINGS)[-1]


def options():
    p = argparse.ArgumentParser()
    p.add_argument("bin")
    p.add_argument("images")
    p.add_argument("labels")
    p.add_argument("--epochs", type=int, default=8)
    p.add_argument("--seeds", type=int, default=5)
    p.add_argument("--keep", default="/tmp/train_recipe")
    p.add_argument("--output", default=str(HERE / "results" / "train_recipe.md"))
    return p.parse_args()


def train(o, which, seed):
    """The learning curves of a training by archai-run, and its results file."""
    out = pathlib.Path(o.keep, f"{which}-{seed}")
    if not (out / "exit_code").exists():
        config = pathlib.Path(o.keep, "recipe.ini")
        config.write_text(CONFIG.format(tree=HERE / "data" / "digits_recipe.yaml", images=o.images, labels=o.labels, epochs=o.epochs))
        sets = [x for s in SETTINGS[list(SETTINGS)[which]] + [f"search.seed={seed}"] for x in ("--set", s)]
        subprocess.run(["rm", "-rf", str(out)], check=True)
        subprocess.run([f"{o.bin}/archai-run", str(config), "--output", str(out), "--progress", "none", *sets], check=True,
                       stdout=subprocess.DEVNULL)
    with h5py.File(out / "results.h5", "r") as f:
        return {k: f[f"curves/{k}"][0].tolist() for k in ("train_loss", "val_loss", "val_accuracy")}, out / "results.h5"


# -- the recipe in PyTorch --------------------------------------------------------------------------------------------


def torch_training(o, seed, results):
    """The recipe, as one would write it in PyTorch, on the batches that results.h5 records."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    from recorded_batches import Batches
    from train_throughput import idx

    kept = pathlib.Path(o.keep, f"torch-{seed}.json")
    if kept.exists():
        return json.loads(kept.read_text())
    torch.set_num_threads(1)
    torch.manual_seed(1000 + seed)
    pictures, labels = torch.from_numpy(idx(o.images).copy()).unsqueeze(1), torch.from_numpy(idx(o.labels).copy()).long()
    with h5py.File(results, "r") as f:
        train, val = f["split/train"][()], f["split/val"][()]
        n = json.loads(f.attrs["data"])["normalize"]
    batches = Batches(pictures[train], labels[train], seed, 0, 64, (n["mean"], n["std"]), "crop 2")
    x_val, y_val = batches.normalised(pictures[val].float().div_(255)), labels[val]
    model = nn.Sequential(nn.Conv2d(1, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.BatchNorm2d(32),
                          nn.ReLU(), nn.Flatten(), nn.Linear(32 * 7 * 7, 10))
    groups = [{"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": 0.05},
              {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0}]
    optimizer = torch.optim.AdamW(groups, lr=5e-3)
    per_epoch = math.ceil(len(train) / 64)
    steps, warm = o.epochs * per_epoch, round(0.1 * o.epochs * per_epoch)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda k: 0.01 + 0.99 * k / warm if k < warm else 0.5 * (1 + math.cos(math.pi * (k - warm) / (steps - warm))))
    curves = {"train_loss": [], "val_loss": [], "val_accuracy": []}
    for _ in range(o.epochs):
        model.train()
        total = 0.0
        for x, y, _, _ in batches.next_epoch():
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y, label_smoothing=0.1)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1)
            optimizer.step()
            schedule.step()
            total += loss.item() * len(y)
        model.eval()
        with torch.no_grad():
            answers = model(x_val)
        curves["train_loss"].append(total / len(train))
        curves["val_loss"].append(F.cross_entropy(answers, y_val).item())
        curves["val_accuracy"].append((answers.argmax(1) == y_val).float().mean().item())
    kept.write_text(json.dumps(curves))
    return curves


# -- the report -------------------------------------------------------------------------------------------------------


def mean_and_error(values):
    return statistics.mean(values), statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else float("nan")


def main():
    o = options()
    os.makedirs(o.keep, exist_ok=True)
    seeds = range(1, o.seeds + 1)
    lines = [f"# Recipes on the digits\n\nOne fixed model (data/digits_recipe.yaml, 20,586 parameters), 9,000 pictures to train on, 1,000 to validate, {o.epochs} epochs in batches of 64, "
             f"{o.seeds} seeds. Error: share of the validation pictures that are misread after the last epoch, in percent, with the standard error of "
             "its mean; the same seeds begin from the same weights, so that differences are those of pairs.\n",
             "| setting | error, % | less than before, points | each seed | val_loss |", "|---|---|---|---|---|"]
    before, ours, files = None, None, {}
    for which, name in enumerate(SETTINGS):
        runs = []
        for s in seeds:
            curves, files[s] = train(o, which, s)
            runs.append(curves)
        errors = [100 * (1 - r["val_accuracy"][-1]) for r in runs]
        before = before or errors
        gain = mean_and_error([b - e for b, e in zip(before, errors)])
        lines.append("| {} | {:.2f} ± {:.2f} | {} | {} | {:.4f} |".format(
            name, *mean_and_error(errors), "" if which == 0 else "{:+.2f} ± {:.2f}".format(*gain),
            " ".join(f"{e:.1f}" for e in errors), statistics.mean(r["val_loss"][-1] for r in runs)))
        print(lines[-1], flush=True)
        ours = runs
    theirs = [torch_training(o, s, files[s]) for s in seeds]
    lines += ["\n## The recipe in PyTorch\n\nThe last setting, by archai-run and by a plain loop in Python's PyTorch (torch.optim.AdamW, LambdaLR, clip_grad_norm_), both on the same "
              "batches: Python makes them from the recorded seed, split and statistics (tests/support/recorded_batches.py; `shim_augment` tests that they are the same bit for bit). Initial weights "
              "are each one's own. Mean of val_loss over the seeds ± its standard error; the difference in units of its standard error.\n",
              "| epoch | archai-run | PyTorch | difference |", "|---|---|---|---|"]
    for e in range(o.epochs):
        a, b = ([r["val_loss"][e] for r in runs] for runs in (ours, theirs))
        (ma, ea), (mb, eb) = mean_and_error(a), mean_and_error(b)
        lines.append(f"| {e + 1} | {ma:.4f} ± {ea:.4f} | {mb:.4f} ± {eb:.4f} | {(ma - mb) / math.hypot(ea, eb):+.1f} |")
    a, b = (mean_and_error([100 * (1 - r["val_accuracy"][-1]) for r in runs]) for runs in (ours, theirs))
    lines.append("\nError after the last epoch: {:.2f} ± {:.2f} % and {:.2f} ± {:.2f} %.".format(*a, *b))
    print("\n".join(lines[-o.epochs - 6:]))
    pathlib.Path(o.output).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
