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
# So are those that the page for users of other programs shows, with the files that it shows beside them.
page=configs/COMING_FROM.md
mkdir "$tmp/page"
awk -v to="$tmp/page/" '/^```[a-z]/ { kind = substr($0, 4); n++; next }
     /^```/ { kind = ""; next }
     kind == "ini" { print >to n ".ini" }
     kind == "yaml" { print >to "tree.yaml" }
     kind == "python" { print >to "train.py" }' $page
sed -i "s,^tree = tree.yaml,tree = $tmp/page/tree.yaml,; s,python3 train.py,python3 $tmp/page/train.py," "$tmp"/page/*.ini
shown=0
for ini in "$tmp"/page/*.ini; do
    archai-run "$ini" --dry-run --output "$tmp/results" >/dev/null 2>"$tmp/err.txt" || fail "$page: $(cat "$ini" "$tmp/err.txt")"
    shown=$((shown + 1))
done
[ $shown -ge 4 ] || fail "$page shows $shown configurations"
ini=$(grep -l train.py "$tmp"/page/*.ini)
archai-run "$ini" --output "$tmp/shown" --set search.max_evaluations=3 >/dev/null
[ "$(archai-inspect "$tmp/shown" state)" = complete ] || fail "$page: the program in Python"

[ $tried -gt 0 ] || fail "no configuration was tried"
echo "$tried configurations"
