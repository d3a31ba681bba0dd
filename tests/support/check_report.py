#!/usr/bin/python3
"""Compute every number of a report.html again from results.h5, with nothing but h5py and numpy.

usage: check_report.py DIRECTORY
Prints 'ok' and how much was compared, or ends with the first difference. Stories in Python import `check` and `report_of`.
Importances are not among it: e2e_morning.py grows a forest of its own.
"""
import calendar
import configparser
import json
import os
import re
import sys
import time
from urllib.parse import unquote

import h5py
import numpy as np


def report_of(path):
    html = open(path).read()
    return html, json.loads(re.search(r'<script type="application/json" id="archai-report">(.*?)</script>', html, re.S).group(1))


def near(a, b):
    return abs(a - b) <= 1e-9 * max(1, abs(a), abs(b))


def group(f, name):
    """Datasets by the names that they stand for: those of links are percent-encoded."""
    return {unquote(n): d for n, d in f.get(name, {}).items()}


def unix(text):
    whole, _, share = text.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + (share or "0"))


class Rows:
    """The table, and the rules by which rows stand for architectures and are counted (design of /pareto and /hypervolume)."""

    def __init__(self, f):
        c = f["candidates"]
        for name in ("archid", "status", "error", "operator"):
            setattr(self, name, [v.decode() for v in c[name][()]])
        for name in ("id", "budget", "started", "seconds", "rank"):
            setattr(self, name, c[name][()])
        self.n = len(self.id)
        self.values = {name: d[()] for name, d in group(f, "objectives").items()}
        self.sign = {name: -1 if d.attrs["direction"] in (b"maximize", "maximize") else 1 for name, d in group(f, "objectives").items()}
        has = np.array([s in ("ok", "cached") for s in self.status], bool)
        self.has = has
        self.finish = self.started + self.seconds
        generational = f.attrs["schedule"] == "generational" and f.attrs["state"] != "running"
        self.order = np.arange(self.n) if generational else np.lexsort((np.arange(self.n), self.finish))
        fresh = np.array([self.status[i] != "cached" for i in self.order], int)
        self.evaluation = np.empty(self.n, int)
        self.evaluation[self.order] = np.cumsum(fresh)
        started = self.started[self.started > 0]
        self.began = started.min() if len(started) else 0.0

    def standing_after(self, n):
        at = {}
        for i in self.order[:n]:
            if self.has[i]:
                old = at.get(self.archid[i])
                if old is None or (-self.budget[i], i) < (-self.budget[old], old):
                    at[self.archid[i]] = i
        return at

    def key(self, i, name):
        """How good a row is by one objective, ties by the others in turn, then by the order of the table."""
        names = [name] + [k for k in self.values if k != name]
        return tuple(np.inf if np.isnan(self.values[k][i]) else self.sign[k] * self.values[k][i] for k in names) + (i,)

    def best_steps(self, name):
        at, best, steps = {}, None, []
        for i in self.order:
            old = at.get(self.archid[i])
            if not self.has[i] or (old is not None and (-self.budget[i], i) > (-self.budget[old], old)):
                continue
            at[self.archid[i]] = i
            now = min((r for r in at.values() if not np.isnan(self.values[name][r])), key=lambda r: self.key(r, name), default=None)
            if now is not None and now != best:
                best = now
                steps.append((int(self.evaluation[i]), now, self.finish[i] - self.began))
        return steps

    def front(self, rows, names):
        rows = [i for i in rows if not any(np.isnan(self.values[k][i]) for k in names)]
        points = {i: [self.sign[k] * self.values[k][i] for k in names] for i in rows}
        return [i for i in rows if not any(all(a <= b for a, b in zip(points[j], points[i])) and points[j] != points[i] for j in rows)]


