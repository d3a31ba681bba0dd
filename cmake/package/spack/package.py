"""archai-run for Spack, from a checkout: put this folder into packages/archai-run of a repository of your own, then
`spack dev-build archai-run@main` in the checkout (or add a `git =` of yours below)."""
from spack.package import *


class ArchaiRun(CMakePackage):
    """Neural architecture search for clusters: MPI, libtorch, HDF5."""

    license("MIT")
    version("main", branch="main")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.22:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("hdf5")
    depends_on("jansson")
    depends_on("libyaml")
    depends_on("openssl")
    depends_on("zlib-api")
    depends_on("libjpeg-turbo")
    depends_on("libpng")
    depends_on("msgpack-c")
    depends_on("jemalloc")
    depends_on("openblas")
    depends_on("netlib-lapack+lapacke")
    depends_on("py-torch@1.13:", type=("build", "link", "run"))

    def cmake_args(self):
        torch = join_path(self.spec["py-torch"].prefix, python_platlib, "torch", "share", "cmake", "Torch")
        return [self.define("ARCHAI_TESTS", False), self.define("Torch_DIR", torch)]
