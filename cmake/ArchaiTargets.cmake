# Flags that every target of the project shares, and the functions that declare programs and tests.
add_library(archai_flags INTERFACE)
target_include_directories(archai_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(archai_flags INTERFACE ARCHAI_VERSION="${PROJECT_VERSION}"
  $<$<COMPILE_LANGUAGE:C>:_GNU_SOURCE>)
target_compile_options(archai_flags INTERFACE -Wall -Wextra -Wshadow -fno-common
  $<$<COMPILE_LANGUAGE:C>:-Wvla -Wstrict-prototypes -Wmissing-prototypes -Wpedantic>
  $<$<BOOL:${ARCHAI_WERROR}>:-Werror>)
# Only what a program uses is linked: an evaluator then carries no HDF5, a tool no MPI.
target_link_options(archai_flags INTERFACE -Wl,--as-needed)
if(ARCHAI_SANITIZE)
  target_compile_options(archai_flags INTERFACE -fsanitize=${ARCHAI_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(archai_flags INTERFACE -fsanitize=${ARCHAI_SANITIZE})
endif()
if(ARCHAI_FUZZ)
  target_compile_options(archai_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# `programs`: everything in bin/, without the tests. `sanitized-tests`: the unit tests that need neither MPI nor
# libtorch, and where ARCHAI_SANITIZE is set the programs; ./bootstrap test builds them under AddressSanitizer and UBSan.
add_custom_target(programs)
add_custom_target(sanitized-tests)

# archai_add_program(name SOURCES main.c ... LIBS ...): bin/<name>
function(archai_add_program name)
  cmake_parse_arguments(P "" "" "LIBS;SOURCES" ${ARGN})
  add_executable(${name} ${P_SOURCES})
  target_link_libraries(${name} PRIVATE ${P_LIBS})
  set_target_properties(${name} PROPERTIES ENABLE_EXPORTS ON) # plug-ins call core's functions
  add_dependencies(programs ${name})
endfunction()

# Open MPI counts cores and binds ranks to them; tests share a few cores. Others know no such words.
execute_process(COMMAND ${MPIEXEC_EXECUTABLE} --version OUTPUT_VARIABLE version ERROR_QUIET)
if(version MATCHES "Open ?MPI|Open ?RTE|PRRTE|prte")
  set(ARCHAI_MPIEXEC_FLAGS --oversubscribe --bind-to none)
endif()
set(ARCHAI_MPI_ENVIRONMENT "OMP_NUM_THREADS=1" "OMPI_ALLOW_RUN_AS_ROOT=1" "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
  "PRTE_ALLOW_RUN_AS_ROOT=1" "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1")

# Under the sanitizers: what they report fails a test, unless only the leak check itself failed.
if(ARCHAI_SANITIZE MATCHES address)
  set(ARCHAI_RUN_SANITIZED /usr/bin/python3 -B ${PROJECT_SOURCE_DIR}/tests/support/run_sanitized.py)
endif()

# archai_add_test(unit_x LIBS archai_core [RANKS 1 2 4] [PROGRAMS archai-guard] [LABELS ...] [TIMEOUT 300])
# One cmocka program tests/<name>.c; with RANKS it runs under mpiexec once per count, as <name>.np<k>.
# PROGRAMS names programs of the project that the test starts. A test that starts archai-evaluator bears the label
# shim, as do those that link the shim: these are not run under the sanitizers.
function(archai_add_test name)
  cmake_parse_arguments(T "" "TIMEOUT" "LIBS;RANKS;PROGRAMS;LABELS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 300) # against hangs: a busy machine may be slow
  endif()
  add_executable(${name} ${CMAKE_CURRENT_SOURCE_DIR}/${name}.c)
  target_link_libraries(${name} PRIVATE ${T_LIBS} archai_test_support)
  target_compile_definitions(${name} PRIVATE ARCHAI_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data"
    ARCHAI_SOURCE_DIR="${PROJECT_SOURCE_DIR}" ARCHAI_BIN_DIR="${PROJECT_BINARY_DIR}/bin")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  if(T_PROGRAMS)
    add_dependencies(${name} ${T_PROGRAMS})
  endif()
  if(T_RANKS)
    target_link_libraries(${name} PRIVATE archai_mpi_test_support)
  else()
    if(NOT "archai_shim" IN_LIST T_LIBS AND NOT "shim" IN_LIST T_LABELS)
      list(APPEND T_LABELS sanitized)
      add_dependencies(sanitized-tests ${name})
    endif()
    add_test(NAME ${name} COMMAND ${ARCHAI_RUN_SANITIZED} $<TARGET_FILE:${name}>)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${T_TIMEOUT} LABELS "unit;${T_LABELS}" SKIP_RETURN_CODE 77
      ENVIRONMENT "OMP_NUM_THREADS=1")
  endif()
  foreach(np IN LISTS T_RANKS)
    set(t ${name}.np${np})
    add_test(NAME ${t} COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${np} ${ARCHAI_MPIEXEC_FLAGS}
      $<TARGET_FILE:${name}>)
    set_tests_properties(${t} PROPERTIES TIMEOUT ${T_TIMEOUT}
      LABELS "mpi;${T_LABELS}" SKIP_RETURN_CODE 77 RESOURCE_LOCK mpiexec
      ENVIRONMENT "${ARCHAI_MPI_ENVIRONMENT}")
  endforeach()
endfunction()

# archai_add_script_test(name script.sh|script.py [LABELS ...] [TIMEOUT 900] [ARGS ...])
# An end-to-end story; it gets ARCHAI_BIN, ARCHAI_SOURCE and a fresh ARCHAI_TMP, and skips with 77
# (tests/support/run_story.sh). Stories run one at a time: most have several ranks, and many watch the clock. With
# ctest -j the other tests run beside them.
function(archai_add_script_test name script)
  cmake_parse_arguments(T "" "TIMEOUT" "LABELS;ARGS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 900)
  endif()
  add_test(NAME ${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/support/run_story.sh
    ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${T_ARGS})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${T_TIMEOUT} LABELS "e2e;${T_LABELS}"
    SKIP_RETURN_CODE 77 RESOURCE_LOCK mpiexec
    ENVIRONMENT "ARCHAI_BIN=${PROJECT_BINARY_DIR}/bin;ARCHAI_SOURCE=${PROJECT_SOURCE_DIR};ARCHAI_TMP=${PROJECT_BINARY_DIR}/stories/${name};${ARCHAI_MPI_ENVIRONMENT}")
endfunction()

# archai_add_check(name COMMAND...): looks at the sources or at the programs, runs nothing of them.
function(archai_add_check name)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES TIMEOUT 60 LABELS check SKIP_RETURN_CODE 77)
endfunction()
