"""Hostile programs, inputs and environments, drawn by a seed, against small searches. Three things always hold:

  1. the run ends by itself within its limits, with a documented exit code
  2. no process of it is left, and no file outside its folder
  3. what it leaves can be read: archai-inspect verify, the contract of results.h5, every object with h5py

A few cases by default. ARCHAI_LONG=1: for an hour (ARCHAI_HOSTILE_SECONDS=N: so long), with new seeds. ARCHAI_HOSTILE_SEED="N ..."
repeats cases; the folder of one that falls short stays. In a build with sanitizers (ARCHAI_SANITIZE=address,undefined) a report of
one is a finding, too.
"""
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time

import h5py

from check_results import faults_of
from processes import marked
from sanitizer import Reports, only_tracer_failed

BIN, SOURCE, HERE = os.environ["ARCHAI_BIN"], os.environ["ARCHAI_SOURCE"], os.getcwd()
SECONDS = float(os.environ.get("ARCHAI_HOSTILE_SECONDS", 3600 if os.environ.get("ARCHAI_LONG") == "1" else 0))
ONE = os.environ.get("ARCHAI_HOSTILE_SEED")
CASES_IN_CI = (9, 22, 76, 150, 173)
with open(f"{BIN}/archai-run", "rb") as f:
    SANITIZED = b"__asan_init" in f.read()
MPIRUN = shutil.which("mpirun")
LIMIT = 120 if SANITIZED else 60  # seconds; the runs are made to end in far less
DOCUMENTED = {0, 1, 2, 74, 75}
KINDS = ["exits", "dies", "hangs", "stops_itself", "silent", "leaves_children", "holds_pipes", "hurts_guard", "stops_guard_for_ever", "breeds",
         "prints_badly", "prints_names", "prints_bytes", "floods", "answers_before_asked", "weights_names", "weights_types", "weights_lies",
         "weights_many"]


