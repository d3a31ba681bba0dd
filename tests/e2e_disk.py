"""A run whose file system fails it: really full, read-only from one moment on, forbidden, removed.

Whatever it is: a line names the file (and the bytes that found no room), every rank ends with 74, results.h5 still opens
with h5py, and --resume completes the exact budget once the disk is well; what was committed is not evaluated again. At
the start it is noticed before anything is written. Needs root, to mount file systems of its own in a namespace of its own.
"""
import os
import shutil
import subprocess
import sys
import time

from check_results import faults_of
from segments import committed

if os.geteuid() != 0:
    print("skipped: only root can mount file systems")
    sys.exit(77)
if sys.argv[1:] != ["inside"]:  # what is mounted in there goes with it
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        print("skipped: no mount namespace may be made here")
        sys.exit(77)
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, __file__, "inside"])

BUDGET = 400
NOBODY = 65534
HERE = os.getcwd()
RUN = os.path.join(os.environ["ARCHAI_BIN"], "archai-run")
with open("run.ini", "w") as f:
    f.write(f"""[search]
algorithm = random_search
max_evaluations = {BUDGET}
[space]
name = cnn
max_layers = 40
kernel_list = 1 3 5 7
hidden_list = 8 16 32 64 128
[objective.params]
direction = minimize
[evaluator]
kind = null
[output]
weights = none
report = no
directory = disk/out
""")
RANK = ["sh", "-c", '"$@"; c=$?; echo $c >codes/${OMPI_COMM_WORLD_RANK:-0}; exit $c', "sh"]


def command(ranks, *args):
    shutil.rmtree("codes", ignore_errors=True)
    os.mkdir("codes")
    return [*(["mpirun", "-n", str(ranks)] if ranks > 1 else []), *RANK, RUN, "run.ini", "--progress", "none", *args]


def start(ranks, *args, **more):
    """A run that has its first rows in results.h5, and its process."""
    p = subprocess.Popen(command(ranks, "--set", "evaluator.delay=40ms", *args), stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, **more)
    while not os.path.exists("disk/out/results.h5") or len(committed("disk/out")) < 20:
        assert p.poll() is None, p.communicate()[0]
        time.sleep(0.05)
    return p


def ended(p, *words):
    said = p.communicate(timeout=240)[0]
    codes = {int(open(f"codes/{name}").read()) for name in os.listdir("codes")}  # mpirun may end a shell before its last word
    assert codes == {74} and p.returncode == 74, (codes, p.returncode, said)
    for word in words:
        assert word in said, (word, said)
    return said


def refused(code, *args, word):
    p = subprocess.run(command(1, *args), capture_output=True, text=True, timeout=120)
    assert p.returncode == code and word in p.stderr, (args, p.returncode, p.stderr)


def exit_code():
    with open("disk/out/exit_code") as f:
        return int(f.read())


def readable():
    faults = faults_of("disk/out/results.h5")
    assert not faults, faults[:5]
    return committed("disk/out")


def resumed(before, story):
    """What was committed is where it was, and all the rest is done."""
    p = subprocess.run(command(2, "--resume"), capture_output=True, text=True, timeout=240)
    assert p.returncode == 0, p.stdout + p.stderr
    faults = faults_of("disk/out/results.h5", state="complete", rows=BUDGET)
    assert not faults, faults[:5]
    after = committed("disk/out")
    assert len(after) == BUDGET and all(after[i] == place for i, place in before.items()), story
    print(f"{story}: {len(before)} rows were safe, {BUDGET} in the end", flush=True)


def mount(*args):
    subprocess.run(["mount", *args], check=True, capture_output=True)


def unmount():
    subprocess.run(["umount", "disk"], check=True)


def fill(room):
    """Leave so many bytes."""
    free = os.statvfs("disk")
    with open("disk/ballast", "ab") as f:
        f.write(bytes(max(0, free.f_bavail * free.f_frsize - room)))


def full():
    mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", "disk")
    for room, file in (0, "segment-0-0.h5: disk full writing "), (100_000, "results.h5: "):
        p = start(2)
        fill(room)
        ended(p, file, " bytes (No space left on device)")
        assert exit_code() == 74
        before = readable()
        fill(0)
        p = subprocess.run(command(2, "--resume"), capture_output=True, text=True, timeout=240)
        assert p.returncode == 74 and "No space left on device" in p.stderr, p.stderr
        assert readable() == before
        os.remove("disk/ballast")
        resumed(before, f"full to {room} bytes")
        mount("-o", "remount,ro", "disk")
        p = subprocess.run(command(1, "--resume"), capture_output=True, text=True, timeout=120)
        assert p.returncode == 0 and "disk/out is complete" in p.stdout, (p.returncode, p.stdout, p.stderr)
        refused(74, "--resume", "--set", f"search.max_evaluations={BUDGET + 1}",
                word="run.ini:16: output.directory: disk/out: Read-only file system")
        mount("-o", "remount,rw", "disk")
        shutil.rmtree("disk/out")
    fill(0)
    refused(74, word="No space left on device")
    unmount()


