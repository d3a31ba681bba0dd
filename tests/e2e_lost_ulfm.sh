# An MPI that tells of dead ranks (Open MPI from 5 on, mpirun --with-ft ulfm): a loss is noticed at once. The heartbeats, at ten
# minutes here, could not have done it. Two ranks one after the other; rank 0; a rank in the set-up.
# e2e_lost_ulfm.sh DIE (the library of support/die.c)
. "$ARCHAI_SOURCE/tests/support/story.sh"
die=$1
ompi_info 2>/dev/null | grep -q 'FT MPI support: yes' || skip "this MPI has no ULFM (Open MPI has from 5 on); a loss is noticed by heartbeats"
ini=$ARCHAI_SOURCE/tests/support/null.ini
slow="--progress none --set run.lost_after=600s --set run.heartbeat=60s --set search.max_evaluations=400 --set evaluator.delay=40ms"
begun() { [ -e "$1/run.log" ] && [ "$(wc -l <"$1/run.log")" -gt 12 ]; }
lost() { [ "$(grep -c 'was lost: MPI reports its death' "$1/run.log")" -ge "$2" ]; }
start() {
    mpirun --with-ft ulfm -n 6 archai-run "$ini" --output "$1" $slow >"$1.out" 2>"$1.err" &
    job=$!
    within 60 begun "$1"
    ranks=($(pgrep -x archai-run -P $job | sort -n))
    [ ${#ranks[@]} -eq 6 ] || fail "ranks of $job: ${ranks[*]}"
}

start six
kill -KILL "${ranks[2]}"
within 60 lost six 1
kill -KILL "${ranks[4]}"
within 60 lost six 2
wait $job || fail "exit code $?: $(cat six.err)"
says six/exit_code 0
check six/results.h5 --rows 400 --state complete
within 30 none_left six
grep 'was lost' six/run.log

start headless
kill -KILL "${ranks[0]}"
wait $job || true
says headless.err "since rank 0 was lost: MPI reports its death"
within 30 none_left headless
[ ! -e headless/exit_code ] || fail "exit_code without a rank 0"
expect 0 mpirun -n 3 archai-run "$ini" --output headless --resume $slow --set evaluator.delay=1ms
check headless/results.h5 --rows 400 --state complete

mpirun --with-ft ulfm -x LD_PRELOAD="$die" -x ARCHAI_DIE_RANK=2 -x ARCHAI_DIE_AT=MPI_Iallreduce -x ARCHAI_DIE_NTH=3 -n 4 archai-run \
    "$ini" --output set_up $slow >set_up.out 2>set_up.err || true
within 30 none_left set_up
says set_up.err "archai-run: while the run was being set up: "
expect 0 mpirun -n 3 archai-run "$ini" --output set_up --resume $slow --set evaluator.delay=1ms
check set_up/results.h5 --rows 400 --state complete
