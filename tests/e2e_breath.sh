# Rank 0 still reacts while its search looks for an architecture that does not exist: to signals to any rank, to max_time, and to what
# workers send, in both schedules. (One sample of segmentation_dag takes a million tries here, and a search takes many samples.)
. "$ARCHAI_SOURCE/tests/support/story.sh"

write() { # NAME SEARCH...
    name=$1
    shift
    {
        printf '[search]\n'
        printf '%s\n' "$@"
        cat <<INI
[space]
name = segmentation_dag
img_size = 64 64
nb_classes = 3
max_layers = 5
min_mac = 99999999999
[objective.params]
direction = minimize
[evaluator]
kind = null
[run]
grace = 1s
[output]
report = no
weights = none
INI
    } >"$name.ini"
}
write random "algorithm = random_search" "max_evaluations = 5"
write pareto "algorithm = evolution_pareto" "max_evaluations = 5"
write generations "algorithm = local_search" "schedule = generational"
write halving "algorithm = successive_halving" "schedule = generational"

# By itself it would end only after minutes, so a rank 0 that does not react is noticed.
for name in random pareto generations halving; do
    archai-run $name.ini --output $name --progress none >o.txt 2>e.txt &
    pid=$!
    within 60 grep -q "segmentation_dag" $name/run.log
    sleep 0.5
    kill -TERM $pid
    within 60 finished $name
    rc=0
    wait $pid || rc=$?
    [ $rc -eq 75 ] || fail "$name, SIGTERM: exit code $rc"
    says $name/run.log "stopped by SIGTERM"
    check $name/results.h5 --rows 0 --state interrupted
done

# A generational search that is resumed first proposes again what it had proposed. Here that is one generation of two given
# architectures, after which no more can be found.
gone() { ! kill -0 $1 2>/dev/null; }

write again "algorithm = evolution_pareto" "schedule = generational" "initial_population_paths = a.yaml b.yaml"
sed 's/^min_mac.*//; s/^initial_pop.*//' again.ini >free.ini
archai-space free.ini sample -n 2 >two.txt || fail "no samples"
"$PYTHON" - <<'PY'
import json

for name, line in zip("ab", open("two.txt")):
    json.dump(json.loads(line)["arch"], open(f"{name}.yaml", "w"))
PY
for resume in "" --resume; do
    archai-run again.ini --output again --progress none $resume >o.txt 2>e.txt &
    pid=$!
    sleep 3
    kill -TERM $pid
    within 60 gone $pid
    rc=0
    wait $pid || rc=$?
    [ $rc -eq 75 ] || fail "generations${resume:+, resumed}, SIGTERM: exit code $rc"
    check again/results.h5 --rows 2 --state interrupted
done

expect 75 archai-run pareto.ini --output time --progress none --set search.max_time=2s
says time/run.log "stopped by search.max_time"
check time/results.h5 --rows 0 --state interrupted

# Two given architectures are evaluated. The first result sets rank 0 searching, the second arrives meanwhile, followed by the
# signal to the rank that sent it. In the end both rows are there.
write given "algorithm = evolution_pareto" "max_evaluations = 9" "initial_population_paths = a.yaml b.yaml"
mpirun -n 3 archai-run given.ini --output given --progress none --set run.coordinator_evaluates=no \
    --set evaluator.delay=300ms >o.txt 2>e.txt &
pid=$!
within 60 grep -q "joined the front" given/run.log
sleep 1
other=1
grep -q "rank 1: candidate" given/run.log && other=2
kill -TERM $(pgrep -P $pid | sed -n $((other + 1))p)
within 60 finished given
rc=0
wait $pid || rc=$?
[ $rc -eq 75 ] || fail "SIGTERM to rank $other: exit code $rc"
says given/run.log "a signal to rank $other"
check given/results.h5 --rows 2 --state interrupted
