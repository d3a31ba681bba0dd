"""What the benchmarks that start ranks share."""
import os
import subprocess
import sys

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", **{f"{p}_ALLOW_RUN_AS_ROOT{c}": "1" for p in ("OMPI", "PRTE") for c in ("", "_CONFIRM")}}


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
