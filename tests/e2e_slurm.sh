#!/usr/bin/env bash
# A real SLURM on this host: a job that hits its walltime is requeued and finishes with the exact budget; scancel ends
# everything and leaves results that can be resumed; a bad configuration fails once instead of coming back for ever.
set -u
. "$ARCHAI_SOURCE/tests/support/slurm.sh"
trap slurm_stop EXIT
slurm_start
fail() { echo "FAILED: $*"; tail -n 40 ./*.log 2>/dev/null; exit 1; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 ARCHAI_RUN=$ARCHAI_BIN/archai-run

cat >search.ini <<'INI'
[search]
algorithm = random_search
max_evaluations = 100
[space]
name = cnn
[objective.params]
direction = minimize
[objective.macs]
direction = minimize
[evaluator]
kind = null
delay = 1200ms
[output]
directory = out
INI

# 100 x 1.2 s on 2 slots take a minute, so with the signal 25 s before the end they never fit into one walltime. SLURM sends the
# signal up to a minute early, so the number of starts is not asserted, only that there were several and that nothing ran twice.
job=$(sbatch --parsable --ntasks-per-node=2 --time=1 --signal=B:USR1@25 --output="$PWD/archai-%j.log" \
    "$ARCHAI_SOURCE/slurm/archai-run.sbatch" search.ini) || fail "sbatch"
SLURM_WAIT_S=400 slurm_wait "$job" COMPLETED FAILED TIMEOUT CANCELLED || fail "the job did not end"
[ "$(slurm_state "$job")" = COMPLETED ] || fail "the job is $(slurm_state "$job")"
[ "$(cat out/exit_code)" = 0 ] || fail "exit_code is $(cat out/exit_code)"
"$PYTHON" - <<'PY' || fail "the union of the starts is not the budget"
import glob, h5py
f = h5py.File("out/results.h5")
ids = f["candidates/id"][()]
archids = [a for a in f["candidates/archid"].asstr()[()]]
starts = {p.split("-")[1] for p in glob.glob("out/segment-*.h5")}
print(f"{len(ids)} rows, {len(set(archids))} archids, {len(starts)} starts, state {f.attrs['state']}")
assert len(ids) == 100 and len(set(archids)) == 100 and len(set(ids.tolist())) == 100
assert len(starts) >= 2, "the walltime never struck"
assert f.attrs["state"] == "complete"
PY

# scancel reaches the shell and the ranks at once
job=$(sbatch --parsable --ntasks-per-node=2 --time=10 --output="$PWD/cancel-%j.log" \
    "$ARCHAI_SOURCE/slurm/archai-run.sbatch" search.ini --output cancelled) || fail "sbatch"
for ((i = 0; i < 200; i++)); do [ -f cancelled/results.h5 ] && break; sleep 0.2; done
sleep 3
scancel "$job"
SLURM_WAIT_S=60 slurm_wait "$job" CANCELLED || fail "scancel"
for ((i = 0; i < 100; i++)); do
    pgrep -f "$PWD/.*cancelled|--output cancelled" >/dev/null || break
    sleep 0.2
done
pgrep -fa -- "--output cancelled" && fail "processes outlived scancel"
"$PYTHON" -c "
import h5py
f = h5py.File('cancelled/results.h5')
n = len(f['candidates/id'])
print('after scancel:', n, 'rows,', f.attrs['state'])
assert 0 < n < 100" || fail "no readable results after scancel"

# bad input fails once
job=$(sbatch --parsable --ntasks-per-node=2 --time=10 --output="$PWD/bad-%j.log" \
    "$ARCHAI_SOURCE/slurm/archai-run.sbatch" search.ini --set search.algoritm=x --output bad) || fail "sbatch"
slurm_wait "$job" FAILED || fail "a bad configuration"
grep -q 'algoritm' bad-*.log || fail "the log does not name the key"

# the srun variant: SLURM starts the ranks through PMIx and signals them itself
if srun --mpi=list 2>&1 | grep -q pmix; then
    job=$(sbatch --parsable --ntasks-per-node=2 --time=10 --output="$PWD/srun-%j.log" \
        "$ARCHAI_SOURCE/slurm/archai-run-srun.sbatch" search.ini --output srun --set search.max_evaluations=10) || fail "sbatch"
    SLURM_WAIT_S=90 slurm_wait "$job" COMPLETED FAILED || fail "the srun job did not end"
    [ "$(cat srun/exit_code)" = 0 ] || fail "srun: exit_code $(cat srun/exit_code 2>&1)"
fi
echo "ok"
