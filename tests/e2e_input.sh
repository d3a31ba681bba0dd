# Bad input ends the program with exit code 2 before any work starts, with many ranks too. Good input can be looked at without
# running it.
. "$ARCHAI_SOURCE/tests/support/story.sh"
ini=$ARCHAI_SOURCE/tests/support/null.ini

sed 's/max_layers/max_layer/; s/direction = minimize/direction = down/' "$ini" >bad.ini
expect 2 mpirun -n 64 archai-run bad.ini
says err.txt "bad.ini:7: space.max_layer: unknown key; did you mean 'max_layers'?"
says err.txt "bad.ini:13: objective.params.direction"
expect 2 mpirun -n 4 archai-run nowhere.ini
says err.txt "nowhere.ini"
expect 2 archai-run "$ini" --frobnicate
says err.txt "--frobnicate"
expect 2 archai-run
expect 2 archai-run "$ini" --set search.algorithm=evolution_paretto
says err.txt "evolution_pareto"
expect 2 archai-run "$ini" --set evaluator.kind=table
says err.txt "evaluator.table"
expect 2 archai-run "$ini" --set evaluator.kind=table --set evaluator.table=nowhere.csv
says err.txt "nowhere.csv"
expect 2 archai-run "$ini" --set evaluator.kind=torch --set data.format=idx --set data.train_images=nowhere --set data.train_labels=nowhere
says err.txt "data.train_images"
expect 2 archai-run "$ini" --set evaluator.kind=torch --set data.masks=yes
says err.txt "classify pictures, but the data has a label for each pixel"
[ "$(wc -l <err.txt)" -eq 1 ] || fail "more than one line about one mistake"
expect 2 archai-run "$ini" --set evaluator.delay=soon
says err.txt "evaluator.delay"
expect 2 archai-run "$ini" --set evaluator.kind=torch --set search.algorithm=asha --set search.budget_multiplier=1.5
says err.txt "search.budget_multiplier: evaluator.kind = torch trains whole epochs, to which budgets 1.5 and 2.25 are the same"
[ ! -e out ] || fail "bad input made a results directory"

mkdir taken && echo mine >taken/file
expect 2 archai-run "$ini" --output taken
says err.txt "taken"
says taken/file mine
echo text >file
expect 2 archai-run "$ini" --output file

expect 0 archai-run "$ini" --dry-run
says out.txt "max_evaluations = 2000"
says err.txt "random_search on space cnn (2304 models)"
[ ! -e out ] || fail "a dry run made a results directory"
# What another kind would use may stand there, and is said not to be used.
expect 0 archai-run "$ini" --dry-run --set evaluator.table=table.csv --set data.file=x
says err.txt "evaluator.table: not used with kind = null, only with table"
says err.txt "data.file: not used with format = synthetic, only with cifar10, cifar100, hdf5, folder, numbers, tokens"
expect 2 archai-run "$ini" --dry-run --set data.samples=many --set data.format=hdf5 --set data.file=x
says err.txt "data.samples: 'many' is not a number"
expect 2 archai-run "$ini" --set evaluator.kind=torch --set evaluator.delay=1s
says err.txt "evaluator.delay: not a key of torch, only of table, null"
expect 0 archai-run --help
says out.txt "--resume"
for choice in search.algorithm space.name evaluator.kind data.format; do
    says out.txt "$choice, one of:"
done
expect 0 mpirun -n 2 archai-run --version
says out.txt "archai-run"
expect 0 archai-run --help-config
says out.txt '`search.max_evaluations`'
