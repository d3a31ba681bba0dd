"""Who may go on with a results directory, and with what: several starts at once, an `owner` left by the dead, a changed
configuration. ARCHAI_LONG=1: 60 races instead of 4.
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import h5py

from check_results import faults_of

RUN = os.path.join(os.environ["ARCHAI_BIN"], "archai-run")
RACES = 60 if os.environ.get("ARCHAI_LONG") == "1" else 4
STARTERS = 4
CONFIG = """[search]
algorithm = random_search
max_evaluations = 100000
[space]
name = cnn
max_layers = 300
kernel_list = 1 3
hidden_list = {widths}
[objective.params]
direction = minimize
[evaluator]
kind = null
delay = 10ms
[output]
weights = none
report = no
"""
with open("run.ini", "w") as f:
    f.write(CONFIG.format(widths=" ".join(map(str, range(1, 61)))))


def command(out, *args):
    return [RUN, "run.ini", "--output", out, "--progress", "none", *args]


def run(out, *args, code=0, ranks=0):
    launch = ["mpirun", "-n", str(ranks)] if ranks else []
    p = subprocess.run(launch + command(out, *args), capture_output=True, text=True, timeout=240)
    assert p.returncode == code, (args, p.returncode, p.stderr)
    return p.stderr


def lines(text):
    return [line for line in text.splitlines() if line.startswith("archai-run:")]


def content(out):
    with h5py.File(f"{out}/results.h5") as f:
        return dict(zip(f["candidates/id"][()].tolist(), f["candidates/archid"].asstr()[()]))


# -- several starts at once: exactly one goes on, and is none the worse for it -----------------------------------------
def race(number):
    """Afresh, with --resume, and over the `owner` of a killed run in turn."""
    kind = ("afresh", "resumed", "stale")[number % 3]
    out = f"race-{number}"
    before = {}
    if kind != "afresh":
        run(out, "--set", "search.max_evaluations=20")
        before = content(out)
    if kind == "stale":
        with open(f"{out}/owner", "w") as f:
            json.dump({"host": socket.gethostname(), "pid": 2 ** 22 - 1, "process_started": 1, "job": "", "ranks": 1,
                       "heartbeat": time.time()}, f)
    starts = [subprocess.Popen(command(out, *["--resume"] * (kind != "afresh")), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True) for _ in range(STARTERS)]
    patience = time.monotonic() + 120
    while sum(p.poll() is None for p in starts) > 1:
        assert time.monotonic() < patience, f"{out}: {[p.poll() for p in starts]}"
        time.sleep(0.02)
    (winner,) = [p for p in starts if p.poll() is None]
    while not os.path.exists(f"{out}/results.h5") or len(content(out)) <= len(before):
        assert winner.poll() is None and time.monotonic() < patience, winner.communicate()
        time.sleep(0.05)
    assert not os.path.exists(f"{out}/exit_code"), f"{out}: somebody who was refused has left an exit code"
    winner.send_signal(signal.SIGINT)
    assert winner.wait(120) == 75, winner.communicate()
    for p in starts:
        if p is winner:
            continue
        words = p.communicate()[1]
        assert p.returncode == 2, (p.returncode, words)
        said = lines(words)
        assert len(said) == 1 and re.search("is held by|another run has|holds the results of a run|exists and is not empty", said[0]), words
    assert open(f"{out}/exit_code").read() == "75\n" and not os.path.exists(f"{out}/owner")
    assert len({name.split("-")[1] for name in os.listdir(out) if name.startswith("segment-")}) == (1 if not before else 2)
    assert not [name for name in os.listdir(out) if name.startswith("owner")]
    now = content(out)
    assert before.items() <= now.items()
    faults = faults_of(f"{out}/results.h5", state="interrupted")
    assert not faults, faults[:5]
    shutil.rmtree(out)
    return kind


print(f"{RACES} races of {STARTERS}:", ", ".join(race(i) for i in range(RACES)))

# -- an `owner` of the dead, and of the living --------------------------------------------------------------------------
run("owned", "--set", "search.max_evaluations=10")
budget = 10


def go_on(owner, silent=0.0):
    """A resume over this `owner`, one evaluation further."""
    global budget
    with open("owned/owner", "w") as f:
        f.write(owner if isinstance(owner, str) else json.dumps(owner))
    os.utime("owned/owner", (time.time() - silent, time.time() - silent))
    budget += 1
    said = run("owned", "--resume", "--set", f"search.max_evaluations={budget}")
    assert len(content("owned")) == budget and not os.path.exists("owned/owner"), said


def refused(owner, *parts):
    with open("owned/owner", "w") as f:
        f.write(owner if isinstance(owner, str) else json.dumps(owner))
    was = open("owned/owner").read()
    said = lines(run("owned", "--resume", code=2))
    assert len(said) == 1 and all(part in said[0] for part in parts), said
    assert open("owned/owner").read() == was and open("owned/exit_code").read() == "0\n"


def owner(**more):
    return {"host": "elsewhere", "pid": 1, "process_started": 1, "job": "17", "ranks": 4, "heartbeat": time.time(), **more}


refused(owner(), "process 1 on elsewhere, job 17")  # another host, which has just given a sign of life
refused(owner(host=socket.gethostname(), pid=os.getpid(),
              process_started=int(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19])), f"process {os.getpid()} on")
refused("", "a run that has just started")  # about to be filled
go_on(owner(heartbeat=time.time() - 1000))  # silent for long
go_on(owner(host=socket.gethostname(), pid=2 ** 22 - 1))  # no such process
go_on(owner(host=socket.gethostname(), pid=os.getpid()))  # the number is another process's now
go_on("{", silent=1000)  # never filled
refused(owner(heartbeat=time.time() + 1000), "in the future: the clocks differ", "remove the file owner")
go_on("{", silent=-1000)  # by a clock that was set back since
# drafts of starts that were killed go: of this host at once, of others when they are old
drafts = {f"owner-draft-{socket.gethostname()}-{2 ** 22 - 1}.new": 0, "owner-stale-else-where-12": 1000, "owner-draft-elsewhere-12": 0}
for name, age in drafts.items():
    with open(f"owned/{name}", "w"):
        os.utime(f"owned/{name}", (time.time() - age, time.time() - age))
go_on("{", silent=1000)
assert [name for name in os.listdir("owned") if name.startswith("owner")] == ["owner-draft-elsewhere-12"], os.listdir("owned")
os.unlink("owned/owner-draft-elsewhere-12")
shutil.copy("owned/segment-0-0.h5", "owned/segment-2147483647-0.h5")  # a name beyond all starts
go_on("{", silent=1000)
assert not [name for name in os.listdir("owned") if name.startswith("segment--")], os.listdir("owned")
os.unlink("owned/segment-2147483647-0.h5")
os.environ["SLURM_JOB_ID"] = "17"  # put back after its node was lost: nobody else is that job
os.environ["SLURM_RESTART_COUNT"] = "1"
refused(owner(restart="1"), "job 17")
refused(owner(job="18", restart="0"), "job 18")
go_on(owner(restart="0"))
del os.environ["SLURM_JOB_ID"], os.environ["SLURM_RESTART_COUNT"]

# one that was silent for so long that another host took it for dead: it sees that and leaves, and touches nothing more
with subprocess.Popen(command("taken"), stderr=subprocess.PIPE, text=True) as p:
    while not os.path.exists("taken/owner"):
        time.sleep(0.01)
    with open("taken/owner.new", "w") as f:
        json.dump(owner(), f)
    os.rename("taken/owner.new", "taken/owner")
    was = open("taken/owner").read()
    said = lines(p.communicate(timeout=120)[1])
    assert p.returncode == 2 and any("another run has taken it over" in line for line in said), (p.returncode, said)
assert open("taken/owner").read() == was and not os.path.exists("taken/exit_code")
assert not faults_of("taken/results.h5"), faults_of("taken/results.h5")

# -- a changed configuration: what would mix things up is refused, the rest is a sentence each ---------------------------
for key, value in ("search.seed", "2"), ("space.max_layers", "299"), ("space.seed", "5"), ("objective.params.direction", "maximize"), \
        ("objective.params.constraint", "0 5"), ("objective.macs.direction", "minimize"):
    said = lines(run("owned", "--resume", "--set", f"{key}={value}", code=2))
    assert len(said) >= 1 and key.rsplit(".", 1)[0] in said[0] and "--resume goes on with the same space" in said[0], said
budget += 1
said = run("owned", "--resume", "--set", f"search.max_evaluations={budget}", "--set", "search.max_time=1h", "--set",
           "evaluator.timeout=90s", "--set", "evaluator.delay=5ms", "--set", "train.epochs=7", ranks=2)
for sentence in (f"search.max_evaluations: was {budget - 1}, is {budget} from now on", "search.max_time: was none, is 1h from now on",
                 "evaluator.timeout: was none, is 90s from now on", "evaluator.delay: was 10ms, is 5ms from now on",
                 "train.epochs: was 3, is 7 from now on; earlier rows keep what was measured then",
                 "ranks: were 1, are 2 from now on"):
    assert f"archai-run: {sentence}\n" in said, f"{sentence!r} is missing in:\n{said}"
    assert sentence in open("owned/run.log").read()
assert len(content("owned")) == budget
p = subprocess.run(command("owned", "--resume", "--set", f"search.max_evaluations={budget}"), capture_output=True, text=True)
assert p.returncode == 0 and "is complete" in p.stdout and "nothing is left to do" in p.stdout, p

# -- a generational search: more iterations are more of the same, anything else would be another search ----------------
GENERATIONS = ("--set", "search.algorithm=local_search", "--set", "search.schedule=generational")
run("rounds", *GENERATIONS, "--set", "search.num_iters=2")
first = content("rounds")
said = run("rounds", "--resume", *GENERATIONS, "--set", "search.num_iters=3")
assert "search.num_iters: was 2, is 3 from now on" in said, said
more = content("rounds")
assert len(more) > len(first) and first.items() <= more.items(), (first, more)
said = run("rounds", "--resume", *GENERATIONS, "--set", "search.num_iters=9", "--set", "search.init_num_models=5",
           "--set", "search.max_evaluations=200000", code=2)
assert re.search(r"rounds: changed since then: search\.num_iters, search\.init_num_models; row \d+ of the results is", said), said
assert content("rounds") == more
print("as it should be")
