"""Run one test program under the sanitizers: run_sanitized.py PROGRAM [ARGUMENT...]

It fails where the program does, and where it or a process that it starts has something reported. Where a report says only
that the leak check's own tracer failed (support/sanitizer.py) the program is run again, which any test may be: it makes
its files anew.
"""
import os
import shutil
import subprocess
import sys
import tempfile

from sanitizer import Reports


def attempt(environment):
    """The exit code, and whether an assertion failed before the sanitizer had its say, which is no reason to try again."""
    failed = False
    p = subprocess.Popen(sys.argv[1:], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for line in p.stdout:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
        failed = failed or b"[  FAILED  ]" in line
    code = p.wait()
    return code if code >= 0 else 128 - code, failed


def main():
    directory = tempfile.mkdtemp()
    reports = Reports(f"{directory}/report")
    environment = dict(os.environ)
    for name in "ASAN_OPTIONS", "UBSAN_OPTIONS":
        given = environment.get(name)
        environment[name] = (f"{given}:" if given else "") + reports.options()

    def once():
        code, failed = attempt(environment)
        if failed:
            print("\n".join(reports.read().values()), flush=True)
            sys.exit(code or 1)
        return code

    try:
        code = reports.run(once)
    except AssertionError as e:
        print(e, flush=True)
        code = 1
    finally:
        shutil.rmtree(directory)
    if reports.failed:
        print(reports.summary())
    sys.exit(code)


main()
