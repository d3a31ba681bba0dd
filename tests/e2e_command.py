"""Evaluators command and table from end to end: the worked example in Python with PyTorch, a table over a declared space, and
what a command that cannot run is told."""
import csv
import itertools
import json
import os
import subprocess
import sys
import time

import h5py
import numpy as np

SOURCE, TMP, BIN = (os.environ[k] for k in ("ARCHAI_SOURCE", "ARCHAI_TMP", "ARCHAI_BIN"))


def run(config, *args, code=0, ranks=2):
    """archai-run in the source directory, where the examples' paths begin."""
    command = ["mpirun", "-n", str(ranks)] if ranks > 0 else []
    command += [os.path.join(BIN, "archai-run"), config, "--progress", "none", *args]
    p = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, timeout=600)
    assert p.returncode == code, (command, p.returncode, p.stdout, p.stderr)
    return p.stdout + p.stderr


def results(name):
    return h5py.File(os.path.join(TMP, name, "results.h5"), "r")


def column(f, name):
    return [v.decode() for v in f["candidates"][name][:]]


def the_example_trains_with_pytorch():
    """Four candidates, their curves, and weights that fit the very networks that the program builds."""
    try:
        import torch
    except ImportError:
        print("without torch: the example is not run")
        return
    sys.path.insert(0, os.path.join(SOURCE, "configs/examples"))
    import spirals

    out = os.path.join(TMP, "spirals")
    run("configs/examples/spirals.ini", "--output", out, "--set", "search.max_evaluations=4", "--set",
        "search.init_num_models=4", "--set", "output.weights=all", "--set",
        f'evaluator.command="{sys.executable}" configs/examples/spirals.py')
    tool = [os.path.join(BIN, "archai-inspect"), out, "state"]
    assert subprocess.run(tool, capture_output=True, text=True).stdout.split()[0] == "complete"
    with results("spirals") as f:
        assert column(f, "status") == ["ok"] * 4, column(f, "error")
        assert f["curves/val_loss"].shape == (4, spirals.EPOCHS)
        assert np.all(f["metrics/train_seconds"][:] > 0)
        for i, archid in enumerate(column(f, "archid")):
            stored = {k: torch.from_numpy(np.array(v)) for k, v in f[f"models/{archid}"].items()}
            params = json.loads(column(f, "arch")[i])
            flat = {"layers._repeat_times": params["layers"]["_repeat_times"]}
            for k, layer in params["layers"]["_configs"].items():
                flat.update({f"layers._configs.{k}.{name}": value for name, value in layer.items()})
            model = spirals.build({**params, **flat})
            model.load_state_dict(stored)
            x, y = spirals.spirals(512, seed=2)
            accuracy = (model.eval()(x).argmax(1) == y).float().mean().item()
            assert abs(accuracy - f["objectives/accuracy"][i]) < 1e-6, (i, accuracy)


TREE = """
op: {choice: [conv, pool]}
size: {choice: [3, 5], when: {op: conv}}
deep: {choice: [false, true]}
"""


