# A job that was given GPUs which libtorch cannot use says so and ends before anything starts. GPUs that merely exist are a loud
# line, and the CPU. Nobody has to have a GPU for this: the variables are ours, the driver's folder is a mount of our own. Where
# libtorch can use a GPU, there is nothing to see here (tests/gpu/).
. "$ARCHAI_SOURCE/tests/support/story.sh"
ini=$ARCHAI_SOURCE/tests/support/tiny.ini
for v in CUDA_VISIBLE_DEVICES GPU_DEVICE_ORDINAL SLURM_STEP_GPUS SLURM_JOB_GPUS SLURM_GPUS_ON_NODE PBS_GPUFILE SGE_HGR_gpu SGE_HGR_cuda; do
    unset "$v"
done
few=(--set search.max_evaluations=2 --set data.samples=60 --set train.epochs=1)
[ ! -e /proc/driver/nvidia/gpus ] || skip "this machine has a GPU"

given() { # given WORDS VARIABLE=VALUE...
    local words=$1
    shift
    expect 2 env "$@" archai-run "$ini"
    says err.txt "this job was given a GPU ($words"
    says err.txt "evaluator.device = cpu"
    [ "$(wc -l <err.txt)" -eq 1 ] || fail "more than one line about it"
    [ ! -e out ] || fail "a job that cannot use its GPU made a results directory"
}
given "CUDA_VISIBLE_DEVICES=0; this worker's: 0" CUDA_VISIBLE_DEVICES=0
given "CUDA_VISIBLE_DEVICES=GPU-5c8b,MIG-1; this worker's: GPU-5c8b" CUDA_VISIBLE_DEVICES=GPU-5c8b,MIG-1
given "SLURM_JOB_GPUS=0,1" SLURM_JOB_GPUS=0,1
expect 2 archai-run "$ini" --set evaluator.device=cuda
says err.txt "evaluator.device = cuda"
SLURM_STEP_GPUS=0 expect 2 archai-run "$ini" --dry-run
says err.txt "SLURM_STEP_GPUS=0"

# Some got one and others did not: the second worker has none.
expect 2 mpirun -n 1 env CUDA_VISIBLE_DEVICES=0 archai-run "$ini" : -n 1 archai-run "$ini"
says err.txt "1 of this job's workers were given a GPU, but a worker on"

# The CPU was chosen, or nothing was given.
CUDA_VISIBLE_DEVICES=0 expect 0 archai-run "$ini" --set evaluator.device=cpu --dry-run
CUDA_VISIBLE_DEVICES='' SLURM_JOB_GPUS=0 expect 0 archai-run "$ini" --dry-run
CUDA_VISIBLE_DEVICES=0 expect 0 archai-run "$ARCHAI_SOURCE/tests/support/null.ini" --dry-run # no libtorch in it

unshare -m true 2>/dev/null || { echo "no mount of our own: what merely exists was not looked at"; exit 0; }
cat >there.sh <<'END'
mount -t tmpfs none /proc/driver && mkdir -p /proc/driver/nvidia/gpus/0000:0{1,2}:00.0 && exec "$@"
END
expect 0 unshare -m bash there.sh archai-run "$ini" "${few[@]}"
says err.txt "ATTENTION: this machine has 2 NVIDIA GPUs, but training runs on the CPU"
says out/run.log "ATTENTION: this machine has 2 NVIDIA GPUs"
expect 0 archai-inspect out summary
says out.txt "ATTENTION: 2 evaluations ran beside GPUs that libtorch could not use: cpu, 1 thread; 2 NVIDIA GPUs not used"
