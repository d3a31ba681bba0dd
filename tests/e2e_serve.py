#!/usr/bin/python3
"""archai-space CONFIG serve: the search of archai-run, asked and told over standard input and output. One candidate at a time it proposes
what archai-run with one slot does, by generations too, also where a surrogate is fitted. Killed at any time and started again on
its history it goes on as if it had not been; whatever comes in, it answers. The example in Python runs."""
import json
import os
import pathlib
import random
import subprocess
import sys

import h5py

EDGES = [["none", "skip", "conv1", "conv3", "pool"]] * 4
pathlib.Path("tree.json").write_text(json.dumps({f"edge_{i}": {"choice": c} for i, c in enumerate(EDGES)}))
draw = random.Random(7)
WORTH = [{c: draw.random() for c in choices} for choices in EDGES]
TABLE = {}
with open("table.csv", "w") as f:
    print(*[f"edge_{i}" for i in range(len(EDGES))], "accuracy", "cost", sep=",", file=f)
    for n in range(5 ** len(EDGES)):
        cell = tuple(c[n // 5 ** i % 5] for i, c in enumerate(EDGES))
        TABLE[cell] = (round(sum(w[c] for w, c in zip(WORTH, cell)) + draw.random() / 4, 6),
                       round(sum(c.startswith("conv") + 0.1 * (c == "pool") for c in cell) + draw.random() / 8, 6))
        print(*cell, *TABLE[cell], sep=",", file=f)


def config(name, search):
    pathlib.Path(f"{name}.ini").write_text(f"[search]\n{search}\n" + """
[space]
name = config
tree = tree.json
[objective.accuracy]
direction = maximize
[objective.cost]
direction = minimize
[evaluator]
kind = table
table = table.csv
[output]
weights = none
report = no
""")
    return f"{name}.ini"


class Serve:
    def __init__(self, *arguments):
        self.p = subprocess.Popen(["archai-space", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def raw(self, line):
        self.p.stdin.write(line + b"\n")
        self.p.stdin.flush()
        return json.loads(self.p.stdout.readline())

    def __call__(self, **what):
        return self.raw(json.dumps(what).encode())

    def close(self):
        self.p.stdin.close()
        assert self.p.wait(60) == 0, self.p.stderr.read()
        return self.p.stderr.read().decode()

    def kill(self):
        self.p.kill()
        self.p.wait()
        for pipe in (self.p.stdin, self.p.stdout, self.p.stderr):
            pipe.close()


def measure(c):
    return dict(zip(("accuracy", "cost"), TABLE[tuple(c["params"][f"edge_{i}"] for i in range(len(EDGES)))]))


def one_by_one(ini):
    serve, seen = Serve(ini, "serve"), []
    while candidates := (answer := serve(ask=1))["candidates"]:
        (c,) = candidates
        assert answer.keys() == {"candidates"} and c["id"] == len(seen) or "generational" in ini, answer
        seen.append((c["archid"], c["operator"]))
        assert serve(tell=c["id"], measures=measure(c))["status"] == "ok"
    front = serve(front=True)["front"]
    serve.close()
    return seen, front, answer["done"]


# -- the same search as archai-run's ---------------------------------------------------------------------------
for name, search in {
    "async": "algorithm = evolution_pareto\nmax_evaluations = 40\nseed = 5",
    "generational": "algorithm = nsga2\nschedule = generational\nnum_iters = 4\nseed = 5",
    "bananas_generational": "algorithm = mo_bananas\nschedule = generational\nnum_iters = 2\ninit_num_models = 6\nnum_parents = 4\n"
                            "mutations_per_parent = 3\nnum_candidates = 4\nnum_tr_steps = 20\nseed = 2",
}.items():
    ini = config(name, search)
    seen, front, done = one_by_one(ini)
    subprocess.run(["archai-run", ini, "--output", name, "--progress", "none"], check=True, capture_output=True, timeout=120)
    with h5py.File(f"{name}/results.h5") as f:
        rows = zip(*(f["candidates"][k].asstr()[()] for k in ("archid", "operator", "status")))
        ran = [(a, o) for a, o, s in rows if s == "ok"]
        assert seen == ran and len(seen) >= 10, (name, seen, ran)
        assert sorted(m["id"] for m in front) == sorted(f["candidates/id"][()][f["pareto/index"][()]]), front
        values = {f["candidates/id"][()][i]: f["objectives/accuracy"][()][i] for i in f["pareto/index"][()]}
        assert all(m["objectives"]["accuracy"] == values[m["id"]] for m in front)
    print(name, len(seen), "candidates,", done)
assert done and "max_evaluations" in one_by_one("async.ini")[2]


# -- killed at any time ----------------------------------------------------------------------------------------
def in_flight(ini, history, kills):
    """Three under way, told in an order that is always the same; it is killed after the requests whose numbers are in `kills`."""
    order, told, held, requests = random.Random(3), [], [], 0
    serve = Serve(ini, "serve", "--history", history)
    while True:
        if requests in kills:
            kills.remove(requests)
            serve.kill()
            serve, held = Serve(ini, "serve", "--history", history), [] # what it had got is forgotten, too
        requests += 1
        if len(held) < 3 and not (held and held[0] is None):
            answer = serve(ask=3 - len(held))
            held = sorted(held + answer["candidates"], key=lambda c: c["id"])
            if "done" in answer and not held:
                serve.close()
                return told
            if len(held) == 3:
                continue
        c = held.pop(order.randrange(len(held)))
        told.append((c["id"], c["archid"], c["seed"]))
        serve(tell=c["id"], measures=measure(c))


for ini in ("async.ini", "generational.ini"):
    whole = in_flight(ini, f"{ini}.whole", set())
    parts = in_flight(ini, f"{ini}.parts", {2, 3, 9, 20, 31, 32, 33, 50})
    assert whole == parts, [pair for pair in zip(whole, parts) if pair[0] != pair[1]][:3]
    assert pathlib.Path(f"{ini}.whole").read_bytes() == pathlib.Path(f"{ini}.parts").read_bytes()

assert b'{"asked": null}' in pathlib.Path("generational.ini.whole").read_bytes() # a question that found nothing counts, too

# a line that was cut off does not count; what is somebody else's is left alone
text = pathlib.Path("async.ini.whole").read_bytes()
lines = text.splitlines(keepends=True)
pathlib.Path("cut").write_bytes(b"".join(lines[:20]) + lines[20][:9])
serve = Serve("async.ini", "serve", "--history", "cut")
assert serve(front=True)["front"]
second = Serve("async.ini", "serve", "--history", "cut")
assert second.p.wait(60) == 2 and b"another serve holds it" in second.p.stderr.read()
assert "goes on from cut: " in serve.close() and pathlib.Path("cut").read_bytes() == b"".join(lines[:20])
for content, search, expected in ((b"[search]\nseed = 1\n", [], "is not a history that serve wrote"), (b"notes", [], "is not a history"),
                                  (text, ["--set", "search.seed=6"], "search.seed: the history is of a search with 5, this configuration says 6"),
                                  (text.replace(b'"space.name"', b'"objective.x.unit": "m", "space.name"'), [],
                                   "objective.x.unit: the history is of a search with m, this configuration says (nothing)"),
                                  (text.replace(b'"asked": 3, "archid": "', b'"asked": 3, "archid": "x'), [], "changed since"),
                                  (text + b"{\"tell\": 1, \"measures\": {}}\n", [], "candidate 1 is told already")):
    pathlib.Path("foreign").write_bytes(content)
    p = subprocess.run(["archai-space", "async.ini", "serve", "--history", "foreign", *search], input=b"", capture_output=True, timeout=60)
    assert p.returncode == 2 and expected in p.stderr.decode() and len(p.stderr.splitlines()) == 1, (expected, p.stderr)
    assert pathlib.Path("foreign").read_bytes() == content

# -- whatever comes in -----------------------------------------------------------------------------------------
serve = Serve("async.ini", "serve", "--history", "odd")
for line, expected in {
    b"x": "not a JSON object", b"[1]": "not a JSON object", b"{": "not a JSON object", b'{"ask": 1, "ask": 2}': "not a JSON object",
    b"\xff\xfe": "not a JSON object", b'{"ask": 1}\0': "a NUL byte", b'{"ask": "' + b"9" * (17 << 20) + b'"}': "more than 16 MiB",
    b"{}": "expected one of the keys", b'{"ask": 0}': "ask: expected a whole number from 1 to 10000", b'{"ask": 1.5}': "ask: ",
    b'{"ask": "1"}': "ask: ", b'{"ask": 1, "n": 2}': "n: unknown key", b'{"ask": 1e400}': "ask: ", b'{"ask": NaN}': "ask: ",
    b'{"tell": 0, "measures": {}}': "candidate 0 was not asked for", b'{"tell": -1}': "tell: ", b'{"tell": null}': "tell: ",
}.items():
    answer = serve.raw(line)
    assert answer.keys() == {"error"} and expected in answer["error"], (line[:40], answer)
c = serve(ask=1)["candidates"][0]
for line, expected in {
    b'{"tell": 0}': "expected {", b'{"tell": 0, "measures": {}, "error": "x"}': "expected {", b'{"tell": 0, "error": 3}': "error: ",
    b'{"tell": 0, "measures": 3}': "measures: ", b'{"tell": 0, "mesures": {"accuracy": 1}}': "did you mean 'measures'",
}.items():
    answer = serve.raw(line)
    assert answer.keys() == {"error"} and expected in answer["error"], (line, answer)
answer = serve.raw(b'\xef\xbb\xbf{"tell": 0, "measures": {"accuracy": NaN, "cost": 1}}\r')
assert answer == {"told": 0, "status": "failed", "on_front": False, "error": "accuracy is NaN or missing"}, answer
c = serve(ask=1)["candidates"][0]
assert serve(tell=c["id"], error="it caught fire")["error"] == "it caught fire"
c = serve(ask=1)["candidates"][0]
answer = serve(tell=c["id"], measures=measure(c) | {"name": "text", "curve": [1, 2]})
assert answer["status"] == "ok" and answer["note"].startswith("name: "), answer
assert [m["id"] for m in serve(front=True)["front"]] == [c["id"]]
serve.close()

# -- the example -----------------------------------------------------------------------------------------------
example = [sys.executable, f"{os.environ['ARCHAI_SOURCE']}/configs/examples/ask_and_tell.py"]
os.symlink(f"{os.environ['ARCHAI_SOURCE']}/configs", "configs")
for more in (2, 3): # the second goes on from the first
    said = subprocess.run([*example, "--set", f"search.max_evaluations={more}"], capture_output=True, text=True, timeout=120)
    assert said.returncode == 0 and " parameters  " in said.stdout, said
assert sum(b'"tell"' in line for line in open("spirals.jsonl", "rb")) == 3
