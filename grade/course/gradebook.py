"""The tables of a class: gradebook.csv for people, and moodle.csv for Moodle's import of grades."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from grade.course import late, pages, records, standing
from grade.course.standing import Standing
from grade.course.store import Store
from grade.report import points

_FORMULA = re.compile(r"((?:^|[;\t]) *)(?=[=+\-@\t\r])")
_COLUMNS = ("id", "name", "email", "state", "handed in", "late by", "earned", "late cost", "by hand",
            "points", "possible", "remark")  # fmt: skip
_MOODLE = ("ID number", "Email address", "Grade", "Feedback")


def safe(text: str) -> str:
    """@text as cells that no spreadsheet takes for a formula: such a one gets an apostrophe, which shows.

    Cells, as a spreadsheet may be set to another separator than the comma, and splits at that.
    """
    return _FORMULA.sub(r"\1'", text)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """CSV; @rows hold texts, made safe here, and numbers that points() wrote, which are never negative."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def _remark(s: Standing) -> str:
    remarks = [f"rejected: {s.handin.rejected}"] if s.handin and s.handin.rejected else []
    remarks += ["not on the roster"] * (not s.listed) + ["graded by earlier tests"] * s.stale
    remarks += [f"{o.author}: {_how(o.how)} {points(o.points)} points: {o.reason}" for o in s.overrides]
    return "; ".join(remarks)


def _how(sign: str) -> str:
    return {"=": "set to", "+": "added", "-": "took away"}[sign]


def _row(s: Standing, possible: str) -> list[str]:
    by = s.lateness.by if s.lateness else None
    return [
        s.student.id, s.student.name, s.student.email, s.state,
        s.handin.at.astimezone().isoformat(timespec="minutes") if s.handin else "",
        late.spoken(by) if by else "",
        points(s.earned) if s.result else "",
        points(s.cost) if s.cost else "",
        "yes" if s.overrides else "",
        "" if s.points is None else points(s.points),
        possible, _remark(s),
    ]  # fmt: skip


def gradebook(found: Sequence[Standing]) -> str:
    possible = next((points(s.result.points) for s in found if s.result), "")
    return table(_COLUMNS, [_row(s, possible) for s in found])


def moodle(found: Sequence[Standing]) -> str:
    """Without those whose points are not known yet, so that an import does not overwrite theirs; and without
    those who are not on the roster, as Moodle imports nothing of a table with a user it does not know."""
    known = [s for s in found if s.points is not None and s.listed]
    rows = [[s.student.id, s.student.email, points(s.points or 0.0), _remark(s)] for s in known]
    return table(_MOODLE, rows)


def _members(store: Store, found: Sequence[Standing]) -> list[pages.Member]:
    """With the reports; students with the same files share one."""
    reports = {s.result.event: records.report(store, s.result.event) for s in found if s.result}
    return [
        pages.Member(s, reports[s.result.event] if s.result else None, pages.page_name(s.student.id))
        for s in found
    ]


def write(store: Store, lab: str, out: Path) -> list[Path]:
    """Writes tables and pages to @out, and takes away pages of students who are in the class no more; the
    files written."""
    found = standing.standings(store, lab)
    members = _members(store, found)
    contents = {"gradebook.csv": gradebook(found), "moodle.csv": moodle(found)}
    contents["index.html"] = pages.class_page(lab, members)
    contents |= {m.page: pages.student_page(lab, m) for m in members}
    out.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        (out / name).write_text(text, encoding="utf-8", newline="")
    for page in out.glob(pages.PAGES):
        if page.name not in contents:
            page.unlink()
    return [out / name for name in contents]
