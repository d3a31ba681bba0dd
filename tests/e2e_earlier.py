"""Results that an earlier version of the program left (data/results_v1.tar.xz) are read and resumed wherever they lie, by the
config.ini beside them; what was in them stays as it is.

The fixture: archai-run of format_version 1 on three ranks, eight evaluations by torch on synthetic data, weights = all. Made by
tar --sparse of its results directory.
"""
import csv
import hashlib
import io
import json
import os
import pathlib
import subprocess
import tarfile

import h5py
import numpy as np

from check_results import faults_of

EARLIER, ROWS = 8, 12
with tarfile.open(pathlib.Path(os.environ["ARCHAI_SOURCE"], "tests/data/results_v1.tar.xz")) as archive:
    archive.extractall()
os.mkdir("elsewhere")
out = "elsewhere/moved"
os.rename("results_v1", out)


def run(*command):
    p = subprocess.run(command, capture_output=True, text=True)
    assert p.returncode == 0, (command, p.returncode, p.stdout, p.stderr)
    return p.stdout


def whole():
    """Everything that is said of each row, by id, and the weights of each model by the row that they are of."""
    rows, weights = {}, {}
    with h5py.File(f"{out}/results.h5") as f:
        ids = f["candidates/id"][()]
        for group in "candidates", "objectives", "metrics", "curves":
            for name, column in f[group].items():
                values = column.asstr()[()] if column.dtype.kind == "S" else column[()]
                for i, value in zip(ids, values):
                    if group == "curves" or name == "encoding": # padded to the longest of all rows
                        value = [x for x in value if not np.isnan(x)]
                    rows.setdefault(int(i), {})[f"{group}/{name}"] = repr(value)
        for model in f["models"].values():
            weights[int(model.attrs["id"])] = {name: (t.dtype, t.shape, t[()].tobytes()) for name, t in model.items()}
    return rows, weights


# read
assert "\nok\n" in run("archai-inspect", out, "verify")
assert run("archai-inspect", out, "state") == "complete\n"
assert not faults_of(f"{out}/results.h5"), faults_of(f"{out}/results.h5")
before, weights = whole()
assert sorted(before) == list(range(EARLIER)) and len(weights) == EARLIER, (before.keys(), weights.keys())
front = [line.split()[0] for line in run("archai-inspect", out, "pareto").splitlines()[1:]]
with h5py.File(f"{out}/results.h5") as f:
    assert sorted(map(int, front)) == sorted(int(f["candidates/id"][i]) for i in f["pareto/index"]), front
table = list(csv.DictReader(io.StringIO(run("archai-inspect", out, "csv"))))
with h5py.File(f"{out}/results.h5") as f:
    assert [row["archid"] for row in table] == list(f["candidates/archid"].asstr()), table
    assert [float(row["val_accuracy"]) for row in table] == list(f["objectives/val_accuracy"]), table
    best = f["candidates/archid"].asstr()[int(f["pareto/index"][0])]
run("archai-inspect", out, "export", best, "-o", "best.safetensors")
assert os.path.getsize("best.safetensors") > 100

# go on with it, by its own configuration with more evaluations
segment = hashlib.sha256(pathlib.Path(out, "segment-0-0.h5").read_bytes()).digest()
config = pathlib.Path(out, "config.ini").read_text()
assert f"\nmax_evaluations = {EARLIER}\n" in config
pathlib.Path("more.ini").write_text(config.replace(f"\nmax_evaluations = {EARLIER}\n", f"\nmax_evaluations = {ROWS}\n"))
run("mpirun", "-n", "2", "archai-run", "more.ini", "--resume", "--output", out, "--progress", "none")
assert pathlib.Path(out, "exit_code").read_text() == "0\n"
assert "\nok\n" in run("archai-inspect", out, "verify")
assert not faults_of(f"{out}/results.h5"), faults_of(f"{out}/results.h5")
table = list(csv.DictReader(io.StringIO(run("archai-inspect", out, "csv"))))
assert len(table) == ROWS and all(float(row["search_walltime_hours"]) >= 0 for row in table), table # over all starts
after, weights_after = whole()
assert sorted(after) == list(range(ROWS)), after.keys()
for i, row in before.items():
    different = {name: (value, after[i][name]) for name, value in row.items() if after[i][name] != value}
    assert not different, (i, different)
for i, model in weights.items(): # a later row of the same architecture may stand for it only with a larger budget
    assert weights_after[i] == model, i
assert hashlib.sha256(pathlib.Path(out, "segment-0-0.h5").read_bytes()).digest() == segment
assert pathlib.Path(out, "segment-1-0.h5").exists()
print(json.dumps({"rows": len(after), "models": len(weights_after)}))
