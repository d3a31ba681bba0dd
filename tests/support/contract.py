"""What results.h5 promises, checked with stock h5py.

    contract.py RESULTS.h5 [--rows N] [--state STATE] [--weights POLICY]

As a module: faults(path, ...) gives a list of sentences, empty where all promises hold. Everything is
derived from the file itself, so that any run can be held against it, also while it goes on.
"""
import argparse
import json
import sys

import h5py
import numpy as np

COLUMNS = {
    "id": "i8", "archid": "S", "arch": "S", "status": "S", "error": "S", "operator": "S",
    "parents": "S", "metadata": "S", "device": "S", "generation": "i4", "rank": "i4",
    "budget": "f8", "started": "f8", "seconds": "f8",
}
ATTRIBUTES = ("format", "format_version", "state", "space", "algorithm", "schedule", "seed", "ranks",
              "rejected", "config", "started", "updated", "software")
OUTCOMES = ("ok", "cached", "failed", "infeasible", "pruned")
STATES = ("running", "complete", "interrupted", "failed")


def strings(dataset):
    return [v.decode("utf-8") for v in dataset[()]]


def front_of(points):
    """Rows that no other dominates (all minimised). In lexicographic order nothing is dominated by
    what comes later, so each needs to be held only against the members so far."""
    members = np.empty((0, points.shape[1]))
    rows = []
    for i in np.lexsort(points.T[::-1]):
        p = points[i]
        if not ((members <= p).all(axis=1) & (members < p).any(axis=1)).any():
            members = np.vstack([members, p])
            rows.append(i)
    return rows


