"""The explorer: small programs whose numbers of executions are known, its verdicts and its pages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import unittest
from dataclasses import replace
from math import comb, factorial

from bench import explore as bench
from grade.lab import load_all
from grade.mutants import mutants
from tools.explore import page, races, survey, table
from tools.explore.longer import Budget, go_on
from tools.explore.program import Access, ExploreError, Result, at_random, covered, explore, for_a_time
from tools.explore.program import is_schedule, replay, scenarios
from tools.places import Place, places
from tools.programs import ROOT, clean_environment
from tools.progress import Silent
from tools.tests.support import BUILD_ROOT, Explorer, make

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

    def test_frames_that_are_gone_make_no_difference(self) -> None:
        left = explore(_PROGRAM, "litmus.left_behind", 9)
        nothing = explore(_PROGRAM, "litmus.not_left_behind", 9)
        self.assertEqual((left.executions, left.states), (nothing.executions, nothing.states))

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

    def replayed(self, found: Result, verdict: str) -> str:
        """The counterexample's table, after its schedule has led to @verdict again."""
        again, accesses = replay(_PROGRAM, found.scenario, found.schedule)
        self.assertEqual(again.verdict, verdict)
        return "\n".join(table.lines(table.story(_PROGRAM, found.schedule, accesses, ROOT)))

    def test_an_older_store_is_told_of_and_replays(self) -> None:
        found = explore(_PROGRAM, "litmus.message_no_acquire")
        self.assertIn("with 0 preemptions and 1 load of an older store", found.figures())
        told = self.replayed(found, "the message came after the flag")
        self.assertIn("read what was there before the last store, made by CPU 0 in", told)
        self.assertRegex(told, r"load\(&y, relaxe.*reads 0$")

    def test_an_interrupt_comes_before_the_load_that_its_cpu_is_about_to_make(self) -> None:
        """The older store was for that load: the handler's loads, which come first, read the last ones."""
        found = explore(_PROGRAM, "shootdown.moved", 3)
        self.assertEqual((found.outcome, found.verdict), ("bounded", ""))

    def test_a_weak_exchange_that_fails_is_told_of_and_replays(self) -> None:
        found = explore(_PROGRAM, "litmus.weak_exchange")
        self.assertIn("with 0 preemptions and 1 weak exchange that failed", found.figures())
        told = self.replayed(found, "it failed for no reason")
        self.assertIn("the schedule lets CPU 0's weak exchange fail", told)
        self.assertNotIn("older", found.figures())

    def test_a_deadlock_is_called_one(self) -> None:
        self.assertIn("deadlock", explore(_PROGRAM, "litmus.philosophers").verdict)

    def test_a_thread_that_waits_for_an_idle_cpu_is_seen_although_time_would_end_that(self) -> None:
        found = explore(_PROGRAM, "runq.untold")
        self.assertEqual(found.verdict, "CPU 1 idles, and in its queue a thread waits")

    def test_a_loop_without_end_is_called_one(self) -> None:
        self.assertIn("it does not end", explore(_PROGRAM, "litmus.runs_for_ever").verdict)

    def test_a_function_that_does_nothing_but_call_others_is_seen_to_run(self) -> None:
        ran = covered(_PROGRAM, "signal.stop_last_exits", 0, 100_000).ran
        functions = {place.function for chain in places(_PROGRAM, sorted(ran)).values() for place in chain}
        self.assertIn("report_stop", functions)

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

    def test_a_set_up_runs_in_one_way(self) -> None:
        """Two additions that tear each other, first before explore_from_here(), then behind it."""
        before = explore(_PROGRAM, "litmus.torn_in_set_up")
        self.assertEqual((before.outcome, before.executions), ("complete", 1))
        self.assertEqual(explore(_PROGRAM, "litmus.torn_after_set_up").outcome, "wrong")

    def test_a_set_up_ends_once(self) -> None:
        self.assertIn("without explore_from_here()", explore(_PROGRAM, "litmus.never_explored").verdict)
        self.assertIn("and once", explore(_PROGRAM, "litmus.explored_twice").verdict)

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


