"""Long runs: each seed is one machine, and the command that a failure names repeats that trial."""

from __future__ import annotations

import argparse
import unittest
from pathlib import Path

from tools.options import matching
from tools.soak import turns
from tools.test.model import Job

_NO_KERNEL = Path("none")
_TEST = "sched.steals"


def unit(seed: int, policy: str = "mlfq") -> turns.Unit:
    return turns.Unit("riscv", 4, "sched", (_TEST,), _NO_KERNEL, policy, seed=seed)


class Turns(unittest.TestCase):
    def test_a_seed_is_one_machine(self) -> None:
        self.assertEqual(unit(7).machine([_TEST]), unit(7).machine([_TEST]))

    def test_seeds_cut_differently_within_the_bounds(self) -> None:
        lengths: set[int] = set()
        for seed in range(1, 41):
            icount = unit(seed).machine([_TEST]).icount
            assert icount is not None
            lengths.update(icount.slices)
        self.assertGreater(len(lengths), 20)
        self.assertGreaterEqual(min(lengths), turns.SHORTEST)
        self.assertLessEqual(max(lengths), turns.LONGEST)

    def test_the_policy_and_the_tests_are_asked_for(self) -> None:
        words = unit(3, "fair").machine([_TEST]).bootargs
        self.assertIn("sched=fair", words)
        self.assertIn(f"test={_TEST}", words)

    def test_the_command_names_one_trial(self) -> None:
        seeds = turns.DEFAULT_SEEDS + 5
        jobs = [Job(unit(seed).title, list) for seed in range(1, seeds + 1)]
        for seed in (1, 2, seeds):
            words = unit(seed).again(_TEST).split("'")
            (found,) = matching(jobs, words[1], argparse.ArgumentParser())
            self.assertEqual(found.name, unit(seed).title)
        self.assertIn(f"--seeds {seeds} ", unit(seeds).again(_TEST))
        self.assertNotIn("--seeds", unit(1).again(_TEST))

    def test_short_slices_are_drawn_by_the_seed(self) -> None:
        first, second = (turns.ShortSlices("riscv", 1, "kill", (), _NO_KERNEL, seed=n) for n in (1, 2))
        self.assertNotEqual(first.title, second.title)
        self.assertIn("jitter=2", second.machine(["kill.told"]).bootargs)
        self.assertIsNotNone(second.machine(["kill.told"]).icount)


if __name__ == "__main__":
    unittest.main()
