"""QEMU's command lines: what makes runs deterministic must not get lost."""

import os
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

from tools.qemu import Icount, Machine, why_no_bubblewrap

_KERNEL = Path("kernel.elf")


class MachineTest(unittest.TestCase):
    def test_icount_puts_a_spare_behind_each_cpu(self) -> None:
        for cpus in range(1, 9):
            machine = Machine("riscv", _KERNEL, cpus=cpus, icount=Icount())
            self.assertEqual(machine.qemu_cpus, 2 * cpus if cpus > 1 else 1)
            self.assertIn(f"cpus={cpus}", machine.command_line.split())

    def test_without_icount_there_is_no_spare(self) -> None:
        self.assertEqual(Machine("riscv", _KERNEL, cpus=4).qemu_cpus, 4)

    def test_icount_ends_slices(self) -> None:
        argv = Machine("x86_64", _KERNEL, cpus=2, icount=Icount(slices=(7, 11))).argv()
        self.assertIn("shift=0,sleep=off", argv)
        filters = [word for word in argv if word.startswith("filter-buffer")]
        self.assertEqual([f.rpartition("=")[2] for f in filters], ["7", "11"])

    def test_one_cpu_needs_no_slices(self) -> None:
        argv = Machine("riscv", _KERNEL, icount=Icount()).argv()
        self.assertFalse([word for word in argv if "filter-buffer" in word])

    def test_x86_64_can_report_its_end(self) -> None:
        machine = Machine("x86_64", _KERNEL)
        self.assertIn("isa-debug-exit,iobase=0xf4,iosize=4", machine.argv())
        self.assertIn("debugexit=0xf4", machine.command_line)

    def test_wrong_values(self) -> None:
        with self.assertRaises(ValueError):
            Machine("arm", _KERNEL)
        with self.assertRaises(ValueError):
            Machine("riscv", _KERNEL, cpus=9)


class BubblewrapTest(unittest.TestCase):
    def why(self, script: str | None) -> str:
        with tempfile.TemporaryDirectory(prefix="trellis-test-") as name:
            if script is not None:
                program = Path(name, "bwrap")
                program.write_text(f"#!/bin/sh\n{script}\n")
                program.chmod(0o755)
            with patch.dict(os.environ, {"PATH": name}):
                return why_no_bubblewrap()

    def test_says_why_it_cannot(self) -> None:
        self.assertEqual(self.why("exit 0"), "")
        self.assertIn("bubblewrap is not installed (make setup", self.why(None))
        refused = "bwrap: No permissions to create new namespace"
        self.assertIn(f"make namespaces ({refused})", self.why(f"echo {refused} >&2; exit 1"))