def check(directory, page=None):
    _, said = report_of(page or f"{directory}/report.html")
    f = h5py.File(f"{directory}/results.h5")
    rows = Rows(f)
    compared = 0

    # what was searched, and what became of it
    run = said["run"]
    for name in ("state", "space", "algorithm", "schedule", "started", "updated", "software"):
        assert run[name] == f.attrs[name], name
    for name in ("seed", "ranks", "rejected"):
        assert run[name] == int(f.attrs[name]), name
    assert run["rows"] == rows.n and {k: v for k, v in run["statuses"].items() if v} == {s: rows.status.count(s) for s in set(rows.status)}
    standing = rows.standing_after(rows.n)
    assert run["architectures"] == len(standing)
    optimised = [o["name"] for o in said["objectives"] if o["direction"] != "constrain"]
    front = sorted(f["pareto/index"][()].tolist(), key=lambda i: rows.key(i, said["objectives"][0]["name"]))
    assert said["front"] == [rows.archid[i] for i in front] and sorted(front) == sorted(rows.front(list(standing.values()), optimised))

    # the best so far
    for name in rows.values:
        steps = rows.best_steps(name)
        assert said["best"][name] == [[e, rows.values[name][i], rows.archid[i]] for e, i, _ in steps], (name, said["best"][name], steps)
        assert all(near(a, b) for a, (_, _, b) in zip(said["best_seconds"][name], steps)) and len(said["best_seconds"][name]) == len(steps)
        compared += 3 * len(steps)

    # fronts of pairs, and how they grew
    pairs = [(b, a) for k, a in enumerate(optimised[:6]) for b in optimised[:6][k + 1:]]
    assert [(p["x"], p["y"]) for p in said["pairs"]] == pairs
    for pair in said["pairs"]:
        assert len(pair["growth"]) == 4
        for q, g in enumerate(pair["growth"], 1):
            n = rows.n * q // 4
            mine = rows.front(list(rows.standing_after(n).values()), (pair["x"], pair["y"]))
            points = {(rows.sign[pair["x"]] * rows.values[pair["x"]][i], rows.sign[pair["y"]] * rows.values[pair["y"]][i]): i for i in sorted(mine, reverse=True)}
            ids = [int(rows.id[points[p]]) for p in sorted(points)] # of equal points the first
            assert g["evaluation"] == (rows.evaluation[rows.order[n - 1]] if n else 0) and g["size"] == len(ids), (pair["x"], pair["y"], q)
            assert g["ids"] == ids if len(ids) <= 300 else set(g["ids"]) <= set(ids) and g["ids"][0] == ids[0] and g["ids"][-1] == ids[-1]
            compared += len(ids)

    hv, there = said["hypervolume"], f["hypervolume"]
    n = len(there["value"])
    stride = -(-n // 2000) if n else 1
    kept = slice((n - 1) % stride if n else 0, None, stride)
    for name in ("evaluations", "seconds", "value"):
        assert hv[name] == there[name][()][kept].tolist(), name
        compared += len(hv[name])

    # the models
    m, at = said["models"], {int(v): i for i, v in enumerate(rows.id)}
    shown = [at[v] for v in m["id"]]
    assert shown == sorted(shown) and (len(shown) == rows.n or len(shown) <= 5000)
    place = {i: k + 1 for k, i in enumerate(front)}
    kept = {unquote(name) for name in f.get("models", {})}
    assert m["weights"] == [int(rows.archid[i] in kept) for i in shown]
    for k, i in enumerate(shown):
        assert m["archid"][k] == rows.archid[i] and rows.archid[i].startswith(m["short"][k]) and m["status"][k] == rows.status[i]
        assert m["budget"][k] == rows.budget[i] and near(m["seconds"][k], rows.seconds[i]) and m["rank"][k] == rows.rank[i]
        assert m["started"][k] is None if not rows.started[i] > 0 else near(m["started"][k], rows.started[i] - rows.began)
        assert m["evaluation"][k] == rows.evaluation[i] and m["stands"][k] == (standing.get(rows.archid[i]) == i) and m["front"][k] == place.get(i, 0)
    assert all(i in set(shown) for i in front) or len(front) > 2000
    params = {n: d[()] for n, d in group(f, "params").items()}
    for where, columns in (("objectives", rows.values), ("metrics", {n: d[()] for n, d in group(f, "metrics").items()}), ("params", params)):
        for name, told in m[where].items():
            column = columns[name]
            for k, i in enumerate(shown):
                if column.dtype.kind == "S":
                    assert (told[k] or "") == column[i].decode() or told[k].endswith("..."), (where, name)
                else:
                    assert told[k] is None if not np.isfinite(column[i]) else told[k] == column[i], (where, name)
            compared += len(shown)
    differ = [n for n, c in params.items() if any(not np.array_equal(c[:1], c[i:i + 1], equal_nan=c.dtype.kind == "f") for i in range(1, rows.n))]
    assert sorted(said["params"]) == sorted(differ) == sorted(m["params"]), (said["params"], differ)

    # curves of the front
    assert [c["id"] for c in said["curves"]] == [int(rows.id[i]) for i in front[:12]]
    for c, i in zip(said["curves"], front):
        mine = {n: d[i][~np.isnan(d[i])] for n, d in group(f, "curves").items()}
        assert c["stride"] > 1 or {n: [float(x) for x in v] for n, v in mine.items() if len(v)} == c["curves"], (c, mine)
        compared += sum(len(v) for v in mine.values())

    # time
    took = [i for i in range(rows.n) if rows.status[i] != "cached" and rows.started[i] > 0]
    t, config = said["timeline"], configparser.RawConfigParser(strict=False)
    config.read_string(f.attrs["config"])
    alone = config.get("run", "coordinator_evaluates", fallback="yes") == "no" and run["ranks"] > 1
    assert t["slots"] == run["ranks"] - alone
    seconds = max((rows.finish[i] - rows.began for i in took), default=0)
    assert near(t["seconds"], seconds) and near(t["began"], rows.began)
    if seconds > 0:
        width = seconds / len(t["shares"])
        for k, share in enumerate(t["shares"]):
            busy = sum(max(0, min(rows.finish[i] - rows.began, (k + 1) * width) - max(rows.started[i] - rows.began, k * width)) for i in took)
            assert abs(share - busy / width / t["slots"]) < 1e-6, (k, share, busy)
        for told in t["ranks"]:
            for name, mine in (("busy", took), ("failed", [i for i in took if rows.status[i] == "failed"])):
                mine = [i for i in mine if rows.rank[i] == told["rank"]]
                for k, share in enumerate(told[name]):
                    busy = sum(max(0, min(rows.finish[i] - rows.began, (k + 1) * width) - max(rows.started[i] - rows.began, k * width)) for i in mine)
                    assert abs(share - 1000 * busy / width) <= 0.5 + 1e-6 * share, (told["rank"], name, k, share, 1000 * busy / width)
        assert {r["rank"] for r in t["ranks"]} >= {int(rows.rank[i]) for i in took if rows.rank[i] < 256}
        compared += len(t["shares"]) + 240 * len(t["ranks"])
    last, updated = unix(f.attrs["started"]), unix(f.attrs["updated"])
    busy = sum(rows.seconds[i] for i in took)
    # as long as the last start lasted, or anything ran: once for each full set of slots that were in use
    begins, ends = np.sort([rows.started[i] for i in took]), np.sort([rows.finish[i] for i in took])
    edges = np.unique(np.concatenate([begins, ends, [last, max(last, updated)]]))
    running = np.searchsorted(begins, edges[:-1], "right") - np.searchsorted(ends, edges[:-1], "right")
    runs = np.maximum(np.ceil(running / t["slots"]), (edges[:-1] >= last) & (edges[:-1] < updated))
    offered = float(np.sum(np.diff(edges) * runs))
    if offered > 0:
        assert abs(said["utilisation"] - min(1, busy / offered / t["slots"])) < 1e-9

    # failures: each kind with one of its rows; together, all of them but those that repeat another
    failed = [i for i in range(rows.n) if rows.status[i] == "failed" and "the same architecture was candidate " not in rows.error[i]]
    assert sum(k["count"] for k in said["failures"]) + said["failures_of_other_kinds"] == len(failed)
    for kind in said["failures"]:
        i = at[kind["id"]]
        assert rows.status[i] == "failed" and rows.error[i] == kind["example"], kind
        if "log" in kind:
            whole = open(f"{directory}/logs/{kind['id']}.log", errors="replace").read()
            assert kind["log"].strip("\n") == whole.strip("\n") or len(whole) > 1 << 17, kind
    compared += len(failed)

    # the configuration
    mine = [(s, k, v) for s in config.sections() for k, v in config.items(s)]
    assert len(said["config"]) == len(mine) and {(s, k) for s, k, _, _ in said["config"]} == {(s, k) for s, k, _ in mine}
    return compared + len(mine)


if __name__ == "__main__":
    print(f"ok: {check(sys.argv[1])} values")
