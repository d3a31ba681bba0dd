"""Whole searches under AddressSanitizer and UBSan: ranks, evaluators, indexer, guard and tools, through crashes and resumes.

Every report of a sanitizer, leaks included, from whatever process, ends in a file of its own here; there may be none. One
that says only that the leak check's own tracer failed is no report, and no proof of anything: what gave it is run again, a
few times, from where it began (`repeated`). Only in a build with -DARCHAI_SANITIZE=address,undefined (./bootstrap test
makes one); skipped in others. No memory_limit here: the sanitizer's shadow counts as memory.
"""
import glob
import os
import shutil
import signal
import subprocess
import sys
import time

import h5py

from check_results import faults_of
from processes import marked, none_left
from sanitizer import Reports

BIN, SOURCE = os.environ["ARCHAI_BIN"], os.environ["ARCHAI_SOURCE"]
HERE = os.getcwd()
MARK = f"ARCHAI_SANITIZED={os.getpid()}"
REPORTS = Reports(f"{HERE}/report")
with open(f"{BIN}/archai-run", "rb") as f:
    if b"__asan_init" not in f.read():
        print("skipped: the programs are built without a sanitizer")
        sys.exit(77)
# Leaks are looked for in every process that ends by itself. Full stacks tell whose they are: Open MPI's plug-ins are
# unloaded by then and have no names.
environment = dict(
    os.environ,
    ARCHAI_SANITIZED=str(os.getpid()),
    ASAN_OPTIONS=f"detect_leaks=1:exitcode=99:fast_unwind_on_malloc=0:{REPORTS.options()}",
    UBSAN_OPTIONS=f"print_stacktrace=1:{REPORTS.options()}",
    LSAN_OPTIONS=f"print_suppressions=0:suppressions={SOURCE}/tests/support/leaks.supp")


def start(*command):
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def outcome(p):
    said = p.communicate(timeout=300)[0]
    return p, said


def copy(a, b):
    subprocess.run(["cp", "-a", "--sparse=always", a, b], check=True)


def repeated(attempt, code, out=None):
    """attempt() starts a command and returns its outcome. To be run again it finds `out` as it was, absent or an earlier
    start's; what else commands write they write anew."""
    earlier = out is not None and os.path.exists(out)
    if earlier:
        shutil.rmtree("earlier", ignore_errors=True)
        copy(out, "earlier")

    def reset():
        none_left(MARK, "before it is run again")
        if out is not None:
            shutil.rmtree(out, ignore_errors=True)
        if earlier:
            copy("earlier", out)

    p, said = REPORTS.run(attempt, reset)
    assert p.returncode == code, (p.args, p.returncode, said)
    return said


def run(*command, code=0):
    """A search (in a directory, which --output names) or a tool, which leaves results as they are."""
    out = command[command.index("--output") + 1] if "archai-run" in command else None
    return repeated(lambda: outcome(start(*command)), code, out)


def search(ranks, config, out, *arguments):
    return ["mpirun", "-n", str(ranks), "archai-run", config, "--output", out, "--progress", "none", *arguments]


def check(out, **want):
    faults = faults_of(f"{out}/results.h5", **want)
    assert not faults, (out, faults[:5])


def tools(out, *commands):
    for command in commands:
        run("archai-inspect", out, *command)


def first_archid(out):
    with h5py.File(f"{out}/results.h5", "r") as f:
        return f["candidates/archid"].asstr()[f["pareto/index"][0]]


def wait_for(condition, p):
    """False: it has ended before, as it may where a tracer failed. Its code tells."""
    patience = time.monotonic() + 120
    while not condition():
        if p.poll() is not None:
            return False
        assert time.monotonic() < patience
        time.sleep(0.05)
    return True


def nothing_to_evaluate():
    """Four ranks, stopped in the middle, with others to the end; then all tools."""
    ini = f"{SOURCE}/tests/support/null.ini"

    def stopped():
        p = start(*search(4, ini, "null", "--set", "evaluator.delay=5ms", "--set", "search.algorithm=nsga2"))
        if wait_for(lambda: os.path.exists("null/results.h5"), p):
            p.send_signal(signal.SIGUSR1)
        return outcome(p)

    repeated(stopped, 75, "null")
    check("null", state="interrupted")
    run(*search(2, ini, "null", "--resume", "--set", "search.max_evaluations=600", "--set", "search.algorithm=nsga2"))
    check("null", state="complete", rows=600)
    archid = first_archid("null")
    tools("null", ["summary"], ["state"], ["pareto"], ["top", "params", "-n", "2"], ["show", archid], ["csv"], ["verify"],
          ["report", "-o", "page.html"])
    run(*search(2, ini, "null"), code=2)
    run(*search(1, ini, "bad", "--set", "search.algorithm=nothing", "--set", "space.max_layers=x"), code=2)
    run("archai-run", ini, "--output", "dry", "--dry-run")


