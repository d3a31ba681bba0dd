#!/usr/bin/python3
"""The dependency rule: core <- io, shim <- runner; core is plain C without MPI, HDF5, libtorch, clock or printing.
Inside core: base <- network, pareto, progress <- config <- measure <- search <- space, algorithm.

usage: check_dependencies.py SOURCE_DIRECTORY
"""
import pathlib
import re
import sys

FOLDERS = {"core": {"core"}, "io": {"core", "io"}, "shim": {"core", "io", "shim"}, "runner": {"core", "io", "shim", "runner"}}
# What a folder of core may include beside itself. Files of core itself (plug-ins, the registry) count as search.
LOW = {"base"}
MIDDLE = LOW | {"network", "config", "pareto", "progress"}
INSIDE_CORE = {"base": set(), "network": LOW, "config": LOW | {"progress"}, "pareto": LOW, "progress": LOW, "measure": MIDDLE, "search": MIDDLE | {"", "measure"},
               "": MIDDLE | {"search"}, "space": MIDDLE | {"search", ""}, "algorithm": MIDDLE | {"search", ""}}
# Foreign headers, each with the only folders that may include it.
FOREIGN = {
    r"mpi\.h|mpi-ext\.h": {"runner"},
    r"hdf5\.h|H5.*\.h|hdf5_hl\.h": {"io"},
    r"torch/.*|ATen/.*|c10/.*|caffe2/.*": {"shim"},
    r"msgpack.*": {"io"},
    r"zlib\.h": {"io", "core"},
}
# What the C library would let core do, but core must not.
CORE_CALLS = r"(?<![\w.>])(printf|puts|putchar|perror|time|clock|clock_gettime|gettimeofday|getenv|exit|abort)\s*\("
CORE_WORDS = r"\b(stdout|stderr)\b"


def without_comments(text):
    """Comments and string literals replaced by blanks of the same number of lines."""
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"'
    return re.sub(pattern, lambda m: "\n" * m.group().count("\n"), text, flags=re.S)


def part_of_core(path):
    parts = path.split("/")
    return parts[1] if len(parts) > 2 else ""


def faults_of(path, folder, text):
    for number, line in enumerate(text.splitlines(), 1):
        m = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if not m:
            continue
        quote, name = m.groups()
        top = name.split("/")[0]
        if quote == '"' and "/" in name and top not in FOLDERS[folder]:
            yield f"{path}:{number}: {folder}/ must not include {name}"
        if folder == "core" and quote == '"' and top == "core":
            here, there = part_of_core(str(path)), part_of_core(name)
            if there != here and there not in INSIDE_CORE.get(here, set()):
                yield f"{path}:{number}: core/{here} must not include {name}"
        for pattern, allowed in FOREIGN.items():
            if re.fullmatch(pattern, name) and folder not in allowed:
                yield f"{path}:{number}: {folder}/ must not include <{name}>"
    if folder == "core":
        for number, line in enumerate(without_comments(text).splitlines(), 1):
            for m in re.finditer(f"{CORE_CALLS}|{CORE_WORDS}", line):
                yield f"{path}:{number}: core/ must not use {m.group().rstrip('( ')}"


def main():
    source = pathlib.Path(sys.argv[1])
    faults, files = [], 0
    for folder in FOLDERS:
        for path in sorted((source / folder).rglob("*")):
            if path.suffix in (".c", ".h", ".cpp", ".hpp"):
                files += 1
                faults += faults_of(path.relative_to(source), folder, path.read_text())
                if path.suffix in (".cpp", ".hpp") and folder != "shim":
                    faults.append(f"{path.relative_to(source)}: C++ belongs into shim/")
    print("\n".join(faults) if faults else f"{files} files keep the rule")
    return 1 if faults or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
