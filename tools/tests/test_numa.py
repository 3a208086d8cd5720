"""A machine with NUMA nodes, on both ports: the kernel reads them, shows them, and uses them for memory."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from tools import qemu
from tools.boot import PATIENCE_S, End, Transcript, transcript, with_command
from tools.test.builds import Build
from tools.tests.support import BUILD_ROOT

_LOOK = b"""cd /sys/devices/system/node
cat online has_cpu has_memory node0/cpulist node1/cpulist node1/cpumap node0/distance node1/distance
cat node0/meminfo node1/meminfo
"""


class TwoNodes(qemu.Machine):
    """CPUs 0 and 1 with 160 MiB, CPUs 2 and 3 with 96 MiB; the way between them is long."""

    def argv(self) -> list[str]:
        words = super().argv()
        spares = 2 if self.icount else 1  # CPU n is QEMU's 2n under icount
        for node, size in enumerate((160, 96)):
            cpus = f"cpus={2 * node * spares}-{2 * (node + 1) * spares - 1}"
            words += ["-object", f"memory-backend-ram,id=node{node},size={size}M"]
            words += ["-numa", f"node,nodeid={node},{cpus},memdev=node{node}"]
        return [*words, "-numa", "dist,src=0,dst=1,val=25"]


# CPUs of node 0, of node 1, and those as a mask: CPUs are numbered from the boot hart on, and around.
_TWO_AND_TWO = (
    *(("0-1", "2-3", "c"), ("2-3", "0-1", "3")),
    *(("1-2", "0,3", "9"), ("0,3", "1-2", "6")),
)


class Numa(unittest.TestCase):
    def seen(self, machine: qemu.Machine) -> Transcript:
        seen = transcript(machine, PATIENCE_S)
        self.assertIs(seen.outcome.end, End.OFF)
        return seen

    def test_nodes_are_shown(self) -> None:
        for arch in ("riscv", "x86_64"):
            folder = Build(arch).directory(BUILD_ROOT)
            with self.subTest(arch=arch), tempfile.TemporaryDirectory() as scratch:
                initrd = Path(scratch, "initrd")
                with_command(folder / "initramfs.cpio", initrd, _LOOK)
                machine = TwoNodes(
                    arch=arch, kernel=folder / "kernel.elf", initrd=initrd, cpus=4, memory_mib=256
                )
                lines = self.seen(machine).user.decode().splitlines()
                self.assertEqual(lines[:3], ["0-1", "0-1", "0-1"])
                # CPU 0 is whichever hart the firmware booted on, so each node has some two.
                self.assertIn((lines[3], lines[4], lines[5]), _TWO_AND_TWO)
                self.assertEqual(lines[6:8], ["10 25", "25 10"])
                totals = [int(line.split()[3]) for line in lines if "MemTotal" in line]
                self.assertTrue(140 << 10 < totals[0] <= 160 << 10, totals)
                self.assertTrue(90 << 10 < totals[1] <= 96 << 10, totals)

    def test_memory_is_near_until_there_is_none(self) -> None:
        for arch in ("riscv", "x86_64"):
            kernel = Build(arch, tests=True).directory(BUILD_ROOT) / "kernel.elf"
            with self.subTest(arch=arch):
                machine = TwoNodes(
                    arch=arch,
                    kernel=kernel,
                    cpus=4,
                    memory_mib=256,
                    bootargs=("test=page.nodes",),
                    icount=qemu.Icount(),
                )
                self.assertRegex(self.seen(machine).kernel, rb"ok +page\.nodes, \d+ checks")


if __name__ == "__main__":
    unittest.main()
