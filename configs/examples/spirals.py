"""Train one candidate of spirals.ini: a multi-layer perceptron that tells two spirals apart.

Standard input is one line of JSON: archid, arch, id, seed, budget and params, the parameters that exist by dotted name.
The last line of standard output is one JSON object: numbers are measures, lists are learning curves. If the
candidate fails, the last line of standard error becomes its error text.
"""
import json
import math
import os
import struct
import sys
import time

import torch
from torch import nn

EPOCHS = 60  # for a budget of 1


def spirals(n, seed):
    """n points on two noisy spirals: float32 [n, 2] and the spiral of each, int64 [n]."""
    g = torch.Generator().manual_seed(seed)
    label = torch.randint(2, (n,), generator=g)
    t = 3 * math.pi * torch.rand(n, generator=g).sqrt()
    angle = t + math.pi * label
    points = torch.stack((t * angle.cos(), t * angle.sin()), 1) / 10
    return points + 0.02 * torch.randn(n, 2, generator=g), label


def build(p):
    activation = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}[p["activation"]]
    modules, width = [], 2
    for i in range(p["layers._repeat_times"]):
        layer = f"layers._configs.{i}."
        modules.append(nn.Linear(width, p[layer + "width"]))
        width = p[layer + "width"]
        if p[layer + "norm"]:
            modules.append(nn.BatchNorm1d(width))
        modules.append(activation())
    if p["dropout"]:
        modules.append(nn.Dropout(p["rate"]))
    return nn.Sequential(*modules, nn.Linear(width, 2))


def epochs(model, p, batch_size, n, device):
    """Trains for n epochs; after each of them: accuracy and loss on points that it has not seen."""
    x, y = (t.to(device) for t in spirals(1024, seed=1))
    val_x, val_y = (t.to(device) for t in spirals(512, seed=2))
    if p["optimizer"] == "sgd":
        optimizer = torch.optim.SGD(model.parameters(), lr=p["learning_rate"], momentum=p["momentum"])
    else:
        optimizer = torch.optim.Adam(model.parameters(), lr=p["learning_rate"])
    for _ in range(n):
        model.train()
        for batch in torch.randperm(len(x), device=device).split(batch_size):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            out = model(val_x)
        yield (out.argmax(1) == val_y).float().mean().item(), nn.functional.cross_entropy(out, val_y).item()


def save_safetensors(state, path):
    """What safetensors.torch.save_file(state, path) does, without the package: length, JSON header, bytes."""
    kinds = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}
    header, blobs, offset = {}, [], 0
    for name, t in sorted(state.items(), key=lambda item: -item[1].element_size()):
        blob = t.detach().cpu().contiguous().numpy().tobytes()
        header[name] = {"dtype": kinds[t.dtype], "shape": list(t.shape), "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the data begin at a multiple of 8
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def main():
    request = json.loads(sys.stdin.readline())
    torch.manual_seed(request["seed"])
    device = os.environ.get("ARCHAI_DEVICE", "cpu")
    model = build(request["params"]).to(device)
    start = time.monotonic()
    seen = list(epochs(model, request["params"], request["arch"]["batch_size"], max(1, round(EPOCHS * request["budget"])), device))
    if "ARCHAI_WEIGHTS" in os.environ:
        save_safetensors(model.state_dict(), os.environ["ARCHAI_WEIGHTS"])
    print(json.dumps({
        "val_accuracy": seen[-1][0],
        "parameters": sum(t.numel() for t in model.parameters()),
        "train_seconds": time.monotonic() - start,
        "val_loss": [loss for _, loss in seen],
    }))


if __name__ == "__main__":
    main()
