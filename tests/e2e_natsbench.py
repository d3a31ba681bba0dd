"""The space natsbench_tss from end to end: tables keyed in each of the three ways, and its networks against the benchmark's own
(data/cells_forward.h5: random weights and what PyTorch computed with the benchmark's code)."""
import csv
import itertools
import json
import os
import random
import subprocess

import h5py
import numpy as np

SOURCE, TMP, BIN = (os.environ[k] for k in ("ARCHAI_SOURCE", "ARCHAI_TMP", "ARCHAI_BIN"))
DATA = os.path.join(SOURCE, "tests", "data")
OPS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
EDGES = ["edge_1_0", "edge_2_0", "edge_2_1", "edge_3_0", "edge_3_1", "edge_3_2"]


def run(*args, code=0, stdin=None):
    p = subprocess.run([os.path.join(BIN, args[0]), *map(str, args[1:])], input=stdin, capture_output=True, text=True,
                       timeout=300)
    assert p.returncode == code, (args, p.returncode, p.stdout, p.stderr)
    return p.stdout if code == 0 else p.stderr


def write(name, text):
    with open(name, "w", newline="") as f:
        f.write(text)
    return name


def score(cell):
    return sum((i + 1) * (j + 3) ** 2 for i, j in enumerate(map(OPS.index, cell)))


def table(name, columns, key):
    """A CSV of all 15,625 cells under that key."""
    with open(name, "w", newline="") as f:
        rows = csv.writer(f)
        rows.writerow([*columns, "score", "note"])
        for cell in itertools.product(OPS, repeat=6):
            rows.writerow([*key(cell), score(cell), "x"])
    return name


def tables():
    """Whatever the key, a candidate's measures are those of its row."""
    text = "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|".format
    cells = list(itertools.product(OPS, repeat=6))
    random.seed(88)  # the benchmark's order
    random.shuffle(cells)
    archid = {text(*c): f"natsbench-tss-{i}" for i, c in enumerate(cells)}
    keys = {"archid": (["archid"], lambda c: [archid[text(*c)]]), "arch_str": (["arch_str"], lambda c: [text(*c)]),
            "edges": (EDGES, list)}
    seen = set()
    for name, (columns, key) in keys.items():
        run("archai-run", write(f"{name}.ini", f"""[search]
algorithm = regularized_evolution
max_evaluations = 60
[space]
name = natsbench_tss
seed = 7
[objective.score]
direction = maximize
[evaluator]
kind = table
table = {table(name + ".csv", columns, key)}
[output]
directory = {name}
report = no
"""), "--progress", "none")
        with h5py.File(f"{name}/results.h5") as f:
            assert set(f["candidates/status"][:]) == {b"ok"}, f["candidates/error"][:]
            archs = [json.loads(a)["arch_str"] for a in f["candidates/arch"][:]]
            assert [archid[a].encode() for a in archs] == list(f["candidates/archid"][:])
            expected = [score([op.split("~")[0] for op in a.replace("+", "").split("|") if op]) for a in archs]
            assert list(f["objectives/score"][:]) == expected
            seen.add(tuple(archs))
    assert len(seen) == 1
    said = run("archai-run", "edges.ini", "--output", "bad", "--set",
               f"evaluator.table={write('bad.csv', 'edge_4_0,score' + chr(10) + 'none,1' + chr(10))}", code=2)
    assert "bad.csv: there is no column archid, and no column is named like a parameter" in said, said


def models():
    """Printed form, counts, state_dict and outputs."""
    with h5py.File(f"{DATA}/cells_forward.h5") as file:
        for name, case in file.items():
            params = json.loads(case.attrs["params"])
            params["nb_classes"] = params.pop("classes")
            ini = write("m.ini", "[space]\nname = natsbench_tss\n" + "".join(f"{k} = {v}\n" for k, v in params.items()))
            arch = write("m.json", json.dumps({"arch_str": case.attrs["arch_str"]}))
            info = json.loads(run("archai-space", ini, "info", arch))
            assert info["params"] == int(case.attrs["num_params"]), info
            assert info["state_dict"] == {key: list(at.shape) for key, at in case["weights"].items()}
            shown = run("archai-space", ini, "show", arch)
            assert shown == (f"ArchaiModel(\n\tarchid={info['archid']}, \n\tmetadata={{}}, \n\tarch="
                             f"{case.attrs['repr']}\n)\n"), shown
            run("archai-space", ini, "predict", arch, "--weights", f"{DATA}/cells_forward.h5:/{name}/weights", "--input",
                f"{DATA}/cells_forward.h5:/{name}/input", "--output", "out.h5")
            with h5py.File("out.h5") as f:
                got, expected = f["output"][...], case["output"][...]
            assert got.shape == expected.shape and np.abs(got - expected).max() < 1e-4, np.abs(got - expected).max()
        assert len(file) == 3


tables()
models()
