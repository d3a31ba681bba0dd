"""What programs, containers, terminals and stopped processes around a run can do to it: another start from another pid namespace,
an owner whose clock is late, files that are FIFOs, a guard that its own program stops or kills, an indexer that is stopped, the
signals of terminals and schedulers, a launcher of another MPI, a batch job whose run never begins.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

from check_results import faults_of
from processes import marked, none_left

BIN, SOURCE = os.environ["ARCHAI_BIN"], os.environ["ARCHAI_SOURCE"]
RUN = os.path.join(BIN, "archai-run")
CONFIG = """[search]
algorithm = random_search
max_evaluations = {n}
[space]
name = cnn
max_layers = 100
[objective.{objective}]
direction = minimize
[evaluator]
{evaluator}
[output]
weights = none
report = no
"""


def put(name, text):
    with open(name, "w") as f:
        f.write(text)
    return name


def slow(n=1000):
    return put(f"slow{n}.ini", CONFIG.format(n=n, objective="params", evaluator="kind = null\ndelay = 50ms"))


def command(config, out, *more):
    return [RUN, config, "--output", out, "--progress", "none", *more]


def start(config, out, *more, **kw):
    return subprocess.Popen(command(config, out, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)


def run(config, out, *more, **kw):
    """Exit code and standard error; 60 s only end a hang."""
    p = subprocess.run(command(config, out, *more), capture_output=True, text=True, timeout=60, **kw)
    return p.returncode, p.stderr


def until(condition, seconds=60):
    patience = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < patience, "still not true"
        time.sleep(0.02)


def has_rows(out):
    return lambda: os.path.exists(f"{out}/segment-0-0.h5")


def end(p, *signals):
    for s in signals:
        p.send_signal(s)
    return p.communicate(timeout=60)[1], p.returncode


# -- one owner ---------------------------------------------------------------------------------------------------------
def another_pid_namespace():
    if subprocess.run(["unshare", "-pf", "--mount-proc", "true"], capture_output=True).returncode != 0:
        return "not tried: no pid namespaces here"
    first = start(slow(), "spaces")
    until(has_rows("spaces"))
    p = subprocess.run(["unshare", "-pf", "--mount-proc", *command(slow(), "spaces", "--resume")], capture_output=True, text=True, timeout=60)
    assert p.returncode == 2 and "another pid namespace" in p.stderr, p
    said, code = end(first, signal.SIGTERM)
    assert code == 75 and "taken it over" not in said, said
    assert not faults_of("spaces/results.h5")


def late_clock():
    """The owner looks ten minutes old, and its heartbeat goes on: it is alive."""
    assert run(slow(3), "late")[0] == 0
    ending = threading.Event()

    def beat():
        for i in range(1000):
            put("late/o", json.dumps({"host": "elsewhere", "boot_id": "x", "pid_namespace": "pid:[1]", "pid": 7, "process_started": 1,
                                      "job": "", "ranks": 1, "heartbeat": time.time() - 600}))
            os.rename("late/o", "late/owner")
            if ending.wait(1):
                return

    beats = threading.Thread(target=beat)
    beats.start()
    until(lambda: os.path.exists("late/owner"))
    code, said = run(slow(6), "late", "--resume")
    ending.set()
    beats.join()
    assert code == 2 and "process 7 on elsewhere" in said and "alive" in said, (code, said)


def no_files():
    """A FIFO would wait for its writer for ever."""
    os.mkfifo("fifo")
    for config in "fifo", "/dev/zero":
        code, said = run(config, "never")
        assert code == 2 and "expected a file" in said, (code, said)
    put("tree.ini", CONFIG.format(n=1, objective="params", evaluator="kind = null").replace("cnn\nmax_layers = 100", "config\ntree = fifo"))
    code, said = run("tree.ini", "never")
    assert code == 2 and "fifo: is a FIFO" in said, (code, said)
    for name in "owner", "run.log", "config.ini", "results.h5", "exit_code":
        assert run(slow(3), f"fifo-{name}")[0] == 0
        os.path.lexists(f"fifo-{name}/{name}") and os.unlink(f"fifo-{name}/{name}")
        os.mkfifo(f"fifo-{name}/{name}")
        code, said = run(slow(6), f"fifo-{name}", "--resume")
        assert code == 2 and f"/{name}: not a regular file" in said, (name, code, said)


# -- nothing outlives the run ------------------------------------------------------------------------------------------
PROGRAM = """import os, signal, sys, time
sys.stdin.readline()
guard = os.getppid()
if os.fork() == 0:
    os.setsid()
    if os.fork(): os._exit(0)
    while not os.path.exists({out!r} + "/exit_code"): time.sleep(0.05)
    time.sleep(60); os._exit(0)
