"""The commands of a class from end to end, with a grader that boots nothing."""

import os
import shutil
import subprocess
import tarfile
import tempfile
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from grade.course import class_run, digests, records
from grade.course.store import opened
from grade.lab import Lab, load
from grade.tests.fake import ROOT
from grade.tests.fake_class import FakeGrader
from grade.tests.test_class_store import call


class Commands(unittest.TestCase):
    def setUp(self) -> None:
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = Path(home.name)
        self.lab = load(ROOT / "labs/04-sleep")
        self.folder = self.home / "handins"
        self.db = self.home / "class.db"
        self.grader = FakeGrader()
        self._patch(class_run, "engine_grader", self._opened)

    def _patch(self, where: object, name: str, new: Callable[..., object]) -> None:
        patched = mock.patch.object(where, name, new)
        patched.start()
        self.addCleanup(patched.stop)

    @contextmanager
    def _opened(self, *_: object) -> Iterator[FakeGrader]:
        self.grader = FakeGrader()
        yield self.grader

    def hand_in(self, name: str, text: str, lab: Lab | None = None) -> Path:
        for file in (lab or self.lab).files:
            path = self.folder / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return self.folder / name

    def command(self, *arguments: str, status: int = 0) -> tuple[str, str]:
        found, out, err = call(arguments[0], *arguments[1:], "--db", str(self.db))
        self.assertEqual(found, status, err)
        return out, err

    def class_call(self, *more: str) -> tuple[str, str]:
        return self.command("class", str(self.folder), "--lab", "04-sleep", "--jobs", "1", *more)

    def test_a_class_from_hand_ins_to_pages(self) -> None:
        roster = self.home / "students.csv"
        roster.write_text("id,name,email\nann,Ann,\nbob,Bob,\nzoe,Zoe,\n")
        self.hand_in("ann", "10")
        with tarfile.open(self.folder / "bob.tar.gz", "w:gz") as tar:
            tar.add(self.hand_in("tmp", "15"), arcname="handin-04-sleep")
        shutil.rmtree(self.folder / "tmp")
        out, _ = self.class_call("--roster", str(roster))
        self.assertIn("     10  ann\n     15  bob\n         zoe  missing\n", out)
        self.assertIn("2 graded, 0 rejected, 1 missing", out)
        self.command("gradebook", "--out", str(self.home / "book"))
        names = {path.name for path in (self.home / "book").iterdir()}
        self.assertLessEqual({"index.html", "student-zoe.html", "gradebook.csv"}, names)

    def test_a_bundle(self) -> None:
        path = self.hand_in("tmp", "7")
        who = ["-c", "user.name=a", "-c", "user.email=a@x"]
        bundle = ["bundle", "create", "-q", str(self.folder / "ann.bundle"), "HEAD"]
        for words in (["init", "-q"], ["add", "."], [*who, "commit", "-qm", "x"], bundle):
            subprocess.run(["git", "-C", str(path), *words], check=True)
        shutil.rmtree(path)
        self.assertIn("      7  ann\n", self.class_call()[0])

    def clone(self, name: str, **branches: str) -> None:
        """A clone whose files are on main "0", and on each of @branches its text."""
        folder = self.hand_in(name, "0")
        git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b"]
        date = {"GIT_COMMITTER_DATE": "@86400 +0000"}
        subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
        for branch, text in {"main": "0", **branches}.items():
            self.hand_in(name, text)
            subprocess.run([*git, "checkout", "-q", "-B", branch], check=True)
            subprocess.run([*git, "add", "-A"], check=True)
            there = {**os.environ, **(date if branch != "main" else {})}
            subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", branch], check=True, env=there)
        subprocess.run([*git, "checkout", "-q", "main"], check=True)

    def test_the_branch_that_counts(self) -> None:
        self.clone("ann", submit="10")
        self.clone("bob", other="15")
        self.hand_in("cid", "12")
        out, err = self.class_call("--branch", "submit")
        self.assertRegex(out, r"(?m)^ +10  ann$")
        refused = "not taken: the clone has no branch submit; it has main, other"
        self.assertRegex(out, rf"(?m)^ +0  bob  {refused}$")
        self.assertRegex(out, r"(?m)^ +12  cid$", "a folder without git has no branches")
        self.assertIn("branch submit", self.command("audit")[0])
        with opened(self.db) as store:
            handed_in = records.handins(store, "04-sleep")["ann"].at
        self.assertEqual(handed_in.timestamp(), 86400, "the branch's commit, not that of HEAD")
        self.clone("bob", submit="15")
        self.assertRegex(self.command("regrade")[0], r"(?m)^ +15  bob$")
        out, _ = self.class_call()
        self.assertRegex(out, r"(?m)^ +0  ann$")

    def test_regrade_does_only_what_changed(self) -> None:
        self.hand_in("ann", "1")
        self.hand_in("bob", "2")
        self.class_call()
        _, said = self.command("regrade")
        self.assertIn("nothing to grade", said)
        self.hand_in("bob", "3")
        self.command("regrade")
        self.assertEqual(self.grader.graded, ["3"])
        changed = mock.patch.object(digests, "paths", lambda *_: [ROOT / "README.md"])
        with changed:
            self.command("regrade")
        self.assertEqual(self.grader.graded, ["1", "3"])

    def test_a_report_of_another_version_of_the_grader(self) -> None:
        self.hand_in("ann", "1")
        self.class_call()
        with mock.patch("grade.results.VERSION", 99):
            _, said = self.command("gradebook", "--out", str(self.home / "book"), status=2)
        self.assertIn("known is 99; trellis-grade regrade makes a new one", said)

    def test_without_its_folder_a_class_is_graded_from_what_was_read(self) -> None:
        self.hand_in("ann", "1")
        self.class_call()
        shutil.rmtree(self.folder)
        with mock.patch.object(digests, "paths", lambda *_: []):
            out, said = self.command("regrade")
        self.assertIn("is gone", said)
        self.assertEqual((self.grader.graded, out.splitlines()[0]), (["1"], "      1  ann"))

    def test_two_labs_in_one_file(self) -> None:
        self.hand_in("ann", "1")
        self.class_call()
        self.hand_in("ann", "2", load(ROOT / "labs/06-kill"))
        with mock.patch("grade.tests.fake_class.FILE", "kernel/process/kill.c"):
            self.command("class", str(self.folder), "--lab", "06-kill", "--jobs", "1")
        _, said = self.command("gradebook", "--out", str(self.home / "book"), status=2)
        self.assertIn("name one of its labs with --lab; there is 04-sleep, 06-kill", said)
        self.command("gradebook", "--out", str(self.home / "book"), "--lab", "06-kill")

    def test_help_teaches(self) -> None:
        status, out, _ = call("class", "--help")
        self.assertEqual(status, 0)
        for words in ("trellis-grade class handins --lab 06-kill", "at most 5 days", "Exit status: 0"):
            self.assertIn(words, out)


if __name__ == "__main__":
    unittest.main()
