# Every library, by find_package or pkg-config; a missing one ends with the name of its package.
function(archai_need found what package)
  if(NOT ${found})
    message(FATAL_ERROR "${what} was not found. Debian: apt-get install ${package} (or ./bootstrap deps)")
  endif()
endfunction()

find_package(PkgConfig QUIET)
archai_need(PKG_CONFIG_FOUND "pkg-config" pkg-config)

# The C binding only: MPI's C++ headers are neither needed nor wanted.
set(MPI_CXX_SKIP_MPICXX ON)
find_package(MPI QUIET COMPONENTS C)
archai_need(MPI_C_FOUND "MPI (Open MPI)" "libopenmpi-dev openmpi-bin")

find_package(HDF5 QUIET COMPONENTS C)
archai_need(HDF5_FOUND "HDF5" libhdf5-dev)
add_library(archai_hdf5 INTERFACE)
target_include_directories(archai_hdf5 SYSTEM INTERFACE ${HDF5_INCLUDE_DIRS})
target_link_libraries(archai_hdf5 INTERFACE ${HDF5_C_LIBRARIES})
if(HDF5_IS_PARALLEL) # a parallel build's headers include mpi.h
  target_link_libraries(archai_hdf5 INTERFACE MPI::MPI_C)
endif()

pkg_check_modules(JANSSON QUIET IMPORTED_TARGET jansson)
archai_need(JANSSON_FOUND "jansson" libjansson-dev)
pkg_check_modules(YAML QUIET IMPORTED_TARGET yaml-0.1)
archai_need(YAML_FOUND "libyaml" libyaml-dev)
pkg_check_modules(CRYPTO QUIET IMPORTED_TARGET libcrypto)
archai_need(CRYPTO_FOUND "libcrypto (OpenSSL)" libssl-dev)

find_package(ZLIB QUIET)
archai_need(ZLIB_FOUND "zlib" zlib1g-dev)
find_package(JPEG QUIET)
archai_need(JPEG_FOUND "libjpeg (libjpeg-turbo)" libjpeg-dev)
find_package(PNG QUIET)
archai_need(PNG_FOUND "libpng" libpng-dev)
find_package(Threads QUIET)

# msgpack-c's C library is called msgpackc or msgpack-c, depending on the version.
find_path(MSGPACK_INCLUDE_DIR msgpack.h)
find_library(MSGPACK_LIBRARY NAMES msgpack-c msgpackc)
set(MSGPACK_FOUND OFF)
if(MSGPACK_INCLUDE_DIR AND MSGPACK_LIBRARY)
  set(MSGPACK_FOUND ON)
endif()
archai_need(MSGPACK_FOUND "msgpack-c" libmsgpack-dev)
add_library(archai_msgpack INTERFACE)
target_include_directories(archai_msgpack SYSTEM INTERFACE ${MSGPACK_INCLUDE_DIR})
target_link_libraries(archai_msgpack INTERFACE ${MSGPACK_LIBRARY})

# Optional. Rank 0 makes and frees some eighty small things for each candidate, between those that it keeps for good: with
# glibc's allocator half of its time goes into that and into the cache misses that follow (tests/bench/README.md). Sanitizers
# bring an allocator of their own.
find_library(JEMALLOC_LIBRARY NAMES jemalloc)
add_library(archai_allocator INTERFACE)
if(JEMALLOC_LIBRARY AND NOT ARCHAI_SANITIZE)
  target_link_libraries(archai_allocator INTERFACE -Wl,--no-as-needed ${JEMALLOC_LIBRARY} -Wl,--as-needed)
elseif(NOT JEMALLOC_LIBRARY)
  message(STATUS "jemalloc was not found (Debian: libjemalloc-dev): archai-run takes the C library's allocator, and rank 0 is slower")
endif()

# OpenBLAS must come before libtorch's own choice: with the reference BLAS linear layers crawl.
find_library(OPENBLAS_LIBRARY NAMES openblas)
archai_need(OPENBLAS_LIBRARY "OpenBLAS" libopenblas-dev)
find_path(LAPACKE_INCLUDE_DIR lapacke.h PATH_SUFFIXES lapacke openblas)
find_library(LAPACKE_LIBRARY NAMES lapacke)
set(LAPACKE_FOUND OFF)
if(LAPACKE_INCLUDE_DIR AND LAPACKE_LIBRARY)
  set(LAPACKE_FOUND ON)
endif()
archai_need(LAPACKE_FOUND "LAPACKE" liblapacke-dev)

include(ArchaiTorch)

if(ARCHAI_TESTS)
  archai_need(cmocka_FOUND "cmocka" libcmocka-dev)
endif()
