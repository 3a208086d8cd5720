"""The zip file for Gradescope: what is in it, and that its scripts do as the platform wants."""

import os
import stat
import subprocess
import tempfile
import unittest
import zipfile
from pathlib import Path

from grade import bundle

_GRADER = """#!/bin/sh
echo "$@" >> "$LOG"
case $1 in
run) exit "${STATUS:-0}" ;;
report) echo '{"score": 3}' ;;
esac
"""


class Bundle(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)
        self.root = self.home / "tree"
        for name in ("grade/trellis-grade", "kernel/a.c", "build/old.o", ".git/HEAD"):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(_GRADER if name.endswith("grade") else name)
        (self.root / "grade/trellis-grade").chmod(0o755)
        (self.root / "kernel/link").symlink_to("/etc/passwd")
        self.zip = self.home / "a.zip"

    def unpacked(self) -> Path:
        """As Gradescope lays it out."""
        bundle.write(self.root, "06-kill", "all", self.zip)
        home = self.home / "autograder"
        for name in ("source", "submission", "results"):
            (home / name).mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(self.zip) as archive:
            for info in archive.infolist():
                archive.extract(info, home / "source")
                (home / "source" / info.filename).chmod(stat.S_IMODE(info.external_attr >> 16))
        (home / "run_autograder").write_bytes((home / "source/run_autograder").read_bytes())
        return home

    def run_script(self, home: Path, status: int = 0) -> tuple[int, list[str]]:
        log = self.home / "log"
        there = {"AUTOGRADER": str(home), "LOG": str(log), "STATUS": str(status)}
        script = ["sh", str(home / "run_autograder")]
        done = subprocess.run(script, env={**os.environ, **there}, cwd=home, check=False)
        return done.returncode, log.read_text().splitlines()

    def test_its_files(self) -> None:
        count = bundle.write(self.root, "06-kill", "all", self.zip)
        with zipfile.ZipFile(self.zip) as archive:
            names = archive.namelist()
        tree = {"trellis/grade/trellis-grade", "trellis/kernel/a.c"}
        self.assertEqual(set(names), {"setup.sh", "run_autograder"} | tree)
        self.assertEqual(count, len(names))

    def test_equal_trees_make_equal_bytes(self) -> None:
        bundle.write(self.root, "06-kill", "all", self.zip)
        first = self.zip.read_bytes()
        os.utime(self.root / "kernel/a.c", (1, 1))
        bundle.write(self.root, "06-kill", "all", self.zip)
        self.assertEqual(self.zip.read_bytes(), first)

    def test_a_submission_is_graded(self) -> None:
        home = self.unpacked()
        for name in ("a.c", "b.c"):
            (home / "submission" / name).write_text("")
        for status in (0, 1):
            ended, said = self.run_script(home, status)
            self.assertEqual(ended, 0)
            self.assertIn(f"--lab 06-kill --arch all --submission {home}/submission --json", said[-2])
            self.assertEqual((home / "results/results.json").read_text(), '{"score": 3}\n')

    def test_an_archive_is_handed_over(self) -> None:
        home = self.unpacked()
        (home / "submission/06 kill.tar.gz").write_text("")
        _, said = self.run_script(home)
        self.assertIn(f"--submission {home}/submission/06 kill.tar.gz --json", said[-2])

    def test_no_result_of_a_machine_in_trouble(self) -> None:
        home = self.unpacked()
        ended, _ = self.run_script(home, 2)
        self.assertNotEqual(ended, 0)
        self.assertFalse((home / "results/results.json").exists())

    def test_the_scripts_are_sound(self) -> None:
        home = self.unpacked()
        scripts = [home / "source/setup.sh", home / "source/run_autograder"]
        for script in scripts:
            self.assertTrue(os.access(script, os.X_OK))
            subprocess.run(["sh", "-n", script], check=True)
