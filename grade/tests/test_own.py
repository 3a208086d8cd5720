"""Tests that students write: what counts, what is refused, and a whole score."""

import re
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from unittest import mock

from grade.build import Reference
from grade.copies import copies, scenarios_in
from grade.errors import GraderError
from grade.lab import choose
from grade.own import Accused, OwnScore, Shown, _Trial, handed_in_for, kernels, score, text
from grade.tests.fake import ROOT
from tools.progress import Silent

_LAB = choose(ROOT, ["04-sleep"])[0]

_BLAMES_ALL = """\
#include "explore/scenario.h"

SCENARIO(early, "mine.early", "", "", .cpus = 1)
{
	u64 before = time_now();

	thread_sleep(1000);
	expect(time_now() > before + 1000000, "a sleep of 1 us took no more than 1 ms");
}
"""

_ORDER = """\
#include "explore/scenario.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static struct actor first, second;
static unsigned came;

static int wait_here(void)
{
	wait_block(&q, DEADLINE_NEVER);
	return ++came;
}

static const char *in_turn(void)
{
	return first.result < second.result ? NULL : "the thread that came second was woken first";
}

SCENARIO(order, "mine.order", "", "", .cpus = 1, .after = in_turn, .keeps = true)
{
	act_on(0, &first, wait_here);
	while (!q.nr)
		sched_yield();
	act_on(0, &second, wait_here);
	while (q.nr < 2)
		sched_yield();
	wait_wake_one(&q, 0);
	while (!came)
		sched_yield();
	wait_wake_one(&q, 0);
	end_here();
}
"""


# The linker's plugin hands such an object to lto-wrapper, which starts compilers with these options.
_FOR_LTO = """
#define IN(name) __attribute__((used, section(name)))
static const char symbols[16] IN(".gnu.lto_.symtab.0123") = "hello";
static const char options[] IN(".gnu.lto_.opts") = "'-O2' '-c'";
"""


class Kernels(unittest.TestCase):
    def test_right_ones_come_first(self) -> None:
        found = kernels(ROOT, _LAB)
        self.assertEqual(found[0].name, "reference")
        self.assertEqual([k.name for k in found if k.property], list(_LAB.own_tests))
        self.assertEqual([bool(k.property) for k in found], sorted(bool(k.property) for k in found))

    def test_a_mutant_that_is_not_there(self) -> None:
        with self.assertRaisesRegex(GraderError, "own_tests: there is no mutant not-there"):
            kernels(ROOT, replace(_LAB, own_tests=("one-per-tick", "not-there")))

    def test_a_lab_without(self) -> None:
        with self.assertRaisesRegex(GraderError, "asks for no tests"):
            kernels(ROOT, choose(ROOT, ["02-threads"])[0])


class Text(unittest.TestCase):
    def test_says_what_does_not_count_and_what_nobody_noticed(self) -> None:
        accused = tuple(Accused("mine.a", kernel, "it is late") for kernel in ("the reference", "variant b"))
        shown = (Shown("x", "P4.1", "wakes early", "mine.b"), Shown("y", "P4.2", "wakes late", ""))
        said = text(OwnScore("04-sleep", ("mine.a", "mine.b"), accused, shown))
        self.assertIn("mine.a finds fault with a right kernel, the reference and 1 other:\n", said)
        self.assertEqual(said.count("it is late"), 1)
        self.assertIn("P4.1   wakes early: noticed by mine.b\n", said)
        self.assertIn("P4.2   wakes late: not noticed\n", said)
        self.assertTrue(said.endswith("\n1 of 2 wrong kernels noticed\n"))

    def test_says_what_was_copied(self) -> None:
        said = text(OwnScore("04-sleep", ("mine.a",), (), (), (("mine.a", "event.first"),)))
        self.assertIn("does not count: mine.a is event.first under another name\n", said)


