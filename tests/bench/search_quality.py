#!/usr/bin/python3
"""Every algorithm on every problem: tests/bench/results/. README.md beside this says how to read them.

  search_quality.py BUILD/bin/search_quality [--only PROBLEM] [--algorithm NAME] [--jobs 1] [--keep DIRECTORY]

Needs python3-matplotlib for the picture. One-sided Mann-Whitney tests compare each algorithm with random search over the seeds.
"""
import argparse
import concurrent.futures
import csv
import io
import math
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TABLE = HERE / "data" / "digits_cnn.csv"
NAS = pathlib.Path(os.environ.get("ARCHAI_DATA", ROOT.parent / "shared" / "data")) / "nasbench201_cifar10.csv"


def digits_reference():
    """Nobody misreads more than all; a tenth more parameters than the most accurate model, the front's other end, has."""
    rows = csv.DictReader(open(TABLE))
    return f"1,{1.1 * min((float(r['error']), int(r['params'])) for r in rows)[1]:.0f}"


# name: configuration, problem, reference point (of the objectives in the order of the configuration), evaluations, more
PROBLEMS = {
    "digits": ("digits.ini", TABLE, digits_reference(), 100, ["--curve"]),
    "nasbench201": ("nasbench201.ini", NAS, "70,1.6e6", 300, []),
    # the usual choice: a tenth more than the worst error (13.2 %) and the most parameters (1,073,466) on the true front
    "nasbench201_near": ("nasbench201.ini", NAS, "85.4763,1180813", 300, []),
    "nasbench201_accuracy": ("nasbench201_accuracy.ini", NAS, None, 150, []),
    "zdt1": ("zdt1.ini", "zdt1", "1.1,6", 200, []),
    "dtlz2_failing": ("dtlz2.ini", "dtlz2", "2.5,2.5,2.5", 200, ["--failing", "0.1"]),
}
ASYNC = ["random_search", "local_search", "regularized_evolution", "evolution_pareto", "nsga2", "mo_bananas", "bayes_opt"]
BUDGETS = ["asha", "successive_halving"]
LONG = "random_search, ten times as long"
SEEDS, MORE_SEEDS = 20, 100  # the latter to compare the schedules of what proposes in no time


def settings(algorithm, schedule):
    sets = {"algorithm": algorithm, "schedule": schedule}
    if algorithm == "asha":
        sets.update(init_budget=1, max_budget=4, budget_multiplier=2)
    if algorithm == "successive_halving":
        sets.update(schedule="generational", init_num_models=100, init_budget=1, num_iters=3)
    elif schedule == "generational":
        sets["num_iters"] = 100000
    return [a for k, v in sets.items() for a in ("--set", f"search.{k}={v}")]


def searches(problem):
    """(label, algorithm, schedule, workers) to be tried on a problem."""
    out = [(a, a, "async", 8) for a in ASYNC] + [(LONG, "random_search", "async", 8)]
    out += [(f"{a}, generational", a, "generational", 8) for a in ASYNC if a != "bayes_opt"]
    if problem in ("nasbench201", "nasbench201_accuracy"):
        out += [(f"bayes_opt, {w} worker{'s' if w > 1 else ''}", "bayes_opt", "async", w) for w in (1, 64)]
    if problem == "digits":
        out += [(a, a, "async", 8) for a in BUDGETS]
    return out


