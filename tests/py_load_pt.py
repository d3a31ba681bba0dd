#!/usr/bin/python3
"""Is a .pt file the state_dict that a safetensors file holds below a prefix? py_load_pt.py PT SAFETENSORS PREFIX"""
import json
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


pt, safetensors, prefix = sys.argv[1:]
state = torch.load(pt, weights_only=True)
assert isinstance(state, dict), type(state)
MyModel().load_state_dict(state, strict=True)
raw = open(safetensors, "rb").read()
(length,) = struct.unpack("<Q", raw[:8])
header = json.loads(raw[8 : 8 + length])
types = {"F32": np.float32, "I64": np.int64}
wanted = {k[len(prefix) :]: v for k, v in header.items() if k.startswith(prefix)}
assert list(state) == list(wanted), (list(state), list(wanted))
for name, entry in wanted.items():
    begin, end = entry["data_offsets"]
    want = np.frombuffer(raw[8 + length + begin : 8 + length + end], types[entry["dtype"]]).reshape(entry["shape"])
    assert np.allclose(state[name].numpy(), want, atol=1e-7), name
