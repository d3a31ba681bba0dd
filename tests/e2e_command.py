"""Evaluators command and table from end to end: the worked example in Python with PyTorch, a table over a declared space, and
what a command that cannot run is told."""
import csv
import itertools
import json
import os
import subprocess
import sys

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
                        ("x,y,score\n1,2,3\n", "no column archid, and none that bears the name of a parameter"),
                        ("op,score\nconv,1\nconv,2\n", "rows 2 and 3 have the same key")):
        with open(os.path.join(TMP, "bad.csv"), "w") as f:
            f.write(text)
        said = run(ini, "--output", os.path.join(TMP, "bad"), "--set", f"evaluator.table={TMP}/bad.csv", code=2, ranks=0)
        assert "evaluator.table: " in said and words in said, said
    with open(tree, "a") as f:
        f.write("wide: {choice: [false, true]}\n")
    said = run(ini, "--resume", "--set", "search.max_evaluations=8", code=2, ranks=0)
    assert "space.tree_sha1: the run in" in said, said


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


the_example_trains_with_pytorch()
a_table_over_a_declared_space()
what_cannot_run_is_refused()