def run(program, problem, search, keep, may_run, seeds=None):
    label, algorithm, schedule, workers = search
    seeds = seeds or (SEEDS if algorithm in ("mo_bananas", "bayes_opt") or label == LONG else MORE_SEEDS)
    config, source, reference, evaluations, more = PROBLEMS[problem]
    step, evaluations = max(1, evaluations // 100), evaluations * (10 if label == LONG else 1)
    command = [program, f"tests/bench/data/{config}", str(source), "--workers", str(workers), "--max", str(evaluations),
               "--step", str(step), "--seeds", f"1:{seeds}", *settings(algorithm, schedule), *more]
    if reference:
        command += ["--reference", reference]
    file = keep / f"{problem}-{label.replace(', ', '-').replace(' ', '_')}.csv"
    if not may_run and not file.exists():
        return None
    log = " ".join(command[1:]) + "\n"
    if not file.exists() or not file.with_suffix(".log").read_text().startswith(log):
        p = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        file.with_suffix(".log").write_text(log + p.stderr)
        if p.returncode != 0:
            print(f"{problem}: {label}: {p.stderr.strip()}")
            return None
        file.write_text(p.stdout)
    curves = {}
    for seed, _, cost, seconds, value in csv.reader(io.StringIO(file.read_text())):
        curves.setdefault(int(seed), []).append((float(cost), float(value), float(seconds)))
    return list(curves.values())


def at(curve, cost):
    """What a search had found when it had spent so much; before the first line nothing."""
    value = None
    for c, v, _ in curve:
        if c > cost + 1e-9:
            break
        value = v
    return value


def area(curve, evaluations):
    """Mean over the evaluations: how good the search was all along."""
    values = [at(curve, e) for e in range(1, evaluations + 1)]
    first = next((v for v in values if v is not None), 0.0)
    return statistics.fmean(first if v is None else v for v in values)


def mann_whitney(a, b):
    """p of the one-sided hypothesis that a is not larger than b; normal approximation with ties and continuity."""
    everything = sorted(a + b)
    rank, ties, i = {}, 0.0, 0
    while i < len(everything):
        j = i
        while j < len(everything) and everything[j] == everything[i]:
            j += 1
        rank[everything[i]] = (i + 1 + j) / 2
        ties += (j - i) ** 3 - (j - i)
        i = j
    n, m = len(a), len(b)
    u = sum(rank[x] for x in a) - n * (n + 1) / 2
    variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)))
    return 1.0 if variance == 0 else 0.5 * math.erfc((u - n * m / 2 - 0.5) / math.sqrt(2 * variance))


def shift(a, b):
    """By how much a is larger than b: the median of all differences (Hodges, Lehmann) and its 95 % interval (Mann-Whitney's, normal)."""
    differences = sorted(x - y for x in a for y in b)
    n, m = len(a), len(b)
    k = max(0, round(n * m / 2 - 1.96 * math.sqrt(n * m * (n + m + 1) / 12)))
    return statistics.median(differences), differences[k], differences[-1 - k]


def hypervolume_2d(points, reference):
    volume, best = 0.0, reference[1]
    for x, y in sorted(points):
        if x < reference[0] and y < best:
            volume += (reference[0] - x) * (best - y)
            best = y
    return volume


def best_possible(problem):
    """Hypervolume of the true front (dtlz2: its 231 points, failing ones too), or the best value of the one objective."""
    if problem == "zdt1":
        return hypervolume_2d([(i / 20, 1 - math.sqrt(i / 20)) for i in range(21)], (1.1, 6))
    if problem == "dtlz2_failing":
        half = math.pi / 2
        angles = [(i / 20 * half, k / 10 * half) for i in range(21) for k in range(11)]
        points = sorted(((math.cos(a) * math.cos(b), math.cos(a) * math.sin(b), math.sin(a)) for a, b in angles),
                        key=lambda p: p[2])
        volume = 0.0
        for i, p in enumerate(points):
            top = points[i + 1][2] if i + 1 < len(points) else 2.5
            if top > p[2]:
                volume += (top - p[2]) * hypervolume_2d([q[:2] for q in points[:i + 1]], (2.5, 2.5))
        return volume
    source = PROBLEMS[problem][1]
    rows = list(csv.DictReader(open(source)))
    if problem == "nasbench201_accuracy":
        return max(float(r["accuracy"]) for r in rows)
    first, second = map(float, PROBLEMS[problem][2].split(","))
    if problem == "digits":
        return hypervolume_2d([(float(r[f"error_{k}"]), float(r["params"])) for r in rows for k in (1, 2, 4)], (first, second))
    return hypervolume_2d([(-float(r["accuracy"]), float(r["params"])) for r in rows], (-first, second))


def quartiles(values):
    values = sorted(values)
    return [statistics.quantiles(values, n=4, method="inclusive")[i] if len(values) > 1 else values[0] for i in range(3)]


def reached(curves, value):
    """Evaluations after which the median search is at `value`."""
    costs = sorted({c for curve in curves for c, _, _ in curve})
    for cost in costs:
        if statistics.median(at(c, cost) or 0.0 for c in curves) >= value:
            return cost
    return None


def after(evaluations):
    return "-" if evaluations is None else f"{evaluations:.0f}"


def ends(problem, curves):
    """Value of each seed at the end."""
    return [at(c, PROBLEMS[problem][3]) or 0.0 for c in curves]


def needed(results, problem, target):
    """A cell for each search: evaluations up to the target, and as a share of random search's, which goes on for ten times as many."""
    long = results[LONG][:SEEDS]
    needs = reached(long, target)
    cells = {}
    for label, curves in results.items():
        n = reached((long if label == "random_search" else curves)[:SEEDS], target)
        share = f" ({n / needs:.2f})" if n and needs else f" (under {n / (10 * PROBLEMS[problem][3]):.2f})" if n else ""
        cells[label] = after(n) + share
    return cells


