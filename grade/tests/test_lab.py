"""lab.toml: what is read, and that each mistake in it is named."""

import re
import tempfile
import unittest
from pathlib import Path

from grade.errors import GraderError
from grade.lab import load_all
from grade.tests.fake import LAB_TOML, ROOT, lab

_CHALLENGE = """
[[challenge]]
name = "challenge.one"
id = "C4.1"
text = "It does more."
cpus = [1, 4]
"""


class Read(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_what_is_given_and_what_is_default(self) -> None:
        read = lab(self.folder)
        early, due = read.tests
        self.assertEqual((early.cpus, due.cpus), ((1, 2), (1,)))
        self.assertEqual(list(early.seed_list(None)), [1, 2])
        self.assertEqual(list(early.seed_list(5)), [1, 2, 3, 4, 5])
        self.assertEqual(list(due.seed_list(5)), [1])
        self.assertEqual(early.shift, {"riscv": 0, "x86_64": 0})
        self.assertEqual(read.property("P4.1").points, 10)

    def test_defaults_of_the_lab(self) -> None:
        read = lab(self.folder, LAB_TOML + "\n[defaults]\ncpus = [4]\nlimit = 7\nseeds = 3\n")
        self.assertEqual([t.cpus for t in read.tests], [(1, 2), (4,)])
        self.assertEqual([t.limit for t in read.tests], [7, 7])
        self.assertEqual([t.seeds for t in read.tests], [2, 3])

    def test_shift_may_differ_by_port(self) -> None:
        toml = LAB_TOML.replace("seeds = 2", "shift = { riscv = 8 }")
        self.assertEqual(lab(self.folder, toml).tests[0].shift, {"riscv": 8, "x86_64": 0})

    def test_the_known_mistake_that_fits(self) -> None:
        read = lab(self.folder)
        self.assertIsNotNone(read.like("P4.2", "sleep.due", "they left one a tick"))
        self.assertIsNone(read.like("P4.2", "sleep.due", "nobody woke"))
        self.assertIsNone(read.like("P4.1", "sleep.due", "they left one a tick"))

    def wrong(self, old: str, new: str, *words: str) -> None:
        with self.assertRaises(GraderError) as caught:
            lab(self.folder, LAB_TOML.replace(old, new, 1))
        for word in words:
            self.assertIn(word, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))

    def test_wrong_values_are_named(self) -> None:
        self.wrong("cpus = [1, 2]", "cpus = [9]", "test 1", "cpus", "1 to 8")
        self.wrong("cpus = [1, 2]", "cpu = 1", "test 1", "cpu", "not a key")
        self.wrong("points = 10", "points = -1", "property 1", "points")
        self.wrong("seeds = 2", 'seeds = "two"', "seeds")
        self.wrong("seeds = 2", 'slices = "thin"', "slices", "coarse")
        self.wrong('judges = ["timeout_not_early"]', 'judges = ["guess"]', "judges")
        self.wrong('properties = ["P4.1"]', 'properties = ["P9.9"]', "properties", "P4.1")
        self.wrong('properties = ["P4.1", "P4.2"]', 'properties = ["P4.1"]', "no test", "P4.2")
        self.wrong('"sleep.due"', '"sleep.early"', "twice")
        self.wrong('matches = "one', 'matches = "(one', "regular expression")
        self.wrong('files = ["kernel/sched/sleep.c"]', 'files = ["../../etc/passwd"]', "files")
        self.wrong('name = "04-sleep"', 'name = "05-sync"', "folder")
        self.wrong("[[property]]", "[[property", "cannot be read")

    def test_hidden_seeds_come_after_the_others(self) -> None:
        early = lab(self.folder, LAB_TOML.replace("seeds = 2", "seeds = 2\nhidden_seeds = 1")).tests[0]
        self.assertEqual(list(early.seed_list(None)), [1, 2, 3])
        self.assertEqual(list(early.seed_list(1)), [1])

    def test_a_part_of_each_limit(self) -> None:
        read = lab(self.folder)
        self.assertEqual([t.limit for t in read.limited(50).tests], [t.limit // 2 for t in read.tests])

    def test_a_sentence_needs_a_public_test(self) -> None:
        toml = 'name = "sleep.due"'
        self.wrong(toml, toml + "\nhidden = true", "P4.2", "public")

    def test_a_challenge_is_no_part_of_the_lab(self) -> None:
        read = lab(self.folder, LAB_TOML + _CHALLENGE)
        self.assertEqual(len(read.tests), len(lab(self.folder).tests))
        alone = read.challenged()
        self.assertEqual([(p.id, p.points) for p in alone.properties], [("C4.1", 0)])
        self.assertEqual([(t.name, t.cpus) for t in alone.tests], [("challenge.one", (1, 4))])
        with self.assertRaises(GraderError):
            lab(self.folder).challenged()
        for old, new in (("challenge.one", "sleep.due"), ("C4.1", "P4.1"), ("cpus", "points")):
            with self.assertRaises(GraderError):
                lab(self.folder, LAB_TOML + _CHALLENGE.replace(old, new))

    def test_the_labs_of_this_tree(self) -> None:
        for read in load_all(ROOT):
            for file in read.files:
                self.assertTrue((ROOT / file).is_file(), f"{read.name}: {file}")

    def test_what_is_hidden_is_where_no_student_gets_it(self) -> None:
        """In files that are not shipped, and in a step that no checkpoint asks for."""
        declared = re.compile(r'^(?:KTEST\w*|SCENARIO)\(\w+, "([^"]+)", "(\d\d\.\w+|panic)"', re.M)
        for read in load_all(ROOT):
            steps = {t.name: "panic" if t.panics else f"{read.name[:2]}.h" for t in read.tests if t.hidden}
            hidden = set(steps.items())
            sources = sorted(read.folder.glob("*/*.c"))
            found = {path: declared.findall(path.read_text("utf-8")) for path in sources}
            there = {one for ones in found.values() for one in ones if one[1].endswith((".h", "panic"))}
            kept = [ones for path, ones in found.items() if path.name.startswith("hidden_")]
            with self.subTest(lab=read.name):
                self.assertEqual(there, hidden)
                self.assertEqual({one for ones in kept for one in ones}, hidden)

    def test_what_a_failure_is_told_of(self) -> None:
        """80 to 160 plain words: what holds, what it is about, what it looks like; no code."""
        for read in load_all(ROOT):
            for p in read.properties:
                least = len(f"{p.text} {p.explain}".split())
                likes = [len(m.text.split()) for m in read.mistakes if m.property == p.id]
                self.assertGreaterEqual(least, 80, f"{read.name} {p.id}")
                self.assertLessEqual(least + max(likes, default=0), 160, f"{read.name} {p.id}")
                self.assertNotRegex(p.explain, r"[_(){}=]|->", f"{read.name} {p.id}")
            for m in read.mistakes:
                self.assertTrue(m.text.startswith("It behaves like a "), m.text)
                self.assertNotRegex(m.text, r"[_{}=]|->|\(\)", f"{read.name} {m.id}")


if __name__ == "__main__":
    unittest.main()
