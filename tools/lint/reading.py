"""How much there is to read for a lab and for a first reading, against docs/size.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from tools.lint.files import ABOUT, ROOT, Fault, number, read, sizes_of_sources

MAX_LINES = 1_000
_MAP = re.compile(r"^## Map\n+```\n(.*?)^```", re.M | re.S)
_BRACES = re.compile(r"^(.*)\{(.*)\}(.*)$")
_OPTIONAL = re.compile(r"^\| [^|]+ \| (`kernel/[^|]+`) \| ([\d,]+) \|$", re.M)
_FIRST = re.compile(r"A first reading of the kernel and one port is about ([\d,]+) lines")
_ROW = re.compile(r"^\| `([\w-]+)` \| ([\d,]+) \|", re.M)


def expand(name: str) -> list[str]:
    """`a/{b,c}.c` is `a/b.c` and `a/c.c`."""
    if (m := _BRACES.match(name)) is None:
        return [name]
    return [f"{m[1]}{part}{m[3]}" for part in m[2].split(",")]


def files_of(handout: str) -> list[list[str]]:
    """The files that the Map of @handout asks to write, read or use; twins of both ports are one entry."""
    found: list[list[str]] = []
    block = _MAP.search(handout)
    for line in block[1].splitlines() if block else ():
        paths, task = _paths(line)
        if task.startswith("do not open"):
            continue
        twins = [path for path in paths if path.startswith("arch/")]
        found += [twins] if twins else [[path] for path in paths]
    return found


def _paths(line: str) -> tuple[list[str], str]:
    """The files at the beginning of a line of a Map, and what is said of them."""
    words = line.split()
    names: list[str] = []
    while words and "/" in words[0]:
        names += expand(words.pop(0).rstrip(","))
    return names, " ".join(words)


def lines_of(handout: str) -> int:
    """Lines that are not blank, comments too; of files that each port has, those of the longer one."""
    def count(path: str) -> int:
        return sum(1 for line in read(path).splitlines() if line.strip())

    return sum(max(count(path) for path in twins) for twins in files_of(handout))


def first_reading() -> Iterator[Fault]:
    """The files that docs/size.md says can be left out exist, have so many lines, and leave so many."""
    document = read("docs/size.md")
    lines = {p: n for p, n in sizes_of_sources().items() if p.startswith(("kernel/", "arch/riscv/"))}
    rest = sum(lines.values())
    for row in _OPTIONAL.finditer(document):
        patterns = [name for word in re.findall(r"`([^`]+)`", row[1]) for name in expand(word)]
        for pattern in patterns:
            if not any(fnmatch(path, pattern) for path in lines):
                yield Fault("docs/size.md", 1, f"no file is {pattern}")
        there = sum(n for path, n in lines.items() if any(fnmatch(path, p) for p in patterns))
        rest -= there
        if abs(there - number(row[2])) > there * ABOUT:
            yield Fault("docs/size.md", 1, f"{row[1]}: {there} lines, not {row[2]}")
    told = _FIRST.search(document)
    if told is None or abs(rest - number(told[1])) > rest * ABOUT:
        yield Fault("docs/size.md", 1, f"a first reading is {rest} lines: say so")


def reading() -> Iterator[Fault]:
    """Every lab's Map is short enough, names files that exist, and docs/size.md says how long it is."""
    document = read("docs/size.md")
    told = {m[1]: number(m[2]) for m in _ROW.finditer(document)}
    for handout in sorted(ROOT.glob("labs/[0-9]*/README.md")):
        path = str(handout.relative_to(ROOT))
        lab = Path(path).parent.name
        missing = [name for twins in files_of(read(path)) for name in twins if not (ROOT / name).exists()]
        if missing or not files_of(read(path)):
            yield Fault(path, 1, f"the Map names {', '.join(missing) or 'no file'}")
            continue
        lines = lines_of(read(path))
        if lines > MAX_LINES:
            yield Fault(path, 1, f"the Map's files have {lines} lines, over {MAX_LINES}")
        if abs(lines - told.get(lab, 0)) > lines * ABOUT:
            yield Fault("docs/size.md", 1, f"to read for {lab}: {lines} lines, not {told.get(lab)}")
    yield from first_reading()
