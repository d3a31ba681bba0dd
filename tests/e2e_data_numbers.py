"""Tables: rows as NumPy standardises them with the training rows alone, classes and numbers as targets; bad cells are found."""
import csv
import sys

import h5py
import numpy as np

import data_sets
from data_sets import load, refused

data_sets.TOOL = sys.argv[1]
rng = np.random.default_rng(2)
N = 200


def put(path, header, rows, delimiter=",", bom="", **how):
    with open(path, "w", newline="") as f:
        f.write(bom)
        w = csv.writer(f, delimiter=delimiter, **how)
        w.writerow(header)
        w.writerows(rows)


def standard(x, rows):
    mean, deviation = x[rows].mean(0), x[rows].std(0)
    return (x - mean) / np.where(deviation > 0, deviation, 1), mean, np.where(deviation > 0, deviation, 1)


def check(d, x, y, tests=()):
    """x: float64, of the training file; y: its targets; tests: pairs of (split, x, y) of other files."""
    _, mean, deviation = standard(x, d.indices[0])
    for split, a, b in [(0, x, y), *([(1, x, y)] if len(d.indices[0]) < len(x) else []), *tests]:
        want = ((a - mean) / deviation)[d.indices[split]]
        assert d.images[split].dtype == np.float32
        assert np.allclose(d.images[split], want, rtol=1e-5, atol=2e-6), np.abs(d.images[split] - want).max()
        assert np.array_equal(d.labels[split], b[d.indices[split]])
    assert np.allclose(d.about["feature_means"], mean, rtol=1e-9, atol=1e-7), (d.about["feature_means"], mean)
    assert np.allclose(d.about["feature_deviations"], deviation, rtol=1e-5)


# four features: one around 1.6e9 as times are, one constant, one of tiny numbers
x = np.stack([rng.normal(5, 3, N), 1.6e9 + rng.integers(0, 1000, N), np.full(N, 7.25), rng.normal(1e-8, 1e-9, N)], 1)
species = rng.choice(["virginica", "setosa", "versi, color"], N)
names = ["length", "time", "constant", "tiny"]
header = ["length", "time", "species", "constant", "tiny"]
table = [[repr(a), int(b), s, c, repr(t)] for (a, b, c, t), s in zip(x.tolist(), species)]
order = np.unique(species)
y = np.searchsorted(order, species)
keys = {"format": "numbers", "file": "iris.csv", "target": "species", "seed": 4}
for how in {}, {"delimiter": ";"}, {"delimiter": "\t"}, {"bom": "\ufeff"}, {"quoting": csv.QUOTE_ALL}, {"lineterminator": "\n"}:
    put("iris.csv", header, table, **how)
    d = load("a CSV table is read as a whole", **keys)
    assert (d.features, d.classes, d.channels, d.tokens) == (4, 3, 0, 0) and d.n == [180, 20, 0] and d.targets == data_sets.CLASS
    check(d, x, y)
    assert d.about["class_names"] == list(order) and d.about["features"] == names and d.about["targets"] == ["species"]
assert "180 rows to train on, 20 to validate on; each 4 numbers (float32), 3 classes; 3.56 KiB" in d.said, d.said
raw = load("a CSV table is read as a whole", **keys, standardize="no", columns="tiny length")
assert np.array_equal(raw.images[0], x[:, [3, 0]].astype("f4")[raw.indices[0]]) and "feature_means" not in raw.about

# the split's own files; a class that no training row has; another order of the columns is fine
put("val.csv", header[::-1], [r[::-1] for r in table[:30]])
put("test.csv", header, table[30:70])
d = load("a CSV table is read as a whole", **keys, val_file="val.csv", test_file="test.csv")
assert d.n == [200, 30, 40]
check(d, x, y, [(1, x[:30], y[:30]), (2, x[30:70], y[30:70])])
put("val.csv", header, [[*table[0][:2], "rosa", *table[0][3:]]])
refused("data.val_file: val.csv: column 'species': row 1 is 'rosa', which no training row is", **keys, val_file="val.csv")