def a_table_over_a_declared_space():
    """All six architectures, each once; size is told for convolutions only."""
    tree, table, ini = (os.path.join(TMP, n) for n in ("tree.yaml", "table.csv", "table.ini"))
    with open(tree, "w") as f:
        f.write(TREE)
    with open(table, "w", newline="") as f:
        w = csv.writer(f)
        w.writerow(["op", "size", "deep", "score"])
        for k, row in enumerate(itertools.product(["conv", "pool"], [3, 5], ["False", "true"])):
            if row[:2] != ("pool", 5):  # size does not exist there: one row, without it
                w.writerow([row[0], row[1] if row[0] == "conv" else "", row[2], k / 10])
    with open(ini, "w") as f:
        f.write(f"""[search]
algorithm = random_search
max_evaluations = 6
[space]
name = config
tree = {tree}
[objective.score]
direction = maximize
[evaluator]
kind = table
table = {table}
[output]
directory = {TMP}/table
""")
    run(ini)
    with results("table") as f:
        assert len(set(column(f, "archid"))) == 6 and column(f, "status") == ["ok"] * 6, column(f, "error")
        for arch, score in zip(column(f, "arch"), f["objectives/score"][:]):
            a = json.loads(arch)
            wide = a["op"] == "conv" and a["size"] == 5
            assert abs(score - (4 * (a["op"] == "pool") + 2 * wide + a["deep"]) / 10) < 1e-12
        for arch, code in zip(column(f, "arch"), f["candidates/encoding"][:]):
            a = json.loads(arch)
            assert list(code) == [a["op"] == "conv", a["op"] == "pool", a["size"] if a["op"] == "conv" else -1, a["deep"]]
    for text, words in (("op,size,deep,skore\nconv,3,true,1\n", "no column 'score', the source of objective.score; did you mean skore"),
                        ("x,y,score\n1,2,3\n", "there is no column archid, and no column is named like a parameter"),
                        ("op,score\nconv,1\nconv,2\n", "rows 2 and 3 have the same key")):
        with open(os.path.join(TMP, "bad.csv"), "w") as f:
            f.write(text)
        said = run(ini, "--output", os.path.join(TMP, "bad"), "--set", f"evaluator.table={TMP}/bad.csv", code=2, ranks=0)
        assert "evaluator.table: " in said and words in said, said
    # a key that an earlier version did not have stands for its default
    with h5py.File(os.path.join(TMP, "table", "results.h5"), "r+") as f:
        was = f.attrs["config"]
        f.attrs["config"] = was.replace("range_mutation = local\n", "")
        assert f.attrs["config"] != was, was
    said = run(ini, "--resume", "--set", "space.range_mutation=uniform", code=2, ranks=0)
    assert "space.range_mutation: the run in" in said, said
    run(ini, "--resume", "--dry-run", ranks=0)
    with open(tree, "a") as f:
        f.write("wide: {choice: [false, true]}\n")
    said = run(ini, "--resume", "--set", "search.max_evaluations=8", code=2, ranks=0)
    assert "space.tree_sha1: the run in" in said, said


GOES_ON = """
import json, os, struct, sys

def read(path):
    data = open(path, "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    head = json.loads(data[8:8 + n])
    return {k: struct.unpack("<f", data[8 + n + v["data_offsets"][0]:][:4])[0] for k, v in head.items() if v["shape"] == [1]
            and v["dtype"] == "F32"}

request = json.load(sys.stdin)
budget, before = request["budget"], 0.0
if "ARCHAI_START_WEIGHTS" in os.environ:
    start = read(os.environ["ARCHAI_START_WEIGHTS"])
    before = start["epochs"]
    assert start["archai:state"] == 7 * before
epochs = budget if len(sys.argv) == 1 else before + 1
head = json.dumps({"epochs": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
                   "archai:state": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}})
with open(os.environ["ARCHAI_WEIGHTS"], "r+b") as f:
    f.write(struct.pack("<Q", len(head)) + head.encode() + struct.pack("<ff", epochs, 7 * epochs))
print(json.dumps({"score": request["seed"] % 1000 + budget / 100, "before": before, "epochs": epochs, "seed": request["seed"] % 2**40}))
"""


def a_command_begins_where_another_ended():
    """Of the same model with a smaller budget, or of the parent; what is the program's own affair is kept and not shown."""
    program = os.path.join(TMP, "goes_on.py")
    with open(program, "w") as f:
        f.write(GOES_ON)
    config = os.path.join(TMP, "goes_on.ini")
    with open(config, "w") as f:
        f.write("[search]\nmax_evaluations = 24\n[space]\nname = cnn\n[objective.score]\ndirection = maximize\n[evaluator]\n"
                "kind = command\n[output]\nreport = no\n")
    command = f'evaluator.command="{sys.executable}" {program}'
    run(config, "--output", os.path.join(TMP, "promoted"), "--set", "search.algorithm=asha", "--set", "search.max_budget=9", "--set",
        command)
    with results("promoted") as f:
        operators, budgets = column(f, "operator"), f["candidates/budget"][:]
        assert column(f, "status") == ["ok"] * 24, column(f, "error")
        assert operators.count("promotion") > 5 and set(budgets) == {1, 3, 9}
        seeds = {}
        for archid, operator, budget, before, seed in zip(column(f, "archid"), operators, budgets, f["metrics/before"][:],
                                                          f["metrics/seed"][:]):
            assert before == (budget / 3 if operator == "promotion" else 0), (archid, operator, budget, before)
            assert seeds.setdefault(archid, seed) == seed
        assert f["models"] and all(list(g) == ["epochs"] for g in f["models"].values())
    run(config, "--output", os.path.join(TMP, "inherited"), "--set", "search.algorithm=local_search", "--set",
        "search.init_num_models=3", "--set", "train.inherit_weights=yes", "--set", f"{command} inherit")
    with results("inherited") as f:
        epochs = dict(zip(column(f, "archid"), f["metrics/epochs"][:]))
        parents = [json.loads(p) for p in column(f, "parents")]
        assert sum(map(bool, parents)) == 21
        for archid, parent in zip(column(f, "archid"), parents):
            assert epochs[archid] == (epochs[parent[0]] if parent else 0) + 1
        assert max(epochs.values()) > 2


