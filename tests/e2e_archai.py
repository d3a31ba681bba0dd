"""A generational search on a table of all models proposes what Archai's Python proposed, for any number of ranks and of starts."""
import json
import os
import subprocess

import h5py

DATA = os.path.join(os.environ["ARCHAI_SOURCE"], "tests", "data")


def config(run):
    lines = ["[search]", f"algorithm = {run['algorithm']}", "schedule = generational", f"seed = {run['algorithm_seed']}"]
    lines += [f"{k} = {v}" for k, v in run["algorithm_params"].items()]
    lines += ["[space]", f"name = {run['space']}", f"seed = {run['space_seed']}"]
    for o in run["objectives"]:
        lines += [f"[objective.{o['name']}]", f"direction = {o['direction']}", f"expensive = {'yes' if o['expensive'] else 'no'}"]
        if o.get("constraint"):
            lines.append("constraint = " + " ".join(map(str, o["constraint"])))
    # a few milliseconds each, so that results come back in another order than they went out
    lines += ["[evaluator]", "kind = table", f"table = {DATA}/cnn_table.csv", "delay = lognormal 3ms 1", "[output]",
              "weights = none", "report = no"]
    return "\n".join(lines) + "\n"


def start(ranks, *arguments):
    command = ["archai-run", *arguments, "--progress", "none"]
    p = subprocess.run(["mpirun", "-n", str(ranks), *command] if ranks > 1 else command, capture_output=True, text=True, timeout=240)
    assert p.returncode in (0, 75), p.stderr
    return p.returncode


def search(number, run, ranks, interrupted=False):
    name = f"run-{number}-{ranks}{'-interrupted' if interrupted else ''}"
    with open(f"{name}.ini", "w") as f:
        f.write(config(run))
    arguments = [f"{name}.ini", "--output", name]
    if interrupted:
        starts = 1
        while start(ranks, *arguments, "--resume", "--set", "search.max_time=250ms") == 75 and starts < 10:
            starts += 1
        arguments.append("--resume")
    assert start(ranks, *arguments) == 0
    with h5py.File(f"{name}/results.h5", "r") as f:
        c = f["candidates"]
        rows = [(int(g), a.decode(), s.decode()) for g, a, s in zip(c["generation"][()], c["archid"][()], c["status"][()])]
        values = {k: f["objectives"][k][()].tolist() for k in f["objectives"]}
        front = sorted({c["archid"][()][i].decode() for i in f["pareto/index"][()]})
    return rows, values, front


def main():
    for number, run in enumerate(json.load(open(f"{DATA}/algorithms.json"))):
        results = [search(number, run, ranks) for ranks in ([1, 2, 4] if number == 0 else [4])]
        if number == 0:
            results.append(search(number, run, 2, interrupted=True))
        assert all(r == results[0] for r in results), "the number of ranks or starts shows"
        rows, _, front = results[0]
        proposed = [(g, a) for g, generation in enumerate(run["evaluated_per_iteration"]) for a in generation]
        assert [(g, a) for g, a, _ in rows] == proposed, run["algorithm"]
        seen = set()
        for _, archid, status in rows:
            assert status == ("cached" if archid in seen else "ok"), (archid, status)
            seen.add(archid)
        assert front == sorted(run["pareto_front"]), run["algorithm"]


main()
