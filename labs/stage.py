"""The staging tool: makes starter code from the reference source.

Solutions are marked in the source. A solution consists of whole statements inside one function:

    /* LAB 04-sleep: claim the waiter and wake its thread */
    ...
    /* END LAB */

In a starter lab_todo("04-sleep: claim the waiter and wake its thread"); replaces them (in assembly,
where markers may also begin with # or //, the macro LAB_TODO). A file holds the regions of at most
one lab, and lab.toml lists the file.

    python3 -m labs.stage starter --lab 04-sleep --out DIR      make starter LAB=04-sleep OUT=DIR
    python3 -m labs.stage check                                 are all markers in order?
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grade.errors import GraderError
from grade.lab import Lab, choose, load_all
from tools.options import Parser, counted, run_program

ROOT = Path(__file__).resolve().parent.parent

_SOURCES = (".c", ".h", ".S", ".s")
_MARKER = re.compile(
    r"""^(?P<indent>[ \t]*)(?P<open>/\*|//|\#)[ \t]*
        (?:(?P<end>END[ ]LAB)|LAB[ ](?P<lab>[0-9]{2}-[a-z0-9]+):[ ]*(?P<text>\S.*?))
        [ \t]*(?P<close>\*/)?[ \t]*$""",
    re.X,
)
_FUNCTION = re.compile(r"^(?:(?:FUNC|\.macro)[ \t]+(\w+)|[A-Za-z_][^;=(]*?(\w+)\()")
_LOOKS_LIKE_ONE = re.compile(r"^\s*(/\*|//|#)\s*(END\s+LAB|LAB)\b")
_NOT_SHIPPED = re.compile(
    r"^labs/[^/]+/(mutants|variants|solutions?)/|^labs/[^/]+/(tests|scenarios)/hidden_|^grade/hostile/"
    r"|^labs/mistakes/|^docs/models/|^labs/[^/]+/(equivalent\.toml|instructor\.md)$"
)
_NO_SOURCE = frozenset({".git", "build", "__pycache__", ".mypy_cache", "node_modules"})


class StageError(Exception):
    """Wrong markers; the text says what is wrong, and where."""


@dataclass(frozen=True)
class Region:
    """A solution. Lines are counted from 0; those of the markers are @first and @last."""

    lab: str
    text: str
    function: str
    indent: str
    first: int
    last: int


def find_regions(path: str, source: str) -> list[Region]:
    """The regions of one file, checked. Raises StageError at the first mistake."""
    lines = source.split("\n")
    regions: list[Region] = []
    opened: tuple[int, re.Match[str]] | None = None
    for i, line in enumerate(lines):
        found = _MARKER.match(line)
        if found is None:
            if _LOOKS_LIKE_ONE.match(line):
                raise StageError(f"{path}:{i + 1}: not a marker: write /* LAB NN-name: text */")
            continue
        if (found["open"] == "/*") != (found["close"] is not None):
            raise StageError(f"{path}:{i + 1}: the marker's comment does not end on its line")
        if found["end"] is None:
            if opened is not None:
                line_before = opened[0] + 1
                raise StageError(f"{path}:{i + 1}: region begins inside that of line {line_before}")
            opened = (i, found)
        elif opened is None:
            raise StageError(f"{path}:{i + 1}: END LAB without a region")
        else:
            first, start = opened
            function = _function_of(lines[:first])
            regions.append(Region(start["lab"], start["text"], function, start["indent"], first, i))
            opened = None
    if opened is not None:
        raise StageError(f"{path}:{opened[0] + 1}: region has no END LAB")
    _check_one_lab(path, regions)
    if not path.endswith((".S", ".s")):
        _check_inside_functions(path, lines, regions)
    return regions


def _function_of(before: Sequence[str]) -> str:
    """The function whose head is the last one of @before."""
    heads = (found for line in reversed(before) if (found := _FUNCTION.match(line)))
    found = next(heads, None)
    return "" if found is None else found[1] or found[2]


def _check_one_lab(path: str, regions: Sequence[Region]) -> None:
    for r in regions[1:]:
        if r.lab != regions[0].lab:
            other = regions[0].lab
            raise StageError(f"{path}:{r.first + 1}: {r.lab} in a file with regions of {other}")


_C_TOKENS = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' """, re.X | re.S
)


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found.group())


