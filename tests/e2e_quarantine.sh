# A GPU that goes bad in the middle, and one that is bad from the start, with `retries`: it gets no more work, which is one line in
# run.log, and the search completes with its exact budget. If all of them fail, no one is blamed.
. "$ARCHAI_SOURCE/tests/support/story.sh"
failed() { grep -c 'failed: command exited with 3: no such device' "$1/run.log"; }

cat >as-rank <<'END'
#!/bin/sh
export WHO=$OMPI_COMM_WORLD_RANK # the launcher's own variables do not reach an evaluator
exec "$@"
END
cat >evaluator.sh <<'END'
#!/bin/sh
read request
n=$(cat count.$WHO 2>/dev/null || echo 0)
echo $((n + 1)) >count.$WHO
case " $BAD " in
*" $WHO "*) [ "$n" -lt "$GOOD" ] || { echo "no such device" >&2; exit 3; } ;;
esac
sleep 0.05
echo '{"quality": '$((ARCHAI_SEED % 1000))'}'
END
chmod +x as-rank evaluator.sh
run() {
    local dir=$1
    shift
    rm -f count.*
    expect 0 mpirun -n 4 ./as-rank archai-run "$ARCHAI_SOURCE/tests/support/command.ini" --progress none --output "$dir" \
        --set search.max_evaluations=120 "$@"
    check "$dir/results.h5" --rows 120 --state complete
}

export BAD="2" GOOD=10
run middle
[ "$(grep -c 'gets no more work' middle/run.log)" -eq 1 ] || fail "not one line: $(cat middle/run.log)"
grep 'rank 2 (cpu on .*) failed its last [0-9]* candidates within a second each' middle/run.log
[ "$(failed middle)" -lt 35 ] || fail "it failed $(failed middle) candidates"

export BAD="1" GOOD=0
run start --set evaluator.retries=2
grep 'rank 1 (cpu on .*) failed its last [0-9]* candidates within a second each' start/run.log
[ "$(failed start)" -lt 30 ] || fail "it failed $(failed start) candidates"

# a node: two ranks that say they are on a host of another name
if unshare --uts true 2>/dev/null; then
    cat >as-rank <<'END'
#!/bin/sh
export WHO=$OMPI_COMM_WORLD_RANK
case $WHO in
2 | 3) exec unshare --uts sh -c 'hostname badhost && exec "$@"' sh "$@" ;;
*) exec "$@" ;;
esac
END
    export BAD="2 3" GOOD=10
    run node
    # one line, unless the first was taken out before the second began to fail
    if [ "$(grep -c 'gets no more work' node/run.log)" -eq 1 ]; then
        grep 'badhost fails every candidate within a second while others do not' node/run.log
    else
        [ "$(grep -c 'rank [23] (cpu on badhost) failed its last .* gets no more work' node/run.log)" -eq 2 ] || fail "$(cat node/run.log)"
    fi
    [ "$(failed node)" -lt 35 ] || fail "it failed $(failed node) candidates"
fi

export BAD="0 1 2 3" GOOD=10
run all
! grep 'gets no more work' all/run.log || fail "somebody was blamed"
[ "$(failed all)" -eq 80 ] || fail "$(failed all) failures"
