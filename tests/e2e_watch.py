"""watch on a terminal of 80 columns: it stays in place, no line wraps; in a pipe it is plain; summary and the live line tell the same."""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

BIN = os.environ["ARCHAI_BIN"]
with open("tree.json", "w") as f:
    f.write('{"width_of_the_network": {"choice": [%s]}, "act": {"choice": ["relu", "gelu"]}}' % ", ".join(map(str, range(100, 160))))
with open("program.awk", "w") as f:
    f.write('{ match($0, /"id": *[0-9]+/); i = substr($0, RSTART, RLENGTH); sub(/.*: */, "", i); system("sleep 0.15");\n'
            '  if (i % 6 == 5) { print "ValueError: \\303\\244\\303\\266 a long sentence about what is wrong with candidate " i " and what could be done about it" > "/dev/stderr"; exit 3 }\n'
            '  print "{\\"acc\\": 0." i ", \\"cost\\": " i "}" }')
with open("c.ini", "w") as f:
    f.write("[search]\nalgorithm = random_search\nmax_evaluations = 24\n[space]\nname = config\ntree = tree.json\n[objective.acc]\ndirection = maximize\n"
            "[objective.cost]\ndirection = minimize\n[evaluator]\nkind = command\ncommand = awk -f program.awk\n[output]\ndirectory = r\nreport = no\n")

main, other = pty.openpty()
fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 80, 0, 0))
with open("live.txt", "w") as live:
    run = subprocess.Popen([f"{BIN}/archai-run", "c.ini", "--progress", "live"], stdout=subprocess.DEVNULL, stderr=live)
while not os.path.exists("r/results.h5"):
    assert run.poll() is None
piped = subprocess.Popen([f"{BIN}/archai-inspect", "r", "watch"], stdout=subprocess.PIPE, text=True)
watch = subprocess.Popen([f"{BIN}/archai-inspect", "r", "watch"], stdout=other, stderr=other)
os.close(other)
screen = b""
try:
    while True:
        got = os.read(main, 65536)
        if not got:
            break
        screen += got
except OSError: # the other end is closed
    pass
assert watch.wait() == 0 and run.wait() == 0
text = screen.decode()
drawn = text.split("\x1b[H")
assert text.startswith("\x1b[2J\x1b[H") and len(drawn) >= 3, len(drawn) # drawn again, in place
for one in drawn[1:]:
    lines = one.replace("\x1b[K", "").replace("\x1b[J", "").replace("\r", "").split("\n")
    assert len(lines) <= 30 and all(len(line) <= 80 for line in lines), lines
    assert one.count("\x1b[K") == len(lines) - 1 and one.endswith("\x1b[J"), one
first = drawn[1]
assert "r: running" in first and "best" in first and "parameters" in first
assert "24 of 24 done" in drawn[-1] and "r: complete" in drawn[-1]
assert any(re.search(r"last failed: candidate \d+, \d\d:\d\d:\d\dZ, rank 0: command exited with 3: ValueErr", one) for one in drawn[1:-1]) or len(drawn) < 4

plain = piped.communicate()[0]
assert piped.returncode == 0 and "\x1b" not in plain and "r: complete" in plain and max(map(len, plain.splitlines())) > 80

told = json.loads(subprocess.run([f"{BIN}/archai-inspect", "r", "summary", "--json"], capture_output=True, text=True, check=True).stdout)
assert [f["id"] for f in told["last_failures"]] == [23, 17, 11, 5] and told["running"] == [] and "ValueError: äö" in told["last_failures"][0]["error"]
live = open("live.txt", newline="").read().split("\r")
assert any(re.match(r"\d+/24 done, \d running, \d+ failed \| acc 0\.\d+ \| front 1?\d \| \d+ % busy \| [\d.]+/(s|min) \| \d+[sm] left \| width_of_the_network=1\d\d, act=[rg]elu", line)
           for line in live), live[-3:]
print(f"drawn {len(drawn) - 1} times")
