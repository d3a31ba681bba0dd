"""Evaluators that find no memory, flood their output or leave processes behind; and every way in which a run can end.

memory_limit stops a program and libtorch, the kernel's OOM killer (in a memory cgroup, where one may be made) kills; each is
told for what it is and costs one candidate. Hundreds of MiB of output on the way to an answer do no harm. Whatever ends the run,
nothing that an evaluator started outlives it.
"""
import os
import shutil
import signal
import subprocess
import sys
import time

import h5py

from check_results import faults_of
from processes import marked, none_left

BIN, SOURCE = os.environ["ARCHAI_BIN"], os.environ["ARCHAI_SOURCE"]
MARK = f"ARCHAI_MEMORY={os.getpid()}"
environment = dict(os.environ, ARCHAI_MEMORY=str(os.getpid()))
COMMAND = f"{SOURCE}/tests/support/command.ini"


def evaluator(text):
    with open("evaluator.sh", "w") as f:
        f.write("#!/bin/sh\nread request\n" + text)
    os.chmod("evaluator.sh", 0o755)


def run(config, out, *arguments):
    p = subprocess.run(["archai-run", config, "--output", out, "--progress", "none", *arguments], env=environment,
                       capture_output=True, text=True, timeout=600)
    assert p.returncode == 0, p.stdout + p.stderr
    none_left(MARK, out)


def rows(out, budget):
    """[(archid, status, error)]"""
    faults = faults_of(f"{out}/results.h5", state="complete", rows=budget)
    assert not faults, faults[:5]
    with h5py.File(f"{out}/results.h5", "r") as f:
        c = f["candidates"]
        return list(zip(c["archid"].asstr()[()], c["status"].asstr()[()], c["error"].asstr()[()]))


def a_limit_for_libtorch():
    """Of four models two are too large: each fails with libtorch's words, and the others are trained."""
    run(f"{SOURCE}/tests/support/tiny.ini", "torch", "--set", "evaluator.memory_limit=900M", "--set", "space.max_layers=2",
        "--set", "space.hidden_list=4 4096", "--set", "space.kernel_list=3", "--set", "search.max_evaluations=4", "--set",
        "search.algorithm=random_search", "--set", "data.samples=200", "--set", "train.epochs=1")
    found = rows("torch", 4)
    for archid, status, error in found:
        if "4096" in archid:
            assert status == "failed" and "memory" in error, (archid, status, error)
        else:
            assert status == "ok", (archid, status, error)
    print("libtorch:", next(error for _, status, error in found if status == "failed"))


def a_limit_for_a_program():
    evaluator(f"""[ $((ARCHAI_SEED % 2)) = 0 ] && exec {sys.executable} -c 'x = bytearray(1 << 30)'
echo '{{"quality": 1}}'
""")
    run(COMMAND, "limited", "--set", "search.max_evaluations=8", "--set", "evaluator.memory_limit=256M")
    found = rows("limited", 8)
    failed = [error for _, status, error in found if status == "failed"]
    assert failed and len(failed) < 8 and all(e.endswith("exited with 1: MemoryError") for e in failed), failed
    print("a program:", failed[0])


def killed_for_memory():
    """The kernel's own choice: cgroup v1 or v2, whichever is there and may be written."""
    v1, v2 = f"/sys/fs/cgroup/memory/archai-{os.getpid()}", f"/sys/fs/cgroup/archai-{os.getpid()}"
    group, key = (v1, "memory.limit_in_bytes") if os.path.isdir("/sys/fs/cgroup/memory") else (v2, "memory.max")
    try:
        os.mkdir(group)
    except OSError as e:
        print(f"no memory cgroup may be made, so the kernel kills nothing: {e}")
        return
    try:
        with open(f"{group}/{key}", "w") as f:
            f.write(str(48 << 20))
        if os.path.exists(f"{group}/memory.swap.max"):
            with open(f"{group}/memory.swap.max", "w") as f:
                f.write("0")
        evaluator(f"""[ $((ARCHAI_SEED % 2)) = 0 ] && echo $$ >{group}/cgroup.procs && exec {sys.executable} -c 'x = bytearray(256 << 20)'
echo '{{"quality": 1}}'
""")
        run(COMMAND, "killed", "--set", "search.max_evaluations=8")
        failed = [error for _, status, error in rows("killed", 8) if status == "failed"]
        assert failed and len(failed) < 8 and all("killed by signal 9 (Killed)" in e for e in failed), failed
        print("the OOM killer:", failed[0])
    except OSError as e:
        print(f"the memory cgroup takes no limit, so the kernel kills nothing: {e}")
    finally:
        os.rmdir(group)


