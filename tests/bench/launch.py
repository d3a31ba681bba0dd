"""What the benchmarks that start ranks share.

  launch.py FILE PROGRAM [ARGUMENT]...

becomes PROGRAM, whose CPU time another process notes in FILE every 20 ms: Unix time, CPU seconds of its main thread.
"""
import datetime
import os
import pathlib
import re
import subprocess
import sys
import time

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", **{f"{p}_ALLOW_RUN_AS_ROOT{c}": "1" for p in ("OMPI", "PRTE") for c in ("", "_CONFIRM")}}

# a search whose evaluations cost nothing, among 252,000 models: most random ones are new
NULL = f"""
[search]
algorithm = random_search
[space]
name = cnn
max_layers = 800
kernel_list = 1 3 5
hidden_list = {" ".join(map(str, range(1, 106)))}
[objective.params]
direction = minimize
[data]
format = synthetic
[evaluator]
kind = null
[output]
weights = none
report = no
"""


def mpirun(ranks):
    """The words before a program's; none for one rank."""
    return ["mpirun", "-n", str(ranks), "--oversubscribe", "--bind-to", "none"] if ranks > 1 else []


def start(command, **more):
    """As subprocess.run, with what mpirun needs."""
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, env=ENVIRONMENT, stdin=subprocess.DEVNULL, **more)


def output(command, **more):
    """Its standard output; the end where it fails."""
    p = start(command, **more)
    if p.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {p.returncode}\n{p.stderr.strip()}")
    return p.stdout


def search(program, ranks, config, directory, sets, **more):
    """One search into `directory`, more than one rank. What of it took how long:

    whole, from the start of mpirun to its end; search, from the first line of run.log to the one that the last evaluation is in;
    cpu, what rank 0's loop computed meanwhile; all in seconds. busy: share of the workers' time that went into evaluations.
    """
    samples = pathlib.Path(f"{directory}.cpu")
    words = [program, config, "--output", directory, "--progress", "none", *(a for k, v in sets.items() for a in ("--set", f"{k}={v}"))]
    launched = mpirun(ranks)
    began = time.perf_counter()
    output([*launched[:1], "-n", 1, *launched[3:], sys.executable, __file__, samples, *words, ":", "-n", ranks - 1, *words], **more)
    whole = time.perf_counter() - began
    lines = (pathlib.Path(directory) / "run.log").read_text().splitlines()
    first, last = (unix(next(line for line in lines if mark in line)) for mark in (", results in ", " rank 0: complete"))
    busy = float(re.search(r"workers ([\d.]+) % busy", lines[-1]).group(1)) / 100
    cpu = [tuple(map(float, line.split())) for line in samples.read_text().splitlines()]
    return {"whole": whole, "search": last - first, "cpu": at(cpu, last) - at(cpu, first), "busy": busy}


def unix(line):
    """Of the time that a line of run.log begins with."""
    return datetime.datetime.strptime(line.split()[0], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc).timestamp()


def at(samples, moment):
    """CPU seconds at a moment, between two samples."""
    before = (samples[0][0], 0.0)
    for sample in samples:
        if sample[0] >= moment:
            share = (moment - before[0]) / max(sample[0] - before[0], 1e-9)
            return before[1] + share * (sample[1] - before[1])
        before = sample
    return before[1]


def watch(pid, file):
    """Until the process is gone; a zombie's file says 0."""
    last = 0
    with open(file, "w") as f:
        while True:
            try:
                with open(f"/proc/{pid}/schedstat") as s:
                    spent = int(s.read().split()[0])
            except OSError:
                return
            if spent < last or os.getppid() != pid:
                return
            last = spent
            f.write(f"{time.time():.6f} {spent * 1e-9:.9f}\n")
            f.flush()
            time.sleep(0.02)


def main():
    pid = os.getpid()
    if os.fork() == 0:
        nothing = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):  # mpirun waits for whoever holds its pipes
            os.dup2(nothing, fd)
        os.closerange(3, 1024)
        watch(pid, sys.argv[1])
        os._exit(0)
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
