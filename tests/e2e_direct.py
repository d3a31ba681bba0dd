"""With one worker slot an asynchronous search is strictly ask, evaluate, tell: archai-run proposes what the search does that is asked
directly (bench/search_quality.c), the same candidates in the same order, however short evaluations are. All algorithms but
mo_bananas, whose fits take time in a run.
"""
import json
import os
import random
import subprocess
import sys

import h5py

DIRECT = sys.argv[1]
CHOICES = [["none", "skip", "conv1", "conv3", "pool"]] * 5
SPACE = {f"edge_{i}": {"choice": c} for i, c in enumerate(CHOICES)}


def make_table(path):
    """Made up, but with something to be learned; a twentieth has no accuracy and fails."""
    draw = random.Random(7)
    worth = [{c: draw.random() for c in choices} for choices in CHOICES]
    with open(path, "w") as f:
        f.write(",".join(SPACE) + ",accuracy,cost\n")
        for n in range(5 ** len(CHOICES)):
            cell = [c[n // 5 ** i % 5] for i, c in enumerate(CHOICES)]
            accuracy = sum(w[c] for w, c in zip(worth, cell)) + draw.random() / 4
            cost = sum(c.startswith("conv") + 0.1 * (c == "pool") for c in cell) + draw.random() / 8
            accuracy = "nan" if draw.random() < 0.05 else f"{accuracy:.6f}"
            f.write(",".join(cell) + f",{accuracy},{cost:.6f}\n")


def config(algorithm, objectives, more=""):
    return f"""[search]
algorithm = {algorithm}
{more}
[space]
name = config
tree = tree.json
{objectives}
[evaluator]
kind = table
table = table.csv
[output]
weights = none
report = no
"""


ACCURACY = "[objective.accuracy]\ndirection = maximize\n"
COST = "[objective.cost]\ndirection = minimize\n"


def asked_directly(name, seed, evaluations):
    run = subprocess.run([DIRECT, f"{name}.ini", "table.csv", "--candidates", "--workers", "1", "--seeds", f"{seed}:1",
                          "--max", str(evaluations)], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    lines = [line.split(",", 2) for line in run.stdout.splitlines()]
    return [(operator, archid) for number, operator, archid in lines if number.isdigit()]


def by_archai_run(name, seed, evaluations, out, ranks=1, *more):
    sets = [f"search.seed={seed}", f"space.seed={seed}", f"search.max_evaluations={evaluations}", *more]
    command = ["archai-run", f"{name}.ini", "--output", out, "--progress", "none", *(x for s in sets for x in ("--set", s))]
    if ranks > 1:
        command = ["mpirun", "-n", str(ranks), *command]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    with h5py.File(f"{out}/results.h5", "r") as f:
        c = f["candidates"]
        assert list(c["id"][()]) == list(range(evaluations)), "ids without gaps"
        return [(o.decode(), a.decode()) for o, a in zip(c["operator"][()], c["archid"][()])], \
            [s.decode() for s in c["status"][()]]


def same(name, found, wanted, where):
    wanted = wanted[:len(found)]
    assert len(wanted) == len(found), (name, where, len(wanted), len(found))
    differ = [i for i, (a, b) in enumerate(zip(found, wanted)) if a != b]
    assert not differ, f"{name}, {where}: candidate {differ[0]} is {found[differ[0]]}, asked directly {wanted[differ[0]]}"


with open("tree.json", "w") as f:
    json.dump(SPACE, f)
make_table("table.csv")
CASES = [("random_search", ACCURACY, 200, 200, ""),
         ("local_search", ACCURACY + COST, 200, 200, ""),
         ("regularized_evolution", ACCURACY, 200, 200, ""),
         ("evolution_pareto", ACCURACY + COST, 200, 200, ""),
         ("nsga2", ACCURACY + COST, 200, 200, "population_size = 30"),
         ("bayes_opt", ACCURACY, 60, 60, ""),
         ("bayes_opt", ACCURACY + COST, 40, 40, ""),
         ("asha", ACCURACY, 100, 1000, "max_budget = 9")]
for k, (algorithm, objectives, evaluations, cost, more) in enumerate(CASES):
    name = f"{algorithm}{k}"
    with open(f"{name}.ini", "w") as f:
        f.write(config(algorithm, objectives, more))
    for seed in (3, 11):
        wanted = asked_directly(name, seed, cost)
        found, status = by_archai_run(name, seed, evaluations, f"{name}-{seed}")
        same(name, found, wanted, f"seed {seed}")
        assert "failed" in status or evaluations < 100, "failures are part of it"
    # the one slot on another rank, and evaluations that last a while
    found, _ = by_archai_run(name, 11, min(evaluations, 50), f"{name}-remote", 2, "run.coordinator_evaluates=no",
                             "evaluator.delay=lognormal 1ms 1")
    same(name, found, wanted, "on another rank")
    print(f"{algorithm}: the same candidates in the same order")

# What learns from nothing may be sent ahead: with many slots the candidates are the same, too.
found, _ = by_archai_run("random_search0", 11, 200, "ahead", 4)
same("random_search", found, asked_directly("random_search0", 11, 200), "with 4 ranks")
