"""Handouts: every test of a step is in that step's checkpoints, and commands are understood."""

import re
import tempfile
import unittest
from pathlib import Path

from grade.lab import load_all
from grade.tests.fake import ROOT
from labs.handout import checkpoints

_KTEST = re.compile(r'^KTEST\w*\(\w+, "([^"]+)", "([0-9]+\.[0-9]+)"', re.M)
_LINE = re.compile(r"^ok   ([0-9]+\.[0-9]+) (\S+), (\d+|…) checks$")

_HANDOUT = """\
**2. Sleep** (P4.1).

```
$ make run TESTS=1 ICOUNT=1 CPUS=1 BOOTARGS='selftest=04.2 clock=5'
ok   04.2 sleep.a, 5 checks
$ make run TESTS=1 BOOTARGS=selftest=04.2
ok   04.2 sleep.b, … checks
```
"""


class Handouts(unittest.TestCase):
    def test_each_step_lists_its_tests(self) -> None:
        for lab in load_all(ROOT):
            with self.subTest(lab=lab.name):
                sources = (lab.folder / "tests").glob("*.c")
                there = {t for s in sources for t in _KTEST.findall(s.read_text("utf-8"))}
                said = set()
                for checkpoint in checkpoints(lab.folder):
                    for found in filter(None, map(_LINE.match, checkpoint.lines)):
                        self.assertEqual(found[1], f"{lab.name[:2]}.{checkpoint.step}")
                        said.add((found[2], found[1]))
                self.assertEqual(said, there)

    def test_properties_belong_to_the_step_that_grades_them(self) -> None:
        for lab in load_all(ROOT):
            with self.subTest(lab=lab.name):
                self.assertEqual({p.step for p in lab.properties} - set(lab.steps), set())

    def test_commands(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "README.md").write_text(_HANDOUT, encoding="utf-8")
            first, second = checkpoints(Path(name))
        self.assertEqual((first.step, second.step), (2, 2))
        self.assertEqual(second.lines, ("ok   04.2 sleep.b, … checks",))
        machine = first.machine("riscv", Path("kernel.elf"))
        self.assertEqual((machine.cpus, machine.bootargs), (1, ("selftest=04.2", "clock=5")))
        self.assertIsNotNone(machine.icount)
        self.assertIsNone(second.machine("riscv", Path("kernel.elf")).icount)


if __name__ == "__main__":
    unittest.main()
