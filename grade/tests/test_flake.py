"""False failures are counted by test and place."""

import unittest

from grade.flake import Rate, other_seed, rates, table
from grade.lab import EXPLORER
from grade.score import Outcome, Run
from grade.tests.fake import AtHome, evidence, messages, passing
from grade.verdict import Verdict, judge


class Rates(AtHome):
    def outcome(self, verdict: Verdict, arch: str = "riscv", seed: int = 1) -> Outcome:
        return Outcome(Run(arch, "sleep.due", 1, seed), verdict)

    def test_each_test_and_place_for_itself(self) -> None:
        test = self.lab.test("sleep.due")
        good = judge(self.lab, test, evidence(passing("sleep.due", "P4.2")))
        lines = ("begin 1", "test sleep.due", "fail P4.2 a.c:1 7 one is left", "sum P4.2 1 1")
        bad = judge(self.lab, test, evidence(messages(*lines, "done sleep.due", "end 1 1 1")))
        on_riscv = [self.outcome(good), self.outcome(bad, seed=7), self.outcome(bad)]
        here, there = rates("04-sleep", [*on_riscv, self.outcome(good, EXPLORER)])
        self.assertEqual((here.runs, here.failed, here.place), (3, 2, "riscv"))
        self.assertRegex(here.first, "^seed 7: .*one is left")
        self.assertEqual((there.runs, there.failed, there.first), (1, 0, ""))


class Seeds(unittest.TestCase):
    def test_each_round_has_others(self) -> None:
        once = [Run("riscv", "sleep.due", 4, seed) for seed in (1, 2)]
        self.assertEqual([other_seed(run, 0) for run in once], once)
        self.assertEqual(len({other_seed(run, n) for n in range(9) for run in once}), 18)

    def test_the_explorer_has_none(self) -> None:
        run = Run(EXPLORER, "sleep.due", 1, 1)
        self.assertEqual(other_seed(run, 7), run)


class Table(unittest.TestCase):
    def test_none(self) -> None:
        said = "1 test, 1,200 runs, 0 false failures"
        self.assertEqual(table([Rate("a", "b", "riscv", 1200, 0, "")]), said)

    def test_one_of_two(self) -> None:
        found = [Rate("a", "b", "riscv", 3, 0, ""), Rate("a", "c", "riscv", 400, 2, "seed 1: late")]
        said = "FAIL  a c (riscv): 2 of 400 runs, 0.50 %; seed 1: late\n2 tests, 403 runs, 2 false failures"
        self.assertEqual(table(found), said)