class Costume(Explorer):
    def test_what_is_made_wrong_in_the_costume_alone_is_found(self) -> None:
        for name in ("costume.rank", "costume.clock", "costume.mask", "costume.ids"):
            found = explore(_PROGRAM, name)
            self.assertEqual((found.outcome, found.costume), ("wrong", True), name)
            self.assertTrue(found.figures().endswith(", in the costume"), found.figures())
            self.assertNotEqual(explore(_PROGRAM, name, costume=False).outcome, "wrong", name)

    def test_the_schedule_says_that_it_is_in_the_costume(self) -> None:
        found = explore(_PROGRAM, "costume.rank")
        self.assertEqual(found.schedule, "c:")
        self.assertEqual(replay(_PROGRAM, "costume.rank", "c:")[0].verdict, found.verdict)
        self.assertEqual(replay(_PROGRAM, "costume.rank", "x:")[0].outcome, "right")

    def test_a_scenario_may_do_without_it(self) -> None:
        self.assertEqual(explore(_PROGRAM, "costume.not_worn").outcome, "complete")

    def test_a_right_one_has_the_figures_of_the_first_search(self) -> None:
        self.assertEqual(explore(_PROGRAM, "join.one", 1), explore(_PROGRAM, "join.one", 1, costume=False))

    def test_every_store_is_known(self) -> None:
        for scenario in ("join.one", "hold.two_holders"):
            argv = [str(_PROGRAM), "costume", scenario, "check", "5000"]
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("verdict", done.stdout)


class DataRaces(Explorer):
    def test_a_message_without_order_is_told_with_both_sides(self) -> None:
        result = explore(_PROGRAM, "litmus.message_raced", 2)
        self.assertEqual((result.outcome, len(result.races)), ("complete", 1))
        told = "\n".join(races.lines(_PROGRAM, result.scenario, result.races[0], ROOT, None, False))
        self.assertRegex(told, r"(?s)CPU 0 .*plain = 42;\s+stores, not atomic; holds no spin lock")
        self.assertRegex(told, r"(?s)CPU 1 .*expect\(plain == 42.*reads, not atomic; holds no spin lock")

    def test_a_release_and_an_acquire_order_it(self) -> None:
        self.assertEqual(explore(_PROGRAM, "litmus.message", 2).races, ())

    def test_neighbours_in_memory_do_not_race(self) -> None:
        result = explore(_PROGRAM, "litmus.neighbours", 2)
        self.assertEqual((result.outcome, result.executions, result.races), ("complete", 1, ()))

    def test_a_search_that_is_cut_does_not_take_neighbours_for_one_word(self) -> None:
        """It ends before the next search, which would have had a word for each."""
        cut = explore(_PROGRAM, "reaper.drained", 1, steps=6_000, weak=True)
        self.assertEqual((cut.outcome, cut.races), ("unfinished", ()))


def nothing_yet(scenario: str) -> Result:
    return Result(scenario, "bounded", 0, 1, 0, 0, 0)


