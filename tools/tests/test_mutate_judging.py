"""The mutation engine: which tests judge a mutant, resumption, entries for equivalents, the report."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest import mock

from grade.build import Product
from grade.lab import Lab, choose
from tools import options
from tools.explore.program import Result as Explored
from tools.mutate import equivalent, exploring, questions, report, work
from tools.mutate.booting import LabTests
from tools.mutate.errors import MutateError
from tools.mutate.killers import Killer, Known, Late, Order, Verdict, judged
from tools.mutate.mutants import Mutant
from tools.mutate.objects import Compiler
from tools.mutate.operators import ASSEMBLY, GROUPS, OPERATORS, group_of
from tools.mutate.questions import Survey
from tools.mutate.report import Fate, Outcome, Result
from tools.mutate.store import Store
from tools.programs import ROOT, clean_environment
from tools.progress import Silent
from tools.tests.support import BUILD_ROOT
from tools.tests.test_mutate import mutant


class _Killer:
    context = "c"

    def __init__(self, killed: bool, name: str = "QEMU") -> None:
        self.asked: list[str] = []
        self._killed = killed
        self.name = name

    def judge(self, mutant: Mutant) -> Verdict | None:
        self.asked.append(mutant.id)
        return Verdict(self._killed, "explorer" if self.name == "explorer" else "a test", "it said so")


class Resumption(unittest.TestCase):
    def test_what_is_known_is_not_asked_again(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "verdicts.jsonl")
            first = _Killer(True)
            verdicts = judged([first], Store(path), mutant(1))
            self.assertEqual(first.asked, [mutant(1).id])
            with path.open("a") as file:
                file.write('{"key": "cut of')  # a crash
            second = _Killer(False)
            self.assertEqual(judged([second], Store(path), mutant(1)), verdicts)
            self.assertEqual(second.asked, [])
            judged([second], Store(path), mutant(2, text="a\ny\nc\n"))
            self.assertEqual(len(second.asked), 1)
            self.assertEqual(len(Store(path).get("QEMU c " + mutant(2, text="a\ny\nc\n").key) or {}), 6)
            second.context = "another kernel"
            judged([second], Store(path), mutant(1))
            self.assertEqual(len(second.asked), 2)
            third = _Killer(True)
            judged([third], Store(path, again=True), mutant(1))
            self.assertEqual(len(third.asked), 1)

    def test_the_first_killer_ends_it(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            explorer, tests = _Killer(True), _Killer(True)
            explorer.name = "explorer"
            judged([explorer, tests], Store(Path(folder, "v")), mutant(1))
        self.assertEqual((len(explorer.asked), len(tests.asked)), (1, 0))

    def test_a_known_kill_ends_it_whoever_would_be_asked_first(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder, "v"))
            explorer, tests = _Killer(True, "explorer"), _Killer(False)
            judged([explorer], store, mutant(1))
            self.assertEqual(list(judged([tests, explorer], store, mutant(1))), ["explorer"])
            self.assertEqual(tests.asked, [])
            self.assertEqual(len(judged([tests, explorer], store, mutant(1), each=True)), 2)

    def test_each_is_asked_although_the_first_kills(self) -> None:
        for first, second, fate in (
            (True, True, Fate.BOTH),
            (True, False, Fate.EXPLORER),
            (False, True, Fate.QEMU),
            (False, False, Fate.SURVIVED),
        ):
            explorer, tests = _Killer(first, "explorer"), _Killer(second)
            result = Result(mutant(1), Fate.WAITING)
            with tempfile.TemporaryDirectory() as folder:
                work.judge([result], [explorer, tests], Store(Path(folder, "v")), 1, Silent(), each=True)
            self.assertEqual((result.fate, len(explorer.asked), len(tests.asked)), (fate, 1, 1))

    def test_a_verdict_that_an_interruption_made_is_not_kept(self) -> None:
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(options, "_told_to_end", True):
            store = Store(Path(folder, "v"))
            with self.assertRaises(KeyboardInterrupt):
                judged([_Killer(True)], store, mutant(1))
            self.assertIsNone(store.get(f"QEMU c {mutant(1).key}"))


    def test_the_explorer_alone_leaves_its_survivors_to_a_later_run(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            explorer, tests = _Killer(False), _Killer(True)
            explorer.name = "explorer"
            known = Known(tests.name, tests.context)

            def fate(*killers: Killer) -> Fate:
                result = Result(mutant(1), Fate.WAITING)
                work.judge([result], killers, Store(Path(folder, "v")), 1, Silent())
                return result.fate

            self.assertIs(fate(explorer, known), Fate.UNASKED)
            self.assertEqual((len(explorer.asked), len(tests.asked)), (1, 0))
            self.assertIs(fate(explorer, tests), Fate.QEMU)
            self.assertIs(fate(explorer, known), Fate.QEMU)
            self.assertEqual((len(explorer.asked), len(tests.asked)), (1, 1))

    def test_qemu_is_spared_a_mutant_that_is_listed(self) -> None:
        for kills, fate in ((False, Fate.UNASKED), (True, Fate.EXPLORER)):
            explorer, tests = _Killer(kills, "explorer"), _Killer(True)
            result = Result(mutant(1), Fate.WAITING)
            with tempfile.TemporaryDirectory() as folder:
                store = Store(Path(folder, "v"))
                work.judge([result], [explorer, tests], store, 1, Silent(), spared=[mutant(1).id])
            self.assertEqual((result.fate, len(tests.asked)), (fate, 0))

    def test_an_order_that_only_the_explorer_can_tell(self) -> None:
        path = "kernel/sync/mutex.c"
        text = (ROOT / path).read_bytes().decode("latin-1")
        weaker = text.replace("0, memory_order_release", "0, memory_order_relaxed")
        wrong = replace(mutant(1, original=text, text=weaker, path=path), operator="order")
        compiler = Compiler(ROOT, BUILD_ROOT)
        cases: list[tuple[list[Killer], Fate]] = [
            ([], Fate.SAME),
            ([_Killer(False, "explorer")], Fate.SURVIVED),
            ([_Killer(True, "explorer")], Fate.EXPLORER),
        ]
        for explorer, fate in cases:
            tests = _Killer(True)
            with tempfile.TemporaryDirectory() as folder:
                store = Store(Path(folder, "v"))
                found = work.compiled(compiler, [wrong], store, 1, Silent())
                self.assertEqual([(r.fate, r.explorer_only) for r in found], [(Fate.WAITING, True)])
                work.judge(found, [*explorer, tests], store, 1, Silent())
            self.assertEqual((found[0].fate, tests.asked), (fate, []))

    def test_a_late_killer_is_set_up_once_when_it_is_asked(self) -> None:
        made: list[Killer] = []

        def set_up() -> Killer:
            made.append(_Killer(True))
            return made[0]

        late = Late("QEMU", "c", set_up)
        self.assertEqual(made, [])
        late.judge(mutant(1))
        late.judge(mutant(2))
        self.assertEqual(len(made), 1)

    def test_the_explorer_alone_says_nothing_about_a_port(self) -> None:
        result = Result(mutant(1), Fate.WAITING)
        with tempfile.TemporaryDirectory() as folder:
            work.judge([result], [Known("QEMU", "c")], Store(Path(folder, "v")), 1, Silent())
        self.assertIs(result.fate, Fate.WAITING)


class Exploration(unittest.TestCase):
    """The explorer as a killer; programs are not built here."""

    LAB = choose(ROOT, ["02-threads"])[0]

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.wrong: dict[str, str] = {}  # the scenarios that find something
        self.asked: list[str] = []
        self.built = 0

    def judge(self, lab: Lab, path: str = "kernel/k.c") -> Verdict | None:
        def build(*_: object) -> Product:
            self.built += 1
            made = self.folder / str(self.built)
            made.mkdir()
            return Product(made / "kernel.elf", None, made / "explore")

        def one(program: Path, name: str, bound: int, *_: object) -> Explored:
            honest = program.parent.name == "1"
            if not honest:
                self.asked.append(name)
            verdict = "" if honest else self.wrong.get(name, "")
            return Explored(name, "wrong" if verdict else "bounded", bound, 1, 1, 1, 1, verdict)

        self.asked.clear()
        self.built = 0
        with (
            mock.patch.object(exploring, "Reference", autospec=True) as reference,
            mock.patch.object(exploring, "explore", one),
            tempfile.TemporaryDirectory(dir=self.folder) as made,
        ):
            self.folder, kept = Path(made), self.folder
            reference.return_value.build.side_effect = build
            reference.return_value.build_with.side_effect = build
            try:
                store = Store(kept / "verdicts.jsonl")
                return exploring.Explorer(ROOT, BUILD_ROOT, lab, store, Silent()).judge(mutant(1, path=path))
            finally:
                self.folder = kept

    def test_the_first_counterexample_ends_it_and_is_kept(self) -> None:
        names = [test.name for test in self.LAB.tests if test.bound is not None]
        self.wrong = dict.fromkeys(names, "a deadlock")
        found = self.judge(self.LAB)
        assert found is not None
        self.assertIs(found.killed, True)
        self.assertEqual(len(self.asked), 1)
        self.assertEqual(found.evidence, f"{self.asked[0]}: a deadlock")
        again = self.judge(self.LAB)
        assert again is not None
        self.assertEqual((self.asked, self.built, again.evidence), ([], 1, found.evidence))

    def test_of_a_survivor_only_a_new_scenario_is_asked(self) -> None:
        fewer = replace(self.LAB, tests=tuple(t for t in self.LAB.tests if t.name != "join.one"))
        found = self.judge(fewer)
        assert found is not None
        self.assertIs(found.killed, False)
        self.assertNotIn("join.one", self.asked)
        self.wrong = {"join.one": "lost"}
        found = self.judge(self.LAB)
        assert found is not None
        self.assertEqual((found.killed, self.asked), (True, ["join.one"]))

    def test_a_port_is_not_its_business(self) -> None:
        self.assertIsNone(self.judge(self.LAB, "arch/riscv/k.c"))
        self.assertEqual(self.asked, [])

    def test_a_new_scenario_is_none_of_the_business_of_qemu(self) -> None:
        lab = replace(self.LAB, folder=self.folder)
        text = (self.LAB.folder / "lab.toml").read_text()
        contexts = []
        for more in ("", '[[scenario]]\nname = "join.new"\n', '[[test]]\nname = "join.newer"\n'):
            (self.folder / "lab.toml").write_text(text + more)
            contexts.append(LabTests.context_of(ROOT, lab))
        self.assertEqual(contexts[0], contexts[1])
        self.assertNotEqual(contexts[0], contexts[2])

    def test_the_kernel_itself_must_pass(self) -> None:
        with (
            mock.patch.object(exploring.Explorer, "_fault", return_value="lost"),
            self.assertRaisesRegex(MutateError, "the kernel itself fails .*: lost"),
        ):
            self.judge(self.LAB)


class Questions(unittest.TestCase):
    """The searches about a mutant of a file."""

    SURVEYS = (
        Survey("slow", 2, 2, 2.0, frozenset({("kernel/k.c", "f")}), frozenset({("kernel/k.c", 1)})),
        Survey("quick", 1, 2, 1.0, frozenset({("kernel/k.c", "f")}), frozenset({("kernel/k.c", 1)})),
        Survey("alone", 2, 1, 1.0, frozenset({("kernel/k.c", "f")}), frozenset({("kernel/k.c", 1)})),
        Survey("elsewhere", 2, 2, 1.0, frozenset({("kernel/k.c", "g")}), frozenset({("kernel/k.c", 9)})),
    )

    def asked(self, operator: str) -> list[str]:
        one = replace(mutant(1, path="kernel/k.c"), function="f", line=3, operator=operator)
        return [q.name for q in questions.of_mutant(one, self.SURVEYS)]

    def test_only_scenarios_that_run_the_function_are_asked_with_their_bounds(self) -> None:
        self.assertEqual(self.asked("drop"), ["quick", "alone", "slow"])

    def test_an_order_is_asked_where_two_cpus_compete_and_loads_read_older_stores(self) -> None:
        self.assertEqual(self.asked("order"), ["quick weak 1", "slow weak 1", "slow weak 2"])


class Tables(unittest.TestCase):
    def test_each_operator_has_a_group(self) -> None:
        for entry in OPERATORS:
            self.assertIn(group_of(entry.name, "k.c"), GROUPS)
        for name in ASSEMBLY:
            self.assertEqual(group_of(name.name, "k.S"), GROUPS[-1])

    def test_markdown_has_a_row_for_each_group_and_all_that_is_left(self) -> None:
        fates = (Fate.EXPLORER, Fate.QEMU, Fate.EQUAL, Fate.SURVIVED, Fate.BROKEN)
        found = Outcome("02", [Result(mutant(n), fate) for n, fate in enumerate(fates)])
        text = report.markdown(found)
        self.assertIn("| statements | 4 | 1 | 1 | 1 | 1 |\n| all | 4 | 1 | 1 | 1 | 1 |\n\n", text)
        self.assertIn("- `k.c:f:2:drop:3`: drop b\n", text)
        self.assertIn("02: 2 of 3 mutants killed, 66.7 %; 1 equivalent", text)
        found.results.append(Result(mutant(9), Fate.UNASKED))
        self.assertIn("| left | unasked |", report.markdown(found))
        self.assertIn("not yet run under QEMU:\n  k.c:2: drop", report.text(found))
        self.assertFalse(Outcome("02", found.results[-1:]).good)

    def test_markdown_of_files_has_a_row_for_each_folder(self) -> None:
        paths = ("kernel/sync/mutex.c", "kernel/fs/path.c", "kernel/sync/event.c")
        found = [Result(replace(mutant(n), path=path), Fate.QEMU) for n, path in enumerate(paths)]
        text = report.markdown(Outcome("two folders", found), by_folder=True)
        rows = "| `kernel/fs` | 1 | 0 | 1 | 0 | 0 |\n| `kernel/sync` | 2 | 0 | 2 | 0 | 0 |\n| all | 3 |"
        self.assertIn(rows, text)


class Equivalents(unittest.TestCase):
    ENTRY = (
        '[[equivalent]]\nfile = "k.c"\nfunction = "f"\noperator = "drop"\nbefore = "b"\nafter = "x"\n'
        'reason = "nobody looks"\n'
    )

    def test_a_lab_that_is_not_judged_whole(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, equivalent.NAME)
            self.assertFalse(equivalent.is_whole(path))
            for text, whole in ((self.ENTRY, True), ("unfinished = true\n" + self.ENTRY, False)):
                path.write_text(text, encoding="utf-8")
                self.assertEqual(equivalent.is_whole(path), whole)

    def read(self, text: str) -> list[equivalent.Entry]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, equivalent.NAME)
            path.write_text(text)
            return equivalent.read(path)

    def outcome(self, fate: Fate, entries: list[equivalent.Entry]) -> Outcome:
        verdict = Verdict(fate is Fate.QEMU, "riscv a.test", "")
        found = Outcome("02", [Result(mutant(1), fate, verdict)])
        work.compare(found, entries, [mutant(1)])
        return found

    def test_an_entry_makes_a_survivor_equal(self) -> None:
        found = self.outcome(Fate.SURVIVED, self.read(self.ENTRY))
        self.assertEqual(found.results[0].fate, Fate.EQUAL)
        self.assertTrue(found.good)
        self.assertEqual(found.score, 1.0)

    def test_an_entry_speaks_for_all_mutants_with_the_same_code(self) -> None:
        one, other = mutant(1), mutant(2, text="a\ny\nc\n")
        entries = self.read(self.ENTRY)
        for named in (entries, [replace(entries[0], after="y")], [*entries, replace(entries[0], after="y")]):
            found = Outcome("02", [Result(one, Fate.SURVIVED), Result(other, Fate.TWIN, like=one.id)])
            work.compare(found, named, [one, other])
            self.assertEqual([r.fate for r in found.results], [Fate.EQUAL, Fate.TWIN])
            self.assertTrue(found.good)
        killed = Outcome("02", [Result(one, Fate.EXPLORER), Result(other, Fate.TWIN, like=one.id)])
        work.compare(killed, [replace(entries[0], after="y")], [one, other])
        self.assertFalse(killed.good)

    def test_a_survivor_without_an_entry_is_a_failure(self) -> None:
        found = self.outcome(Fate.SURVIVED, [])
        self.assertFalse(found.good)
        self.assertIn("k.c:2: drop: drop b", report.text(found))
        self.assertIn("0 of 1 mutants killed, 0.0 %", report.last_line(found))

    def test_stale_entries_are_told(self) -> None:
        entries = self.read(self.ENTRY)
        killed = self.outcome(Fate.QEMU, entries)
        self.assertFalse(killed.good)
        self.assertIn("the mutant is killed (riscv a.test)", report.text(killed))
        gone = self.outcome(Fate.SURVIVED, [replace(entries[0], before="c")])
        self.assertIn("stale entry: there is no such mutant: f, drop: c -> x", report.text(gone))
        self.assertFalse(self.outcome(Fate.QEMU, [replace(entries[0], nth=2)]).good)

    def test_an_entry_that_moved_still_fits(self) -> None:
        moved = replace(mutant(1), line=9, original="n\na\nb\nc\n", text="n\na\nx\nc\n")
        self.assertEqual(equivalent.match(self.read(self.ENTRY), [moved])[1], [])

    def test_wrong_entries_are_told(self) -> None:
        for wrong, why in (
            (self.ENTRY.replace('"nobody looks"', '" "'), "entry 1: reason must be given"),
            (self.ENTRY + "line = 3\n", "line is not known"),
            (self.ENTRY + "nth = 0\n", "nth must be a number"),
            ("[[equivalent]\n", "cannot be read"),
        ):
            with self.assertRaisesRegex(MutateError, why):
                self.read(wrong)


class Turns(unittest.TestCase):
    def test_tests_that_kill_in_the_same_function_are_first(self) -> None:
        order = Order()
        order.killed(replace(mutant(1), function="g"), "dear")
        costs = {"cheap": 1.0, "dear": 9.0, "dearest": 20.0}

        def turns() -> list[str]:
            return sorted(costs, key=lambda run: order.key(mutant(1), run, costs[run]))

        self.assertEqual(turns(), ["dear", "cheap", "dearest"])
        order.killed(mutant(2), "dearest")
        self.assertEqual(turns(), ["dearest", "dear", "cheap"])


class Program(unittest.TestCase):
    """The command line."""

    def mutate(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tools.mutate", "--build-root", BUILD_ROOT, *words],
            cwd=ROOT,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def test_list_and_show(self) -> None:
        where = ("--file", "kernel/sync/semaphore.c", "--function", "semaphore_destroy")
        done = self.mutate(*where, "--list")
        self.assertEqual(done.returncode, 0, done.stderr)
        name = next(word for word in done.stdout.split() if ":drop:" in word)
        shown = self.mutate(*where, "--show", name)
        self.assertIn("-\twait_queue_destroy(&s->q);\n", shown.stdout)

    def test_wrong_words_are_told_in_one_line(self) -> None:
        for words, why in (
            (("--lab", "99-none"), "no lab 99-none; there are"),
            (("--file", "kernel/none.c"), "no such file"),
            (("--lab", "02-threads", "--show", "x"), "no mutant is x"),
            (("--lab", "02-threads", "--sample", "0"), "must be a number"),
            ((), "one of the arguments --lab --file is required"),
        ):
            done = self.mutate(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(why, done.stderr)


class Choice(unittest.TestCase):
    MUTANTS = tuple(replace(mutant(1), number=n) for n in range(50))

    def sampled(self, size: int, seed: int) -> list[Result]:
        """Every third mutant has the code of the kernel itself."""

        def compiled(_: object, mutants: Sequence[Mutant], *more: object) -> list[Result]:
            return [Result(m, Fate.WAITING if m.number % 3 else Fate.SAME) for m in mutants]

        with mock.patch.object(work, "compiled", compiled), tempfile.TemporaryDirectory() as folder:
            return work.sampled(mock.Mock(), self.MUTANTS, size, seed, Store(Path(folder, "v")), 1, Silent())

    def test_a_sample_is_the_same_every_time(self) -> None:
        one, two, other = ([r.mutant.id for r in self.sampled(10, seed)] for seed in (3, 3, 4))
        self.assertEqual(one, two)
        self.assertNotEqual(one, other)

    def test_a_sample_has_so_many_that_are_worth_a_run(self) -> None:
        for size in (1, 10, 33, 40):
            waiting = [r for r in self.sampled(size, 1) if r.fate is Fate.WAITING]
            self.assertEqual(len(waiting), min(size, 33))

    def test_a_larger_sample_has_the_smaller_one(self) -> None:
        small, large = ([r.mutant.id for r in self.sampled(size, 1)] for size in (5, 20))
        self.assertEqual(large[: len(small)], small)

    def test_the_explorer_is_not_asked_about_a_port(self) -> None:
        port = replace(mutant(1), path="arch/riscv/frame.c")
        self.assertEqual(work.asked([mutant(1), port], "", "explorer"), [mutant(1)])
        self.assertEqual(work.asked([mutant(1), port], "arch/", "all"), [port])


if __name__ == "__main__":
    unittest.main()
