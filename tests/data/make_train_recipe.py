#!/usr/bin/python3
"""Makes train_recipe.safetensors: what PyTorch's own optimizers, schedulers and their like do with the model and the
pictures of shim_cnn.safetensors, all 24 of them in each step (Debian's torch 1.13.1, one thread).
usage: make_train_recipe.py shim_cnn.safetensors OUTPUT

  <case>/rates      float64: the learning rate of each step
  <case>/val_loss   float64: after each step, of the average where there is one
  <case>/measures   float64: accuracy, mean absolute and root mean squared error after the last step; NaN: not one
  <case>/<name>     the state_dict after the last step, or the average of weights
"""
import json
import math
import struct
import sys

import numpy as np
import torch
from torch import nn
from torch.optim import lr_scheduler as lrs
from torch.optim.swa_utils import AveragedModel

LR, STEPS = 0.02, 12


class MyModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
            nn.AdaptiveAvgPool2d((1, 1)), nn.Conv2d(8, 5, 1))

    def forward(self, x):
        return self.model(x).flatten(1)


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, arXiv:2302.06675, algorithm 2, line by line."""
    def __init__(self, params, lr, weight_decay, betas=(0.9, 0.99)):
        super().__init__(params, dict(lr=lr, weight_decay=weight_decay, betas=betas))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                c = beta1 * m + (1 - beta1) * p.grad
                p.copy_(p - group["lr"] * (torch.sign(c) + group["weight_decay"] * p))
                self.state[p]["m"] = beta2 * m + (1 - beta2) * p.grad


def load(path):
    kinds = {"F32": np.float32, "I64": np.int64, "U8": np.uint8}
    raw = open(path, "rb").read()
    size = struct.unpack("<Q", raw[:8])[0]
    out = {}
    for name, e in json.loads(raw[8 : 8 + size]).items():
        begin, end = e["data_offsets"]
        out[name] = np.frombuffer(raw[8 + size + begin : 8 + size + end], kinds[e["dtype"]]).reshape(e["shape"]).copy()
    return out


def save(path, tensors):
    """safetensors with the header in the given order."""
    names = {"float64": "F64", "float32": "F32", "int64": "I64", "uint8": "U8"}
    header, data = {}, b""
    for width in (8, 4, 1):
        for name, x in tensors.items():
            header.setdefault(name, None)
            if x.dtype.itemsize == width:
                begin = len(data)
                data += np.ascontiguousarray(x).tobytes()
                header[name] = {"dtype": names[str(x.dtype)], "shape": list(x.shape), "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def warm(o, after, n=3):
    """The warm-up, then a schedule that depends on the number of steps."""
    return lrs.SequentialLR(o, [lrs.LinearLR(o, start_factor=0.01, total_iters=n), after], milestones=[n])


def chained(o, *others, n=3):
    return lrs.ChainedScheduler([lrs.LinearLR(o, start_factor=0.01, total_iters=n), *others])


def sgd(p, **k):
    return torch.optim.SGD(p, LR, **k)


def several(y):
    """Two of five labels: the class, and the next one."""
    k = torch.arange(5)
    return ((k == y[:, None]) | (k == (y[:, None] + 1) % 5)).float()


def numbers(y):
    """Five numbers, some far from what a new network says."""
    return y[:, None] - 0.5 * torch.arange(5)


# name: optimizer, schedule, and what else differs from a plain training
CASES = {
    "constant": (sgd, lambda o: lrs.ConstantLR(o, factor=1), {}),
    "constant_warmup": (sgd, lambda o: chained(o), {}),
    "cosine": (sgd, lambda o: lrs.CosineAnnealingLR(o, STEPS), {}),
    "cosine_warmup": (sgd, lambda o: warm(o, lrs.CosineAnnealingLR(o, STEPS - 3, eta_min=0.1 * LR)), {}),
    "step": (sgd, lambda o: lrs.StepLR(o, 4, gamma=0.3), {}),
    "step_warmup": (sgd, lambda o: chained(o, lrs.StepLR(o, 4, gamma=0.3)), {}),
    "multistep": (sgd, lambda o: lrs.MultiStepLR(o, [3, 9], gamma=0.1), {}),
    "multistep_warmup": (sgd, lambda o: chained(o, lrs.MultiStepLR(o, [2, 9], gamma=0.1)), {}),
    "linear": (sgd, lambda o: lrs.LinearLR(o, start_factor=1, end_factor=0.25, total_iters=STEPS), {}),
    "linear_warmup": (sgd, lambda o: warm(o, lrs.LinearLR(o, start_factor=1, end_factor=0.25, total_iters=STEPS - 3)), {}),
    "one_cycle": (sgd, lambda o: lrs.OneCycleLR(o, LR, total_steps=STEPS, cycle_momentum=False), {}),
    "one_cycle_warmup": (sgd, lambda o: lrs.OneCycleLR(o, LR, total_steps=STEPS, cycle_momentum=False, pct_start=0.5), {}),
    "nesterov": (lambda p: sgd(p, momentum=0.9, nesterov=True, weight_decay=0.01), None, {}),
    "adam_decay": (lambda p: torch.optim.Adam(p, LR, weight_decay=0.1), None, {"decay_weights": True}),
    "adamw_decay": (lambda p: torch.optim.AdamW(p, LR, weight_decay=0.1), None, {"decay_weights": True}),
    "rmsprop": (lambda p: torch.optim.RMSprop(p, LR / 10, weight_decay=0.01), None, {}),
    "rmsprop_momentum": (lambda p: torch.optim.RMSprop(p, LR / 10, momentum=0.9, weight_decay=0.01), None, {}),
    "lion": (lambda p: Lion(p, LR / 10, weight_decay=0.1), None, {}),
    "clip": (lambda p: sgd(p, momentum=0.9), None, {"clip": 0.5}),
    "smoothing": (lambda p: sgd(p, momentum=0.9), None, {"smoothing": 0.1}),
    "ema": (lambda p: sgd(p, momentum=0.9), None, {"ema": 0.8}),
    "bce": (lambda p: sgd(p, momentum=0.9), None, {"loss": nn.functional.binary_cross_entropy_with_logits, "targets": several}),
    "mse": (lambda p: sgd(p, momentum=0.9), None, {"loss": nn.functional.mse_loss, "targets": numbers}),
    "l1": (lambda p: sgd(p, momentum=0.9), None, {"loss": nn.functional.l1_loss, "targets": numbers}),
    "huber": (lambda p: sgd(p, momentum=0.9), None, {"loss": nn.functional.huber_loss, "targets": numbers}),
}


def grouped(model, decay_weights):
    """With the switch: norms and biases, which have one dimension, in a group without weight decay."""
    if not decay_weights:
        return model.parameters()
    return [{"params": [p for p in model.parameters() if p.dim() > 1]},
            {"params": [p for p in model.parameters() if p.dim() <= 1], "weight_decay": 0}]


def train(data, optimizer_of, scheduler_of, clip=None, smoothing=0.0, ema=None, decay_weights=False, loss=None, targets=None):
    def floats(name):
        return torch.from_numpy(data[name]).float().div_(255)

    x, y = floats("train/images"), torch.from_numpy(data["train/labels"]).long()
    vx, vy = floats("val/images"), torch.from_numpy(data["val/labels"]).long()
    if targets:
        y, vy = targets(y), targets(vy)
    loss_of = loss or nn.functional.cross_entropy
    torch.manual_seed(7)
    model = MyModel()
    optimizer = optimizer_of(grouped(model, decay_weights))
    scheduler = scheduler_of(optimizer) if scheduler_of else None
    mean = AveragedModel(model, avg_fn=lambda avg, p, n: ema * avg + (1 - ema) * p, use_buffers=True) if ema else None
    rates, losses = [], []
    for _ in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        model.train()
        optimizer.zero_grad()
        loss_of(model(x), y, **({"label_smoothing": smoothing} if smoothing else {})).backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        if scheduler:
            scheduler.step()
        if mean:
            mean.update_parameters(model)
        judged = mean.module if mean else model
        judged.eval()
        with torch.no_grad():
            answer = judged(vx)
            losses.append(loss_of(answer, vy).item())
    if mean: # a count, of which an average means nothing
        for name, b in mean.module.named_buffers():
            if name.endswith("num_batches_tracked"):
                b.copy_(dict(model.named_buffers())[name])
    off = answer - vy if targets is numbers else torch.full((1,), math.nan)
    right = (answer > 0) == (vy > 0.5) if targets is several else answer.argmax(1) == vy if not targets else None
    measures = [right.float().mean().item() if right is not None else math.nan, off.abs().mean().item(), off.square().mean().sqrt().item()]
    return {"rates": np.array(rates), "val_loss": np.array(losses), "measures": np.array(measures)} | {
        k: v.detach().clone().numpy() for k, v in judged.state_dict().items()}


def main():
    torch.set_num_threads(1)
    data, out = load(sys.argv[1]), {}
    for name, (optimizer, scheduler, extra) in CASES.items():
        got = train(data, optimizer, scheduler, **extra)
        print(name, got["rates"][[0, 1, -1]], got["val_loss"][-1])
        out |= {f"{name}/{k}": v for k, v in got.items()}
    save(sys.argv[2], out)


main()
