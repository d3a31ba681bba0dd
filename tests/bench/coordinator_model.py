#!/usr/bin/python3
"""Where one coordinator ends: a model of rank 0 and its workers, event by event. A model, not a measurement: README.md says what it leaves out.

  coordinator_model.py [--costs FILE] [--check BUILD/bin]     utilisation for 100, 1,000 and 10,000 workers; --check: beside real runs
  coordinator_model.py --measure BUILD/bin [--costs FILE]     the costs that it takes, measured on this machine

One server: rank 0 takes what has come, at most 256 messages, tells the search each result, then proposes for the workers that wait, who has
waited longest first: one candidate, or with random_search, which needs no results, one for each. What it sends leaves at the end of that
turn. Where nothing has come and nobody waits it sleeps a quarter of the time for which nothing came, as a waiting worker does.
"""
import argparse
import bisect
import collections
import csv
import heapq
import json
import math
import os
import pathlib
import platform
import random
import re
import shutil
import statistics
import sys
import tempfile

import launch

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COSTS = HERE / "data" / "coordinator_costs.json"
ALGORITHMS = ["random_search", "regularized_evolution", "bayes_opt"]
SIGMA = 0.8
MESSAGES_PER_TURN = 256  # runner/rank/run.c
LONGEST_SLEEP = 0.005  # seconds
HEARTBEAT = 5.0  # seconds between two signs of life, each way

# -- the model ---------------------------------------------------------------------------------


class Costs:
    """Seconds of rank 0's CPU time."""

    def __init__(self, table, algorithm, workers):
        self.message = table["message_us"] * 1e-6
        self.tell = table["tell_us"] * 1e-6
        self.latency = table["latency_us"] * 1e-6
        self.learns = algorithm != "random_search"
        # their signs of life and its own, spread over all time
        self.beats = 2 * workers / HEARTBEAT * self.message
        curves = table["proposal_ms"][algorithm]
        curve = curves[min(curves, key=lambda n: abs(math.log(int(n) / workers)))]
        self.history, self.proposals = [p[0] for p in curve], [p[1] * 1e-3 for p in curve]

    def proposal(self, n):
        """Of candidate n: between measured histories a line, beyond them the last."""
        i = bisect.bisect(self.history, n)
        if i == 0 or i == len(self.history):
            return self.proposals[max(i - 1, 0)]
        a, b = self.history[i - 1], self.history[i]
        return self.proposals[i - 1] + (n - a) / (b - a) * (self.proposals[i] - self.proposals[i - 1])

    def evaluation(self, n):
        return self.tell + 2 * self.message + self.proposal(n)


class Found:
    """What became of the workers' time between the first start and the last."""

    def __init__(self, spans):
        spans = sorted(spans, key=lambda s: s[1])  # worker, start, end
        first, last = spans[0][1], spans[-1][1]
        workers = len({s[0] for s in spans})
        self.seconds = last - first
        self.utilisation = sum(min(end, last) - start for _, start, end in spans) / (workers * max(self.seconds, 1e-9))
        ends, waits = {}, []
        for worker, start, end in spans:
            if worker in ends:
                waits.append(start - ends[worker])
            ends[worker] = end
        self.wait = statistics.fmean(waits) if waits else 0.0
        self.rate = len(spans) / max(self.seconds, 1e-9)


def oversleep(draw, waited):
    """Seconds by which a message that comes after so long is seen late: the rest of a sleep (runner/rank/run.c, rest)."""
    return draw.uniform(0, min(waited / 4, LONGEST_SLEEP))


def simulate(costs, workers, mean, evaluations, sigma=SIGMA):
    draw = random.Random(1)
    mu = math.log(mean) - sigma * sigma / 2
    coming = [(0.0, w, True) for w in range(workers)]  # when at rank 0; a worker's first message bears no result
    heapq.heapify(coming)
    slower = 1 / max(1 - costs.beats, 1e-3)  # what is left of rank 0 beside signs of life
    now = busy = 0.0
    n, spans, line = 0, [], collections.deque()
    while n < evaluations:
        if not line and coming[0][0] > now:
            arrives = coming[0][0]
            now = arrives + oversleep(draw, arrives - now)
        began, taken = now, 0
        while coming and coming[0][0] <= now and taken < MESSAGES_PER_TURN:
            sent, worker, first = heapq.heappop(coming)
            line.append((worker, sent))
            taken += 1
            now += (costs.message + (0 if first else costs.tell)) * slower
        served = [line.popleft() for _ in range(min(1 if costs.learns else len(line), evaluations - n))]
        for _ in served:
            now += (costs.proposal(n) + costs.message) * slower
            n += 1
        busy += now - began
        for worker, sent in served:
            start = now + costs.latency + oversleep(draw, now - sent)
            end = start + draw.lognormvariate(mu, sigma)
            spans.append((worker, start, end))
            heapq.heappush(coming, (end + costs.latency, worker, False))
    found = Found(spans)
    found.load = min(1.0, busy / now + costs.beats)
    return found


