"""The checker of the models: it tells proofs from counterexamples."""

from __future__ import annotations

import re
import tempfile
import unittest
from pathlib import Path

from tools import models
from tools.programs import ROOT
from tools.test.model import Result

_MODEL = """\
byte x;

active [2] proctype adds()
{
#ifdef BREAK_ADD
	byte seen = x;
	x = seen + 1
#else
	x++
#endif
}

/*
 * both_count: two threads that add one
 * make two
 * test: wait.timeout
 * broken: BREAK_ADD
 */
ltl both_count { <> (x == 2) }
"""


class ModelsTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="trellis-test-")
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "sum.pml"

    def parse(self, text: str) -> models.Model:
        self.path.write_text(text, encoding="utf-8")
        return models.parse(self.path)

    def only_result(self, text: str, defect: str) -> Result:
        (result,) = models.check(self.parse(text), defect)
        return result

    def test_parse(self) -> None:
        model = self.parse(_MODEL)
        (prop,) = model.properties
        self.assertEqual(prop.text, "two threads that add one make two")
        self.assertEqual((prop.tests, prop.defects), (("wait.timeout",), ("BREAK_ADD",)))
        self.assertTrue(prop.is_liveness)

    def test_comment_is_required(self) -> None:
        for wrong in (
            _MODEL.replace("both_count:", "other:"),
            _MODEL.replace(" * test: wait.timeout\n", ""),
            _MODEL.replace("broken: BREAK_ADD", "broken: BREAK_OTHER"),
            _MODEL.replace("<> (", "<> [] ("),
        ):
            with self.assertRaises(ValueError):
                self.parse(wrong)

    def test_intact_and_broken(self) -> None:
        self.assertTrue(self.only_result(_MODEL, "").ok)
        self.assertTrue(self.only_result(_MODEL, "BREAK_ADD").ok)

    def test_false_property_fails(self) -> None:
        self.assertFalse(self.only_result(_MODEL.replace("(x == 2) }", "(x == 3) }"), "").ok)

    def test_defect_without_effect_fails(self) -> None:
        self.assertFalse(self.only_result(_MODEL.replace("x = seen + 1", "x++"), "BREAK_ADD").ok)

    def test_assert_is_no_counterexample(self) -> None:
        asserting = _MODEL.replace("x = seen + 1", "x++; assert(false)")
        self.assertFalse(self.only_result(asserting, "BREAK_ADD").ok)

    def test_safety(self) -> None:
        text = _MODEL.replace("<> (x == 2)", "[] (x == 2 -> !(x == 3))")
        self.assertTrue(self.only_result(text, "").ok)
        self.assertFalse(self.only_result(text.replace("!(x == 3)", "x == 3"), "").ok)
        self.assertTrue(models.is_counterexample("pan:1: assertion violated  !( !((x<=1))) (at depth 8)"))


class Scenarios(unittest.TestCase):
    def test_each_property_has_scenarios(self) -> None:
        """The README's second table: a row for each property, and scenarios that exist."""
        text = (ROOT / "docs" / "models" / "README.md").read_text(encoding="utf-8")
        rows = re.findall(r"^\| `(\w+\.\w+)` \| ([^|]+) \| (?:model|scenario) \|$", text, re.M)
        every = [f"{model.name}.{prop.name}" for model in models.models() for prop in model.properties]
        self.assertEqual([name for name, _ in rows], every)
        known: set[str] = set()
        for path in (*ROOT.glob("labs/*/scenarios/*.c"), *ROOT.glob("tools/explore/scenarios/*.c")):
            known.update(re.findall(r'^SCENARIO\(\w+, "([^"]+)"', path.read_text(encoding="utf-8"), re.M))
        for name, scenarios in rows:
            self.assertLessEqual(set(scenarios.split(", ")), known, name)

if __name__ == "__main__":
    unittest.main()
