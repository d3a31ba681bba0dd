#!/usr/bin/python3
"""Makes shim_cnn.safetensors: what PyTorch itself does with the cnn model L=2, K=3, H=8 on 3 x 12 x 12 pictures
of 5 classes (Debian's torch 1.13.1, one thread). usage: make_shim_cnn.py OUTPUT

  init/<name>            the state_dict after torch.manual_seed(7), in its order
  input, output          float32 pictures, and the initial model's answer in evaluation mode after one
                         pass of training has moved the running statistics (warm/<name>)
  train/images, labels   24 pictures uint8, one batch: so that their order does not matter
  val/images, labels     9 pictures
  <optimizer>/<name>     the state_dict after 4 epochs, cosine schedule
  <optimizer>/measures   train_loss of the last epoch, val_loss, val_accuracy after it
"""
import json
import math
import struct
import sys

import numpy as np
import torch
from torch import nn


class MyModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
            nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
            nn.AdaptiveAvgPool2d((1, 1)), nn.Conv2d(8, 5, 1))

    def forward(self, x):
        return self.model(x).flatten(1)


def save(path, tensors):
    """safetensors with the header in the given order, which the reference implementation would sort."""
    names = {np.dtype("float32"): "F32", np.dtype("int64"): "I64", np.dtype("uint8"): "U8"}
    header, data = {}, b""
    for width in (8, 4, 1):
        for name, x in tensors.items():
            header.setdefault(name, None)
            if x.dtype.itemsize == width:
                begin = len(data)
                data += np.ascontiguousarray(x).tobytes()
                header[name] = {"dtype": names[x.dtype], "shape": list(x.shape), "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def state(model, prefix):
    return {f"{prefix}/{k}": v.detach().clone().numpy() for k, v in model.state_dict().items()}


def main():
    torch.set_num_threads(1)
    out = {}
    rng = np.random.RandomState(3)

    def pictures(n):
        labels = rng.randint(0, 5, n).astype(np.uint8)
        images = rng.randint(0, 120, (n, 3, 12, 12)).astype(np.uint8)
        for i, label in enumerate(labels):
            images[i, label % 3, 2 * (label % 4) : 2 * (label % 4) + 4] += 100
        return images, labels

    images, labels = pictures(24)
    val_images, val_labels = pictures(9)
    out |= {"train/images": images, "train/labels": labels, "val/images": val_images, "val/labels": val_labels}
    x, y = torch.from_numpy(images).float().div_(255), torch.from_numpy(labels).long()
    vx, vy = torch.from_numpy(val_images).float().div_(255), torch.from_numpy(val_labels).long()
    loss_of = nn.CrossEntropyLoss()

    def fresh():
        torch.manual_seed(7)
        return MyModel()

    model = fresh()
    out |= state(model, "init")
    model.train()
    model(x)
    model.eval()
    out |= state(model, "warm")
    sample = torch.from_numpy(rng.randn(3, 3, 12, 12).astype(np.float32))
    out |= {"input": sample.numpy(), "output": model(sample).detach().numpy()}

    optimizers = {
        "sgd": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.01),
        "adam": lambda p: torch.optim.Adam(p, 0.01, weight_decay=0.01),
        "adamw": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.01),
    }
    epochs = 4
    for name, make in optimizers.items():
        model = fresh()
        optimizer = make(model.parameters())
        base = optimizer.param_groups[0]["lr"]
        for epoch in range(epochs):
            optimizer.param_groups[0]["lr"] = base * 0.5 * (1 + math.cos(math.pi * epoch / epochs))
            model.train()
            optimizer.zero_grad()
            train_loss = loss_of(model(x), y)
            train_loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            answer = model(vx)
            measures = [train_loss.item(), loss_of(answer, vy).item(), (answer.argmax(1) == vy).float().mean().item()]
        out |= state(model, name)
        out[f"{name}/measures"] = np.array(measures, dtype=np.float32)
        print(name, measures)
    save(sys.argv[1], out)


main()
