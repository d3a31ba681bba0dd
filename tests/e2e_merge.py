"""merge and pack: several results in one directory, one in one file; compared with their sources by h5py alone."""
import glob
import json
import os
import shutil
import subprocess
import sys

import h5py
import numpy as np

from check_report import check
from check_results import faults_of

BIN, MAKE = os.environ["ARCHAI_BIN"], sys.argv[1]


def inspect(*args, rc=0):
    p = subprocess.run([f"{BIN}/archai-inspect", *args], capture_output=True, text=True)
    assert p.returncode == rc, (args, p.returncode, p.stdout, p.stderr)
    return p


def column(f, name):
    return f[name][()].tolist()


def same(a, b):
    return len(a) == len(b) and all(x == y or (x != x and y != y) for x, y in zip(a, b))


CONFIG = """[search]
algorithm = random_search
max_evaluations = 60
[space]
name = cnn
[objective.accuracy]
direction = maximize
source = val_accuracy
[objective.params]
direction = {direction}
constraint = 0, 2000
[output]
directory = a
weights = {weights}
"""
for name, n, direction, weights in (("a", 60, "minimize", "pareto"), ("b", 20, "minimize", "all"), ("other", 5, "maximize", "pareto")):
    with open("c.ini", "w") as f:
        f.write(CONFIG.format(direction=direction, weights=weights))
    os.mkdir(name)
    subprocess.run([MAKE, name, str(n), "complete", weights, "c.ini"], check=True)

# -- merge ----------------------------------------------------------------------------------------------------------------
assert "80 rows of 2 runs" in inspect("a", "b", "merge", "-o", "m").stdout
assert "80 rows" in inspect("m", "verify").stdout
with h5py.File("m/results.h5") as m, h5py.File("a/results.h5") as a, h5py.File("b/results.h5") as b:
    for group in ("candidates", "objectives", "metrics", "params"):
        assert set(m[group]) == set(a[group])
        for name in m[group]:
            if name == "id":
                assert column(m, "candidates/id") == list(range(80))
            elif name == "encoding":
                assert np.array_equal(m["candidates/encoding"], np.concatenate([a["candidates/encoding"], b["candidates/encoding"]]), equal_nan=True)
            else:
                assert same(column(m, f"{group}/{name}"), column(a, f"{group}/{name}") + column(b, f"{group}/{name}")), (group, name)
    assert np.array_equal(m["curves/val_loss"], np.concatenate([a["curves/val_loss"], b["curves/val_loss"]]), equal_nan=True)
    assert m.attrs["rejected"] == a.attrs["rejected"] + b.attrs["rejected"] and m.attrs["started"] == a.attrs["started"]
    assert m.attrs["updated"] == max(a.attrs["updated"], b.attrs["updated"])
    assert set(m["models"]) == set(a["models"])  # what is on the front of both together, here
    for model in m["models"]:
        for name, d in m["models"][model].items():
            assert d.is_virtual and np.array_equal(d[()], a["models"][model][name][()]), (model, name)
inspect("m", "report")
assert check("m") > 500
config = open("m/config.ini").read()
assert "directory = m\n" in config and "max_evaluations = 120\n" in config and config == h5py.File("m/results.h5").attrs["config"]

# refused: other objectives, weights that are not there, a directory in use, too little; nothing is left behind
said = inspect("a", "other", "merge", "-o", "x", rc=2).stderr
assert "objective.params.direction is minimize in a and maximize in other" in said, said
shutil.copytree("a", "bare")
os.remove("bare/segment-0-0.h5")
assert "in no segment" in inspect("b", "bare", "merge", "-o", "x", rc=2).stderr
assert "holds the results of a run" in inspect("a", "b", "merge", "-o", "m", rc=2).stderr
assert "-o DIRECTORY" in inspect("a", "b", "merge", rc=2).stderr
assert "expected 2" in inspect("a", "merge", "-o", "x", rc=2).stderr
assert not os.path.exists("x")

# -- logs come along, under the new ids; a merged search goes on --------------------------------------------------------------
with open("tree.json", "w") as f:
    f.write('{"k": {"choice": [1, 2, 3, 4, 5, 6, 7, 8]}}')
