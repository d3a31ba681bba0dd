#!/usr/bin/python3
"""Pictures larger decoded than the memory that the job may have: trained from JPEGs as they are needed, against the same
training without a limit and with all pictures in memory. Runs of both kinds take turns, so that a busy machine slows down
both.

usage: stream_memory.py BIN_DIRECTORY [--directory D] [--pictures N] [--side PIXELS] [--limit BYTES] [--rounds N] [--ranks N]

The limit is a control group's (v1 or v2), made for each limited run below this process' own, or below the root; where none can
be made the script says so and stops. Needs root.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import h5py
import numpy as np

CONFIG = """[search]
algorithm = random_search
max_evaluations = {evaluations}
[space]
name = cnn
min_layers = 4
max_layers = 4
kernel_list = 3
hidden_list = {hidden}
[data]
format = folder
file = {folder}
resident = {resident}
validation = 0.02
augment = flip
max_samples = {samples}
[objective.params]
direction = minimize
[train]
epochs = {epochs}
batch_size = 8
[evaluator]
threads = 1
[output]
report = no
weights = none
"""


def make(folder, n, side):
    """Blocks of noise under a gradient: JPEGs of usual size."""
    for c in range(10):
        (folder / str(c)).mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        list(pool.map(one_of, [(str(folder), i, side) for i in range(n)], chunksize=200))


def one_of(what):
    from PIL import Image

    folder, i, side = what
    rng = np.random.default_rng(i)
    small = rng.integers(0, 256, (side // 8, side // 8, 3), np.uint8)
    x = np.array(Image.fromarray(small).resize((side, side), Image.BICUBIC), np.int16)
    x += rng.integers(-12, 13, x.shape, np.int16)
    Image.fromarray(x.clip(0, 255).astype(np.uint8)).save(f"{folder}/{i % 10}/{i}.jpg", quality=85)


class Group:
    """A control group with a limit of memory."""

    def __init__(self, limit):
        v1 = pathlib.Path("/sys/fs/cgroup/memory")
        root, name = (v1, "memory.limit_in_bytes") if v1.is_dir() else (pathlib.Path("/sys/fs/cgroup"), "memory.max")
        self.path = root / f"archai-bench-{os.getpid()}"
        self.peak = self.path / ("memory.max_usage_in_bytes" if v1.is_dir() else "memory.peak")
        try:
            self.path.mkdir()
            (self.path / name).write_text(str(int(limit)))
        except OSError as e:
            sys.exit(f"no control group can be made: {e}")

    def enter(self):
        (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def leave(self):
        peak = int(self.peak.read_text())
        for _ in range(100):
            try:
                return self.path.rmdir() or peak
            except OSError:
                time.sleep(0.05)
        return peak


def run(args, name, resident, limit=None, ranks=1):
    """Pictures a second of each candidate's training loop, its share of waiting, the peak of the group."""
    out = pathlib.Path(args.directory, name)
    shutil.rmtree(out, ignore_errors=True)
    config = CONFIG.format(folder=args.folder, resident=resident, epochs=args.epochs, evaluations=ranks, hidden="32 31"[: 2 if ranks == 1 else 5], samples=args.samples)
    path = pathlib.Path(args.directory, f"{name}.ini")
    path.write_text(config)
    group = Group(limit) if limit else None
    command = [*(["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none", "-n", str(ranks)] if ranks > 1 else []),
               f"{args.bin}/archai-run", str(path), "--output", str(out)]
    before = os.times()
    begun = time.time()
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=group and group.enter,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})
    after = os.times()
    peak = group.leave() if group else None
    if done.returncode != 0:
        sys.exit(done.stderr + done.stdout)
    trained = round(args.samples * 0.98 * args.epochs / 8) * 8
    with h5py.File(out / "results.h5") as f:
        seconds = f["metrics/train_seconds"][:]
        waits = f["metrics/data_wait"][:] if "data_wait" in f["metrics"] else np.zeros(len(seconds))
        losses = f["metrics/val_loss"][:]
    said = [line for line in (done.stderr + done.stdout).splitlines() if "pictures to train on" in line]
    return {"rate": [trained / s for s in seconds], "wait": [float(w) for w in waits], "loss": [float(x) for x in losses],
            "peak": peak, "said": said[0] if said else "", "wall": time.time() - begun,
            "cpu": after.children_user + after.children_system - before.children_user - before.children_system}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("bin")
    ap.add_argument("--directory", default="/tmp/stream_memory")
    ap.add_argument("--pictures", type=int, default=20000)
    ap.add_argument("--side", type=int, default=128)
    ap.add_argument("--samples", type=int, help="train with the first so many (all are there, and checked)")
    ap.add_argument("--limit", type=float, default=800e6)
    ap.add_argument("--epochs", type=float, default=0.1, help="a tenth of an epoch draws from all pictures, too")
    ap.add_argument("--rounds", type=int, default=2)
    ap.add_argument("--ranks", type=int, default=2)
    args = ap.parse_args()
    args.samples = args.samples or args.pictures
    args.folder = f"{args.directory}/pictures-{args.pictures}-{args.side}"
    if not os.path.exists(args.folder):
        make(pathlib.Path(args.folder), args.pictures, args.side)
    files = [p for p in pathlib.Path(args.folder).rglob("*.jpg")]
    read = sum(len(p.read_bytes()) for p in files)  # once, from outside the limit
    decoded = args.samples * 3 * args.side**2
    print(f"{len(files)} JPEGs of {read / 1e6:.0f} MB; decoded {decoded / 1e6:.0f} MB; limit {args.limit / 1e6:.0f} MB")
    for ranks in dict.fromkeys([1, args.ranks]):
        held, streamed = [], []
        for i in range(args.rounds):
            held.append(run(args, "held", "yes", ranks=ranks))
            streamed.append(run(args, "streamed", "auto", args.limit, ranks=ranks))
            print(json.dumps({"ranks": ranks, "held": held[-1], "streamed": streamed[-1]}), flush=True)
        assert all(sorted(h["loss"]) == sorted(s["loss"]) for h, s in zip(held, streamed)), "the losses differ"
        assert all("read while training" in s["said"] for s in streamed)
        pairs = [np.mean(s["rate"]) / np.mean(h["rate"]) for h, s in zip(held, streamed)]
        print(f"{ranks} rank(s): streamed {np.mean([np.mean(s['rate']) for s in streamed]):.1f} pictures/s each, held "
              f"{np.mean([np.mean(h['rate']) for h in held]):.1f}: ratio {np.mean(pairs):.3f} (of pairs: "
              f"{', '.join(f'{p:.3f}' for p in pairs)}); waiting {max(max(s['wait']) for s in streamed):.4f}; CPU time "
              f"{np.mean([s['cpu'] for s in streamed]):.1f} s against {np.mean([h['cpu'] for h in held]):.1f} s; "
              f"peak {max(s['peak'] for s in streamed) / 1e6:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
