"""Runs that must not crash the kernel: allocations that fail, random system calls.

The programs are in tools/soak. `make soak` runs the same at length.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import qemu
from tools.boot import End, transcript, with_command
from tools.programs import kernel_says, last_lines
from tools.test.builds import Build
from tools.test.model import Job, Result

_FUZZ_CALLS = 50_000
_OOM_STEP = 3


@dataclass(frozen=True)
class Program:
    """A boot that runs a program of tools/soak; the program's status says whether it succeeded."""

    arch: str
    cpus: int
    command: str
    build_root: Path
    tests: bool = False  # needs a test kernel
    policy: str = "rr"
    icount: qemu.Icount | None = None
    timeout: float = 300.0

    @property
    def title(self) -> str:
        turns = "" if self.icount is None else " icount"
        return f"robust {self.arch} {self.cpus} cpus {self.policy}{turns}: {self.command}"

    def check(self) -> Iterator[Result]:
        programs = Build(self.arch).directory(self.build_root)
        kernel = Build(self.arch, tests=self.tests).directory(self.build_root) / "kernel.elf"
        with tempfile.TemporaryDirectory(prefix="trellis-robust-") as scratch:
            base = Path(scratch, "base")
            names = ("initramfs.cpio", "soak.cpio")
            base.write_bytes(b"".join((programs / name).read_bytes() for name in names))
            machine = qemu.Machine(
                arch=self.arch,
                kernel=kernel,
                initrd=with_command(base, Path(scratch, "initrd"), self.command.encode()),
                cpus=self.cpus,
                bootargs=(f"sched={self.policy}",),
                icount=self.icount,
            )
            seen = transcript(machine, self.timeout)
        wrong: list[str] = []
        if seen.outcome.end is not End.OFF or seen.outcome.exit_status != 0:
            wrong.append(f"{seen.outcome.end.value}, status {seen.outcome.exit_status}")
            wrong.append(last_lines(kernel_says(seen.kernel.decode("utf-8", "replace")), 40))
            wrong.append(last_lines(seen.user.decode("utf-8", "replace"), 40))
        yield Result(self.title, not wrong, "\n".join(wrong))


def oom(arch: str, cpus: int, build_root: Path, step: int, policy: str = "rr") -> Program:
    """Runs that fail every @step-th allocation of every workload, one after the other."""
    return Program(arch, cpus, f"/soak/oom {step}", build_root, tests=True, policy=policy)


def jobs(build_root: Path) -> list[Job]:
    found: list[Job] = []
    for arch in qemu.ARCHES:
        programs = [
            oom(arch, 4, build_root, _OOM_STEP),
            Program(arch, 4, f"/soak/fuzz 1 {_FUZZ_CALLS}", build_root),
        ]
        found += [Job(program.title, program.check) for program in programs]
    return found
