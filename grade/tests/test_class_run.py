"""Grading a class: resuming, what is graded at all, and whose it is; without machines."""

import io
import os
import signal
import subprocess
import sys
import threading
import unittest
from contextlib import redirect_stderr, suppress
from dataclasses import replace
from datetime import UTC, datetime
from unittest import mock

from grade.build import BuildFailed, Product
from grade.course import class_run, entries, records, roster, standing
from grade.course.roster import Student
from grade.course.store import locked, opened
from grade.errors import GraderError
from grade.tests import fake_class
from grade.tests.fake import ROOT, AtHome
from grade.tests.fake_class import FILE, FakeGrader, hand_in
from tools.progress import Silent


class Case(AtHome):
    def setUp(self) -> None:
        super().setUp()
        self.folder = self.home / "handins"
        self.folder.mkdir()
        self.db = self.home / "class.db"

    def graded(self, judge: str = fake_class.JUDGE, *students: Student) -> list[str]:
        """Grades the class; what was graded, in order."""
        grader = FakeGrader()
        with opened(self.db, create=True) as store:
            fake_class.grade(store, self.lab, self.folder, grader, judge, students)
        return grader.graded

    def points(self) -> dict[str, float | None]:
        with opened(self.db) as store:
            return {s.student.id: s.points for s in standing.standings(store, self.lab.name)}

    def results(self) -> list[str]:
        with opened(self.db) as store:
            return [r.digest for r in records.results(store, self.lab.name)]


class Resume(Case):
    def test_killed_in_the_middle_it_goes_on_without_loss_or_double_work(self) -> None:
        for name, text in (("a", "1"), ("b", "2"), ("c", "block"), ("d", "4")):
            hand_in(self.folder, name, text)
        argv = [sys.executable, "-m", "grade.tests.fake_class", str(self.folder), str(self.db)]
        with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            stored = [process.stdout.readline() for _ in range(2)]
            os.kill(process.pid, signal.SIGKILL)
        self.assertEqual(process.returncode, -signal.SIGKILL)
        self.assertIn(b"points", stored[1])
        self.assertEqual(self.points(), {"a": 1, "b": 2, "c": None, "d": None})
        hand_in(self.folder, "c", "3")
        self.assertEqual(self.graded(), ["3", "4"])
        self.assertEqual(self.points(), {"a": 1, "b": 2, "c": 3, "d": 4})
        self.assertEqual(self.graded(), [])

    def test_a_kill_leaves_no_lock(self) -> None:
        hand_in(self.folder, "a", "block")
        argv = [sys.executable, "-c", "import sys; from pathlib import Path\n"
                "from grade.course.store import locked\n"
                "with locked(Path(sys.argv[1])):\n"
                "    print('in', flush=True)\n"
                "    sys.stdin.read()", str(self.db)]  # fmt: skip
        with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            with self.assertRaisesRegex(GraderError, "another trellis-grade"), locked(self.db):
                self.fail("two graders at once")
            process.kill()
        with locked(self.db):
            pass

    def test_an_error_in_the_middle_keeps_what_was_stored(self) -> None:
        hand_in(self.folder, "a", "1")
        hand_in(self.folder, "b", "no room")
        with opened(self.db, create=True) as store, self.assertRaises(GraderError):
            fake_class.grade(store, self.lab, self.folder, FakeGrader())
        self.assertEqual(self.points(), {"a": 1, "b": None})

    def test_nothing_is_graded_by_a_tree_that_has_changed_since_the_judge_was_asked_for(self) -> None:
        hand_in(self.folder, "a", "1")
        setting = class_run.Setting(self.home, self.home, 1)
        with opened(self.db, create=True) as store:
            wanted = fake_class.assignment(self.lab, self.folder)
            class_run.take_in(store, self.lab, self.folder, (), Silent())
            work = class_run.left(store, wanted)
            with (
                mock.patch("grade.course.class_run.engine_grader") as made,
                mock.patch("grade.course.digests.of_judge", side_effect=["another", fake_class.JUDGE]),
            ):
                made.return_value.__enter__.return_value = FakeGrader()
                with self.assertRaisesRegex(GraderError, "were changed .*: call again"):
                    class_run.grade_here(store, self.lab, wanted, setting, work)
                self.assertEqual(class_run.grade_here(store, self.lab, wanted, setting, work), [])
        self.assertEqual(self.points(), {"a": 1})

    def test_an_error_ends_the_other_gradings(self) -> None:
        hand_in(self.folder, "a", "block")
        hand_in(self.folder, "b", "no room")
        with opened(self.db, create=True) as store, self.assertRaises(GraderError):
            fake_class.grade(store, self.lab, self.folder, FakeGrader(), jobs=2)
        self.assertEqual(self.points(), {"a": None, "b": None})

    def test_a_grading_that_was_stopped_makes_no_further_run(self) -> None:
        stopping, seen = threading.Event(), list[str]()
        steps = class_run._Steps(seen.append, stopping)
        steps.step("one")
        stopping.set()
        with self.assertRaises(class_run.Stopped):
            steps.step("two")
        self.assertEqual(seen, ["one"])

    def test_what_the_machine_was_too_slow_for_is_no_result(self) -> None:
        hand_in(self.folder, "a", "7")
        with opened(self.db, create=True) as store:
            slow = fake_class.grade(store, self.lab, self.folder, FakeGrader(slow=True))
        self.assertEqual(self.results(), [])
        self.assertEqual(slow, ["a: no result: this machine was too slow for some runs; call again"])
        self.assertEqual(self.graded(), ["7"])

    def test_a_submission_that_cannot_be_graded_costs_the_others_nothing(self) -> None:
        hand_in(self.folder, "a", "sleeps")
        hand_in(self.folder, "b", "7")
        with opened(self.db, create=True) as store:
            troubles = fake_class.grade(store, self.lab, self.folder, FakeGrader())
        self.assertEqual(troubles, ["a: no result: a build for riscv did not end"])
        self.assertEqual(self.points(), {"a": None, "b": 7})

    def test_a_submission_that_the_grader_is_not_ready_for_costs_the_others_nothing(self) -> None:
        hand_in(self.folder, "a", "surprises")
        hand_in(self.folder, "b", "7")
        with opened(self.db, create=True) as store:
            troubles = fake_class.grade(store, self.lab, self.folder, FakeGrader())
        said = r"^a: no result: a fault of the grader, .*: AttributeError in fake_class.py:\d+: no start"
        self.assertRegex(troubles.pop(), said)
        self.assertEqual((troubles, self.points()), ([], {"a": None, "b": 7}))