def commands_in_trouble():
    """Promotions by asha, from stored weights, while some candidates crash, fail, write nonsense or close everything early."""
    with open("evaluator.sh", "w") as f:
        f.write("""#!/bin/sh
read request
case $((ARCHAI_SEED % 8)) in
0) kill -SEGV $$ ;;
1) echo "no such operation" >&2; exit 7 ;;
2) head -c 5000 /dev/urandom; echo; echo '{"quality": ' ;;
3) exec >&- 2>&-; exit 0 ;;
4) sleep 100 ;;
*) cat "${ARCHAI_START_WEIGHTS:-/dev/null}" >read.$$ && rm read.$$
   cat "${0%/*}/weights" >"$ARCHAI_WEIGHTS"
   echo '{"quality": '$((ARCHAI_SEED % 1000))', "extra": NaN}' ;;
esac
""")
    os.chmod("evaluator.sh", 0o755)
    head = b'{"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}'
    with open("weights", "wb") as f:
        f.write(len(head).to_bytes(8, "little") + head + bytes(8))
    run(*search(3, f"{SOURCE}/tests/support/null.ini", "command", "--set", "search.algorithm=asha", "--set",
                "evaluator.kind=command", "--set", f"evaluator.command={HERE}/evaluator.sh", "--set", "evaluator.timeout=2s",
                "--set", "evaluator.retries=1", "--set", "objective.quality.direction=maximize", "--set",
                "search.max_evaluations=30"))
    check("command", state="complete", rows=30)
    with h5py.File("command/results.h5", "r") as f:
        statuses = set(f["candidates/status"].asstr()[()])
        assert statuses == {"ok", "failed"}, statuses
        assert len(set(f["candidates/budget"][()])) > 1, "nothing was promoted"
        assert f["models"]
    with open("command/run.log") as f:
        assert "stored weights" not in f.read()
    tools("command", ["summary"])


def predictions():
    """mo_bananas over a table: its surrogate is trained in an archai-evaluator."""
    with open("table.ini", "w") as f:
        f.write(f"""[search]
algorithm = mo_bananas
num_iters = 2
schedule = generational
num_tr_steps = 20
[space]
name = cnn
[objective.accuracy]
direction = maximize
[objective.params]
direction = minimize
[evaluator]
kind = table
table = {SOURCE}/tests/data/cnn_table.csv
""")
    run(*search(2, "table.ini", "table"))
    check("table", state="complete")


def training():
    """An evaluator is killed, the run is stopped, trainings go on from their checkpoints; weights leave and come back."""
    arguments = ["--set", "train.checkpoint=epoch", "--set", "train.checkpoint_pause=0s", "--set", "data.samples=200", "--set",
                 "search.max_evaluations=6", "--set", "output.weights=all"]
    ini = f"{SOURCE}/tests/support/tiny.ini"

    def killed_and_stopped():
        p = start(*search(2, ini, "torch", *arguments, "--set", "train.epochs=30"))
        if wait_for(lambda: glob.glob("torch/checkpoint-*.safetensors"), p):
            os.kill(next(pid for pid, name in marked(MARK) if name.startswith("archai-evaluato")), signal.SIGKILL)
            if wait_for(lambda: os.path.exists("torch/results.h5"), p):
                p.send_signal(signal.SIGUSR1)
        return outcome(p)

    repeated(killed_and_stopped, 75, "torch")
    run(*search(3, ini, "torch", *arguments, "--set", "train.epochs=2", "--resume"))
    check("torch", state="complete", rows=6)
    archid = first_archid("torch")
    tools("torch", ["show", archid], ["curves", archid], ["verify"], *(
        ["export", archid, "--format", kind, "-o", f"m.{name}"]
        for kind, name in (("pt", "pt"), ("safetensors", "safetensors"), ("arch", "json"))))
    with h5py.File("input.h5", "w") as f:
        f.create_dataset("x", (2, 1, 28, 28), "f4")
    run("archai-space", ini, "predict", "m.json", "--weights", "m.safetensors", "--input", "input.h5:/x", "--output", "y.h5")
    for arguments in (["sample", "-n", "3"], ["mutate", "m.json"], ["crossover", "m.json", "m.json"], ["encode", "m.json"],
                      ["show", "m.json"], ["info", "m.json"], ["dot", "m.json"]):
        run("archai-space", ini, *arguments)


def nothing_to_propose():
    """A space without an architecture: rank 0 looks at signals, messages and its own slot in the middle of a proposal."""
    with open("none.ini", "w") as f:
        f.write("[search]\nalgorithm = random_search\nmax_evaluations = 5\n[space]\nname = segmentation_dag\n"
                "img_size = 64 64\nnb_classes = 3\nmax_layers = 5\nmin_mac = 99999999999\n"
                "[objective.params]\ndirection = minimize\n[evaluator]\nkind = null\n[output]\nreport = no\n")

    def stopped():
        p = start(*search(2, "none.ini", "none"))
        if wait_for(lambda: os.path.exists("none/run.log"), p):  # before the first proposal, which never comes
            time.sleep(2)
            p.send_signal(signal.SIGUSR1)
        return outcome(p)

    repeated(stopped, 75, "none")
    check("none", state="interrupted", rows=0)


stories = [nothing_to_evaluate, nothing_to_propose, commands_in_trouble]
if os.path.exists(f"{BIN}/archai-evaluator"):  # built without libtorch
    stories += [predictions, training]
for story in stories:
    began = time.monotonic()
    story()
    print(f"{story.__name__}: no error, no leak, {time.monotonic() - began:.0f} s", flush=True)
if REPORTS.failed:
    print(REPORTS.summary())
