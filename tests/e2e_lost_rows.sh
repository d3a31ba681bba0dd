# What a lost rank had in hand: a row that it committed and did not report is not evaluated again; a candidate that takes its
# rank along goes to others, but not for ever. e2e_lost_rows.sh DIE (the library of support/die.c)
. "$ARCHAI_SOURCE/tests/support/story.sh"
fast="--progress none --set run.lost_after=2s --set run.heartbeat=200ms"

expect 0 mpirun --enable-recovery -x LD_PRELOAD="$1" -x ARCHAI_DIE_RANK=2 -x ARCHAI_DIE_AT=row -x ARCHAI_DIE_NTH=20 -n 4 archai-run \
    "$ARCHAI_SOURCE/tests/support/null.ini" --output unreported $fast --set search.max_evaluations=300 --set evaluator.delay=20ms
says unreported/exit_code 0
check unreported/results.h5 --rows 300 --state complete
grep 'rank 2 .*was lost.*; 1 unreported row was found' unreported/run.log
committed unreported 300

# A generational search proposes the same, whoever is lost.
again="$fast --set search.algorithm=evolution_pareto --set search.schedule=generational --set search.num_iters=3 --set search.init_num_models=40 \
    --set search.max_unseen_population=40 --set search.num_random_mix=20 --set evaluator.delay=10ms"
expect 0 mpirun -n 3 archai-run "$ARCHAI_SOURCE/tests/support/null.ini" --output whole $again
expect 0 mpirun --enable-recovery -x LD_PRELOAD="$1" -x ARCHAI_DIE_RANK=2 -x ARCHAI_DIE_AT=row -x ARCHAI_DIE_NTH=10 -n 4 archai-run \
    "$ARCHAI_SOURCE/tests/support/null.ini" --output thinned $again
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

# A candidate kills whatever rank evaluates it.
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
expect 0 mpirun --enable-recovery -n 5 ./as-rank archai-run "$ARCHAI_SOURCE/tests/support/command.ini" --output killer $fast \
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