class Contract:
    def __init__(self, f):
        self.f = f
        self.wrong = []

    def expect(self, condition, sentence):
        if not condition:
            self.wrong.append(sentence)
        return condition

    def attributes(self, state):
        a = self.f.attrs
        for name in ATTRIBUTES:
            self.expect(name in a, f"no root attribute {name}")
        self.expect(a.get("format") == "archai-results", f"format is {a.get('format')!r}")
        self.expect(a.get("format_version") == 1, f"format_version is {a.get('format_version')!r}")
        self.expect(a.get("state") in STATES, f"state is {a.get('state')!r}")
        self.expect(state is None or a.get("state") == state, f"state is {a.get('state')!r}, not {state!r}")
        for name in ("started", "updated"):
            self.expect(str(a.get(name, "")).endswith("Z"), f"{name} is not UTC")

    def candidates(self, rows):
        c = self.f["candidates"]
        for name, kind in COLUMNS.items():
            if not self.expect(name in c, f"no /candidates/{name}"):
                continue
            d = c[name]
            self.expect(d.ndim == 1, f"/candidates/{name} is not a column")
            if kind == "S":
                info = h5py.check_string_dtype(d.dtype)
                self.expect(info is not None and info.length is not None and info.encoding == "utf-8",
                            f"/candidates/{name} is no fixed-length UTF-8")
            else:
                self.expect(d.dtype == np.dtype("<" + kind), f"/candidates/{name} is {d.dtype}")
        self.n = len(c["id"])
        self.expect(rows is None or self.n == rows, f"{self.n} rows, not {rows}")
        for name in c:
            self.expect(c[name].shape[0] == self.n, f"/candidates/{name} has {c[name].shape[0]} rows of {self.n}")
        ids = c["id"][()]
        self.expect((np.diff(ids) > 0).all(), "ids are not ascending")
        self.status = np.array(strings(c["status"]), dtype=object)
        self.archid = np.array(strings(c["archid"]), dtype=object)
        self.expect(set(self.status) <= set(OUTCOMES), f"strange status in {set(self.status)}")
        for i, (status, error) in enumerate(zip(self.status, strings(c["error"]))):
            self.expect(status != "failed" or error, f"row {i} failed for no reason")
        for archid in self.archid:
            self.expect(archid and "/" not in archid, f"archid {archid!r}")
        for text in strings(c["parents"]):
            self.expect(isinstance(json.loads(text), list), f"parents {text!r}")
        for text in strings(c["metadata"]):
            self.expect(isinstance(json.loads(text), dict), f"metadata {text!r}")

    def tables(self):
        for group in ("objectives", "metrics"):
            for name, d in self.f[group].items():
                self.expect(d.shape == (self.n,) and d.dtype == np.dtype("<f8"),
                            f"/{group}/{name} is {d.dtype} {d.shape}")
        for name, d in self.f["curves"].items():
            self.expect(d.ndim == 2 and d.shape[0] == self.n and d.dtype == np.dtype("<f4"),
                        f"/curves/{name} is {d.dtype} {d.shape}")
        self.expect(len(self.f["objectives"]) > 0, "no objectives")
        for name, d in self.f["objectives"].items():
            for attribute in ("direction", "expensive", "unit", "constraint"):
                self.expect(attribute in d.attrs, f"/objectives/{name} has no {attribute}")

    def front(self):
        objectives = self.f["objectives"].values()
        sign = [-1 if d.attrs["direction"] == "maximize" else 1 for d in objectives]
        points = np.array([s * d[()] for s, d in zip(sign, objectives)]).T.reshape(self.n, len(sign))
        good = np.flatnonzero(np.isin(self.status, ["ok", "cached"]))
        self.expect(not np.isnan(points[good]).any(), "an ok row lacks an objective")
        budget, first = self.f["candidates/budget"][()], {}
        for i in sorted(good, key=lambda i: (-budget[i], i)): # an architecture once, by its first row of the highest budget
            first.setdefault(self.archid[i], i)
        good = np.array(sorted(first.values()), dtype=int)
        want = sorted(good[front_of(points[good])])
        got = self.f["pareto/index"][()]
        self.expect(list(got) == list(want), f"/pareto/index is {list(got)}, not {want}")
        self.on_front = {self.archid[i] for i in want}

    def hypervolume(self):
        h = self.f["hypervolume"]
        e, s, v = (h[name][()] for name in ("evaluations", "seconds", "value"))
        self.expect(len(e) == len(s) == len(v), "the hypervolume's columns differ in length")
        falls = len(set(self.f["candidates/budget"][()])) > 1 # a promoted model may be worse than it was
        self.expect((np.diff(e) >= 0).all() and (falls or (np.diff(v) >= 0).all()) and (np.diff(s) >= 0).all(),
                    "the hypervolume shrinks")

    def models(self, weights):
        good = {a for a, s in zip(self.archid, self.status) if s in ("ok", "cached")}
        shown = self.f["models"]
        for archid, group in shown.items():
            self.expect(archid in good, f"/models/{archid} is no finished candidate")
            self.expect(group.attrs["archid"] == archid and "arch" in group.attrs, f"/models/{archid} is unlabelled")
            self.expect(group.attrs["id"] in self.f["candidates/id"][()], f"/models/{archid} has a strange id")
            self.expect(len(group) > 0, f"/models/{archid} is empty")
            for name, d in group.items():
                self.expect(d.is_virtual or d.size == 0, f"/models/{archid}/{name} is a copy")
                value = d[()]
                self.expect(value.dtype.kind != "f" or np.isfinite(value).all(), f"/models/{archid}/{name} is not finite")
                self.expect(value.size < 8 or np.any(value), f"/models/{archid}/{name} is all zero")
        if weights == "pareto":
            self.expect(set(shown) == self.on_front, f"weights=pareto shows {set(shown)}, the front is {self.on_front}")
        elif weights == "all":
            self.expect(set(shown) == good, f"weights=all shows {len(shown)} of {len(good)}")
        elif weights == "best":
            self.expect(len(shown) == (1 if good else 0), f"weights=best shows {len(shown)}")
        elif weights == "none":
            self.expect(len(shown) == 0, "weights=none shows some")


def faults(path, rows=None, state=None, weights=None):
    try:
        with h5py.File(path, "r") as f:
            c = Contract(f)
            c.attributes(state)
            c.candidates(rows)
            c.tables()
            c.front()
            c.hypervolume()
            c.models(weights)
            return c.wrong
    except Exception as e:  # whatever h5py raises is a broken promise
        return [f"{type(e).__name__}: {e}"]


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("results")
    p.add_argument("--rows", type=int)
    p.add_argument("--state", choices=STATES)
    p.add_argument("--weights", choices=("pareto", "all", "best", "none"))
    a = p.parse_args()
    wrong = faults(a.results, a.rows, a.state, a.weights)
    print("\n".join(wrong) if wrong else "ok")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