def _check_inside_functions(path: str, lines: Sequence[str], regions: Sequence[Region]) -> None:
    """Braces balance within each region, and the braces around it are those of a function."""
    code = _C_TOKENS.sub(_blank, "\n".join(lines)).split("\n")
    for r in regions:
        before = "\n".join(code[: r.first])
        if before.count("{") <= before.count("}") or not _in_function(before):
            raise StageError(f"{path}:{r.first + 1}: region is not inside a function")
        depth = 0
        for i in range(r.first, r.last):
            for c in code[i]:
                depth += (c == "{") - (c == "}")
                if depth < 0:
                    raise StageError(f"{path}:{i + 1}: region crosses the end of a block")
        if depth:
            raise StageError(f"{path}:{r.first + 1}: region opens a block that it does not close")


def _in_function(before: str) -> bool:
    """Whether the outermost open brace of @before follows a parameter list."""
    depth = 0
    for at in range(len(before) - 1, -1, -1):
        depth += (before[at] == "{") - (before[at] == "}")
        if before[at] == "{" and depth > 0 and _balanced(before[:at]):
            return before[:at].rstrip().endswith(")")
    return False


def _balanced(code: str) -> bool:
    return code.count("{") == code.count("}")


def strip(path: str, source: str, lab: str, kept: Container[str] = ()) -> str:
    """@source with the regions of @lab replaced by stubs that name themselves, except in functions @kept."""
    lines = source.split("\n")
    for r in reversed([r for r in find_regions(path, source) if r.lab == lab]):
        if r.function in kept:
            continue
        words = f"{r.lab}: {r.text}".replace("\\", "\\\\").replace('"', '\\"')
        assembly = path.endswith((".S", ".s"))
        stub = f'LAB_TODO("{words}")' if assembly else f'lab_todo("{words}");'
        lines[r.first : r.last + 1] = [r.indent + stub]
    return "\n".join(lines)


def tracked(root: Path) -> list[str]:
    """The tree's own files: those that git tracks, or before the first commit those it does not ignore."""
    choices: tuple[tuple[str, ...], ...] = ((), ("-co", "--exclude-standard"))
    for options in choices:
        done = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z", *options], capture_output=True, check=False
        )
        names = [n for n in os.fsdecode(done.stdout).split("\0") if n]
        names = [n for n in names if os.path.lexists(root / n)]
        if done.returncode == 0 and names:
            return sorted(names)
    return sorted(_walk(root))


def _walk(root: Path) -> Iterator[str]:
    """The tree's files if there is no git: everything that does not look generated."""
    for folder, folders, files in os.walk(root):
        folders[:] = [d for d in folders if d not in _NO_SOURCE]
        yield from (os.path.relpath(os.path.join(folder, f), root) for f in files)


def _regions_of_tree(root: Path, names: Sequence[str]) -> dict[str, list[Region]]:
    out = {}
    for name in names:
        if name.endswith(_SOURCES) and not name.startswith("labs/"):
            regions = find_regions(name, (root / name).read_text(encoding="utf-8"))
            if regions:
                out[name] = regions
    return out


def check_lab(lab: Lab, found: Mapping[str, Sequence[Region]]) -> None:
    """The regions of @lab lie in the files that its lab.toml lists, and each of these has one."""
    for path, regions in found.items():
        if regions[0].lab == lab.name and path not in lab.files:
            where = f"{path}:{regions[0].first + 1}"
            raise StageError(f"{where}: labs/{lab.name}/lab.toml does not list this file")
    for path in lab.files:
        if path not in found or found[path][0].lab != lab.name:
            raise StageError(f"labs/{lab.name}/lab.toml: {path} has no region of this lab")
    written = {r.function for path in lab.files for r in found[path]}
    planned = [f for functions in lab.steps.values() for f in functions]
    for function in sorted(written.symmetric_difference(planned)):
        raise StageError(f"labs/{lab.name}/lab.toml: steps: {function} is not written, or in no step")