CHECKPOINT = """#!/bin/sh
# counts its attempts and remembers what it was asked
read -r request
attempts=0 before=$request
if [ -e "$ARCHAI_CHECKPOINT" ]; then { read -r attempts; read -r before; } <"$ARCHAI_CHECKPOINT"; fi
attempts=$((attempts + 1))
printf '%s\\n%s\\n' $attempts "$request" >"$ARCHAI_CHECKPOINT.new" && mv "$ARCHAI_CHECKPOINT.new" "$ARCHAI_CHECKPOINT"
case $1 in crash) [ $attempts -ge 3 ] || kill -9 $$ ;; hang) [ $attempts -ge 2 ] || sleep 1000 ;; esac
[ "$before" = "$request" ] && same=1 || same=0
echo "{\\"attempts\\": $attempts, \\"same\\": $same}"
"""


def a_command_finds_its_checkpoint_again():
    """After it was killed, in the same run; after everything was killed, with --resume, where it is asked the very same."""
    program, config = os.path.join(TMP, "checkpoint.sh"), os.path.join(TMP, "checkpoint.ini")
    with open(program, "w") as f:
        f.write(CHECKPOINT)
    os.chmod(program, 0o755)
    with open(config, "w") as f:
        f.write(f"[search]\nalgorithm = random_search\nmax_evaluations = 4\n[space]\nname = cnn\n[objective.attempts]\n"
                f"direction = minimize\n[train]\ncheckpoint = epoch\n[evaluator]\nkind = command\nretries = 2\n")
    for story, attempts in ("crash", 3), ("hang", 2):
        out = os.path.join(TMP, f"checkpoint-{story}")
        args = ["--output", out, "--set", f"evaluator.command={program} {story}"]
        if story == "hang":
            p = subprocess.Popen([os.path.join(BIN, "archai-run"), config, *args], cwd=SOURCE, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
            patience = time.monotonic() + 60
            while not os.path.exists(f"{out}/checkpoint-0.command"):
                assert p.poll() is None and time.monotonic() < patience
                time.sleep(0.05)
            p.kill()
            p.wait()
        run(config, *args, "--set", "search.max_evaluations=4" if story == "crash" else "search.max_evaluations=1", "--resume",
            ranks=0)
        with results(f"checkpoint-{story}") as f:
            n = 4 if story == "crash" else 1
            assert column(f, "status") == ["ok"] * n, column(f, "error")
            assert list(f["objectives/attempts"][:]) == [attempts] * n and list(f["metrics/same"][:]) == [1] * n
        if story == "hang":  # what another candidate of that id left is not taken for its own
            with open(f"{out}/checkpoint-1.command", "w") as f:
                f.write("9\n{}\n")
            run(config, "--output", out, "--set", f"evaluator.command={program} once", "--set", "search.max_evaluations=2",
                "--resume", ranks=0)
            with results(f"checkpoint-{story}") as f:
                assert list(f["objectives/attempts"][:]) == [2, 1] and list(f["metrics/same"][:]) == [1, 1]
        assert not [name for name in os.listdir(out) if name.startswith("checkpoint")], os.listdir(out)


def what_cannot_run_is_refused():
    """Before any work starts, with file, line and key, and exit code 2."""
    ini = "configs/examples/spirals.ini"
    out = os.path.join(TMP, "never")
    for command, words in (("no-such-program --x", "'no-such-program' is not in $PATH"), ('a "b', "a quote is not closed"),
                           ("", "evaluator.command: missing")):
        said = run(ini, "--output", out, "--set", f"evaluator.command={command}", code=2, ranks=0)
        assert "evaluator.command: " in said and words in said, said
        assert not os.path.exists(os.path.join(out, "results.h5"))
    said = run(ini, "--output", out, "--set", "space.tree=/nowhere.yaml", code=2, ranks=0)
    assert "space.tree: /nowhere.yaml: No such file" in said, said


CONSTRAINED = """[search]
algorithm = random_search
max_evaluations = 8
[space]
name = cnn
max_layers = 3
kernel_list = 3 5
hidden_list = 4 8
[objective.acc]
direction = maximize
[objective.latency]
direction = minimize
constraint = 0 0.45
[evaluator]
kind = command
[output]
"""
MEASURES_LATENCY_FIRST = """
import json, sys
c = json.loads(sys.stdin.readline())
latency = c["arch"]["nb_layers"] * 0.2
print("candidate", c["id"], file=sys.stderr)
if c["id"] % 3 == 2:
    sys.stdout.write("so far so good\\n" * 3)
    sys.stdout.flush()
    print("RuntimeError: the real reason", file=sys.stderr)
    print("x" * 1000000, file=sys.stderr)
    print("terminate called", file=sys.stderr)
    sys.exit(1)
print(json.dumps({"latency": latency} if latency > float((sys.argv + [0.45])[1]) else {"latency": latency, "acc": 0.5}))
"""


def a_violated_constraint_excuses_the_rest():
    """Those that measured it alone are rows of their own, beside as many evaluations as were asked for; what each program
    printed is kept as output.logs says, the beginning and the end of it."""
    program, ini = os.path.join(TMP, "latency.py"), os.path.join(TMP, "constrained.ini")
    with open(program, "w") as f:
        f.write(MEASURES_LATENCY_FIRST)
    with open(ini, "w") as f:
        f.write(CONSTRAINED)
    for logs in ("failed", "all", "none"):
        out = os.path.join(TMP, f"logs-{logs}")
        run(ini, "--output", out, "--set", f'evaluator.command="{sys.executable}" {program}', "--set", f"output.logs={logs}")
        with results(f"logs-{logs}") as f:
            status, names, ids = column(f, "status"), column(f, "log"), f["candidates/id"][:]
            latency = f["objectives/latency"][:]
            assert status.count("ok") + status.count("failed") == 8 and status.count("infeasible") > 0, status
            for s, name, i, l in zip(status, names, ids, latency):
                assert s == ("failed" if i % 3 == 2 else "infeasible" if l > 0.45 else "ok"), (s, i, l)
                kept = logs == "all" or (logs == "failed" and s == "failed")
                assert name == (f"logs/{i}.log" if kept else ""), (name, s, i)
                if not kept:
                    assert not os.path.exists(f"{out}/logs/{i}.log")
                    continue
                with open(f"{out}/{name}") as g:
                    text = g.read()
                assert f"candidate {i}\n" in text and ("the real reason" in text) == (s == "failed"), text[:200]
                if s == "failed":
                    assert text.endswith("x\nterminate called\n") and "bytes are left out" in text and len(text) < 300000
                    assert text.count("so far so good") == 3
    out = os.path.join(TMP, "never-feasible")
    said = run(ini, "--output", out, "--set", f'evaluator.command="{sys.executable}" {program} 0.1', "--set",
               "objective.latency.constraint=0 0.1", "--set", "search.max_infeasible=2", "--set", "space.hidden_list=4 8 16 32 64")
    assert "search.max_infeasible" in said, said


the_example_trains_with_pytorch()
a_table_over_a_declared_space()
a_command_begins_where_another_ended()
a_command_finds_its_checkpoint_again()
a_violated_constraint_excuses_the_rest()
what_cannot_run_is_refused()
