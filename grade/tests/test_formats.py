"""Each format is what its system publishes, tells the points, and why some were lost."""

import json
import os
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import jsonschema

from grade.errors import GraderError
from grade.formats import FILES, FORMATS, write
from grade.formats.page import POLICY
from grade.lab import ARCHES
from grade.results import VERSION, Report, lab_result
from grade.score import Outcome, Run, score
from grade.tests import published
from grade.tests.fake import LAYOUT, ROOT, AtHome, evidence, messages, passing
from grade.tests.markup import Checker
from grade.verdict import Kind, build_error, judge

_HOSTILE = "they left # one \\ a tick"
_RUNNER = {
    "CLASSROOM": "os-2026",
    "ASSIGNMENT": "sleep",
    "OWNER": "ada",
    "SUBMISSION_TAG": "submit/20261124T120000Z-abc1234",
    "COMMIT_URL": "https://example.org/c",
    "RELEASE_URL": "https://example.org/r",
}


class Formats(AtHome):
    def report(self, *outcomes: Outcome) -> Report:
        return Report(VERSION, None, ARCHES, (lab_result(score(self.lab, outcomes), LAYOUT, None),))

    def right(self, test: str, name: str) -> Outcome:
        verdict = judge(self.lab, self.lab.test(test), evidence(passing(test, name)))
        return Outcome(Run("riscv", test, 1, 1), verdict)

    def whole(self) -> Report:
        return self.report(self.right("sleep.early", "P4.1"), self.right("sleep.due", "P4.2"))

    def half(self, said: str = _HOSTILE) -> Report:
        lines = ("begin 1", "test sleep.due", f"fail P4.2 a.c:1 7 {said}", "sum P4.2 1 1")
        kernel = messages(*lines, "done sleep.due", "end 1 1 1")
        bad = judge(self.lab, self.lab.test("sleep.due"), evidence(kernel))
        return self.report(self.right("sleep.early", "P4.1"), Outcome(Run("riscv", "sleep.due", 1, 1), bad))

    def broken(self) -> Report:
        verdict = build_error(self.lab.test("sleep.due"), ("sleep.c:3: error: expected ';'",))
        return self.report(Outcome(Run("riscv", "sleep.due", 1, 1), verdict))

    def data(self, name: str, whole: Report) -> dict[str, object]:
        parsed = json.loads(FORMATS[name].render(whole))
        assert isinstance(parsed, dict)
        return parsed

    def test_our_own(self) -> None:
        schema = json.loads((ROOT / "grade/report.schema.json").read_text(encoding="utf-8"))
        for whole in (self.whole(), self.half(), self.broken()):
            jsonschema.validate(json.loads(whole.to_json()), schema)
        kinds = schema["$defs"]["failure"]["properties"]["kind"]["enum"]
        self.assertEqual(set(kinds), {kind.value for kind in Kind} - {Kind.PASS.value})
        self.assertEqual(schema["properties"]["version"]["const"], VERSION)

    def test_gradescope(self) -> None:
        for whole in (self.whole(), self.half(), self.broken()):
            jsonschema.validate(self.data("gradescope", whole), published.GRADESCOPE)
        found = self.data("gradescope", self.half())
        self.assertEqual(found["score"], 10)
        tests = json.loads(json.dumps(found["tests"]))
        self.assertEqual([t["status"] for t in tests], ["passed", "failed"])
        self.assertEqual(sum(t["score"] for t in tests), 10)
        self.assertIn("one a tick", tests[1]["output"].replace(" # ", " ").replace("\\ ", ""))
        self.assertIn("replay", tests[1]["output"])

    def test_prairielearn(self) -> None:
        for whole in (self.whole(), self.half(), self.broken()):
            jsonschema.validate(self.data("prairielearn", whole), published.PRAIRIELEARN)
        self.assertAlmostEqual(float(str(self.data("prairielearn", self.half())["score"])), 10 / 15, 5)
        self.assertIs(self.data("prairielearn", self.broken())["gradable"], False)

    def test_submitty(self) -> None:
        for whole in (self.whole(), self.half(), self.broken()):
            jsonschema.validate(self.data("submitty", whole), published.SUBMITTY)
        found = json.loads(json.dumps(self.data("submitty", self.half())["data"]))
        self.assertAlmostEqual(found["score"], 10 / 15, 5)
        told = found["message"]
        self.assertEqual([m["status"] for m in told], ["information", "success", "failure"])
        self.assertIn("10 of 15 points", told[0]["message"])
        self.assertIn("one \\ a tick", told[2]["message"])
        broken = json.loads(json.dumps(self.data("submitty", self.broken())["data"]))
        self.assertEqual(broken["score"], 0)
        self.assertIn("expected ';'", broken["message"][-1]["message"])

    def test_submitty_counts_no_run_that_the_machine_was_too_slow_for(self) -> None:
        whole = self.whole()
        unjudged = replace(whole, labs=(replace(whole.labs[0], unjudged=("sleep.due on riscv",)),))
        found = self.data("submitty", unjudged)
        jsonschema.validate(found, published.SUBMITTY)
        self.assertEqual(found["status"], "failure")
        self.assertIn("too slow", str(found["message"]))

    def test_a_long_report_is_cut(self) -> None:
        whole = self.half()
        lab = whole.labs[0]
        long = replace(lab.failures[0], details=tuple(['"\u20ac"' * 20] * 40_000))
        whole = replace(whole, labs=(replace(lab, failures=(long,)),))
        for name in ("prairielearn", "gradescope", "submitty"):
            said = FORMATS[name].render(whole)
            self.assertLess(len(said.encode()), published.PRAIRIELEARN_BYTES)
            self.assertIn("[cut: the whole report is longer]", said)

    def test_autolab(self) -> None:
        *said, feedback, scores = FORMATS["autolab"].render(self.half()).splitlines()
        self.assertIn("FAIL  sleep.due", "\n".join(said))
        jsonschema.validate(json.loads(feedback), published.AUTOLAB_FEEDBACK)
        jsonschema.validate(json.loads(scores), published.AUTOLAB_SCORES)
        self.assertEqual(json.loads(scores), {"scores": {"04-sleep": 10}})
        told = json.loads(feedback)
        passed = {name: test["passed"] for stage in told["stages"] for name, test in told[stage].items()}
        self.assertEqual(passed, {"P4.1": True, "P4.2": False})

    def test_classroom50(self) -> None:
        git = ["git", "-C", str(self.home), "-c", "user.name=a", "-c", "user.email=a@example.org"]
        dated = {**os.environ, "GIT_COMMITTER_DATE": "2026-11-24T13:00:00+0100"}
        subprocess.run([*git, "init", "-q"], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "a"], check=True, env=dated)
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.home)
        with patch.dict(os.environ, _RUNNER):
            found = self.data("classroom50", self.half())
        jsonschema.validate(found, published.CLASSROOM50)
        self.assertEqual(published.classroom50_faults(found), [])
        self.assertEqual((found["score"], found["max-score"]), (1000, 1500))
        self.assertEqual(found["datetime"], "2026-11-24T12:00:00Z")
        self.assertEqual(found["review"], found["commit"])

    def test_classroom50_elsewhere(self) -> None:
        with patch.dict(os.environ, {**_RUNNER, "OWNER": ""}), self.assertRaisesRegex(GraderError, "OWNER"):
            self.data("classroom50", self.whole())

    def test_tap(self) -> None:
        names = [f"P4.1 {self.lab.properties[0].text}", f"P4.2 {self.lab.properties[1].text}"]
        for whole, right in ((self.whole(), True), (self.half(), False)):
            points = published.tap_points(FORMATS["tap"].render(whole))
            self.assertEqual(points, [(True, names[0]), (right, names[1])])

    def test_tap_has_text_of_any_language(self) -> None:
        stream = FORMATS["tap"].render(self.half("\U0001f4a9 \u00e4 \ufffe"))
        self.assertIn("\U0001f4a9 \u00e4 \\\\ufffe", stream)
        published.tap_points(stream)

    def test_tap_escapes_names(self) -> None:
        lab = self.whole().labs[0]
        odd = replace(lab.properties[0], text="# SKIP \\ all")
        whole = replace(self.whole(), labs=(replace(lab, properties=(odd,)),))
        points = published.tap_points(FORMATS["tap"].render(whole))
        self.assertEqual(points, [(True, "P4.1 # SKIP \\ all")])

    def test_junit(self) -> None:
        for whole, right in ((self.whole(), True), (self.half("a \x1b[2J & <b>"), False)):
            cases = published.junit_cases(FORMATS["junit"].render(whole))
            self.assertEqual([passed for passed, _ in cases], [True, right])
            self.assertTrue(cases[1][1].startswith("P4.2 Everybody"))

    def test_html(self) -> None:
        said = "</pre><script>alert(1)</script>"
        for whole, right in ((self.whole(), True), (self.half(said), False)):
            page = Checker(FORMATS["html"].render(whole))
            self.assertNotIn("script", page.tags)
            self.assertEqual(said in page.text, not right)
            self.assertEqual("Run it again" in page.text, not right)
            self.assertIn(("meta", "content", POLICY), page.attributes)
            self.assertIn(self.lab.properties[1].text, page.text)

    def test_html_of_a_machine_that_was_too_slow(self) -> None:
        whole = self.whole()
        slow = replace(whole, labs=(replace(whole.labs[0], unjudged=("sleep.due",)),))
        self.assertIn("no points are lost: sleep.due", Checker(FORMATS["html"].render(slow)).text)

    def test_all_files_of_a_report(self) -> None:
        with tempfile.TemporaryDirectory(prefix="trellis-test-") as folder:
            write(self.half(), Path(folder, "new"))
            self.assertEqual({path.name for path in Path(folder, "new").iterdir()}, set(FILES))

    def test_the_same_bytes_each_time(self) -> None:
        for name in FORMATS.keys() - {"classroom50"}:
            self.assertEqual(FORMATS[name].render(self.half()), FORMATS[name].render(self.half()))
