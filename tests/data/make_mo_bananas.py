"""mo_bananas.json: what Archai's MoBananasSearch proposes, with a predictor that is a closed form.

    python3 make_mo_bananas.py > mo_bananas.json

Written from the algorithm's description with Python's and numpy's generators (CPython 3.11, numpy 1.24), independently of the
C program; not Archai's code. Objectives: score (expensive, maximised), delay (expensive, minimised), params (cheap, minimised).
"""
import csv
import json
import random

import numpy as np

ITERATIONS, INITIAL, PARENTS, MUTATIONS, CANDIDATES, PATIENCE = 5, 8, 6, 4, 7, 30
PARAMS = {row["archid"]: float(row["params"]) for row in csv.DictReader(open("cnn_table.csv"))}


class Space:
    def __init__(self, seed):
        self.rng = random.Random(seed)

    def layers(self):
        return self.rng.randint(1, 12)

    def kernel(self):
        return self.rng.choice([1, 3, 5, 7])

    def hidden(self):
        return self.rng.choice([16, 32, 64, 128])

    def sample(self):
        return (self.layers(), self.kernel(), self.hidden())

    def mutate(self, a):
        l, k, h = a
        if self.rng.random() < 0.2:
            l = self.layers()
        if self.rng.random() < 0.2:
            k = self.kernel()
        if self.rng.random() < 0.2:
            h = self.hidden()
        return (l, k, h)


def archid(a):
    return "L=%d, K=%d, H=%d" % a


def measure(a):
    l, k, h = a
    return [-((7 * l + 3 * k + h) % 101) / 100.0, ((l + k + h) % 53) / 52.0, PARAMS[archid(a)]]  # minimised


def predict(a, rows):
    l, k, h = a
    return ([((7 * l + 3 * k + h + rows) % 101) / 100.0, ((l + k + h + rows) % 53) / 52.0],
            [((l * k + h) % 7 + 1) / 50.0, (l % 3) / 30.0])


def fronts(points):
    """Efficient non-dominated sort, sequential search."""
    order = sorted(range(len(points)), key=lambda i: tuple(points[i]))
    out = []
    for i in order:
        for front in out:
            if not any(all(x <= y for x, y in zip(points[j], points[i])) for j in front):
                front.append(i)
                break
        else:
            out.append([i])
    return out


def search(seed, space_seed):
    space, rng = Space(space_seed), np.random.RandomState(seed)
    batch = [(space.sample(), None) for _ in range(INITIAL)]
    everything, seen, trace = [], set(), []
    for iteration in range(ITERATIONS):
        trace.append([[archid(a), parent] for a, parent in batch])
        everything += [a for a, _ in batch]
        seen |= {archid(a) for a, _ in batch}
        points = [np.float32(measure(a)).tolist() for a in everything]
        parents = [everything[i] for front in fronts(points) for i in front][:PARENTS]
        mutants = {}
        for parent in parents:
            own, tries = {}, 0
            while len(own) < MUTATIONS and tries < PATIENCE:
                child = space.mutate(parent)
                tries += 1
                if archid(child) not in seen:
                    own[archid(child)] = (child, archid(parent))
            mutants.update(own)
        pool = list(mutants.values())
        predictions = [predict(a, len(everything)) for a, _ in pool]
        drawn = []
        for t in range(2):
            mean = np.array([p[0][t] for p in predictions], np.float32)
            var = np.array([p[1][t] for p in predictions], np.float32)
            drawn.append(rng.randn(len(pool)) * np.sqrt(var) + mean)
        columns = [[PARAMS[archid(a)], -s, d] for (a, _), s, d in zip(pool, *drawn)]  # cheap ones first
        order = []
        for front in fronts(columns):
            rng.shuffle(front)
            order += front
        batch = [pool[i] for i in order[:CANDIDATES]]
    return {"seed": seed, "space_seed": space_seed, "iterations": trace}


print(json.dumps([search(s, t) for s, t in ((1, 1), (2, 7), (12345, 3))], indent=1))
