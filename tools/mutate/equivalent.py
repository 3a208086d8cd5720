"""labs/NN-name/equivalent.toml: mutants that behave as the kernel does, with the proof in one line.

    [[equivalent]]
    file = "kernel/thread/join.c"
    function = "await_left"
    operator = "swap"
    before = "t->left = true; | reap = t->detached;"    the lines that it removes, and those that it
    after = "reap = t->detached; | t->left = true;"     adds, as `make mutate` prints them
    reason = "both are under joiners.lock, and neither uses the other"

OF_NO_LAB, tools/mutate/equivalent.toml, has those of all files that belong to no lab.

`unfinished = true` at the top of a lab's file: not all mutants of the lab have been judged.

An entry holds no line number, so it survives changes elsewhere in the file. `nth = 2` names the second
of several mutants that are alike in all of these.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.mutate.errors import MutateError
from tools.mutate.mutants import Mutant

NAME = "equivalent.toml"
OF_NO_LAB = Path(__file__).parent / NAME
_TEXTS = ("file", "function", "operator", "before", "after", "reason")


@dataclass(frozen=True)
class Entry:
    file: str
    function: str
    operator: str
    before: str
    after: str
    reason: str
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.function}, {self.operator}: {self.before} -> {self.after}"


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MutateError(f"{path}: cannot be read: {error}") from error


def is_whole(path: Path) -> bool:
    """Whether @path has entries and says nothing of mutants that are not judged."""
    data = _parsed(path)
    return bool(data.get("equivalent")) and not data.get("unfinished", False)


def read(path: Path) -> list[Entry]:
    """The entries of @path; none if there is no such file."""
    found = []
    for number, given in enumerate(_parsed(path).get("equivalent", []), start=1):
        where = f"{path}: entry {number}"
        for key in _TEXTS:
            if not isinstance(given.get(key), str) or (key == "reason" and not given[key].strip()):
                raise MutateError(f"{where}: {key} must be given as a string")
        for key in given.keys() - {*_TEXTS, "nth"}:
            raise MutateError(f"{where}: {key} is not known; an entry has {', '.join(_TEXTS)}, nth")
        nth = given.get("nth", 1)
        if not isinstance(nth, int) or nth < 1:
            raise MutateError(f"{where}: nth must be a number, 1 or more")
        about = {key: given[key] for key in _TEXTS}
        found.append(Entry(**about, nth=nth))
    return found


def match(entries: Sequence[Entry], mutants: Sequence[Mutant]) -> tuple[dict[str, Entry], list[Entry]]:
    """The mutants, by id, that @entries name, and the entries that name none."""
    seen: Counter[tuple[str, ...]] = Counter()
    by_key: dict[tuple[str | int, ...], Mutant] = {}
    for m in mutants:
        key = (m.path, m.function, m.operator, m.removed, m.added)
        seen[key] += 1
        by_key[(*key, seen[key])] = m
    named: dict[str, Entry] = {}
    stale: list[Entry] = []
    for e in entries:
        found = by_key.get((e.file, e.function, e.operator, e.before, e.after, e.nth))
        if found is None:
            stale.append(e)
        else:
            named[found.id] = e
    return named, stale