def check(root: Path, labs: Sequence[Lab]) -> dict[str, list[Region]]:
    """Checks all markers of the tree against all labs. Returns the regions of each file."""
    found = _regions_of_tree(root, tracked(root))
    for path, regions in found.items():
        if regions[0].lab not in [lab.name for lab in labs]:
            where = f"{path}:{regions[0].first + 1}"
            raise StageError(f"{where}: region of {regions[0].lab}, which is not in labs/")
    for lab in labs:
        check_lab(lab, found)
    return found


def starter_files(root: Path, lab: Lab, steps: int = 0) -> dict[str, bytes]:
    """The editable files of @lab as students get them; the first @steps steps are solved."""
    done = {f for step, functions in lab.steps.items() if step <= steps for f in functions}
    out = {}
    for path in lab.files:
        source = (root / path).read_text(encoding="utf-8")
        out[path] = strip(path, source, lab.name, done).encode()
    return out


def without_hidden(toml: str) -> str:
    """A lab.toml without its hidden tests, scenarios and seeds, and the wrong kernels by name."""
    parts = re.split(r"^(?=\[)", toml, flags=re.M)
    hidden = re.compile(r"^hidden\s*=\s*true\b", re.M)
    shown = (p for p in parts if not (p.startswith(("[[test]]", "[[scenario]]")) and hidden.search(p)))
    return re.sub(r"^hidden_seeds\s*=.*\n|^own_tests\s*=\s*\[[^]]*\]\n", "", "".join(shown), flags=re.M)


def starter(root: Path, lab: Lab, out: Path) -> int:
    """Writes the starter of @lab to @out, which must be empty or absent. Returns the number of stubs."""
    if out.exists() and not out.is_dir():
        raise StageError(f"{out}: is a file; a starter is written to a new directory")
    if out.exists() and any(out.iterdir()):
        raise StageError(f"{out}: not empty; a starter is written to a new directory")
    names = tracked(root)
    regions = _regions_of_tree(root, names)
    check_lab(lab, regions)
    stripped = starter_files(root, lab)
    for name in names:
        if _NOT_SHIPPED.search(name):
            continue
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target, follow_symlinks=False)
        if name in stripped:
            target.write_bytes(stripped[name])
        elif re.fullmatch(r"labs/[^/]+/lab\.toml", name):
            target.write_text(without_hidden(target.read_text(encoding="utf-8")), encoding="utf-8")
    (out / "lab.mk").write_text(
        "# This tree is the starter of a lab: stubs leave things unused, which is no error here.\n"
        f"STARTER := 1\nLAB ?= {lab.name}\n",
        encoding="utf-8",
    )
    return sum(len(r) for path, r in regions.items() if path in stripped)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(prog="labs.stage", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    make = commands.add_parser("starter", help="write a lab's starter code")
    make.add_argument("--lab", required=True)
    make.add_argument("--out", required=True, type=Path, metavar="DIR", help="new or empty")
    commands.add_parser("check", help="check every marker of the tree")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    try:
        if options.command == "check":
            found = check(ROOT, load_all(ROOT))
            print(f"{sum(map(len, found.values()))} regions in {len(found)} files are in order")
            return 0
        lab = choose(ROOT, [options.lab])[0]
        stubs = starter(ROOT, lab, options.out)
        print(f"{options.out}: starter of {lab.name}, {counted(stubs, 'function')} to write")
        return 0
    except (StageError, GraderError) as e:
        print(f"stage: {e}", file=sys.stderr)
    except OSError as e:
        print(f"stage: {e.filename}: {e.strerror}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    run_program("labs.stage", main)