def table(costs_table, each):
    lines = ["| algorithm | workers | mean of an evaluation | evaluations | workers' time in evaluations | mean wait of a free slot | rank 0's load | "
             "one coordinator would do for |", "|---|---|---|---|---|---|---|---|"]
    for algorithm in ALGORITHMS:
        for workers in (100, 1000, 10000):
            costs = Costs(costs_table, algorithm, workers)
            for mean in (1.0, 10.0, 60.0):
                n = each * workers
                found = simulate(costs, workers, mean, n)
                enough = mean / costs.evaluation(n)
                lines.append(f"| {algorithm} | {workers:,} | {mean:.0f} s | {n:,} | {100 * found.utilisation:.1f} % | {seconds(found.wait)} | "
                             f"{100 * found.load:.1f} % | {round_2(enough):,} workers |")
    return lines


def seconds(s):
    return f"{1e3 * s:.1f} ms" if s < 1 else f"{s:.1f} s"


def round_2(n):
    size = 10 ** max(0, math.floor(math.log10(max(n, 1))) - 1)
    return int(n / size) * size


# -- beside real runs --------------------------------------------------------------------------

def real(bin_directory, algorithm, workers, mean, evaluations):
    """A search whose evaluations only wait; rank 0 has no slot, as in the model."""
    import h5py

    directory = pathlib.Path(tempfile.mkdtemp(prefix="coordinator_model-"))
    try:
        config = directory / "null.ini"
        config.write_text(launch.NULL)
        sets = {"search.algorithm": algorithm, "search.max_evaluations": evaluations, "run.coordinator_evaluates": "no",
                "evaluator.delay": f"lognormal {mean}s {SIGMA}"}
        run = launch.search(f"{bin_directory}/archai-run", workers + 1, config, directory / "out", sets)
        with h5py.File(directory / "out" / "results.h5") as f:
            columns = [f[f"candidates/{c}"][()] for c in ("rank", "started", "seconds")]
    finally:
        shutil.rmtree(directory)
    found = Found([(rank, started, started + spent) for rank, started, spent in zip(*map(list, columns))])
    found.load = run["cpu"] / run["search"]
    return found


def check(costs_table, bin_directory):
    lines = ["| regularized_evolution | | workers' time in evaluations | mean wait of a free slot | evaluations per second | rank 0's load |", "|---|---|---|---|---|---|"]
    for workers, mean, evaluations in ((63, 1.5, 640), (15, 0.1, 1500), (15, 0.01, 5000)):
        pair = (("archai-run", real(bin_directory, "regularized_evolution", workers, mean, evaluations)),
                ("model", simulate(Costs(costs_table, "regularized_evolution", workers), workers, mean, evaluations)))
        for who, f in pair:
            lines.append(f"| {workers} workers, mean {mean} s, {evaluations} evaluations | {who} | {100 * f.utilisation:.1f} % | {seconds(f.wait)} | {f.rate:.1f} | "
                         f"{100 * f.load:.1f} % |")
    return lines


# -- measuring ---------------------------------------------------------------------------------

