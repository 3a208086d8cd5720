"""Mutants: every property of a lab is broken by one on each port, or its mutants' README says why not.

The reason is a row of a table there, with the property and, if the other port has a mutant, the port:

    | P4.1 (x86_64) | none: the CPU does it itself |
"""

import re
import unittest
from pathlib import Path
from unittest.mock import Mock

from grade import matrix
from grade.lab import ARCHES, EXPLORER, Lab, load_all
from grade.mutants import Mutant, attempts, mutants, ports
from grade.score import Run
from grade.tests.fake import ROOT
from grade.trace import EMPTY
from grade.verdict import Finding, Kind, Verdict
from tools.explore.survey import PAGE, scenarios_of

_EXCUSE = re.compile(r"^\| (P\d+\.\d+)(?: \((\w+)\))? \| none: \w", re.M)


def unbroken(lab: Lab, there: list[Mutant]) -> set[tuple[str, str]]:
    """Properties, and the port on which no mutant breaks them."""
    every = {(p.id, arch) for p in lab.properties for arch in ARCHES}
    return every - {(m.property, arch) for m in there for arch in m.arches}


def excused(readme: str) -> set[tuple[str, str]]:
    found = _EXCUSE.findall(readme)
    return {(p, arch) for p, only in found for arch in ([only] if only else ARCHES)}


def said_of(lab: Lab) -> str:
    return Path(lab.folder, "mutants", "README.md").read_text(encoding="utf-8")


class Mutants(unittest.TestCase):
    def test_each_property_is_broken_or_excused(self) -> None:
        for lab in load_all(ROOT):
            with self.subTest(lab=lab.name):
                self.assertEqual(unbroken(lab, mutants(ROOT, lab)), excused(said_of(lab)))

    def test_each_challenge_has_a_solution(self) -> None:
        """Of which no student has the file. Some attempt at each lab's challenges is wrong."""
        for lab in (lab for lab in load_all(ROOT) if lab.challenges):
            there = attempts(ROOT, lab)
            solved = {c for a in there if a.solves for c in a.challenges}
            self.assertEqual(solved, {c.sentence.id for c in lab.challenges}, lab.name)
            self.assertTrue([a for a in there if not a.solves], lab.name)

    def test_each_is_in_the_table(self) -> None:
        for lab in load_all(ROOT):
            words = said_of(lab)
            missing = [m.name for m in mutants(ROOT, lab) if f"`{m.name}`" not in words]
            self.assertEqual(missing, [], lab.name)

    def test_each_exists_where_it_changes_something(self) -> None:
        for lab in load_all(ROOT):
            for mutant in mutants(ROOT, lab):
                homes = {name.split("/")[1] if name.startswith("arch/") else "" for name in mutant.files}
                with self.subTest(lab=lab.name, mutant=mutant.name):
                    self.assertTrue("" in homes or set(mutant.arches) <= homes)

    def test_a_brief_matrix_takes_one_port_for_shared_code(self) -> None:
        shared = ["kernel/sched/wait.c"]
        self.assertEqual(ports("a", shared, ARCHES, ARCHES, False), ARCHES)
        taken = {ports(name, shared, ARCHES, ARCHES, True) for name in "abcdefgh"}
        self.assertEqual(taken, {(arch,) for arch in ARCHES})
        self.assertEqual(ports("a", [*shared, "arch/riscv/frame.c"], ARCHES, ARCHES, True), ARCHES)
        self.assertEqual(ports("a", shared, ("riscv",), ("x86_64",), True), ())

    def test_what_is_missing_is_found(self) -> None:
        lab = load_all(ROOT)[0]
        one = mutants(ROOT, lab)[0]
        rest = [m for m in mutants(ROOT, lab) if m.property != one.property]
        self.assertLessEqual({(one.property, arch) for arch in ARCHES}, unbroken(lab, rest))

    def test_excuses(self) -> None:
        rows = "| P1.1 | none: no |\n| P1.2 (riscv) | none: no |\n| P1.3 | `one` |\n| P1.4 | none |\n"
        self.assertEqual(excused(rows), {("P1.1", a) for a in ARCHES} | {("P1.2", "riscv")})


