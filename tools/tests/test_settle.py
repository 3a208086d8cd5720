"""A machine that is held until QEMU has settled runs in the same way as one that starts at once."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

from tools.boot import End, Transcript, transcript, with_command
from tools.qemu import Icount, Machine
from tools.qmp import Qmp
from tools.tests.support import BUILD_ROOT


class Settle(unittest.TestCase):
    def run_with(self, version: tuple[int, ...], folder: Path) -> Transcript:
        built = BUILD_ROOT / "riscv" / "debug"
        initrd = with_command(built / "initramfs.cpio", folder / "initrd", b"ps & ps & wait; cat /proc/stat")
        machine = Machine("riscv", built / "kernel.elf", initrd, cpus=3, icount=Icount())
        with patch("tools.qemu.version", return_value=version):
            return transcript(machine, 300)

    def test_it_runs_the_same(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            at_once = self.run_with((7, 2), Path(name))
            with patch("tools.qmp.Qmp.settle", autospec=True, side_effect=Qmp.settle) as settled:
                held = self.run_with((11, 1), Path(name))
        self.assertEqual(settled.call_count, 1)
        self.assertEqual(at_once.outcome.end, End.OFF)
        self.assertEqual(held, at_once)


if __name__ == "__main__":
    unittest.main()
