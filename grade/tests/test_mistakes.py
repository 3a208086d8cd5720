"""Mistakes without a lab: headers, runs that are made only once, and tests in which the kernel must panic."""

import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

from grade.errors import GraderError
from grade.matrix import mistake_cases
from grade.mistakes import Mistake, as_lab, folders, mistakes, unpatched
from grade.tests.fake import ROOT, evidence, trace
from grade.trace import Trace
from grade.verdict import Kind, judge

_PATCH = """\
# mistake: 5.3
# what: forgets c
# test: pi.timeout
# cpus: 1 4
# seeds: 2
# shift: riscv=8
# bootargs: sched=prio quantum=5
--- a/kernel/sync/pi.c
+++ b/kernel/sync/pi.c
@@ -1,3 +1,3 @@
 b
-c
+C
 d
"""
_REPORT = "Trellis\n\npanic: page fault: reading 0x10\ncall chain:\n  f00  f+0x10\nend of panic\n"


class Tree(unittest.TestCase):
    """A tree with one file to change."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "kernel/sync").mkdir(parents=True)
        (self.root / "kernel/sync/pi.c").write_text("b\nc\nd\n")
        (self.root / "kernel/sync/test_pi.c").write_text("b\nc\nd\n")
        (self.root / "labs/mistakes/05-sync").mkdir(parents=True)
        (self.root / "labs/mistakes/README.md").write_text("words")

    def write(self, text: str, name: str = "one") -> None:
        (self.root / "labs/mistakes/05-sync" / f"{name}.patch").write_text(text)


class Read(Tree):
    def test_what_it_says_and_does(self) -> None:
        self.write(_PATCH)
        self.assertEqual(folders(self.root), ["05-sync"])
        (one,) = mistakes(self.root, "05-sync")
        self.assertEqual((one.name, one.number, one.what), ("one", "5.3", "forgets c"))
        self.assertEqual((one.test.name, one.test.program), ("pi.timeout", None))
        self.assertEqual((one.test.cpus, list(one.test.seed_list(None))), ((1, 4), [1, 2]))
        self.assertEqual(one.test.shift, {"riscv": 8, "x86_64": 0})
        self.assertEqual(one.test.bootargs, ("sched=prio", "quantum=5"))
        self.assertEqual(one.test.arches, ("riscv", "x86_64"))
        self.assertEqual(one.files, {"kernel/sync/pi.c": b"b\nC\nd\n"})

    def wrong(self, old: str, new: str, words: str) -> None:
        self.write(_PATCH.replace(old, new))
        with self.assertRaises(GraderError) as caught:
            mistakes(self.root, "05-sync")
        self.assertIn(words, str(caught.exception))
        self.assertIn("05-sync/one.patch", str(caught.exception))

    def test_what_is_wrong_is_said(self) -> None:
        self.wrong("# what: forgets c\n", "", "# what:")
        self.wrong("# test: pi.timeout\n", "", "# test:")
        self.wrong("# cpus", "# program: /tests/pi\n# cpus", "# test:")
        self.wrong("# cpus: 1 4", "# cpus: 9", "1 to 8")
        self.wrong("# cpus", "# cpu", "# cpu:")
        self.wrong("riscv=8", "arm=8", "shift")
        self.wrong("# seeds: 2", "# arch: arm", "arch")
        self.wrong(" b\n", " x\n", "nowhere")
        self.wrong("kernel/sync/pi.c", "kernel/sync/none.c", "none.c")
        self.wrong("kernel/sync/pi.c", "kernel/sync/test_pi.c", "no part of the kernel")

    def test_equal_runs_of_the_kernel_itself_are_one(self) -> None:
        self.write(_PATCH)
        self.write(_PATCH.replace("# cpus: 1 4\n# seeds: 2\n", "# cpus: 2\n"), "two")
        self.write(_PATCH.replace("sched=prio", "sched=rr"), "three")
        self.write(_PATCH.replace("# cpus: 1 4", "# arch: x86_64"), "four")
        found = unpatched([m for m in mistakes(self.root, "05-sync") if m.name != "four"])
        self.assertEqual([(m.test.cpus, m.test.seeds) for m in found], [((1, 2, 4), 2), ((1, 4), 2)])
        names = [c.name for c in mistake_cases(self.root, "05-sync", ["riscv"], "two", False)]
        self.assertEqual(names, ["unpatched pi.timeout", "mistake two"])
        names = [c.name for c in mistake_cases(self.root, "05-sync", ["riscv"], "four", True)]
        self.assertEqual(names, [])

    def test_those_of_this_tree(self) -> None:
        self.assertEqual(
            sorted(p.name for p in (ROOT / "labs/mistakes").iterdir() if p.is_dir()),
            folders(ROOT),
        )
        for folder in folders(ROOT):
            for m in mistakes(ROOT, folder):
                self.assertEqual(int(m.number.split(".")[0]), int(folder[:2]), m.name)


class Panics(Tree):
    def panic(self, words: str, report: str, seen: Trace, status: int = 35) -> tuple[Kind, str]:
        self.write(_PATCH.replace("# mistake:", f"# panics: {words}\n# mistake:", 1))
        one = mistakes(self.root, "05-sync")[0]
        verdict = judge(as_lab(one), one.test, evidence(report.encode(), status, seen))
        return verdict.kind, verdict.findings[0].happened if verdict.findings else ""

    def test_the_last_words(self) -> None:
        stop = (5, "panic", 0, 1, 0, 0)
        good = trace((1, "mark", 1, 2, 0, 0), stop)
        late = trace(stop, (6, "mark", 1, 2, 0, 0))
        self.assertEqual(self.panic("page fault", _REPORT, good), (Kind.PASS, ""))
        cases = (
            ("double", _REPORT, good, "page fault: reading"),
            ("page fault", _REPORT, late, "goes on"),
            ("page fault", _REPORT.replace("end of panic\n", ""), good, "not whole"),
            ("page fault", _REPORT.replace("  f00  f+0x10\n", ""), good, "not whole"),
            ("page fault", "Trellis\n", good, "without a word"),
        )
        for words, report, seen, wrong in cases:
            kind, happened = self.panic(words, report, seen)
            self.assertIs(kind, Kind.FAIL, wrong)
            self.assertIn(wrong, happened)


if __name__ == "__main__":
    unittest.main()
