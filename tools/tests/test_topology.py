"""CPUs are numbered in the order in which work should spread: real cores before their siblings. Only
x86_64's machine can have siblings."""

from __future__ import annotations

import re
import tempfile
import unittest
from pathlib import Path

from tools import qemu
from tools.boot import End, transcript, with_command
from tools.test.builds import Build
from tools.tests.support import BUILD_ROOT


class Siblings(qemu.Machine):
    """Two cores of two threads each."""

    def argv(self) -> list[str]:
        words = super().argv()
        words[words.index("-smp") + 1] = "cpus=4,sockets=1,cores=2,threads=2"
        return words


class Topology(unittest.TestCase):
    def test_cores_come_before_their_siblings(self) -> None:
        folder = Build("x86_64").directory(BUILD_ROOT)
        with tempfile.TemporaryDirectory() as scratch:
            initrd = Path(scratch, "initrd")
            with_command(folder / "initramfs.cpio", initrd, b"cat /proc/cpuinfo")
            machine = Siblings(
                arch="x86_64", kernel=folder / "kernel.elf", initrd=initrd, cpus=4
            )
            seen = transcript(machine, 60.0)
        self.assertIs(seen.outcome.end, End.OFF)
        ids = [int(n) for n in re.findall(rb"apicid\t\t: (\d+)", seen.user)]
        self.assertEqual(ids, [0, 2, 1, 3])


if __name__ == "__main__":
    unittest.main()