def against_random(everything):
    """How many evaluations each search needs for what random search needs how many."""
    share, way = {}, {}
    for problem, results in everything.items():
        best = max(statistics.median(ends(problem, c[:SEEDS])) for label, c in results.items() if label != LONG)
        start = statistics.median(at(c, 10) or 0.0 for c in results[LONG][:SEEDS])
        way[problem] = needed(results, problem, start + 0.95 * (best - start))
        if problem != "nasbench201_accuracy":
            share[problem] = needed(results, problem, 0.95 * best)
    lines = ["## Evaluations, against random search's", ""]
    for cells, what in ((share, "has 95 % of the largest median at the end"),
                        (way, "is 95 % of the way to it, from the median of random search after its first 10 evaluations")):
        labels = dict.fromkeys(label for c in cells.values() for label in c if label != LONG)
        lines += [f"After how many evaluations the median search {what}; as a share of what random search needs, which",
                  "goes on for ten times as many.", "",
                  "| search | " + " | ".join(cells) + " |", "|---" * (len(cells) + 1) + "|"]
        lines += [f"| {label} | " + " | ".join(c.get(label, "") for c in cells.values()) + " |" for label in labels] + [""]
    return lines


def schedules(everything):
    """Both schedules of each algorithm against each other."""
    lines = ["## Without generations and with them", "",
             "With the same evaluations: by how much the end without generations is better, and its 95 % interval (accuracy: percentage",
             "points; else shares of the best hypervolume). *margin*: a tenth of what random search leaves to be gained. *p (worse)*: of a",
             "one-sided Mann-Whitney test that it is worse; *p (worse by the margin)*: that it is not worse by the margin or more, so that a",
             "small one shows that nothing of weight is lost. *time*: that without generations as a share of that with them, medians, and",
             "the largest share of all pairs of seeds.", "",
             "| problem | search | seeds | better by | 95 % interval | margin | p (worse) | p (worse by the margin) | time | at most |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    for problem, results in everything.items():
        best = best_possible(problem)
        scale = 1.0 if problem == "nasbench201_accuracy" else best
        margin = 0.1 * (best - statistics.median(ends(problem, results["random_search"]))) / scale
        for label, curves in results.items():
            other = results.get(f"{label}, generational")
            if other is None:
                continue
            a, b = ([v / scale for v in ends(problem, c)] for c in (curves, other))
            times, waits = ([c[-1][2] for c in r] for r in (curves, other))
            by, low, high = shift(a, b)
            lines.append(f"| {problem} | {label} | {len(a)} | {by:+.4f} | {low:+.4f} to {high:+.4f} | {margin:.4f} | {mann_whitney(b, a):.1g} | "
                         f"{mann_whitney([x + margin for x in a], b):.1g} | {statistics.median(times) / statistics.median(waits):.2f} | "
                         f"{max(times) / min(waits):.2f} |")
    return lines + [""]


def table(problem, all_seeds):
    results = {k: curves[:SEEDS] for k, curves in all_seeds.items() if k != LONG}
    everyone = {k: ends(problem, curves) for k, curves in all_seeds.items()}
    evaluations, best = PROBLEMS[problem][3], best_possible(problem)
    final = {k: ends(problem, curves) for k, curves in results.items()}
    mean = {k: [area(c, evaluations) for c in curves] for k, curves in results.items()}
    target = 0.95 * max(statistics.median(v) for v in final.values())
    single = problem == "nasbench201_accuracy"
    lines = [f"### {problem}", "",
             f"{evaluations} evaluations; the best there is: {best:.7g}. " +
             ("Values are accuracies in percent." if single else "Values are shares of it."), "",
             "| search | after a quarter | median at the end | quartiles | p (end) | p (all along) | p (end, more seeds) | " +
             ("optimum found | " if single else "95 % of the best after | ") + "random search's end after | time |",
             "|---|---|---|---|---|---|---|---|---|---|"]
    scale = 1.0 if single else best
    for label, curves in results.items():
        q = quartiles([v / scale for v in final[label]])
        early = statistics.median((at(c, evaluations / 4) or 0.0) / scale for c in curves)
        if single:
            when = f"{sum(v >= best - 1e-9 for v in final[label])} of {len(curves)}"
        else:
            when = after(reached(curves, target))
        end = after(reached(curves, statistics.median(final["random_search"])))
        ps = ["", "", ""]
        if label != "random_search":
            ps = [f"{mann_whitney(v[label], v['random_search']):.1g}" for v in (final, mean, everyone)]
        time = statistics.median(c[-1][2] for c in curves)
        lines.append(f"| {label} | {early:.4f} | {q[1]:.4f} | {q[0]:.4f} to {q[2]:.4f} | {ps[0]} | {ps[1]} | {ps[2]} | {when} | {end} | {time:.0f} |")
    return lines + [""]


def write_curves(problem, results, writer):
    evaluations, best = PROBLEMS[problem][3], best_possible(problem)
    for label, curves in results.items():
        for i in range(1, 21):
            cost = evaluations * i / 20
            values = [v for v in (at(c, cost) for c in curves) if v is not None]
            if values:
                writer.writerow([problem, label, f"{cost:g}"] + [f"{v / best:.5f}" for v in quartiles(values)])


def draw(everything, path):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "archai"
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(2, 4, figsize=(17, 8))
    colors = {a: f"C{i}" for i, a in enumerate(ASYNC + BUDGETS)}
    handles = {}
    for ax, (problem, results) in zip(axes.flat, everything.items()):
        evaluations, best = PROBLEMS[problem][3], best_possible(problem)
        for label, curves in results.items():
            if "," in label:
                continue
            xs = [evaluations * i / 60 for i in range(3, 61)]
            qs = [quartiles([(at(c, x) or 0.0) / best for c in curves]) for x in xs]
            line, = ax.plot(xs, [q[1] for q in qs], lw=1.3, color=colors[label])
            ax.fill_between(xs, [q[0] for q in qs], [q[2] for q in qs], alpha=0.10, color=colors[label], lw=0)
            handles[label] = line
        low = min(statistics.median((at(c, evaluations / 8) or 0.0) / best for c in r)
                  for label, r in results.items() if label not in BUDGETS)  # these begin with next to nothing
        high = max(quartiles(ends(problem, r))[2] for r in results.values()) / best
        ax.set_ylim(low, high + 0.03 * (high - low))
        ax.set_title(problem)
        ax.set_xlabel("evaluations")
        ax.set_ylabel("share of the best accuracy" if problem == "nasbench201_accuracy" else "share of the best hypervolume")
        ax.grid(alpha=0.25)
    last = list(axes.flat)[len(everything):]
    for ax in last:
        ax.axis("off")
    (last[0] if last else axes.flat[0]).legend(handles.values(), handles.keys(), loc="center", title="medians and quartiles")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--only", choices=list(PROBLEMS), action="append")
    parser.add_argument("--algorithm", action="append", help="only the searches of these, and random_search, with which they are compared; implies no results but printed tables")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path, default=pathlib.Path("search_quality.out"), help="where raw curves go; what is there already is not run again")
    parser.add_argument("--no-runs", action="store_true", help="tables and picture of what is in --keep")
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "results")
    arguments = parser.parse_args()
    arguments.keep.mkdir(parents=True, exist_ok=True)
    arguments.output.mkdir(parents=True, exist_ok=True)
    program = os.path.abspath(arguments.program)
    all_seeds, everything = {}, {}
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for problem in arguments.only or PROBLEMS:
            todo = [s for s in searches(problem) if arguments.algorithm is None or s[1] in (*arguments.algorithm, "random_search")]
            found = pool.map(lambda s: run(program, problem, s, arguments.keep, not arguments.no_runs), todo)  # noqa: B023
            all_seeds[problem] = {s[0]: curves for s, curves in zip(todo, found) if curves}
            everything[problem] = {label: curves[:SEEDS] for label, curves in all_seeds[problem].items() if label != LONG}
            if not {"random_search", LONG} <= all_seeds[problem].keys():
                sys.exit(f"{problem}: nothing of random_search, with which the others are compared")
            print("\n".join(table(problem, all_seeds[problem])), flush=True)
    print("\n".join(against_random(all_seeds) + schedules(all_seeds)))
    if arguments.only or arguments.algorithm:
        return
    with open(arguments.output / "search_quality.md", "w") as f:
        lines = [line for p, r in all_seeds.items() for line in table(p, r)]
        f.write("\n".join(lines + against_random(all_seeds) + schedules(all_seeds)))
    with open(arguments.output / "search_quality.csv", "w", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(["problem", "search", "evaluations", "lower_quartile", "median", "upper_quartile"])
        for problem, results in everything.items():
            write_curves(problem, results, writer)
    draw(everything, arguments.output / "search_quality.svg")


if __name__ == "__main__":
    main()
