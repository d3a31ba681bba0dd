# Ranks that die or fall silent: the search continues without them and keeps its budget exactly, nothing that was committed is
# evaluated again, and nothing is left behind.
#
#   e2e_lost.sh DIE heartbeats      ranks that die in the middle of a search, with work in hand, and in every other phase
#   e2e_lost.sh DIE ulfm            MPI itself reports dead ranks (Open MPI 5 and later, mpirun --with-ft ulfm)
#
# DIE is the library of support/die.c.
. "$ARCHAI_SOURCE/tests/support/lost.sh"
die=$1

# headless REASON RANKS [OPTION OF MPIRUN...]: without rank 0 there is no search, and the other ranks leave by themselves.
headless() {
    local reason=$1
    shift
    start headless "$@"
    kill -KILL "${ranks[0]}"
    within 60 gone $job
    wait $job || true
    says headless.err "since rank 0 was lost: $reason"
    within 30 none_left headless
    if finished headless; then fail "exit_code without a rank 0"; fi
    resumed headless
}

# -- in the middle of a search -----------------------------------------------------------------------------------------

one_of_eight_then_another() {
    start eight 8 --enable-recovery
    kill -KILL "${ranks[3]}"
    within 60 lost eight 1
    kill -KILL "${ranks[6]}"
    within 60 lost eight 2
    wait $job || fail "exit code $?"
    complete eight
    none_left eight || fail "processes are left"
    grep 'was lost' eight/run.log
}

# A rank that was only stopped comes back: its work has gone to others, and it gets no more.
stopped_and_back() {
    back() { grep -q 'is alive again' stopped/run.log; }
    start stopped 4 --enable-recovery
    kill -STOP "${ranks[2]}"
    within 60 lost stopped 1
    kill -CONT "${ranks[2]}"
    within 60 back
    wait $job || fail "exit code $?"
    complete stopped
}

without_enable_recovery() {
    start plain 4
    kill -KILL "${ranks[1]}"
    if wait $job; then fail "the job outlived its rank"; fi
    says plain.err "signal 9"
    within 60 none_left plain
    check plain/results.h5
    resumed plain
}

the_last_worker() {
    local search="$search --set run.coordinator_evaluates=no"
    start alone 2 --enable-recovery
    kill -KILL "${ranks[1]}"
    wait $job || [ $? -eq 75 ] || fail "exit code $?" # Open MPI 5 passes it on
    says alone/exit_code 75
    says alone.out "no worker is left: 1 was lost"
    check alone/results.h5 --state interrupted
}

# -- with work in hand -------------------------------------------------------------------------------------------------

# A row that was committed but not reported is not evaluated again.
unreported_row() {
    expect 0 mpirun --enable-recovery $(dies 2 row 20) -n 4 archai-run "$ini" --output unreported $search
    complete unreported
    grep 'rank 2 .*was lost.*; 1 unreported row was found' unreported/run.log
    committed unreported $rows
}

# A generational search proposes the same candidates, whichever rank is lost.
generation() {
    local again="--progress none $signs --set search.algorithm=evolution_pareto --set search.schedule=generational \
        --set search.num_iters=3 --set search.init_num_models=40 --set search.max_unseen_population=40 \
        --set search.num_random_mix=20 --set evaluator.delay=10ms"
    expect 0 mpirun -n 3 archai-run "$ini" --output whole $again
    expect 0 mpirun --enable-recovery $(dies 2 row 10) -n 4 archai-run "$ini" --output thinned $again
    grep 'rank 2 .*was lost.*; 1 unreported row was found' thinned/run.log
    "$PYTHON" - <<'END'
import h5py
def rows(name):
    with h5py.File(name + "/results.h5") as f:
        return sorted(zip(*(f[c][()].tolist() for c in ("candidates/id", "candidates/archid", "candidates/generation", "objectives/macs"))))
whole, thinned = rows("whole"), rows("thinned")
assert whole == thinned and len(whole) > 80, (len(whole), len(thinned))
print(len(whole), "rows the same")
END
}

# A candidate that kills every rank that evaluates it goes to another one twice, and no more.
deadly_candidate() {
    cat >as-rank <<'END'
#!/bin/sh
export RANK_PID=$$
exec "$@"
END
    cat >evaluator.sh <<'END'
#!/bin/sh
read request
echo $ARCHAI_SEED >>seeds
if [ "$(wc -l <seeds)" -gt 15 ] && mkdir chosen 2>/dev/null; then echo $ARCHAI_SEED >chosen/seed; fi
[ "$ARCHAI_SEED" = "$(cat chosen/seed 2>/dev/null)" ] && { kill -KILL $RANK_PID; sleep 10; }
sleep 0.05
echo '{"quality": '$((ARCHAI_SEED % 1000))'}'
END
    chmod +x as-rank evaluator.sh
    expect 0 mpirun --enable-recovery -n 5 ./as-rank archai-run "$ARCHAI_SOURCE/tests/support/command.ini" --output killer --progress none $signs \
        --set search.max_evaluations=60 --set run.coordinator_evaluates=no --set objective.params.direction=minimize
    says killer/exit_code 0
    [ "$(grep -c 'was lost: no sign' killer/run.log)" -eq 3 ] || { cat killer/run.log >&2; fail "three ranks should be lost"; }
    check killer/results.h5 --rows 60 --state complete
    committed killer 60
    grep 'failed: lost with the rank that evaluated it, 3 times' killer/run.log
    id=$(sed -n 's/.*candidate \([0-9]*\) (.*) failed: lost with the rank.*/\1/p' killer/run.log)
    [ "$(grep -c "was lost: .*candidates\{0,1\} $id[ ,].*another worker" killer/run.log)" -eq 2 ] || fail "the third time it goes to nobody"
    "$PYTHON" - <<'END'
import h5py
with h5py.File("killer/results.h5") as f:
    status = list(f["candidates/status"].asstr())
    assert status.count("failed") == 1 and status.count("ok") == 59, status
    at = status.index("failed")
    assert f["objectives/params"][at] > 0, "what is known without an evaluation"
END
}

