"""Folders of programs that were killed are removed, and no others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tools import scratch
from tools.programs import ROOT
from tools.scratch import PREFIX, Held, sweep

_HOLDER = """
import sys
from pathlib import Path
from tools.scratch import Held
held = Held("test", Path(sys.argv[1]))
Path(held.name, "file").write_text("x")
print(held.name, flush=True)
sys.stdin.read()
"""


class Folders(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.place = Path(folder.name)

    def holder(self) -> tuple[subprocess.Popen[str], Path]:
        """A program that holds a folder until its input ends."""
        argv = [sys.executable, "-c", _HOLDER, str(self.place)]
        running = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert running.stdout is not None
        self.addCleanup(running.communicate)
        return running, Path(running.stdout.readline().strip())

    def test_that_of_a_killed_program(self) -> None:
        running, folder = self.holder()
        sweep(self.place)
        self.assertTrue((folder / "file").exists(), "its program runs")
        running.kill()
        running.wait()
        self.assertTrue(folder.exists())
        with Held("test", self.place) as name:
            self.assertEqual([str(path) for path in self.place.iterdir()], [name])
        self.assertEqual(list(self.place.iterdir()), [])

    def test_a_program_that_ends_by_itself_leaves_none(self) -> None:
        running, folder = self.holder()
        running.communicate()
        self.assertFalse(folder.exists())

    def test_whatever_else_has_such_a_name(self) -> None:
        (self.place / f"{PREFIX}file").touch()
        (self.place / "kept").mkdir()
        (self.place / f"{PREFIX}link").symlink_to("kept")
        (self.place / f"{PREFIX}other").mkdir()
        before = sorted(self.place.iterdir())
        with mock.patch("os.geteuid", return_value=os.geteuid() + 1):
            sweep(self.place)
        self.assertEqual(sorted(self.place.iterdir()), before, "another user's")
        sweep(self.place)
        self.assertEqual([path.name for path in before if not path.exists()], [f"{PREFIX}other"])

    def test_one_that_is_removed_before_it_is_locked_is_made_again(self) -> None:
        real = tempfile.mkdtemp
        made: list[str] = []

        def removed_at_first(**how: str) -> str:
            made.append(real(**how))
            if len(made) == 1:
                shutil.rmtree(made[0])
            elif len(made) == 2:  # a name that another program has taken meanwhile
                os.rename(made[1], f"{made[1]}-away")
                os.mkdir(made[1])
            return made[-1]

        with mock.patch("tempfile.mkdtemp", removed_at_first), Held("test", self.place) as name:
            self.assertEqual(name, made[1])
            sweep(self.place)
            self.assertTrue(Path(name).exists())
        self.assertEqual(list(self.place.iterdir()), [], "swept, too: nobody holds what was moved away")

    def test_a_lock_on_what_is_gone_holds_nothing(self) -> None:
        folder = self.place / f"{PREFIX}a"
        folder.mkdir()

        def replaced(fd: int, how: int) -> None:
            folder.rename(self.place / "away")
            folder.mkdir()

        with mock.patch("fcntl.flock", replaced):
            self.assertIsNone(scratch._locked(str(folder), wait=True))

    def test_where_nobody_can_lock(self) -> None:
        with mock.patch("fcntl.flock", side_effect=OSError(95, "not supported")):
            with Held("test", self.place) as name:
                sweep(self.place)
                self.assertTrue(Path(name).exists())
            self.assertEqual(list(self.place.iterdir()), [])

    def test_without_a_descriptor_left_it_says_so(self) -> None:
        with mock.patch("os.open", side_effect=OSError(24, "Too many open files")):
            with self.assertRaises(OSError):
                Held("test", self.place)

    def test_a_place_that_cannot_be_listed(self) -> None:
        with mock.patch("os.scandir", side_effect=PermissionError):
            sweep(self.place)


if __name__ == "__main__":
    unittest.main()
