"""The staging tool: stubs in place of solutions, and clear messages about wrong markers."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from grade.lab import load
from grade.tests.fake import LAB_TOML
from labs.stage import StageError, check, find_regions, starter, strip, without_hidden

_SOURCE = """\
#include "wait.h"

int claim(struct waiter *w)
{
	int n = 0;

	/* LAB 04-sleep: claim the "one" waiter */
	while (w) {	/* } */
		n += '{';
	}
	/* END LAB */
	return n;
}
"""

_STRIPPED = """\
#include "wait.h"

int claim(struct waiter *w)
{
	int n = 0;

	lab_todo("04-sleep: claim the \\"one\\" waiter");
	return n;
}
"""


class Strip(unittest.TestCase):
    def test_a_region_becomes_a_stub(self) -> None:
        self.assertEqual(strip("a.c", _SOURCE, "04-sleep"), _STRIPPED)

    def test_other_labs_keep_their_solution(self) -> None:
        self.assertEqual(strip("a.c", _SOURCE, "05-sync"), _SOURCE)

    def test_assembly(self) -> None:
        for left, right in (("# ", ""), ("// ", ""), ("/* ", " */")):
            begin, end = f"{left}LAB 02-threads: save all{right}", f"{left}END LAB{right}"
            source = f"f:\n\t{begin}\n\tnop\n\t{end}\n\tret\n"
            want = 'f:\n\tLAB_TODO("02-threads: save all")\n\tret\n'
            self.assertEqual(strip("switch.S", source, "02-threads"), want)

    def test_functions_that_are_kept(self) -> None:
        self.assertEqual(strip("a.c", _SOURCE, "04-sleep", {"claim"}), _SOURCE)
        self.assertEqual(find_regions("a.c", _SOURCE)[0].function, "claim")
        assembly = "FUNC arch_switch\n\t# LAB 02-threads: save\n\tnop\n\t# END LAB\n"
        self.assertEqual(find_regions("a.S", assembly)[0].function, "arch_switch")

    def test_several_regions(self) -> None:
        regions = find_regions("a.c", _SOURCE + _SOURCE)
        self.assertEqual([r.first for r in regions], [6, 19])
        self.assertEqual(strip("a.c", _SOURCE + _SOURCE, "04-sleep"), _STRIPPED + _STRIPPED)


class Wrong(unittest.TestCase):
    def wrong(self, source: str, line: int, words: str) -> None:
        with self.assertRaises(StageError) as caught:
            find_regions("a.c", source)
        self.assertIn(f"a.c:{line}: ", str(caught.exception))
        self.assertIn(words, str(caught.exception))

    def test_unbalanced_markers(self) -> None:
        self.wrong(_SOURCE.replace("	/* END LAB */\n", ""), 7, "no END LAB")
        self.wrong(_SOURCE.replace("/* LAB 04-sleep:", "/* lab 04-sleep:"), 11, "without a region")
        inner = "	/* LAB 04-sleep: inner */\n	while"
        self.wrong(_SOURCE.replace("	while", inner), 8, "inside that of line 7")

    def test_markers_that_are_nearly_right(self) -> None:
        self.wrong(_SOURCE.replace("LAB 04-sleep: claim", "LAB 04-sleep claim"), 7, "not a marker")
        self.wrong(_SOURCE.replace('waiter */', "waiter"), 7, "does not end on its line")

    def test_a_region_across_a_block(self) -> None:
        crossing = _SOURCE.replace("	/* END LAB */\n	return n;\n}\n", "}\n	/* END LAB */\n")
        self.wrong(crossing, 11, "crosses the end")
        opening = _SOURCE.replace("	/* END LAB */", "	if (n) {\n	/* END LAB */\n	}")
        self.wrong(opening, 7, "does not close")

    def test_a_region_outside_functions(self) -> None:
        self.wrong("/* LAB 04-sleep: x */\nint n;\n/* END LAB */\n", 1, "not inside a function")
        table = "struct ops o = {\n	/* LAB 04-sleep: x */\n	.a = 1,\n	/* END LAB */\n};\n"
        self.wrong(table, 2, "not inside a function")

    def test_two_labs_in_one_file(self) -> None:
        self.wrong(_SOURCE + _SOURCE.replace("04-sleep", "05-sync"), 20, "05-sync in a file with")


class Starter(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name) / "tree"
        for name, text in (
            ("kernel/sched/sleep.c", _SOURCE),
            ("labs/04-sleep/lab.toml", LAB_TOML),
            ("labs/04-sleep/mutants/early.patch", "secret"),
            ("labs/04-sleep/equivalent.toml", "secret"),
            ("labs/04-sleep/instructor.md", "secret"),
            ("labs/04-sleep/variants/other/sleep.c", "secret"),
            ("labs/04-sleep/tests/hidden_race.c", "secret"),
            ("labs/mistakes/05-sync/wrong.patch", "secret"),
            ("grade/hostile/flood.patch", "secret"),
            ("labs/04-sleep/tests/sleep.c", "public"),
            ("build/junk.o", "junk"),
            (".gitignore", "/build/\n"),
        ):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        subprocess.run(["git", "init", "-q", str(self.root)], check=True, capture_output=True)
        self.lab = load(self.root / "labs" / "04-sleep")
        self.out = Path(folder.name) / "out"

    def test_what_is_shipped(self) -> None:
        self.assertEqual(starter(self.root, self.lab, self.out), 1)
        files = sorted(str(p.relative_to(self.out)) for p in self.out.rglob("*") if p.is_file())
        self.assertEqual(
            files,
            [
                ".gitignore",
                "kernel/sched/sleep.c",
                "lab.mk",
                "labs/04-sleep/lab.toml",
                "labs/04-sleep/tests/sleep.c",
            ],
        )
        self.assertEqual((self.out / "kernel/sched/sleep.c").read_text(), _STRIPPED)
        self.assertIn("STARTER := 1", (self.out / "lab.mk").read_text())

    def test_only_tracked_files_once_there_are_some(self) -> None:
        subprocess.run(["git", "-C", str(self.root), "add", "kernel", "labs"], check=True)
        (self.root / "notes.txt").write_text("mine")
        starter(self.root, self.lab, self.out)
        self.assertFalse((self.out / "notes.txt").exists())
        self.assertTrue((self.out / "labs/04-sleep/lab.toml").exists())

    def test_nothing_is_overwritten(self) -> None:
        self.out.mkdir()
        (self.out / "work.c").write_text("a student's")
        with self.assertRaises(StageError) as caught:
            starter(self.root, self.lab, self.out)
        self.assertIn("not empty", str(caught.exception))

    def test_regions_must_be_in_listed_files(self) -> None:
        (self.root / "kernel/sched/wait.c").write_text(_SOURCE)
        with self.assertRaises(StageError) as caught:
            check(self.root, [self.lab])
        self.assertIn("does not list", str(caught.exception))

    def test_listed_files_must_have_regions(self) -> None:
        (self.root / "kernel/sched/sleep.c").write_text("int n;\n")
        with self.assertRaises(StageError) as caught:
            check(self.root, [self.lab])
        self.assertIn("has no region", str(caught.exception))

    def test_every_region_is_in_a_step(self) -> None:
        toml = LAB_TOML.replace('["claim"]', '["claim", "nobody"]')
        lab = self.root / "labs/04-sleep/lab.toml"
        for steps, wrong in ((toml, "nobody"), (LAB_TOML.replace('["claim"]', "[]"), "claim")):
            lab.write_text(steps)
            with self.assertRaises(StageError) as caught:
                check(self.root, [load(lab.parent)])
            self.assertIn(f"{wrong} is not written, or in no step", str(caught.exception))

    def test_regions_of_unknown_labs(self) -> None:
        with self.assertRaises(StageError) as caught:
            check(self.root, [])
        self.assertIn("not in labs/", str(caught.exception))

    def test_what_is_hidden_leaves_the_manifest(self) -> None:
        for kind in ("test", "scenario"):
            hidden = f'[[{kind}]]\nname = "x"\nproperties = ["P4.1"]\nhidden = true\n\n'
            self.assertEqual(without_hidden(LAB_TOML + hidden), LAB_TOML)
        more = LAB_TOML.replace("seeds = 2\n", "seeds = 2\nhidden_seeds = 3\n")
        self.assertNotEqual(more, LAB_TOML)
        self.assertEqual(without_hidden(more), LAB_TOML)
        for names in ('["no-fence"]', '[\n    "no-fence",\n    "current-taken",\n]'):
            wrong = LAB_TOML.replace("seeds = 2\n", f"seeds = 2\nown_tests = {names}\n")
            self.assertNotEqual(wrong, LAB_TOML)
            self.assertEqual(without_hidden(wrong), LAB_TOML)


if __name__ == "__main__":
    unittest.main()
