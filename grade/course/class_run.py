"""Grades a class: reads the hand-ins, and grades each submission that has no result yet.

Submissions are graded side by side, the runs of each one after the other: so no core waits for the last run
of a submission. The reference is built once, and of each submission only its own files are compiled. Results
are stored by this thread alone, each as soon as it is there.
"""

import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from grade import engine
from grade.build import Product
from grade.course import digests, entries, records, standing
from grade.course.records import Assignment, Kept
from grade.course.roster import Student
from grade.course.store import Store
from grade.errors import GraderError, Ungraded
from grade.lab import Lab
from grade.report import points
from grade.results import VERSION, Report, lab_result
from grade.score import score
from grade.submission import Submission
from tools.options import counted
from tools.progress import Progress, Silent, shown
from tools.visible import in_one_line

DONE, TROUBLE = 0, 2


class Grader(Protocol):
    """Grades one submission; called from several threads."""

    def grade(self, files: Mapping[str, bytes], doing: Callable[[str], None]) -> Report: ...

    def stop(self) -> None:
        """Makes all gradings end soon; what they return then is no result."""


class Stopped(Exception):
    """The class is not graded any further."""


class _Steps(Silent):
    """The progress of one submission, as words beside the progress of the class.

    A step is also where a grading that was told to stop ends: its machines do so by themselves, but there
    are more runs to come.
    """

    def __init__(self, doing: Callable[[str], None], stopping: threading.Event) -> None:
        self._doing = doing
        self._stopping = stopping

    def step(self, what: str) -> None:
        if self._stopping.is_set():
            raise Stopped
        self._doing(what)


@dataclass(frozen=True)
class _Engine:
    """The grader itself."""

    bench: engine.Bench
    lab: Lab
    seeds: int | None
    honest: Mapping[str, Product]
    stopping: threading.Event

    def grade(self, files: Mapping[str, bytes], doing: Callable[[str], None]) -> Report:
        steps = _Steps(doing, self.stopping)
        steps.step("building")
        built = engine.build_submission(self.bench, self.lab, self.honest, Submission(files))
        runs = engine.runs_of(self.lab, engine.places(self.bench), self.seeds)
        try:
            outcomes = engine.run_all(self.bench, self.lab, built, runs, steps)
        finally:
            engine.forget(built)
        # Without a path: students with the same files share the report, and replay it in their own tree.
        result = lab_result(score(self.lab, outcomes), self.bench.layout, None)
        return Report(VERSION, None, tuple(self.bench.references), (result,))

    def stop(self) -> None:
        self.stopping.set()
        self.bench.runner.stop_all()


@dataclass(frozen=True)
class Setting:
    """The machine part of a call."""

    root: Path
    build_root: Path
    jobs: int | None