# -- in other phases ---------------------------------------------------------------------------------------------------

# doomed DIRECTORY RANK AT NTH: one run in which that rank dies at that point
doomed() { mpirun --enable-recovery $(dies $2 $3 $4) -n 4 archai-run "$ini" --output "$1" $search >"$1.out" 2>"$1.err" || true; }

setting_up() { # set_up-K-RANK: before the K-th agreement; the directory is made before the last of them
    local dir=set_up-$1-$2
    doomed $dir $2 MPI_Iallreduce $1
    says $dir.err "archai-run: while the run was being set up: rank $2 was lost: no sign of life for 2."
    within 30 none_left $dir
    [ ! -e $dir/exit_code ] || fail "$dir: exit_code: $(cat $dir/exit_code)"
    resumed $dir
}

before_its_first_word() {
    doomed silent 2 MPI_Isend 1
    lost_rank silent 2 || fail "silent: $(cat silent/run.log)"
    complete silent
}

draining() {
    mpirun --enable-recovery -n 4 archai-run "$ini" --output drain $search --set evaluator.delay=5s --set run.grace=20s >drain.out 2>drain.err &
    local job=$!
    within 60 grep -qs 'rank 3: evaluates' drain/run.log
    sleep 0.3 # all have a candidate
    kill -USR1 $job
    within 20 grep -q 'stopped by' drain/run.log
    ranks_of $job 4
    kill -KILL "${ranks[2]}"
    wait $job || true
    grep -q 'rank 2 .*was lost.*goes back to the search' drain/run.log || fail "drain: $(cat drain/run.log)"
    says drain/exit_code 75
    check drain/results.h5 --state interrupted
    resumed drain
}

while_indexing() {
    mpirun --enable-recovery -n 4 archai-run "$ini" --output index $search >index.out 2>index.err &
    local job=$! keeper guard indexer=
    within 60 grep -qs 'rank 3: evaluates' index/run.log
    ranks_of $job 4
    for keeper in $(pgrep -P ${ranks[0]}); do
        for guard in $(pgrep -P $keeper); do
            indexer=$(pgrep -P $guard -x archai-indexer) && break 2
        done
    done
    kill -STOP $indexer # its last work has to wait
    within 60 grep -q 'complete: 200 evaluations' index/run.log
    sleep 0.3
    kill -KILL "${ranks[2]}"
    within 30 lost_rank index 2
    kill -CONT $indexer
    wait $job || true
    complete index
    within 30 none_left index
}

# A stopped rank that was taken for lost finishes its candidate while another rank evaluates it; then that one is lost.
overtaken() {
    mpirun --enable-recovery -n 3 archai-run "$ini" --output late_answer $search --set run.coordinator_evaluates=no \
        --set evaluator.delay=5s >late_answer.out 2>late_answer.err &
    local job=$!
    within 60 grep -qs 'rank 2: evaluates' late_answer/run.log
    ranks_of $job 3
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
    says late_answer.out "no worker is left: 1 was lost"
    resumed late_answer
}

after_the_last_word() {
    doomed late 2 MPI_Ibarrier 1
    complete late
    within 30 none_left late
}

other_phases() { # all at the same time, each in its own run
    local stories=("setting_up 2 2" "setting_up 4 2" "setting_up 3 0" before_its_first_word draining while_indexing overtaken after_the_last_word)
    local pids=() bad= i
    for i in "${!stories[@]}"; do
        ${stories[i]} &
        pids+=($!)
    done
    for i in "${!stories[@]}"; do
        wait ${pids[i]} || bad="$bad, ${stories[i]}"
    done
    [ -z "$bad" ] || fail "these went wrong$bad"
}

# -- reported by MPI ---------------------------------------------------------------------------------------------------

# A loss is noticed at once. The heartbeats, ten minutes here, would be too slow.
reported_by_mpi() {
    reported() { [ "$(grep -c 'was lost: MPI reports its death' six/run.log)" -ge "$1" ]; }
    start six 6 --with-ft ulfm
    kill -KILL "${ranks[2]}"
    within 60 reported 1
    kill -KILL "${ranks[4]}"
    within 60 reported 2
    wait $job || fail "exit code $?: $(cat six.err)"
    complete six
    within 30 none_left six
    grep 'was lost' six/run.log

    headless "MPI reports its death" 6 --with-ft ulfm

    mpirun --with-ft ulfm $(dies 2 MPI_Iallreduce 3) -n 4 archai-run "$ini" --output set_up $search >set_up.out 2>set_up.err || true
    within 30 none_left set_up
    says set_up.err "archai-run: while the run was being set up: "
    resumed set_up
}

case $2 in
heartbeats)
    signs="--set run.lost_after=2s --set run.heartbeat=200ms"
    budget 600 40ms
    one_of_eight_then_another
    stopped_and_back
    without_enable_recovery
    headless "no sign of life" 4 --enable-recovery
    the_last_worker
    budget 300 20ms
    unreported_row
    generation
    deadly_candidate
    budget 200 20ms
    other_phases
    ;;
ulfm)
    ompi_info 2>/dev/null | grep -q 'FT MPI support: yes' || skip "this MPI has no ULFM (Open MPI 5 has); a loss is noticed by heartbeats"
    signs="--set run.lost_after=600s --set run.heartbeat=60s"
    budget 400 40ms
    reported_by_mpi
    ;;
*) fail "heartbeats or ulfm?" ;;
esac
