#!/usr/bin/python3
"""What PyTorch says of one module of each kind: tests/data/modules.json (printed form, state_dict)."""
import json
import os

import torch
from torch import nn

net = nn.Sequential()
net.add_module("a", nn.Conv2d(3, 8, 5, stride=2, padding=1, bias=False))
net.add_module("b", nn.BatchNorm2d(8))
net.add_module("c", nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.ReLU(), nn.MaxPool2d(2, 2, 0)))
net.add_module("d", nn.Upsample(scale_factor=2, mode="nearest"))
net.add_module("e", nn.Upsample(size=(9, 7), mode="nearest"))
net.add_module("f", nn.AdaptiveAvgPool2d((2, 1)))
net.add_module("g", nn.Sequential())
net.add_module("h", nn.Flatten())
net.add_module("i", nn.Linear(16, 4))
shape = list(net(torch.zeros(1, 3, 21, 18)).shape)
del net.h  # a step in the data flow, not a module
text = {"repr": repr(net), "output": shape,
        "state_dict": [[k, list(v.shape), str(v.dtype).split(".")[1]] for k, v in net.state_dict().items()],
        "num_params": sum(p.numel() for p in net.parameters())}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "modules.json"), "w") as f:
    json.dump(text, f, indent=1)
