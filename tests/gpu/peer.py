#!/usr/bin/env python3
"""What tests/gpu/check compares with the PyTorch of the same machine.

peer.py data DIR                     files to train on: IDX pictures, a text
peer.py outputs DIR --device D       weights that archai-run trained give PyTorch the same val_loss
peer.py losses DIR --device D        after some epochs, over seeds, val_loss is PyTorch's within its noise
peer.py speed DIR --device D         pictures a second: "NAME<tab>ours<tab>eager, compiled, graphs"

Needs torch alone. The programs are on PATH.
"""
import argparse
import csv
import io
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import time

import torch
from torch import nn

CONFIG = """[search]
algorithm = random_search
max_evaluations = 1
[space]
name = cnn
max_layers = {layers}
kernel_list = 3
hidden_list = {hidden}
[data]
format = idx
train_images = {dir}/train-images
train_labels = {dir}/train-labels
val_images = {dir}/val-images
val_labels = {dir}/val-labels
max_samples = {samples}
[train]
learning_rate = 1e-3
weight_decay = 1e-2
learning_rate_schedule = constant
batch_size = {batch}
[objective.val_loss]
direction = minimize
[objective.train_seconds]
direction = minimize
"""


def write_idx(path, t):
    with open(path, "wb") as f:
        f.write(bytes([0, 0, 8, t.dim()]) + b"".join(n.to_bytes(4, "big") for n in t.shape) + bytes(t.flatten().tolist()))


