"""archai-run where the world fails it: limits, removed directories, killed runs, changed configurations."""
import os
import resource
import subprocess
import time

import h5py

RUN = os.path.join(os.environ["ARCHAI_BIN"], "archai-run")
CONFIG = os.path.join(os.environ["ARCHAI_SOURCE"], "tests", "support", "null.ini")


def command(out, *args):
    return [RUN, CONFIG, "--output", out, "--progress", "none", "--set", "search.max_evaluations=600", *args]


def run(out, *args, code=0, **more):
    p = subprocess.run(command(out, *args), capture_output=True, text=True, timeout=240, **more)
    assert p.returncode == code, (args, p.returncode, p.stderr)
    return p.stderr


def start(out, *args):
    """A run that has its first results, with its process."""
    p = subprocess.Popen(command(out, "--set", "evaluator.delay=20ms", *args), stderr=subprocess.PIPE, text=True)
    while not os.path.exists(f"{out}/results.h5"):
        assert p.poll() is None, p.stderr.read()
        time.sleep(0.02)
    return p


def rows(out, n, state="complete"):
    with h5py.File(f"{out}/results.h5") as f:
        ids, archids = list(f["candidates/id"][()]), list(f["candidates/archid"][()])
        assert len(ids) == len(set(ids)) == len(set(archids)) == n, (len(ids), n)
        assert f.attrs["state"] == state, f.attrs["state"]


def exit_code(out):
    with open(f"{out}/exit_code") as f:
        return int(f.read())


# A limit on file sizes, once Open MPI has what it needs: named, 74, nothing lost, and it goes on without the limit.
p = start("limit")
resource.prlimit(p.pid, resource.RLIMIT_FSIZE, (300 * 1000, 300 * 1000))
assert p.wait() == 74
assert "limit/segment-0-0.h5: disk full writing" in p.stderr.read()
assert exit_code("limit") == 74
run("limit", "--resume")
rows("limit", 600)

# Killed, and nobody has waited for it yet: its directory is free at once.
p = start("killed")
p.kill()
while open(f"/proc/{p.pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z":
    time.sleep(0.01)
run("killed", "--resume")
p.wait()
rows("killed", 600)
assert "nothing is left" in subprocess.run(command("killed", "--resume"), capture_output=True, text=True).stdout

# What would mix things up is refused, what only extends is not.
for key, value in ("search.seed", 2), ("space.max_layers", 15), ("objective.params.direction", "maximize"):
    assert f"{key}: the run in killed has" in run("killed", "--resume", "--set", f"{key}={value}", code=2)
run("killed", "--resume", "--set", "search.max_evaluations=650", "--set", "search.max_time=1h")
rows("killed", 650)

# A directory that holds a living run is not shared; one that vanishes under the run ends it.
p = start("gone")
assert "is held by process" in run("gone", "--resume", code=2)
os.rename("gone", "elsewhere")
assert p.wait() == 74
assert "gone" in p.stderr.read()

# A failed candidate is tried again under its id, so often as allowed, and becomes one row.
with open("flaky.sh", "w") as f:
    f.write(f"#!/bin/sh\nread x\necho $ARCHAI_SEED >> {os.getcwd()}/attempts\n"
            f"[ $(grep -c -- \"^$ARCHAI_SEED\\$\" {os.getcwd()}/attempts) -ge 3 ] && echo '{{\"params\": 1}}'\n")
os.chmod("flaky.sh", 0o755)
flaky = ["--set", "evaluator.kind=command", "--set", f"evaluator.command={os.getcwd()}/flaky.sh",
         "--set", "objective.params.expensive=yes", "--set", "search.max_evaluations=6"]
for retries, status in (1, b"failed"), (2, b"ok"):
    run(f"retries{retries}", "--set", f"evaluator.retries={retries}", *flaky, code=1 if status == b"failed" else 0)  # 1: all failed
    rows(f"retries{retries}", 6)
    with h5py.File(f"retries{retries}/results.h5") as f:
        assert set(f["candidates/status"][()]) == {status}, f["candidates/status"][()]
    with open("attempts") as f:
        assert len(f.readlines()) == 6 * (retries + 1)
    os.remove("attempts")
