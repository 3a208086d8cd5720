"""Work spreads over real cores before their siblings: CPUs are numbered in that order, and the first one
that idles is taken. Only x86_64's machine can have siblings: QEMU's riscv virt has a core for each hart.
"""

from __future__ import annotations

import re
import tempfile
import unittest
from pathlib import Path

from tools import qemu
from tools.boot import PATIENCE_S, End, Transcript, transcript, with_command
from tools.test.builds import Build
from tools.tests.support import BUILD_ROOT


class Siblings(qemu.Machine):
    """Two cores of two threads each."""

    def argv(self) -> list[str]:
        words = super().argv()
        words[words.index("-smp") + 1] = "cpus=4,sockets=1,cores=2,threads=2"
        return words


class Topology(unittest.TestCase):
    def seen(self, machine: qemu.Machine) -> Transcript:
        seen = transcript(machine, PATIENCE_S)
        self.assertIs(seen.outcome.end, End.OFF)
        return seen

    def test_cores_come_before_their_siblings(self) -> None:
        folder = Build("x86_64").directory(BUILD_ROOT)
        with tempfile.TemporaryDirectory() as scratch:
            initrd = Path(scratch, "initrd")
            with_command(folder / "initramfs.cpio", initrd, b"cat /proc/cpuinfo")
            seen = self.seen(
                Siblings(arch="x86_64", kernel=folder / "kernel.elf", initrd=initrd, cpus=4)
            )
        ids = [int(n) for n in re.findall(rb"apicid\t\t: (\d+)", seen.user)]
        self.assertEqual(ids, [0, 2, 1, 3])  # cores 0, 1, 0, 1

    def test_who_spins_gets_a_core_then_a_sibling(self) -> None:
        """One spins on CPU 0, a second one goes to CPU 1, the other core, and a third to CPU 2."""
        kernel = Build("x86_64", tests=True).directory(BUILD_ROOT) / "kernel.elf"
        for policy in ("rr", "prio", "fair"):
            with self.subTest(policy=policy):
                words = ("test=sched.in_order", f"sched={policy}")
                machine = Siblings(
                    arch="x86_64", kernel=kernel, cpus=4, bootargs=words, icount=qemu.Icount()
                )
                seen = self.seen(machine)
                self.assertRegex(seen.kernel, rb"ok +sched\.in_order, \d+ checks")


if __name__ == "__main__":
    unittest.main()
