"""A class without machines: hand-ins on disk, and a grader that knows the points from the files.

As a program it grades a class, and tells of each stored result on standard output:

    python3 -m grade.tests.fake_class FOLDER DB     it blocks for ever in a submission that says "block"
"""

import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from grade.course import class_run, records
from grade.course.records import Assignment
from grade.course.roster import Student
from grade.course.store import Store, locked, opened
from grade.errors import GraderError, Ungraded
from grade.lab import Lab
from grade.results import VERSION, FailureResult, LabResult, PropertyResult, Report
from grade.tests.fake import lab as fake_lab
from tools.progress import Silent

FILE = "kernel/sched/sleep.c"
JUDGE = "the first judge"


def failure(
    like: str | None = "It forgets. (mistake 4.4)", happened: str = "they left", kind: str = "fail"
) -> FailureResult:
    return FailureResult(
        test="sleep.due", arch="riscv", cpus=1, seed=1, kind=kind, properties=("P4.2",),
        expected="all wake", happened=happened, where="a.c:1", like=like, trace=("> 1 a", "  2 b"),
        details=("said <b>",), replay="grade/trellis-grade replay --lab 04-sleep", others=2,
    )  # fmt: skip


def report(earned: float, failures: tuple[FailureResult, ...] = (), unjudged: tuple[str, ...] = ()) -> Report:
    properties = (
        PropertyResult("P4.1", 1, "Never early.", "why 1", 10, min(earned, 10)),
        PropertyResult("P4.2", 2, "All who are due wake.", "why 2", 5, max(0, earned - 10)),
    )
    result = LabResult("04-sleep", "Waiting", 15, earned, properties, {}, (), (), failures, unjudged)
    return Report(VERSION, None, ("riscv",), (result,))


class FakeGrader:
    """Gives as many points as the file says, and remembers what it graded."""

    def __init__(self, slow: bool = False) -> None:
        self.graded: list[str] = []
        self.stopping = threading.Event()
        self._slow = slow

    def grade(self, files: Mapping[str, bytes], doing: Callable[[str], None]) -> Report:
        text = files[FILE].decode("utf-8", "replace").strip()
        doing(text)
        self.graded.append(text)
        if text == "block":
            self.stopping.wait()
            raise class_run.Stopped
        if text == "sleeps":
            raise Ungraded("a build for riscv did not end")
        if text == "no room":
            raise GraderError("the disk is full")
        if text == "surprises":
            raise AttributeError("no startswith")
        failures = () if text == "15" else (failure(),)
        return report(float(text), failures, ("a run",) if self._slow else ())

    def stop(self) -> None:
        self.stopping.set()


def hand_in(folder: Path, name: str, text: str) -> Path:
    """A submission of @text as the folder @name."""
    path = folder / name / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def assignment(lab: Lab, folder: Path, judge: str = JUDGE) -> Assignment:
    return Assignment(lab.name, folder, ("riscv",), None, judge)


def grade(
    store: Store,
    lab: Lab,
    folder: Path,
    grader: FakeGrader,
    judge: str = JUDGE,
    students: tuple[Student, ...] = (),
    progress: Silent | None = None,
    jobs: int = 1,
) -> list[str]:
    """Does what `class` does, with @grader; returns why results are missing."""
    wanted = assignment(lab, folder, judge)
    records.assign(store, wanted)
    records.set_roster(store, students, "a test")
    class_run.take_in(store, lab, folder, students, Silent())
    work = class_run.left(store, wanted)
    return class_run.grade_all(store, wanted, work, grader, jobs, progress or Silent())


class _Telling(Silent):
    def step(self, what: str) -> None:
        print(what, flush=True)


if __name__ == "__main__":
    _folder, _db = Path(sys.argv[1]), Path(sys.argv[2])
    with locked(_db), opened(_db, create=True) as _store:
        grade(_store, fake_lab(_folder.parent), _folder, FakeGrader(), progress=_Telling())