for seed in "12":
    with open(f"{seed}.awk", "w") as f:
        f.write('{ print "from %s" > "/dev/stderr"; print "{\\"acc\\": " NR "}" }' % seed)
    with open(f"{seed}.ini", "w") as f:
        f.write(f"[search]\nalgorithm = random_search\nmax_evaluations = 3\nseed = {seed}\n[space]\nname = config\ntree = tree.json\n"
                "[objective.acc]\ndirection = maximize\n[evaluator]\nkind = command\n"
                f"command = awk -f {seed}.awk\n"
                f"[output]\ndirectory = run{seed}\nlogs = all\nreport = no\n")
    p = subprocess.run([f"{BIN}/archai-run", f"{seed}.ini", "--progress", "none"], capture_output=True, text=True)
    assert p.returncode == 0, p.stderr
inspect("run1", "run2", "merge", "-o", "runs")
with h5py.File("runs/results.h5") as f:
    assert [v.decode() for v in f["candidates/log"]] == [f"logs/{i}.log" for i in range(6)]
for i in range(6):
    assert f"from {1 + i // 3}" in open(f"runs/logs/{i}.log").read(), i
p = subprocess.run([f"{BIN}/archai-run", "runs/config.ini", "--resume", "--set", "search.max_evaluations=8", "--progress", "none"], capture_output=True, text=True)
assert p.returncode == 0 and len(h5py.File("runs/results.h5")["candidates/id"]) >= 8, p.stderr
inspect("runs", "report")
assert check("runs") > 100 # of its starts, too: pauses between them are not slots' time

# -- pack -----------------------------------------------------------------------------------------------------------------
assert inspect("b", "pack", "-o", "b.h5").stdout.endswith("ok\n")
os.mkdir("away")
shutil.move("b.h5", "away/b.h5")
assert faults_of("away/b.h5") == faults_of("b/results.h5")
with h5py.File("away/b.h5") as f, h5py.File("b/results.h5") as b:
    found = []
    b.visititems(lambda name, o: found.append(name))
    assert list(f) == list(b) and list(f["objectives"]) == list(b["objectives"]) and {k: v for k, v in f.attrs.items()} == {k: v for k, v in b.attrs.items()}
    assert len(b["models"]) > 10
    for name in found:
        assert {k: str(v) for k, v in f[name].attrs.items()} == {k: str(v) for k, v in b[name].attrs.items()}, name
        if isinstance(b[name], h5py.Dataset):
            assert not f[name].is_virtual and f[name].dtype == b[name].dtype and f[name][()].tobytes() == b[name][()].tobytes(), name
assert inspect("away/b.h5", "verify").stdout.endswith("ok\n")
assert inspect("away/b.h5", "pareto").stdout == inspect("b", "pareto").stdout
inspect("b", "export", "front:1", "-o", "1.safetensors")
inspect("away/b.h5", "export", "front:1", "-o", "2.safetensors")
assert open("1.safetensors", "rb").read() == open("2.safetensors", "rb").read()
assert "segment-0-0.h5, which is not there" in inspect("bare", "pack", "-o", "bare.h5", rc=2).stderr and not glob.glob("bare.h5*")
assert "-o FILE" in inspect("b", "pack", rc=2).stderr
assert "/dev/null: is not a regular file" in inspect("b", "pack", "-o", "/dev/null", rc=2).stderr

# -- results that are called like commands; a run whose values lie too far apart does not keep the others from being compared ---
for name in ("curves", "table", "merge"):
    os.symlink("a", name)
said = inspect("curves", "merge", "table", "compare").stdout
assert said.splitlines()[0].split() == ["curves", "merge", "table"], said
shutil.copytree("b", "far")
with h5py.File("far/results.h5", "r+") as f:
    f["objectives/accuracy"][:] = np.where(np.arange(20) % 2, 1e308, -1e308)
p = inspect("a", "far", "compare", "--json")
assert "far: no hypervolume" in p.stderr and [r["rows"] for r in json.loads(p.stdout)["runs"]] == [60, 20], p.stderr
print("merged and packed")
