"""The explorer: small programs whose numbers of executions are known, its verdicts, and its command line."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from math import comb, factorial
from pathlib import Path

from tools.explore import races, table
from tools.explore.program import Access, ExploreError, explore, is_schedule, replay, scenarios
from tools.test.builds import ROOT, clean_environment
from tools.tests.support import BUILD_ROOT, make

_PROGRAM = BUILD_ROOT / "explore" / "explore"
_STEPS = 300_000


def plain(scenario: str) -> tuple[str, int]:
    """The outcome of all schedules, one by one, and how many there are."""
    return outcome(scenario, "plain", str(_STEPS))


def outcome(*words: str) -> tuple[str, int]:
    """The outcome of a search, and its executions."""
    argv = [str(_PROGRAM), *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    result = json.loads(done.stdout)
    return result["outcome"], result["executions"]


class Explorer(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        """Builds it; the classes run at the same time, so one after the other."""
        BUILD_ROOT.mkdir(parents=True, exist_ok=True)
        with (BUILD_ROOT / "explore.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = make("explorer")
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)


class Numbers(Explorer):
    """Without equal states merged, the executions are the orders of the accesses that conflict."""

    def test_n_stores_to_one_word_have_n_factorial_orders(self) -> None:
        for n in (2, 3, 4):
            self.assertEqual(plain(f"litmus.writers_{n}"), ("complete", factorial(n)))

    def test_two_times_three_stores_have_6_over_3_orders(self) -> None:
        self.assertEqual(plain("litmus.three_each"), ("complete", comb(6, 3)))

    def test_a_store_has_four_places_among_three_loads(self) -> None:
        self.assertEqual(plain("litmus.reader"), ("complete", 4))

    def test_two_sections_of_a_lock_have_two_orders(self) -> None:
        found = explore(_PROGRAM, "litmus.locked", 9)
        self.assertEqual(found.outcome, "complete")

    def test_merging_equal_states_loses_no_verdict(self) -> None:
        for s in scenarios(_PROGRAM):
            # Peterson's loops have no end of turns; without merging all loads read the last store.
            if s.scenario.startswith("litmus.") and not (s.weak or s.scenario == "litmus.peterson"):
                with self.subTest(s.scenario):
                    merged = explore(_PROGRAM, s.scenario, 9, _STEPS).outcome
                    self.assertEqual(merged, plain(s.scenario)[0])

    def test_what_is_left_out_makes_no_difference(self) -> None:
        """A litmus program wholly; of the kernel, for wrong and right ones, see docs/explorer.md."""
        executions = [0, 0]
        for s in scenarios(_PROGRAM):
            if s.scenario.startswith("litmus.") and s.scenario != "litmus.peterson":
                with self.subTest(s.scenario):
                    whole = outcome("whole", s.scenario, "5", str(_STEPS))
                    reduced = outcome(s.scenario, "5", str(_STEPS))
                    self.assertEqual(reduced[0] == "wrong", whole[0] == "wrong")
                    executions[0] += whole[1]
                    executions[1] += reduced[1]
        self.assertLess(executions[1], executions[0])


class Verdicts(Explorer):
    def test_each_program_is_right_or_wrong_as_it_says(self) -> None:
        for s in scenarios(_PROGRAM):
            if s.scenario.startswith("litmus."):
                with self.subTest(s.scenario):
                    found = explore(_PROGRAM, s.scenario, 9)
                    self.assertEqual(found.outcome, "wrong" if s.wrong or s.weak else "complete")
                    self.assertEqual("-" in found.schedule, s.weak)

    def test_an_older_store_is_told_of_and_replays(self) -> None:
        found = explore(_PROGRAM, "litmus.message_no_acquire")
        self.assertIn("with 0 preemptions and 1 load of an older store", found.figures())
        again, accesses = replay(_PROGRAM, found.scenario, found.schedule)
        self.assertEqual(again.verdict, "the message came after the flag")
        told = "\n".join(table.lines(_PROGRAM, found.schedule, accesses, ROOT))
        self.assertIn("the schedule lets CPU 1 read what was there before the last store", told)
        self.assertRegex(told, r"load\(&y, relaxe.*reads 0$")

    def test_a_deadlock_is_called_one(self) -> None:
        self.assertIn("deadlock", explore(_PROGRAM, "litmus.philosophers").verdict)

    def test_a_loop_without_end_is_called_one(self) -> None:
        self.assertIn("it does not end", explore(_PROGRAM, "litmus.runs_for_ever").verdict)

    def test_the_first_counterexample_has_the_fewest_preemptions(self) -> None:
        found = explore(_PROGRAM, "litmus.torn")
        self.assertEqual((found.bound, found.schedule.count("/")), (1, 1))

    def test_a_schedule_replays(self) -> None:
        found = explore(_PROGRAM, "litmus.torn")
        again, accesses = replay(_PROGRAM, "litmus.torn", found.schedule)
        self.assertEqual(again.verdict, found.verdict)
        self.assertTrue(accesses)

    def test_without_its_choices_nothing_goes_wrong(self) -> None:
        self.assertEqual(replay(_PROGRAM, "litmus.torn", "x:")[0].outcome, "right")

    def test_two_searches_find_the_same(self) -> None:
        self.assertEqual(explore(_PROGRAM, "join.one", 1), explore(_PROGRAM, "join.one", 1))

    def test_every_store_is_known(self) -> None:
        """A store of which the explorer does not hear would make different states look equal."""
        for scenario in ("join.one", "last.two_leave"):
            argv = [str(_PROGRAM), scenario, "check", "5000"]
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("verdict", done.stdout)

    def test_an_unknown_scenario_is_told(self) -> None:
        with self.assertRaisesRegex(ExploreError, "no scenario nope"):
            explore(_PROGRAM, "nope")

    def test_a_wrong_schedule_is_told(self) -> None:
        with self.assertRaisesRegex(ExploreError, "x:zz is no schedule of join.one"):
            replay(_PROGRAM, "join.one", "x:zz")


class DataRaces(Explorer):
    def test_a_message_without_order_is_told_with_both_sides(self) -> None:
        result = explore(_PROGRAM, "litmus.message_raced", 2)
        self.assertEqual((result.outcome, len(result.races)), ("complete", 1))
        told = "\n".join(races.lines(_PROGRAM, result.scenario, result.races[0], ROOT, None, False))
        self.assertRegex(told, r"(?s)CPU 0 .*plain = 42;\s+stores, not atomic; holds no lock")
        self.assertRegex(told, r"(?s)CPU 1 .*expect\(plain == 42.*reads, not atomic; holds no lock")

    def test_a_release_and_an_acquire_order_it(self) -> None:
        self.assertEqual(explore(_PROGRAM, "litmus.message", 2).races, ())

    def test_neighbours_in_memory_do_not_race(self) -> None:
        result = explore(_PROGRAM, "litmus.neighbours", 2)
        self.assertEqual((result.outcome, result.executions, result.races), ("complete", 1, ()))

    def test_the_kernel_has_none(self) -> None:
        names = [s.scenario for s in scenarios(_PROGRAM) if not s.scenario.startswith("litmus.")]
        self.assertGreater(len(names), 60)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            found = pool.map(lambda name: explore(_PROGRAM, name, 1), names)
            self.assertEqual([r.scenario for r in found if r.races], [])


class Names(unittest.TestCase):
    def test_schedules_have_names(self) -> None:
        for name in ("x:", "x:4c4/1", "x:4c4/1,5e9/0,10/t"):
            self.assertTrue(is_schedule(name), name)
        for name in ("", "4c4/1", "x:4c4", "x:4c4/1,", "x:4c4/11"):
            self.assertFalse(is_schedule(name), name)


class Table(Explorer):
    def test_a_lost_addition_shows_both_loads_and_both_stores(self) -> None:
        found = explore(_PROGRAM, "litmus.two_steps")
        _, accesses = replay(_PROGRAM, "litmus.two_steps", found.schedule)
        text = "\n".join(table.lines(_PROGRAM, found.schedule, accesses, ROOT, about=_ABOUT))
        self.assertIn("the schedule lets CPU 1 go on", text)
        self.assertEqual(text.count("litmus.c"), 3, text)  # CPU 0, then CPU 1, then CPU 0 again
        self.assertIn("reads 0, 0 -> 1", text)

    def test_words_of_one_thread_are_left_out(self) -> None:
        mine = Access(0, "t", 1, "write", True, 64, 8, 0, 1, 1, [])
        self.assertEqual(table.lines(_PROGRAM, "x:", [mine], ROOT), [])


_ABOUT = ("tools/explore/scenarios/litmus.c",)


class CommandLine(Explorer):
    def explorer(self, *options: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "tools.explore", "--build-root", str(BUILD_ROOT), *options]
        return subprocess.run(argv, cwd=ROOT, env=clean_environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)  # fmt: skip

    def test_a_right_kernel(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "found.json"
            done = self.explorer("--lab", "02-threads", "--step", "5", "--bound", "1", "--json", str(out))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(out.read_text())[0]["outcome"], "bounded")
        self.assertIn("join.one", done.stdout)
        self.assertTrue(done.stdout.endswith("scenarios, 0 with a counterexample\n"), done.stdout)

    def test_a_wrong_one(self) -> None:
        done = self.explorer("--scenario", "litmus.torn")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("an addition was lost", done.stdout)
        self.assertIn("run it again with REPLAY=x:", done.stdout)

    def test_a_submission(self) -> None:
        """The files are the student's, and the table shows their lines."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("arch/riscv", "arch/x86_64", "kernel/thread"):
                (Path(folder) / name).mkdir(parents=True)
            for name in ("riscv/frame.c", "riscv/switch.S", "x86_64/frame.c", "x86_64/switch.S"):
                Path(folder, "arch", name).write_bytes((ROOT / "arch" / name).read_bytes())
            for name in ("exit.c", "join.c"):
                text = (ROOT / "kernel/thread" / name).read_text()
                changed = text.replace("reap = t->left;", "reap = t->exit_code == 99;")
                Path(folder, "kernel/thread", name).write_text(changed)
            done = self.explorer("--lab", "02-threads", "--scenario", "detach.one", "--submission", folder)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("stacks: 1 before, 2 after", done.stdout)
        self.assertIn("reap = t->exit_code == 99;", done.stdout)

    def test_bad_options(self) -> None:
        for options, said in (
            (("--scenario", "nope"), "no scenario is like that"),
            (("--lab", "99"), "no lab 99"),
            (("--submission", "/nowhere", "--lab", "02-threads"), "no such directory"),
            (("--submission", "/tmp"), "--submission needs --lab"),
            (("--replay", "zz"), "a schedule reads like"),
            (("--replay", "x:"), "a schedule belongs to one scenario"),
            (("--gdb",), "--gdb needs --replay"),
        ):
            with self.subTest(options):
                done = self.explorer(*options)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertIn(said, done.stderr)
