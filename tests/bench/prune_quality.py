#!/usr/bin/python3
"""What search.prune saves and what it loses, on real trainings by the built-in trainer.

usage: prune_quality.py BIN MNIST [--seeds N] [--candidates N] [--epochs N] [--keep DIRECTORY] [--output FILE]

random_search proposes the same candidates with the same seeds whatever is pruned, and a training on a CPU with one thread gives the
same numbers: so each search is run once to its end and again with every setting, and the best candidate of the whole one is
lost if it is pruned in the other. What a setting prunes depends on the order in which reports arrive, so a run is one draw.
Searches that lie in --keep are not run again."""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys

import h5py
import numpy as np

TREE = """nb_layers: {choice: [1, 2, 3]}
kernel_size: {choice: [3, 5]}
hidden_dim: {choice: [4, 8]}
train: {learning_rate: {range: [1.0e-4, 1.0], log: true}, optimizer: {choice: [adam, sgd]}}
"""
CONFIG = """[search]
algorithm = random_search
max_evaluations = {candidates}
seed = {seed}
[space]
name = config
tree = {tree}
seed = {seed}
[data]
format = idx
train_images = {mnist}/t10k-images-idx3-ubyte.gz
train_labels = {mnist}/t10k-labels-idx1-ubyte.gz
max_samples = 1000
validation = 0.5
[train]
epochs = {epochs}
batch_size = 16
test = none
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
SETTINGS = {
    "median, defaults": ["prune=median"],
    "median, n_warmup_steps = 3": ["prune=median", "n_warmup_steps=3"],
    "asha, defaults": ["prune=asha"],
    "asha, grace_period = 3, reduction_factor = 3": ["prune=asha", "grace_period=3", "reduction_factor=3"],
}


def run(args, keep, seed, name, settings):
    """(epochs of each candidate, value of each, was it pruned): by id."""
    ini, out = keep / f"{seed}.ini", keep / f"{seed}-{name}"
    ini.write_text(CONFIG.format(candidates=args.candidates, seed=seed, tree=keep / "tree.yaml", mnist=args.mnist, epochs=args.epochs))
    if not (out / "exit_code").exists() or (out / "exit_code").read_text().split()[0] != "0":
        command = ["mpirun", "--oversubscribe", "-n", "2", f"{args.bin}/archai-run", str(ini), "--output", str(out), "--progress", "none", "--resume"]
        for s in settings:
            command += ["--set", f"search.{s}"]
        subprocess.run(command, check=True, capture_output=True)
    with h5py.File(out / "results.h5") as f:
        assert len(f["candidates/id"]) == args.candidates
        status = [v.decode() for v in f["candidates/status"][:]]
        epochs = np.count_nonzero(~np.isnan(f["curves/val_accuracy"][:]), axis=1)
        return epochs, f["objectives/accuracy"][:], status


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("mnist", type=pathlib.Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--candidates", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path("/tmp/prune_quality"))
    parser.add_argument("--output", type=pathlib.Path)
    args = parser.parse_args()
    args.mnist = args.mnist.resolve()
    args.keep.mkdir(parents=True, exist_ok=True)
    (args.keep / "tree.yaml").write_text(TREE)
    rows = {name: [] for name in SETTINGS}
    for seed in range(1, args.seeds + 1):
        epochs, value, status = run(args, args.keep, seed, "none", [])
        ok = [i for i in range(args.candidates) if status[i] == "ok"]
        best = max(ok, key=lambda i: value[i])
        for number, (name, settings) in enumerate(SETTINGS.items()):
            e, v, s = run(args, args.keep, seed, str(number), settings)
            same = [i for i in ok if s[i] == "ok"]
            assert np.array_equal(v[same], value[same])  # what was not pruned is the same to the last bit
            found = max((v[i] for i in same), default=float("nan"))
            rows[name].append((1 - e.sum() / epochs.sum(), s.count("pruned"), s[best] == "ok", value[best] - found))
            print(seed, name, *rows[name][-1], flush=True)
    lines = [f"# Pruning\n\n{args.seeds} seeds, {args.candidates} candidates each by random search, {args.epochs} epochs, 500 digits to train on and 500 to "
             "validate, 2 ranks (`tests/bench/prune_quality.py`; its head says how): depth, kernel, width, optimizer and a learning rate from 1e-4 to 1. Saved: share of "
             "the epochs of the whole search. Best lost: in how many seeds the best candidate of the whole search was pruned. Less accurate: by how much the best "
             "that was left is behind it, in points.\n",
             "| `search.prune` | saved, % (mean; each seed) | pruned of " f"{args.candidates} (mean) | best lost | less accurate, points (mean; most) |", "|---|---|---|---|---|"]
    for name, r in rows.items():
        saved, pruned, kept, behind = zip(*r)
        lines.append(f"| {name} | {100 * statistics.mean(saved):.0f}; {' '.join(f'{100 * x:.0f}' for x in saved)} | {statistics.mean(pruned):.1f} | "
                     f"{kept.count(False)} of {len(kept)} | {100 * statistics.mean(behind):.2f}; {100 * max(behind):.2f} |")
    print("\n".join(lines))
    if args.output:
        args.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
