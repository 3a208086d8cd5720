"""The strict application of unified diffs, and the headers of mutants."""

import tempfile
import unittest
from pathlib import Path

from grade.errors import GraderError
from grade.mutants import hostile, mutants, variants
from grade.patch import PatchError, apply
from grade.tests.fake import LAB_TOML, lab
from grade.verdict import Kind

_OLD = "a\nb\nc\nd\ne\n"
_PATCH = """\
# mistake: 4.4
# property: P4.2
# what: forgets c
--- a/kernel/sched/sleep.c
+++ b/kernel/sched/sleep.c
@@ -2,3 +2,3 @@
 b
-c
+C
 d
"""


class Apply(unittest.TestCase):
    def patched(self, patch: str, old: str = _OLD) -> str:
        return apply(patch, lambda _: old)["kernel/sched/sleep.c"]

    def test_a_change(self) -> None:
        self.assertEqual(self.patched(_PATCH), "a\nb\nC\nd\ne\n")

    def test_it_may_have_moved(self) -> None:
        self.assertEqual(self.patched(_PATCH, "0\n1\n" + _OLD), "0\n1\na\nb\nC\nd\ne\n")

    def test_two_hunks_and_other_lengths(self) -> None:
        more = _PATCH.replace(" d\n", "+more\n d\n") + "@@ -5,1 +6,0 @@\n-e\n"
        self.assertEqual(self.patched(more), "a\nb\nC\nmore\nd\n")

    def test_it_must_fit(self) -> None:
        for old, words in (("x\ny\n", "nowhere"), ("0\n" + _OLD + _OLD, "more than one")):
            with self.assertRaises(PatchError) as caught:
                self.patched(_PATCH, old)
            self.assertIn(words, str(caught.exception))

    def test_it_must_change_something(self) -> None:
        with self.assertRaises(PatchError):
            apply("# what: nothing\n", lambda _: _OLD)


class Mutants(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "kernel/sched").mkdir(parents=True)
        (self.root / "kernel/sched/sleep.c").write_text(_OLD)
        self.lab = lab(self.root, LAB_TOML)
        (self.lab.folder / "mutants").mkdir()
        (self.lab.folder / "variants/tree/kernel/sched").mkdir(parents=True)

    def test_what_it_says_and_does(self) -> None:
        (self.lab.folder / "mutants/one.patch").write_text(_PATCH)
        (mutant,) = mutants(self.root, self.lab)
        self.assertEqual((mutant.name, mutant.mistake, mutant.property), ("one", "4.4", "P4.2"))
        self.assertEqual(mutant.arches, ("riscv", "x86_64"))
        self.assertEqual(mutant.files["kernel/sched/sleep.c"], b"a\nb\nC\nd\ne\n")

    def wrong(self, old: str, new: str, words: str) -> None:
        (self.lab.folder / "mutants/one.patch").write_text(_PATCH.replace(old, new))
        with self.assertRaises(GraderError) as caught:
            mutants(self.root, self.lab)
        self.assertIn(words, str(caught.exception))

    def test_what_is_wrong_is_said(self) -> None:
        self.wrong("# what: forgets c\n", "", "# what:")
        self.wrong("P4.2", "P9.9", "P9.9")
        self.wrong("sched/sleep.c", "sched/wait.c", "wait.c")

    def test_hostile_kernels_say_how_they_must_end(self) -> None:
        folder = self.root / "grade" / "hostile"
        folder.mkdir(parents=True)
        text = _PATCH.replace("# mistake: 4.4\n# property: P4.2", "# lab: 04-sleep\n# kind: flood")
        (folder / "one.patch").write_text(text)
        (found,) = hostile(self.root, self.lab)
        self.assertEqual((found.name, found.kind), ("one", Kind.FLOOD))
        (folder / "one.patch").write_text(text.replace("04-sleep", "05-sync"))
        self.assertEqual(hostile(self.root, self.lab), [])
        (folder / "one.patch").write_text(text.replace("flood", "fire"))
        with self.assertRaises(GraderError):
            hostile(self.root, self.lab)

    def test_variants_are_patches_or_folders(self) -> None:
        (self.lab.folder / "variants/patched.patch").write_text(_PATCH)
        (self.lab.folder / "variants/tree/kernel/sched/sleep.c").write_text("new\n")
        found = {v.name: v.files["kernel/sched/sleep.c"] for v in variants(self.root, self.lab)}
        self.assertEqual(found, {"patched": b"a\nb\nC\nd\ne\n", "tree": b"new\n"})


if __name__ == "__main__":
    unittest.main()
