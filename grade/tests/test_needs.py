"""For each test a mutant that it sees: the page, and the search that makes it."""

import unittest
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from unittest.mock import Mock

from grade import matrix, needs
from grade.lab import ARCHES, Lab, Test, load_all
from grade.mutants import Mutant, mutants
from grade.score import Run
from grade.tests.fake import ROOT
from grade.trace import EMPTY
from grade.verdict import Finding, Kind, Verdict

_LAB = next(lab for lab in load_all(ROOT) if lab.name == "04-sleep")
_ONE, _TWO, _THREE = [t for t in _LAB.tests if t.bound is None and t.arches == ARCHES][:3]
_SCENARIO = next(t for t in _LAB.tests if t.bound is not None)
_MINE = replace(_ONE, properties=("P4.1",)), replace(_TWO, properties=("P4.2",))


def mutant(
    name: str, prop: str = "P4.1", only: Sequence[str] = (), arches: tuple[str, ...] = ARCHES
) -> Mutant:
    return Mutant(name, "4.1", prop, "is wrong", arches, tuple(only), (), {"kernel/a.c": b""})


class _Asking:
    """Tests see what is said of them here, and what they were shown is noted."""

    def __init__(self, sees: Iterable[tuple[str, str]]) -> None:
        self._sees = set(sees)
        self.shown: list[tuple[str, str]] = []

    def those_that_see(self, _: Lab, m: Mutant, arch: str, tests: Iterable[Test]) -> Iterator[str]:
        for test in tests:
            self.shown.append((m.name, test.name))
            if (m.name, test.name) in self._sees:
                yield test.name


class Searched(unittest.TestCase):
    def search(self, there: Sequence[Mutant], sees: set[tuple[str, str]], known: dict[str, str]) -> None:
        self.asking = _Asking(sees)
        lab = replace(_LAB, tests=_MINE)
        search = needs.Search(self.asking, lab, there, Mock())  # type: ignore[arg-type]
        search.run(known, 1)
        self.found = {test: m.name for test, m in search.found.items()}

    def test_the_row_of_a_page_stays_if_it_is_true(self) -> None:
        a, b = mutant("a"), mutant("b", "P4.2")
        sees = {("a", _ONE.name), ("a", _TWO.name), ("b", _TWO.name)}
        self.search([a, b], sees, {_ONE.name: "a", _TWO.name: "a"})
        self.assertEqual(self.found, {_ONE.name: "a", _TWO.name: "a"})
        self.assertEqual(self.asking.shown, [("a", _ONE.name), ("a", _TWO.name)])

    def test_mutants_of_its_own_properties_come_first(self) -> None:
        a, b = mutant("a"), mutant("b", "P4.2")
        self.search([a, b], {("a", _ONE.name), ("a", _TWO.name), ("b", _TWO.name)}, {_TWO.name: "gone"})
        self.assertEqual(self.found, {_ONE.name: "a", _TWO.name: "b"})
        self.search([a, b], {("b", _ONE.name)}, {})
        self.assertEqual(self.found, {_ONE.name: "b"}, "the other test is blind")
        self.assertEqual(len(self.asking.shown), 4)

    def test_a_mutant_that_others_must_miss_is_not_shown_to_them(self) -> None:
        self.search([mutant("a", only=[_TWO.name])], {("a", _ONE.name), ("a", _TWO.name)}, {})
        self.assertEqual(self.found, {_TWO.name: "a"})


class Pages(unittest.TestCase):
    def test_a_page_is_read_again(self) -> None:
        lab = replace(_LAB, tests=_MINE)
        part = needs.section(lab, {_ONE.name: mutant("a")})
        self.assertEqual(needs.needed(f"# A title\n\nText.\n\n{part}"), {"04-sleep": {_ONE.name: "a"}})
        self.assertIn(f"| `{_TWO.name}` | none |  |\n", part)

    def test_every_test_has_a_mutant(self) -> None:
        page = needs.of_page(ROOT)
        for lab in load_all(ROOT):
            advice = f"run grade/trellis-grade needs --lab {lab.name}"
            rows = page.get(lab.name, {})
            self.assertEqual(list(rows), [t.name for t in lab.tests], advice)
            there = {m.name: m for m in mutants(ROOT, lab)}
            for test, m in rows.items():
                self.assertIn(m, there, advice)
                self.assertIsNotNone(needs.port(lab, there[m], lab.test(test)), f"{test}, {m}: {advice}")

    def test_the_port_is_the_one_that_the_matrix_takes(self) -> None:
        cases = [c for c in matrix.cases_of(ROOT, _LAB, ARCHES, True) if c.name.startswith("mutant ")]
        there = {f"mutant {m.name}": m for m in mutants(ROOT, _LAB)}
        for case in cases:
            taken = {c.arch for c in cases if c.name == case.name}
            for test in (_ONE, _SCENARIO):
                self.assertIn(needs.port(_LAB, there[case.name], test), taken, case.name)
        on_riscv = replace(_ONE, arches=("riscv",))
        self.assertIsNone(needs.port(_LAB, mutant("a", arches=("x86_64",)), on_riscv))


class Blind(unittest.TestCase):
    def decided(self, seeing: set[tuple[str, int]]) -> tuple[bool, str]:
        def judged(run: Run) -> Verdict:
            found = (Finding(("P4.1",), "", "it happened"),) if (run.test, run.cpus) in seeing else ()
            return Verdict(Kind.FAIL if found else Kind.PASS, found, {}, EMPTY)

        runs = [Run("riscv", t.name, cpus, 1) for t in (_ONE, _TWO, _THREE) for cpus in (1, 2)]
        decide = matrix.seen_by((_ONE.name, _TWO.name), lambda *_: (True, "caught"))
        return decide(matrix.Case(_LAB, "mutant x", "riscv", {}, decide), runs, judged)

    def test_each_named_test_must_see_it_in_one_of_its_runs(self) -> None:
        self.assertEqual(self.decided({(_ONE.name, 1), (_TWO.name, 2)}), (True, "caught"))
        self.assertEqual(self.decided({(_ONE.name, 1), (_THREE.name, 2)}),
                         (False, f"{_TWO.name} does not see it, as docs/needed.md says"))  # fmt: skip


if __name__ == "__main__":
    unittest.main()
