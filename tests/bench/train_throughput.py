#!/usr/bin/python3
"""Training throughput of archai-run's evaluator against Python PyTorch: same model, data, batch size,
threads and libtorch, taking turns in one run, so that a busy machine slows down both.

usage: train_throughput.py BENCH_TRAIN IMAGES LABELS [--threads N] [--batch N] [--rounds N] [--device D]
"""
import argparse
import gzip
import json
import subprocess
import sys
import time

ARCHS = [(2, 3, 16), (4, 3, 32), (3, 5, 16), (1, 3, 8)]


def idx(path):
    import numpy as np

    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as f:
        raw = f.read()
    dims = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(raw[3])]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * len(dims)).reshape(dims)


def python_epochs(args, arch, epochs):
    """Seconds per epoch of a plain, careful PyTorch loop: data resident, no DataLoader."""
    import torch
    from torch import nn

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    layers, kernel, hidden = arch
    modules, width = [], 1
    for _ in range(layers):
        modules += [nn.Conv2d(width, hidden, kernel, padding=(kernel - 1) // 2), nn.BatchNorm2d(hidden), nn.ReLU()]
        width = hidden
    modules += [nn.AdaptiveAvgPool2d((1, 1)), nn.Conv2d(hidden, 10, 1)]
    model = nn.Sequential(*modules).to(args.device)
    x = torch.from_numpy(idx(args.images).copy()).unsqueeze(1).to(args.device)
    y = torch.from_numpy(idx(args.labels).copy()).to(args.device)
    n = len(x) - round(0.1 * len(x))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
    loss_of = nn.CrossEntropyLoss()
    seconds = []
    for _ in range(epochs):
        begun = time.perf_counter()
        model.train()
        order = torch.randperm(n, device=args.device)
        total = torch.zeros((), device=args.device)
        for index in order.split(args.batch):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(model(x[index].float().div_(255)).flatten(1), y[index].long())
            loss.backward()
            optimizer.step()
            total += loss.detach()
        total.item()
        seconds.append(time.perf_counter() - begun)
    print(json.dumps({"seconds": seconds, "pictures": n}))


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("bench_train")
    ap.add_argument("images")
    ap.add_argument("labels")
    ap.add_argument("--threads", type=int, default=1)
    ap.add_argument("--batch", type=int, default=64)
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--epochs", type=int, default=2)
    ap.add_argument("--device", default="cpu")
    ap.add_argument("--only", type=int, help="number of one architecture")
    ap.add_argument("--python-arch", type=int, help=argparse.SUPPRESS)
    args = ap.parse_args()
    if args.python_arch is not None:
        return python_epochs(args, ARCHS[args.python_arch], args.epochs)
    for i, (layers, kernel, hidden) in enumerate(ARCHS):
        if args.only is not None and i != args.only:
            continue
        arch = json.dumps({"nb_layers": layers, "kernel_size": kernel, "hidden_dim": hidden})
        ours = [args.bench_train, args.images, args.labels, arch, args.device, str(args.threads), str(args.batch),
                str(args.epochs)]
        best_ours, best_theirs = [], []
        for _ in range(args.rounds):
            got = run(ours)
            best_ours += got["seconds"]
            best_theirs += run([sys.executable, *sys.argv, "--python-arch", str(i)])["seconds"]
        a, b = got["pictures"] / min(best_ours), got["pictures"] / min(best_theirs)
        print(f"L={layers}, K={kernel}, H={hidden}: {a:.0f} pictures/s, Python {b:.0f}: ratio {a / b:.2f}", flush=True)


if __name__ == "__main__":
    main()
