"""Handouts: their properties are those of lab.toml, every test of a step is in that step's checkpoints,
and their commands are understood. Instructors' pages: every mutant and scenario that they name exists."""

import re
import tempfile
import unittest
from collections.abc import Iterable, Iterator
from pathlib import Path

from grade.lab import Lab, load_all
from grade.mutants import mutants
from grade.tests.fake import ROOT
from labs.handout import checkpoints, pattern, rows, trouble

_KTEST = re.compile(r'^KTEST\w*\(\w+, "([^"]+)", "([0-9]+\.[0-9]+)"', re.M)
_LINE = re.compile(r"^ok   ([0-9]+\.[0-9]+) (\S+), (\d+|…) checks$")

_SYMPTOMS = re.compile(r"^\| instead you see .*\n\|---.*((?:\n\|.*)+)", re.M)
_SENTENCE = re.compile(r"^\| (P\d+\.\d+) \| (.*) \|$", re.M)
_STEP = re.compile(r"^\*\*(\d+)\. [^*]*\*\* \(([^)]*)\)", re.M)
_ROW = r"^\| {} \| (.*) \|$"
_RANGE = re.compile(r"P(\d+)\.(\d+)(?:(?:–| to )P\d+\.(\d+))?")

_HANDOUT = """\
**2. Sleep** (P4.1).

```
$ make run TESTS=1 ICOUNT=1 CPUS=1 BOOTARGS='selftest=04.2 clock=5'
ok   04.2 sleep.a, 5 checks
$ make run TESTS=1 BOOTARGS=selftest=04.2
ok   04.2 sleep.b, … checks
```
"""


def _to_read(handout: str, files: Iterable[str]) -> Iterator[str]:
    """Those of @files, which students do not have yet, to which @handout sends them."""
    lines = [line for line in handout.splitlines() if "do not open" not in line]
    for file in files:
        folder, name = file.split("/")[-2:]
        named = re.compile(rf"^{re.escape(file)}\s|`(\S*{folder}/)?{re.escape(name)}`")
        if any(named.search(line) for line in lines):
            yield file