class AtRandom(Explorer):
    rest = True

    def test_each_program_is_right_or_wrong_as_it_says(self) -> None:
        for s in scenarios(_PROGRAM):
            if s.scenario.startswith("litmus."):
                with self.subTest(s.scenario):
                    found = at_random(_PROGRAM, nothing_yet(s.scenario), 2000)
                    self.assertEqual(found.outcome, "wrong" if s.wrong else "bounded")

    def test_the_kernel_is_right(self) -> None:
        for name in ("join.one", "sleeper.earlier", "kill.preempted", "mutex.timeout"):
            found = at_random(_PROGRAM, nothing_yet(name), 300, seed=3)
            self.assertEqual((found.outcome, found.random, found.verdict), ("bounded", 300, ""), name)

    def test_a_mistake_of_two_events_is_as_likely_as_the_theory_says(self) -> None:
        """Two CPUs, six pauses: 12 executions on average, after the first, which learns what races."""
        torn = nothing_yet("litmus.torn")
        needed = [at_random(_PROGRAM, torn, 2000, seed=seed, depth=2).random - 1 for seed in range(60)]
        self.assertLessEqual(sum(needed) / len(needed), 12)

    def test_a_mistake_of_two_events_needs_a_change_of_priorities(self) -> None:
        found = at_random(_PROGRAM, nothing_yet("litmus.torn"), 2000, depth=1)
        self.assertEqual(found.outcome, "bounded")

    def test_one_seed_makes_the_same_schedules_and_another_seed_others(self) -> None:
        def raw(seed: str) -> str:
            argv = [str(_PROGRAM), "last.two_leave", "random", seed, "40"]
            return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()[-1]

        self.assertEqual(raw("1"), raw("1"))
        alike = raw("1").replace('"seed": 1', '"seed": 2')
        self.assertNotEqual(raw("2"), alike)

    def test_a_counterexample_is_shrunk_and_replays(self) -> None:
        """Of the schedules that are found here some have twice the choices that the mistake needs."""
        for seed in range(6):
            found = at_random(_PROGRAM, nothing_yet("litmus.used_late"), 2000, seed=seed, depth=9)
            again, _ = replay(_PROGRAM, found.scenario, found.schedule)
            self.assertEqual(again.verdict, found.verdict)
            choices = found.schedule.removeprefix("x:").split(",")
            for i in range(len(choices)):
                fewer = "x:" + ",".join(choices[:i] + choices[i + 1 :])
                self.assertEqual(replay(_PROGRAM, found.scenario, fewer)[0].outcome, "right", fewer)

    def test_a_time_is_used_for_larger_bounds_and_then_at_random(self) -> None:
        before = explore(_PROGRAM, "join.one", 0)
        began = time.monotonic()
        found = for_a_time(_PROGRAM, before, 3)
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(found.outcome, "bounded")
        self.assertGreater(found.bound, 0)
        self.assertGreater(found.random, 0)

    def test_a_larger_bound_finds_more(self) -> None:
        before = explore(_PROGRAM, "litmus.torn", 0)
        found = for_a_time(_PROGRAM, before, 60)
        self.assertEqual((before.outcome, found.outcome, found.bound), ("bounded", "wrong", 1))
        complete = for_a_time(_PROGRAM, explore(_PROGRAM, "litmus.three_each", 0), 60)
        self.assertEqual(complete.outcome, "complete")

    def test_it_stops_when_told_to(self) -> None:
        told: list[Result] = []

        def enough(known: Result) -> bool:
            told.append(known)
            return False

        began = time.monotonic()
        found = for_a_time(_PROGRAM, explore(_PROGRAM, "join.one", 1), 60, enough)
        self.assertLess(time.monotonic() - began, 30)
        self.assertEqual([found], told)

    def test_scenarios_share_the_time(self) -> None:
        before = [explore(_PROGRAM, name, 0) for name in ("join.one", "detach.one", "litmus.one_step")]
        done = replace(before[2], outcome="complete")
        began = time.monotonic()
        found, whole = go_on(_PROGRAM, [*before[:2], done], Budget(seconds=4), 1, False, Silent())
        self.assertLess(time.monotonic() - began, 12)
        self.assertTrue(whole)
        self.assertEqual([r.random > 0 for r in found], [True, True, False])

    def test_the_report_says_which_schedules_were_run(self) -> None:
        ran = Result("a", "bounded", 2, 6621, 0, 0, 0)
        at_most = "6,621 executions, all with at most 2 preemptions"
        self.assertEqual(ran.figures(), at_most)
        later = replace(ran, random=1000, seed=7)
        self.assertEqual(later.figures(), f"{at_most}, then 1,000 at random (seed 7)")
        wrong = replace(later, outcome="wrong")
        all_of_them = "6,621 executions with at most 2 preemptions, then 1,000 at random (seed 7)"
        self.assertEqual(wrong.figures(), f"wrong after {all_of_them}")


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
        told = table.story(_PROGRAM, found.schedule, accesses, ROOT, about=_ABOUT)
        text = "\n".join(table.lines(told))
        self.assertIn("the schedule lets CPU 1 go on", text)
        self.assertEqual(text.count("litmus.c"), 3, text)  # CPU 0, then CPU 1, then CPU 0 again
        self.assertIn("reads 0, 0 -> 1", text)

    def test_a_loop_is_shown_once(self) -> None:
        def rows(*lines: int) -> list[table.Row]:
            return [table.Row(0, "t", Place("f", "a.c", n), "", [], 10 * at) for at, n in enumerate(lines)]

        def seen(*lines: int, choices: tuple[int, ...] = ()) -> list[str]:
            told = table.folded(rows(*lines), choices)
            return [i.told() if isinstance(i, table.Again) else str(i.place.line) for i in told]

        self.assertEqual(seen(1, 2, 2, 3), ["1", "2", "2", "3"])
        self.assertEqual(seen(1, 2, 2, 2, 3), ["1", "2", "… this line 2 times more", "3"])
        self.assertEqual(seen(9, 1, 2, 1, 2, 1, 2, 1), ["9", "1", "2", "… these 2 lines 2 times more", "1"])
        self.assertEqual(seen(2, 2, 2, 2, 2, choices=(25,)), ["2", "… this line 2 times more", "2", "2"])

    def test_words_of_one_thread_are_left_out(self) -> None:
        mine = Access(0, "t", 1, "write", True, 64, 8, 0, 1, 1, [])
        self.assertEqual(table.lines(table.story(_PROGRAM, "x:", [mine], ROOT)), [])


