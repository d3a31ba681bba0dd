"""A generational search on a table of all models proposes what Archai's Python proposed, for any number of ranks and of starts."""
import json
import os
import shutil
import subprocess
import sys

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


def lay_out_stand_in():
    """Programs find each other beside themselves: copies, but for the evaluator, which here predicts what the vectors' surrogate did."""
    os.makedirs("stand-in", exist_ok=True)
    for program in ("archai-run", "archai-guard", "archai-indexer"):
        shutil.copy(shutil.which(program), "stand-in")
    shutil.copy(sys.argv[1], "stand-in/archai-evaluator")


def start(ranks, *arguments, program="archai-run"):
    command = [program, *arguments, "--progress", "none"]
    p = subprocess.run(["mpirun", "-n", str(ranks), *command] if ranks > 1 else command, capture_output=True, text=True, timeout=240)
    assert p.returncode in (0, 75), p.stderr
    return p.returncode


def run_search(name, text, ranks, interrupted=False, program="archai-run"):
    with open(f"{name}.ini", "w") as f:
        f.write(text)
    arguments = [f"{name}.ini", "--output", name]
    if interrupted:
        starts = 1
        while start(ranks, *arguments, "--resume", "--set", "search.max_time=250ms") == 75 and starts < 10:
            starts += 1
        arguments.append("--resume")
    assert start(ranks, *arguments, program=program) == 0


def search(number, run, ranks, interrupted=False):
    name = f"run-{number}-{ranks}{'-interrupted' if interrupted else ''}"
    run_search(name, config(run), ranks, interrupted)
    with h5py.File(f"{name}/results.h5", "r") as f:
        c = f["candidates"]
        rows = [(int(g), a.decode(), s.decode()) for g, a, s in zip(c["generation"][()], c["archid"][()], c["status"][()])]
        values = {k: f["objectives"][k][()].tolist() for k in f["objectives"]}
        front = sorted({c["archid"][()][i].decode() for i in f["pareto/index"][()]})
    return rows, values, front


# golden_algorithms.json: what its runs were started with; score is (7 L + 3 K + H) mod 101 / 100
POPULATION = """num_iters = 4
init_num_models = 6
num_random_mix = 3
mutations_per_parent = 2
num_crossovers = 3
max_unseen_population = 8"""
GOLDEN = {
    "evolution_pareto": ("evolution_pareto", POPULATION, ""),
    "evolution_pareto_constraint_0_200000": ("evolution_pareto", POPULATION, "constraint = 0 200000"),
    "random_search": ("random_search", "num_iters = 3\nsamples_per_iter = 5", ""),
    "local_search": ("local_search", "num_iters = 4\ninit_num_models = 6\nmutations_per_parent = 2", ""),
    "mo_bananas_linear_surrogate": ("mo_bananas", "num_iters = 4\ninit_num_models = 6\nnum_parents = 4\nmutations_per_parent = 3\n"
                                                  "num_candidates = 5", ""),
    "regularized_evolution": ("regularized_evolution", "num_iters = 6\ninit_num_models = 6\npareto_sample_size = 5\nhistory_size = 10", ""),
}


def write_scores():
    with open("scores.csv", "w") as f:
        f.write("archid,score\n")
        for layers in range(1, 13):
            for kernel in (1, 3, 5, 7):
                for hidden in (16, 32, 64, 128):
                    f.write(f'"L={layers}, K={kernel}, H={hidden}",{(7 * layers + 3 * kernel + hidden) % 101 / 100}\n')


def golden(name, rows, ranks):
    algorithm, parameters, constraint = GOLDEN[name]
    text = f"""[search]
algorithm = {algorithm}
schedule = generational
seed = 1
{parameters}
[space]
name = cnn
seed = 1
[objective.cost]
source = params
direction = minimize
{constraint}
[objective.score]
direction = maximize
[evaluator]
kind = table
table = scores.csv
delay = lognormal 3ms 1
[output]
weights = none
report = no
"""
    run_search(f"golden-{name}-{ranks}", text, ranks, program="stand-in/archai-run" if algorithm == "mo_bananas" else "archai-run")
    with h5py.File(f"golden-{name}-{ranks}/results.h5", "r") as f:
        c, o = f["candidates"], f["objectives"]
        columns = [c["generation"][()], c["archid"].asstr()[()], o["cost"][()], o["score"][()], c["parents"].asstr()[()]]
        got = [(int(g), a, cost, score, ",".join(json.loads(p))) for g, a, cost, score, p in zip(*columns)]
    if algorithm == "mo_bananas":  # whose parents the vectors leave out
        got = [(*row[:4], "") for row in got]
    expected = [(r["iter"], r["archid"], r["cost"], r["score"], r["parent"] or r["parents"] or "") for r in rows]
    assert got == expected, (name, ranks, [pair for pair in zip(got, expected) if pair[0] != pair[1]][:3])


def main():
    write_scores()
    lay_out_stand_in()
    runs = json.load(open(f"{DATA}/golden_algorithms.json"))["runs"]
    for name in GOLDEN:
        for ranks in (1, 2, 4):
            golden(name, runs[name], ranks)
    for number, run in enumerate(json.load(open(f"{DATA}/algorithms.json"))):
        results = [search(number, run, ranks) for ranks in (1, 2, 4)]
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
