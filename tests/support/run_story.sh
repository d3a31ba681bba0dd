#!/usr/bin/env bash
# Run one end-to-end story in a fresh directory: run_story.sh SCRIPT [ARGUMENT...]
#
# The story starts in $ARCHAI_TMP, empty; $ARCHAI_BIN holds the programs, $ARCHAI_SOURCE the project, $ARCHAI_DATA real
# data sets where there are any (else the story exits 77: skipped). mpirun may be called plainly: oversubscription and
# binding are set here. What a story leaves is removed when it passes and kept for a look when it fails.
set -u
: "${ARCHAI_BIN:?directory of the programs}" "${ARCHAI_SOURCE:?source directory}" "${ARCHAI_TMP:?scratch directory}"
export ARCHAI_BIN ARCHAI_SOURCE ARCHAI_TMP
export ARCHAI_DATA=${ARCHAI_DATA:-$ARCHAI_SOURCE/../shared/data}
export PATH=$ARCHAI_BIN:$PATH
export PYTHON=${PYTHON:-/usr/bin/python3} PYTHONPATH=$ARCHAI_SOURCE/tests/support PYTHONDONTWRITEBYTECODE=1
# Open MPI 4 and 5 read different names.
export OMPI_MCA_rmaps_base_oversubscribe=true OMPI_MCA_hwloc_base_binding_policy=none
export PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe PRTE_MCA_hwloc_default_binding_policy=none
export HDF5_USE_FILE_LOCKING=FALSE

rm -rf "$ARCHAI_TMP" && mkdir -p "$ARCHAI_TMP" && cd "$ARCHAI_TMP" || exit 1
script=$1
shift
case $script in
*.py) "$PYTHON" "$script" "$@" ;;
*) bash "$script" "$@" ;;
esac </dev/null
rc=$?
if [ $rc -eq 0 ] || [ $rc -eq 77 ]; then
    cd / && rm -rf "$ARCHAI_TMP"
else
    echo "story: exit code $rc; what it left is in $ARCHAI_TMP"
fi
exit $rc
