"""Grades a class by arrays of Slurm: submits, collects what is finished, submits again what was lost.

Each task of an array grades one submission, so an array has what a local call has in its queue. Slurm itself
starts a task again whose node failed, or that was requeued or preempted; a task that ends in another way
without an outcome (its time limit, a crash, an operator) is in the next array, at most _TRIES times.

A call may end at any moment, and its array goes on. The next call collects what the array has found since,
and waits for the rest, so that nothing is graded twice. An array by another judge is cancelled.

Order: the queue is asked first, and then the task's file is looked for. A task whose end the queue tells
has written its file before, and one that has no file then was lost.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grade.course import class_run, digests, spool
from grade.course.class_run import Left, Setting
from grade.course.records import Assignment
from grade.course.slurm import Queue, Task
from grade.course.spool import Array
from grade.course.store import Store
from grade.errors import GraderError
from grade.lab import Lab
from tools.progress import Progress, shown

_TRIES = 3


@dataclass(frozen=True)
class Pace:
    """Seconds. @late: for which a file that another machine has written may stay unseen here."""

    look: float = 1.0
    ask: float = 5.0
    late: float = 90.0


@dataclass
class _Call:
    """One call: what it has to do, and what came of it."""

    store: Store
    assignment: Assignment
    queue: Queue
    pace: Pace
    progress: Progress
    work: dict[str, Left]  # by digest: neither kept nor given up
    tries: dict[str, int] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    def settle(self, digest: str, outcome: class_run.Outcome) -> None:
        """Keeps @outcome, unless another array had one for the same submission."""
        item = self.work.pop(digest, None)
        if item is None:
            return
        kept, words = class_run.keep(self.store, self.assignment, item, outcome)
        self.troubles += [] if kept else [words]
        self.progress.step(words)

    def lost(self, digest: str) -> bool:
        """Counts a task that ended without an outcome. Whether this was the last try."""
        self.tries[digest] = self.tries.get(digest, 0) + 1
        return self.tries[digest] >= _TRIES


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return f": {lines[-1]}" if lines else ""


@dataclass
class _Watch:
    """Waits for one array."""

    call: _Call
    array: Array
    ended: dict[int, float] = field(default_factory=dict)  # when a task was first seen to be over

    def run(self) -> bool:
        """Until each task whose outcome is needed has one, or is lost. Whether there are other tasks."""
        wanted = {i for i, digest in enumerate(self.array.digests) if digest in self.call.work}
        waiting = set(wanted)
        asked = float("-inf")
        while waiting:
            tasks: dict[int, Task] | None = None
            if time.monotonic() - asked >= self.call.pace.ask:
                tasks = self.call.queue.tasks(self.array)
                asked = time.monotonic()
                self._tell(tasks, waiting)
            self._collect(waiting)
            if tasks is not None:
                self._look_for_lost(waiting, tasks)
            if waiting:
                time.sleep(self.call.pace.look)
        return len(wanted) < len(self.array.digests)

    def _collect(self, waiting: set[int]) -> None:
        for index in sorted(waiting):
            if (outcome := spool.take(self.array, index)) is not None:
                self.call.settle(self.array.digests[index], outcome)
                waiting.remove(index)

    def _look_for_lost(self, waiting: set[int], tasks: dict[int, Task]) -> None:
        for index in sorted(waiting):
            task = tasks.get(index)
            if task is not None and not task.over:
                self.ended.pop(index, None)
            elif self._is_late(index, task):
                if task is not None and task.held:
                    self.call.queue.cancel(self.array, task)
                digest = self.array.digests[index]
                if self.call.lost(digest):
                    self.call.settle(digest, class_run.Outcome(None, self._words(index, task), 0))
                waiting.remove(index)

    def _is_late(self, index: int, task: Task | None) -> bool:
        """Whether no file will come any more. A task that Slurm says is complete, or has forgotten, may have
        written one that this machine does not see yet."""
        if task is not None and task.state != "COMPLETED":
            return True
        since = self.ended.setdefault(index, time.monotonic())
        return time.monotonic() - since >= self.call.pace.late

    def _words(self, index: int, task: Task | None) -> str:
        said = "is not in the queue" if task is None else f"ended as {task.state} ({task.reason})"
        log = spool.keep_log(self.array, index)
        return f"Slurm's task {said}; {_TRIES} were tried; the last one's log is {log}{_last_line(log)}"

    def _tell(self, tasks: dict[int, Task] | None, waiting: set[int]) -> None:
        if tasks is None:
            self.call.progress.doing(f"{self.array.name}: slurmctld does not answer; asking again")
            return
        counts: dict[str, int] = {}
        for index in waiting & tasks.keys():
            task = tasks[index]
            words = task.state.lower()
            words += f" ({task.reason})" if task.state == "PENDING" else ""
            counts[words] = counts.get(words, 0) + 1
        states = ", ".join(f"{n} {state}" for state, n in sorted(counts.items()))
        self.call.progress.doing(f"{self.array.name}: {states or 'collecting'}")


def _watched(call: _Call, array: Array) -> None:
    """Waits for @array as far as its outcomes are needed, and forgets it."""
    try:
        left_over = _Watch(call, array).run()
    except KeyboardInterrupt:
        class_run.warn(f"{array.name} goes on: the same command collects it, and scancel --name={array.name} "
                       "ends it")  # fmt: skip
        raise
    if left_over:
        call.queue.cancel(array)
    spool.end(array)


def _adopt(call: _Call, home: Path) -> None:
    """Waits for the arrays of earlier calls; cancels those whose results nobody needs."""
    for array in spool.found(home, call.assignment.lab):
        if array.judge == call.assignment.judge and call.work.keys() & set(array.digests):
            class_run.warn(f"found {array.name}, which an earlier call has submitted")
            _watched(call, array)
        else:
            call.queue.cancel(array)
            spool.end(array)


def grade_all(call: _Call, home: Path, build_root: Path) -> list[str]:
    """Grades what is left of @call's work, in arrays as large as Slurm takes."""
    most = call.queue.most()
    while call.work:
        part = list(call.work.values())[:most]
        packed = [(item.digest, digests.pack(item.files)) for item in part]
        array = spool.begin(home, call.assignment, build_root, packed)
        try:
            call.queue.submit(array)
        except GraderError:
            spool.end(array)
            raise
        _watched(call, array)
    return call.troubles


def refuse_twice(db: Path, lab: Lab) -> None:
    """Raises GraderError if an array is grading what this machine is about to grade."""
    for array in spool.found(spool.home(db), lab.name):
        raise GraderError(f"an earlier call has given {array.name} to Slurm: --engine slurm collects it; "
                          f"to end it, scancel --name={array.name} and remove {array.folder}")  # fmt: skip


@dataclass(frozen=True)
class Engine:
    """Grades a class by Slurm, see class_run.Engine."""

    queue: Queue
    pace: Pace = Pace()

    def __call__(
        self, store: Store, lab: Lab, assignment: Assignment, setting: Setting, work: Sequence[Left]
    ) -> list[str]:
        home = spool.home(store.path)
        with shown(rate=True) as progress:
            call = _Call(store, assignment, self.queue, self.pace, progress, {i.digest: i for i in work})
            progress.expect(len(work))
            _adopt(call, home)
            if not call.work:
                return call.troubles
        # Once and here, not in each task at the same time; and what does not build is told at once.
        with class_run.engine_grader(lab, assignment, replace(setting, jobs=None), 1):
            pass
        with shown(rate=True) as progress:
            progress.expect(len(call.work))
            return grade_all(replace(call, progress=progress), home, setting.build_root)
