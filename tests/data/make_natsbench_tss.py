#!/usr/bin/python3
"""The space natsbench_tss as CPython's random gives it: tests/data/natsbench_tss.json.

The benchmark's order of the cells is that of its authors' code: all cells, shuffled with seed 88. Samples and mutations are
the draws of Archai's NatsbenchTssSearchSpace. It draws samples from one number too many: what does not exist is drawn again
(seed 26). Seed 13 draws the last cell. Mutations are drawn by the space's own generator.
"""
import hashlib
import itertools
import json
import os
import random

here = os.path.dirname(os.path.abspath(__file__))
OPS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
ARCHAI_OPS = ["none", "avg_pool_3x3", "nor_conv_1x1", "nor_conv_3x3", "skip_connect"]
BITS = {"none": "0000", "avg_pool_3x3": "1000", "nor_conv_1x1": "0100", "nor_conv_3x3": "0010", "skip_connect": "0001"}


def text(ops):
    return "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|".format(*ops)


cells = list(itertools.product(OPS, repeat=6))
random.seed(88)
random.shuffle(cells)
number = {cell: i for i, cell in enumerate(cells)}


def stream(seed):
    rng = random.Random(seed)
    samples, chain, children = [], [], []
    while len(samples) < 200:
        i = rng.randint(0, len(cells))
        samples += [i] if i < len(cells) else []
    at = cells[samples[0]]
    for _ in range(60):
        near = [at[:e] + (op,) + at[e + 1:] for e in range(6) for op in ARCHAI_OPS if op != at[e]]
        at = rng.choice(near)
        chain.append(number[at])
    for k in range(20):  # of 1 to 4 parents
        parents = [cells[i] for i in samples[k:k + 1 + k % 4]]
        children.append(number[tuple(parents[rng.randrange(len(parents))][e] for e in range(6))])
    return {"seed": seed, "samples": samples, "mutation_chain_from_first_sample": chain, "crossovers": children}


out = {
    "sha1_of_all_lines": hashlib.sha1("".join(text(c) + "\n" for c in cells).encode()).hexdigest(),
    "first": [text(c) for c in cells[:8]],
    "last": text(cells[-1]),
    "encodings": [[text(c), "".join(BITS[op] for op in c)] for c in cells[:8]],
    "streams": [stream(seed) for seed in (0, 1, 13, 26, 2**40 + 5)],
}
with open(os.path.join(here, "natsbench_tss.json"), "w", encoding="utf-8") as f:
    f.write("{\n" + ",\n".join(json.dumps(k) + ": " + json.dumps(v) for k, v in out.items()) + "\n}\n")
