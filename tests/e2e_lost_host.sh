# Two ranks are lost one after the other, then a whole host. The hosts are two network namespaces, each with a daemon of mpirun and
# four ranks: two ranks of the first are killed, then everything on the second dies and its link goes down. The search completes on what
# is left with its exact budget. mpirun does not end by itself then; it is ended as slurm/archai-run.sbatch does. Prints what it saw.
. "$ARCHAI_SOURCE/tests/support/lost.sh"
[ "$(id -u)" -eq 0 ] || skip "network namespaces need root"
for tool in ip unshare; do command -v $tool >/dev/null || skip "$tool is not installed"; done
a=archai-a-$$ b=archai-b-$$
job=
clean() {
    for p in $job $(ip netns pids $a 2>/dev/null) $(ip netns pids $b 2>/dev/null) $(cat agents 2>/dev/null); do
        kill -KILL "$p" 2>/dev/null || true
    done
    ip netns del $a 2>/dev/null || true
    ip netns del $b 2>/dev/null || true
}
trap clean EXIT
{ ip netns add $a && ip netns add $b &&
    ip link add va netns $a type veth peer name vb netns $b &&
    ip -n $a addr add 10.77.6.1/24 dev va && ip -n $b addr add 10.77.6.2/24 dev vb; } 2>err.txt || skip "no network namespaces: $(cat err.txt)"
for h in $a $b; do ip -n $h link set lo up; done
ip -n $a link set va up && ip -n $b link set vb up
ip netns exec $b unshare --uts --mount bash -c 'hostname hostb && mount -t tmpfs tmpfs /dev/shm' 2>err.txt || skip "no separate host: $(cat err.txt)"
# like ssh to a host that is gone, the agent does not end
cat >agent <<EOF
#!/bin/bash
shift
echo \$\$ >>$PWD/agents
ip netns exec $b unshare --uts --mount bash -c "hostname hostb; mount -t tmpfs tmpfs /dev/shm; \$*"
exec sleep 600
EOF
chmod +x agent
if ompi_info 2>/dev/null | grep -q 'FT MPI support: yes'; then # from 5 on; there --enable-recovery does not survive a lost connection
    how="--with-ft ulfm --map-by ppr:4:node --prtemca plm_ssh_agent $PWD/agent --prtemca prte_if_include 10.77.6.0/24 --mca btl self,sm,tcp"
    patience=5s # making connections takes it longer
else
    how="--enable-recovery --mca plm_rsh_agent $PWD/agent --mca oob_tcp_if_include 10.77.6.0/24 --mca btl self,vader,tcp"
    patience=2s
fi
ip netns exec $a mpirun $how --host 10.77.6.1:4,10.77.6.2:4 --mca btl_tcp_if_include 10.77.6.0/24 \
    -n 8 archai-run "$ini" --set evaluator.delay=40ms --set search.max_evaluations=800 \
    --set run.lost_after=$patience --set run.heartbeat=200ms --progress none >o.txt 2>e.txt &
job=$!
both() { [ -e out/run.log ] && [ "$(grep -c 'evaluates on' out/run.log 2>/dev/null)" -eq 8 ] && [ "$(wc -l <out/run.log)" -gt 20 ]; }
within 60 both
ranks_of $job 4
kill -KILL "${ranks[2]}"
within 60 lost out 1
kill -KILL "${ranks[3]}"
within 60 lost out 2
ip -n $a link set va down
kill -KILL $(ip netns pids $b)
within 120 test -e out/exit_code
[ "$(grep -c 'on hostb was lost' out/run.log)" -eq 4 ] || { cat out/run.log >&2; fail "four ranks should be lost"; }
says out/exit_code 0
check out/results.h5 --rows 800 --state complete
sed -n 's/.*rank 0: \(rank .* was lost.*\)/\1/p' out/run.log
[ "$(grep -c ' was lost' out/run.log)" -eq 6 ] || fail "six ranks should be lost"
committed out 800 # nothing was evaluated twice
"$PYTHON" - <<'END'
import collections
import h5py
with h5py.File("out/results.h5") as f:
    ids, ranks, status = (f["candidates"][c][()] for c in ("id", "rank", "status"))
assert sorted(ids) == list(range(800)) and set(status) == {b"ok"}
print(f"{len(ids)} rows; by rank", dict(sorted(collections.Counter(ranks.tolist()).items())))
END
