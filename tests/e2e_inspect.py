"""archai-inspect on results made of samples (support/samples.h): every command, and what it refuses.

e2e_inspect.py MAKE_RESULTS
"""
import csv
import io
import json
import os
import struct
import subprocess
import sys

import h5py
import numpy as np

MAKE = sys.argv[1]
BIN = os.environ["ARCHAI_BIN"]


def inspect(*args, rc=0):
    p = subprocess.run([f"{BIN}/archai-inspect", *args], capture_output=True, text=True)
    assert p.returncode == rc, (args, p.returncode, p.stdout, p.stderr)
    return p


def says(text, *parts):
    for part in parts:
        assert part in text, f"{part!r} not in:\n{text}"


N = 60
os.mkdir("r")
subprocess.run([MAKE, "r", str(N), "complete", "pareto"], check=True)
front = {30: (0.5 + 30 * 37 % 101 / 256, 966), 19: (0.5 + 19 * 37 % 101 / 256, 931), 54: (0.5 + 54 * 37 % 101 / 256, 921)}

# summary: also by default, and by the name of the file
for args in (["r"], ["r", "summary"], ["r/results.h5", "summary"]):
    out = inspect(*args).stdout
    says(out, "complete", "52 ok, 8 failed", "3 more rejected", "front 3 models; weights of 3 models", "L=30, K=1",
         "failed 8 x: killed by signal N (Segmentation fault)", "such as: killed by signal 11")
assert inspect("r", "state").stdout == "complete\n"

lines = inspect("r", "pareto").stdout.splitlines()
assert lines[0].split() == ["id", "model", "accuracy", "params", "parameters"]
assert [int(line.split()[0]) for line in lines[1:]] == [30, 19, 54]
lines = inspect("r", "top", "params", "-n", "2").stdout.splitlines()
params = sorted(1000 - i * 13 % 89 for i in range(N) if i % 7 != 6)
assert [int(line.split("  nb_layers=")[0].split()[-1]) for line in lines[1:]] == params[:2], lines
says(inspect("r", "top", "val_los", rc=2).stderr, "did you mean 'val_loss'?")

out = inspect("r", "show", "L=19, K=1").stdout
says(out, "ok, on the front", 'arch         {"nb_layers": 19, "kernel_size": 1}', "931 weights (min)", "by mutation",
     "4 tensors, 128 bytes", "model.0.weight  float32 [2, 3, 2, 2]", "num_batches_tracked  int64 []")
says(inspect("r", "show", "L=6, K=1").stdout, "failed", "Segmentation fault", "none kept")
says(inspect("r", "show", "L=19, K=2", rc=2).stderr, "did you mean 'L=")
lines = inspect("r", "curves", "L=2, K=1").stdout.splitlines()
assert [line.split() for line in lines] == [["epoch", "val_loss"], ["1", "2"], ["2", "2.25"], ["3", "2.5"]], lines

rows = list(csv.DictReader(io.StringIO(inspect("r", "csv").stdout)))
assert list(rows[0])[:8] == ["archid", "accuracy", "params", "parent", "parents", "iteration_num",
                             "search_walltime_hours", "is_pareto"] # Archai's columns; the rest follows
