# An evaluator that is killed, hangs or cannot be started costs what the contract says, and nothing more.
. "$ARCHAI_SOURCE/tests/support/story.sh"
[ -x "$ARCHAI_BIN/archai-evaluator" ] || skip "archai-evaluator is not built"
ini=$ARCHAI_SOURCE/tests/support/tiny.ini
# pids of the evaluators that work for this story
evaluators() {
    for p in $(pgrep archai-evaluato); do
        [ "$(readlink /proc/$p/cwd)" = "$PWD" ] && echo "$p"
    done
    return 0
}
there_are() { [ "$(evaluators | wc -l)" -ge "$1" ]; }
there_are_none() { [ -z "$(evaluators)" ]; }
evaluated() { grep -q "joined the front" out/run.log; }

# kill -9 in the middle: one failed row, and the search continues with a new evaluator
mpirun -n 2 archai-run "$ini" --set data.samples=3000 --progress none >o.txt 2>e.txt &
pid=$!
within 120 evaluated
kill -KILL "$(evaluators | head -1)"
wait $pid || fail "exit code $?: $(cat e.txt)"
check out/results.h5 --rows 10 --state complete --weights pareto
"$PYTHON" - <<'EOF'
import h5py
c = h5py.File("out/results.h5")["candidates"]
failed = [e.decode() for s, e in zip(c["status"][()], c["error"][()]) if s == b"failed"]
assert len(failed) <= 1, failed  # none, if it died between two candidates
assert all("killed by signal 9" in e for e in failed), failed
EOF
there_are_none || fail "evaluators are left"

# a rank that is killed takes its evaluator along
mpirun -n 2 archai-run "$ini" --output ranks --set train.epochs=2000 --progress none >o.txt 2>e.txt &
pid=$!
within 120 there_are 2
kill -KILL "$(pgrep -P $pid | tail -1)"
wait $pid && fail "the job outlived its rank"
within 60 there_are_none
check ranks/results.h5
expect 0 mpirun -n 2 archai-run "$ini" --output ranks --resume --set train.epochs=1
check ranks/results.h5 --rows 10 --state complete

# one that hangs
expect 1 archai-run "$ini" --output hang --set train.epochs=100000 --set evaluator.timeout=2s --set search.max_evaluations=2
check hang/results.h5 --rows 2 --state complete
"$PYTHON" -c 'import h5py; assert all(e.startswith(b"timeout") for e in h5py.File("hang/results.h5")["candidates/error"][()])'

# one that cannot be started: its worker retires, and when the last worker has, the run ends
mkdir bin
cp "$ARCHAI_BIN/archai-run" "$ARCHAI_BIN/archai-guard" "$ARCHAI_BIN/archai-indexer" bin/
printf '#!/bin/sh\necho "no libtorch here" >&2\nexit 1\n' >bin/archai-evaluator
chmod +x bin/archai-evaluator
expect 1 bin/archai-run "$ini" --output none
says err.txt "the evaluator could not be started"
says err.txt "no libtorch here"
check none/results.h5 --rows 0 --state failed
says none/exit_code 1

# one that writes nonsense and keeps running: the same, and it is killed
printf '#!/bin/sh\nhead -c 100000 /dev/zero | tr "\\0" "\\377" >&4\nexec sleep 1000\n' >bin/archai-evaluator
expect 1 bin/archai-run "$ini" --output nonsense
says err.txt "the evaluator could not be started 4 times in a row: sent a bad message: a frame of 4294967295 bytes exceeds"
check nonsense/results.h5 --rows 0 --state failed
[ -z "$(for p in $(pgrep -x sleep); do [ "$(readlink /proc/$p/cwd)" = "$PWD" ] && echo $p; done)" ] || fail "it lives on"