def a_flood():
    """Output on both ways, then an answer: the rank keeps the last of it and stays small."""
    evaluator("""yes "a line of a flood" | head -c 268435456
yes "a line of a flood" | head -c 16777216 >&2
echo; echo '{"quality": 1}'
""")
    p = subprocess.Popen(["archai-run", COMMAND, "--output", "flood", "--progress", "none", "--set", "search.max_evaluations=2"],
                         env=environment, stdout=subprocess.DEVNULL)
    peak = 0
    while p.poll() is None:
        try:
            with open(f"/proc/{p.pid}/status") as f:
                peak = max([peak] + [int(line.split()[1]) for line in f if line.startswith("VmHWM")])
        except OSError:
            pass
        time.sleep(0.02)
    assert p.returncode == 0 and [status for _, status, _ in rows("flood", 2)] == ["ok", "ok"]
    assert 0 < peak < 100_000, f"{peak} kB"
    print(f"a flood of 544 MiB: the rank took at most {peak // 1000} MB")
    none_left(MARK, "flood")


def all_ends():
    """Evaluators with children of their own, in other sessions too: whatever ends the run ends them all."""
    evaluator("""setsid sleep 1000 </dev/null >/dev/null 2>&1 &
(sleep 1000 & sleep 1000) </dev/null >/dev/null 2>&1 &
[ $((ARCHAI_SEED % 4)) = 0 ] && { echo '{"quality": 1}'; exit 0; }
sleep 0.5 && echo '{"quality": 1}' && exec sleep 1000
""")

    def gone(p):
        shutil.rmtree("end")

    for name, end, codes in [
            ("complete", lambda p: None, {0}), ("SIGUSR1 to mpirun", lambda p: p.send_signal(signal.SIGUSR1), {75}),
            ("SIGTERM to mpirun", lambda p: p.send_signal(signal.SIGTERM), None),
            ("SIGKILL of mpirun and ranks", lambda p: [os.kill(pid, signal.SIGKILL) for pid, comm in marked(MARK)
                                                       if comm in ("mpirun", "archai-run")], None),
            ("the directory is gone", gone, {74})]:
        shutil.rmtree("end", ignore_errors=True)
        budget = "8" if name == "complete" else "1000"
        p = subprocess.Popen(["mpirun", "-n", "2", "archai-run", COMMAND, "--output", "end", "--progress", "none", "--set",
                              f"search.max_evaluations={budget}", "--set", "evaluator.timeout=1500ms", "--set", "run.grace=1s"],
                             env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        patience = time.monotonic() + 120
        while sum(comm == "sleep" for _, comm in marked(MARK)) < 4 or not os.path.exists("end/results.h5"):
            assert time.monotonic() < patience and (name == "complete" or p.poll() is None), p.communicate()[0]
            if p.poll() is not None:
                break
            time.sleep(0.02)
        end(p)
        said = p.communicate(timeout=240)[0]
        assert codes is None or p.returncode in codes, (name, p.returncode, said)
        none_left(MARK, name)
    print("nothing outlived any of the ends")


if os.path.exists(f"{BIN}/archai-evaluator"):  # built without libtorch
    a_limit_for_libtorch()
for story in a_limit_for_a_program, killed_for_memory, a_flood, all_ends:
    story()
