"""What a sanitizer reported: a fault, or only that the leak check's own tracer failed.

LeakSanitizer stops a process by a tracer of its own, and now and then that dies ("Tracer caught signal 11") or finds a thread gone. Then nothing
is known about leaks: it is taken neither for a leak nor for none, and what gave it is run again, a few times.
"""
import glob
import os
import re

REPEATS = 3
# All that such a report may say. One other line makes it a fault.
TRACER_FAILED = re.compile(r"(==\d+==)?(Tracer caught signal \d+: addr=\S+ pc=\S+ sp=\S+"
                           r"|LeakSanitizer has encountered a fatal error\."
                           r"|Unable to get registers from thread \d+\.)")
HINT = re.compile(r"(==\d+==)?HINT: (For debugging, try setting environment variable LSAN_OPTIONS=\S+"
                  r"|LeakSanitizer does not work under ptrace \(strace, gdb, etc\))")


def only_tracer_failed(report):
    """Whether a report says this and nothing else."""
    lines = [line.strip() for line in report.splitlines() if line.strip()]
    return (any(TRACER_FAILED.fullmatch(line) for line in lines) and
            all(TRACER_FAILED.fullmatch(line) or HINT.fullmatch(line) for line in lines))


class Reports:
    """The files that processes with log_path = `prefix` leave, one for each that has something to say."""

    def __init__(self, prefix):
        self.prefix = prefix
        self.failed = 0

    def options(self):
        """For ASAN_OPTIONS and UBSAN_OPTIONS."""
        return f"log_path={self.prefix}"

    def read(self):
        """{name: text}"""
        texts = {}
        for name in sorted(glob.glob(f"{glob.escape(self.prefix)}.*")):
            with open(name, errors="replace") as f:
                texts[name] = f.read()
        return texts

    def run(self, attempt, reset=lambda: None):
        """Run attempt(), which returns what is to be returned if no sanitizer says a word. Raises AssertionError with the
        reports if there is a fault. Where only the tracer failed: reset(), and again."""
        for left in range(REPEATS, -1, -1):
            result = attempt()
            reports = self.read()
            if not reports:
                return result
            assert all(map(only_tracer_failed, reports.values())), "\n".join(
                f"{name}:\n{text[:6000]}" for name, text in reports.items())
            for name in reports:
                os.remove(name)
            self.failed += 1
            if left:
                print("the leak check's own tracer failed, which says nothing about leaks: once more", flush=True)
                reset()
        raise AssertionError(f"the leak check's own tracer failed {1 + REPEATS} times in a row: "
                             "whether there are leaks is not known")

    def summary(self):
        return f"the leak check's own tracer failed {self.failed} times; what it looked at was run again each time"
