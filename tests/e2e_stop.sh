# Signals: what is done stays, --resume completes the budget exactly, the exit code says which.
. "$ARCHAI_SOURCE/tests/support/story.sh"
ini=$ARCHAI_SOURCE/tests/support/null.ini
check() { "$PYTHON" "$ARCHAI_SOURCE/tests/support/check_results.py" "$@"; }
rows() { [ "$("$PYTHON" -c 'import h5py, sys; print(len(h5py.File(sys.argv[1])["candidates/id"]))' "$1" 2>/dev/null || echo 0)" -gt 20 ]; }
finished() { [ -e "$1/exit_code" ]; }
slow="--set evaluator.delay=20ms --set search.max_evaluations=2000 --progress none"

# one process, SIGINT
archai-run "$ini" --output one $slow >o.txt 2>e.txt &
pid=$!
within 60 rows one/results.h5
kill -INT $pid
rc=0
wait $pid || rc=$?
[ $rc -eq 75 ] || fail "SIGINT: exit code $rc"
says one/exit_code 75
says o.txt "stopped by SIGINT"
check one/results.h5 --state interrupted
expect 0 archai-run "$ini" --output one --resume --set search.max_evaluations=2000
check one/results.h5 --rows 2000 --state complete

# mpirun passes SIGUSR1 on to the ranks
mpirun -n 4 archai-run "$ini" --output four $slow >o.txt 2>e.txt &
pid=$!
within 60 rows four/results.h5
kill -USR1 $pid
rc=0
wait $pid || rc=$?
[ $rc -eq 75 ] || fail "SIGUSR1: exit code $rc"
check four/results.h5 --state interrupted

# mpirun leaves the ranks a second after SIGTERM, whatever they do: what is done must be safe, whatever the state says
mpirun -n 4 archai-run "$ini" --output four --resume $slow >o.txt 2>e.txt &
pid=$!
within 60 test -e four/segment-1-0.h5
sleep 1
kill -TERM $pid
wait $pid || true
check four/results.h5

# SIGKILL of everything, then on
mpirun -n 4 archai-run "$ini" --output four --resume $slow >o.txt 2>e.txt &
pid=$!
within 60 test -e four/segment-2-0.h5
sleep 1
ranks=$(pgrep -P $pid)
kill -KILL $pid $ranks
wait $pid 2>/dev/null || true
check four/results.h5
expect 0 mpirun -n 3 archai-run "$ini" --output four --resume --set search.max_evaluations=2000
check four/results.h5 --rows 2000 --state complete

# the time that a start may take
expect 75 archai-run "$ini" --output timed $slow --set search.max_time=2s
says out.txt "search.max_time"
check timed/results.h5 --state interrupted