time.sleep(0.2)
os.kill(guard, signal.{how})
time.sleep(60)
"""


def guards():
    """Each candidate has a child in a session of its own, and stops or kills the guard that would end both."""
    for how in "SIGSTOP", "SIGKILL":
        out = f"guard-{how}"
        put(f"{how}.py", PROGRAM.format(out=out, how=how))
        config = put(f"{how}.ini", CONFIG.format(n=2, objective="acc", evaluator=f"kind = command\ncommand = {sys.executable} {how}.py\ntimeout = 1s"))
        mark = f"ARCHAI_STORY={out}-{os.getpid()}"
        subprocess.run(command(config, out), capture_output=True, timeout=60, env=dict(os.environ, ARCHAI_STORY=mark.partition("=")[2]))
        assert os.path.exists(f"{out}/exit_code")
        none_left(mark, out, 5)


# -- nothing waits for ever --------------------------------------------------------------------------------------------
def stopped_indexer():
    """After the second signal nobody waits for it."""
    mark = f"ARCHAI_STORY=indexer-{os.getpid()}"
    p = start(slow(), "hung", env=dict(os.environ, ARCHAI_STORY=mark.partition("=")[2]))
    until(has_rows("hung"))
    until(lambda: os.path.exists("hung/results.h5"))
    indexer = [pid for pid, name in marked(mark) if name.startswith("archai-indexer")]
    assert len(indexer) == 1, marked(mark)
    os.kill(indexer[0], signal.SIGSTOP)
    p.send_signal(signal.SIGTERM)
    time.sleep(1.5)
    said, code = end(p, signal.SIGTERM)
    assert code == 75 and open("hung/exit_code").read() == "75\n", (code, said)
    assert "again: stopping at once" in said and "until the next --resume" in said, said
    none_left(mark, "hung")
    assert run(slow(), "hung", "--resume", "--set", "search.max_evaluations=60")[0] == 0
    assert not faults_of("hung/results.h5")


def drains():
    for s in signal.SIGHUP, signal.SIGUSR2:
        p = start(slow(), f"drain-{s.name}")
        until(has_rows(f"drain-{s.name}"))
        said, code = end(p, s)
        assert code == 75 and f"{s.name}: stopping" in said, (s, code, said)
    p = start(slow(40), "nohup", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    until(has_rows("nohup"))
    said, code = end(p, signal.SIGHUP)
    assert code == 0, (code, said)


# -- launchers ---------------------------------------------------------------------------------------------------------
def launchers():
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "PMI_", "PMIX_", "OMPI_COMM"))}
    for env, told in (({"PMI_SIZE": "4", "PMI_RANK": "2"}, "PMI_SIZE"), ({"SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4"}, "SLURM_STEP_NUM_TASKS")):
        code, said = run(slow(3), "lost", env=dict(clean, **env))
        assert code == 2 and f"4 processes ({told})" in said and not os.path.exists("lost"), (code, said)
    assert run(slow(3), "batch", env=dict(clean, SLURM_NTASKS="4", SLURM_JOB_ID="7"))[0] == 0  # every batch script has it
    p = subprocess.run(["mpirun", "-n", "1", *command(slow(3), "one")], env=dict(clean, SLURM_STEP_ID="0", SLURM_STEP_NUM_TASKS="4"), timeout=60,
                       capture_output=True, text=True)
    assert p.returncode == 0, p.stderr  # below mpirun, whose daemons are a step


def batch_files():
    """Requeued only where the run began."""
    os.mkdir("bin")
    put("bin/scontrol", "#!/bin/sh\necho \"$@\" >> requeued\n")
    for name, body in (("mpirun", "exit 213"), ("srun", "exit 213")):
        put(f"bin/{name}", f"#!/bin/sh\n{body}\n")
    put("bin/ompi_info", "#!/bin/sh\n")
    for name in os.listdir("bin"):
        os.chmod(f"bin/{name}", 0o755)
    env = dict(os.environ, PATH=f"{os.getcwd()}/bin:{os.environ['PATH']}", ARCHAI_RUN=RUN, SLURM_JOB_ID="7", ARCHAI_LINGER="0")

    def submit(kind):
        return subprocess.run(["bash", f"{SOURCE}/slurm/{kind}.sbatch", slow(20), "--output", f"sb-{kind}"], env=env, capture_output=True, text=True,
                              timeout=60)

    for kind, launcher in (("archai-run", "mpirun"), ("archai-run-srun", "srun")):
        p = submit(kind)
        assert p.returncode == 213 and "did not begin" in p.stderr and not os.path.exists("requeued"), p
        # one that begins and is killed comes back
        put(f"bin/{launcher}", f"#!/bin/sh\n{RUN} {slow(20)} --resume --progress none --output sb-{kind} &\n"
                               f"until [ -s sb-{kind}/run.log ]; do sleep 0.05; done\nkill -9 $!\nexit 137\n")
        p = submit(kind)
        assert open("requeued").read() == "requeue 7\n", (p, kind)
        os.unlink("requeued")


for story in another_pid_namespace, late_clock, no_files, guards, stopped_indexer, drains, launchers, batch_files:
    began = time.monotonic()
    told = story()
    print(f"{story.__name__}: {told or 'ok'}, {time.monotonic() - began:.1f} s", flush=True)
    shutil.rmtree("lost", ignore_errors=True)
