"""The parts of a run: command lines, turns, nonces."""

import unittest
from math import gcd
from pathlib import Path

from grade.build import Reference
from grade.machine import Boot, intervals, nonce_of, scratch_folder
from grade.tests.fake import ROOT
from tools.qmp import pm_time
from tools.scratch import PREFIX


def _boot(cpus: int = 2, arch: str = "riscv", shift: int = 0) -> Boot:
    return Boot(arch, Path("k"), None, cpus, seed=7, limit=10, shift=shift, test="a.b")


class Machines(unittest.TestCase):
    def test_turns_are_coprime_and_follow_the_seed(self) -> None:
        for slices in ("coarse", "medium", "fine"):
            for shift in (0, 8):
                found = {intervals(slices, shift, seed) for seed in range(20)}
                self.assertGreater(len(found), 5)
                self.assertEqual({gcd(*f) for f in found}, {1})
        self.assertEqual(intervals("fine", 0, 3), intervals("fine", 0, 3))

    def test_the_folders_of_a_killed_grader_are_found_again(self) -> None:
        reference = Reference(ROOT, ROOT / "build", "riscv", False, 1)
        self.addCleanup(reference.close)
        with scratch_folder() as name:
            for folder in (name, reference._products.name):
                self.assertTrue(Path(folder).name.startswith(PREFIX), folder)

    def test_two_equal_boots_have_equal_command_lines(self) -> None:
        nonce = "0" * 16
        self.assertEqual(_boot().machine(nonce).argv(), _boot().machine(nonce).argv())

    def test_every_cpu_has_a_spare_behind_it(self) -> None:
        argv = " ".join(_boot(cpus=4).machine("n").argv())
        self.assertIn("-smp cpus=8", argv)
        self.assertIn("cpus=4", argv)
        self.assertIn("filter-buffer", argv)
        self.assertIn("-icount shift=0,sleep=off", argv)
        self.assertNotIn("filter-buffer", " ".join(_boot(cpus=1).machine("n").argv()))

    def test_the_limit_is_in_virtual_time(self) -> None:
        self.assertEqual((_boot(shift=0).limit_ns, _boot(shift=8).limit_ns), (10, 2560))
        self.assertIn("limit=2560", _boot(shift=8).machine("n").bootargs)

    def test_nonces_are_secret_and_of_one_length(self) -> None:
        nonces = {nonce_of(bytes([i]) * 16, _boot()) for i in range(50)}
        self.assertEqual(len(nonces), 50)
        self.assertEqual({len(n) for n in nonces}, {16})

    def test_the_clock_of_a_wrap_test(self) -> None:
        boot = Boot("riscv", Path("k"), None, 1, 1, 10, bootargs=("clock=0xfffffffffffffff0",))
        self.assertEqual(boot.clock(), 2**64 - 16)


class VirtualTime(unittest.TestCase):
    def test_the_pm_timer_and_the_clock_agree(self) -> None:
        for tenths in range(300):
            true = tenths * 100_000_000 + 7
            ticks = true * 3_579_545 // 1_000_000_000
            self.assertAlmostEqual(pm_time(ticks, true // 1_000_000_000), true, delta=1000)


if __name__ == "__main__":
    unittest.main()
