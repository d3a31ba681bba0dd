# Every example configuration is accepted as it stands, and so is the text that --dry-run resolves it to.
. "$ARCHAI_SOURCE/tests/support/story.sh"

# The examples name real data as seen from the top of the source tree.
tmp=$PWD
cd "$ARCHAI_SOURCE"
tried=0
for ini in configs/*.ini configs/examples/*.ini configs/spaces/*.ini; do
    data=$(grep -oE '\.\./shared/data/[^ ]+' "$ini" | head -n 1 || true)
    if [ -n "$data" ] && [ ! -e "$data" ]; then
        echo "$ini: not tried, there is no $data"
        continue
    fi
    rc=0
    archai-run "$ini" --dry-run --output "$tmp/results" >"$tmp/once.ini" 2>"$tmp/err.txt" || rc=$?
    [ $rc -eq 0 ] || fail "$ini: exit code $rc: $(cat "$tmp/err.txt")"
    archai-run "$tmp/once.ini" --dry-run >"$tmp/twice.ini"
    cmp "$tmp/once.ini" "$tmp/twice.ini" || fail "$ini: its resolved text resolves to another"
    [ ! -e "$tmp/results" ] || fail "$ini: --dry-run made a results directory"
    tried=$((tried + 1))
done
[ $tried -gt 0 ] || fail "no configuration was tried"
echo "$tried configurations"
