"""Archives are read back by cpio itself."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from tools import cpio


class CpioTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name, "tree")
        self.root.mkdir()

    def extract(self, data: bytes) -> Path:
        out = self.root.parent / "out"
        out.mkdir()
        subprocess.run(["cpio", "-id", "--quiet"], input=data, cwd=out, check=True)
        return out

    def test_tree_comes_back(self) -> None:
        (self.root / "bin").mkdir()
        (self.root / "bin" / "prog").write_bytes(bytes(range(256)) * 33)
        (self.root / "bin" / "prog").chmod(0o755)
        (self.root / "empty").write_bytes(b"")
        os.symlink("bin/prog", self.root / "link")
        out = self.extract(cpio.archive(cpio.tree(self.root)))
        self.assertEqual((out / "bin" / "prog").read_bytes(), bytes(range(256)) * 33)
        self.assertEqual((out / "bin" / "prog").stat().st_mode & 0o777, 0o755)
        self.assertEqual((out / "empty").read_bytes(), b"")
        self.assertEqual(os.readlink(out / "link"), "bin/prog")

    def test_same_tree_same_bytes(self) -> None:
        for name in ("b", "a", "c"):
            (self.root / name).write_text(name)
        first = cpio.archive(cpio.tree(self.root))
        os.utime(self.root / "a", (1, 1))
        self.assertEqual(first, cpio.archive(cpio.tree(self.root)))

    def test_parents_come_first(self) -> None:
        (self.root / "a" / "b").mkdir(parents=True)
        (self.root / "a" / "b" / "c").write_text("")
        paths = [entry.path for entry in cpio.tree(self.root)]
        self.assertEqual(paths, ["a", "a/b", "a/b/c"])

    def test_archives_may_follow_one_another(self) -> None:
        first = cpio.archive([cpio.regular("x", b"odd")])
        self.assertEqual(len(first) % 4, 0)

    def test_parents_of_a_path(self) -> None:
        self.assertEqual([e.path for e in cpio.parents("a/b/c")], ["a", "a/b"])

    def test_owners(self) -> None:
        entry = cpio.Entry("home", 0o40755, owner=(1000, 100))
        header = cpio.archive([entry])[:110]
        self.assertEqual((int(header[22:30], 16), int(header[30:38], 16)), (1000, 100))
