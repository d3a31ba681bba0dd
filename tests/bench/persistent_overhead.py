#!/usr/bin/python3
"""What a program that stays costs beside its own time, alone and with kill -9 at random.

usage: persistent_overhead.py BIN [--candidates N] [--ms N] [--kills N] [--repeat N] [--output FILE]

N candidates (200) that sleep for so many milliseconds (50), through 2 ranks that both evaluate. Overhead of a candidate: what
the run took from the first request that any program read to the last answer that any wrote, times 2 slots, less the time
the programs slept, by the candidates. `seconds` of a row holds the same for one candidate, without what lies between two.
With --kills a random one of the programs is killed with SIGKILL at random times, so often in all: every other
candidate must come back well."""
import argparse
import os
import pathlib
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = """import sys, time
sys.path.insert(0, {examples!r})
import archai_program as archai

log = open({log!r} + "." + str(__import__("os").getpid()), "a", buffering=1)
for c in archai.candidates():
    begun = time.time()
    time.sleep({sleep})
    log.write(f"{{c.id}} {{begun}} {{time.time()}}\\n")
    archai.result(value=c.params["x"])
"""
CONFIG = """[search]
algorithm = random_search
max_evaluations = {n}
[space]
name = config
tree = {tree}
[objective.value]
source = value
direction = maximize
[evaluator]
kind = command
command = {python} {program}
persistent = yes
[output]
report = no
"""


def kill_some(folder, n, seconds):
    """A random one of the programs, n times; True: it was there."""
    killed = 0
    for _ in range(n):
        time.sleep(random.expovariate(1) * seconds / n)
        pids = [int(p.name.split(".")[-1]) for p in folder.glob("log.*")]
        alive = [p for p in pids if os.path.exists(f"/proc/{p}")]
        if alive:
            try:
                os.kill(random.choice(alive), signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                pass
    return killed


def run(args, kills):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "tree.yaml").write_text("x: {range: [1, 1000000], step: 1}\n")
        program = folder / "program.py"
        program.write_text(PROGRAM.format(examples=str(HERE.parent.parent / "configs/examples"), log=str(folder / "log"), sleep=args.ms / 1000))
        (folder / "c.ini").write_text(CONFIG.format(n=args.candidates, tree=folder / "tree.yaml", python=sys.executable, program=program))
        out = folder / "out"
        p = subprocess.Popen(["mpirun", "--oversubscribe", "-n", "2", f"{args.bin}/archai-run", str(folder / "c.ini"), "--output", str(out),
                              "--progress", "none"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        killed = kill_some(folder, kills, args.candidates * args.ms / 2000) if kills else 0
        said = p.communicate()[1]
        assert p.returncode == 0, said
        rows = [list(map(float, line.split())) for path in folder.glob("log.*") for line in path.read_text().splitlines()]
        begun, ended, slept = min(r[1] for r in rows), max(r[2] for r in rows), sum(r[2] - r[1] for r in rows)
        with h5py.File(out / "results.h5") as f:
            status = [v.decode() for v in f["candidates/status"][:]]
            error = [v.decode() for v in f["candidates/error"][:]]
            seconds = f["candidates/seconds"][:]
        failed = [e for s, e in zip(status, error) if s != "ok"]
        assert len(status) == args.candidates and all("killed by signal 9" in e for e in failed), failed
        between = (2 * (ended - begun) - slept) / len(rows)
        inside = seconds[[s == "ok" for s in status]].mean() - slept / len(rows)
        return {"overhead_ms": 1000 * between, "inside_ms": 1000 * inside, "killed": killed, "failed": len(failed), "ok": status.count("ok"),
                "processes": len(list(folder.glob("log.*")))}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin")
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--ms", type=float, default=50)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--output")
    args = parser.parse_args()
    random.seed(1)
    lines = [f"# Programs that stay\n\n{args.candidates} candidates of {args.ms:g} ms through 2 ranks that both evaluate "
             f"(`tests/bench/persistent_overhead.py`), {args.repeat} runs; load average at the start {os.getloadavg()[0]:.1f}. Overhead: of a candidate in the whole run, "
             "with the way to rank 0 and back, from the first candidate that a program has read. Inside: of an evaluation, in the mean, with the start of Python before a process' first.\n",
             "| | overhead, ms, each run | median | inside, ms | processes | killed | failed | ok |", "|---|---|---|---|---|---|---|---|"]
    for name, kills in (("alone", 0), ("SIGKILL at random", args.kills)):
        runs = [run(args, kills) for _ in range(args.repeat)]
        total = {k: [r[k] for r in runs] for k in runs[0]}
        lines.append(f"| {name} | {' '.join(f'{v:.2f}' for v in total['overhead_ms'])} | {statistics.median(total['overhead_ms']):.2f} | "
                     f"{statistics.median(total['inside_ms']):.2f} | {' '.join(map(str, total['processes']))} | {' '.join(map(str, total['killed']))} | "
                     f"{' '.join(map(str, total['failed']))} | {' '.join(map(str, total['ok']))} |")
        print(lines[-1], flush=True)
    lines.append("\nA kill costs the candidate that the program was at, and the start of Python (in the overhead of the second line); one between two candidates costs none.")
    if args.output:
        pathlib.Path(args.output).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
