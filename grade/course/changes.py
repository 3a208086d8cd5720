"""Changes by hand, and what has changed: override, audit, extract, db migrate."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from grade.course import records, standing
from grade.course.records import Override
from grade.course.store import Event, Store, opened
from grade.errors import GraderError
from grade.report import points
from tools.visible import in_one_line

_POINTS = re.compile(r"([+-]?)(\d{1,6}(?:\.\d{1,4})?)")


def parsed_points(text: str) -> tuple[str, float]:
    """12 sets, +3 adds, -3 takes away: (how, number). Raises ValueError."""
    found = _POINTS.fullmatch(text)
    if found is None:
        raise ValueError(f"{text}: must be points such as 12, +3 or -2.5")
    return found[1] or "=", float(found[2])


def override(store: Store, lab: str, new: Override) -> str:
    """Stores a correction; says what it did."""
    _expect_words(new.reason, new.author)
    before = _points_of(store, lab)
    if new.student not in before:
        raise GraderError(f"{store.path}: {lab} has no student {new.student}; gradebook lists them")
    records.override(store, lab, new)
    now = _points_of(store, lab)[new.student]
    if now is None:
        return f"{new.student}: counts as soon as the hand-in is graded"
    return f"{new.student}: {_shown(before[new.student])} -> {points(now)} points"


def undo(store: Store, lab: str, number: int, reason: str, author: str) -> str:
    """Undoes the correction with this @number in the audit; says what that did."""
    _expect_words(reason, author)
    before = _points_of(store, lab)
    student = records.undo(store, lab, number, reason, author)
    return f"{student}: {_shown(before[student])} -> {_shown(_points_of(store, lab)[student])} points"


def _expect_words(reason: str, author: str) -> None:
    for text, what in ((reason, "--reason"), (author, "--author")):
        if not text.strip():
            raise GraderError(f"{what}: must not be empty: the audit shows it")


def _points_of(store: Store, lab: str) -> dict[str, float | None]:
    return {s.student.id: s.points for s in standing.standings(store, lab)}


def _shown(value: float | None) -> str:
    return "no" if value is None else points(value)


def audit_lines(events: list[Event]) -> Iterator[str]:
    """Every change, in order."""
    for e in events:
        about = "  ".join(word for word in (e.lab, e.student) if word)
        about = in_one_line(f"{about}: {e.said}" if about else e.said)
        yield f"{e.id:>5}  {e.at}  {in_one_line(e.author):<12} {e.kind:<9} {about}"


def extract(store: Store, lab: str, student: str, folder: Path) -> list[str]:
    """Writes the files that @student has handed in, as they were graded, to @folder."""
    handin = records.handins(store, lab).get(student)
    if handin is None or handin.digest is None:
        why = f"rejected: {handin.rejected}" if handin else "there is no hand-in"
        raise GraderError(f"{student}: nothing to extract: {why}")
    if folder.exists() and any(folder.iterdir()):
        raise GraderError(f"{folder}: is not empty: name a new folder with --out")
    written = []
    for path, content in records.files(store, handin.digest).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        written.append(os.fspath(target))
    return written


def audit(path: Path) -> list[str]:
    with opened(path) as store:
        return list(audit_lines(store.events()))
