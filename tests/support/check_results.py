#!/usr/bin/python3
"""Hold a results.h5 against what README.md promises, with nothing but h5py and numpy.

usage: check_results.py RESULTS.h5 [--state STATE] [--rows N] [--weights pareto|all|best|none]
Prints a line per fault, or one line that begins with 'ok'. Stories in Python import `faults_of`.
"""
import argparse
import datetime
import json
import sys

import h5py
import numpy as np

STATES = {"running", "complete", "interrupted", "failed"}
STATUSES = {"ok", "cached", "failed", "infeasible", "pruned"}
TEXT = ["archid", "arch", "status", "error", "operator", "parents", "metadata", "device", "log"]
NUMBERS = {"id": "int64", "generation": "int32", "rank": "int32", "budget": "float64", "started": "float64", "seconds": "float64"}
ROOT_TEXT = ["format", "state", "space", "algorithm", "schedule", "config", "started", "updated", "software"]
ROOT_WHOLE = ["format_version", "seed", "ranks", "rejected"]


def as_text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def hypervolume(points, reference):
    """What minimised points dominate below the reference: slices along the last objective, each the volume of the others."""
    points = [tuple(p) for p in points if all(x < r for x, r in zip(p, reference))]
    if len(reference) == 1:
        return reference[0] - min((p[0] for p in points), default=reference[0])
    volume, levels = 0.0, sorted({p[-1] for p in points})
    for low, high in zip(levels, levels[1:] + [reference[-1]]):
        volume += (high - low) * hypervolume([p[:-1] for p in points if p[-1] <= low], reference[:-1])
    return volume