class Room(Case):
    def test_a_class_does_not_fill_the_disk(self) -> None:
        """The kernels of a submission are gone when it is graded, also if the grading failed."""
        for fails in (False, True):
            kernel = self.home / "product" / "kernel.elf"
            kernel.parent.mkdir()
            kernel.write_bytes(b"large")
            built = {"riscv": Product(kernel, None), "x86_64": BuildFailed(["a.c:1: error"])}
            bench = mock.Mock(references={"riscv": None, "x86_64": None}, layout=None)
            grader = class_run._Engine(bench, self.lab, None, {}, threading.Event())
            runs = mock.Mock(side_effect=class_run.Stopped if fails else None, return_value=[])
            with mock.patch.multiple("grade.engine", build_submission=lambda *_: built, run_all=runs):
                with suppress(class_run.Stopped):
                    grader.grade({}, lambda _: None)
            self.assertTrue(runs.called)
            self.assertFalse(kernel.parent.exists())


class What(Case):
    def test_the_same_files_are_graded_once(self) -> None:
        for name in ("ann", "bob", "eve"):
            hand_in(self.folder, name, "9" if name == "eve" else "15")
        self.assertEqual(sorted(self.graded()), ["15", "9"])
        self.assertEqual(self.points(), {"ann": 15, "bob": 15, "eve": 9})

    def test_only_what_changed_is_graded_again(self) -> None:
        hand_in(self.folder, "ann", "1")
        hand_in(self.folder, "bob", "2")
        self.graded()
        hand_in(self.folder, "bob", "3")
        self.assertEqual(self.graded(), ["3"])
        self.assertEqual(self.graded("other tests"), ["1", "3"])
        self.assertEqual(self.graded(), [], "the first judge's results are still there")
        self.assertEqual(len(self.results()), 5)

    def test_the_result_that_counts_is_the_present_judges(self) -> None:
        hand_in(self.folder, "ann", "1")
        self.graded()
        with opened(self.db) as store:
            records.assign(store, fake_class.assignment(self.lab, self.folder, "new"))
            self.assertTrue(standing.standings(store, self.lab.name)[0].stale)
            digest = records.results(store, self.lab.name)[0].digest
            records.keep(store, self.lab.name, digest, "new", ["ann"], fake_class.report(5), 1.0)
            records.assign(store, fake_class.assignment(self.lab, self.folder))
        self.assertEqual(self.points(), {"ann": 1})

    def test_a_copy_with_a_later_time_is_no_new_hand_in(self) -> None:
        path = hand_in(self.folder, "ann", "1")
        os.utime(path, (1000, 1000))
        self.graded()
        os.utime(path, (2000, 2000))
        self.graded()
        with opened(self.db) as store:
            self.assertEqual(records.handins(store, self.lab.name)["ann"].at.timestamp(), 1000)

    def test_the_rosters_time_stays_where_only_the_commits_is_known(self) -> None:
        """`regrade` has no roster with times: a student's own clock must not make a late hand-in early."""
        known = entries.HandIn("ann", "ann", datetime(2026, 12, 2, tzinfo=UTC), "roster", {FILE: b"1"}, None)
        early = replace(known, at=datetime(2026, 11, 1, tzinfo=UTC), clock="commit")
        with opened(self.db, create=True) as store:
            for new in (early, known, early, replace(known, at=datetime(2026, 12, 3, tzinfo=UTC)), early):
                records.hand_in(store, self.lab.name, new, records.handins(store, self.lab.name).get("ann"))
            kept = records.handins(store, self.lab.name)["ann"]
            self.assertEqual(len(store.rows("SELECT 1 FROM handins")), 3)
        self.assertEqual((kept.at.day, kept.clock), (3, "roster"))

    def test_a_rejected_submission_has_no_points_and_says_why(self) -> None:
        (self.folder / "ann").mkdir()
        (self.folder / "bob.tar").write_bytes(b"no archive")
        self.assertEqual(self.graded(), [])
        with opened(self.db) as store:
            found = records.handins(store, self.lab.name)
            self.assertIn(FILE, str(found["ann"].rejected))
            self.assertTrue(found["bob"].rejected)
            said = class_run.summary(store, self.lab.name)
        self.assertEqual(self.points(), {"ann": 0, "bob": 0})
        self.assertIn(f"ann  the submission has no {FILE}", said)
        self.assertIn("0 graded, 2 rejected", said)


