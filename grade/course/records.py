"""The rows of the database: adds them, and reads those that count."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grade.course import digests
from grade.course.entries import HandIn
from grade.course.roster import Student
from grade.course.store import Store
from grade.errors import GraderError
from grade.report import points as short
from grade.results import Report, from_text

# Of each student only the newest row counts, which is the one of the newest event.
_NEWEST_HANDINS = """SELECT * FROM handins AS h WHERE lab = ? AND event =
    (SELECT max(event) FROM handins WHERE lab = h.lab AND student = h.student) ORDER BY student"""


@dataclass(frozen=True)
class Assignment:
    """The settings with which the class of a lab is graded."""

    lab: str
    folder: Path
    arches: tuple[str, ...]
    seeds: int | None
    judge: str
    branch: str | None = None  # of clones and bundles; None: HEAD


@dataclass(frozen=True)
class Kept:
    """A hand-in in the database."""

    student: str
    entry: str
    at: datetime
    clock: str
    digest: str | None
    rejected: str | None


@dataclass(frozen=True)
class Result:
    event: int
    digest: str
    judge: str
    points: float
    earned: float
    seconds: float


@dataclass(frozen=True)
class Override:
    student: str
    how: str
    points: float
    reason: str
    author: str


def labs(store: Store) -> list[str]:
    return [row[0] for row in store.rows("SELECT DISTINCT lab FROM assignments ORDER BY lab")]


def the_lab(store: Store, name: str | None) -> str:
    """@name, or the only lab of the database."""
    known = labs(store)
    if name in known:
        return str(name)
    if name is None and len(known) == 1:
        return known[0]
    which = ", ".join(known) or "none yet: trellis-grade class grades one"
    raise GraderError(f"{store.path}: name one of its labs with --lab; there is {which}")


def assignment(store: Store, lab: str) -> Assignment | None:
    rows = store.rows("SELECT * FROM assignments WHERE lab = ? ORDER BY event DESC LIMIT 1", lab)
    for row in rows:
        arches = tuple(row["arches"].split())
        return Assignment(lab, Path(row["folder"]), arches, row["seeds"], row["judge"], row["branch"])
    return None


def assign(store: Store, new: Assignment) -> None:
    """Stores what is graded, and with what, if that is new."""
    old = assignment(store, new.lab)
    if new == old:
        return
    said = f"{new.folder} on {', '.join(new.arches)}, judge {new.judge[:12]}"
    said += f", {new.seeds} seeds" if new.seeds else ""
    said += f", branch {new.branch}" if new.branch else ""
    with store.change("assign", said, lab=new.lab) as event:
        store.add("assignments", event=event, lab=new.lab, folder=str(new.folder),
                  arches=" ".join(new.arches), seeds=new.seeds, judge=new.judge,
                  branch=new.branch)  # fmt: skip


def handins(store: Store, lab: str) -> dict[str, Kept]:
    """The newest hand-in of each student. A stranger's is left out if its entry is one of a student on the
    roster: the roster has been put right since."""
    found = {
        row["student"]: Kept(row["student"], row["entry"], datetime.fromisoformat(row["at"]), row["clock"],
                             row["digest"], row["rejected"])
        for row in store.rows(_NEWEST_HANDINS, lab)
    }  # fmt: skip
    listed = {s.id for s in roster(store)}
    theirs = {kept.entry for student, kept in found.items() if student in listed}
    return {s: kept for s, kept in found.items() if s in listed or kept.entry not in theirs}


def _is_news(old: Kept | None, new: HandIn, digest: str | None) -> bool:
    """Whether @new is another hand-in. The same files with another time of the file were copied. A call
    without the roster's times, as `regrade`, knows only the commit's, which must not replace the roster's."""
    if old is None or (old.digest, old.rejected) != (digest, new.rejected):
        return True
    if new.clock == "file" or (old.clock, new.clock) == ("roster", "commit"):
        return False
    return (old.at, old.clock) != (new.at, new.clock)


def hand_in(store: Store, lab: str, new: HandIn, old: Kept | None) -> None:
    """Stores @new, and its files, if they differ from those of @old, the newest that is known."""
    digest = None if new.files is None else digests.of_files(new.files)
    if not _is_news(old, new, digest):
        return
    said = f"{new.entry}: " + (f"rejected: {new.rejected}" if digest is None else f"files {digest[:12]}")
    with store.change("hand-in", said, lab=lab, student=new.student) as event:
        if digest is not None and new.files is not None:
            if not store.rows("SELECT 1 FROM submissions WHERE digest = ?", digest):
                store.add("submissions", digest=digest, files=digests.pack(new.files))
        at = new.at.astimezone(UTC).isoformat(timespec="seconds")
        store.add("handins", event=event, lab=lab, student=new.student, entry=new.entry, at=at,
                  clock=new.clock, digest=digest, rejected=new.rejected)  # fmt: skip


