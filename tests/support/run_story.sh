#!/usr/bin/env bash
# Run one end-to-end story in a fresh directory: run_story.sh SCRIPT [ARGUMENT...]
#
# The story starts in $ARCHAI_TMP, which is empty. $ARCHAI_BIN holds the programs, $ARCHAI_SOURCE the project, $ARCHAI_DATA real
# data sets where there are any (without them the story exits with 77: skipped). A story calls mpirun plainly: oversubscription
# and binding are set here. Its files are removed when it passes, and kept when it fails.
#
# A story runs in a session of its own. When it is over, whatever it left in that session is ended: mpirun and its ranks
# above all, and with the ranks their children, which are in other sessions.
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
*.py) interpreter=$PYTHON ;;
*) interpreter=bash ;;
esac

# in_session COMMAND [OPTION...]: pgrep or pkill among the story's processes, zombies left out.
in_session() { "$@" -s "$session" -r D,R,S,T,t; }

# end_session: first politely, so that mpirun cleans up; what is still there after five seconds is killed.
end_session() {
    local i
    in_session pgrep >/dev/null || return 0
    echo "story: still running, ended now:"
    in_session pgrep -a
    in_session pkill -TERM
    for ((i = 0; i < 50; i++)); do
        in_session pgrep >/dev/null || return 0
        sleep 0.1
    done
    in_session pkill -KILL
}

# In the background, so that a signal to this script is heeded at once. bash has background commands ignore SIGINT; undo that.
env --default-signal=INT,QUIT setsid "$interpreter" "$script" "$@" </dev/null &
session=$!
trap 'end_session; exit 143' TERM INT HUP
wait "$session"
rc=$?
end_session
if [ $rc -eq 0 ] || [ $rc -eq 77 ]; then
    cd / && rm -rf "$ARCHAI_TMP"
else
    echo "story: exit code $rc; its files are in $ARCHAI_TMP"
fi
exit $rc
