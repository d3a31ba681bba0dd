#!/usr/bin/python3
"""The READMEs say what is so: files and functions that they name exist, the configuration shown is the file's, and the
table of keys the program's own.

usage: check_readme.py SOURCE_DIRECTORY ARCHAI_RUN [--update]      --update writes the table of keys into README.md
"""
import pathlib
import re
import subprocess
import sys

FOLDERS = ("core", "io", "shim", "runner", "configs", "tests", "slurm", "cmake")
BEGIN, END = "<!-- keys -->\n", "<!-- /keys -->"


def names_of(text):
    """Paths and functions in `code`; those with a placeholder such as unit_<module>.c are skipped."""
    for code in re.findall(r"`([^`\n]+)`", text):
        for path in re.findall(r"(?<![\w/.<-])(?:%s)/[\w./<>*-]*\w" % "|".join(FOLDERS), code):
            if not re.search(r"[<>*]", path):
                yield "file", path
        for function in re.findall(r"\barchai_[a-z0-9]+_[a-z0-9_]+\b(?!\.)", code):
            yield "name", function


def settings(text):
    """The keys and values of an INI text; comments as archai-run takes them."""
    lines = [re.sub(r"(^|\s)[;#].*", "", line).strip() for line in text.splitlines()]
    return [re.sub(r"\s*=\s*", " = ", line) for line in lines if line]


def main():
    source, program = pathlib.Path(sys.argv[1]), sys.argv[2]
    keys = subprocess.run([program, "--help-config"], capture_output=True, text=True, check=True).stdout
    readme = source / "README.md"
    before, rest = readme.read_text().split(BEGIN)
    table, after = rest.split(END)
    if "--update" in sys.argv:
        readme.write_text(before + BEGIN + keys + END + after)
        return 0
    faults = []
    if table.strip() != keys.strip():
        faults.append("README.md: the table of keys is not what archai-run --help-config prints (check_readme.py --update)")
    shown = re.search(r"This is `(.+?)`.*?```ini\n(.*?)```", readme.read_text(), re.S)
    if settings(shown.group(2)) != settings((source / shown.group(1)).read_text()):
        faults.append(f"README.md: the configuration shown is not {shown.group(1)}")
    code = "\n".join(p.read_text() for f in FOLDERS for p in (source / f).rglob("*") if p.suffix in (".c", ".h", ".cpp", ".hpp", ".cmake"))
    code += (source / "tests/CMakeLists.txt").read_text()
    for page in [readme, *source.glob("*/README.md"), *source.glob("*/*/README.md")]:
        if page.relative_to(source).parts[0].startswith("build"):
            continue
        for kind, name in names_of(page.read_text()):
            known = (source / name).exists() or (page.parent / name).exists() if kind == "file" else re.search(r"\b%s\b" % name, code)
            if not known:
                faults.append(f"{page.relative_to(source)}: there is no {kind} {name}")
    print("\n".join(faults) if faults else "as it says")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