class Copies(unittest.TestCase):
    def test_every_scenario_of_a_lab_is_recognized_in_disguise(self) -> None:
        for path in sorted((ROOT / "labs/04-sleep/scenarios").glob("[a-g]*.c")):
            given = path.read_text()
            mine = re.sub(r'^SCENARIO\((\w+), "', r'SCENARIO(\1_, "mine_', given, flags=re.MULTILINE)
            mine = re.sub(r'"04\.\d", "P4\.\d+"', '"", ""', mine)
            mine = mine.replace("\t", "    ").replace("{\n", "{  // mine\n\n")
            found = copies(ROOT, {"mine.c": mine.encode()})
            self.assertEqual(found, {f"mine_{name}": name for name in scenarios_in(given)})
            self.assertEqual(len(found), given.count("\nSCENARIO("))

    def test_helpers_have_other_names(self) -> None:
        other = _ORDER.replace("wait_here", "stand").replace("in_turn", "fair").replace("mine.", "his.")
        self.assertEqual(scenarios_in(other)["his.order"], scenarios_in(_ORDER)["mine.order"])

    def test_one_of_a_students_own(self) -> None:
        self.assertEqual(copies(ROOT, {"a.c": _ORDER.encode(), "b.c": _BLAMES_ALL.encode()}), {})
        other = _ORDER.replace("return ++came", "return --came")
        self.assertNotEqual(scenarios_in(other)["mine.order"], scenarios_in(_ORDER)["mine.order"])

    def test_not_c(self) -> None:
        cut_off = (b"SCENARIO(a, { }", b"SCENARIO a b ( { }", b"{ } ( {")
        for text in (b"}}{{)(\xff SCENARIO( { } ;", b"", *cut_off):
            self.assertEqual(copies(ROOT, {"a.c": text}), {}, text)


class Score(unittest.TestCase):
    rest = True

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.submission = Path(folder.name)
        self.mine = self.submission / "labs/04-sleep/scenarios/mine"
        self.mine.mkdir(parents=True)
        self.reference = Reference(ROOT, ROOT / "build", "riscv", False, 2)
        self.addCleanup(self.reference.close)

    def score(self) -> OwnScore:
        own = handed_in_for(_LAB, self.submission, None)
        return score(ROOT, _LAB, own, self.reference, 2, Silent())

    def test_a_whole_one(self) -> None:
        (self.mine / "early.c").write_text(_BLAMES_ALL)
        (self.mine / "order.c").write_text(_ORDER)
        given = (ROOT / "labs/04-sleep/scenarios/event.c").read_text()
        (self.mine / "copy.c").write_text(given.replace('"event.', '"mine.event_'))
        found = self.score()
        self.assertTrue(found.copies)
        self.assertEqual(set(found.scenarios), {"mine.early", "mine.order", *dict(found.copies)})
        right = [k.what for k in kernels(ROOT, _LAB) if not k.property]
        self.assertEqual([a.kernel for a in found.accused], right)
        self.assertEqual({a.scenario for a in found.accused}, {"mine.early"})
        noticed = {s.kernel: s.noticed for s in found.shown}
        self.assertEqual(noticed["wakes-last"], "mine.order")
        self.assertEqual(noticed["killed-keeps-deadline"], "")
        self.assertNotIn("mine.early", noticed.values())

    def test_none_at_all(self) -> None:
        with self.assertRaisesRegex(GraderError, "has no tests: labs/04-sleep/scenarios/mine"):
            self.score()

    def test_one_that_looks_like_an_object_for_the_linker_to_compile(self) -> None:
        (self.mine / "order.c").write_text(_ORDER + _FOR_LTO)
        honest = self.reference.build(_LAB.files, ("explorer",), Silent())
        own = handed_in_for(_LAB, self.submission, None)
        self.assertEqual(_Trial(self.reference, _LAB, own, False).names(honest), ("mine.order",))

    def test_one_that_does_not_compile_or_takes_a_name(self) -> None:
        (self.mine / "bad.c").write_text("int x = ;\n")
        with self.assertRaisesRegex(GraderError, "mine/bad.c:1"):
            self.score()
        (self.mine / "bad.c").write_text(_BLAMES_ALL.replace("mine.early", "sleeper.past"))
        with self.assertRaisesRegex(GraderError, "two scenarios with the name sleeper.past"):
            self.score()
        (self.mine / "bad.c").write_text(_BLAMES_ALL)
        with mock.patch("grade.own._SCENARIOS_MAX", 0), self.assertRaisesRegex(GraderError, "at most 0"):
            self.score()
