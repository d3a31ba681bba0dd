"""Very many evaluations that take no time: nothing grows that should not.

300,000 by default; ARCHAI_LONG=1: 1,000,000 (some minutes). From 10,000 on a worker's memory is flat, rank 0 takes at most
512 bytes a candidate, and no process opens more and more files. Resuming all of that never takes more memory on rank 0 either.
"""
import os
import re
import subprocess
import time

import h5py

LONG = os.environ.get("ARCHAI_LONG") == "1"
RANKS, BUDGET = (8, 1_000_000) if LONG else (4, 300_000)
# A space too large to exhaust, with models so large that the search takes a while.
space = "name = segmentation_dag\nnb_classes = 2\nimg_size = 64 64\nmax_layers = 8"
with open("run.ini", "w") as f:
    f.write(f"""[search]
algorithm = random_search
max_evaluations = {BUDGET}
[space]
{space}
[objective.params]
direction = minimize
[evaluator]
kind = null
[output]
weights = none
directory = out
report = no
""")


def facts(pid):
    """Resident KiB and open files."""
    with open(f"/proc/{pid}/status") as f:
        rss = int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])
    return rss, len(os.listdir(f"/proc/{pid}/fd"))


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(p) for p in f.read().split()]


p = subprocess.Popen(["mpirun", "-n", str(RANKS), "archai-run", "run.ini", "--progress", "none"],
                     stdout=open("out.txt", "w"), stderr=subprocess.STDOUT)
samples = []  # (rows in results.h5, [(rss, files) of each rank])
while p.poll() is None:
    try:
        with h5py.File("out/results.h5", "r") as f:
            n, running = len(f["candidates/id"]), f.attrs["state"] == "running"
        ranks = [facts(pid) for pid in sorted(children(p.pid))]
        if len(ranks) == RANKS and n >= 10_000 and running:
            samples.append((n, ranks))
    except (OSError, TypeError, KeyError):  # not there yet, or no longer
        pass
    time.sleep(0.2)
assert p.returncode == 0, open("out.txt").read()
with h5py.File("out/results.h5", "r") as f:
    assert len(f["candidates/id"]) == BUDGET
print(next(line for line in open("out.txt") if line.startswith("complete")), end="")
print(f"{len(samples)} looks between {samples[0][0] if samples else 0} and {samples[-1][0] if samples else 0} rows")
assert len({n for n, _ in samples}) >= 2, "too few looks to tell whether anything grows"
(first, before), (last, after) = samples[0], samples[-1]
for rank in range(RANKS):
    grown = (after[rank][0] - before[rank][0]) * 1024
    files = {s[1][rank][1] for s in samples}
    print(f"rank {rank}: {before[rank][0]} -> {after[rank][0]} KiB, {min(files)}..{max(files)} files")
    # a grant of new places may open a file before the last one is closed
    assert max(files) - min(files) <= 3, files
    # The search is ahead of results.h5, by what was done since its last refresh.
    assert grown <= (2 << 20 if rank else 512 * (BUDGET - 10_000) + (4 << 20)), f"rank {rank} grew by {grown} bytes"

# Resuming from all these rows: what reading them takes counts as well.
p = subprocess.Popen(["archai-run", "run.ini", "--progress", "none", "--resume", "--set", f"search.max_evaluations={BUDGET + 1}"],
                     stdout=open("resumed.txt", "w"), stderr=subprocess.STDOUT)
peak = 0
while p.poll() is None:
    try:
        with open(f"/proc/{p.pid}/status") as f:
            peak = max(peak, int((re.search(r"VmHWM:\s+(\d+)", f.read()) or [0, 0])[1]))
    except OSError:
        pass
    time.sleep(0.02)
assert p.returncode == 0, open("resumed.txt").read()
with h5py.File("out/results.h5", "r") as f:
    assert len(f["candidates/id"]) == BUDGET + 1
print(f"resumed: rank 0 took {peak} KiB at its peak, {peak * 1024 // BUDGET} bytes a candidate with all that it takes to begin with")
assert peak * 1024 <= 512 * BUDGET + (40 << 20), peak
