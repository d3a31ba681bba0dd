-- A module file for Lmod. Copy it to MODULEPATH/archai-run/VERSION.lua and set prefix to what --prefix was.
local prefix = "/opt/archai-run"

whatis("Neural architecture search for clusters")
-- The MPI that it was built with, under your site's name:
-- depends_on("openmpi")
prepend_path("PATH", pathJoin(prefix, "bin"))
prepend_path("MANPATH", pathJoin(prefix, "share/man"))
prepend_path("CPATH", pathJoin(prefix, "include/archai")) -- core/plugin.h
setenv("ARCHAI_EXAMPLES", pathJoin(prefix, "share/archai-run/configs"))
