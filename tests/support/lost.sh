# Words for stories about lost ranks, on top of those of story.sh: . "$ARCHAI_SOURCE/tests/support/lost.sh"
. "$ARCHAI_SOURCE/tests/support/story.sh"
ini=$ARCHAI_SOURCE/tests/support/null.ini

# budget ROWS DELAY: what the following runs do. $signs, the options about heartbeats, must be set.
budget() {
    rows=$1
    search="--progress none $signs --set search.max_evaluations=$1 --set evaluator.delay=$2"
}

# ranks_of MPIRUN N: $ranks are its ranks on this host, in their order.
ranks_of() {
    ranks=($(pgrep -P "$1" -x archai-run | sort -n))
    [ ${#ranks[@]} -eq "$2" ] || fail "ranks of $1: ${ranks[*]}"
}

# lost DIRECTORY N: that many ranks were lost. lost_rank DIRECTORY RANK: this one was.
lost() { [ "$(grep -c 'was lost' "$1/run.log")" -ge "$2" ]; }
lost_rank() { grep -q "rank $2 .*was lost" "$1/run.log"; }
gone() { ! kill -0 "$1" 2>/dev/null; }

# complete DIRECTORY: the run ended well, with its exact budget.
complete() {
    says "$1/exit_code" 0
    check "$1/results.h5" --rows $rows --state complete
}

# resumed DIRECTORY: what is left of a run goes on to its end.
resumed() {
    mpirun -n 3 archai-run "$ini" --output "$1" --resume $search --set evaluator.delay=1ms >"$1.again" 2>&1 || fail "$1: $(cat "$1.again")"
    check "$1/results.h5" --rows $rows --state complete
}

# start DIRECTORY RANKS [OPTION OF MPIRUN...]: in the background, until candidates come back. $job is mpirun.
begun() { [ -e "$1/run.log" ] && [ "$(wc -l <"$1/run.log")" -gt 12 ]; } # every rank has said hello, candidates come back
start() {
    local dir=$1 n=$2
    shift 2
    mpirun "$@" -n "$n" archai-run "$ini" --output "$dir" --resume $search >"$dir.out" 2>"$dir.err" &
    job=$!
    within 60 begun "$dir"
    ranks_of $job "$n"
}

# dies RANK AT NTH: options of mpirun by which that rank dies at that point ($die is the library of support/die.c).
dies() { echo "-x LD_PRELOAD=$die -x ARCHAI_DIE_RANK=$1 -x ARCHAI_DIE_AT=$2 -x ARCHAI_DIE_NTH=$3"; }
