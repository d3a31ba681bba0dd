#!/usr/bin/python3
"""Samples and mutations of ranges by CPython's random.Random: tests/data/ranges.json.

Each draw is the call that core/space/config/param_range.h names; each parameter of a mutant is drawn with random() < 0.5.
"""
import json
import math
import os
import random

here = os.path.dirname(os.path.abspath(__file__))
r = random.Random(7)
TREE = [("width", 16, 256, 16, False), ("depth", 1, 9, 1, False), ("rate", 1e-5, 1e-1, None, True),
        ("dropout", 0.0, 0.5, None, False), ("batch", 2, 512, 1, True), ("mix", 0.0, 1.0, 0.1, False),
        ("big", 100, 1000, 100, True), ("odd", 1, 9, 4, True)]
tidy = lambda v: float(f"{v:.15g}")


def at(p, k):
    _, low, _, step, _ = p
    return low + step * k if isinstance(low, int) else tidy(low + step * k) if k else low


def count(p):
    return round((p[2] - p[1]) / p[3]) + 1


def nearest(p, v):
    return min(max(math.floor((v - p[1]) / p[3] + 0.5), 0), count(p) - 1)


def draw(p):
    _, low, high, step, log = p
    if step is None:
        return math.exp(r.uniform(math.log(low), math.log(high))) if log else r.uniform(low, high)
    if not log:
        return at(p, r.randrange(count(p)))
    a = low - step / 2 if low > step / 2 else low
    return at(p, nearest(p, math.exp(r.uniform(math.log(a), math.log(high + step / 2)))))


def mutate(p, v):
    _, low, high, step, log = p
    f, g = (math.log, math.exp) if log else (float, float)
    x = (f(v) - f(low)) / (f(high) - f(low))
    while True:
        y = x + 0.2 * r.normalvariate(0, 1)
        if 0 <= y <= 1:
            break
    w = min(max(g(f(low) + y * (f(high) - f(low))), low), high)
    if step is None:
        return w
    k, old = nearest(p, w), nearest(p, v)
    if k == old:
        k = k + 1 if (y >= x or k == 0) and k < count(p) - 1 else k - 1
    return at(p, k)


samples = [{p[0]: draw(p) for p in TREE} for _ in range(12)]
mutants = [{p[0]: mutate(p, s[p[0]]) if r.random() < 0.5 else s[p[0]] for p in TREE} for s in samples]
tree = {n: {"range": [low, high], **({"step": step} if step else {}), "log": log} for n, low, high, step, log in TREE}
with open(os.path.join(here, "ranges.json"), "w") as f:
    json.dump({"tree": tree, "samples": samples, "mutants": mutants}, f)
