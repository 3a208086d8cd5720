"""One mistake that ends many runs: who pays, who pays half, and who gets nothing for it."""

import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

from grade import report
from grade.causes import place
from grade.lab import Lab, Mistake
from grade.results import VERSION, Report, lab_result
from grade.score import LabScore, Outcome, Run, score
from grade.tests.fake import LAYOUT, lab, trace
from grade.verdict import Finding, Kind, Verdict

_HEAD = """
name = "04-sleep"
title = "Waiting without lying"
hours = [8, 11]
files = ["kernel/sched/sleep.c"]
[steps]
1 = ["claim"]
"""
_PROPERTY = """
[[property]]
id = "P4.{0}"
step = {0}
points = 10
text = "Sentence {0}."
explain = "About {0}."
"""
_TEST = """
[[test]]
name = "{0}"
properties = [{1}]
arches = ["riscv"]
"""
_TESTS = {"early": (1,), "due": (2,), "order": (2,), "crowd": (3,), "far": (3,)}


def _lab(folder: Path) -> Lab:
    listed = {t: ", ".join(f'"P4.{n}"' for n in ps) for t, ps in _TESTS.items()}
    toml = _HEAD + "".join(map(_PROPERTY.format, (1, 2, 3)))
    return lab(folder, toml + "".join(_TEST.format(*item) for item in listed.items()))


def _chain(*functions: str) -> tuple[str, ...]:
    return ("call chain:", *(f"  {'f' * 16}  {name}+0x1a" for name in functions))


class Causes(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.lab = _lab(Path(folder.name))

    def ended(self, test: str, reason: str = "writing to 0x10", function: str = "claim") -> Verdict:
        finding = Finding(self.lab.test(test).properties, "no panic", f"panic: {reason}")
        return Verdict(Kind.PANIC, (finding,), {}, trace(), _chain("panic", function, "main"))

    def scored(self, **verdicts: Verdict) -> LabScore:
        """The tests that @verdicts leaves out pass."""
        good = Verdict(Kind.PASS, (), {}, trace())
        runs = [(Run("riscv", test, 1, 1), verdicts.get(test, good)) for test in _TESTS]
        return score(self.lab, [Outcome(*run) for run in runs])

    def earned(self, **verdicts: Verdict) -> list[float]:
        return [p.earned for p in self.scored(**verdicts).properties]

    def test_the_earliest_property_pays_and_the_others_pay_half(self) -> None:
        same = {test: self.ended(test) for test in ("early", "due", "crowd")}
        self.assertEqual(self.earned(**same), [0, 7.5, 7.5])
        self.assertFalse(self.scored(**same).whole)

    def test_numbers_do_not_make_another_cause(self) -> None:
        same = {t: self.ended(t, f"writing to 0x{i}0") for i, t in enumerate(("early", "due", "crowd"))}
        self.assertEqual(self.earned(**same), [0, 7.5, 7.5])

    def test_a_property_that_no_run_shows_to_hold_loses_all(self) -> None:
        self.assertEqual(self.earned(**{test: self.ended(test) for test in _TESTS}), [0, 0, 0])

    def test_two_tests_or_two_places_are_no_common_cause(self) -> None:
        two = {test: self.ended(test) for test in ("early", "due")}
        self.assertEqual(self.earned(**two), [0, 5, 10])
        places = {t: self.ended(t, function=t) for t in ("early", "due", "crowd")}
        self.assertEqual(self.earned(**places), [0, 5, 5])

    def test_what_was_seen_before_the_end_counts_in_full(self) -> None:
        seen = Finding(("P4.2",), "Sentence 2.", "it was late")
        ended = self.ended("due")
        both = replace(ended, findings=(seen, *ended.findings))
        found = self.earned(early=self.ended("early"), due=both, crowd=self.ended("crowd"))
        self.assertEqual(found, [0, 5, 7.5])

    def test_a_deadlock_and_a_stub_have_no_place(self) -> None:
        for kind in (Kind.DEADLOCK, Kind.UNWRITTEN, Kind.BUILD, Kind.FAIL):
            self.assertEqual(place(replace(self.ended("due"), kind=kind)), "")

    def racing(self, test: str, lines: str) -> Verdict:
        finding = Finding(self.lab.test(test).properties, "…", f"a data race: {lines}: nothing orders these")
        return Verdict(Kind.RACE, (finding,), {}, trace())

    def test_a_data_race_is_one_cause_in_its_place(self) -> None:
        same = {test: self.racing(test, "k/a.c:7 and k/b.c:20") for test in ("early", "due", "crowd")}
        same["due"] = self.racing("due", "k/b.c:20 and k/a.c:7")
        self.assertEqual(self.earned(**same), [0, 7.5, 7.5])
        scored = self.scored(**same)
        text = report.text(Report(VERSION, "ann", ("riscv",), (lab_result(scored, LAYOUT, "ann"),)))
        self.assertIn("in          k/a.c:7 and k/b.c:20\n", text)
        other = {test: self.racing(test, f"k/a.c:{n} and k/b.c:20") for n, test in enumerate(same)}
        self.assertEqual(self.earned(**other), [0, 5, 5])

    def test_a_data_race_looks_like_no_mistake(self) -> None:
        known = Mistake("4.1", "P4.1", None, None, "It behaves like a kernel that wakes too early.")
        self.lab = replace(self.lab, mistakes=(known,))
        race = self.racing("early", "k/a.c:7 and k/b.c:20")
        for kind, named in ((Kind.RACE, False), (Kind.FAIL, True)):
            result = lab_result(self.scored(early=replace(race, kind=kind)), LAYOUT, "ann")
            self.assertEqual(result.failures[0].like is not None, named)

    def test_the_report_tells_it_once_and_first(self) -> None:
        scored = self.scored(**{test: self.ended(test) for test in ("early", "due", "crowd")})
        whole = Report(VERSION, "ann", ("riscv",), (lab_result(scored, LAYOUT, "ann"),))
        text = report.text(whole)
        self.assertEqual(text.count("writing to 0x10"), 2)  # the cause, and its first failure
        self.assertLess(text.index("ONE CAUSE  ends 3 runs of 3 tests"), text.index("PANIC  early"))
        for words in ("in          claim()", "tests       early, due, crowd", "P4.2, P4.3, in these"):
            self.assertIn(words, text)
        self.assertNotIn("PANIC  due", text)
        self.assertEqual(len(whole.labs[0].failures), 3)  # the data has them all


if __name__ == "__main__":
    unittest.main()