class Brief(unittest.TestCase):
    """The runs of a matrix that is to be brief."""

    LAB = next(lab for lab in load_all(ROOT) if lab.has_scenarios() and any(t.program for t in lab.tests))

    def runs(self, first: str = "", thinned: int = 0, name: str = "variant x") -> list[Run]:
        case = matrix.Case(self.LAB, name, "riscv", {}, Mock(), first=(first,), thinned=thinned)
        return matrix.runs_of(case, ["riscv", EXPLORER])

    def test_the_scenario_that_shows_a_mutant_comes_first(self) -> None:
        last = [t.name for t in self.LAB.tests if t.bound is not None][-1]
        self.assertEqual(self.runs(first=last)[0].test, last)
        self.assertEqual(sorted(map(str, self.runs(first=last))), sorted(map(str, self.runs())))

    def test_programs_come_last(self) -> None:
        programs = [self.LAB.test(run.test).program is not None for run in self.runs()]
        self.assertEqual(programs, sorted(programs))

    def test_each_test_runs_once_not_always_on_as_many_cpus(self) -> None:
        runs = self.runs(thinned=1, name="variant x")
        names = sorted(run.test for run in runs if not self.LAB.test(run.test).program)
        self.assertEqual(names, sorted({r.test for r in self.runs() if not self.LAB.test(r.test).program}))
        self.assertLessEqual(set(map(str, runs)), set(map(str, self.runs())))
        self.assertNotEqual(runs, self.runs(thinned=1, name="variant y"))

    def test_each_test_is_run_on_some_right_kernels_and_not_on_others(self) -> None:
        names = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu".split()
        runs = [self.runs(thinned=2, name=f"variant {name}") for name in names]
        taken = [{run.test for run in some} for some in runs]
        for t in self.LAB.tests:
            self.assertEqual({t.name in tests for tests in taken}, {True, False}, t.name)

    def test_the_page_names_scenarios_of_these_labs(self) -> None:
        found = scenarios_of((ROOT / PAGE).read_text(encoding="utf-8"))
        for lab in load_all(ROOT):
            there = {m.name for m in mutants(ROOT, lab)}
            mine = {mutant: scenario for (name, mutant), scenario in found.items() if name == lab.name}
            self.assertLessEqual(mine.keys(), there, lab.name)
            for scenario in mine.values():
                self.assertIsNotNone(lab.test(scenario).bound, scenario)
        self.assertGreater(len(found), 300)


class Only(unittest.TestCase):
    """A mutant that one test alone is to see."""

    LAB = load_all(ROOT)[0]
    PLAIN = [t for t in LAB.tests if t.bound is None and not t.program]
    NAMED = next(t for t in PLAIN if t.properties)

    def decided(self, seeing: set[str], brief: bool) -> tuple[bool, list[str]]:
        """Whether the mutant is caught as it should be, and the tests that were run."""
        asked = []
        broken = Finding(self.NAMED.properties, "", "it happened")

        def judged(run: Run) -> Verdict:
            asked.append(run.test)
            found = (broken,) if run.test in seeing else ()
            return Verdict(Kind.FAIL if found else Kind.PASS, found, {}, EMPTY)

        runs = [Run("riscv", t.name, 1, 1) for t in self.PLAIN]
        case = matrix.Case(self.LAB, "mutant x", "riscv", {}, Mock())
        decide = matrix.loses(self.NAMED.properties[0], (self.NAMED.name,), brief)
        return decide(case, runs, judged)[0], asked

    def test_all_others_must_miss_it(self) -> None:
        other = next(t.name for t in self.PLAIN if t is not self.NAMED)
        passed, asked = self.decided({self.NAMED.name}, brief=False)
        self.assertTrue(passed)
        self.assertEqual(sorted(asked), sorted(t.name for t in self.PLAIN))
        self.assertFalse(self.decided({self.NAMED.name, other}, brief=False)[0])

    def test_the_others_are_not_asked_if_it_is_to_be_brief(self) -> None:
        self.assertEqual(self.decided({self.NAMED.name}, brief=True), (True, [self.NAMED.name]))
        self.assertFalse(self.decided(set(), brief=True)[0])


if __name__ == "__main__":
    unittest.main()
