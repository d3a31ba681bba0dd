# Words for stories in bash: . "$ARCHAI_SOURCE/tests/support/story.sh"
set -euo pipefail

fail() { echo "FAIL: $*" >&2; exit 1; }
skip() { echo "skipped: $*"; exit 77; }

# expect CODE COMMAND...: run it, with its output in out.txt and err.txt, and require this exit code.
expect() {
    local want=$1 rc=0
    shift
    "$@" >out.txt 2>err.txt || rc=$?
    if [ "$rc" -ne "$want" ]; then
        cat out.txt err.txt >&2
        fail "exit code $rc, expected $want: $*"
    fi
}

# says FILE TEXT: the file holds that text.
says() { grep -qF -- "$2" "$1" || { cat "$1" >&2; fail "$1 does not say: $2"; }; }

# check RESULTS.h5 [--rows N] [--state STATE]...: the file keeps its contract.
check() { "$PYTHON" "$ARCHAI_SOURCE/tests/support/check_results.py" "$@"; }

# committed DIRECTORY ROWS: that many rows are in the segments, each id once.
committed() {
    "$PYTHON" -c 'import sys; from segments import committed; n = len(committed(sys.argv[1])); assert n == int(sys.argv[2]), n' "$@"
}

# finished DIRECTORY: rank 0 has written exit_code. none_left DIRECTORY: no process of that run is left.
finished() { [ -e "$1/exit_code" ]; }
none_left() { ! pgrep -f -- "--output $1 " >/dev/null; }

# within SECONDS COMMAND...: wait for a condition. The bound only ends a hang; it measures nothing.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $deadline ] || fail "still not true: $*"
        sleep 0.1
    done
}
