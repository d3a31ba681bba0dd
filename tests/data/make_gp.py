#!/usr/bin/python3
"""Writes gp.json: what a Gaussian process predicts, from the textbook's formulas with numpy.

    /usr/bin/python3 make_gp.py > gp.json

Points have two choices of three and two values, and one number; missing targets are set to what the
known ones predict (the conditional mean), and the variance is that of all points.
"""
import json

import numpy as np

rng = np.random.RandomState(7)
CHOICES, NUMBERS = [[0, 1, 2], [4, 9]], [8, 16, 32, 64]


def encoding():
    return [float(rng.choice(c)) for c in CHOICES] + [float(rng.choice(NUMBERS))]


def bits(a, b):
    """One bit for two values; of three values, each has a bit of its own."""
    return (2 if a[0] != b[0] else 0) + (1 if a[1] != b[1] else 0)


def covariance(a, b, rate, length):
    distance = abs(NUMBERS.index(a[2]) - NUMBERS.index(b[2])) / 3
    r = np.sqrt(5) * distance / length
    return np.exp(-rate * bits(a, b) / 2) * (1 + r + r * r / 3) * np.exp(-r)


def case(n, missing, rate, length, noise):
    points, queries = [encoding() for _ in range(n)], [encoding() for _ in range(5)]
    targets = [float(v) for v in rng.randn(n)]
    known = [i not in missing for i in range(n)]
    k = np.array([[covariance(a, b, rate, length) for b in points] for a in points])
    k += noise * np.eye(n)
    t, m = [i for i in range(n) if known[i]], [i for i in range(n) if not known[i]]
    y = np.array(targets)
    if m:
        y[m] = k[np.ix_(m, t)] @ np.linalg.solve(k[np.ix_(t, t)], y[t])
    scale = float(y @ np.linalg.solve(k, y)) / len(t)
    out = []
    for q in queries:
        c = np.array([covariance(q, p, rate, length) for p in points])
        out.append({"point": q, "mean": float(c @ np.linalg.solve(k, y)),
                    "variance": float(scale * (1 - c @ np.linalg.solve(k, c)))})
    return {"rate": rate, "length": length, "noise": noise, "points": points, "targets": targets,
            "known": known, "scale": scale, "predictions": out}


print(json.dumps({"sample": [[a, b, c] for a in CHOICES[0] for b in CHOICES[1] for c in NUMBERS],
                  "cases": [case(1, [], 0.5, 0.5, 0.01), case(12, [], 0.3, 0.7, 0.05),
                            case(20, [19], 1.0, 0.4, 0.001), case(30, [0, 7, 8, 29], 0.2, 2.0, 0.1),
                            case(40, list(range(5, 40, 2)), 0.7, 0.5, 0.02)]}, indent=1))
