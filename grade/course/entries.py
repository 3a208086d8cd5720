"""A folder of hand-ins: each entry is the submission of one student.

An entry is an archive, a folder, a git bundle or a clone; or a folder with one of these in it, as learning
platforms write them. Its name without suffix is the student's id, or leads to it by the roster. Entries that
begin with a dot, and __MACOSX, come from desktops and are left out.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grade import clones, intake
from grade.course.roster import Student, match
from grade.errors import GraderError
from grade.lab import Lab
from grade.submission import Rejected
from tools.visible import in_one_line

SUFFIXES = (".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst", ".tgz", ".txz", ".tar", ".zip", ".bundle", ".git")
_LEFT_OUT = ("__MACOSX",)
_ID_MAX = 120


@dataclass(frozen=True)
class HandIn:
    """A hand-in of one student. @files: None if it was rejected."""

    student: str
    entry: str
    at: datetime
    clock: str  # where the time comes from: roster, commit, file
    files: Mapping[str, bytes] | None
    rejected: str | None


def stem(name: str) -> str:
    """The name of an entry without its suffix."""
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name


def _listed(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.name[0] != "." and p.name not in _LEFT_OUT)


def assigned(folder: Path, students: Sequence[Student]) -> tuple[dict[str, Path], list[str]]:
    """The entries of @folder by student, and the students that are not on the roster. Raises GraderError if
    two entries are of one student."""
    out: dict[str, Path] = {}
    strangers = []
    for path in _listed(folder):
        name = in_one_line(stem(path.name))[:_ID_MAX]
        student = match(students, name)
        if student is None and students:
            strangers.append(name)
        student = student or name
        if student in out:
            where = in_one_line(str(folder))
            both = f"{in_one_line(out[student].name)} and {in_one_line(path.name)}"
            raise GraderError(
                f"{where}: {student} has two entries, {both}: move away the one that does not count"
            )
        out[student] = path
    return out, strangers


def _inside(path: Path) -> Path:
    """The entry itself, or the only archive in it."""
    if path.is_dir() and not path.is_symlink():
        inner = _listed(path)
        if len(inner) == 1 and inner[0].is_file() and stem(inner[0].name) != inner[0].name:
            return inner[0]
    return path


def _committed(path: Path, branch: str | None) -> datetime | None:
    """When the commit that counts of the clone @path was made, says the student's own clock."""
    try:
        header = (clones.committed(path, branch) or b"").partition(b"\n\n")[0].splitlines()
    except Rejected:
        return None
    words: list[bytes] = next((line.split() for line in header if line.startswith(b"committer ")), [])
    try:
        return datetime.fromtimestamp(int(words[-2]), UTC)
    except (IndexError, ValueError, OverflowError, OSError):
        return None


def _changed(path: Path, lab: Lab) -> datetime:
    """When the file @path was written; of a folder, the newest of the lab's files in it."""
    times = [path.lstat().st_mtime]
    if path.is_dir() and not path.is_symlink():
        found = [(path / file).lstat().st_mtime for file in lab.files if os.path.lexists(path / file)]
        times = found or times
    return datetime.fromtimestamp(int(max(times)), UTC)


def _time(path: Path, lab: Lab, student: Student | None, branch: str | None) -> tuple[datetime, str]:
    if student is not None and student.handed_in is not None:
        return student.handed_in, "roster"
    committed = _committed(path, branch) if path.is_dir() and not path.is_symlink() else None
    return (committed, "commit") if committed else (_changed(path, lab), "file")


def read(
    student: str, path: Path, lab: Lab, known: Student | None, branch: str | None = None
) -> HandIn:
    """Reads the entry @path, of a clone or a bundle @branch (None: HEAD); an archive has none, and counts as
    it is. Raises OSError for what is not its author's fault."""
    entry, path = in_one_line(path.name), _inside(path)
    if not intake.has_branches(path):
        branch = None
    at, clock = _time(path, lab, known, branch)
    try:
        return HandIn(student, entry, at, clock, intake.take(path, lab, branch).files, None)
    except Rejected as e:
        return HandIn(student, entry, at, clock, None, in_one_line(str(e)))