def full_of_weights():
    """Training: a checkpoint that finds no room is a line in run.log, weights that find none end the run."""
    if not os.path.exists(f"{os.path.dirname(RUN)}/archai-evaluator"):  # built without libtorch
        return
    tiny = ["mpirun", "-n", "2", *RANK, RUN, f"{os.environ['ARCHAI_SOURCE']}/tests/support/tiny.ini", "--output", "disk/out",
            "--progress", "none"]
    for setting in ("output.weights=all", "space.hidden_list=64", "space.kernel_list=5", "space.max_layers=8",
                    "train.checkpoint=epoch", "train.checkpoint_pause=0s", "data.samples=100", "search.max_evaluations=8"):
        tiny += ["--set", setting]
    mount("-t", "tmpfs", "-o", "size=3m", "tmpfs", "disk")
    command(2)  # new places for the codes
    ended(subprocess.Popen(tiny, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True), "disk full writing ")
    with open("disk/out/run.log") as f:
        assert "no checkpoint: weights: disk full writing " in f.read()
    before = readable()
    mount("-o", "remount,size=64m", "disk")
    p = subprocess.run([*tiny, "--resume"], capture_output=True, text=True, timeout=240)
    assert p.returncode == 0, p.stdout + p.stderr
    faults = faults_of("disk/out/results.h5", state="complete", rows=8, weights="all")
    assert not faults, faults[:5]
    after = committed("disk/out")
    assert len(after) == 8 and all(after[i] == place for i, place in before.items())
    print(f"full of weights: {len(before)} rows were safe, 8 in the end", flush=True)
    unmount()


def read_only():
    """As ext4 does after an error of the device: whatever is open cannot be written any more either."""
    subprocess.run(["dd", "if=/dev/zero", "of=image", "bs=1M", "count=24", "status=none"], check=True)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", "image"], check=True, capture_output=True)
        mount("-o", "loop", "image", "disk")
    except (OSError, subprocess.CalledProcessError) as e:
        print(f"without a loop device nothing turns read-only in the middle: {e}")
        mount("-t", "tmpfs", "tmpfs", "disk")
    else:
        p = start(2)
        mount("-o", "remount,abort", "disk")
        ended(p, "disk/out/segment-0-0.h5: ", "Read-only file system")
        before = readable()
        refused(74, "--resume", word="disk/out/owner")
        unmount()
        subprocess.run(["e2fsck", "-fy", "image"], capture_output=True)
        mount("-o", "loop", "image", "disk")
        assert not os.path.exists("disk/out/exit_code")  # nothing could be written any more
        after = readable()
        resumed(after, f"read-only ({len(before) - len(after)} rows had not reached the disk)")
        shutil.rmtree("disk/out")
    mount("-o", "remount,ro", "disk")
    refused(74, "--dry-run", word="run.ini:16: output.directory: disk/out: cannot create it: disk: Read-only file system")
    refused(74, word="run.ini:16: output.directory: disk/out: cannot create it: disk: Read-only file system")
    unmount()


def forbidden():
    """Without root's rights: a directory that may not be written at the start, or not any more."""
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "disk")
    nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    os.chmod("codes", 0o777)
    if subprocess.run([RUN, "--version"], capture_output=True, **nobody).returncode != 0:
        print("the programs lie where only root may go: nobody else tries")
        return
    p = subprocess.run([RUN, f"{HERE}/run.ini", "--dry-run"], capture_output=True, text=True, **nobody)
    assert p.returncode == 74 and "run.ini:16: output.directory: disk/out: cannot create it: disk: Permission denied" in p.stderr, p
    os.mkdir("disk/out")
    os.chown("disk/out", NOBODY, NOBODY)
    environment = dict(os.environ, TMPDIR="/tmp", HOME="/tmp")
    p = subprocess.Popen([RUN, "run.ini", "--progress", "none", "--set", "evaluator.delay=40ms"], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, env=environment, **nobody)
    while not os.path.exists("disk/out/results.h5"):
        assert p.poll() is None, p.communicate()[0]
        time.sleep(0.05)
    os.chmod("disk/out", 0o555)
    said = p.communicate(timeout=240)[0]
    assert p.returncode == 74 and "Permission denied" in said and "disk/out/" in said, (p.returncode, said)
    before = readable()
    os.chmod("disk/out", 0o755)
    resumed(before, "permission denied")
    unmount()


def removed():
    """By rm -r: there is nothing to go on from, but the run ends, and a new one can begin."""
    mount("-t", "tmpfs", "tmpfs", "disk")
    p = start(2)
    subprocess.run(["rm", "-rf", "disk/out"], check=True)
    ended(p, "disk/out")
    resumed({}, "removed")
    unmount()


def nowhere():
    """Places where no directory can be."""
    for place, code, word in [("run.ini/out", 2, "run.ini/out: Not a directory"), ("x" * 300, 2, "File name too long"),
                              ("link", 2, "link: is a dangling symbolic link")]:
        refused(code, "--dry-run", "--output", place, word=word)


os.makedirs("codes", exist_ok=True)
os.mkdir("disk")
os.symlink("nothing", "link")
for story in nowhere, full, full_of_weights, read_only, forbidden, removed:
    story()