def files(store: Store, digest: str) -> dict[str, bytes]:
    for row in store.rows("SELECT files FROM submissions WHERE digest = ?", digest):
        return digests.unpack(row["files"], digest)
    raise GraderError(f"{store.path}: has no submission {digest}")


def ungraded(store: Store, lab: str, judge: str) -> dict[str, list[str]]:
    """The digests that have no result by @judge (JUDGE1), with the students who handed them in."""
    out: dict[str, list[str]] = {}
    graded = {r.digest for r in results(store, lab) if r.judge == judge}
    for student, kept in handins(store, lab).items():
        if kept.digest is not None and kept.digest not in graded:
            out.setdefault(kept.digest, []).append(student)
    return out


def keep(
    store: Store, lab: str, digest: str, judge: str, students: Sequence[str], report: Report, seconds: float
) -> None:
    """Stores a result: one transaction."""
    again = bool(store.rows("SELECT 1 FROM results WHERE lab = ? AND digest = ?", lab, digest))
    said = f"{short(report.earned)} of {short(report.points)} points for files {digest[:12]}"
    if len(students) > 1:
        said += f", which {', '.join(students)} have in common"
    with store.change("regrade" if again else "grade", said, lab=lab, student=students[0]) as event:
        store.add("results", event=event, lab=lab, digest=digest, judge=judge, points=report.points,
                  earned=report.earned, seconds=seconds, report=report.to_json())  # fmt: skip


def results(store: Store, lab: str) -> list[Result]:
    """All results, the oldest first; without their reports, which are long."""
    columns = "event, digest, judge, points, earned, seconds"
    query = f"SELECT {columns} FROM results WHERE lab = ? ORDER BY event"
    return [Result(*row) for row in store.rows(query, lab)]


def report(store: Store, event: int) -> Report:
    row = store.rows("SELECT report FROM results WHERE event = ?", event)[0]
    try:
        return from_text(row["report"], f"{store.path}, result {event}")
    except GraderError as e:
        raise GraderError(f"{e}; trellis-grade regrade makes a new one") from e


def roster(store: Store) -> list[Student]:
    query = "SELECT student, name, email FROM roster WHERE event = (SELECT max(event) FROM roster)"
    return [Student(*row) for row in store.rows(query)]


def set_roster(store: Store, students: Sequence[Student], source: str) -> None:
    """Stores the roster if it is another one. A time of hand-in belongs to the hand-in."""

    def plain(s: Student) -> tuple[str, str, str]:
        return (s.id, s.name, s.email)

    if not students or sorted(map(plain, students)) == sorted(map(plain, roster(store))):
        return
    with store.change("roster", f"{len(students)} students from {source}") as event:
        for s in students:
            store.add("roster", event=event, student=s.id, name=s.name, email=s.email)


def policy(store: Store, lab: str) -> tuple[datetime, str] | None:
    """When @lab is due, and the policy for late hand-ins."""
    query = "SELECT due, late FROM policies WHERE lab = ? ORDER BY event DESC LIMIT 1"
    return next(((datetime.fromisoformat(r["due"]), r["late"]) for r in store.rows(query, lab)), None)


def set_policy(store: Store, lab: str, due: datetime, late: str) -> None:
    if policy(store, lab) == (due, late):
        return
    at = due.isoformat(timespec="seconds")
    with store.change("policy", f"due {at}" + (f", late: {late}" if late else ""), lab=lab) as event:
        store.add("policies", event=event, lab=lab, due=at, late=late)


def overrides(store: Store, lab: str) -> Mapping[str, list[Override]]:
    """The corrections by hand that are not undone, by student, the oldest first."""
    out: dict[str, list[Override]] = {}
    query = """SELECT o.student, how, points, reason, author FROM overrides AS o JOIN events AS e
        ON e.id = o.event WHERE o.lab = ? AND event NOT IN (SELECT override FROM undone) ORDER BY event"""
    for row in store.rows(query, lab):
        out.setdefault(row["student"], []).append(Override(*row))
    return out


def override(store: Store, lab: str, new: Override) -> None:
    said = f"{new.how}{short(new.points)} points: {new.reason}"
    with store.change("override", said, lab=lab, student=new.student, author=new.author) as event:
        store.add("overrides", event=event, lab=lab, student=new.student, how=new.how, points=new.points,
                  reason=new.reason)  # fmt: skip


def undo(store: Store, lab: str, number: int, reason: str, author: str) -> str:
    """Undoes the correction that is event @number of the audit; its student."""
    query = "SELECT student FROM overrides WHERE lab = ? AND event = ?"
    query += " AND event NOT IN (SELECT override FROM undone)"
    student = next((str(row[0]) for row in store.rows(query, lab, number)), None)
    if student is None:
        raise GraderError(f"{store.path}: {lab} has no correction {number} to undo; audit numbers them")
    said = f"correction {number}: {reason}"
    with store.change("undo", said, lab=lab, student=student, author=author) as event:
        store.add("undone", event=event, override=number)
    return student
