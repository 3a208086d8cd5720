"""Release kernels booted with /bench/ops on one CPU or several, and the figures it prints.

Under -icount an instruction is a nanosecond, so the same kernel gives the same figures on any host.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from tools import qemu
from tools.boot import End, transcript, with_command

ROOT = Path(__file__).resolve().parent.parent
_TIMEOUT_S = 600.0

Figures = dict[str, float]


class BenchError(Exception):
    """A run that gave no figures."""


@dataclass(frozen=True)
class Port:
    """One port's release build."""

    arch: str
    folder: Path

    def machine(self, initrd: Path, cpus: int = 1) -> qemu.Machine:
        return qemu.Machine(
            arch=self.arch,
            kernel=self.folder / "kernel.elf",
            initrd=initrd,
            cpus=cpus,
            icount=qemu.Icount(),
        )

    def run(
        self,
        command: str,
        cpus: int = 1,
        bootargs: tuple[str, ...] = (),
        memory_mib: int = 256,
        extra: tuple[str, ...] = (),
    ) -> Figures:
        """Runs /bench/ops and reads the figures it prints, per operation."""
        with tempfile.TemporaryDirectory(prefix="trellis-bench-") as scratch:
            initrd = self.initrd(Path(scratch), command)
            machine = replace(
                self.machine(initrd, cpus), bootargs=bootargs, memory_mib=memory_mib, extra=extra
            )
            seen = transcript(machine, _TIMEOUT_S)
        if seen.outcome.end is not End.OFF or seen.outcome.exit_status != 0:
            said = (seen.kernel[-800:] + seen.user[-800:]).decode("utf-8", "replace")
            raise BenchError(f"{self.arch}: {command}: {seen.outcome.end.value}\n{said}")
        return parse(seen.user.decode())

    def initrd(self, scratch: Path, command: str) -> Path:
        base = scratch / "base"
        parts = [(self.folder / name).read_bytes() for name in ("initramfs.cpio", "bench.cpio")]
        base.write_bytes(b"".join(parts))
        return with_command(base, scratch / "initrd", command.encode())

    def firmware(self) -> int:
        """Instructions until the firmware enters the kernel, measured by a payload in its place."""
        with tempfile.TemporaryDirectory(prefix="trellis-bench-") as scratch:
            initrd = self.initrd(Path(scratch), "")
            machine = replace(self.machine(initrd), kernel=self.folder / "firmware.elf")
            said = transcript(machine, _TIMEOUT_S).kernel.split()
        try:
            return int(said[-1], 16)
        except (IndexError, ValueError) as error:
            raise BenchError(f"{self.arch}: the firmware's cost could not be measured") from error

    def image_kib(self) -> float:
        """Text, data and constants that are loaded."""
        program = "size"
        out = subprocess.run(
            [program, str(self.folder / "kernel.elf")], capture_output=True, text=True, check=True
        ).stdout
        text, data, _bss = out.splitlines()[1].split()[:3]
        return (int(text) + int(data)) / 1024


def parse(text: str) -> Figures:
    """Lines "name total operations"."""
    figures: Figures = {}
    for line in text.splitlines():
        name, total, operations = line.split()
        figures[name] = int(total) / int(operations)
    return figures


def build(build_root: Path, arch: str) -> Port:
    """Builds the ports. Two threads must not call it at once: both would write the same files."""
    argv = ["make", f"ARCH={arch}", "BUILD=release", f"O={build_root}", "bench-programs"]
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    done = subprocess.run(argv, cwd=ROOT, env=environment, stdout=sys.stderr, check=False)
    if done.returncode:
        raise BenchError(f"{arch}: the release kernel does not build")
    return Port(arch, build_root / arch / "release")
