"""Applies unified diffs to files in memory. The context lines must match exactly.

A hunk may have moved by some lines, since the reference changes; it must not fit in two places.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")


class PatchError(Exception):
    """The patch does not fit, and where."""


@dataclass(frozen=True)
class Hunk:
    line: int  # where it was, counted from 0
    old: tuple[str, ...]
    new: tuple[str, ...]


def parse(text: str) -> dict[str, list[Hunk]]:
    """The hunks of each file, by its path in the tree."""
    files: dict[str, list[Hunk]] = {}
    lines = text.split("\n")
    current: list[Hunk] | None = None
    i = 0
    while i < len(lines):
        if lines[i].startswith("+++ "):
            path = lines[i][4:].split("\t")[0].removeprefix("b/")
            current = files.setdefault(path, [])
        elif found := _HUNK.match(lines[i]):
            if current is None:
                raise PatchError(f"line {i + 1}: a hunk before any +++ line")
            start = i + 1
            i = start
            while i < len(lines) and _in_hunk(lines, i):
                i += 1
            current.append(_hunk(int(found.group(1)) - 1, lines[start:i]))
            continue
        i += 1
    return files


def _in_hunk(lines: list[str], i: int) -> bool:
    header = lines[i].startswith("--- ") and "".join(lines[i + 1 : i + 2]).startswith("+++ ")
    return lines[i][:1] in (" ", "+", "-", "\\") and not header


def _hunk(line: int, body: list[str]) -> Hunk:
    old = tuple(b[1:] for b in body if b[0] in " -")
    new = tuple(b[1:] for b in body if b[0] in " +")
    return Hunk(line, old, new)


def apply(text: str, read: Callable[[str], str]) -> Mapping[str, str]:
    """The patched files of @text; @read gives the contents of a file of the tree."""
    out = {}
    for path, hunks in parse(text).items():
        lines = read(path).split("\n")
        shift = 0
        for hunk in hunks:
            at = _place(path, lines, hunk, hunk.line + shift)
            lines[at : at + len(hunk.old)] = hunk.new
            shift = at - hunk.line + len(hunk.new) - len(hunk.old)
        out[path] = "\n".join(lines)
    if not out:
        raise PatchError("changes nothing")
    return out


def _place(path: str, lines: list[str], hunk: Hunk, wanted: int) -> int:
    n = len(hunk.old)
    if tuple(lines[wanted : wanted + n]) == hunk.old:
        return wanted
    places = [i for i in range(len(lines) - n + 1) if tuple(lines[i : i + n]) == hunk.old]
    if len(places) != 1:
        how = "nowhere" if not places else "in more than one place"
        raise PatchError(f"{path}: the hunk of line {hunk.line + 1} fits {how}")
    return places[0]
