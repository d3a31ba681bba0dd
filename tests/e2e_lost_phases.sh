# Ranks that die at other times than in the middle: while the run is set up (that ends the job, and --resume goes on), before
# their first word, in a drain, while the last index is made, after the last word; and one that only seemed to. All at the same time, each in a run of its own.
# e2e_lost_phases.sh DIE (the library of support/die.c)
. "$ARCHAI_SOURCE/tests/support/story.sh"
die=$1
ini=$ARCHAI_SOURCE/tests/support/null.ini
fast="--progress none --set run.lost_after=2s --set run.heartbeat=200ms --set search.max_evaluations=200 --set evaluator.delay=20ms"
lost() { grep -q "rank $2 .*was lost" "$1/run.log"; }
# dies DIRECTORY RANK AT NTH: one run in which that rank dies at that point
dies() {
    mpirun --enable-recovery -x LD_PRELOAD="$die" -x ARCHAI_DIE_RANK=$2 -x ARCHAI_DIE_AT=$3 -x ARCHAI_DIE_NTH=$4 -n 4 archai-run "$ini" \
        --output "$1" $fast >"$1.out" 2>"$1.err" || true
}
# resumed DIRECTORY ROWS: what is left of it goes on to its end
resumed() {
    mpirun -n 3 archai-run "$ini" --output "$1" --resume $fast --set evaluator.delay=1ms >"$1.again" 2>&1 || fail "$1: $(cat "$1.again")"
    check "$1/results.h5" --rows 200 --state complete
}

setting_up() { # set_up-K-RANK: before the K-th agreement; the directory is made before the last of them
    local dir=set_up-$1-$2
    dies $dir $2 MPI_Iallreduce $1
    says $dir.err "archai-run: while the run was being set up: rank $2 was lost: no sign of life for 2."
    within 30 none_left $dir
    [ ! -e $dir/exit_code ] || fail "$dir: exit_code: $(cat $dir/exit_code)"
    resumed $dir
}

without_a_word() {
    dies silent 2 MPI_Isend 1
    lost silent 2 || fail "silent: $(cat silent/run.log)"
    says silent/exit_code 0
    check silent/results.h5 --rows 200 --state complete
}

draining() {
    mpirun --enable-recovery -n 4 archai-run "$ini" --output drain $fast --set evaluator.delay=5s --set run.grace=20s >drain.out 2>drain.err &
    local job=$!
    within 60 grep -qs 'rank 3: evaluates' drain/run.log
    sleep 0.3 # all have a candidate
    kill -USR1 $job
    within 20 grep -q 'stopped by' drain/run.log
    kill -KILL "$(pgrep -P $job -x archai-run | sort -n | sed -n 3p)"
    wait $job || true
    grep -q 'rank 2 .*was lost.*goes back to the search' drain/run.log || fail "drain: $(cat drain/run.log)"
    says drain/exit_code 75
    check drain/results.h5 --state interrupted
    resumed drain
}

indexing() {
    mpirun --enable-recovery -n 4 archai-run "$ini" --output index $fast >index.out 2>index.err &
    local job=$! root guard indexer
    within 60 grep -qs 'rank 3: evaluates' index/run.log
    root=$(pgrep -P $job -x archai-run | sort -n | head -1)
    for guard in $(pgrep -P $root); do
        indexer=$(pgrep -P $guard -x archai-indexer) && break
    done
    kill -STOP $indexer # its last work waits
    within 60 grep -q 'complete: 200 evaluations' index/run.log
    sleep 0.3
    kill -KILL "$(pgrep -P $job -x archai-run | sort -n | sed -n 3p)"
    within 30 lost index 2
    kill -CONT $indexer
    wait $job || true
    says index/exit_code 0
    check index/results.h5 --rows 200 --state complete
    within 30 none_left index
}

# A rank that was stopped and taken for lost ends its candidate while another one is at it; then that one is lost.
overtaken() {
    mpirun --enable-recovery -n 3 archai-run "$ini" --output late_answer $fast --set run.coordinator_evaluates=no \
        --set evaluator.delay=5s >late_answer.out 2>late_answer.err &
    local job=$! ranks
    within 60 grep -qs 'rank 2: evaluates' late_answer/run.log
    ranks=($(pgrep -P $job -x archai-run | sort -n))
    sleep 0.3 # both have a candidate
    kill -STOP ${ranks[1]}
    within 60 grep -q 'candidate 0 goes to another worker' late_answer/run.log
    within 60 grep -q 'rank 2: candidate 1 ' late_answer/run.log
    sleep 0.3
    kill -CONT ${ranks[1]}
    within 60 grep -q 'rank 1: candidate 0 was not expected from here' late_answer/run.log
    kill -KILL ${ranks[2]}
    wait $job || true
    says late_answer/exit_code 75
    says late_answer.out "no worker is left: 1 were lost"
    resumed late_answer
}

after_the_last_word() {
    dies late 2 MPI_Ibarrier 1
    says late/exit_code 0
    check late/results.h5 --rows 200 --state complete
    within 30 none_left late
}

stories=("setting_up 2 2" "setting_up 4 2" "setting_up 3 0" without_a_word draining indexing overtaken after_the_last_word)
pids=()
for i in "${!stories[@]}"; do
    ${stories[i]} &
    pids+=($!)
done
bad=
for i in "${!stories[@]}"; do
    wait ${pids[i]} || bad="$bad, ${stories[i]}"
done
[ -z "$bad" ] || fail "these went wrong$bad"
