"""Mutants: every property of a lab is broken by one on each port, or its mutants' README says why not.

The reason is a row of a table there, with the property and, if the other port has a mutant, the port:

    | P4.1 (x86_64) | none: the CPU does it itself |
"""

import re
import unittest
from pathlib import Path

from grade.lab import ARCHES, Lab, load_all
from grade.mutants import Mutant, mutants
from grade.tests.fake import ROOT

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

    def test_each_is_in_the_table(self) -> None:
        for lab in load_all(ROOT):
            words = said_of(lab)
            missing = [m.name for m in mutants(ROOT, lab) if f"`{m.name}`" not in words]
            self.assertEqual(missing, [], lab.name)

    def test_what_is_missing_is_found(self) -> None:
        lab = load_all(ROOT)[0]
        one = mutants(ROOT, lab)[0]
        rest = [m for m in mutants(ROOT, lab) if m.property != one.property]
        self.assertLessEqual({(one.property, arch) for arch in ARCHES}, unbroken(lab, rest))

    def test_excuses(self) -> None:
        rows = "| P1.1 | none: no |\n| P1.2 (riscv) | none: no |\n| P1.3 | `one` |\n| P1.4 | none |\n"
        self.assertEqual(excused(rows), {("P1.1", a) for a in ARCHES} | {("P1.2", "riscv")})


if __name__ == "__main__":
    unittest.main()
