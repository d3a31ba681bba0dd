#!/usr/bin/python3
"""Is a search by archai-run as good as one by search_quality? tests/bench/results/runner_quality.md; README.md beside this says more.

  runner_quality.py BUILD/bin [--only PROBLEM] [--algorithm NAME] [--ranks 1,4,16] [--seeds 20] [--jobs 1] [--keep DIRECTORY]

Every algorithm on NAS-Bench-201, asked by archai-run with so many ranks, each of which has a worker slot, and by search_quality with
as many pretended workers. Evaluations are looked up in the table and take no time.
"""
import argparse
import concurrent.futures
import csv
import os
import pathlib
import shutil
import tempfile

import launch
import search_quality as bench
from search_quality import ASYNC, HERE, NAS, PROBLEMS, ROOT

SHOWN = ["nasbench201_accuracy", "nasbench201"]
OTHER = ("mo_bananas", "generational")  # asked by archai-run in both schedules


def command(bin_directory, problem, algorithm, schedule, ranks, seed):
    config, _, _, evaluations, _ = PROBLEMS[problem]
    sets = {"search.seed": seed, "search.max_evaluations": evaluations, "space.seed": seed, "evaluator.table": str(NAS)}
    return [*launch.mpirun(ranks), f"{bin_directory}/archai-run", f"tests/bench/data/{config}", "--progress", "none",
            *bench.settings(algorithm, schedule), *(a for k, v in sets.items() for a in ("--set", f"{k}={v}"))]


def rows(directory):
    """What results.h5 says of each candidate, in the order in which they were asked for."""
    import h5py

    with h5py.File(directory / "results.h5") as f:
        columns = [f["candidates/id"][()], f["candidates/rank"][()], f["candidates/operator"].asstr()[()],
                   f["candidates/status"].asstr()[()], f["objectives/accuracy"][()],
                   f["objectives/params"][()] if "params" in f["objectives"] else [""] * len(f["candidates/id"])]
    return list(zip(*columns))


def run(arguments, search):
    """The rows of one search; kept as a table whose first line is the command."""
    problem, algorithm, schedule, ranks, seed = search
    words = command(arguments.bin, *search)
    first = " ".join(w for w in words if not w.startswith(arguments.bin))
    file = arguments.keep / f"{problem}-{algorithm}-{schedule}-{ranks}-{seed}.csv"
    if not file.exists() or file.read_text().split("\n", 1)[0] != first:
        if arguments.no_runs:
            return None
        directory = pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=arguments.keep))
        try:
            p = launch.start([*words, "--output", directory / "out"], cwd=ROOT)
            if p.returncode != 0:
                print(f"{file.stem}: {p.stderr.strip()}", flush=True)
                return None
            with open(file.with_suffix(".new"), "w", newline="") as f:
                f.write(first + "\n")
                csv.writer(f, lineterminator="\n").writerows(rows(directory / "out"))
        finally:
            shutil.rmtree(directory)
        os.replace(file.with_suffix(".new"), file)
    with open(file) as f:
        next(f)
        return list(csv.reader(f))


def value(problem, table):
    """The best accuracy, or the hypervolume of the front."""
    ok = [r for r in table if r[3] == "ok"]
    if problem == "nasbench201_accuracy":
        return max(float(r[4]) for r in ok)
    first, second = map(float, PROBLEMS[problem][2].split(","))
    return bench.hypervolume_2d([(-float(r[4]), float(r[5])) for r in ok], (-first, second))


class Cell:
    """The ends of all seeds of one search."""

    def __init__(self, problem, values):
        self.best = bench.best_possible(problem)
        self.single = problem == "nasbench201_accuracy"
        self.values = values if self.single else [v / self.best for v in values]

    def text(self):
        q = bench.quartiles(self.values)
        if self.single:
            return f"{sum(v >= self.best - 1e-9 for v in self.values)} of {len(self.values)} | {q[1]:.4f}"
        return f"{q[1]:.4f} | {q[0]:.4f} to {q[2]:.4f}"


def heads(problem, *who):
    what = ("optimum found", "median best") if problem == "nasbench201_accuracy" else ("median", "quartiles")
    return " | ".join(f"{w}: {h}" for w in who for h in what)


def say(problem):
    best = bench.best_possible(problem)
    return [f"### {problem}", "", f"{PROBLEMS[problem][3]} evaluations; the best there is: {best:.7g}. " +
            ("Values are accuracies in percent." if problem == "nasbench201_accuracy" else "Values are shares of its hypervolume."), ""]


