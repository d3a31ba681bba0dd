# Signals: what is done stays, --resume completes the budget exactly, the exit code says how it ended.
. "$ARCHAI_SOURCE/tests/support/story.sh"
ini=$ARCHAI_SOURCE/tests/support/null.ini
rows() { [ "$("$PYTHON" -c 'import h5py, sys; print(len(h5py.File(sys.argv[1])["candidates/id"]))' "$1" 2>/dev/null || echo 0)" -gt 20 ]; }
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

# while data are read, which may take minutes
cat >large.ini <<TEXT
[space]
name = cnn
[data]
samples = 10000000
resident = no
[objective.val_accuracy]
direction = maximize
TEXT
rc=0
timeout --preserve-status -s TERM 1 archai-run large.ini --dry-run >o.txt 2>e.txt || rc=$?
[ $rc -eq 75 ] || fail "SIGTERM while data are read: exit code $rc: $(cat e.txt)"
says e.txt "stopped by SIGTERM before the search began"

# mpirun passes SIGUSR1 on to the ranks
mpirun -n 4 archai-run "$ini" --output four $slow >o.txt 2>e.txt &
pid=$!
within 60 rows four/results.h5
kill -USR1 $pid
rc=0
wait $pid || rc=$?
[ $rc -eq 75 ] || fail "SIGUSR1: exit code $rc"
check four/results.h5 --state interrupted

# any of these signals to any one rank has the same effect: rank 0, a worker, the last one
for case in "TERM 3 a signal to rank 2" "INT 1 SIGINT" "USR1 2 a signal to rank 1"; do
    set -- $case
    out=single-$1
    mpirun -n 3 archai-run "$ini" --output $out $slow >o.txt 2>e.txt &
    pid=$!
    within 60 rows $out/results.h5
    kill -$1 $(pgrep -P $pid | sed -n $2p)
    rc=0
    wait $pid || rc=$?
    [ $rc -eq 75 ] || fail "SIG$1 to the rank numbered $2: exit code $rc"
    says $out/exit_code 75
    says o.txt "stopped by ${case#* * }"
    check $out/results.h5 --state interrupted
done

# a second signal stops at once: the running candidates take a day, and grace would have allowed it
archai-run "$ini" --output twice --set evaluator.delay=86400s --set run.grace=86400s --progress none >o.txt 2>e.txt &
pid=$!
within 60 grep -q "evaluates on" twice/run.log
kill -INT $pid
within 60 grep -q "a second signal stops them at once" twice/run.log
sleep 1.5
kill -INT $pid
within 300 finished twice
rc=0
wait $pid || rc=$?
[ $rc -eq 75 ] || fail "SIGINT twice: exit code $rc"
says twice/run.log "SIGINT again: stopping at once"
check twice/results.h5 --rows 0 --state interrupted
expect 0 archai-run "$ini" --output twice --resume --set search.max_evaluations=5 --set evaluator.delay=0s
check twice/results.h5 --rows 5 --state complete

# after SIGTERM and SIGINT mpirun gives the ranks a second, then kills them: what is done must be safe, whatever the state says
mpirun -n 4 archai-run "$ini" --output four --resume $slow >o.txt 2>e.txt &
pid=$!
within 60 test -e four/segment-1-0.h5
sleep 1
kill -TERM $pid
wait $pid || true
check four/results.h5
mpirun -n 4 archai-run "$ini" --output four --resume $slow >o.txt 2>e.txt &
pid=$!
within 60 test -e four/segment-2-0.h5
sleep 1
kill -INT $pid
wait $pid || true
check four/results.h5

# SIGKILL to everything, then --resume
mpirun -n 4 archai-run "$ini" --output four --resume $slow >o.txt 2>e.txt &
pid=$!
within 60 test -e four/segment-3-0.h5
sleep 1
ranks=$(pgrep -P $pid)
kill -KILL $pid $ranks
wait $pid 2>/dev/null || true
check four/results.h5
expect 0 mpirun -n 3 archai-run "$ini" --output four --resume --set search.max_evaluations=2000
check four/results.h5 --rows 2000 --state complete

# max_time
expect 75 archai-run "$ini" --output timed $slow --set search.max_time=2s
says out.txt "search.max_time"
check timed/results.h5 --state interrupted