class Page(Explorer):
    def drawn(self, name: str, words: str = "") -> str:
        found = explore(_PROGRAM, name)
        _, accesses = replay(_PROGRAM, name, found.schedule)
        told = table.story(_PROGRAM, found.schedule, accesses, ROOT, about=_ABOUT)
        one = page.Counterexample(name, words, found.verdict, found.figures(), found.schedule, "make x", told)
        return page.page("a title", [one])

    def test_there_is_a_column_for_each_cpu_and_a_box_for_each_run(self) -> None:
        text = self.drawn("litmus.two_steps")
        self.assertEqual(text.count('role="columnheader"'), 2)
        boxes = re.findall(r"grid-column: (\d)", text)
        self.assertEqual(boxes, ["1", "2", "1"])
        self.assertEqual(text.count("litmus.c:"), 3 + 3, "in each box, and as the name that the mouse shows")

    def test_switches_say_why(self) -> None:
        text = self.drawn("litmus.two_steps")
        self.assertEqual(text.count('class="mark taken"'), 1)
        self.assertEqual(text.count('class="mark wait"'), 1)
        self.assertIn("CPU 0 could go on, but the schedule lets CPU 1 go on", text)
        self.assertIn("CPU 1 has to wait, so CPU 0 goes on", text)
        self.assertLess(text.index("could go on"), text.index("CPU 1 has to wait"))

    def test_a_choice_among_waiting_cpus_takes_no_turn_away(self) -> None:
        told = table.Story((0, 1), (table.Switch("1", False),), 0)
        text = page.page("t", [page.Counterexample("a", "", "wrong", "", "x:5/1", "", told)])
        self.assertIn('<div class="mark chosen"', text)
        self.assertNotIn('<div class="mark taken"', text)

    def test_it_has_what_is_needed_and_loads_nothing(self) -> None:
        text = self.drawn("litmus.two_steps", words='<b>&"')
        schedule = explore(_PROGRAM, "litmus.two_steps").schedule
        for words in ("an addition was lost", schedule, "make x", "reads 0", "--kill: #d43d00"):
            self.assertIn(words, text)
        self.assertIn("&lt;b&gt;&amp;&quot;", text)
        self.assertNotIn("@@", text)
        for loads in ("://", "<script", "<link", "<img", "url(", "@import"):
            self.assertNotIn(loads, text)


_ABOUT = ("tools/explore/scenarios/litmus.c",)


class Bench(Explorer):
    rest = True

    def test_its_scenarios_exist(self) -> None:
        known = {s.scenario for s in scenarios(_PROGRAM)}
        self.assertLessEqual({*bench.SCENARIOS}, known)

    def test_merging_saves_steps_and_loses_no_schedule(self) -> None:
        row = bench.measure(_PROGRAM, "litmus.philosophers_in_order")
        self.assertTrue(row.plain_ended)
        self.assertGreater(row.saved, 1)
        self.assertEqual(row.random_executions, 2000)
        self.assertIn(f"{row.steps:,}", bench.table([row]))

    def test_a_plain_search_that_was_cut_says_so(self) -> None:
        row = bench.Row("a", 10, 100, 1.0, 1500, False, 5, 700, 0.5)
        self.assertEqual(row.cells(), ["a", "10", "100", "10", "100", "> 1,500", "> 15.0", "10", "1,400"])


class Survey(Explorer):
    def test_a_mutant_has_its_scenario_and_its_price(self) -> None:
        argv = [sys.executable, "-m", "tools.explore.survey", "--build-root", str(BUILD_ROOT)]
        argv += ["--lab", "02-threads", "--only", "left-without-lock"]
        done = subprocess.run(argv, cwd=ROOT, env=clean_environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=True)  # fmt: skip
        rows = [line for line in done.stdout.splitlines() if "`left-without-lock`" in line]
        self.assertEqual(len(rows), 1, done.stdout)
        cells = [cell.strip() for cell in rows[0].strip("|").split("|")]
        self.assertRegex(cells[2], r"^`(exit|join|detach)\.\w+`$")
        numbers = [int(cell.replace(",", "")) for cell in cells[3:]]
        others, preemptions, executions, milliseconds, at_random = numbers
        self.assertGreater(others, 0)
        self.assertIn(preemptions, (0, 1))
        self.assertLess(executions, 1000)
        self.assertGreater(milliseconds, 0)
        self.assertLess(at_random, 2000)

    def test_the_document_has_all_of_them(self) -> None:
        page = (ROOT / "docs/mutants-explored.md").read_text()
        for lab in load_all(ROOT):
            if lab.has_scenarios():
                part = page.partition(f"## {lab.name}: ")[2].partition("\n## ")[0]
                named = re.findall(r"^\| `(\S+)` \|", part, re.M)
                self.assertEqual(named, [m.name for m in survey.in_the_kernel(lab)], "make it again")
                seen = len(re.findall(r"^\| `\S+` \|[^|]*\| `", part, re.M))
                self.assertTrue(part.startswith(f"{seen} of {len(named)}\n"), f"{lab.name}: {seen}")
