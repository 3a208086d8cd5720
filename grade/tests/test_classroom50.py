"""The autograder for Classroom 50, run as its runner runs one, and what students may read in it."""

import io
import json
import os
import subprocess
import sys
import tarfile
import unittest
from pathlib import Path
from unittest.mock import patch

import jsonschema

from grade import classroom50
from grade.errors import GraderError
from grade.formats import write
from grade.lab import ARCHES, load_all
from grade.results import VERSION, Report, lab_result
from grade.score import Outcome, Run, score
from grade.tests import published
from grade.tests.fake import LAYOUT, ROOT, AtHome, evidence, messages
from grade.verdict import judge
from labs.handin import archive
from labs.repository import EXECUTABLE
from tools.progress import Silent

_GRADER = f"""#!{sys.executable}
import os, shutil, sys
said = sys.argv[1:]
with open(os.environ["LOG"], "a") as log:
    log.write(" ".join(said) + "\\n")
if said[0] == "report":
    os.execv("{ROOT}/grade/trellis-grade", ["trellis-grade", *said])
shutil.copy(os.environ["MADE"] + "/report.json", said[said.index("--json") + 1])
shutil.copy(os.environ["MADE"] + "/report.txt", said[said.index("--report") + 1])
sys.exit(int(os.environ["STATUS"]))
"""
_MAKEFILE = 'setup:\n\t@echo setup >> "$$LOG"\n'
_SLUG = "sleep-2026"


