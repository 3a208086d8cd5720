"""Tests that share a boot: only a pass counts there, and nothing else changes."""

import re
import unittest
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

from grade import matrix
from grade.build import Product
from grade.engine import each_program_once, run_all, runs_of, sharing
from grade.errors import GraderError
from grade.lab import ARCHES, Lab, load_all
from grade.machine import Boot, Evidence
from grade.score import Run
from grade.tests.fake import LAB_TOML, AtHome, evidence, lab, messages, passing
from grade.verdict import Kind, passed_together

ROOT = Path(__file__).parents[2]
BANNER = b"Trellis on riscv64, virt, 2 CPUs\n"
TOGETHER = LAB_TOML.replace("[[property]]", "[defaults]\ntogether = true\n\n[[property]]", 1)
TOML = TOGETHER.replace('judges = ["timeout_not_early"]\n', "")
BOTH = (
    *("begin 1", "test sleep.early", "sum P4.1 3 0", "done sleep.early"),
    *("test sleep.due", "sum P4.2 2 0", "done sleep.due", "end 2 5 0"),
)
FAILS = (
    *("begin 1", "test sleep.early", "sum P4.1 3 0", "done sleep.early", "test sleep.due"),
    *("fail P4.2 a.c:1 5 one a tick", "sum P4.2 2 1", "done sleep.due", "end 2 5 1"),
)


def machines(shared: bytes) -> tuple[Mock, list[str]]:
    """Machines that pass each test alone, and say @shared where tests share one; what each was asked."""
    asked = []

    def boot(wanted: Boot) -> Evidence:
        assert wanted.test is not None
        asked.append(wanted.test)
        return evidence(BANNER + (shared if "," in wanted.test else passing(wanted.test)))

    return Mock(jobs=1, runner=Mock(boot=boot)), asked


class OfOne(AtHome):
    """The answer of passed_together() for each test."""

    def names(self, seen: Evidence) -> list[str]:
        return [t.name for t in lab(self.home, TOML).tests if passed_together(t, seen)]

    def test_all_pass(self) -> None:
        self.assertEqual(self.names(evidence(BANNER + messages(*BOTH))), ["sleep.early", "sleep.due"])

    def test_each_has_its_own_figures(self) -> None:
        lines = [*BOTH[:2], "figure steps 7", *BOTH[2:]]
        seen = evidence(BANNER + messages(*lines))
        verdicts = [passed_together(t, seen) for t in lab(self.home, TOML).tests]
        self.assertEqual([v and v.figures for v in verdicts], [{"steps": 7}, {}])

    def test_one_fails(self) -> None:
        self.assertEqual(self.names(evidence(BANNER + messages(*FAILS))), ["sleep.early"])

    def test_anything_strange_decides_nothing(self) -> None:
        no_check = [line.replace("sum P4.2 2 0", "sum P4.2 0 0").replace("2 5 0", "2 3 0") for line in BOTH]
        self.assertEqual(self.names(evidence(BANNER + messages(*no_check))), ["sleep.early"])
        self.assertEqual(self.names(evidence(BANNER + messages(*BOTH[:-1]))), [])
        self.assertEqual(self.names(evidence(BANNER + messages(*BOTH), status=35)), [])
        self.assertEqual(self.names(evidence(2 * BANNER + messages(*BOTH))), [])
        self.assertEqual(self.names(evidence(BANNER + messages(*BOTH) + messages(*BOTH))), [])