def write_table(file):
    """20,160 models with an accuracy that is made up: a hill with bumps."""
    bumps = random.Random(1)
    with open(file, "w", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(["nb_layers", "kernel_size", "hidden_dim", "accuracy"])
        for layers in range(1, 25):
            for kernel in range(1, 16, 2):
                for hidden in range(1, 106):
                    hill = -(abs(layers - 14) / 24 + abs(kernel - 7) / 15 + abs(math.log(hidden / 80)) / 4)
                    writer.writerow([layers, kernel, hidden, f"{0.9 + 0.1 * hill + bumps.gauss(0, 0.01):.6f}"])


def asked(bin_directory, config, problem, workers, evaluations, sets):
    """Milliseconds of CPU time of all proposals of one search, told by search_quality."""
    p = launch.start([f"{bin_directory}/search_quality", config, problem, "--max", evaluations, "--step", evaluations, "--workers", workers,
                      *(a for k, v in sets.items() for a in ("--set", f"{k}={v}"))], cwd=ROOT)
    found = re.search(r"proposals ([\d.]+) ms", p.stderr)
    if p.returncode != 0 or not found:
        sys.exit(f"search_quality: {p.stderr.strip()}")
    return float(found.group(1)) * evaluations


def proposals(bin_directory, algorithm, workers, histories):
    """[evaluations, milliseconds of one proposal at about that history]: what longer searches take more than shorter ones."""
    print(f"proposals of {algorithm}, {workers} workers", file=sys.stderr, flush=True)
    config = "tests/bench/data/zdt1.ini"
    total = [0.0] + [asked(bin_directory, config, "zdt1", workers, n, {"search.algorithm": algorithm}) for n in histories]
    starts = [0, *histories]
    return [[(a + b) // 2, round((total[i + 1] - total[i]) / (b - a), 4)] for i, (a, b) in enumerate(zip(starts, histories))]


def tell(bin_directory, directory, message_us):
    """Microseconds of rank 0 for one evaluation beside its proposal and its two messages: it is told, noted, counted."""
    config, points, n = directory / "table.ini", directory / "table.csv", 4000
    sets = {"search.algorithm": "regularized_evolution", "space.max_layers": 24, "objective.accuracy.direction": "maximize", "evaluator.kind": "table",
            "evaluator.table": points}
    write_table(points)
    config.write_text(launch.NULL)
    proposal = 1e3 * asked(bin_directory, config, points, 15, n, sets) / n
    rest = []
    for i in range(3):
        print(f"archai-run, {i + 1} of 3", file=sys.stderr, flush=True)
        run = launch.search(f"{bin_directory}/archai-run", 16, config, directory / f"out-{i}",
                            {**sets, "search.max_evaluations": n, "run.coordinator_evaluates": "no"})
        rest.append(1e6 * run["cpu"] / n)
    whole = statistics.median(rest)
    return {"tell_us": round(max(0.0, whole - proposal - 2 * message_us), 2), "whole_us": round(whole, 2), "whole_proposal_us": round(proposal, 2)}


def pingpong(bin_directory, ranks, n):
    return json.loads(launch.output([*launch.mpirun(ranks), f"{bin_directory}/bench_pingpong", 400, 400, n, "--busy"]))


def processor():
    names = re.findall(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores"


def measure(bin_directory):
    directory = pathlib.Path(tempfile.mkdtemp(prefix="coordinator_model-"))
    try:
        many, two = pingpong(bin_directory, 16, 200000), pingpong(bin_directory, 2, 50000)
        message_us = 1e6 * many["cpu"] / many["exchanges"] / 2
        found = {
            "machine": processor(),
            "message_us": round(message_us, 3),
            "latency_us": round(1e6 * two["seconds"] / two["exchanges"] / 2, 2),
            **tell(bin_directory, directory, message_us),
            "proposal_ms": {},
        }
    finally:
        shutil.rmtree(directory)
    for algorithm, workers, histories in (("random_search", 64, (1000, 10000, 100000)), ("regularized_evolution", 64, (1000, 10000, 100000)),
                                          ("bayes_opt", 8, (200, 400, 800)), ("bayes_opt", 64, (200, 400, 800)), ("bayes_opt", 512, (600, 1200))):
        found["proposal_ms"].setdefault(algorithm, {})[str(workers)] = proposals(bin_directory, algorithm, workers, histories)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--costs", type=pathlib.Path, default=COSTS)
    parser.add_argument("--measure", metavar="BIN", help="where archai-run, search_quality and bench_pingpong are")
    parser.add_argument("--check", metavar="BIN")
    parser.add_argument("--each", type=int, default=20, help="evaluations of each worker")
    arguments = parser.parse_args()
    if arguments.measure:
        found = measure(os.path.abspath(arguments.measure))
        arguments.costs.write_text(json.dumps(found, indent=1) + "\n")
    costs_table = json.loads(arguments.costs.read_text())
    print(f"Costs measured on {costs_table['machine']}: {costs_table['message_us']:.1f} µs for a message, {costs_table['tell_us']:.0f} µs for a result.\n")
    if arguments.check:
        print("\n".join(check(costs_table, os.path.abspath(arguments.check))) + "\n")
    print("\n".join(table(costs_table, arguments.each)))


if __name__ == "__main__":
    main()
