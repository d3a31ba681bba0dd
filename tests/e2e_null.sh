# 2,000 evaluations that cost nothing: exactly that many rows, with and without mpirun; and what may be done with a finished directory.
. "$ARCHAI_SOURCE/tests/support/story.sh"
ini=$ARCHAI_SOURCE/tests/support/null.ini

expect 0 mpirun -n 4 archai-run "$ini"
says out.txt "complete: 2000 evaluations"
says out.txt "archai-inspect out summary"
check out/results.h5 --rows 2000 --state complete --weights none
says out/exit_code 0
[ ! -e out/owner ] || fail "owner is left"

# a results directory is not overwritten and a complete run is not repeated, but it can be continued with a larger budget
expect 2 archai-run "$ini"
says err.txt "--resume"
expect 0 archai-run "$ini" --resume
says out.txt "is complete"
expect 0 mpirun -n 2 archai-run "$ini" --resume --set search.max_evaluations=2100
check out/results.h5 --rows 2100 --state complete
expect 2 archai-run "$ini" --resume --set space.max_layers=15
says err.txt "space.max_layers"

# without mpirun; the whole space: 2304 models and no more
expect 0 archai-run "$ini" --output alone --set search.max_evaluations=5000 --progress plain
check alone/results.h5 --rows 2304 --state complete
says out.txt "complete after 2304 evaluations"

# the resolved configuration gives the same search
expect 0 archai-run alone/config.ini --output again
"$PYTHON" - <<'EOF'
import h5py
a, b = (h5py.File(f"{d}/results.h5")["candidates/archid"][()] for d in ("alone", "again"))
assert list(a) == list(b)
EOF

# rank 0 only decides, the others evaluate
expect 0 mpirun -n 3 archai-run "$ini" --output apart --set run.coordinator_evaluates=no
check apart/results.h5 --rows 2000 --state complete
"$PYTHON" -c 'import h5py; assert set(h5py.File("apart/results.h5")["candidates/rank"][()]) == {1, 2}'

# on a terminal of 40 columns the progress line takes one line
"$PYTHON" - "$ini" <<'EOF' || fail "the progress line is wider than the terminal"
import fcntl, os, pty, re, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    os.execvp("archai-run", ["archai-run", sys.argv[1], "--output", "narrow", "--set", "search.max_evaluations=50",
                             "--set", "evaluator.delay=20ms"])
seen = b""
try:
    while piece := os.read(terminal, 65536):
        seen += piece
except OSError:  # how a terminal ends
    pass
assert os.waitpid(pid, 0)[1] == 0, seen
widths = [len(line) for line in re.split(rb"[\r\n]+", seen) if b"/50 done" in line]
assert widths and max(widths) == 39, (widths, seen)
EOF
