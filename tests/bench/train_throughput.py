#!/usr/bin/python3
"""Training throughput of archai-run's evaluator against Python PyTorch: same model, shapes, batch size, optimizer and threads.

The programs take turns, and CPU time is compared, of the fastest epoch: a busy machine slows down both. Ratios are of the same
round; the table has their medians. Device cuda: the time on the clock instead.

usage: train_throughput.py BENCH_TRAIN [--peer NAME=PYTHON]... [--models TEXT] [--modes LIST] [--rounds N] ...
A peer is a PyTorch: --peer 1.13=/usr/bin/python3 --peer new=/opt/torch/bin/python. Modes: fp32, compile (fp32), bf16 (channels last).
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import train_models

MODES = {"fp32": "precision = fp32\n", "bf16": "precision = bf16\n"}


def python_epochs(name, mode, args):
    """Prints the seconds of each epoch of a plain, careful PyTorch loop: data resident, no DataLoader, a fused or foreach optimizer."""
    import torch

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    make, arguments, _, _, shape, classes, dense, batch = train_models.MODELS[name]
    device = torch.device(args.device)
    model = make(*arguments).to(device)
    last = mode == "bf16" and len(shape) == 3
    if last:
        model = model.to(memory_format=torch.channels_last)
    run = torch.compile(model) if mode == "compile" else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
    n = args.steps * batch
    x = torch.randint(0, 256, (n, *shape), dtype=torch.uint8, device=device)
    labels = (n, *shape[1:]) if len(shape) == 3 and dense else (n, *shape) if dense else (n,)
    y = torch.randint(0, classes, labels, dtype=torch.uint8, device=device)
    tokens = len(shape) == 1
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True

    def clock():
        if device.type == "cuda":
            torch.cuda.synchronize()
            return time.perf_counter()
        return time.process_time()

    def epoch():
        total = torch.zeros((), device=device)
        for index in torch.randperm(n, device=device).split(batch):
            optimizer.zero_grad(set_to_none=True)
            images = x[index].long() if tokens else x[index].float().div_(255)
            if last:
                images = images.contiguous(memory_format=torch.channels_last)
            with torch.autocast(device.type, torch.bfloat16, enabled=mode == "bf16"):
                out = run(images)
                loss = torch.nn.functional.cross_entropy(out, y[index].long().flatten() if tokens else y[index].long())
            loss.backward()
            optimizer.step()
            total += loss.detach()
        total.item()

    seconds = []
    for _ in range(args.epochs + 1):
        begun = clock()
        epoch()
        seconds.append(clock() - begun)
    print(json.dumps({"rate": n / min(seconds[1:]), "torch": torch.__version__}))


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def ours(name, mode, args, folder):
    config, arch = train_models.write_config(name, folder, MODES[mode])
    got = run([args.bench_train, config, arch, args.device, str(args.threads), str(args.epochs)])
    key = "seconds" if args.device.startswith("cuda") else "cpu_seconds"
    return got["pictures"] / min(got[key]), got["arithmetic"]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("bench_train")
    ap.add_argument("--peer", action="append", default=[], help="NAME=PYTHON")
    ap.add_argument("--models", default="", help="only those with this text in their name")
    ap.add_argument("--modes", default="fp32,compile,bf16")
    ap.add_argument("--threads", type=int, default=1)
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--epochs", type=int, default=3)
    ap.add_argument("--steps", type=int, default=8, help="of Python, in an epoch")
    ap.add_argument("--device", default="cpu")
    ap.add_argument("--python", nargs=2, metavar=("MODEL", "MODE"), help=argparse.SUPPRESS)
    args = ap.parse_args()
    if args.python:
        return python_epochs(*args.python, args)
    modes = args.modes.split(",")
    peers = [p.split("=", 1) for p in args.peer or [f"python3={sys.executable}"]]
    options = [f"--{k}={getattr(args, k)}" for k in ("threads", "epochs", "steps", "device")]
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    print("| model | | pictures/s | against |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in train_models.MODELS:
            if args.models not in name:
                continue
            for mine in MODES:
                against = {"fp32": ("fp32", "compile"), "bf16": ("bf16",)}[mine]
                wanted = [(p, m) for p in peers for m in against if m in modes and (m != "compile" or not p[0].startswith("1."))]
                ratios, rates, arithmetic = {}, [], ""
                for _ in range(args.rounds if wanted else 0):
                    rate, arithmetic = ours(name, mine, args, folder)
                    rates.append(rate)
                    for (peer, python), mode in wanted:
                        theirs = run([python, os.path.abspath(__file__), "-", "--python", name, mode, *options])
                        ratios.setdefault(f"{peer} {mode}", []).append(rate / theirs["rate"])
                if wanted:
                    said = ", ".join(f"{k} {statistics.median(v):.2f}" for k, v in ratios.items())
                    print(f"| {name} | {arithmetic or 'fp32'} | {statistics.median(rates):.0f} | {said} |", flush=True)


if __name__ == "__main__":
    main()
