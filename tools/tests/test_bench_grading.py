"""Tests of make bench-grade: bench/grading.py."""

from __future__ import annotations

import unittest

from bench.grading import Part, submissions, table
from grade.lab import ARCHES, choose
from tools.programs import ROOT


class BenchGradingTest(unittest.TestCase):
    def test_rates_follow_from_all_parts(self) -> None:
        text = table({"build": Part(4, 6, 2), "riscv": Part(20, 30, 2)}, 4, 2)
        self.assertRegex(text, r"one submission +10\.00 +1\.00 +6\.00")
        self.assertIn("10.0 submissions a minute by the clock", text)
        self.assertIn("12.0 a minute on 2 idle cores", text)

    def test_each_submission_has_to_be_compiled(self) -> None:
        lab = choose(ROOT, ["06-kill"])[0]
        found = submissions(ROOT, lab, ARCHES)
        tree = {file: (ROOT / file).read_bytes() for file in lab.files}
        self.assertEqual(len(found), 5)
        for name, files in found.items():
            self.assertEqual(files.keys(), tree.keys())
            self.assertNotEqual(files, tree, name)


if __name__ == "__main__":
    unittest.main()
