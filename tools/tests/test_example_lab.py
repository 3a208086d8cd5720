"""The example of a lab in tools/tests/example_lab, added to a copy of this tree as docs/instructors.md says:
it is staged, graded, checked by the matrix, and published, and no other file knows of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from labs.stage import tracked
from tools.programs import ROOT, clean_environment

_EXAMPLE = Path(__file__).parent / "example_lab"
_LAB = "10-counters"


class ExampleLab(unittest.TestCase):
    rest = True

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="trellis-example-")
        self.addCleanup(folder.cleanup)
        self.tree = Path(folder.name, "tree")
        for name in tracked(ROOT):
            target = self.tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target, follow_symlinks=False)
        shutil.copytree(_EXAMPLE / _LAB, self.tree / "labs" / _LAB)
        self.run_here("git", "apply", str(_EXAMPLE / "regions.patch"))

    def run_here(self, *argv: str, status: int = 0) -> str:
        done = subprocess.run(
            argv, cwd=self.tree, env=clean_environment(), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
        )  # fmt: skip
        self.assertEqual(done.returncode, status, done.stdout[-3000:])
        return done.stdout

    def python(self, *words: str) -> str:
        return self.run_here(sys.executable, "-m", *words)

    def test_it_is_a_lab_like_the_others(self) -> None:
        self.python("labs.stage", "check")
        self.assertIn("100 / 100", self.python("grade", "run", "--lab", _LAB, "--arch", "riscv"))
        said = self.python("grade", "matrix", "--lab", _LAB, "--arch", "riscv")
        self.assertRegex(said, r"\n7 passed, 0 failed\n$")
        out = self.tree.parent / "published"
        self.python("labs.repository", "--out", str(out), "--course", str(self.course()))
        branches = self.run_here("git", "-C", str(out), "branch", "--format=%(refname:short)").split()
        self.assertEqual(branches, [f"lab/{_LAB}", "main"])
        there = self.run_here("git", "-C", str(out), "show", f"lab/{_LAB}:kernel/base/counters.c")
        self.assertIn('lab_todo("10-counters: add up what all CPUs have counted");', there)

    def course(self) -> Path:
        """A course of this lab alone."""
        path = self.tree.parent / "course.toml"
        path.write_text(f'title = "One lab"\nlabs = ["{_LAB}"]\n', encoding="utf-8")
        return path


if __name__ == "__main__":
    unittest.main()
