#!/usr/bin/python3
"""How many candidates that cost nothing go through rank 0 in a second, beside mpi4py's pool and bare messages. README.md says more.

  coordinator_rate.py BUILD/bin [--ranks 16] [--rounds 5] [--seconds 7] [--out-bytes 400] [--back-bytes 400]

All measured in turn, round after round, so that a busy machine slows down everything alike. Needs python3-mpi4py.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

import launch

MOST = 200000  # evaluations of one search, of the models that launch.NULL has


def nothing(x):
    return x


def pool(n):
    """Tasks that do nothing, as mpi4py.futures hands them out by default: one at a time. On rank 0; the others serve."""
    from mpi4py.futures import MPIPoolExecutor

    with MPIPoolExecutor() as executor:
        executor.bootup(wait=True)
        for _ in executor.map(nothing, range(1000)):
            pass
        began = time.perf_counter()
        for _ in executor.map(nothing, range(n)):
            pass
        print(json.dumps({"search": time.perf_counter() - began}))


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.bin = os.path.abspath(arguments.bin)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="coordinator_rate-"))
        self.config = self.directory / "null.ini"
        self.config.write_text(launch.NULL)
        self.count = {}

    def run(self, n, algorithm, coordinator_evaluates):
        where = self.directory / "out"
        sets = {"search.algorithm": algorithm, "search.max_evaluations": n, "run.coordinator_evaluates": coordinator_evaluates}
        found = launch.search(f"{self.bin}/archai-run", self.arguments.ranks, self.config, where, sets)
        shutil.rmtree(where)
        return found

    def mpi4py(self, n):
        began = time.perf_counter()
        text = launch.output([*launch.mpirun(self.arguments.ranks), sys.executable, "-m", "mpi4py.futures", __file__, "--pool", n])
        return {"whole": time.perf_counter() - began, **json.loads(text)}

    def pingpong(self, n, *more):
        a = self.arguments
        text = launch.output([*launch.mpirun(a.ranks), f"{self.bin}/bench_pingpong", a.out_bytes, a.back_bytes, n, *more])
        found = json.loads(text)
        return {"search": found["seconds"], "cpu": found["cpu"]}

    def what(self):
        r = self.arguments.ranks
        return {
            "a": (f"archai-run, random_search, {r} slots", lambda n: self.run(n, "random_search", "yes"), MOST),
            "b": (f"mpi4py.futures, {r - 1} workers", self.mpi4py, 10**7),
            "c": ("bare messages, waiting as archai-run", self.pingpong, 10**7),
            "c, busy": ("bare messages, never sleeping", lambda n: self.pingpong(n, "--busy"), 10**7),
            "d": (f"archai-run, regularized_evolution, {r} slots", lambda n: self.run(n, "regularized_evolution", "yes"), MOST),
            "d, apart": (f"the same, {r - 1} slots, none on rank 0", lambda n: self.run(n, "regularized_evolution", "no"), MOST),
        }

    def calibrate(self, name, call, most):
        """So many that they take about so long."""
        n, seconds = 2000, self.arguments.seconds
        found = call(n)
        n = min(most, max(n, int(n / found["search"] * seconds)))
        self.count[name] = int(f"{n:.1e}".replace(".", "").split("e")[0]) * 10 ** (len(str(n)) - 2)

    def go(self):
        rates = {name: [] for name in self.what()}
        for name, (label, call, most) in self.what().items():
            self.calibrate(name, call, most)
            print(f"{name}: {label}: {self.count[name]} in each round", file=sys.stderr, flush=True)
        for i in range(self.arguments.rounds):
            for name, (_, call, _) in self.what().items():
                n, found = self.count[name], call(self.count[name])
                rates[name].append({"rate": n / found["search"], "whole": n / found["whole"] if "whole" in found else None,
                                    "cpu": 1e6 * found["cpu"] / n if "cpu" in found else None})
                print(f"round {i + 1}, {name}: {rates[name][-1]['rate']:.0f}/s", file=sys.stderr, flush=True)
        return rates


def median(rounds, key, form):
    values = [r[key] for r in rounds if r[key] is not None]
    return form.format(statistics.median(values)) if values else ""


def ratio(rates, over, under):
    """Of the same round; the median of all, and the range."""
    values = [x["rate"] / y["rate"] for x, y in zip(rates[over], rates[under])]
    return f"| {over} / {under} | {statistics.median(values):.2f} | {min(values):.2f} to {max(values):.2f} |"


def main():
    if sys.argv[1:2] == ["--pool"]:
        return pool(int(sys.argv[2]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", help="where archai-run and bench_pingpong are")
    parser.add_argument("--ranks", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=7, help="of each measurement, about")
    parser.add_argument("--out-bytes", type=int, default=400, help="of a message to a worker")
    parser.add_argument("--back-bytes", type=int, default=400, help="of its answer")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    try:
        rates = bench.go()
    finally:
        shutil.rmtree(bench.directory)
    print(f"{arguments.ranks} ranks on {os.cpu_count()} cores; medians of {arguments.rounds} rounds. Per second: from the first line of run.log "
          "to the last evaluation;\n*whole*: over all of mpirun, with its start and the last results.h5. *CPU*: of rank 0's loop.\n")
    print("| | what | evaluations | per second | range | whole, per second | CPU, µs each |\n|---|---|---|---|---|---|---|")
    for name, (label, _, _) in bench.what().items():
        r = rates[name]
        every = [x["rate"] for x in r]
        print(f"| {name} | {label} | {bench.count[name]} | {median(r, 'rate', '{:.0f}')} | {min(every):.0f} to {max(every):.0f} | "
              f"{median(r, 'whole', '{:.0f}')} | {median(r, 'cpu', '{:.1f}')} |")
    print("\n| ratio | median | range |\n|---|---|---|")
    for over, under in (("a", "b"), ("d", "b"), ("d", "c"), ("d", "c, busy"), ("d, apart", "c"), ("d, apart", "c, busy")):
        print(ratio(rates, over, under))


if __name__ == "__main__":
    main()
