#!/usr/bin/env bash
# What the programs are linked with: check_programs.sh BIN_DIRECTORY
# A rank must not link libtorch (a crash in it would end the job), an evaluator neither MPI nor HDF5, a tool only HDF5 of
# the three. Only direct dependencies count, not what a library brings along.
set -u
bad=0

# without PROGRAM LIBRARY...
without() {
    local program=$1 library
    shift
    if [ ! -x "$bin/$program" ]; then
        echo "there is no $bin/$program"
        bad=1
    fi
    for library in "$@"; do
        if readelf -d "$bin/$program" | grep 'NEEDED' | grep -q "\[$library"; then
            echo "$program is linked with $library"
            bad=1
        fi
    done
}

bin=$1
without archai-run libtorch libc10
without archai-evaluator libmpi libhdf5
without archai-guard libmpi libhdf5 libtorch libc10
without archai-loader libmpi libtorch libc10
without archai-indexer libmpi libtorch libc10
without archai-space libmpi libtorch libc10
without archai-inspect libmpi libtorch libc10
[ $bad -eq 0 ] && echo "as it should be"
exit $bad
