"""The database of a class: append-only, migrated, and in trouble; corrections by hand; late hand-ins."""

import io
import sqlite3
import unittest
from contextlib import closing, redirect_stderr, redirect_stdout
from datetime import timedelta
from unittest import mock

from grade.cli import main
from grade.course import changes, class_run, digests, late, records, schema, standing, store
from grade.course.records import Override
from grade.course.store import explained, migrate, opened
from grade.errors import GraderError
from grade.lab import load
from grade.tests import fake_class
from grade.tests.fake import ROOT, AtHome
from grade.tests.fake_class import FakeGrader, hand_in
from labs import contents
from tools.progress import Silent


def call(*arguments: str) -> tuple[int, str, str]:
    """Status, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            status = main(list(arguments))
        except SystemExit as e:
            status = int(str(e.code))
    return status, out.getvalue(), err.getvalue()


class Case(AtHome):
    def setUp(self) -> None:
        super().setUp()
        self.db = self.home / "class.db"
        self.folder = self.home / "handins"

    def graded(self) -> None:
        """A class of two."""
        hand_in(self.folder, "ann", "10")
        hand_in(self.folder, "bob", "15")
        with opened(self.db, create=True) as found:
            fake_class.grade(found, self.lab, self.folder, FakeGrader())

    def trouble(self, *arguments: str) -> str:
        status, out, err = call(*arguments)
        self.assertEqual((status, out, err.count("\n")), (2, "", 1), err)
        return err


class File(Case):
    def test_no_row_is_changed_or_deleted(self) -> None:
        self.graded()
        with closing(sqlite3.connect(self.db)) as connection:
            tables = [r[0] for r in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            self.assertGreaterEqual(len(tables), 8)
            for table in tables:
                for trigger in ("update", "delete"):
                    query = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name = ?"
                    self.assertEqual(connection.execute(query, (f"{table}_no_{trigger}",)).fetchone()[0], 1)
            for words in ("UPDATE results SET earned = 15", "DELETE FROM events"):
                with self.assertRaisesRegex(sqlite3.DatabaseError, "append-only"):
                    connection.execute(words)

    def test_it_is_one_file_with_a_version(self) -> None:
        self.graded()
        self.assertEqual([p.name for p in self.home.glob("class.db*")], ["class.db"])
        with closing(sqlite3.connect(self.db)) as connection:
            self.assertEqual(connection.execute("PRAGMA user_version").fetchone()[0], schema.VERSION)
            self.assertEqual(connection.execute("PRAGMA journal_mode").fetchone()[0], "wal")

    def test_bytes_of_a_command_line_are_kept_as_text(self) -> None:
        with opened(self.db, create=True) as found:
            with found.change("test", "a\udcff"):
                pass
            self.assertEqual(found.events()[0].said, "a\\xff")

    def test_a_transaction_is_whole_or_nothing(self) -> None:
        with opened(self.db, create=True) as found:
            with self.assertRaises(KeyboardInterrupt), found.change("test", "half"):
                raise KeyboardInterrupt
            self.assertEqual(found.events(), [])

    def old(self) -> None:
        """A file of version 1 with a graded class."""

        def assign(found: store.Store, new: records.Assignment) -> None:
            with found.change("assign", "a folder", lab=new.lab) as event:
                found.add("assignments", event=event, lab=new.lab, folder=str(new.folder),
                          arches="riscv", seeds=None, judge=new.judge)  # fmt: skip

        with mock.patch.multiple(store, VERSION=1, MIGRATIONS=schema.MIGRATIONS[:1]):
            hand_in(self.folder, "ann", "10")
            with (
                opened(self.db, create=True) as found,
                mock.patch.multiple(records, set_roster=mock.DEFAULT, assign=assign, roster=lambda _: []),
            ):
                fake_class.grade(found, self.lab, self.folder, FakeGrader())

    def test_an_old_file_is_refused_then_migrated(self) -> None:
        self.old()
        said = self.trouble("audit", "--db", str(self.db))
        self.assertIn(f"trellis-grade db migrate {self.db}", said)
        steps = "".join(f"{self.db}: version {n} -> {n + 1}\n" for n in range(1, schema.VERSION))
        self.assertEqual(call("db", "migrate", str(self.db)), (0, steps, ""))
        with opened(self.db) as found:
            kept = records.assignment(found, self.lab.name)
            assert kept is not None
            self.assertEqual((kept.folder, kept.branch), (self.folder, None))
            self.assertEqual([s.points for s in standing.standings(found, self.lab.name)], [10])
            self.assertEqual(found.events()[-1].kind, "migrate")
        self.assertEqual(migrate(self.db), [f"{self.db}: has version {schema.VERSION} already"])

    def test_a_new_file_is_of_this_version_or_empty(self) -> None:
        broken = (*schema.MIGRATIONS[:1], "CREATE TABLE events (x);\n")
        with mock.patch.object(store, "MIGRATIONS", broken), self.assertRaises(GraderError):
            with opened(self.db, create=True):
                pass
        with opened(self.db, create=True) as found:
            self.assertEqual(found.events(), [])

    def test_a_migration_that_fails_leaves_the_old_file(self) -> None:
        self.old()
        broken = (schema.MIGRATIONS[0], "CREATE TABLE one (x);\nCREATE TABLE events (x);\n")
        with mock.patch.object(store, "MIGRATIONS", broken), self.assertRaises(GraderError):
            migrate(self.db)
        with closing(sqlite3.connect(self.db)) as connection:
            self.assertEqual(connection.execute("PRAGMA user_version").fetchone()[0], 1)
            left = connection.execute("SELECT name FROM sqlite_master WHERE name = 'one'").fetchall()
        self.assertEqual(left, [])

    def test_files_that_are_not_ours(self) -> None:
        self.assertIn("no such file", self.trouble("audit", "--db", str(self.db)))
        self.db.write_text("not a database, but a text of some length" * 100)
        said = self.trouble("audit", "--db", str(self.db))
        self.assertIn("no database of a class, or damaged", said)
        self.assertNotIn("is kept", said)
        self.db.unlink()
        with closing(sqlite3.connect(self.db)) as connection:
            connection.execute("CREATE TABLE holidays (x)")
        self.assertIn("not one of a class", self.trouble("audit", "--db", str(self.db)))

    def test_a_newer_file_is_refused(self) -> None:
        self.graded()
        with closing(sqlite3.connect(self.db)) as connection:
            connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
        self.assertIn("newer grader", self.trouble("audit", "--db", str(self.db)))
        self.assertIn("newer grader", self.trouble("db", "migrate", str(self.db)))

    def test_a_locked_file_says_what_to_do(self) -> None:
        self.graded()
        with closing(sqlite3.connect(self.db)) as other, mock.patch.object(store, "_WAIT_S", 0.01):
            other.execute("BEGIN IMMEDIATE")
            said = self.trouble("override", "--db", str(self.db), "--student", "ann", "--points", "1",
                                "--reason", "x", "--author", "me")  # fmt: skip
        self.assertIn("another program is writing to it", said)
        self.assertIn("is kept", said)

    def test_a_full_disk_says_what_to_do_and_loses_nothing(self) -> None:
        self.graded()
        with opened(self.db) as found:
            pages = found.rows("PRAGMA page_count")[0][0]
            found.rows(f"PRAGMA max_page_count = {pages}")  # SQLite's own way to run out of room
            with self.assertRaisesRegex(GraderError, "no room is left"):
                with found.change("test", "x" * 1_000_000):
                    pass
            self.assertNotIn("test", [e.kind for e in found.events()])
            self.assertEqual(len(records.results(found, self.lab.name)), 2)

    def test_each_error_names_the_file_and_promises_no_more_than_it_can(self) -> None:
        for error, words, kept in (
            ("disk I/O error", "disk reports an error, as some do when they are full", False),
            ("database disk image is malformed", "damaged: take a copy from your backup", False),
            ("attempt to write a readonly database", "or copy it, .* to a folder of your own", True),
        ):
            with self.assertRaisesRegex(GraderError, rf"class\.db: .*{words}") as raised, explained(self.db):
                raise sqlite3.OperationalError(error)
            self.assertEqual("is kept" in str(raised.exception), kept, error)


class ByHand(Case):
    def points(self) -> dict[str, float | None]:
        with opened(self.db) as found:
            return {s.student.id: s.points for s in standing.standings(found, self.lab.name)}

    def override(self, student: str, points: str, reason: str = "it was fair") -> str:
        status, out, err = call("override", "--db", str(self.db), "--student", student, "--points", points,
                                "--reason", reason, "--author", "prof")  # fmt: skip
        self.assertEqual(status, 0, err)
        return out

    def test_points_are_set_added_and_taken_away(self) -> None:
        self.graded()
        self.assertEqual(self.override("ann", "+2.5"), "ann: 10 -> 12.5 points\n")
        self.override("ann", "-1")
        self.assertEqual(self.points(), {"ann": 11.5, "bob": 15})
        self.override("ann", "4")
        self.override("bob", "-99")
        self.assertEqual(self.points(), {"ann": 4, "bob": 0})

    def test_a_correction_outlives_a_grading(self) -> None:
        self.graded()
        self.override("ann", "+1")
        hand_in(self.folder, "ann", "12")
        with opened(self.db) as found:
            fake_class.grade(found, self.lab, self.folder, FakeGrader())
        self.assertEqual(self.points()["ann"], 13)

    def test_a_correction_is_undone_and_what_is_graded_counts_again(self) -> None:
        self.graded()
        self.override("ann", "4")
        self.override("ann", "+1")
        number = changes.audit(self.db)[-2].split()[0]
        undo = ("override", "--db", str(self.db), "--undo", number, "--reason", "wrong student")
        self.assertEqual(call(*undo, "--author", "prof"), (0, "ann: 5 -> 11 points\n", ""))
        said = f"prof         undo      04-sleep  ann: correction {number}: wrong student"
        self.assertIn(said, changes.audit(self.db)[-1])
        self.assertIn(f"no correction {number} to undo", self.trouble(*undo))
        self.assertIn("must not be empty", self.trouble(*undo[:-1], " "))
        for words in (("--student", "ann"), ("--student", "ann", "--undo", "1"), ()):
            said = self.trouble("override", "--db", str(self.db), *words, "--reason", "x")
            self.assertIn("needs --student and --points, or --undo alone", said)

    def test_a_correction_of_what_is_not_graded_yet_is_no_grade(self) -> None:
        """Else the table for Moodle has it as all that the student got."""
        self.graded()
        hand_in(self.folder, "ann", "12")
        with opened(self.db) as found:
            class_run.take_in(found, self.lab, self.folder, (), Silent())
        self.assertEqual(self.override("ann", "+1"), "ann: counts as soon as the hand-in is graded\n")
        self.assertEqual(self.points()["ann"], None)
        self.override("ann", "7")
        self.assertEqual(self.points()["ann"], 7)

    def test_the_audit_has_every_change_in_order(self) -> None:
        self.graded()
        self.override("ann", "+2", "an appeal")
        with opened(self.db) as found:
            records.override(found, self.lab.name, Override("ann", "+", 1, "x", "a\tb\nc"))
        lines = changes.audit(self.db)
        self.assertIn("a\\tb\\nc", lines.pop())
        kinds = [line.split()[3] for line in lines]
        self.assertEqual(kinds, ["assign", "hand-in", "hand-in", "grade", "grade", "override"])
        self.assertIn("prof", lines[-1])
        self.assertIn("04-sleep  ann: +2 points: an appeal", lines[-1])

    def test_nonsense_is_refused(self) -> None:
        self.graded()
        for student, points, reason, words in (
            ("zoe", "1", "x", "has no student zoe"),
            ("ann", "1/0", "x", "must be points such as"),
            ("ann", "nan", "x", "must be points such as"),
            ("ann", "1", " ", "--reason: must not be empty"),
        ):
            said = self.trouble("override", "--db", str(self.db), "--student", student, "--points", points,
                                "--reason", reason)  # fmt: skip
            self.assertIn(words, said)

    def test_files_come_out_as_they_were_graded(self) -> None:
        self.graded()
        with opened(self.db) as found:
            out = self.home / "out"
            changes.extract(found, self.lab.name, "ann", out)
            self.assertEqual((out / fake_class.FILE).read_text(), "10")
            with self.assertRaisesRegex(GraderError, "is not empty"):
                changes.extract(found, self.lab.name, "bob", out)


class LateHandIns(Case):
    def test_a_date_alone_is_no_time(self) -> None:
        """It would be the first moment of the day on which most hand in."""
        for text in ("2026-12-01", "20261201", "tomorrow"):
            with self.assertRaisesRegex(GraderError, f"due: '{text}' is no time such as 2026-12-01T23:59"):
                late.moment(text, "due")
        self.assertEqual(str(late.moment("2026-12-01 23:59Z", "due")), "2026-12-01 23:59:00+00:00")

    def test_what_being_late_costs(self) -> None:
        due = late.moment("2026-12-01T23:59+00:00", "due")
        policy = late.parse("10%/day, grace 1h, at most 5 days")
        for by, kept in (
            (timedelta(0), 1.0),
            (timedelta(days=-3), 1.0),
            (timedelta(hours=1), 1.0),
            (timedelta(hours=1, seconds=1), 0.9),
            (timedelta(days=1), 0.9),
            (timedelta(days=1, seconds=1), 0.8),
            (timedelta(days=5), 0.5),
            (timedelta(days=5, seconds=1), 0.0),
        ):
            with self.subTest(by):
                self.assertAlmostEqual(late.lateness(policy, due, due + by).kept, kept)
        self.assertEqual(late.lateness(late.parse("30% / week"), due, due + timedelta(weeks=9)).kept, 0.0)
        self.assertEqual(late.lateness(late.parse(""), due, due + timedelta(weeks=9)).kept, 1.0)

    def test_policies_that_make_no_sense(self) -> None:
        for text in ("10%", "110%/day", "grace", "1%/day, 2%/day", "-5%/day", "at most 99999999999999 weeks"):
            with self.subTest(text), self.assertRaises(GraderError):
                late.parse(text)

    def test_points_after_a_late_hand_in(self) -> None:
        self.graded()
        with opened(self.db) as found:
            at = records.handins(found, self.lab.name)["ann"].at
            records.set_policy(found, self.lab.name, at - timedelta(hours=30), "10%/day")
            ann = standing.standings(found, self.lab.name)[0]
            self.assertEqual((ann.points, ann.cost, ann.earned), (8, 2, 10))
            records.override(found, self.lab.name, Override("ann", "+", 1, "x", "me"))
            self.assertEqual(standing.standings(found, self.lab.name)[0].points, 9)
            records.set_policy(found, self.lab.name, at, "10%/day")
            self.assertEqual(standing.standings(found, self.lab.name)[0].points, 11)
            self.assertEqual([e.kind for e in found.events()].count("policy"), 2)

    def test_a_policy_needs_a_due_time(self) -> None:
        self.folder.mkdir()
        class_call = ("class", str(self.folder), "--lab", "04-sleep", "--db", str(self.db))
        self.assertIn("needs --due", self.trouble(*class_call, "--late", "10%/day"))
        self.assertIn("is no time", self.trouble(*class_call, "--due", "Friday"))
        self.assertFalse(self.db.exists())

    def test_the_course_file_has_them_too(self) -> None:
        path = self.home / "course.toml"
        path.write_text('[due]\n04-sleep = 2026-12-01T23:59:00\n[late]\n04-sleep = "10%/hour, nonsense"\n')
        self.folder.mkdir()
        said = self.trouble("class", str(self.folder), "--lab", "04-sleep", "--course", str(path))
        self.assertIn("'nonsense' is not understood", said)
        path.write_text("[due]\n04-sleeep = 2026-12-01T23:59:00\n")
        said = self.trouble("class", str(self.folder), "--lab", "04-sleep", "--course", str(path))
        self.assertIn("[due] names 04-sleeep, which is no lab", said)
        path.write_text('[due]\n04-sleep = 2026-12-01T23:59:00Z\n[late]\n04-sleep = "10%/hour"\n')
        said = self.trouble("class", str(self.folder), "--lab", "04-sleep", "--course", str(path),
                            "--db", str(self.db))  # fmt: skip
        self.assertIn("is empty", said)
        self.assertIn("due 2026-12-01T23:59:00+00:00, late: 10%/hour", changes.audit(self.db)[0])


class Shipped(unittest.TestCase):
    def test_students_do_not_get_it(self) -> None:
        found = contents.programs(ROOT)
        self.assertIn("grade/cli.py", found)
        self.assertEqual([p for p in found if p.startswith(("grade/course/", "grade/instructors"))], [])


class Digests(unittest.TestCase):
    def test_files(self) -> None:
        one = digests.of_files({"a": b"x", "b": b"y"})
        self.assertEqual(one, digests.of_files({"b": b"y", "a": b"x"}))
        for other in ({"a": b"xb", "": b"y"}, {"a": b"x"}, {"a": b"y", "b": b"x"}):
            self.assertNotEqual(one, digests.of_files(other))

    def test_stored_files_come_back_and_are_checked(self) -> None:
        files = {"a.c": "é\r\n\0".encode(), "b.c": b"\xff\xfe"}
        packed = digests.pack(files)
        self.assertEqual(digests.unpack(packed, digests.of_files(files)), files)
        with self.assertRaisesRegex(GraderError, "damaged"):
            digests.unpack(packed, digests.of_files({}))
        with self.assertRaisesRegex(GraderError, "damaged"):
            digests.unpack(packed[:20] + b"\xff" * 9 + packed[29:], digests.of_files(files))

    def test_what_decides_a_verdict(self) -> None:
        """The lab's tests and the judges of the trace do; the students' files and the handout do not."""
        found = load(ROOT / "labs/06-kill")
        paths = {p.relative_to(ROOT).as_posix() for p in digests.paths(ROOT, found)}
        for path in ("labs/06-kill/lab.toml", "labs/06-kill/tests/kill.c", "labs/06-kill/scenarios/kill.c",
                     "kernel/sched/wait.c", "grade/properties.py", "grade/verdict.py", "tools/qemu.py",
                     "Makefile", "make/kernel.mk"):  # fmt: skip
            self.assertIn(path, paths)
        for path in ("kernel/process/kill.c", "labs/06-kill/README.md", "grade/cli.py", "grade/__init__.py",
                     "grade/course/pages.py", "labs/06-kill/mutants/no-ipi.patch",
                     "labs/04-sleep/lab.toml", "docs/kill.md"):  # fmt: skip
            self.assertNotIn(path, paths)
        one = digests.of_judge(ROOT, found, ("riscv",), None)
        self.assertEqual(one, digests.of_judge(ROOT, found, ("riscv",), None))
        self.assertNotEqual(one, digests.of_judge(ROOT, found, ("riscv",), 3))


if __name__ == "__main__":
    unittest.main()
