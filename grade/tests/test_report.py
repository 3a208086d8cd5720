"""Points, the report as data and as text, and that it contains nothing about the host."""

import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

from grade import report
from grade.lab import EXPLORER
from grade.results import VERSION, Report, from_json, lab_result
from grade.score import LabScore, Outcome, Run, score
from grade.errors import GraderError
from grade.tests.fake import LAYOUT, evidence, lab, messages, passing, trace
from grade.verdict import Kind, Verdict, build_error, judge


class Reports(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.lab = lab(self.folder)

    def outcome(self, test: str, verdict: Verdict, arch: str = "riscv", seed: int = 1) -> Outcome:
        return Outcome(Run(arch, test, 1, seed), verdict)

    def good(self, test: str) -> Verdict:
        name = "P4.1" if test == "sleep.early" else "P4.2"
        return judge(self.lab, self.lab.test(test), evidence(passing(test, name)))

    def bad(self) -> Verdict:
        failure = "fail P4.2 a.c:1 7 they left one a tick"
        lines = ("begin 1", "test sleep.due", failure, "sum P4.2 1 1")
        seen = trace((5, "wake", 0, 1, 9, 0), (7, "mark", 0, 1, 0, 0), (9, "wake", 1, 2, 8, 0))
        kernel = messages(*lines, "done sleep.due", "end 1 1 1")
        return judge(self.lab, self.lab.test("sleep.due"), evidence(kernel, seen=seen))

    def scored(self, *outcomes: Outcome) -> LabScore:
        return score(self.lab, outcomes)

    def test_points_are_shared_by_tests_and_ports(self) -> None:
        full = self.scored(
            self.outcome("sleep.early", self.good("sleep.early")),
            self.outcome("sleep.due", self.good("sleep.due")),
        )
        self.assertEqual((full.earned, full.points), (15, 15))
        self.assertTrue(full.whole)
        half = self.scored(
            self.outcome("sleep.early", self.good("sleep.early")),
            self.outcome("sleep.due", self.good("sleep.due")),
            self.outcome("sleep.due", self.bad(), "x86_64"),
        )
        self.assertEqual([p.earned for p in half.properties], [10, 2.5])
        self.assertFalse(half.whole)

    def test_one_bad_seed_costs_the_share(self) -> None:
        lost = self.scored(
            self.outcome("sleep.due", self.good("sleep.due")),
            self.outcome("sleep.due", self.bad(), seed=2),
        )
        self.assertEqual([p.earned for p in lost.properties], [10, 0])

    def test_a_crash_costs_all_that_its_test_covers(self) -> None:
        crash = build_error(self.lab.test("sleep.due"), ("a.c:1: error",))
        lost = self.scored(
            self.outcome("sleep.early", self.good("sleep.early")), self.outcome("sleep.due", crash)
        )
        self.assertEqual([p.earned for p in lost.properties], [5, 0])

    def test_a_slow_machine_costs_nothing_but_is_not_full_marks(self) -> None:
        slow = Verdict(Kind.SLOW, (), {}, trace())
        scored = self.scored(
            self.outcome("sleep.early", self.good("sleep.early")),
            self.outcome("sleep.early", slow, seed=2),
            self.outcome("sleep.due", self.good("sleep.due")),
        )
        self.assertEqual(scored.earned, 15)
        self.assertFalse(scored.whole)

    def whole(self) -> Report:
        scored = self.scored(
            self.outcome("sleep.early", self.good("sleep.early")),
            self.outcome("sleep.due", self.bad()),
            self.outcome("sleep.due", self.bad(), seed=2),
        )
        return Report(VERSION, "ann", ("riscv",), (lab_result(scored, LAYOUT, "ann"),))

    def test_what_repeats_a_run_names_the_branch(self) -> None:
        scored = self.scored(self.outcome("sleep.due", self.bad()))
        found = lab_result(scored, LAYOUT, "a clone", "my work").failures[0]
        self.assertTrue(found.replay.endswith(" --submission 'a clone' --branch 'my work'"), found.replay)
        scored = self.scored(self.outcome("sleep.due", self.bad(), EXPLORER))
        found = lab_result(scored, LAYOUT, "a clone", "submit").failures[0]
        self.assertTrue(found.replay.endswith(" SUBMISSION='a clone' BRANCH=submit"), found.replay)

    def test_a_failure_says_everything(self) -> None:
        text = report.text(self.whole())
        plain = " ".join(text.split())
        for words in (
            "FAIL sleep.due (riscv, 1 CPU, seed 1)",
            "Everybody who is due wakes.",
            "they left one a tick",
            "a.c:1",
            "releases only the first sleeper that is due. (mistake 4.4)",
            "also in 1 more run",
            "CPU 0",
            "CPU 1",
            "> ",
            "grade/trellis-grade replay --lab 04-sleep --arch riscv --test sleep.due --cpus 1 "
            "--seed 1 --submission ann",
        ):
            self.assertIn(words, plain)
        self.assertEqual(text.count("replay      "), 1)

    def test_stubs_are_told_by_the_step_that_writes_them(self) -> None:
        def stub(test: str, function: str, what: str) -> Outcome:
            crash = build_error(self.lab.test(test), ("",))
            chain = [f"  {'f' * 16}  {name}+0x1" for name in ("lab_todo", function, "main")]
            finding = replace(
                crash.findings[0], happened=f"not written yet: 04-sleep: {what}"
            )
            verdict = replace(crash, kind=Kind.UNWRITTEN, findings=(finding,), details=tuple(chain))
            return self.outcome(test, verdict)

        scored = self.scored(
            stub("sleep.early", "late.part.0", "second"), stub("sleep.due", "soon", "first")
        )
        result = replace(lab_result(scored, LAYOUT, "ann"), writes={"late": 2, "soon": 1})
        text = report.text(Report(VERSION, "ann", ("riscv",), (result,)))
        first, second = text.index("WRITE THIS FIRST"), text.index("UNWRITTEN")
        self.assertLess(first, second)
        self.assertIn("soon(), step 1 of labs/04-sleep/README.md", text[first:second])
        self.assertIn("late(), step 2 of labs/04-sleep/README.md", text[second:])
        self.assertNotIn("lab_todo", text)

    def test_data_goes_round(self) -> None:
        path = self.folder / "report.json"
        path.write_text(self.whole().to_json())
        self.assertEqual(from_json(path), self.whole())
        self.assertEqual(from_json(path).to_json(), self.whole().to_json())

    def test_what_is_no_report_is_refused(self) -> None:
        path = self.folder / "x.json"
        for text in ("", "{}", '{"version": 99}', '{"version": 1, "submission": null}'):
            path.write_text(text)
            with self.assertRaises(GraderError):
                from_json(path)

    def test_points_are_short(self) -> None:
        self.assertEqual([report.points(v) for v in (7, 7.5, 22 / 3, 0)], ["7", "7.5", "7.33", "0"])


if __name__ == "__main__":
    unittest.main()
