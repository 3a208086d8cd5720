"""Every scheduling policy: the scheduler's own tests, random task sets, and all user tests in one boot.

The scheduler's tests (unit "sched") compare times, so they run under -icount, on 1 and 4 CPUs. A user
test must say what it says on the host, whatever the policy; to be done in minutes each policy does a
third of them on one machine of the four, in turn, and `make soak` does every combination, and many
more sets.
A policy has no part in how memory runs out: the test that fills it is left to tools/test/programs.py.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from tools import qemu
from tools.boot import End, transcript, with_command
from tools.sets import run as sets
from tools.test import kernel, programs
from tools.test.builds import ROOT, Build
from tools.test.model import Job, Result, kernel_says, last_lines

_TIMEOUT_S = 1800.0
_MEMORY_MIB = 128  # little, though enough
_DEFAULT = "rr"
_PARTS = 3  # into which the user tests are divided: under every policy one is done
_SETS = 6  # random ones, of each policy and port
# Abilities that can be switched off at boot, and the tests that know what then must not happen.
_SWITCHES = {
    "steal=off": ("sched.steals", "sched.tells_another", "sched.tells_once", "sched.pushes_preempted"),
    "balance=off": ("sched.balances", "sched.steals"),
}


@dataclass(frozen=True)
class Programs:
    """All user tests, or every so many, one after the other."""

    arch: str
    cpus: int
    policy: str
    build_root: Path
    first: int = 0
    every: int = 1

    @property
    def title(self) -> str:
        which = f"part {self.first + 1} of {self.every}" if self.every > 1 else "all"
        return f"user {self.arch} {self.cpus} cpus {self.policy}: {which}"

    def check(self) -> Iterator[Result]:
        found = programs.programs(self.build_root)
        tests = [test for test in found if test.name != programs.FILLS_MEMORY][self.first :: self.every]
        if not all(test.expected.exists() for test in tests):
            yield Result(self.title, False, "not all of them succeed on the host")
            return
        folder = Build(self.arch).directory(self.build_root)
        command = "; ".join(test.command for test in tests)
        with tempfile.NamedTemporaryFile(prefix="trellis-initrd-") as initrd:
            base = folder / "initramfs.cpio"
            machine = qemu.Machine(
                arch=self.arch,
                kernel=folder / "kernel.elf",
                initrd=with_command(base, Path(initrd.name), command.encode()),
                cpus=self.cpus,
                memory_mib=_MEMORY_MIB,
                bootargs=(f"sched={self.policy}",),
            )
            seen = transcript(machine, _TIMEOUT_S)
        expected = b"".join(test.expected.read_bytes() for test in tests)
        ended = seen.outcome.end is End.OFF
        detail = [seen.outcome.end.value, programs.difference(expected, seen.user)]
        if not ended:
            detail.append(last_lines(kernel_says(seen.kernel.decode("utf-8", "replace")), 30))
        detail.append(f"again: tools/run --arch {self.arch} --cpus {self.cpus} --sched {self.policy}"
                      f" --memory {_MEMORY_MIB} --timeout {_TIMEOUT_S:.0f} --cmd '{command}'")
        yield Result(self.title, ended and seen.user == expected, "\n".join(detail))


def policies() -> list[str]:
    """Names of the scheduling policies that the kernel has."""
    found: list[str] = []
    for path in sorted((ROOT / "kernel" / "sched").glob("*.c")):
        found += re.findall(r'^\t\.name = "(\w+)",$', path.read_text(encoding="utf-8"), re.M)
    return found


def kernel_jobs(build_root: Path) -> list[Job]:
    """The unit "sched" under every policy, and without what can be switched off."""
    found: list[Job] = []
    for arch in qemu.ARCHES:
        build = Build(arch, tests=True)
        image = build.directory(build_root) / "kernel.elf"
        if not image.exists():
            continue
        names = [n for n in kernel.list_tests(build, build_root) if n.startswith("sched.")]
        for policy in policies():
            for cpus in kernel.CPUS:
                unit = kernel.Unit(arch, cpus, "sched", tuple(sorted(names)), image, policy)
                found.append(Job(unit.title, unit.results))
        for switch, tests in _SWITCHES.items():
            unit = kernel.Unit(arch, max(kernel.CPUS), "sched", tests, image, "prio", switch)
            found.append(Job(unit.title, unit.results))
    return found


def every_combination(build_root: Path) -> list[Programs]:
    """All user tests by policy, port and number of CPUs."""
    return [
        Programs(arch, cpus, policy, build_root)
        for policy in policies()
        for arch in qemu.ARCHES
        for cpus in kernel.CPUS
    ]


def jobs(build_root: Path) -> list[Job]:
    found: list[Job] = []
    machines = cycle((arch, cpus) for cpus in reversed(kernel.CPUS) for arch in qemu.ARCHES)
    others = (name for name in policies() if name != _DEFAULT)
    for number, (policy, (arch, cpus)) in enumerate(zip(others, machines)):
        run = Programs(arch, cpus, policy, build_root, number % _PARTS, _PARTS)
        found.append(Job(run.title, run.check))
    return found + sets.jobs(build_root, _SETS, _SETS)