assert len(rows) == N
for i, row in enumerate(rows):
    assert row["archid"] == f"L={i}, K=1"
    assert row["accuracy"] == ("" if i % 7 == 6 else repr(0.5 + i * 37 % 101 / 256))
    assert row["params"] == repr(1000.0 - i * 13 % 89)
    assert row["parent"] == (f"L={i - 1}, K=1" if i % 2 else "") and row["parents"] == ""
    assert row["iteration_num"] == str(i // 10)
    assert float(row["search_walltime_hours"]) == (i + 0.25) / 3600
    assert row["is_pareto"] == str(i in front)


# the rest of the columns, and the same as JSON
table = json.loads(inspect("r", "table", "--json").stdout)
assert len(table) == N and list(table[0]) == list(rows[0]) == list(csv.DictReader(io.StringIO(inspect("r", "table").stdout)).fieldnames)
for i, (row, said) in enumerate(zip(rows, table)):
    assert said["id"] == i and row["status"] == said["status"] == ("failed" if i % 7 == 6 else "ok")
    assert ("signal 11" in row["error"]) == (i % 7 == 6)
    assert row["nb_layers"] == str(said["nb_layers"]) == str(i) and float(row["seconds"]) == said["seconds"]
    assert said["accuracy"] is None if i % 7 == 6 else said["accuracy"] == float(row["accuracy"])
assert [x["id"] for x in json.loads(inspect("r", "pareto", "--json").stdout)] == [30, 19, 54]
assert [x["id"] for x in json.loads(inspect("r", "top", "accuracy", "-n", "1", "--json").stdout)] == [30]

# a model by its id, by the beginning of its archid, by its place on the front
for word in ("19", "L=19", "front:2"):
    says(inspect("r", "show", word).stdout, "model        L=19, K=1")
says(inspect("r", "show", "front:4", rc=2).stderr, "no model front:4; the front has 3")
says(inspect("r", "show", "L=1", rc=2).stderr, "several models begin with 'L=1'")


def read_safetensors(path):
    data = open(path, "rb").read()
    (n,) = struct.unpack("<Q", data[:8])
    dtypes = {"F32": "<f4", "F16": "<f2", "I64": "<i8"}
    return {k: np.frombuffer(data[8 + n:][slice(*v["data_offsets"])], dtypes[v["dtype"]]).reshape(v["shape"])
            for k, v in json.loads(data[8:8 + n]).items() if k != "__metadata__"}


inspect("r", "export", "L=19, K=1", "-o", "m.safetensors")
tensors = read_safetensors("m.safetensors")
with h5py.File("r/results.h5") as f:
    group = f["models/L=19, K=1"]
    assert set(group) == set(tensors)
    for name in group:
        assert group[name].shape == tensors[name].shape and np.array_equal(group[name][()], tensors[name])
inspect("r", "export", "L=19, K=1", "--format", "arch", "-o", "m.json")
assert json.load(open("m.json")) == {"nb_layers": 19, "kernel_size": 1}
assert json.loads(inspect("r", "export", "L=6, K=1", "--format", "arch").stdout) == {"nb_layers": 6, "kernel_size": 1}
if os.path.exists(f"{BIN}/archai-evaluator"):
    import torch

    inspect("r", "export", "L=19, K=1", "-o", "m.pt")
    state = torch.load("m.pt", weights_only=True)
    assert isinstance(state, dict) and list(state) == ["model.0.weight", "model.0.bias", "half", "num_batches_tracked"], state
    for name, value in state.items():
        assert isinstance(value, torch.Tensor) and np.array_equal(value.numpy(), tensors[name]), name
says(inspect("r", "export", "L=2, K=1", "-o", "x.safetensors", rc=2).stderr, "no weights of L=2, K=1")
assert not os.path.exists("x.safetensors") and not os.path.exists("x.safetensors.new")
says(inspect("r", "export", "L=19, K=1", "--format", "tflite", "-o", "x", rc=2).stderr, "expected safetensors, pt, arch")
says(inspect("r", "export", "L=19, K=1", rc=2).stderr, "-o FILE")

says(inspect("r", "verify").stdout, "60 rows", "3 models with weights", "ok")
assert inspect("r", "report").stdout == "r/report.html\n" and os.path.getsize("r/report.html") > 1000
says(inspect("r", "watch").stdout, "complete")

# the same as JSON
def told(*args, rc=0):
    return json.loads(inspect(*args, "--json", rc=rc).stdout)


with h5py.File("r/results.h5") as f:
    one = told("r", "show", "L=19, K=1")
    row = f["candidates/archid"].asstr()[()].tolist().index("L=19, K=1")
    assert one["id"] == f["candidates/id"][row] and one["accuracy"] == f["objectives/accuracy"][row] and one["arch"] == json.loads(f["candidates/arch"].asstr()[row])
    assert one["rows"] == 1 and one["is_pareto"] and one["metadata"] == {}
    assert one["weights"] == {n: {"dtype": str(d.dtype), "shape": list(d.shape)} for n, d in f["models/L=19, K=1"].items()}
    assert told("r", "show", "L=2, K=1")["weights"] is None
    curves = told("r", "curves", "L=19, K=1")["curves"]
    assert list(curves) == list(f["curves"]) and all(np.array_equal(v, f[f"curves/{n}"][row][~np.isnan(f[f"curves/{n}"][row])]) for n, v in curves.items())
    good = told("r", "verify")
    assert good["ok"] and good["faults"] == [] and (good["rows"], good["models"], good["front"]) == (60, len(f["models"]), len(f["pareto/index"])), good
assert told("r", "state") == {"path": "r", "state": "complete", "alive": False, "owner": ""}
assert told("r", "repair") == {"path": "r", "repaired": False, "rows": 0}

# a running search whose process has died
os.mkdir("gone")
subprocess.run([MAKE, "gone", "10", "running", "all"], check=True)
p = inspect("gone", "state")
assert p.stdout == "running\n"
says(p.stderr, "--resume")
says(inspect("gone").stdout, "no process is running it")
says(inspect("gone", "watch").stdout, "running")  # and ends

# damage: a weight changed, a segment deleted
with h5py.File("gone/segment-0-0.h5", "r") as f:
    offset = f["pool/float32"].id.get_offset()
with open("gone/segment-0-0.h5", "r+b") as f:
    f.seek(offset)
    f.write(struct.pack("<f", float("nan")))
p = inspect("gone", "verify", rc=2)
says(p.stdout, "model.0.weight of L=0, K=1 (id 0) does not match its checksum", "/models/L=0, K=1/model.0.weight is not finite")
says(p.stderr, "2 faults")
bad = told("gone", "verify", rc=2)
assert not bad["ok"] and len(bad["faults"]) == 2 and "does not match its checksum" in bad["faults"][0], bad
assert told("gone", "state")["state"] == "running" and not told("gone", "state")["alive"]
os.remove("gone/segment-0-0.h5")
says(inspect("gone", "verify", rc=2).stdout, "10 rows are only in results.h5", "segment-0-0.h5, which is not there")
says(inspect("gone", "export", "L=0, K=1", "-o", "x.safetensors", rc=2).stderr, "segment-0-0.h5, which is not there")
says(inspect("gone", "show", "L=0, K=1").stdout, "weights")

# not a results file
says(inspect("nowhere", "summary", rc=2).stderr, "nowhere")
open("text.h5", "w").write("no HDF5")
says(inspect("text.h5", rc=2).stderr, "not a readable HDF5 file")
with h5py.File("other.h5", "w") as f:
    f["x"] = 1
says(inspect("other.h5", rc=2).stderr, "not results of archai-run")

# damage anywhere gives a sentence, never a crash or a hang
rng = np.random.RandomState(1)
whole = np.fromfile("r/results.h5", dtype="u1")
refused = 0
for i in range(40):
    bad = whole.copy()
    where = rng.randint(0, len(bad), 100) if i % 2 else rng.randint(0, len(bad) - 4096) + np.arange(4096)
    bad[where] ^= rng.randint(1, 256, len(where)).astype("u1")
    bad.tofile("damaged.h5")
    p = subprocess.run([f"{BIN}/archai-inspect", "damaged.h5", "summary"], capture_output=True)
    assert p.returncode in (0, 2), (i, p.returncode, p.stderr)
    assert p.returncode == 0 or p.stderr.count(b"\n") == 1, p.stderr
    refused += p.returncode == 2
assert refused > 0
print(refused, "of 40 damaged files refused")

says(inspect("r", "sumary", rc=2).stderr, "did you mean 'summary'?")
says(inspect("r", "top", rc=2).stderr, "usage: archai-inspect RESULTS top NAME")
says(inspect("r", "--bogus", rc=2).stderr, "--bogus")
says(inspect("--help").stdout, "export ARCHID", "h5py")
print("as it should be")