def read_idx(path):
    with open(path, "rb") as f:
        raw = bytearray(f.read())
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(raw[3])]
    return torch.frombuffer(raw, dtype=torch.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def make_data(args):
    """Ten blurred patterns, each moved about and under noise: learnt slowly enough to tell losses apart."""
    g = torch.Generator().manual_seed(7)
    patterns = nn.functional.interpolate(torch.rand(10, 1, 7, 7, generator=g), size=28, mode="bilinear")[:, 0]
    for split, n in ("train", 4096), ("val", 1024):
        labels = torch.randint(0, 10, (n,), generator=g)
        images = torch.stack([p.roll((int(dy), int(dx)), (0, 1)) for p, dy, dx in zip(
            patterns[labels], torch.randint(-6, 7, (n,), generator=g), torch.randint(-6, 7, (n,), generator=g))])
        images = (images + 0.5 * torch.randn(n, 28, 28, generator=g)).clamp(0, 1) * 255
        write_idx(f"{args.dir}/{split}-images", images.to(torch.uint8))
        write_idx(f"{args.dir}/{split}-labels", labels.to(torch.uint8))
    words = ["the", "search", "trains", "many", "models", "and", "keeps", "those", "that", "learn", "best"]
    with open(f"{args.dir}/text.txt", "w") as f:
        for i in torch.randint(0, len(words), (20000,), generator=g).tolist():
            f.write(words[i] + (".\n" if i == 10 else " "))


# -- the same model in both ---------------------------------------------------------------------------


class Net(nn.Sequential):
    def __init__(self, layers, hidden):
        modules, width = [], 1
        for _ in range(layers):
            modules += [nn.Conv2d(width, hidden, 3, padding=1), nn.BatchNorm2d(hidden), nn.ReLU()]
            width = hidden
        super().__init__(*modules, nn.AdaptiveAvgPool2d(1), nn.Conv2d(hidden, 10, 1), nn.Flatten())


def ours(args, name, settings, epochs, seed=1, **more):
    """archai-run trains one model. Returns its objectives, number of layers and results directory."""
    out = os.path.join(args.dir, "runs", name)
    shutil.rmtree(out, ignore_errors=True)
    with open(os.path.join(args.dir, name + ".ini"), "w") as f:
        f.write(CONFIG.format(dir=args.dir, **settings))
    # a seed of the space whose first sample has all the layers; that of the search draws weights and order
    command = ["archai-run", f.name, "--output", out, "--progress", "none", "--set", f"train.epochs={epochs}", "--set",
               f"search.seed={seed}", "--set", f"space.seed={more.pop('space_seed', 1)}", "--set", "output.weights=all"]
    for key, value in more.items():
        command += ["--set", f"{key.replace('__', '.')}={value}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr.strip().splitlines()[-1])
    table = subprocess.run(["archai-inspect", out, "csv"], capture_output=True, text=True, check=True).stdout
    row = next(csv.DictReader(io.StringIO(table)))
    return float(row["val_loss"]), float(row["train_seconds"]), int(row["archid"].split(",")[0].split("=")[1]), out, row["archid"]


def deepest(args, name, settings):
    """A seed of the space that samples the largest number of layers first."""
    for seed in range(1, 40):
        with open(os.path.join(args.dir, name + ".ini"), "w") as f:
            f.write(CONFIG.format(dir=args.dir, **settings))
        line = subprocess.run(["archai-space", f.name, "sample", "--set", f"space.seed={seed}"], capture_output=True,
                              text=True, check=True).stdout
        if f"L={settings['layers']}," in json.loads(line)["archid"]:
            return seed
    sys.exit("no seed samples the deepest model")


def load(args, split, device):
    return (read_idx(f"{args.dir}/{split}-images").unsqueeze(1).to(device), read_idx(f"{args.dir}/{split}-labels").long().to(device))


@torch.no_grad()
def val_loss(model, x, y):
    model.eval()
    total = 0.0
    for i in range(0, len(x), 256):
        total += nn.functional.cross_entropy(model(x[i : i + 256].float() / 255), y[i : i + 256], reduction="sum").item()
    return total / len(x)


def train(model, x, y, batch, epochs, bf16=False):
    """Seconds of each epoch."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2, **({"fused": True} if x.is_cuda else {}))
    seconds = []
    for _ in range(epochs):
        model.train()
        begun, total = time.perf_counter(), torch.zeros((), device=x.device)
        for index in torch.randperm(len(x), device=x.device).split(batch):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=bf16):
                loss = nn.functional.cross_entropy(model(x[index].float() / 255), y[index])
            loss.backward()
            optimizer.step()
            total += loss.detach()
        total.item()
        seconds.append(time.perf_counter() - begun)
    return seconds


# -- comparisons ---------------------------------------------------------------------------------------

SMALL = {"layers": 4, "hidden": 32, "batch": 64, "samples": 4096}
LARGE = {"layers": 4, "hidden": 256, "batch": 256, "samples": 4096}


def outputs(args):
    worst = 0.0
    for name, settings in ("small", SMALL), ("wide", dict(SMALL, hidden=2 * SMALL["hidden"])):
        loss, _, layers, out, archid = ours(args, "outputs_" + name, settings, 1)
        path = os.path.join(args.dir, "winner.pt")
        if os.path.exists(path):
            os.remove(path)
        subprocess.run(["archai-inspect", out, "export", archid, "--format", "pt", "-o", path], check=True, capture_output=True)
        model = Net(layers, settings["hidden"])
        given, own = torch.load(path), model.state_dict()
        assert [t.shape for t in given.values()] == [t.shape for t in own.values()], (list(given), list(own))
        model.load_state_dict(dict(zip(own, given.values())))
        theirs = val_loss(model.to(args.device), *load(args, "val", args.device))
        print(f"{name}: val_loss {loss:.6f}, PyTorch {theirs:.6f}")
        worst = max(worst, abs(loss - theirs) / theirs)
    assert worst < 3e-3, worst  # TF32


def losses(args):
    x, y = (t[: SMALL["samples"]] for t in load(args, "train", args.device))
    val = load(args, "val", args.device)
    seed = deepest(args, "losses", SMALL)
    mine = [ours(args, "losses", SMALL, 3, s, space_seed=seed)[0] for s in range(1, 6)]
    theirs = []
    for s in range(1, 6):
        torch.manual_seed(s)
        model = Net(SMALL["layers"], SMALL["hidden"]).to(args.device)
        train(model, x, y, SMALL["batch"], 3)
        theirs.append(val_loss(model, *val))
    noise = math.sqrt((statistics.variance(mine) + statistics.variance(theirs)) / 5)
    print(f"val_loss after 3 epochs, 5 seeds: {statistics.mean(mine):.4f}, PyTorch {statistics.mean(theirs):.4f}, noise {noise:.4f}")
    assert abs(statistics.mean(mine) - statistics.mean(theirs)) < 3 * noise + 0.02 * statistics.mean(theirs)


def speed(args):
    has = {k for k in ("train.precision", "train.tf32")
           if f"`{k}`" in subprocess.run(["archai-run", "--help-config"], capture_output=True, text=True).stdout}
    gpu = args.device != "cpu"
    x, y = load(args, "train", args.device)
    for name, settings in ("small", SMALL), ("large", LARGE):
        seed = deepest(args, "speed", settings)
        px, py = x[: settings["samples"]], y[: settings["samples"]]
        for precision in ("fp32", "tf32", "bf16") if gpu else ("fp32", "bf16"):
            keys = {}
            if precision == "bf16" and "train.precision" not in has:
                continue
            if "train.precision" in has:
                keys["train__precision"] = "bf16" if precision == "bf16" else "fp32"
            if "train.tf32" in has:
                keys["train__tf32"] = "no" if precision == "fp32" else "yes"
            torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision != "fp32"
            torch.backends.cudnn.benchmark = True
            one, five = (ours(args, "speed", settings, n, space_seed=seed, **keys)[1] for n in (1, 4))
            text = []
            kinds = [("eager", None), ("compile", {}), ("graphs", {"mode": "reduce-overhead"})] if gpu else [("eager", None)]
            for kind, how in kinds:
                try:
                    model = Net(settings["layers"], settings["hidden"]).to(args.device)
                    run = model if how is None else torch.compile(model, **how)
                    text.append(f"{kind} {len(px) / min(train(run, px, py, settings['batch'], 4, precision == 'bf16')):.0f}")
                except Exception as e: # a compiler that is not there says so in its own words
                    text.append(f"{kind}: {type(e).__name__}")
            print(f"speed {name} {precision}\t{len(px) * 3 / max(five - one, 1e-9):.0f}/s\tPyTorch {', '.join(text)}", flush=True)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("what", choices=["data", "outputs", "losses", "speed"])
    ap.add_argument("dir")
    ap.add_argument("--device", default="cuda")
    args = ap.parse_args()
    torch.set_num_threads(1)
    if args.device == "cpu": # only to try the script
        SMALL.update(hidden=8, samples=512)
        LARGE.update(hidden=16, samples=512)
    {"data": make_data, "outputs": outputs, "losses": losses, "speed": speed}[args.what](args)


if __name__ == "__main__":
    main()
