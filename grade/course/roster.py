"""The list of students: a CSV file with the header id,name,email; only id must be there.

A column `handed_in` has the time at which the learning platform got the submission. Other columns are
ignored. Spreadsheets write a byte order mark and semicolons, so both are understood.
"""

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from grade.course.late import moment
from grade.errors import GraderError
from tools.visible import in_one_line

_SIZE = 16 << 20


@dataclass(frozen=True)
class Student:
    id: str
    name: str
    email: str
    handed_in: datetime | None = None


def read(path: Path) -> list[Student]:
    """The students of @path, in its order. Raises GraderError."""
    try:
        with path.open("rb") as file:
            text = file.read(_SIZE).decode("utf-8-sig")
    except OSError as e:
        raise GraderError(f"{path}: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise GraderError(f"{path}: is not UTF-8 (byte {e.start}): save it as CSV in UTF-8") from e
    header, _, _ = text.partition("\n")
    delimiter = max(",;\t", key=header.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as e:
        raise GraderError(f"{path}: not a table in CSV: {e}") from e
    return _students(path, rows)


def _students(path: Path, rows: Sequence[Sequence[str]]) -> list[Student]:
    columns = [name.strip().lower().replace(" ", "_") for name in (rows[0] if rows else [])]
    if "id" not in columns:
        raise GraderError(f"{path}: the first line must name the columns, one of them id: id,name,email")
    students: list[Student] = []
    known: set[str] = set()
    for number, row in enumerate(rows[1:], 2):
        cells = dict(zip(columns, (in_one_line(cell.strip()) for cell in row)))
        if not any(cells.values()):
            continue
        student = _student(f"{path}, row {number}", cells)
        if _plain(student.id) in known:
            raise GraderError(f"{path}, row {number}: {student.id} is there twice")
        known.add(_plain(student.id))
        students.append(student)
    if not students:
        raise GraderError(f"{path}: names no student")
    return students


def _plain(name: str) -> str:
    """@name as names are compared: in any case, and however its letters with accents are put together."""
    return unicodedata.normalize("NFC", name.casefold())


def _student(where: str, cells: Mapping[str, str]) -> Student:
    if not cells.get("id"):
        raise GraderError(f"{where}: has no id")
    time = cells.get("handed_in", "")
    return Student(
        id=cells["id"],
        name=cells.get("name", ""),
        email=cells.get("email", ""),
        handed_in=moment(time, f"{where}, handed_in") if time else None,
    )


def match(students: Sequence[Student], stem: str) -> str | None:
    """The id of the one student whom an entry called @stem belongs to.

    It is called by the id, the mail address or the name, in any case; platforms write _ and more behind it.
    None: nobody, or more than one.
    """
    names = {s.id: (s.id, s.email, s.name, s.name.replace(" ", "")) for s in students}
    if stem in names:
        return stem
    word = f"{_plain(stem)}_"

    def fit(known: Sequence[str]) -> int:
        return max(len(n) if word.startswith(f"{n}_") else 0 for n in map(_plain, known))

    fits = {i: fit(known) for i, known in names.items()}
    longest = max(fits.values(), default=0)  # ann_lee_7 is not ann's, if there is an ann_lee
    found = [i for i, length in fits.items() if length == longest > 0]
    return found[0] if len(found) == 1 else None