def p_worse(a, b):
    """One-sided Mann-Whitney: that a is worse than b."""
    return f"{bench.mann_whitney(b.values, a.values):.2g}"


def against_simulated(problem, algorithms, ranks, simulated, real):
    lines = [*say(problem), f"| search | slots | {heads(problem, 'simulated', 'archai-run')} | p (archai-run is worse) |", "|---|---|---|---|---|---|---|"]
    for a in algorithms:
        for r in ranks:
            s, w = simulated.get((problem, a, r)), real.get((problem, a, "async", r))
            if s and w:
                lines.append(f"| {a} | {r} | {s.text()} | {w.text()} | {p_worse(w, s)} |")
    return lines + [""]


def schedules(problem, ranks, real):
    algorithm, other = OTHER
    lines = [*say(problem), f"| search | slots | {heads(problem, 'without', 'with')} | without better by | 95 % interval | p (without is worse) |",
             "|---|---|---|---|---|---|---|---|---|"]
    for r in ranks:
        a, b = real.get((problem, algorithm, "async", r)), real.get((problem, algorithm, other, r))
        if a and b:
            by, low, high = bench.shift(a.values, b.values)
            lines.append(f"| {algorithm} | {r} | {a.text()} | {b.text()} | {by:+.4f} | {low:+.4f} to {high:+.4f} | {p_worse(a, b)} |")
    return lines + [""]


def gather(arguments, algorithms):
    """Run what is missing; the values at the end, by search."""
    todo = [(p, a, s, r, seed) for p in arguments.only for a in algorithms for s in ("async", "generational") for r in arguments.ranks
            for seed in range(1, arguments.seeds + 1) if s == "async" or (a, s) == OTHER]
    pretended = [(p, a, r) for p in arguments.only for a in algorithms for r in arguments.ranks]
    simulated, real = {}, {}
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        curves = pool.map(lambda k: bench.run(f"{arguments.bin}/search_quality", k[0], (f"{k[1]}, simulated {k[2]}", k[1], "async", k[2]),
                                              arguments.keep, not arguments.no_runs, arguments.seeds), pretended)
        tables = pool.map(lambda s: run(arguments, s), todo)
        for (problem, *key), found in zip(pretended, curves):
            if found:
                simulated[problem, *key] = Cell(problem, bench.ends(problem, found))
        values = {}
        for (problem, algorithm, schedule, ranks, _), table in zip(todo, tables):
            if table is not None:
                values.setdefault((problem, algorithm, schedule, ranks), []).append(value(problem, table))
    for key, found in values.items():
        real[key] = Cell(key[0], found)
    return simulated, real


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", help="where archai-run and search_quality are")
    parser.add_argument("--only", choices=SHOWN, action="append")
    parser.add_argument("--algorithm", choices=ASYNC, action="append")
    parser.add_argument("--ranks", type=lambda t: [int(n) for n in t.split(",")], default=[1, 4, 16])
    parser.add_argument("--seeds", type=int, default=bench.SEEDS)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path("runner_quality.out"), help="where the rows of each search go; what is there already is not run again")
    parser.add_argument("--no-runs", action="store_true", help="tables of what is in --keep")
    parser.add_argument("--output", type=pathlib.Path, help="where runner_quality.md goes: by default to results/ beside this, but only with everything")
    arguments = parser.parse_args()
    whole = not (arguments.only or arguments.algorithm) and arguments.ranks == [1, 4, 16] and arguments.seeds >= bench.SEEDS
    arguments.only = arguments.only or SHOWN
    arguments.bin = os.path.abspath(arguments.bin)
    arguments.keep = arguments.keep.absolute()
    arguments.keep.mkdir(parents=True, exist_ok=True)
    algorithms = arguments.algorithm or ASYNC
    simulated, real = gather(arguments, algorithms)
    lines = ["## archai-run against pretended workers", ""]
    for problem in arguments.only:
        lines += against_simulated(problem, algorithms, arguments.ranks, simulated, real)
    if OTHER[0] in algorithms:
        lines += ["## mo_bananas by archai-run, without generations and with them", ""]
        for problem in arguments.only:
            lines += schedules(problem, arguments.ranks, real)
    text = "\n".join(lines)
    print(text)
    output = arguments.output or (HERE / "results" if whole else None)
    if output:
        output.mkdir(parents=True, exist_ok=True)
        (output / "runner_quality.md").write_text(text)


if __name__ == "__main__":
    main()
