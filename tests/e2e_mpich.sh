# MPICH in place of the MPI that everything else is built with: a search over four ranks with its exact budget, one that is stopped
# and goes on with another number of ranks, one that is killed, and one rank alone.
#
#   e2e_mpich.sh MPIEXEC FOLDER     FOLDER: archai-run built against MPICH; without arguments: there is none
. "$ARCHAI_SOURCE/tests/support/story.sh"
[ $# -eq 2 ] || skip "MPICH is not installed, or was not when CMake looked (Debian: mpich libmpich-dev)"
mkdir bin
ln -s "$ARCHAI_BIN"/archai-* bin/
ln -sf "$2/archai-run" bin/archai-run
PATH=$PWD/bin:$PATH
mpich() { "$mpiexec" "$@"; }
mpiexec=$1
ini=$ARCHAI_SOURCE/tests/support/null.ini

ldd bin/archai-run >libraries.txt
says libraries.txt libmpich
! grep -q 'libmpi\.so' libraries.txt || fail "Open MPI is linked, too"

expect 0 mpich -n 4 archai-run "$ini" --set search.max_evaluations=500
says out.txt "complete: 500 evaluations"
check out/results.h5 --rows 500 --state complete --weights none
archai-inspect out summary | grep -q '4 ranks' || fail "not four ranks: $(archai-inspect out summary)"

# stopped by a signal to rank 0, resumed by another number of ranks
slow="--set evaluator.delay=20ms --set search.max_evaluations=60 --progress none"
mpich -n 3 archai-run "$ini" --output four $slow >o.txt 2>e.txt &
job=$!
within 60 test -s four/results.h5
kill -TERM "$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' four/owner)"
rc=0
wait $job || rc=$?
within 60 finished four
says four/exit_code 75
expect 0 mpich -n 2 archai-run "$ini" --output four --resume $slow
check four/results.h5 --rows 60 --state complete

# killed, all at once
mpich -n 3 archai-run "$ini" --output killed $slow >o.txt 2>e.txt &
job=$!
within 60 test -s killed/results.h5
pkill -KILL -s 0 -f -- "--output killed " || true
wait $job || true
within 60 none_left killed
expect 0 mpich -n 3 archai-run "$ini" --output killed --resume $slow
check killed/results.h5 --rows 60 --state complete
committed killed 60

expect 0 archai-run "$ini" --output alone --set search.max_evaluations=50
check alone/results.h5 --rows 50 --state complete