# numbers as classes are sorted as numbers; numbers as targets
grades = rng.choice([10, 9, 2], N)
put("grades.csv", ["a", "grade", "b"], [[repr(a), g if i % 2 else f"{g}.0", i] for i, (a, g) in enumerate(zip(x[:, 0].tolist(), grades))])
grade = {"format": "numbers", "file": "grades.csv", "target": "grade"}
d = load("a CSV table is read as a whole", **grade)
assert d.classes == 3 and [float(c) for c in d.about["class_names"]] == [2, 9, 10]
check(d, np.stack([x[:, 0], np.arange(N)], 1), np.searchsorted([2, 9, 10], grades))
d = load("a CSV table is read as a whole", **grade, targets="real")
assert d.targets == data_sets.NUMBERS and d.classes == 1 and "1 number as target" in d.said
check(d, np.stack([x[:, 0], np.arange(N)], 1), grades[:, None].astype("f4"))
d = load("a CSV table is read as a whole", **{**grade, "target": "grade, a"}, targets="real", max_samples=50)
assert d.classes == 2 and d.features == 1 and d.n == [45, 5, 0]
assert np.array_equal(d.labels[0], np.stack([grades, x[:, 0]], 1).astype("f4")[d.indices[0]])

# HDF5
for kind, target in ("class", y), ("numbers", rng.normal(size=(N, 3))), ("labels", rng.integers(0, 2, (N, 4))):
    with h5py.File("t.h5", "w") as f:
        f["train/features"], f["train/labels"] = x[:150], target[:150]
        f["test/features"], f["test/labels"] = x[150:], target[150:]
        if kind == "class":
            f.attrs["num_classes"] = 3
    d = load(format="numbers", file="t.h5")
    assert d.features == 4 and d.n == [135, 15, 50] and d.targets == {"class": 0, "numbers": 3, "labels": 2}[kind]
    check(d, x[:150], target[:150].astype(d.label), [(2, x[150:], target[150:].astype(d.label))])
with h5py.File("t.h5", "r+") as f:
    f["train/features"][17, 2] = np.nan
refused("t.h5: row 17, column 2 is nan", format="numbers", file="t.h5")
refused("data.val_file: an HDF5 file holds all splits", format="numbers", file="t.h5", val_file="val.csv")
with h5py.File("t.h5", "w") as f:
    f["train/features"], f["train/labels"] = x[:, 0], y
refused("expected [N,D]", format="numbers", file="t.h5")

# bad cells, with file, line and column
for cell, says in (("abc", "'abc', expected a number"), ("", "empty, expected a number"), ("nan", "'nan', expected a number"), ("1e999", "'1e999'")):
    bad = [list(r) for r in table]
    bad[15][0] = cell
    put("iris.csv", header, bad)
    refused("data.ini:3: data.file: iris.csv:17: column 'length': " + says, **keys)
bad[15][0] = "1"
bad[16][2] = ""
put("iris.csv", header, bad)
refused("iris.csv:18: column 'species': empty, expected a class", **keys)
put("iris.csv", header, [*table[:3], table[3][:4]])
refused("iris.csv:5: 4 cells, the header has 5", **keys)
put("iris.csv", header, [*table[:3], table[3] + [1]])
refused("iris.csv:5: more cells than the header's 5", **keys)
put("iris.csv", header, [])
refused("iris.csv: the table has no rows", **keys)
put("iris.csv", header, table)
refused("iris.csv:1: no column 'specie'; did you mean 'species'?", **{**keys, "target": "specie"})
refused("iris.csv:1: column 'species' has two uses", **keys, columns="time species")
put("wide.csv", ["a", "time"], [[i, i] for i in range(1500)])
refused("wide.csv: column 'time' has 1500 different values; targets = real", **{**keys, "file": "wide.csv", "target": "time"})
refused("column 'constant' has a single value", **{**keys, "target": "constant", "columns": "time"})
refused("iris.csv:2: column 'species': '", "expected a number", **{**keys, "target": "time"}, targets="real")
refused("data.target: 2 columns, expected one", **{**keys, "target": "time species"})
refused("data.target: missing", format="numbers", file="iris.csv")
refused("data.file: missing", format="numbers")
refused("nowhere.csv", **{**keys, "file": "nowhere.csv"})
with open("iris.csv", "wb") as f:
    f.write(b"a,species\n1\0,x\n")
refused("iris.csv: contains a NUL byte", **keys)
put("iris.csv", ["a", "a", "species"], [[1, 2, "x"], [1, 2, "y"]])
refused("iris.csv:1: 2 columns are called 'a'", **keys, columns="a")
print("ok")
