# tests/support/slurm.sh - a real one-node SLURM for a story, in a directory of its own.
#
#   . slurm.sh
#   slurm_start        munged, slurmctld and slurmd below $PWD/slurm; skips (77) where they cannot run
#   slurm_stop         ends exactly what was started
#   slurm_wait JOB STATE... [within seconds: SLURM_WAIT_S]   waits until the job is in one of the states
#
# Needs root and Debian's slurmctld slurmd slurm-client munge slurm-wlm-basic-plugins. Without accounting, the state of a
# job is read with scontrol, which remembers finished jobs for MinJobAge.
slurm_pids=()

slurm_skip() { echo "skipped: $*"; exit 77; }

slurm_start() {
    [ "$(id -u)" -eq 0 ] || slurm_skip "SLURM's daemons need root"
    local tool
    for tool in slurmctld slurmd sbatch scontrol munged mungekey; do
        command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null ||
            slurm_skip "$tool is not installed (slurmctld slurmd slurm-client munge slurm-wlm-basic-plugins)"
    done
    export PATH=$PATH:/usr/sbin
    local dir=$PWD/slurm host port
    host=$(hostname -s)
    port=$((20000 + $$ % 10000 * 2)) # for this story alone: others may run at the same time
    mkdir -p "$dir/state" "$dir/spool" "$dir/munge"
    chmod 755 "$dir" "$dir/munge"
    dd if=/dev/urandom of="$dir/munge/key" bs=1024 count=1 status=none
    chmod 400 "$dir/munge/key"
    # munged wants every directory up to the root to be writable by nobody else: --force accepts a build directory
    munged --foreground --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" \
        --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" >"$dir/munge/out" 2>&1 &
    slurm_pids+=($!)
    cat >"$dir/slurm.conf" <<CONF
ClusterName=story
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/ctld.pid
SlurmdPidFile=$dir/d.pid
SlurmctldLogFile=$dir/ctld.log
SlurmdLogFile=$dir/d.log
SlurmctldPort=$port
SlurmdPort=$((port + 1))
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
JobRequeue=1
KillWait=5
MinJobAge=3600
OverTimeLimit=0
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 RealMemory=1000 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:8
CONF
    export SLURM_CONF=$dir/slurm.conf
    slurmctld -D >"$dir/ctld.out" 2>&1 &
    slurm_pids+=($!)
    slurmd -D >"$dir/d.out" 2>&1 &
    slurm_pids+=($!)
    local i
    for ((i = 0; i < 100; i++)); do
        if timeout 5 sinfo -h -o %T 2>/dev/null | grep -qE 'idle|mixed|allocated'; then
            return 0
        fi
        sleep 0.3
    done
    tail -n 20 "$dir"/*.log "$dir"/*.out "$dir/munge/log" >&2
    slurm_stop
    slurm_skip "SLURM's daemons did not come up here"
}

slurm_stop() {
    local i pid
    for ((i = ${#slurm_pids[@]} - 1; i >= 0; i--)); do
        pid=${slurm_pids[i]}
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    slurm_pids=()
}

slurm_state() { scontrol show job "$1" -o | grep -oP 'JobState=\K\S+'; }

slurm_wait() {
    local job=$1 state=
    shift
    local end=$((SECONDS + ${SLURM_WAIT_S:-120}))
    while [ $SECONDS -lt $end ]; do
        state=$(slurm_state "$job")
        case " $* " in *" $state "*) return 0 ;; esac
        sleep 0.3
    done
    echo "job $job is $state, expected one of: $*" >&2
    return 1
}