def put(name, data):
    with open(name, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    return name


# -- inputs ------------------------------------------------------------------------------------------------------------
def config(draw, seed):
    """Mostly a search that works; sometimes with a key, a name or a byte that cannot."""
    kinds = draw.sample(KINDS, draw.randint(1, 4)) + ["well"]
    tree = draw.random() < 0.3
    space = "name = config\ntree = tree.json" if tree else "name = cnn\nmax_layers = 40"
    algorithm, schedule = draw.choice([("random_search", "async"), ("regularized_evolution", "async"), ("evolution_pareto", "generational"),
                                       ("local_search", "async"), ("nsga2", "async"), ("successive_halving", "generational")])
    lines = ["[search]", f"algorithm = {algorithm}", f"schedule = {schedule}", f"seed = {seed}", "max_evaluations = 6", "max_time = 20s", "[run]",
             "grace = 1s", "[space]", *space.split("\n"), "[objective.acc]", "direction = maximize", "[objective.loss]", "direction = minimize",
             "[evaluator]", "kind = command", f"command = {sys.executable} {SOURCE}/tests/support/hostile_program.py {seed} {','.join(kinds)}",
             "timeout = 1s", "[output]", f"weights = {draw.choice(['all', 'pareto', 'none', 'best'])}", f"report = {draw.choice(['yes', 'no'])}"]
    if not SANITIZED and draw.random() < 0.5:
        lines.insert(lines.index("[output]"), "memory_limit = 512M")
    if seed % 4 == 3:
        at = next(i for i, line in enumerate(lines) if line.startswith("command = "))
        lines[at:at + 1] = [lines[at] + " stays", "persistent = yes"]
    put("tree.json", draw.choice(['{"x": {"choice": [1, 2, 3]}, "y": {"choice": ["a", "b", "\\u001b[1m", "=1"]}}'] * 12 +
                                 ["[" * 100000, "{", '{"x": {"choice": []}}', "\xff", '{"a/b": {"choice": [1, 2]}, "..": {"choice": [0, 1]}}']))
    if draw.random() < 0.08:
        lines[draw.randrange(len(lines))] = draw.choice(["max_evaluations = 99999999999999999999", "[", "= = =", "seed = \x1b", "timeout = -1s", "é = ü",
                                                         "[objective.a/b]", "x" * 70000, "directory = ", "\0", "weights = \"", "kind = null"])
    data = "\n".join(lines).encode() + b"\n"
    if draw.random() < 0.05:
        at = draw.randrange(len(data))
        data = data[:at] + bytes([draw.randrange(256)]) + data[at + draw.randrange(3):]
    put("c.ini", data)
    return kinds


def trap(draw):
    """Something that stands where the run wants to write; returns what it is."""
    if draw.random() > 0.15:
        return ""
    os.mkdir("out")
    name = draw.choice(["owner", "run.log", "results.h5", "config.ini", "exit_code", "segment-0-0.h5", "report.html", "reconciled.json"])
    kind = draw.choice(["fifo", "directory", "device", "dangling", "garbage"])
    path = f"out/{name}"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        os.mkdir(path)
    elif kind == "garbage":
        put(path, os.urandom(3000))
    else:
        os.symlink("/dev/zero" if kind == "device" else "nowhere", path)
    return f"{name} is a {kind}"


# -- environments ------------------------------------------------------------------------------------------------------
def environment(draw, mark, ranks):
    """Variables, limits to set in the child, standard streams."""
    env = dict(os.environ, TMPDIR=f"{os.getcwd()}/tmp", HOME=f"{os.getcwd()}/tmp", OMPI_MCA_orte_tmpdir_base=f"{os.getcwd()}/tmp",
               OMPI_MCA_btl_vader_backing_directory=f"{os.getcwd()}/tmp", **mark)
    os.mkdir("tmp")
    env.update(draw.choice([{}, {}, {"LC_ALL": "xx_YY.UTF-9"}, {"SLURM_NTASKS": "8"}, {"PMI_SIZE": "4", "PMI_RANK": "1"}, {"OMP_THREAD_LIMIT": "1"},
                            {"X" * 3000: "y" * 90000}, {"NO_COLOR": "1", "TERM": ""}, {"HDF5_USE_FILE_LOCKING": "TRUE"}, {"PATH": "/nowhere"} if ranks == 1 else {},
                            {"SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "3"}]))
    if SANITIZED:
        env.update(ASAN_OPTIONS=f"detect_leaks=0:exitcode=99:log_path={os.getcwd()}/report", UBSAN_OPTIONS=f"log_path={os.getcwd()}/report")
    limits = draw.choice([None] * 6 + [(resource.RLIMIT_NOFILE, 64), (resource.RLIMIT_FSIZE, 40 << 20), (resource.RLIMIT_CORE, 0)])
    if ranks > 1:
        limits = None  # mpirun itself hangs under them
    streams = draw.choice(["files"] * 5 + ["full", "closed"])
    ignored = draw.random() < 0.2

    def before():
        if limits is not None:
            resource.setrlimit(limits[0], (limits[1], limits[1]))
        if ignored:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        if streams == "closed":
            os.close(0)

    return env, before, streams, f"{limits} {streams}{' nohup' if ignored else ''}"


def command(draw, ranks, resume=False):
    run = [f"{BIN}/archai-run", "c.ini", "--output", "out", "--progress", draw.choice(["none", "plain", "auto"])] + ["--resume"] * resume
    return [MPIRUN, "--allow-run-as-root", "-n", str(ranks), *run] if ranks > 1 else run


# -- a case ------------------------------------------------------------------------------------------------------------
class Fault(Exception):
    pass


def finish(p, limit, what):
    try:
        return p.wait(limit)
    except subprocess.TimeoutExpired:
        raise Fault(f"{what}: still there after {limit} s") from None
    finally:
        if p.poll() is None:
            p.kill()
            p.wait()


def run(draw, args, env, before, streams, shots):
    """Start it, send it the signals [(seconds, number)]; returns its exit code."""
    with open("/dev/full" if streams == "full" else "said", "ab") as out:
        p = subprocess.Popen(args, env=env, preexec_fn=before, stdin=subprocess.DEVNULL, stdout=out, stderr=out if streams == "full" else open("said", "ab"),
                             start_new_session=True)
    began = time.monotonic()
    for at, number in shots:
        while p.poll() is None and time.monotonic() - began < at:
            time.sleep(0.01)
        if p.poll() is None:
            p.send_signal(number)
    return finish(p, LIMIT, " ".join(args[:6]))


def nothing_left(mark, outside):
    name = "=".join(*mark.items())
    patience = time.monotonic() + 10
    while left := marked(name):
        if time.monotonic() > patience:
            for pid, _ in left:
                os.kill(pid, signal.SIGKILL)
            raise Fault(f"processes are left: {left}")
        time.sleep(0.05)
    if new := set(files_outside()) - outside:
        raise Fault(f"files are left outside: {sorted(new)}")


def files_outside():
    """Of other programs' files only what bears our name."""
    return [f"{place}/{name}" for place in ("/dev/shm", "/tmp", HERE, SOURCE) for name in os.listdir(place)
            if place in (HERE, SOURCE) or ("archai" in name and not name.startswith("archai-test-"))]


def readable(out):
    path = f"{out}/results.h5"
    if os.path.islink(path) or not os.path.isfile(path):
        return
    p = subprocess.run([f"{BIN}/archai-inspect", out, "verify"], capture_output=True, timeout=LIMIT)
    if p.returncode != 0:
        raise Fault(f"verify: {p.returncode}: {(p.stdout + p.stderr)[-600:]}")
    if faults := faults_of(path):
        raise Fault(f"results.h5: {faults[:3]}")
    with h5py.File(path) as f:
        f.visititems(lambda _, d: d[()] if isinstance(d, h5py.Dataset) else None)
        for name in ("error", "arch", "metadata"):
            f[f"candidates/{name}"].asstr()[()]


def exit_code(rc, ranks, killed, trapped=""):
    """mpirun makes its own of a signal to it: there the file counts, if it is the run's."""
    if ranks > 1:
        if not os.path.isfile("out/exit_code") or trapped.startswith("exit_code "):
            return
        with open("out/exit_code") as f:
            rc = int(f.read())
    if rc not in DOCUMENTED and not (killed and rc == -signal.SIGKILL):
        raise Fault(f"exit code {rc}")


def case(seed):
    """A line about it; raises Fault."""
    draw = random.Random(seed)
    mark = {"ARCHAI_HOSTILE": f"{os.getpid()}-{seed}"}
    outside = set(files_outside())
    kinds = config(draw, seed)
    trapped = trap(draw)
    ranks = draw.choice([1, 1, 1, 2, 3])
    env, before, streams, told = environment(draw, mark, ranks)
    stops = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2]
    shots = [(draw.uniform(0, 4), draw.choice(stops + [signal.SIGKILL] * 2))] if draw.random() < 0.4 else []
    if shots and draw.random() < 0.5:
        shots.append((shots[0][0] + draw.uniform(0, 1.5), draw.choice(stops)))
    killed = any(s == signal.SIGKILL for _, s in shots)
    rc = run(draw, command(draw, ranks, draw.random() < 0.2), env, before, streams, shots)
    exit_code(rc, ranks, killed or ranks > 1, trapped)
    nothing_left(mark, outside)
    trapped or readable("out")
    # in a calm environment it goes on from whatever is left
    again = run(draw, command(draw, 1, True), dict(os.environ, **{k: env[k] for k in env if "TMP" in k or k in mark or k.endswith("SAN_OPTIONS")}), None,
                "files", [])
    exit_code(again, 1, False)
    if again == 74:
        raise Fault("nothing is wrong with the disk any more, and yet it cannot write: 74")
    nothing_left(mark, outside)
    trapped or readable("out")
    for name, text in Reports(f"{os.getcwd()}/report").read().items():
        if not only_tracer_failed(text):
            raise Fault(f"{name}: {text[:2000]}")
    why = ""
    if rc == 2 and os.path.exists("said"):
        with open("said", errors="replace") as f:
            why = next((": " + line.strip()[:100] for line in f if line.startswith("archai-run:")), "")
    return f"{ranks} ranks, {'+'.join(kinds)}, {told}, {[(round(t, 1), s.name) for t, s in shots]}, {trapped}: {rc}, {again}{why}"


def main():
    seeds = list(map(int, ONE.split())) if ONE else list(CASES_IN_CI)
    first = time.time_ns() % 1_000_000_000
    began = time.monotonic()
    n = findings = 0
    while True:
        seed = seeds[n] if n < len(seeds) else first + n
        if n >= len(seeds) and time.monotonic() - began > SECONDS:
            break
        n += 1
        folder = f"{HERE}/case-{seed}"
        os.mkdir(folder)
        os.chdir(folder)
        try:
            told = time.monotonic()
            print(f"{seed}: {case(seed)}; {time.monotonic() - told:.1f} s", flush=True)
            os.chdir(HERE)
            shutil.rmtree(folder)
        except Fault as e:
            findings += 1
            print(f"{seed}: FINDING (ARCHAI_HOSTILE_SEED={seed}): {e}", flush=True)
            os.chdir(HERE)
    print(f"{n} cases, {findings} findings, {time.monotonic() - began:.0f} s")
    sys.exit(findings > 0)


main()
