# Ranks that die or fall silent: the search goes on without them and keeps its budget exactly; nothing is left behind.
. "$ARCHAI_SOURCE/tests/support/story.sh"
ini=$ARCHAI_SOURCE/tests/support/null.ini
slow="--progress none --set search.max_evaluations=600 --set evaluator.delay=40ms --set run.lost_after=2s --set run.heartbeat=200ms"
begun() { [ -e "$1/run.log" ] && [ "$(wc -l <"$1/run.log")" -gt 12 ]; } # every rank has said hello, candidates come back
lost() { [ "$(grep -c 'was lost' "$1/run.log")" -ge "$2" ]; }
back() { grep -q 'is alive again' "$1/run.log"; }
gone() { ! kill -0 "$@" 2>/dev/null; }
# start DIRECTORY RANKS [OPTION...]: in the background; $job is mpirun, $ranks the ranks in their order
start() {
    local dir=$1 n=$2
    shift 2
    mpirun "$@" -n "$n" archai-run "$ini" --output "$dir" --resume $slow >"$dir.out" 2>"$dir.err" &
    job=$!
    within 60 begun "$dir"
    ranks=($(pgrep -P $job | sort -n))
    [ ${#ranks[@]} -eq "$n" ] || fail "ranks of $job: ${ranks[*]}"
}

# one of eight ranks is killed, then another
start eight 8 --enable-recovery
kill -KILL "${ranks[3]}"
within 60 lost eight 1
kill -KILL "${ranks[6]}"
within 60 lost eight 2
wait $job || fail "exit code $?"
says eight/exit_code 0
check eight/results.h5 --rows 600 --state complete
none_left eight || fail "processes are left"
grep 'was lost' eight/run.log

# one that only stopped for long comes back: its work went to others, and it gets no more
start stopped 4 --enable-recovery
kill -STOP "${ranks[2]}"
within 60 lost stopped 1
kill -CONT "${ranks[2]}"
within 60 back stopped
wait $job || fail "exit code $?"
says stopped/exit_code 0
check stopped/results.h5 --rows 600 --state complete

# without --enable-recovery the job ends, and --resume goes on
start plain 4
kill -KILL "${ranks[1]}"
if wait $job; then fail "the job outlived its rank"; fi
says plain.err "signal 9"
within 60 none_left plain
check plain/results.h5
expect 0 mpirun -n 3 archai-run "$ini" --output plain --resume $slow --set evaluator.delay=1ms
check plain/results.h5 --rows 600 --state complete

# without rank 0 there is no search: the others leave by themselves
start headless 4 --enable-recovery
kill -KILL "${ranks[0]}"
within 60 gone $job
wait $job || true
says headless.err "since rank 0 was lost: no sign of life"
within 30 none_left headless
if finished headless; then fail "exit_code without a rank 0"; fi
expect 0 mpirun -n 3 archai-run "$ini" --output headless --resume $slow --set evaluator.delay=1ms
check headless/results.h5 --rows 600 --state complete

# with the last worker the run is interrupted
slow="$slow --set run.coordinator_evaluates=no"
start alone 2 --enable-recovery
kill -KILL "${ranks[1]}"
wait $job || [ $? -eq 75 ] || fail "exit code $?" # Open MPI 5 passes it on
says alone/exit_code 75
says alone.out "no worker is left: 1 were lost"
check alone/results.h5 --state interrupted
