"""Submissions to compare: from a folder of hand-ins, or from a class's database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grade.course import digests, entries, records
from grade.course.roster import Student
from grade.course.store import opened
from grade.lab import Lab
from tools.visible import in_one_line

MAX_SIZE = 256 << 10  # bytes of a file; those of the labs have 20 KiB at most


@dataclass(frozen=True)
class Entry:
    """A submission. @name: the student's id; of an earlier cohort with the place where it is. @files is None
    if it is not compared, and @why says the reason."""

    name: str
    files: Mapping[str, str] | None
    why: str = ""
    digest: str = ""


def read(place: Path, lab: Lab, students: Sequence[Student] = ()) -> list[Entry]:
    """The submissions in the folder of hand-ins, or the database of a class, @place."""
    return _from_database(place, lab) if place.is_file() else _from_folder(place, lab, students)


def read_earlier(place: Path, lab: Lab) -> list[Entry]:
    where = in_one_line(str(place))
    return [Entry(f"{e.name} ({where})", e.files, e.why, e.digest) for e in read(place, lab)]


def _from_folder(folder: Path, lab: Lab, students: Sequence[Student]) -> list[Entry]:
    found, _ = entries.assigned(folder, students)
    out = []
    for student, path in found.items():
        try:
            taken = entries.read(student, path, lab, None)
        except OSError as e:
            out.append(Entry(student, None, f"cannot be read here: {e.strerror or e}"))
        else:
            out.append(entry(student, taken.files, taken.rejected))
    return out


def _from_database(path: Path, lab: Lab) -> list[Entry]:
    with opened(path) as store:
        records.the_lab(store, lab.name)
        return [
            entry(student, records.files(store, kept.digest) if kept.digest else None, kept.rejected)
            for student, kept in sorted(records.handins(store, lab.name).items())
        ]


def entry(student: str, files: Mapping[str, bytes] | None, rejected: str | None) -> Entry:
    if files is None:
        return Entry(student, None, rejected or "")
    for path, content in files.items():
        if len(content) > MAX_SIZE:
            return Entry(student, None, f"{path}: larger than {MAX_SIZE >> 10} KiB")
    return Entry(student, texts(files), digest=digests.of_files(files))


def texts(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: content.decode("utf-8", "replace") for path, content in files.items()}
