"""A course: which labs it has, and its rules. From a file such as

    title = "Operating systems, spring 2027"
    labs = ["02-threads", "04-sleep"]     in this order; absent: all that are there
    mode = "cumulative"                   or "independent": each lab begins with the solutions of those
                                          before it
    reference = ["02-threads"]            labs for which a student may take the course's object files later,
                                          instead of finishing them; true: each (if absent), false: none
    note = "Hand in by mail to …"         a paragraph for the repository's README

The tables [due] and [late] are for grading a class (trellis-grade class --help).
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grade.errors import GraderError
from grade.lab import Lab

MODES = ("cumulative", "independent")


@dataclass(frozen=True)
class Course:
    title: str
    labs: tuple[str, ...]
    mode: str
    reference: tuple[str, ...]
    note: str

    def up_to(self, last: str) -> Course:
        """The course without the labs behind @last, a name or its number. Raises GraderError."""
        for i, name in enumerate(self.labs):
            if last in (name, name.split("-")[0]):
                return replace(self, labs=self.labs[: i + 1])
        raise GraderError(f"UPTO={last}: the course has no such lab; it has {', '.join(self.labs)}")


def course(path: Path | None, labs: Sequence[Lab], mode: str | None) -> Course:
    """The course of the file @path, or of all @labs; @mode counts more than the file's.

    Raises GraderError.
    """
    data: dict[str, Any] = {}
    if path is not None:
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
            raise GraderError(f"{path}: cannot be read: {e}") from e
    where = str(path)
    # The times at which labs are due, and what being late costs, are for grading a class.
    unknown = data.keys() - {"title", "labs", "mode", "reference", "note", "due", "late"}
    if unknown:
        raise GraderError(f"{where}: {sorted(unknown)[0]} is not a key that is known here")
    there = [lab.name for lab in labs]
    names = _names(where, "labs", data.get("labs", there), there)
    if not names:
        raise GraderError(f"{where}: labs: a course has at least one lab")
    allowed = data.get("reference", True)
    if isinstance(allowed, bool):
        allowed = list(names) if allowed else []
    found = Course(
        title=_text(where, data, "title", "Operating systems"),
        labs=tuple(names),
        mode=mode or _text(where, data, "mode", MODES[0]),
        reference=tuple(_names(where, "reference", allowed, names)),
        note=_text(where, data, "note", ""),
    )
    if found.mode not in MODES:
        raise GraderError(f"mode {found.mode}: must be one of {', '.join(MODES)}")
    return found


def _text(where: str, data: dict[str, Any], key: str, default: str) -> str:
    value = data.get(key, default)
    if not isinstance(value, str):
        raise GraderError(f"{where}: {key} must be a string")
    return value


def _names(where: str, key: str, value: Any, known: Sequence[str]) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise GraderError(f"{where}: {key} must be a list of labs")
    for name in value:
        if name not in known:
            raise GraderError(f"{where}: {key}: no lab {name}; there are {', '.join(known)}")
    if len(set(value)) < len(value):
        raise GraderError(f"{where}: {key}: a lab is there twice")
    return value