class Platform(AtHome):
    """The folders of a run: the classroom's site, the student's checkout, the runner's own."""

    def setUp(self) -> None:
        super().setUp()
        self.checkout, self.made, self.temporary = (self.home / n for n in ("co", "made", "runner"))
        for folder in (self.checkout, self.made, self.temporary):
            folder.mkdir()
        git = ["git", "-C", str(self.checkout), "-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "a"], check=True)
        (self.home / "sudo").write_text('#!/bin/sh\nshift\nexec "$@"\n')
        (self.home / "sudo").chmod(0o755)
        files = {"grade/trellis-grade": _GRADER.encode(), "Makefile": _MAKEFILE.encode()}
        self.tree = archive("trellis", files, EXECUTABLE)
        self.log = self.home / "log"

    def report_of(self, said: str) -> None:
        lines = ("begin 1", "test sleep.due", f"fail P4.2 a.c:1 7 {said}", "sum P4.2 1 1")
        kernel = messages(*lines, "done sleep.due", "end 1 1 1")
        bad = judge(self.lab, self.lab.test("sleep.due"), evidence(kernel))
        outcomes = [Outcome(Run("riscv", "sleep.due", 1, 1), bad)]
        result = lab_result(score(self.lab, outcomes), LAYOUT, None)
        write(Report(VERSION, None, ARCHES, (result,)), self.made)

    def published(self, arch: str = "all") -> bytes:
        """The assignment's archive, as the classroom's site is made: <slug>/<files>."""
        folder = self.home / "autograders" / _SLUG
        classroom50.write(self.tree, arch, folder)
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            tar.add(folder, _SLUG)
        return out.getvalue()

    def graded(self, bundle: bytes, status: int = 1) -> int:
        """Runs the autograder by the contract that published.py names: the variables, the student's checkout
        as the working directory, the Python that runs the runner."""
        place = self.temporary / "classroom50-runtime"
        place.mkdir()
        subprocess.run(["tar", "-xzf", "-", "-C", str(place)], input=bundle, check=True)
        runner = published.CLASSROOM50_ENVIRONMENT | {
            "ASSIGNMENT": _SLUG,
            "CLASSROOM50_BUNDLE_DIR": str(place / _SLUG),
            "RUNNER_TEMP": str(self.temporary),
        }
        ours = {"LOG": str(self.log), "MADE": str(self.made), "STATUS": str(status)}
        path = f"{self.home}:{os.environ['PATH']}"
        argv = [sys.executable, str(place / _SLUG / "autograder.py")]
        env = {**os.environ, **runner, **ours, "PATH": path}
        done = subprocess.run(argv, cwd=self.checkout, env=env, capture_output=True, text=True, check=False)
        self.said = done.stdout
        return done.returncode


class Autograder(Platform):
    def test_a_submission_is_graded(self) -> None:
        self.report_of("they left one a tick")
        self.assertEqual(self.graded(self.published("riscv")), 0)
        setup, run, made = self.log.read_text().splitlines()
        self.assertEqual(setup, "setup")
        self.assertIn(f"run --arch riscv --submission {self.checkout} --json", run)
        self.assertIn("report --as classroom50", made)
        result = json.loads((self.checkout / "result.json").read_text())
        jsonschema.validate(result, published.CLASSROOM50)
        self.assertEqual(published.classroom50_faults(result), [])
        self.assertEqual((result["assignment"], result["max-score"]), (_SLUG, 1500))
        self.assertIn("one a tick", (self.checkout / "release-body.md").read_text())
        self.assertEqual(list(self.temporary.iterdir()), [self.temporary / "classroom50-runtime"])

    def test_nothing_in_a_report_ends_its_block_or_commands_the_runner(self) -> None:
        self.report_of("x")
        (self.made / "report.txt").write_text("````\n::error::they left\n")
        self.assertEqual(self.graded(self.published()), 0)
        body = (self.checkout / "release-body.md").read_text()
        self.assertEqual(body, "`````text\n````\n::error::they left\n`````\n")
        self.assertIn("they left", self.said)
        self.assertFalse([line for line in self.said.splitlines() if line.startswith("::")])

    def test_a_long_report_fits_into_a_release(self) -> None:
        self.report_of("x")
        (self.made / "report.txt").write_text("a line\n" * 40_000)
        self.assertEqual(self.graded(self.published()), 0)
        body = (self.checkout / "release-body.md").read_text()
        self.assertLess(len(body), 125_000)
        self.assertTrue(body.endswith("a line\n[cut: the whole report is longer]\n```\n"), body[-80:])

    def test_no_result_of_a_machine_in_trouble(self) -> None:
        self.report_of("x")
        self.assertEqual(self.graded(self.published(), 2), 2)
        self.assertFalse((self.checkout / "result.json").exists())


class Bundle(Platform):
    def test_equal_trees_make_equal_files(self) -> None:
        names = []
        for out in (self.home / "a", self.home / "b"):
            classroom50.write(self.tree, "all", out)
            names.append({path.name: path.read_bytes() for path in out.iterdir()})
        self.assertEqual(names[0], names[1])
        self.assertEqual(set(names[0]), set(classroom50.FILES))

    def test_more_than_the_runner_fetches(self) -> None:
        with self.assertRaisesRegex(GraderError, "fetches at most 10"):
            classroom50.write(bytes(classroom50.LARGEST), "all", self.home / "a")

    def test_students_can_read_no_solution_in_it(self) -> None:
        labs = {lab.name: lab for lab in load_all(ROOT)}
        lab = labs["06-kill"]
        with patch("labs.repository.objects", return_value={}):
            tree = classroom50.student_tree(lab.name, None, ROOT / "build", Silent())
        with tarfile.open(fileobj=io.BytesIO(tree)) as tar:
            names = {name.removeprefix("trellis/") for name in tar.getnames()}
            grader = tar.getmember("trellis/grade/trellis-grade")
            starter = tar.extractfile(f"trellis/{lab.files[0]}")
            assert starter is not None
            self.assertIn(b"lab_todo(", starter.read())
        self.assertTrue(grader.mode & 0o100)
        hidden = {n for n in names if "/mutants/" in n or "/variants/" in n or "/hidden_" in n}
        self.assertEqual(hidden, set())
        later = {file for other in labs.values() if other.name > lab.name for file in other.files}
        self.assertEqual(names & later, set())

    def test_a_course_without_the_lab(self) -> None:
        course = self.home / "course.toml"
        course.write_text('labs = ["02-threads"]\n')
        with self.assertRaisesRegex(GraderError, "course.toml: the course has no lab 06-kill; it has 02-thr"):
            classroom50.student_tree("06-kill", course, ROOT / "build", Silent())


if __name__ == "__main__":
    unittest.main()
