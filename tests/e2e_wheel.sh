# libtorch from `pip install torch`: CMake finds it, the programs and the tests of the shim build against it, no path has to be
# set for them to run, and they compute what they compute with Debian's. Which wheel:
#
#   ARCHAI_WHEEL=PYTHON  a python3 that has torch from a wheel; default: the one on PATH
#   ARCHAI_WHEEL=fetch   pip downloads the newest (gigabytes, NVIDIA's libraries among them) into build-wheel/venv
#
# Without one the story is skipped. It builds in build-wheel/ of the source, so that another start has little to do; the first takes
# a quarter of an hour on two cores.
. "$ARCHAI_SOURCE/tests/support/story.sh"
build=$ARCHAI_SOURCE/build-wheel
python=${ARCHAI_WHEEL:-python3}
[ -n "${ARCHAI_WHEEL:-}" ] || [ ! -x "$build/venv/bin/python3" ] || python=$build/venv/bin/python3
if [ "$python" = fetch ]; then
    python=$build/venv/bin/python3
    [ -x "$python" ] || "$PYTHON" -m venv "$build/venv"
    "$python" -m pip install -q --disable-pip-version-check torch numpy
fi
python=$(command -v "$python") || fail "ARCHAI_WHEEL: no such program"
torch=$("$python" -c 'import importlib.util as u, os; s = u.find_spec("torch"); print(os.path.dirname(os.path.realpath(s.origin)) if s else "")')
[ -e "$torch/lib/libtorch_cpu.so" ] && [ -d "$torch/include" ] ||
    skip "$python has no torch from a wheel (ARCHAI_WHEEL=PYTHON names another, ARCHAI_WHEEL=fetch downloads one)"

unset LD_LIBRARY_PATH LIBRARY_PATH CPATH Torch_DIR CUDA_HOME CUDA_PATH
here=$PATH # without mpirun's wrapper
PATH=$(dirname "$python"):$PATH
generator=()
[ -e "$build/CMakeCache.txt" ] || { ! command -v ninja >/dev/null || generator=(-G Ninja); }
cmake -S "$ARCHAI_SOURCE" -B "$build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DARCHAI_WERROR=ON -DARCHAI_TESTS=ON \
    -DARCHAI_TORCH=pip -DARCHAI_PYTHON3="$python" >configure.txt 2>&1 || { cat configure.txt; fail "cmake"; }
says configure.txt "libtorch: the wheel in $torch"
shim_tests=(shim_augment shim_evaluator shim_kinds shim_model shim_random shim_recipe shim_spaces shim_surrogate shim_train shim_transformer)
cmake --build "$build" --parallel 2 --target programs "${shim_tests[@]}" >build.txt 2>&1 || { tail -n 50 build.txt; fail "it does not build"; }
PATH=$here

ldd "$build/bin/archai-evaluator" >libraries.txt
says libraries.txt "$torch/lib/libtorch_cpu.so"
! grep -E 'not found|libtorch.* => /usr' libraries.txt || fail "a library is missing, or another libtorch's"
ctest --test-dir "$build" -L shim --output-on-failure >ctest.txt 2>&1 || { tail -n 100 ctest.txt; fail "tests of the shim"; }

PATH=$build/bin:$PATH
export ARCHAI_BIN=$build/bin
expect 0 mpirun -n 2 "$build/bin/archai-run" "$ARCHAI_SOURCE/tests/support/tiny.ini"
check out/results.h5 --rows 10 --state complete