class Checker:
    def __init__(self, file):
        self.file = file
        self.faults = []
        self.columns = {}

    def need(self, condition, sentence):
        if not condition:
            self.faults.append(sentence)
        return condition

    # -- root -------------------------------------------------------------------------------------------------
    def root(self):
        attrs = self.file.attrs
        for name in ROOT_TEXT + ROOT_WHOLE:
            self.need(name in attrs, f"root attribute {name} is missing")
        for name in ROOT_WHOLE:
            if name in attrs:
                self.need(np.issubdtype(np.asarray(attrs[name]).dtype, np.integer), f"root attribute {name} is no integer")
        self.need(as_text(attrs.get("format", "")) == "archai-results", "format is not archai-results")
        self.need(int(attrs.get("format_version", 0)) == 1, "format_version is not 1")
        self.need(as_text(attrs.get("state", "")) in STATES, f"state {attrs.get('state')!r} is none of {sorted(STATES)}")
        self.need("[search]" in as_text(attrs.get("config", "")), "config holds no section [search]")
        for name in ("started", "updated"):
            stamp = as_text(attrs.get(name, ""))
            try:
                when = datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00"))
                self.need(when.utcoffset() == datetime.timedelta(0), f"{name} is not UTC: {stamp}")
            except ValueError:
                self.need(False, f"{name} is not ISO 8601: {stamp!r}")

    # -- the table --------------------------------------------------------------------------------------------
    def table(self):
        group = self.file["candidates"]
        for name in TEXT:
            if name == "log" and name not in group:
                continue  # written by an earlier version
            if self.need(name in group, f"/candidates/{name} is missing"):
                kind = h5py.check_string_dtype(group[name].dtype)
                self.need(kind is not None and kind.encoding == "utf-8" and kind.length is not None,
                          f"/candidates/{name} is not fixed-length UTF-8 but {group[name].dtype}")
                self.columns[name] = [as_text(x) for x in group[name][()]]
        for name, kind in NUMBERS.items():
            if self.need(name in group, f"/candidates/{name} is missing"):
                self.need(group[name].dtype == kind, f"/candidates/{name} is {group[name].dtype}, not {kind}")
                self.columns[name] = group[name][()]
        lengths = {name: len(values) for name, values in self.columns.items()}
        self.need(len(set(lengths.values())) == 1, f"columns differ in length: {lengths}")
        return not self.faults

    def rows(self):
        c = self.columns
        n = len(c["id"])
        self.need(np.all(np.diff(c["id"]) > 0), "ids do not increase strictly")
        evaluated = set()
        for i in range(n):
            where = f"row {i} ({c['archid'][i]})"
            self.need(c["status"][i] in STATUSES, f"{where}: unknown status {c['status'][i]!r}")
            self.need(c["archid"][i] and "/" not in c["archid"][i], f"{where}: bad archid")
            self.need(c["arch"][i], f"{where}: no arch")
            self.need(c["operator"][i], f"{where}: no operator")
            spoken = bool(c["error"][i])
            if c["status"][i] in ("failed", "infeasible"):
                self.need(spoken, f"{where}: {c['status'][i]} without an error")
            elif c["status"][i] in ("ok", "cached"):
                self.need(not spoken, f"{where}: {c['status'][i]} with an error: {c['error'][i]}")
            try:
                self.need(all(isinstance(p, str) for p in json.loads(c["parents"][i])), f"{where}: parents are no archids")
                self.need(isinstance(json.loads(c["metadata"][i]), dict), f"{where}: metadata is no object")
            except ValueError as e:
                self.need(False, f"{where}: parents or metadata: {e}")
            if c["status"][i] == "ok":
                key = (c["archid"][i], c["budget"][i])
                self.need(key not in evaluated, f"{where}: evaluated twice at budget {key[1]}")
                evaluated.add(key)
        self.need(np.all(c["seconds"] >= 0) and np.all(c["started"] > 0), "times below zero")
        self.need(np.all(c["rank"] >= 0), "ranks below zero")
        if "encoding" in self.file["candidates"]:
            d = self.file["candidates/encoding"]
            self.need(d.dtype == "float32" and d.ndim == 2 and d.shape[0] == n, f"encoding is {d.dtype} {d.shape}")
            self.need(np.isfinite(d[()]).all(), "an encoding is not finite")

    # -- measures and front -----------------------------------------------------------------------------------
    def measures(self):
        n = len(self.columns["id"])
        points = []
        for name, d in self.file["objectives"].items():
            self.need(d.dtype == "float64" and d.shape == (n,), f"/objectives/{name} is {d.dtype} {d.shape}")
            for attr in ("direction", "expensive", "unit", "constraint"):
                self.need(attr in d.attrs, f"/objectives/{name} lacks the attribute {attr}")
            direction = as_text(d.attrs.get("direction", ""))
            if direction in ("maximize", "minimize"):
                points.append(d[()] if direction == "minimize" else -d[()])
        self.need(points, "no objective has a direction")
        for group, kind in (("metrics", "float64"), ("curves", "float32")):
            for name, d in self.file.get(group, {}).items():
                self.need(d.dtype == kind and d.shape[:1] == (n,), f"/{group}/{name} is {d.dtype} {d.shape}")
        if not self.faults:
            self.front(np.array(points).T)

    def front(self, points):
        status = np.array(self.columns["status"])
        rows = np.flatnonzero(np.isin(status, ["ok", "cached"]))
        self.need(not np.isnan(points[rows]).any(), "an ok row lacks an objective")
        rows = [i for i in rows if not np.isnan(points[i]).any()]
        rows = self.standing(rows)
        some = points[rows]
        best = {tuple(p) for p in some if not np.any(np.all(some <= p, axis=1) & np.any(some < p, axis=1))}
        index = self.file["pareto/index"]
        self.need(index.dtype == "int64", f"/pareto/index is {index.dtype}")
        got = index[()].tolist()
        if self.need(set(got) <= set(rows) and len(set(got)) == len(got), "/pareto/index names rows that cannot be on it"):
            self.need(got == [i for i in rows if tuple(points[i]) in best], f"/pareto/index is not the front ({len(got)} rows, {len(best)} points)")
        self.growth(points[rows])

    def standing(self, rows):
        """An architecture is compared by the first of its rows of the highest budget alone."""
        best = {}
        for i in rows:
            key = self.columns["archid"][i]
            if key not in best or self.columns["budget"][i] > self.columns["budget"][best[key]]:
                best[key] = i
        return sorted(best.values())

    def growth(self, points):
        parts = [self.file[f"hypervolume/{name}"][()] for name in ("evaluations", "seconds", "value")]
        self.need(len({len(p) for p in parts}) == 1, "the columns of /hypervolume differ in length")
        falls = len(set(self.columns["budget"])) > 1 # the value may: a promoted model may be worse than it was
        self.need(all(np.all(np.diff(p) >= 0) for p in (parts[:2] if falls else parts)), "/hypervolume shrinks")
        if len(parts[2]) > 0 and 1 <= points.shape[1] <= 3 and len(points) <= 2000:
            signs = [-1 if as_text(d.attrs["direction"]) == "maximize" else 1 for d in self.file["objectives"].values()
                     if as_text(d.attrs["direction"]) != "none"]
            reference = [float(r) for r in self.file["hypervolume"].attrs["reference"]]
            order = self.objective_order()
            if not self.need(order is not None, "config names other objectives than /objectives"):
                return
            reference = [reference[order.index(n)] * s for n, s in zip(self.optimised(), signs)]
            expected = hypervolume({tuple(p) for p in points}, reference)
            self.need(np.isclose(parts[2][-1], expected, rtol=1e-9), f"/hypervolume ends at {parts[2][-1]}, the rows give {expected}")

    def optimised(self):
        """Names of the optimised objectives in h5py's order, which is alphabetical."""
        return [n for n, d in self.file["objectives"].items() if as_text(d.attrs["direction"]) != "none"]

    def objective_order(self):
        """The same in the order of the configuration, which is that of the reference point."""
        sections = [line.strip()[len("[objective."):-1] for line in as_text(self.file.attrs["config"]).splitlines()
                    if line.strip().startswith("[objective.")]
        names = [n for n in sections if n in self.optimised()]
        return names if sorted(names) == sorted(self.optimised()) else None

    # -- weights ----------------------------------------------------------------------------------------------
    def models(self, weights):
        c = self.columns
        rows = {int(i): k for k, i in enumerate(c["id"])}
        finished = {a for a, s in zip(c["archid"], c["status"]) if s in ("ok", "cached", "pruned")}
        models = self.file.get("models", {})
        for archid, group in models.items():
            where = f"/models/{archid}"
            self.need(as_text(group.attrs.get("archid", "")) == archid, f"{where}: attribute archid differs")
            row = rows.get(int(group.attrs.get("id", -1)))
            if self.need(row is not None, f"{where}: its id is in no row"):
                self.need(c["archid"][row] == archid, f"{where}: its id is the row of {c['archid'][row]}")
                self.need(as_text(group.attrs.get("arch", "")) == c["arch"][row], f"{where}: attribute arch differs")
            self.need(len(group) > 0, f"{where}: no tensors")
            for name, d in group.items():
                values = d[()]
                if values.dtype.kind == "f":
                    self.need(np.isfinite(values).all(), f"{where}/{name} is not finite")
                    self.need(values.size < 9 or not name.endswith("weight") or np.any(values), f"{where}/{name} is all zero")
        front = {c["archid"][i] for i in self.file["pareto/index"][()]}
        if weights == "all":
            self.need(set(models) == finished, "weights = all, but some finished models have none")
        elif weights == "pareto":
            self.need(front <= set(models), f"weights = pareto, but {sorted(front - set(models))} have none")
        elif weights == "best":
            self.need(len(models) > 0 or not front, "weights = best, but there are none")
        elif weights == "none":
            self.need(len(models) == 0, "weights = none, but there are some")


def faults_of(path, state=None, rows=None, weights=None):
    """All faults as sentences; an unreadable file is one of them."""
    try:
        with h5py.File(path, "r") as file:
            check = Checker(file)
            check.root()
            if state is not None:
                check.need(as_text(file.attrs["state"]) == state, f"state is {as_text(file.attrs['state'])}, not {state}")
            if check.table():
                check.rows()
                check.measures()
                check.models(weights)
                n = len(check.columns["id"])
                check.need(rows is None or n == rows, f"{n} rows, expected {rows}")
            return check.faults
    except Exception as e:  # noqa: BLE001 - whatever h5py raises is a fault of the file
        return [f"{path}: {type(e).__name__}: {e}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results")
    parser.add_argument("--state", choices=sorted(STATES))
    parser.add_argument("--rows", type=int)
    parser.add_argument("--weights", choices=["pareto", "all", "best", "none"])
    want = parser.parse_args()
    faults = faults_of(want.results, want.state, want.rows, want.weights)
    print("\n".join(faults) if faults else f"ok: {want.results}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
