"""Runs that are killed with SIGKILL at random instants, all processes at once, and resumed until they are done.

After every kill: nothing of the run is left; results.h5 opens with stock h5py and keeps its contract; no row that was
ever committed to a segment is missing. At the end of each run: exactly the budget, and no candidate that was committed
was evaluated again. A short storm by default; ARCHAI_LONG=1 makes it 200 kills.
"""
import os
import random
import signal
import subprocess
import sys
import time

import h5py

from check_results import faults_of
from processes import marked, none_left
from segments import committed

LONG = os.environ.get("ARCHAI_LONG") == "1"
KILLS = 200 if LONG else 8
SEED = int(os.environ.get("ARCHAI_STORM_SEED", time.time_ns() % 1_000_000))
BIN, SOURCE = os.environ["ARCHAI_BIN"], os.environ["ARCHAI_SOURCE"]
MARK = f"ARCHAI_STORM={os.getpid()}"
random.seed(SEED)
print(f"seed {SEED} (ARCHAI_STORM_SEED)")

# Killed jobs leave their session directories and shared memory behind: in a place of their own, which goes with the story.
scratch = os.path.join("/tmp", f"storm-{os.getpid()}")
os.makedirs(scratch)
environment = dict(os.environ, TMPDIR=scratch, OMPI_MCA_btl_vader_backing_directory=scratch,
                   OMPI_MCA_orte_tmpdir_base=scratch, ARCHAI_STORM=str(os.getpid()))

STORIES = [  # name, ranks, budget, configuration, arguments, seconds in which kills fall
    ("null", 4, 2200, "null.ini", ["--set", "evaluator.delay=4ms"], 3.0),
    ("weights", 3, 12, "tiny.ini", ["--set", "data.samples=200", "--set", "train.epochs=1",
                                    "--set", "output.weights=all"], 6.0),
    ("steps", 2, 800, "null.ini", ["--set", "search.schedule=generational", "--set", "search.algorithm=evolution_pareto",
                                   "--set", "search.num_iters=1000", "--set", "evaluator.delay=4ms"], 3.0),
]
if not os.path.exists(f"{BIN}/archai-evaluator"):  # built without libtorch
    del STORIES[1]


def indexed(out, **want):
    """{id: archid} of results.h5, which keeps its contract."""
    path = f"{out}/results.h5"
    if not os.path.exists(path):
        return {}
    faults = faults_of(path, **want)
    assert not faults, (out, faults[:5])
    with h5py.File(path, "r") as f:
        return dict(zip(f["candidates/id"][()].tolist(), f["candidates/archid"].asstr()[()]))


class Run:
    def __init__(self, number):
        self.name, ranks, self.budget, config, args, self.reach = STORIES[number % len(STORIES)]
        self.out = f"{self.name}-{number}"
        self.command = ["mpirun", "-n", str(ranks), "archai-run", f"{SOURCE}/tests/support/{config}", "--output", self.out,
                        "--progress", "none", "--set", f"search.max_evaluations={self.budget}", *args]
        self.ids, self.archids, self.kills, self.orphans = {}, {}, 0, 0

    def start(self):
        with open(f"{self.out}.txt", "ab") as log:
            return subprocess.Popen(self.command + ["--resume"], env=environment, stdout=log, stderr=log,
                                    start_new_session=True)

    def look(self):
        """Nothing that was there before is lost."""
        now = committed(self.out)
        lost = {i for i in self.ids if now.get(i) != self.ids[i]}
        assert not lost, f"{self.out}: committed rows are gone: {sorted(lost)[:10]}"
        archids = indexed(self.out)
        for i, archid in self.archids.items():
            assert archids.get(i) == archid, f"{self.out}: id {i} was {archid}, is {archids.get(i)}"
        self.ids, self.archids = now, archids

    def kill(self):
        """Start, and kill everything at a random instant; False where it was complete by then."""
        p = self.start()
        try:
            code = p.wait(random.uniform(0, self.reach))
        except subprocess.TimeoutExpired:
            for pid in [p.pid] + random.sample(mine := [pid for pid, _ in marked(MARK)], len(mine)):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            p.wait()
            code = None
        none_left(MARK, self.out)
        if code is not None:
            assert code == 0, open(f"{self.out}.txt").read()
        self.kills += code is None
        self.look()
        return code is None

    def finish(self):
        p = self.start()
        assert p.wait(300) == 0, open(f"{self.out}.txt").read()
        self.end()

    def end(self):
        self.look()
        left = indexed(self.out, state="complete", weights="all" if self.name == "weights" else "none")
        with h5py.File(f"{self.out}/results.h5", "r") as f:
            evaluated = sum(status != b"cached" for status in f["candidates/status"][()])
        assert evaluated == self.budget, f"{self.out}: {evaluated} evaluations instead of {self.budget}"
        assert set(self.ids) <= set(left), "committed rows are not in results.h5"
        verify = subprocess.run([f"{BIN}/archai-inspect", self.out, "verify"], capture_output=True, text=True)
        assert verify.returncode == 0, verify.stdout + verify.stderr
        litter = [n for n in os.listdir(self.out) if n.startswith((".", "owner")) or n.endswith(".new")]
        assert not litter, f"{self.out}: left behind: {litter}"


kills = runs = rows = saved = 0
when = {"before the first row": 0, "with rows": 0}
began = time.monotonic()
while kills < KILLS:
    run = Run(runs)
    complete = False
    for _ in range(random.randint(1, 5)):
        before = len(run.ids)
        complete = not run.kill()
        if complete:
            break
        kills += 1
        saved += len(run.ids) - before
        when["with rows" if run.ids else "before the first row"] += 1
        if kills >= KILLS:
            break
    run.end() if complete else run.finish()
    runs += 1
    rows += len(run.ids)
    print(f"{run.out}: {run.kills} kills, {len(run.ids)} rows in {len({s for s, _ in run.ids.values()})} segments", flush=True)
    subprocess.run(["rm", "-rf", run.out])
subprocess.run(["rm", "-rf", scratch])
print(f"{kills} kills of {runs} runs in {time.monotonic() - began:.0f} s: {when}; {saved} rows were committed when a kill came, "
      f"{rows} in the end; none lost, none evaluated twice, results.h5 readable every time, no process left")
sys.exit(0)
