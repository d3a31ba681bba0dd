"""Sanitizers' reports, as they were printed, are told apart, and only a failed tracer is tried again, not for ever."""
import os
import subprocess
import sys
import tempfile

SUPPORT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "support")
sys.path.insert(0, SUPPORT)
from sanitizer import REPEATS, Reports, only_tracer_failed  # noqa: E402

TRACER = "Tracer caught signal 11: addr=0x7f2bb9dfd000 pc=0x7f2bbe0d3a54 sp=0x7f2bb95fecf0\n"
FATAL = """==4711==LeakSanitizer has encountered a fatal error.
==4711==HINT: For debugging, try setting environment variable LSAN_OPTIONS=verbosity=1:log_threads=1
==4711==HINT: LeakSanitizer does not work under ptrace (strace, gdb, etc)
"""
GONE = "==18566==Unable to get registers from thread 18556.\n"
LEAK = """
=================================================================
==4711==ERROR: LeakSanitizer: detected memory leaks

Direct leak of 7 byte(s) in 1 object(s) allocated from:
    #0 0x7f8b1c4b83b7 in __interceptor_malloc ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:69
    #1 0x55d3a5f0a1c5 in main leak.c:4

SUMMARY: AddressSanitizer: 7 byte(s) leaked in 1 allocation(s).
"""
OVERFLOW = """=================================================================
==4711==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000017 at pc 0x55e0d4 bp 0x7ffd sp 0x7ffc
WRITE of size 1 at 0x602000000017 thread T0
"""
UNDEFINED = "x.c:3:12: runtime error: signed integer overflow: 2147483647 + 1 cannot be represented in type 'int'\n"


def told_apart():
    for report in TRACER, FATAL, TRACER + FATAL, f"\n{FATAL}{TRACER}", f"==12=={TRACER}", GONE:
        assert only_tracer_failed(report), report
    for report in (LEAK, OVERFLOW, UNDEFINED, TRACER + LEAK, LEAK + TRACER + FATAL, FATAL + OVERFLOW, UNDEFINED + FATAL,
                   GONE + LEAK, "", "\n", FATAL.replace("fatal error.", "fatal error. And more"),
                   "==1==HINT: LeakSanitizer does not work under ptrace (strace, gdb, etc)\n",
                   "AddressSanitizer:DEADLYSIGNAL\n" + TRACER, f"x {TRACER}"):
        assert not only_tracer_failed(report), report


def runs(directory, *reported):
    """Attempts that leave these reports, one list of texts after the other, then none. (attempts, resets, error)"""
    reports = Reports(f"{directory}/report")
    left, done = [*reported], {"attempts": 0, "resets": 0}

    def attempt():
        done["attempts"] += 1
        for i, text in enumerate(left.pop(0) if left else []):
            with open(f"{directory}/report.{i}", "w") as f:
                f.write(text)
        return "result"

    def reset():
        done["resets"] += 1

    error = ""
    try:
        assert reports.run(attempt, reset) == "result"
        assert not reports.read()
    except AssertionError as e:
        error = str(e)
    assert done["resets"] == min(reports.failed, REPEATS)  # not where nothing follows
    for name in reports.read():
        os.remove(name)
    return done["attempts"], done["resets"], error


def tried_again(directory):
    assert runs(directory) == (1, 0, "")
    assert runs(directory, [TRACER + FATAL]) == (2, 1, "")
    assert runs(directory, [TRACER, FATAL], [FATAL]) == (3, 2, "")  # the tracer is a process of its own: two files
    for faults in [LEAK], [FATAL, LEAK], [TRACER + LEAK], [UNDEFINED, TRACER]:
        attempts, resets, error = runs(directory, faults)
        assert (attempts, resets) == (1, 0) and all(text in error for text in faults), (faults, error)
    attempts, resets, error = runs(directory, [FATAL], [OVERFLOW])
    assert (attempts, resets) == (2, 1) and OVERFLOW in error
    attempts, _, error = runs(directory, *[[FATAL]] * 10)
    assert attempts == 1 + REPEATS and "not known" in error, (attempts, error)


def programs(directory):
    """The same of a program, which finds in ASAN_OPTIONS where to report; it counts its runs in a file."""
    def run(script):
        with open(f"{directory}/runs", "w"):
            pass
        head = f"echo >>{directory}/runs; n=$(wc -l <{directory}/runs); report=${{ASAN_OPTIONS##*log_path=}}.$$\n"
        p = subprocess.run([sys.executable, f"{SUPPORT}/run_sanitized.py", "sh", "-c", head + script],
                           capture_output=True, text=True, env=dict(os.environ, ASAN_OPTIONS="detect_leaks=1"))
        with open(f"{directory}/runs") as f:
            return p.returncode, len(f.readlines()), p.stdout + p.stderr

    def says(text):
        return f"printf '%s' '{text}' >$report"

    assert run("exit 0") == (0, 1, "")
    assert run("echo well; exit 77") == (77, 1, "well\n")
    assert run("exit 3")[:2] == (3, 1)
    assert run("kill -SEGV $$")[:2] == (139, 1)
    code, n, said = run(f"[ $n -gt 2 ] || {{ {says(FATAL)}; exit 1; }}")
    assert (code, n) == (0, 3) and "failed 2 times" in said, said
    code, n, said = run(says(FATAL))
    assert (code, n) == (1, 1 + REPEATS) and "not known" in said, said
    code, n, said = run(says(LEAK))
    assert (code, n) == (1, 1) and "7 byte(s) leaked" in said, said
    code, n, said = run(f"echo '[  FAILED  ] a_test'; {says(FATAL)}; exit 1")
    assert (code, n) == (1, 1) and "fatal error" in said, said


with tempfile.TemporaryDirectory() as scratch:
    told_apart()
    tried_again(scratch)
    programs(scratch)
print("told apart")
