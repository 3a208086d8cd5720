"""The snapshot that submissions are built from."""

import os
import tempfile
import unittest
from pathlib import Path
from subprocess import CompletedProcess
from unittest.mock import patch

from grade.build import _adopt, _make_environment, _sync


class Environment(unittest.TestCase):
    def test_what_our_make_was_told_stays_here(self) -> None:
        told = {"PATH": "/bin", "SUBMISSION": "/gone", "LLVM": "1", "MAKEFLAGS": "n", "CPUS": "9"}
        with patch.dict(os.environ, told, clear=True):
            self.assertEqual(_make_environment(), {"PATH": "/bin", "LC_ALL": "C"})


class Snapshot(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name, "tree")
        self.copy = Path(folder.name, "copy")
        self.built = Path(folder.name, "built")
        self.objects = self.copy / "build" / "objects"
        for source, at in (("kernel/old.c", 1000), ("kernel/new.c", 3000)):
            self._write(self.root / source, at)
        for made in ("old.o", "new.o"):
            self._write(self.built / made, 2000)
        self.copy.mkdir()

    def _write(self, path: Path, at: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{at}")
        os.utime(path, (at, at))

    def _is_made(self, name: str) -> bool:
        """Whether make would leave it as it is."""
        source, made = self.copy / "kernel" / f"{name}.c", self.objects / f"{name}.o"
        return made.exists() and source.stat().st_mtime < made.stat().st_mtime

    def test_a_new_one_begins_with_what_the_tree_has_built(self) -> None:
        _sync(self.root, self.copy)
        _adopt(self.built, self.objects)
        self.assertTrue(self._is_made("old"))
        self.assertFalse(self._is_made("new"))
        self._write(self.root / "kernel/old.c", 1500)
        _sync(self.root, self.copy)
        self.assertFalse(self._is_made("old"), "put back: older than its object, and yet another file")

    def test_one_that_has_objects_keeps_them(self) -> None:
        self._write(self.objects / "old.o", 500)
        _adopt(self.built, self.objects)
        self.assertEqual((self.objects / "old.o").read_text(), "500")

    def test_what_is_being_built_is_left(self) -> None:
        with patch("grade.build._times", side_effect=({}, {self.built / "more.o": 1})):
            _adopt(self.built, self.objects)
        self.assertFalse(self.objects.exists())
        with patch("grade.build._times", side_effect=({}, FileNotFoundError())):
            _adopt(self.built, self.objects)
        self.assertFalse(self.objects.exists())

    def test_what_cannot_be_copied_is_left(self) -> None:
        with patch("grade.build.subprocess.run", return_value=CompletedProcess([], 1)):
            _adopt(self.built, self.objects)
        self.assertFalse(self.objects.exists())


if __name__ == "__main__":
    unittest.main()
