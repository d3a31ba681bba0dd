# A search over a plug-in's space with a plug-in's measure, in child processes; then a plug-in built for another version.
. "$ARCHAI_SOURCE/tests/support/story.sh"
plugins=$(dirname "$ARCHAI_BIN")/tests
cat >stack.ini <<INI
[search]
algorithm = evolution_pareto
max_evaluations = 60
[space]
name = plugin
plugin = $plugins/plugin_stack.so
max_layers = 4
widths = 8 16 32
[objective.balance]
direction = maximize
[objective.params]
direction = minimize
[evaluator]
kind = plugin
plugin = $plugins/plugin_stack.so
[output]
directory = out
INI
expect 0 mpirun -n 3 archai-run stack.ini
check out/results.h5 --rows 60 --state complete
"$PYTHON" - <<'PY'
import h5py
f = h5py.File("out/results.h5")
archids = f["candidates/archid"].asstr()[()]
for archid, balance, status in zip(archids, f["objectives/balance"][()], f["candidates/status"].asstr()[()]):
    widths = [int(w) for w in archid.split("-")]
    assert status == "ok" and abs(balance - min(widths) / max(widths)) < 1e-12, (archid, balance, status)
assert f.attrs["space"] == "stack"
PY
# the resolved configuration loads as it is
expect 0 archai-run out/config.ini --dry-run --output elsewhere
expect 2 archai-run stack.ini --output old --set evaluator.plugin="$plugins/plugin_old.so"
expect 2 archai-run stack.ini --output none --set space.plugin=nowhere.so