@contextmanager
def engine_grader(lab: Lab, assignment: Assignment, setting: Setting, at_once: int) -> Iterator[Grader]:
    """The grader of @lab, its reference built; for @at_once submissions at a time."""
    bench = engine.set_up(setting.root, setting.build_root, assignment.arches, setting.jobs)
    try:
        if bench.unfenced:
            warn(f"only QEMU is fenced in, not the compiler: {bench.unfenced}")
        with shown() as progress:
            honest = engine.honest(engine.build_reference(bench, [lab], False, progress))
        each = replace(bench, jobs=max(1, bench.jobs // at_once))
        yield _Engine(each, lab, assignment.seeds, honest, threading.Event())
    finally:
        bench.close()


@dataclass(frozen=True)
class Outcome:
    """The end of one grading: a report, or why there is none."""

    report: Report | None
    why: str
    seconds: float


def outcome(grader: Grader, files: Mapping[str, bytes], doing: Callable[[str], None]) -> Outcome:
    began = time.monotonic()
    try:
        report, why = grader.grade(files, doing), ""
    except Ungraded as e:
        report, why = None, str(e)
    except (GraderError, OSError, Stopped):
        raise
    except Exception as e:  # a submission that the grader is not ready for must not cost the others theirs
        report, why = None, _fault(e)
    return Outcome(report, why, time.monotonic() - began)


def _fault(e: Exception) -> str:
    """One line that says where in the grader @e was raised."""
    place = traceback.extract_tb(e.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return in_one_line(f"a fault of the grader, please report it: {type(e).__name__} in {where}: {e}")


@dataclass(frozen=True)
class Left:
    """A submission to grade. @students: all those who handed in the same files."""

    digest: str
    students: tuple[str, ...]
    files: Mapping[str, bytes]


def left(store: Store, assignment: Assignment) -> list[Left]:
    """The submissions without a result (JUDGE1)."""
    found = records.ungraded(store, assignment.lab, assignment.judge)
    return [Left(d, tuple(s), records.files(store, d)) for d, s in found.items()]


def grade_all(
    store: Store, assignment: Assignment, work: Sequence[Left], grader: Grader, jobs: int, progress: Progress
) -> list[str]:
    """Grades @work, @jobs at a time. Returns a line for each submission that has no result."""

    def one(item: Left) -> Outcome:
        return outcome(grader, item.files, lambda what: progress.doing(f"{item.students[0]}: {what}"))

    troubles: list[str] = []
    progress.expect(len(work))
    with ThreadPoolExecutor(jobs) as pool:
        items = {pool.submit(one, item): item for item in work}
        try:
            for future in _as_they_end(items):
                kept, words = keep(store, assignment, items[future], future.result())
                troubles += [] if kept else [words]
                progress.step(words)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            grader.stop()
            raise
    return troubles


def keep(store: Store, assignment: Assignment, item: Left, outcome: Outcome) -> tuple[bool, str]:
    """Keeps the result of @item, if there is one (WHOLE1); says so, and which."""
    who, report, seconds = ", ".join(item.students), outcome.report, outcome.seconds
    if report is None:
        return False, f"{who}: no result: {outcome.why}"
    if any(lab.unjudged for lab in report.labs):
        return False, f"{who}: no result: this machine was too slow for some runs; call again"
    records.keep(store, assignment.lab, item.digest, assignment.judge, item.students, report, seconds)
    return True, f"{item.students[0]}: {points(report.earned)} points"


def _as_they_end(futures: Mapping[Future[Outcome], Left]) -> Iterator[Future[Outcome]]:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        yield from done


@dataclass
class Read:
    """The contents of the class's folder."""

    entries: int
    strangers: list[str]  # not on the roster
    unread: list[str]  # why this machine could not read an entry
    early: list[Kept] = field(default_factory=list)  # handed in after now, says a clock that was wrong


def take_in(
    store: Store,
    lab: Lab,
    folder: Path,
    students: Sequence[Student],
    progress: Progress,
    branch: str | None = None,
) -> Read:
    """Reads the hand-ins in @folder, of clones and bundles @branch. An entry that cannot be read leaves its
    student as before."""
    known = {s.id: s for s in students}
    found, strangers = entries.assigned(folder, students)
    out = Read(len(found), strangers, [])
    before = records.handins(store, lab.name)
    for student, path in found.items():
        progress.doing(f"reading {student}")
        try:
            new = entries.read(student, path, lab, known.get(student), branch)
        except OSError as e:
            out.unread.append(f"{in_one_line(path.name)}: {e.strerror or e}")
        else:
            records.hand_in(store, lab.name, new, before.get(student))
    now = datetime.now(UTC)
    out.early += [kept for kept in records.handins(store, lab.name).values() if kept.at > now]
    return out


def assigned(
    root: Path, lab: Lab, folder: Path, arches: tuple[str, ...], seeds: int | None, branch: str | None
) -> Assignment:
    if in_one_line(str(folder)) != str(folder):
        shown_as = in_one_line(str(folder))
        raise GraderError(f"{shown_as}: rename this folder: its name is kept as plain text")
    judge = digests.of_judge(root, lab, arches, seeds)
    return Assignment(lab.name, folder.resolve(), arches, seeds, judge, branch)


# Grades all of the work that there is; returns a line for each submission that has no result.
Engine = Callable[[Store, Lab, Assignment, Setting, Sequence[Left]], list[str]]


def run(
    store: Store,
    lab: Lab,
    assignment: Assignment,
    students: Sequence[Student],
    setting: Setting,
    by: Engine | None = None,
) -> int:
    """Reads and grades, here or by @by; says what there is. The exit status."""
    records.assign(store, assignment)
    troubles: list[str] = []
    if assignment.folder.is_dir():
        with shown() as progress:
            folder, branch = assignment.folder, assignment.branch
            read = take_in(store, lab, folder, students, progress, branch)
        _told_of_folder(assignment.folder, read)
        troubles += read.unread
    else:
        warn(f"{assignment.folder} is gone: grading what was read before")
    work = left(store, assignment)
    if not work:
        warn("nothing to grade: each submission has a result by these tests")
    if work or by is not None:  # what an earlier call has left behind may still be there
        troubles += (by or grade_here)(store, lab, assignment, setting, work)
    print(summary(store, lab.name), end="")
    for trouble in troubles:
        warn(trouble)
    return TROUBLE if troubles else DONE


def warn(words: str) -> None:
    print(f"trellis-grade: {words}", file=sys.stderr)


def _told_of_folder(folder: Path, read: Read) -> None:
    if not read.entries:
        raise GraderError(f"{folder}: is empty: each hand-in is an archive, folder, bundle or clone in it")
    for name in read.strangers:
        warn(f"{name}: is not on the roster, or fits several students; graded under this name")
    for kept in read.early:
        at = kept.at.astimezone().isoformat(timespec="minutes")
        warn(f"{kept.student}: was handed in in the future, at {at}, by the {kept.clock}'s time; "
             "the roster's column handed_in can have the right one")  # fmt: skip


def grade_here(
    store: Store, lab: Lab, assignment: Assignment, setting: Setting, work: Sequence[Left]
) -> list[str]:
    """Grades @work on this machine."""
    at_once = min(len(work), engine.jobs_of(setting.jobs))
    with engine_grader(lab, assignment, setting, at_once) as grader, shown(rate=True) as progress:
        # The judge was asked for before the hand-ins were read; the reference is of the tree as it was now.
        if digests.of_judge(setting.root, lab, assignment.arches, assignment.seeds) != assignment.judge:
            raise GraderError("tests or grader were changed since this call began: call again")
        return grade_all(store, assignment, work, grader, at_once, progress)


def summary(store: Store, lab: str) -> str:
    """One line for each student, and a total."""
    lines, counts = [], dict.fromkeys((standing.GRADED, standing.REJECTED, standing.MISSING), 0)
    found = standing.standings(store, lab)
    for s in found:
        counts[s.state] = counts.get(s.state, 0) + 1
        got = "" if s.points is None else points(s.points)
        why = s.handin.rejected if s.handin and s.handin.rejected else s.state
        note = "" if s.state == standing.GRADED else f"  {why}"
        lines.append(f"{got:>7}  {s.student.id}{note}")
    total = ", ".join(f"{number} {state}" for state, number in counts.items())
    return "\n".join([*lines, f"{lab}: {counted(len(found), 'student')}: {total}"]) + "\n"