class Handouts(unittest.TestCase):
    def test_each_step_lists_its_tests(self) -> None:
        for lab in load_all(ROOT):
            with self.subTest(lab=lab.name):
                sources = (lab.folder / "tests").glob("*.c")
                there = {t for s in sources for t in _KTEST.findall(s.read_text("utf-8"))}
                said = set()
                for checkpoint in checkpoints(lab.folder):
                    for found in filter(None, map(_LINE.match, checkpoint.lines)):
                        self.assertEqual(found[1], f"{lab.name[:2]}.{checkpoint.step}")
                        said.add((found[2], found[1]))
                self.assertEqual(said, there)

    def test_no_file_of_a_later_lab_is_to_be_read(self) -> None:
        labs = load_all(ROOT)
        for number, lab in enumerate(labs):
            later = [file for other in labs[number + 1 :] for file in other.files]
            with self.subTest(lab=lab.name):
                self.assertEqual(set(_to_read((lab.folder / "README.md").read_text("utf-8"), later)), set())

    def test_a_file_to_be_read_is_found_in_text_and_map(self) -> None:
        said = "kernel/a/b.c   9   read\nkernel/a/c.c   do not open\nsee `a/d.c`, `d.cc` and `e.c`\n"
        later = [f"kernel/a/{name}.c" for name in "bcd"]
        self.assertEqual(set(_to_read(said, later)), {"kernel/a/b.c", "kernel/a/d.c"})

    def test_the_first_text_of_a_row_counts(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            row = "| a `panic: … at 0x6b`, or `it hangs` | who frees it? |"
            table = f"| instead you see | look at |\n|---|---|\n{row}\n"
            Path(name, "README.md").write_text(f"**3. Last** step\n\n{table}")
            ((step, text),) = rows(Path(name))
        self.assertEqual((step, text), (3, "panic: … at 0x6b"))
        for said, fits in (("panic: read at 0x6b", True), ("panic: read at 0x7", False)):
            self.assertEqual(bool(re.search(pattern(text), said)), fits, said)

    def test_each_row_of_symptoms_is_shown_by_a_mutant(self) -> None:
        for lab in load_all(ROOT):
            with self.subTest(lab=lab.name):
                shown = {row for m in mutants(ROOT, lab) for row in m.shows}
                self.assertEqual(set(rows(lab.folder)), shown)
                text = _text(lab)
                there = sum(table.count("\n| ") for table in _SYMPTOMS.findall(text))
                self.assertEqual(len(list(rows(lab.folder))), there, "a row without a text in backquotes")

    def test_own_tests_are_scored_on_mutants_whose_properties_are_named(self) -> None:
        explored = (ROOT / "docs/mutants-explored.md").read_text("utf-8")
        for lab in load_all(ROOT):
            with self.subTest(lab=lab.name):
                section = _part(_text(lab), "Your tests")
                self.assertEqual(bool(lab.own_tests), bool(section))
                shown = [m for m in mutants(ROOT, lab) if m.name in lab.own_tests]
                self.assertEqual(len(shown), len(lab.own_tests), "each is a mutant")
                self.assertEqual(_ids(section), {m.property for m in shown})
                for m in shown:
                    self.assertRegex(explored, rf"\| `{m.name}` \|.*\| `\w+\.\w+` \|", "a scenario sees it")

    def test_properties_belong_to_the_step_that_grades_them(self) -> None:
        for lab in load_all(ROOT):
            with self.subTest(lab=lab.name):
                self.assertEqual({p.step for p in lab.properties} - set(lab.steps), set())

    def test_the_contract_is_what_is_graded(self) -> None:
        for lab in load_all(ROOT):
            with self.subTest(lab=lab.name):
                said = _SENTENCE.findall(_text(lab))
                graded = [(p.id, p.text) for p in lab.properties]
                self.assertEqual([(name, text.replace("`", "")) for name, text in said], graded)

    def test_each_step_names_the_properties_that_it_is_graded_by(self) -> None:
        for lab in load_all(ROOT):
            with self.subTest(lab=lab.name):
                named = {int(step): _ids(words) for step, words in _STEP.findall(_text(lab))}
                self.assertEqual(list(named), list(lab.steps))
                for p in lab.properties:
                    # A later step may name it again, for tests that are only then possible.
                    steps = [step for step, ids in named.items() if p.id in ids]
                    self.assertEqual(min(steps, default=None), p.step, p.id)

    def test_the_table_of_points_adds_up(self) -> None:
        for lab in load_all(ROOT):
            with self.subTest(lab=lab.name):
                steps, ids, points = (_cells(lab, row) for row in ("step", "properties", "points"))
                self.assertEqual(steps, [str(step) for step in lab.steps])
                for step, cell, sum_ in zip(lab.steps, ids, points, strict=True):
                    mine = [p for p in lab.properties if p.step == step]
                    self.assertEqual(_ids(cell), {p.id for p in mine}, f"step {step}")
                    self.assertEqual(float(sum_), sum(p.points for p in mine), f"step {step}")
                self.assertEqual(sum(p.points for p in lab.properties), 100)

    def test_commands(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "README.md").write_text(_HANDOUT, encoding="utf-8")
            first, second = checkpoints(Path(name))
        self.assertEqual((first.step, second.step), (2, 2))
        self.assertEqual(second.lines, ("ok   04.2 sleep.b, … checks",))
        machine = first.machine("riscv", Path("kernel.elf"))
        self.assertEqual((machine.cpus, machine.bootargs[1:]), (1, ("selftest=04.2", "clock=5")))
        self.assertTrue(machine.bootargs[0].startswith("limit="))  # instructions are counted
        self.assertIsNotNone(machine.icount)
        self.assertIsNone(second.machine("riscv", Path("kernel.elf")).icount)


class InstructorsPages(unittest.TestCase):
    def test_each_lab_has_one_with_all_parts(self) -> None:
        for lab in load_all(ROOT):
            with self.subTest(lab=lab.name):
                titles = re.findall(r"^## (.*)$", _page(lab), re.M)
                self.assertEqual(titles, list(_PARTS))

    def test_the_demonstration_is_a_mutant_in_a_scenario(self) -> None:
        for lab in load_all(ROOT):
            with self.subTest(lab=lab.name):
                scenarios = {t.name for t in lab.tests}
                applied = re.findall(r"^git apply (-R )?(\S+)$", _page(lab), re.M)
                there = [path for back, path in applied if not back]
                self.assertEqual(there, [path for back, path in applied if back], "taken back again")
                for path in there:
                    self.assertTrue((ROOT / path).is_file(), path)
                for name in re.findall(r"SCENARIO=(\S+)", _page(lab)):
                    self.assertIn(name, scenarios)

    def test_mistakes_are_mutants(self) -> None:
        for lab in load_all(ROOT):
            with self.subTest(lab=lab.name):
                known = {m.name for m in mutants(ROOT, lab)}
                said = re.findall(r"`([^`]+)`", _page(lab).partition("## The mistakes by")[2])
                self.assertEqual(set(said) - known, set())
                self.assertGreater(len(said), 10)

    def test_there_is_an_answer_to_each_question(self) -> None:
        for lab in load_all(ROOT):
            with self.subTest(lab=lab.name):
                questions = _part(_text(lab), "Questions")
                answers = _part(_page(lab), "Answers to the written questions")
                self.assertEqual(*(len(re.findall(r"^\d\. ", t, re.M)) for t in (questions, answers)))


_PARTS = (
    "Its place in a course",
    "A talk of 20 minutes",
    "Questions that come",
    "Answers to the written questions",
    "What else is right",
    "The challenges",
    "A talk after hand-in, 5 minutes",
    "The mistakes by the idea behind them",
)


def _page(lab: Lab) -> str:
    return (lab.folder / "instructor.md").read_text("utf-8")


def _part(text: str, title: str) -> str:
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def _text(lab: Lab) -> str:
    return (lab.folder / "README.md").read_text("utf-8")


def _cells(lab: Lab, row: str) -> list[str]:
    found = re.search(_ROW.format(row), _text(lab), re.M)
    assert found is not None, f"{lab.name}: no row {row}"
    return found[1].split(" | ")


def _ids(words: str) -> set[str]:
    """Of "P4.1, P4.3 to P4.5", with a dash in place of "to" in the table: all four."""
    return set(_listed(words))


def _listed(words: str) -> Iterator[str]:
    for chapter, first, last in _RANGE.findall(words):
        yield from (f"P{chapter}.{n}" for n in range(int(first), int(last or first) + 1))


_SAID = """\
ok   08.1 move.new, 24 checks
run  08.1 move.queued
  P8.1 move.c:149: the queue that it leaves counts 3
FAIL 08.1 move.queued, 26 checks
run  08.1 move.locked
ok   08.1 move.locked, 6 checks
"""
_PANICKED = """\
panic: page fault: writing to 0x6b
  CPU 1, thread 19 (member), process 0 (kernel)
  a0  ffffffff80244886 a1  ffffffff80246b82
call chain:
  ffffffff802448b6  rr_pick+0x30
last trace records:
   31788500 ns  cpu0  thread 22    state
move.locked has not ended:
  thread 1 (init) is running on CPU 2
end of panic
"""


class Trouble(unittest.TestCase):
    def test_the_first_test_that_failed(self) -> None:
        self.assertEqual(trouble(_SAID).splitlines(), _SAID.splitlines()[1:4])

    def test_a_test_that_says_much(self) -> None:
        lines = ["run  1", *(f"  {i}" for i in range(20)), "FAIL 1"]
        told = trouble("\n".join(lines)).splitlines()
        self.assertEqual(told, [*lines[:7], "  … 14 more lines", "FAIL 1"])

    def test_a_panic_without_registers_and_records(self) -> None:
        lines = _PANICKED.splitlines()
        expected = [*lines[:2], *lines[3:5], *lines[7:9]]
        self.assertEqual(trouble(_PANICKED).splitlines(), expected)
        both = trouble(_SAID + _PANICKED).splitlines()
        self.assertEqual(both, _SAID.splitlines()[1:4] + expected)
        self.assertEqual(trouble("run  2\nx\n" + _PANICKED).splitlines(), ["run  2", "x", *expected])

    def test_nothing_of_the_kind(self) -> None:
        self.assertEqual(trouble("\n".join(map(str, range(20)))).splitlines()[0], "12")


if __name__ == "__main__":
    unittest.main()
