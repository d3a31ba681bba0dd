#!/usr/bin/python3
"""What CPython's random.Random and numpy's RandomState draw: tests/data/rng.json, floats.json."""
import json
import math
import os
import random
import struct

import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
out = {"python": [], "numpy": []}
for seed in (0, 1, 42, 2**32 - 1, 2**40 + 5, 2**63 - 1):
    r = random.Random(seed)
    case = {"seed": seed}
    case["u32"] = [r.getrandbits(32) for _ in range(5)]
    case["random"] = [r.random() for _ in range(5)]
    case["below"] = [[n, r.randrange(n)] for n in (1, 2, 3, 7, 64, 1000, 2**31, 2**32, 2**33 + 1, 2**62 + 3)]
    case["randint"] = [[a, b, r.randint(a, b)] for a, b in ((1, 12), (-5, 5), (0, 0), (-(2**62), 2**62))]
    weights = [1, 1.5, 1.5, 1, 2]
    case["weights"] = weights
    case["choices_weighted"] = r.choices(range(5), weights=weights, k=40)
    case["choices"] = r.choices(range(7), k=40)
    case["sample"] = [[n, k, r.sample(range(n), k)]
                      for n, k in ((5, 2), (21, 5), (22, 5), (100, 6), (85, 20), (86, 20), (300, 20), (40, 40), (10, 0), (1, 1))]
    x = list(range(33))
    r.shuffle(x)
    case["shuffle"] = x
    case["normal"] = [r.normalvariate(0, 1) for _ in range(20)]
    out["python"].append(case)
for seed in (0, 1, 43, 2**32 - 1):
    r = np.random.RandomState(seed)
    case = {"seed": seed}
    case["u32"] = [int(v) for v in r.randint(0, 2**32, size=3, dtype=np.uint32)]
    case["randn"] = r.randn(7).tolist()
    case["shuffle"] = []
    for n in (1, 2, 3, 50):
        x = np.arange(n)
        r.shuffle(x)
        case["shuffle"].append(x.tolist())
    case["randn_again"] = r.randn(4).tolist()
    out["numpy"].append(case)
with open(os.path.join(here, "rng.json"), "w") as f:
    json.dump(out, f)

r = random.Random(5)
values = [0.0, -0.0, 1.0, 3.0, 0.1, 1e-05, 1e-4, 123456789.0, 1e15, 1e16, 1.5e16, 123456789012345680.0, 5e-324,
          2.2250738585072014e-308, 1.7976931348623157e308, 9007199254740993.0, 1 / 3, -2.5, math.inf, -math.inf, 100.0]
values += [2.0**e for e in range(-1074, 1024, 7)] + [r.uniform(-1, 1) * 10.0**r.randint(-30, 30) for _ in range(300)]
values += [v for v in (struct.unpack("<d", struct.pack("<Q", r.getrandbits(64)))[0] for _ in range(500)) if v == v]
with open(os.path.join(here, "floats.json"), "w") as f:
    json.dump([[struct.pack(">d", v).hex(), repr(v)] for v in values], f)
