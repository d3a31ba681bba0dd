#!/usr/bin/env python3
"""latency_seconds against torch.utils.benchmark on the same model, threads and batch, in turn, so that both see the same machine.

The models are those that each search proposes first; PyTorch runs the file that `archai-inspect export --format python` writes, in
this interpreter, whose PyTorch should be of the version that archai-evaluator links.

usage: latency.py BIN_DIRECTORY [--rounds 5] [--threads 1] [--batch 1]"""
import argparse
import os
import runpy
import statistics
import subprocess
import tempfile

import h5py
import torch
from torch.utils import benchmark

SPACES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "configs", "spaces")
MODELS = {
    "cnn": "name = cnn\nmin_layers = 6\nmax_layers = 6\nkernel_list = 5\nhidden_list = 32",
    "resnet": f"name = config\ntree = {SPACES}/resnet.yaml",
    "mobilenet": f"name = config\ntree = {SPACES}/mobilenet.yaml",
}


def measured(args, directory, space):
    """A search of one model; its latency, and the model as PyTorch."""
    text = (f"[search]\nalgorithm = random_search\nmax_evaluations = 1\n[space]\n{space}\n[data]\nsamples = 64\nchannels = 3\nwidth = 64\nheight = 64\n"
            f"[train]\nepochs = 0.01\n[measure.latency_seconds]\nkind = latency_seconds\nbatch_size = {args.batch}\nseconds = 2s\n"
            "[objective.latency_seconds]\ndirection = minimize\n[objective.val_accuracy]\ndirection = maximize\n"
            f"[evaluator]\nkind = torch\ndevice = cpu\nthreads = {args.threads}\n[output]\ndirectory = {directory}\nweights = all\nreport = no\n")
    with open(directory + ".ini", "w") as f:
        f.write(text)
    subprocess.run([os.path.join(args.bin, "archai-run"), directory + ".ini", "--progress", "none"], check=True, capture_output=True)
    with h5py.File(f"{directory}/results.h5") as f:
        assert f["candidates/status"].asstr()[0] == "ok", f["candidates/error"].asstr()[0]
        return float(f["objectives/latency_seconds"][0])


def by_pytorch(args, directory):
    subprocess.run([os.path.join(args.bin, "archai-inspect"), directory, "export", "0", "-o", directory + ".py"], check=True)
    made = runpy.run_path(directory + ".py", run_name="exported")
    model = made["load"](made["Model"](), made["read_weights"](f"{directory}/results.h5")).eval()
    x = torch.rand(args.batch, 3, 64, 64)
    with torch.inference_mode():
        # Traced: of a small model the calls of Python take longer than what they call.
        return [benchmark.Timer("model(x)", globals={"model": m, "x": x}, num_threads=args.threads).blocked_autorange(min_run_time=2).median
                for m in (model, torch.jit.trace(model, x))]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("bin")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--batch", type=int, default=1)
    args = p.parse_args()
    args.bin = os.path.abspath(args.bin)
    torch.set_num_threads(args.threads)
    print(f"PyTorch {torch.__version__}, {args.threads} thread(s), batch {args.batch}, 3 x 64 x 64; medians of {args.rounds} rounds, ms")
    with tempfile.TemporaryDirectory() as where:
        os.chdir(where)
        for name, space in MODELS.items():
            rounds = []
            for i in range(args.rounds):
                rounds.append([1e3 * t for t in (measured(args, f"{name}{i}", space), *by_pytorch(args, f"{name}{i}"))])
            ours, python, traced = (statistics.median(r[k] for r in rounds) for k in range(3))
            ratios = sorted(r[0] / r[2] for r in rounds)
            print(f"{name:10} latency_seconds {ours:8.3f}   torch.utils.benchmark: {python:8.3f}, traced {traced:8.3f}   "
                  f"ratio to that {statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})", flush=True)


if __name__ == "__main__":
    main()
