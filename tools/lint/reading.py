"""How much there is to read for a lab and for a first reading, against docs/size.md; how much there is to
write for a lab, and how long that takes, against README.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from grade.lab import Lab, load_all
from labs.stage import find_regions
from tools.lint.files import ABOUT, ROOT, Fault, code_lines, number, read, sizes_of_sources

MAX_LINES = 1_000
_MAP = re.compile(r"^## Map\n[^#]*?^```\n(.*?)^```", re.M | re.S)
_ENTRY = re.compile(r"^(\S+/\S+) +(\d+)(?: of (\d+))?(?:  |$)", re.M)
_BRACES = re.compile(r"^(.*)\{(.*)\}(.*)$")
_OPTIONAL = re.compile(r"^\| [^|]+ \| (`kernel/[^|]+`) \| ([\d,]+) \|$", re.M)
_FIRST = re.compile(r"A first reading of the kernel and one port is about ([\d,]+) lines")
_LAB = re.compile(r"^\| \[([\w-]+)\]\(\S+\) \| [^|]+ \| (\d+) \| (\d+)–(\d+) \|$", re.M)
_ROW = re.compile(r"^\| `([\w-]+)` \| ([\d,]+) \|", re.M)


@dataclass(frozen=True)
class Entry:
    """A file of a Map, how many of its lines are to be read, and how many it has."""

    path: str
    read: int
    whole: int


def expand(name: str) -> list[str]:
    """`a/{b,c}.c` is `a/b.c` and `a/c.c`."""
    if (m := _BRACES.match(name)) is None:
        return [name]
    return [f"{m[1]}{part}{m[3]}" for part in m[2].split(",")]


def files_of(handout: str) -> list[list[Entry]]:
    """The files that the Map of @handout asks to write, read or use; twins of both ports are one entry."""
    block = _MAP.search(handout)
    found: dict[str, list[Entry]] = {}
    for m in _ENTRY.finditer(block[1] if block else ""):
        entry = Entry(m[1], int(m[2]), int(m[3] or m[2]))
        found.setdefault(re.sub(r"^arch/\w+/", "arch/*/", entry.path), []).append(entry)
    return list(found.values())


def lines_of(handout: str) -> int:
    """The lines to read; of files that each port has, those of the longer one."""
    return sum(max(entry.read for entry in twins) for twins in files_of(handout))


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


def to_write(lab: Lab) -> int:
    """The lines of the reference's solutions; of files that each port has, those of the longer one."""
    twins: dict[str, int] = {}
    for path in lab.files:
        source = read(path)
        lines = source.split("\n")
        regions = find_regions(path, source)
        mine = sum(code_lines("\n".join(lines[r.first + 1 : r.last])) for r in regions)
        key = re.sub(r"^arch/\w+/", "arch/*/", path)
        twins[key] = max(mine, twins.get(key, 0))
    return sum(twins.values())


def table_of_labs() -> Iterator[Fault]:
    """README.md has each lab, with its lines and hours."""
    told = {m[1]: (int(m[2]), [int(m[3]), int(m[4])]) for m in _LAB.finditer(read("README.md"))}
    there = {lab.name: (to_write(lab), list(lab.hours)) for lab in load_all(ROOT)}
    for name in sorted(told.keys() | there.keys()):
        if told.get(name) != there.get(name):
            yield Fault("README.md", 1, f"{name}: {there.get(name)} lines and hours, not {told.get(name)}")


def reading() -> Iterator[Fault]:
    """Every lab's Map is short enough, names files of the length they have, and docs/size.md says the sum."""
    document = read("docs/size.md")
    told = {m[1]: number(m[2]) for m in _ROW.finditer(document)}
    for handout in sorted(ROOT.glob("labs/[0-9]*/README.md")):
        path = str(handout.relative_to(ROOT))
        lab = Path(path).parent.name
        entries = [entry for twins in files_of(read(path)) for entry in twins]
        if not entries:
            yield Fault(path, 1, "the Map names no file")
        for entry in entries:
            there = read(entry.path).count("\n") if (ROOT / entry.path).exists() else 0
            if abs(there - entry.whole) > there * ABOUT + 1:
                yield Fault(path, 1, f"the Map: {entry.path} has {there} lines, not {entry.whole}")
        lines = lines_of(read(path))
        if lines > MAX_LINES:
            yield Fault(path, 1, f"the Map has {lines} lines to read, over {MAX_LINES}")
        if abs(lines - told.get(lab, 0)) > lines * ABOUT:
            yield Fault("docs/size.md", 1, f"to read for {lab}: {lines} lines, not {told.get(lab)}")
    yield from table_of_labs()
    yield from first_reading()
