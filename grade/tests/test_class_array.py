"""Grading a class by a queue: submissions that are lost, found again, or given up; without Slurm."""

import os
import sys
import unittest
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from grade.course import array_run, array_task, class_run, digests, records, spool
from grade.course.array_run import Pace
from grade.course.class_run import Outcome, Setting
from grade.course.slurm import Slurm, Task
from grade.course.spool import Array
from grade.course.store import opened
from grade.errors import GraderError
from grade.tests import fake_class
from grade.tests.fake import AtHome
from grade.tests.fake_class import FILE, FakeGrader, hand_in
from tools.progress import Silent

_DONE, _HELD, _GONE = "COMPLETED", "held", "gone"


def text_of(array: Array, index: int) -> str:
    files = digests.unpack(array.files(index).read_bytes(), array.digests[index])
    return files[FILE].decode()


@dataclass
class FakeQueue:
    """Grades at once what it is given. @fates: how the first tasks for a submission of this text end."""

    fates: dict[str, list[str]] = field(default_factory=dict)
    deaf: int = 0  # how often it does not answer
    limit: int = 1001
    slow: bool = False
    submitted: list[list[str]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    _known: dict[str, dict[int, Task]] = field(default_factory=dict)

    def submit(self, array: Array) -> None:
        texts = [text_of(array, index) for index in range(len(array.digests))]
        self.submitted.append(texts)
        self.accept(array)

    def accept(self, array: Array) -> None:
        """Makes the tasks of @array."""
        known = self._known[array.name] = {}
        for index in range(len(array.digests)):
            text = text_of(array, index)
            left = self.fates.get(text, [])
            fate = left.pop(0) if left else _DONE
            if fate == _DONE:
                files = {FILE: text.encode()}
                spool.put(array, index, class_run.outcome(FakeGrader(self.slow), files, lambda _: None))
            else:
                array.log(index).write_text(f"begun\n{fate} on node 7\n")
            if fate == _HELD:
                known[index] = Task("PENDING", "launch failed requeued held", f"1_{index}")
            elif fate != _GONE:
                known[index] = Task(fate, "None", f"1_{index}")

    def tasks(self, array: Array) -> dict[int, Task] | None:
        self.deaf -= 1
        return self._known.get(array.name, {}) if self.deaf < 0 else None

    def cancel(self, array: Array, task: Task | None = None) -> None:
        self.cancelled.append(task.job if task else array.name)

    def most(self) -> int:
        return self.limit


class Case(AtHome):
    def setUp(self) -> None:
        super().setUp()
        self.folder = self.home / "handins"
        for name, text in (("ann", "1"), ("bob", "2"), ("eve", "3"), ("joe", "15")):
            hand_in(self.folder, name, text)
        self.prepared = 0
        self.enterContext(mock.patch.object(class_run, "engine_grader", self._opened))
        self.enterContext(mock.patch.object(class_run, "warn"))
        self.enterContext(mock.patch.object(array_run, "shown", lambda **_: nullcontext(Silent())))

    @contextmanager
    def _opened(self, *_: object) -> Iterator[FakeGrader]:
        self.prepared += 1
        yield FakeGrader()

    def graded(self, queue: FakeQueue, late: float = 0.01) -> list[str]:
        """Grades the class by @queue; returns why results are missing."""
        with opened(self.home / "class.db", create=True) as store:
            wanted = fake_class.assignment(self.lab, self.folder)
            records.assign(store, wanted)
            class_run.take_in(store, self.lab, self.folder, [], Silent())
            engine = array_run.Engine(queue, Pace(look=0, ask=0, late=late))
            setting = Setting(self.home, self.home / "build", 1)
            return engine(store, self.lab, wanted, setting, class_run.left(store, wanted))

    def graded_here(self) -> list[str]:
        with opened(self.home / "here.db", create=True) as store:
            return fake_class.grade(store, self.lab, self.folder, FakeGrader())

    def results(self, db: str = "class.db") -> list[tuple[object, ...]]:
        with opened(self.home / db) as store:
            columns = "lab, digest, judge, points, earned, report"
            rows = store.rows(f"SELECT {columns} FROM results ORDER BY digest")
        return [tuple(row) for row in rows]

    def array(self, texts: Sequence[str], lab: str = "04-sleep", judge: str = fake_class.JUDGE) -> Array:
        """An array that an earlier call has left behind."""
        work: list[Mapping[str, bytes]] = [{FILE: text.encode()} for text in texts]
        packed = [(digests.of_files(files), digests.pack(files)) for files in work]
        old = fake_class.assignment(self.lab, self.folder, judge)
        wanted = records.Assignment(lab, old.folder, old.arches, old.seeds, old.judge)
        return spool.begin(spool.home(self.home / "class.db"), wanted, self.home, packed)

    def left_behind(self) -> list[str]:
        return sorted(path.name for path in spool.home(self.home / "class.db").iterdir())


class Lost(Case):
    def test_what_the_queue_loses_is_submitted_again_with_the_same_results(self) -> None:
        fates = {"1": ["TIMEOUT"], "2": ["PREEMPTED", "NODE_FAIL"], "3": [_GONE], "15": [_HELD]}
        queue = FakeQueue(fates)
        self.assertEqual((self.graded(queue), self.graded_here()), ([], []))
        self.assertEqual(queue.submitted, [["1", "2", "3", "15"], ["1", "2", "3", "15"], ["2"]])
        self.assertEqual(queue.cancelled, ["1_3"], "Slurm must not start a held task some day")
        self.assertEqual(self.results(), self.results("here.db"))
        self.assertEqual((self.left_behind(), self.prepared), ([], 1))

    def test_what_is_lost_each_time_is_given_up_and_names_its_log(self) -> None:
        queue = FakeQueue({"2": ["FAILED"] * 3})
        troubles = self.graded(queue)
        self.assertEqual(len(self.results()), 3)
        self.assertEqual(queue.submitted[1:], [["2"], ["2"]])
        log = next(iter(spool.home(self.home / "class.db").iterdir()))
        why = f"ended as FAILED (None); 3 were tried; the last one's log is {log}: FAILED on node 7"
        self.assertEqual(troubles, [f"bob: no result: Slurm's task {why}"])
        self.assertIn("begun", log.read_text())
        self.assertEqual(self.graded(queue), [], "the next call tries again")

    def test_a_task_that_runs_is_not_lost_while_the_queue_does_not_answer(self) -> None:
        queue = FakeQueue(deaf=3)
        with mock.patch.object(spool, "take", mock.Mock(side_effect=_seen_after(4 * 3, spool.take))):
            self.assertEqual(self.graded(queue, late=0), [])
        self.assertEqual(len(queue.submitted), 1)

    def test_a_file_that_is_seen_late_is_waited_for(self) -> None:
        queue = FakeQueue()
        late = mock.Mock(side_effect=_seen_after(4, spool.take))
        with mock.patch.object(spool, "take", late):
            self.assertEqual(self.graded(queue), [])
        self.assertEqual(len(queue.submitted), 1)

    def test_what_a_node_was_too_slow_for_is_told_as_here(self) -> None:
        with opened(self.home / "here.db", create=True) as store:
            wanted = fake_class.grade(store, self.lab, self.folder, FakeGrader(slow=True))
        self.assertCountEqual(self.graded(FakeQueue(slow=True)), wanted)
        self.assertEqual((self.results(), self.left_behind()), ([], []))


def _seen_after(calls: int, take: object) -> object:
    """spool.take(), which finds nothing for the first @calls."""
    seen = 0

    def later(array: Array, index: int) -> Outcome | None:
        nonlocal seen
        seen += 1
        return None if seen <= calls else take(array, index)  # type: ignore[operator]

    return later


class Again(Case):
    def test_the_array_of_a_killed_call_is_collected(self) -> None:
        queue = FakeQueue()
        queue.accept(self.array(["1", "2", "15"]))
        self.assertEqual(self.graded(queue), [])
        self.assertEqual(queue.submitted, [["3"]])
        self.assertEqual((len(self.results()), self.left_behind()), (4, []))

    def test_an_interrupted_call_leaves_its_array(self) -> None:
        queue = FakeQueue()
        with mock.patch.object(queue, "tasks", side_effect=KeyboardInterrupt):
            with self.assertRaises(KeyboardInterrupt):
                self.graded(queue)
        self.assertEqual((len(self.left_behind()), queue.cancelled), (1, []))
        self.assertEqual((self.graded(queue), len(queue.submitted)), ([], 1))

    def test_an_array_by_other_tests_is_cancelled(self) -> None:
        queue, old = FakeQueue(), self.array(["1"], judge="other tests")
        queue.accept(old)
        self.assertEqual(self.graded(queue), [])
        self.assertEqual((queue.cancelled, queue.submitted), ([old.name], [["1", "2", "3", "15"]]))

    def test_tasks_whose_results_nobody_needs_any_more_are_cancelled(self) -> None:
        queue, old = FakeQueue(), self.array(["1", "not handed in any more"])
        with mock.patch.object(class_run, "outcome", lambda *_: Outcome(fake_class.report(1), "", 0)):
            queue.accept(old)
        self.assertEqual((self.graded(queue), queue.cancelled), ([], [old.name]))
        self.assertEqual(queue.submitted, [["2", "3", "15"]])

    def test_the_array_of_another_lab_is_left_alone(self) -> None:
        queue, other = FakeQueue(), self.array(["1"], lab="06-kill")
        self.assertEqual(self.graded(queue), [])
        self.assertEqual((queue.cancelled, self.left_behind()), ([], [other.folder.name]))

    def test_a_call_that_was_killed_before_it_submitted_costs_nothing(self) -> None:
        (self.array(["1"]).folder / "array.json").unlink()
        queue = FakeQueue()
        self.assertEqual((self.graded(queue), self.left_behind()), ([], []))

    def test_this_machine_does_not_grade_what_is_in_the_queue(self) -> None:
        array = self.array(["1"])
        with self.assertRaisesRegex(GraderError, f"{array.name} to Slurm: --engine slurm collects it"):
            array_run.refuse_twice(self.home / "class.db", self.lab)
        spool.end(array)
        array_run.refuse_twice(self.home / "class.db", self.lab)

    def test_an_array_has_no_more_tasks_than_slurm_takes(self) -> None:
        queue = FakeQueue(limit=3)
        self.assertEqual(self.graded(queue), [])
        self.assertEqual(queue.submitted, [["1", "2", "3"], ["15"]])

    def test_an_array_that_slurm_does_not_take_is_forgotten(self) -> None:
        queue = FakeQueue()
        with mock.patch.object(queue, "submit", side_effect=GraderError("no such partition")):
            with self.assertRaisesRegex(GraderError, "no such partition"):
                self.graded(queue)
        self.assertEqual(self.left_behind(), [])


class Tasks(Case):
    """The program that a node runs."""

    def task(self, array: Array, *judges: str) -> int:
        """@judges: that of the tree when the task begins, and that when it ends."""
        seen = list(judges) or [fake_class.JUDGE] * 2
        with (
            mock.patch.object(sys, "argv", ["array_task", str(array.folder), "0"]),
            mock.patch.object(array_task, "choose", lambda *_: [self.lab]),
            mock.patch.object(digests, "of_judge", lambda *_: seen.pop(0)),
            mock.patch("signal.signal"),
        ):
            return array_task.main()

    def test_it_leaves_a_report(self) -> None:
        array = self.array(["15"])
        self.assertEqual(self.task(array), 0)
        found = spool.take(array, 0)
        assert found is not None and found.report is not None
        self.assertEqual(found.report, fake_class.report(15))

    def test_started_again_it_does_not_grade_again(self) -> None:
        array = self.array(["15"])
        spool.put(array, 0, Outcome(None, "as before", 0))
        self.assertEqual((self.task(array), self.prepared), (0, 0))

    def test_it_does_nothing_if_nobody_waits(self) -> None:
        array = self.array(["15"])
        spool.end(array)
        self.assertEqual((self.task(array), self.prepared), (0, 0))

    def test_tests_that_changed_meanwhile_give_no_result(self) -> None:
        for judges in (["new tests"], [fake_class.JUDGE, "new tests"]):
            array = self.array(["15"])
            self.assertEqual(self.task(array, *judges), 0)
            found = spool.take(array, 0)
            assert found is not None
            self.assertIn("have changed since", found.why)
            self.assertEqual(self.prepared, len(judges) - 1, "known at the beginning, it is not graded")

    def test_a_node_that_cannot_grade_says_so_and_fails(self) -> None:
        array = self.array(["15"])
        array.files(0).unlink()
        with mock.patch("sys.stderr") as log:
            self.assertEqual(self.task(array), 2)
        self.assertIn("0.files", str(log.write.call_args_list))
        self.assertIsNone(spool.take(array, 0))


class Commands(Case):
    """How Slurm's commands are called, by stand-ins that write down their arguments."""

    def stand_in(self, name: str, script: str) -> None:
        path = self.home / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def with_path(self) -> "mock._patch_dict":
        return mock.patch.dict(os.environ, PATH=f"{self.home / 'bin'}:/usr/bin:/bin")

    def test_options_of_the_user_cannot_replace_ours(self) -> None:
        self.stand_in("sbatch", f'printf "%s\\n" "$@" >{self.home}/said; cat >{self.home}/script')
        array = self.array(["1", "2"])
        with self.with_path():
            Slurm(Path("/the tree"), ["--array=7", "--time=20"], 3).submit(array)
        said = (self.home / "said").read_text().splitlines()
        self.assertLess(said.index("--array=7"), said.index("--array=0-1%3"))
        self.assertIn(f"--job-name={array.name}", said)
        self.assertIn("cd '/the tree' && exec", (self.home / "script").read_text())

    def test_why_slurm_takes_no_array_is_told(self) -> None:
        self.stand_in("sbatch", "echo sbatch: error: invalid partition >&2; exit 1")
        with self.with_path(), self.assertRaisesRegex(GraderError, "invalid partition"):
            Slurm(self.home, [], None).submit(self.array(["1"]))

    def test_a_machine_without_slurm_is_told(self) -> None:
        with mock.patch.dict(os.environ, PATH=str(self.home)):
            with self.assertRaisesRegex(GraderError, "squeue is not installed here.*slurm-client"):
                Slurm(self.home, [], None).tasks(self.array(["1"]))

    def test_what_the_queue_says(self) -> None:
        self.stand_in("squeue", "echo '0|RUNNING|None|7_0'; echo '1|PENDING|launch failed requeued held|7_1'")
        slurm = Slurm(self.home, [], None)
        with self.with_path():
            found = slurm.tasks(self.array(["1", "2"]))
        self.stand_in("squeue", "exit 1")
        with self.with_path():
            self.assertIsNone(slurm.tasks(self.array(["1", "2"])))
        assert found is not None
        self.assertEqual([(task.over, task.job) for task in found.values()], [(False, "7_0"), (True, "7_1")])


if __name__ == "__main__":
    unittest.main()
