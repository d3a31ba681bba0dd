#!/usr/bin/python3
"""The pages say what is so: the files, links and functions that they name exist, the configuration shown in README.md is the
file's, and the table of keys is the program's own.

usage: check_readme.py SOURCE_DIRECTORY ARCHAI_RUN [--update]      --update writes the table of keys into configs/KEYS.md
"""
import pathlib
import re
import subprocess
import sys

FOLDERS = ("core", "io", "shim", "runner", "configs", "tests", "slurm", "cmake")
SUFFIXES = "c|h|cpp|hpp|py|sh|md|ini|json|yaml|txt|csv|cmake|sbatch"
MADE_BY_RUNS = {"config.ini", "reconciled.json", "running.json", "search.ini", "command.ini", "net.py", "net.yaml", "net.ini"}  # examples of names, not files of the source tree
KEYS = "configs/KEYS.md"
BEGIN, END = "<!-- keys -->\n", "<!-- /keys -->"


def pages(source):
    """Every Markdown file of the source tree, not of build folders or results."""
    listed = subprocess.run(["git", "-C", source, "ls-files", "-co", "--exclude-standard", "*.md"], capture_output=True, text=True)
    if listed.returncode == 0:
        return [source / name for name in listed.stdout.splitlines() if (source / name).exists()]
    return [source / "README.md", *(page for folder in FOLDERS for page in (source / folder).rglob("*.md"))]


def names_of(text):
    """(kind, name) of what a page names: relative links; in `code` paths from the top, files and functions.

    Names with a placeholder, such as unit_<module>.c, and what stands in blocks of commands is skipped.
    """
    text = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:|#", link):
            yield "link", link.split("#")[0]
    for code in re.findall(r"`([^`\n]+)`", text):
        for path in re.findall(r"(?<![\w/.<-])(?:\.\./)*(?:%s)/[\w./<>*-]*" % "|".join(FOLDERS), code):
            if not re.search(r"[<>*]", path):
                yield "path", path
        if re.fullmatch(r"[\w/]+\.(?:%s)" % SUFFIXES, code) and code not in MADE_BY_RUNS and code.split("/")[0] not in FOLDERS:
            yield "file", code
        if re.fullmatch(r"\w+(?:/\w+)*/", code):
            yield "path", code
        for function in re.findall(r"\barchai_[a-z0-9]+_[a-z0-9_]+\b(?!\.)", code):
            yield "name", function


def settings(text):
    """The keys and values of an INI text; comments as archai-run takes them."""
    lines = [re.sub(r"(^|\s)[;#].*", "", line).strip() for line in text.splitlines()]
    return [re.sub(r"\s*=\s*", " = ", line) for line in lines if line]


def main():
    source, program = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    keys = subprocess.run([program, "--help-config"], capture_output=True, text=True, check=True).stdout
    before, rest = (source / KEYS).read_text().split(BEGIN)
    table, after = rest.split(END)
    if "--update" in sys.argv:
        (source / KEYS).write_text(before + BEGIN + keys + END + after)
        return 0
    faults = []
    if table.strip() != keys.strip():
        faults.append(f"{KEYS}: the table is not what archai-run --help-config prints (check_readme.py --update)")
    shown = re.search(r"This is `(.+?)`.*?```ini\n(.*?)```", (source / "README.md").read_text(), re.S)
    if settings(shown.group(2)) != settings((source / shown.group(1)).read_text()):
        faults.append(f"README.md: the configuration shown is not {shown.group(1)}")
    files = [p for f in FOLDERS for p in (source / f).rglob("*")]
    code = "\n".join(p.read_text() for p in files if p.suffix in (".c", ".h", ".cpp", ".hpp", ".cmake"))
    code += (source / "tests/CMakeLists.txt").read_text()
    for page in pages(source):
        folder = page.parent
        for kind, name in dict.fromkeys(names_of(page.read_text())):
            if kind == "link":
                known = (folder / name).exists()
            elif kind == "path":
                known = (source / name).exists() or (folder / name).exists()
            elif kind == "file":  # beside the page or somewhere below it; or a system's header
                known = (source / name).exists() or f"<{name}>" in code or any(folder in p.parents and p.match(name) for p in files)
            else:
                known = re.search(r"\b%s\b" % name, code)
            if not known:
                faults.append(f"{page.relative_to(source)}: there is no {kind} {name}")
    print("\n".join(faults) if faults else "as it says")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