class Whose(Case):
    def test_names_of_entries(self) -> None:
        for name, wanted in (("ann.tar.gz", "ann"), ("a.b.ZIP", "a.b"), ("x.git", "x"), (".zip", ".zip")):
            self.assertEqual(entries.stem(name), wanted)

    def test_hostile_names_stay_text(self) -> None:
        names = [b"a b", b"o'neil", b"<script>", b"new\nline", b"\xff\xfe", b'"; DROP TABLE results; --']
        for name in names:
            hand_in(self.folder, os.fsdecode(name), "3")
        self.graded()
        wanted = {"a b", "o'neil", "<script>", "new\\nline", "\\xff\\xfe", '"; DROP TABLE results; --'}
        self.assertEqual(set(self.points()), wanted)

    def test_hidden_entries_are_left_out(self) -> None:
        hand_in(self.folder, ".DS_Store", "3")
        hand_in(self.folder, "__MACOSX", "3")
        self.assertEqual(entries.assigned(self.folder, []), ({}, []))

    def test_two_entries_of_one_student_are_told(self) -> None:
        hand_in(self.folder, "ann", "3")
        (self.folder / "ann.zip").touch()
        with self.assertRaisesRegex(GraderError, "ann has two entries, ann and ann.zip"):
            entries.assigned(self.folder, [])

    def test_the_roster_and_the_folder_differ(self) -> None:
        students = [Student("ann", "Ann Lee", "a@x"), Student("bob", "Bob", "b@x")]
        for name in ("Ann Lee_123_assignsubmission_file_", "mallory"):
            hand_in(self.folder, name, "3")
        with opened(self.db, create=True) as store:
            records.set_roster(store, students, "a test")
            read = class_run.take_in(store, self.lab, self.folder, students, Silent())
            found = {s.student.id: (s.state, s.listed) for s in standing.standings(store, self.lab.name)}
        self.assertEqual((read.strangers, read.entries), (["mallory"], 2))
        self.assertEqual(found, {"ann": (standing.WAITING, True), "bob": (standing.MISSING, True),
                                 "mallory": (standing.WAITING, False)})  # fmt: skip

    def test_a_time_that_is_still_to_come_is_told(self) -> None:
        """A clock was wrong, and its student would be late by years."""
        for name, at in (("ann", 1 << 32), ("bob", 1000)):
            os.utime(hand_in(self.folder, name, "3"), (at, at))
        with opened(self.db, create=True) as store, redirect_stderr(io.StringIO()) as said:
            read = class_run.take_in(store, self.lab, self.folder, [], Silent())
            class_run._told_of_folder(self.folder, read)
        told = r"^trellis-grade: ann: .* future, at 2106-.*, by the file's time;.*\n$"
        self.assertRegex(said.getvalue(), told)

    def test_a_stranger_who_is_found_on_a_better_roster_is_there_once(self) -> None:
        """Else the class's page lists two who have handed in the same files."""
        hand_in(self.folder, "Ann Lee_1", "3")
        hand_in(self.folder, "mallory", "4")
        self.graded(fake_class.JUDGE, Student("bob", "Bob", ""))
        self.assertEqual(self.points(), {"Ann Lee_1": 3, "bob": None, "mallory": 4})
        self.graded(fake_class.JUDGE, Student("bob", "Bob", ""), Student("7", "Ann Lee", ""))
        self.assertEqual(self.points(), {"7": 3, "bob": None, "mallory": 4})

    def test_what_the_machine_cannot_read_costs_nobody(self) -> None:
        hand_in(self.folder, "ann", "3")
        self.graded()
        with opened(self.db) as store, mock.patch("grade.intake.take", side_effect=OSError(5, "bad disk")):
            read = class_run.take_in(store, self.lab, self.folder, [], Silent())
        self.assertEqual(read.unread, ["ann: bad disk"])
        self.assertEqual(self.points(), {"ann": 3})

    def test_only_one_student_may_match(self) -> None:
        students = [Student("1", "Kim", ""), Student("2", "Kim", ""), Student("ann", "", "")]
        self.assertIsNone(roster.match(students, "kim_7"))
        self.assertEqual(roster.match(students, "ANN"), "ann")
        self.assertIsNone(roster.match(students, "ann-marie"))
        students += [Student("ann_lee", "", "")]
        for name in ("ann_lee_12_file", "Ann_Lee"):
            self.assertEqual(roster.match(students, name), "ann_lee", "the whole id, not a beginning")
        self.assertEqual(roster.match(students, "ann_le_12_file"), "ann")

    def test_letters_of_two_parts_are_those_of_one(self) -> None:
        """A Mac writes names of files with the first, a roster has the second."""
        students = [Student("1", "J\u00f6rg M\u00fcller", "")]
        self.assertEqual(roster.match(students, "Jo\u0308rg Mu\u0308ller_77_file"), "1")
        with self.assertRaisesRegex(GraderError, "row 3: .* is there twice"):
            self.read("id\nJ\u00f6rg\nJo\u0308rg\n".encode())

    def read(self, content: bytes) -> list[Student]:
        path = self.home / "r.csv"
        path.write_bytes(content)
        return roster.read(path)

    def test_tables_of_students(self) -> None:
        found = self.read(b"\xef\xbb\xbfID;Name;Handed in\r\n7;\"Lee; Ann\";2026-12-01T12:00+01:00\r\n\r\n")
        self.assertEqual((found[0].id, found[0].name), ("7", "Lee; Ann"))
        self.assertEqual(str(found[0].handed_in), "2026-12-01 11:00:00+00:00")
        for strange in ("\x0b", "\x85", "\u2028"):
            found = self.read(f"id,name\nann,A{strange}B\nbob,B\n".encode())
            self.assertEqual([s.id for s in found], ["ann", "bob"], "no line ends there")
        for content, words in (
            (b"name\nx\n", "one of them id"),
            (b"id\nx\nX\n", "row 3: X is there twice"),
            (b"id,name\n,Ann\n", "row 2: has no id"),
            (b"id,name\n\n", "names no student"),
            (b"id\n\xff\n", "not UTF-8"),
            (b"id,handed_in\nx,yesterday\n", "row 2, handed_in: 'yesterday' is no time"),
        ):
            with self.assertRaisesRegex(GraderError, words):
                self.read(content)

    def test_a_clone_has_the_time_of_its_commit(self) -> None:
        path = hand_in(self.folder, "ann", "3").parents[2]
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1",
                 "GIT_COMMITTER_DATE": "@86400 +0000", "GIT_AUTHOR_DATE": "@5 +0000"}  # fmt: skip
        name = ["-c", "user.name=a", "-c", "user.email=a@x"]
        for words in (["init", "-q"], ["add", "."], [*name, "commit", "-qm", "x\n\ncommitter a <a> 7 +0000"]):
            subprocess.run(["git", "-C", str(path), *words], env=clean, check=True)
        found = entries.read("ann", path, self.lab, None)
        self.assertEqual((found.at.timestamp(), found.clock), (86400, "commit"))
        by_roster = entries.read("ann", path, self.lab, Student("ann", "", "", found.at.replace(year=1999)))
        self.assertEqual((by_roster.at.year, by_roster.clock), (1999, "roster"))


if __name__ == "__main__":
    unittest.main()
