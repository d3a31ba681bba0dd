"""One call after the other fails in a short run: every write, open, sync, rename, message, start of a program.

e2e_walk.py FAULTS_LIBRARY

Whatever call fails (support/faults.c): the run ends, with 0 where it can go on without, else 74 for a disk (1 for MPI
and programs), the same on all ranks; results.h5 keeps its contract; the same command with --resume completes the exact
budget. One call of each kind by default; ARCHAI_LONG=1 walks
over all of them.
"""
import collections
import errno
import os
import signal
import subprocess
import sys

from check_results import faults_of

LIBRARY = sys.argv[1]
LONG = os.environ.get("ARCHAI_LONG") == "1"
BIN, SOURCE = os.environ["ARCHAI_BIN"], os.environ["ARCHAI_SOURCE"]
HERE = os.getcwd()
BUDGET = 40
ERRNOS = [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EACCES]
RUN = ["archai-run", f"{SOURCE}/tests/support/null.ini", "--output", f"{HERE}/out", "--progress", "none", "--resume",
       "--set", f"search.max_evaluations={BUDGET}"]


def run(ranks, command, env):
    """Exit codes of all ranks, and what was said. A hang is a failure of the story."""
    shell = ["sh", "-c", 'ARCHAI_FAULT_COUNTER=$F LD_PRELOAD=$P "$@"; c=$?; echo $c >' + HERE +
             '/code.${OMPI_COMM_WORLD_RANK:-0}; exit $c', "sh", *command]
    for name in os.listdir(HERE):
        if name.startswith("code."):
            os.unlink(name)
    p = subprocess.Popen((["mpirun", "-n", str(ranks)] if ranks > 1 else []) + shell, env=dict(os.environ, **env),
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        said, _ = p.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        raise AssertionError(f"hangs: {env}")
    codes = [int(open(n).read()) for n in sorted(os.listdir(HERE)) if n.startswith("code.")]
    return p.returncode, codes, said


def faulty(ranks, n, number, stays):
    with open("counter", "wb") as f:
        f.write(bytes(16))
    if os.path.exists("log"):
        os.unlink("log")
    env = {"F": f"{HERE}/counter", "P": LIBRARY, "ARCHAI_FAULT": str(n), "ARCHAI_FAULT_ERRNO": str(number),
           "ARCHAI_FAULT_UNDER": f"{HERE}/out", "ARCHAI_FAULT_LOG": f"{HERE}/log"}
    if stays:
        env["ARCHAI_FAULT_STAYS"] = "1"
    return run(ranks, RUN, env)


tally = collections.Counter()
outcomes = collections.Counter()
for ranks in 1, 2:
    subprocess.run(["rm", "-rf", "out"])
    code, _, said = faulty(ranks, 0, 0, False)
    assert code == 0, said
    seen = [line.split()[0] for line in open("log")]
    calls = len(seen)
    print(f"{ranks} ranks: a run of {BUDGET} evaluations makes {calls} calls: {dict(collections.Counter(seen))}", flush=True)
    walk = range(1, calls + 1)
    if not LONG:  # one from the middle of each kind
        kinds = sorted(set(seen)) if ranks == 1 else ["message", "spawn", "write"]
        places = [[i for i, call in enumerate(seen, 1) if call == kind] for kind in kinds]
        walk = [p[len(p) // 2] for p in places]
    for n in walk:
        subprocess.run(["rm", "-rf", "out"])
        stays = n % 2 == 1
        number = ERRNOS[n % len(ERRNOS)]
        code, codes, said = faulty(ranks, n, number, stays)
        what = open("log").readline().strip() if os.path.exists("log") else "nothing"
        where = f"call {n} of {ranks} ranks ({what}, errno {number}, {'from then on' if stays else 'once'})"
        call, _, program = (what + "  ").split(" ")[:3]
        kind = call if call in ("spawn", "message", "nothing") else "file"
        allowed = {"file": {0, 74}, "spawn": {0, 1}, "message": {0, 1}, "nothing": {0}}[kind]
        assert code in allowed, f"{where}: exit code {code}\n{said}"
        if kind == "file":
            assert len(set(codes)) == 1, f"{where}: ranks differ: {codes}\n{said}"
        if code != 0:
            assert "archai-run:" in said or "MPI" in said, f"{where}: not a word\n{said}"
        if os.path.exists("out/results.h5"):
            faults = faults_of("out/results.h5")
            assert not faults, f"{where}: {faults[:3]}"
        tally[call] += 1
        outcomes[(kind, code)] += 1
        code, _, said = run(1, RUN, {"P": "", "F": ""})
        assert code == 0, f"{where}: --resume ends with {code}\n{said}"
        faults = faults_of("out/results.h5", state="complete", rows=BUDGET)
        assert not faults, f"{where}: after --resume: {faults[:3]}"
print(f"failed calls: {dict(tally)}; kinds and exit codes: {dict(outcomes)}")
assert outcomes[("file", 74)] > 0 and tally["write"] > 0