class Runs(AtHome):
    """The machines that are booted."""

    def boots(self, kernel: bytes, read: Lab, *runs: Run) -> tuple[list[str], list[Kind]]:
        """The tests= of the machines if those that share one say @kernel, and the verdicts on @runs."""
        bench, asked = machines(kernel)
        built = dict.fromkeys(ARCHES, Product(Path("kernel"), None, None))
        outcomes = run_all(bench, read, built, runs, Mock())
        self.outcomes = [o.run for o in outcomes]
        return asked, [o.verdict.kind for o in outcomes]

    def test_one_machine_for_both(self) -> None:
        read = lab(self.home, TOML.replace('step = 2', 'step = 1'))
        runs = [Run("riscv", "sleep.early", 1, 1), Run("riscv", "sleep.due", 1, 1)]
        asked, kinds = self.boots(messages(*BOTH), read, *runs)
        self.assertEqual((asked, kinds), (["sleep.early,sleep.due"], [Kind.PASS] * 2))

    def test_one_that_fails_is_run_again_by_itself(self) -> None:
        read = lab(self.home, TOML.replace('step = 2', 'step = 1'))
        runs = [Run("riscv", "sleep.early", 1, 1), Run("riscv", "sleep.due", 1, 1)]
        asked, kinds = self.boots(messages(*FAILS), read, *runs)
        self.assertEqual((asked, kinds), (["sleep.early,sleep.due", "sleep.due"], [Kind.PASS] * 2))

    def test_one_that_is_wanted_twice_runs_twice(self) -> None:
        read = lab(self.home, TOML.replace('name = "sleep.due"', 'name = "sleep.due"\ntogether = false'))
        asked, kinds = self.boots(b"", read, *[Run("riscv", "sleep.due", 1, 1)] * 2)
        self.assertEqual((asked, kinds), (["sleep.due"] * 2, [Kind.PASS] * 2))

    def test_outcomes_are_in_the_order_of_the_runs(self) -> None:
        read = lab(self.home, TOML.replace("step = 2", "step = 1"))
        runs = [Run(*words, 1) for words in (("riscv", "sleep.early", 1), ("x86_64", "sleep.due", 1),
                                             ("riscv", "sleep.due", 1))]  # fmt: skip
        self.boots(messages(*BOTH), read, *runs)
        self.assertEqual(self.outcomes, runs)

    def test_only_equal_machines_are_shared(self) -> None:
        read = lab(self.home, TOML.replace('step = 2', 'step = 1'))
        runs = [Run("riscv", "sleep.early", 1, 1), Run("riscv", "sleep.due", 2, 1)]
        runs += [Run("x86_64", "sleep.due", 1, 1), Run("riscv", "sleep.early", 1, 2)]
        asked, _ = self.boots(messages(*BOTH), read, *runs)
        self.assertEqual(asked, ["sleep.early", "sleep.due", "sleep.due", "sleep.early"])


class AmongLabs(unittest.TestCase):
    def test_a_program_on_equal_machines_runs_once(self) -> None:
        asked = []

        def boot(machine: Boot) -> Evidence:
            asked.append(machine)
            return evidence(BANNER)

        kernel_test = Boot("riscv", Path("kernel"), None, 2, 1, 10, test="sleep.due")
        program = replace(kernel_test, initrd=Path("initrd"), test=None, program="/tests/suite")
        other = [replace(program, cpus=4), replace(program, kernel=Path("x")), replace(program, limit=11)]
        once = each_program_once(boot)
        for machine in [program, kernel_test, *other] * 2:
            self.assertEqual(once(machine), evidence(BANNER))
        self.assertEqual(asked, [program, kernel_test, *other, kernel_test])


class InTheMatrix(AtHome):
    def test_a_case_is_decided_as_grading_does(self) -> None:
        read = lab(self.home, TOML.replace("step = 2", "step = 1").replace("cpus = [1, 2]\nseeds = 2\n", ""))
        kinds = {}

        def decider(_: matrix.Case, runs: Sequence[Run], judged: matrix.Judge) -> tuple[bool, str]:
            kinds.update({run.test: judged(run).kind for run in runs})
            return True, ""

        bench, asked = machines(messages(*FAILS))
        case = matrix.Case(read, "mutant x", "riscv", {}, decider, explored=False)
        matrix.decide(bench, case, {"riscv": Product(Path("kernel"), None, None)})
        self.assertEqual(asked, ["sleep.early,sleep.due", "sleep.due"])
        self.assertEqual(kinds, {"sleep.early": Kind.PASS, "sleep.due": Kind.PASS})


class Declared(AtHome):
    def test_what_may_not_share(self) -> None:
        judged = lab(self.home, TOGETHER.replace('["P4.1", "P4.2"]', '["P4.2"]'))
        self.assertEqual([t.name for t in judged.tests if judged.shares(t)], ["sleep.due"])
        with self.assertRaisesRegex(GraderError, "together"):
            lab(self.home, TOML.replace('name = "sleep.due"', 'name = "x"\nprogram = "/x"\ntogether = true'))

    def test_early_ones_share_with_early_ones(self) -> None:
        """The others run in a thread of init's, and early ones would, too."""
        early = re.compile(r'^KTEST_EARLY\(\w+,\s*"([^"]+)"', re.M)
        for read in load_all(ROOT):
            sources = [path.read_text("utf-8") for path in read.folder.glob("tests/*.c")]
            found = {name for text in sources for name in early.findall(text)}
            runs = runs_of(read, ARCHES, None)
            for group in sharing(read, runs):
                kinds = {runs[i].test in found for i in group}
                self.assertEqual(len(kinds), 1, [runs[i].test for i in group])


if __name__ == "__main__":
    unittest.main()
