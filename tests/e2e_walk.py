"""One call after the other fails in a short run: every write, open, sync, rename, message sent or received, start of a
program, read of a pipe; and one allocation after the other.

e2e_walk.py FAULTS_LIBRARY

Whatever call fails (support/faults.c): the run ends, with 0 where it can go on without, else 74 for a disk (1 for MPI,
programs and memory), the same on all ranks; results.h5 keeps its contract; the same command with --resume completes the
exact budget. One call of each kind and some places that allocate by default; ARCHAI_LONG=1 walks over all of them
(ARCHAI_WALK: only `1`, `2` (ranks) or `memory`, and FIRST- after a colon goes on from there: ARCHAI_WALK=2:31).
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
ONLY, _, FIRST = os.environ.get("ARCHAI_WALK", "").partition(":")
FIRST = int(FIRST or 1)
SOURCE = os.environ["ARCHAI_SOURCE"]
HERE = os.getcwd()
BUDGET = 40
ERRNOS = [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EACCES]
RUN = ["archai-run", f"{SOURCE}/tests/support/null.ini", "--output", f"{HERE}/out", "--progress", "none", "--resume",
       "--set", f"search.max_evaluations={BUDGET}"]


def run(ranks, command, env):
    """Exit codes of all ranks, and what was said. A hang is a failure of the story."""
    # The C library comes next, so that its allocator is what fails and not one that was linked for speed.
    shell = ["sh", "-c", 'ARCHAI_FAULT_COUNTER=$F LD_PRELOAD="$P libc.so.6" "$@"; c=$?; echo $c >' + HERE +
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


def faulty(ranks, n, number=0, **variables):
    with open("counter", "wb") as f:
        f.write(bytes(16))
    if os.path.exists("log"):
        os.unlink("log")
    return run(ranks, RUN, {"F": f"{HERE}/counter", "P": LIBRARY, "ARCHAI_FAULT": str(n), "ARCHAI_FAULT_ERRNO": str(number),
                            "ARCHAI_FAULT_UNDER": f"{HERE}/out", "ARCHAI_FAULT_LOG": f"{HERE}/log", **variables})


def calls():
    """What was logged: (call, path or place, program)."""
    if not os.path.exists("log"):
        return []
    with open("log") as f:
        return [tuple((line.rstrip("\n") + "  ").split(" ")[:3]) for line in f]


def fresh():
    subprocess.run(["rm", "-rf", "out"])


def check_resumed(where):
    if os.path.exists("out/results.h5"):
        faults = faults_of("out/results.h5")
        assert not faults, f"{where}: {faults[:3]}"
    code, _, said = run(1, RUN, {"P": "", "F": ""})
    assert code == 0, f"{where}: --resume ends with {code}\n{said}"
    faults = faults_of("out/results.h5", state="complete", rows=BUDGET)
    assert not faults, f"{where}: after --resume: {faults[:3]}"


def step(check, *arguments):
    """What is wrong at one step does not end the walk."""
    fresh()
    try:
        check(*arguments)
    except AssertionError as e:
        wrong.append(str(e))
        print(f"wrong: {e}", flush=True)


def call_fails(ranks, n):
    stays = n % 2 == 1
    number = ERRNOS[n % len(ERRNOS)]
    code, codes, said = faulty(ranks, n, number, **({"ARCHAI_FAULT_STAYS": "1"} if stays else {}))
    call, path, program = (calls() or [("nothing", "", "")])[0]
    where = f"call {n} of {ranks} ranks ({call} {path} {program}, errno {number}, {'from then on' if stays else 'once'})"
    kind = call if call in ("spawn", "message", "receive", "read", "nothing") else "file"
    allowed = {"file": {0, 74}, "nothing": {0}}.get(kind, {0, 1})
    assert code in allowed, f"{where}: exit code {code}\n{said}"
    if kind == "file":
        assert len(set(codes)) == 1, f"{where}: ranks differ: {codes}\n{said}"
    if code != 0:
        assert "archai-run:" in said or "MPI" in said, f"{where}: not a word\n{said}"
    tally[call] += 1
    outcomes[(kind, code)] += 1
    check_resumed(where)


def walk_calls(ranks):
    fresh()
    code, _, said = faulty(ranks, 0)
    assert code == 0, said
    seen = [call for call, _, _ in calls()]
    print(f"{ranks} ranks: a run of {BUDGET} evaluations makes {len(seen)} calls: {dict(collections.Counter(seen))}", flush=True)
    walk = range(FIRST, len(seen) + 1)
    if not LONG:  # one from the middle of each kind
        kinds = sorted(set(seen)) if ranks == 1 else ["message", "receive", "spawn", "write"]
        places = [[i for i, call in enumerate(seen, 1) if call == kind] for kind in kinds]
        walk = [p[len(p) // 2] for p in places]
    for n in walk:
        step(call_fails, ranks, n)


def allocation_fails(n):
    stays = n % 2 == 1
    code, _, said = faulty(1, n, ARCHAI_FAULT_MEMORY="1", **({"ARCHAI_FAULT_STAYS": "1"} if stays else {}))
    _, place, program = (calls() or [("nothing", "", "")])[0]
    where = f"allocation {n} ({program} {place}, {'from then on' if stays else 'once'})"
    assert code in (0, 1), f"{where}: exit code {code}\n{said}"
    if code != 0:
        assert "memory" in said, f"{where}: not a word about memory\n{said}"
    tally["memory"] += 1
    outcomes[("memory", code)] += 1
    check_resumed(where)


def walk_memory():
    fresh()
    code, _, said = faulty(1, 0, ARCHAI_FAULT_MEMORY="1")
    assert code == 0, said
    places = collections.defaultdict(list)  # by program and place, which allocations
    for n, (_, place, program) in enumerate(calls(), 1):
        places[program, place].append(n)
    print(f"a run of {BUDGET} evaluations allocates {sum(map(len, places.values()))} times at {len(places)} places of "
          f"{dict(collections.Counter(program for program, _ in places))}", flush=True)
    walk = sorted(p[i % 2 * (len(p) // 2)] for i, p in enumerate(places.values()))  # the first at one place, a later one at the next
    walk = [n for n in walk if n >= FIRST] if LONG else walk[::len(walk) // 12]
    for n in walk:
        step(allocation_fails, n)


def in_pieces():
    """Nothing fails, but nothing is done at once either."""
    code, codes, said = faulty(2, 0, ARCHAI_FAULT_SHORT="1")
    assert code == 0 and set(codes) == {0}, f"in pieces: {codes}\n{said}"
    with open("counter", "rb") as f:
        pieces = int.from_bytes(f.read(8), sys.byteorder)
    assert pieces > BUDGET, pieces
    print(f"in {pieces} pieces: nothing is different", flush=True)
    check_resumed("in pieces")


wrong = []
tally = collections.Counter()
outcomes = collections.Counter()
for part, walk in ("1", lambda: walk_calls(1)), ("2", lambda: walk_calls(2)), ("memory", walk_memory), ("pieces", lambda: step(in_pieces)):
    if ONLY in ("", part):
        walk()
assert not wrong, f"{len(wrong)} steps went wrong, see above"
print(f"failed calls: {dict(tally)}; kinds and exit codes: {dict(outcomes)}")
if not ONLY:
    assert outcomes[("file", 74)] > 0 and outcomes[("memory", 1)] > 0 and tally["write"] > 0
