"""Every scheduling policy: the scheduler's own tests, random task sets, and user tests.

The scheduler's tests (unit "sched") compare times, so they run under -icount: the default policy on both
ports with 1 and 4 CPUs, every other one on one port with 1 and on the other with 4. A user test must
print the same as on the host, under every policy. To stay within minutes, each policy runs a sixth of
them on one machine of the four, in turn: half of that sixth in `make test`, the other half in `make
matrix`. The random sets of each policy also run on one port only. `make soak` runs every combination,
and many more sets. The test that fills the memory does not depend on the policy: only
tools/test/programs.py runs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from tools import qemu
from tools.programs import ROOT
from tools.sets import run as sets
from tools.test import kernel, programs
from tools.test.builds import Build
from tools.test.model import Job, in_turn

DEFAULT = "rr"
_PARTS = 6  # parts of the list of user tests; each policy runs one of them
_SETS = 6  # random ones, of each policy and port
# Features that can be switched off at boot, and the tests that check what must not happen then.
_SWITCHES = {
    "steal=off": ("sched.steals", "sched.tells_another", "sched.tells_once", "sched.pushes_preempted"),
    "balance=off": ("sched.balances", "sched.steals"),
}


def policies() -> list[str]:
    """Names of the scheduling policies that the kernel has."""
    found: list[str] = []
    for path in sorted((ROOT / "kernel" / "sched" / "policy").glob("*.c")):
        found += re.findall(r'^\t\.name = "(\w+)",$', path.read_text(encoding="utf-8"), re.M)
    return found


def kernel_jobs(build_root: Path) -> list[Job]:
    """The unit "sched" under every policy, and with each of these features switched off."""
    found: list[Job] = []
    for arch in qemu.ARCHES:
        build = Build(arch, tests=True)
        image = build.directory(build_root) / "kernel.elf"
        if not image.exists():
            continue
        names = [n for n in kernel.list_tests(build, build_root) if n.startswith("sched.")]
        for policy, cpus in _machines(arch):
            unit = kernel.Unit(arch, cpus, "sched", tuple(names), image, policy)
            found.append(Job(unit.title, unit.results))
        for switch, tests in _SWITCHES.items():
            unit = kernel.Unit(arch, max(kernel.CPUS), "sched", tests, image, "prio", switch)
            found.append(Job(unit.title, unit.results))
    return found


def _machines(arch: str) -> Iterator[tuple[str, int]]:
    """Policies, and the numbers of CPUs on which they are tested on @arch."""
    turn = qemu.ARCHES.index(arch)
    for policy in policies():
        if policy == DEFAULT:
            yield from ((policy, cpus) for cpus in kernel.CPUS)
        else:
            yield policy, kernel.CPUS[turn % 2]
            turn += 1


def user_tests(arch: str, cpus: int, policy: str, part: slice, build_root: Path) -> programs.Batch:
    """A part of the list in one boot, with little memory."""
    tests = [test for test in programs.programs(build_root) if test.name != programs.FILLS_MEMORY]
    return programs.Batch(arch, cpus, tuple(tests[part]), build_root, policy, programs.LITTLE_MIB)


def every_combination(build_root: Path) -> list[programs.Batch]:
    """All user tests by policy, port and number of CPUs."""
    return [
        user_tests(arch, cpus, policy, slice(None), build_root)
        for policy in policies()
        for arch in qemu.ARCHES
        for cpus in kernel.CPUS
    ]


def jobs(build_root: Path) -> list[Job]:
    found: list[Job] = []
    machines = cycle((arch, cpus) for cpus in reversed(kernel.CPUS) for arch in qemu.ARCHES)
    others = (name for name in policies() if name != DEFAULT)
    for number, (policy, (arch, cpus)) in enumerate(zip(others, machines)):
        for half in (0, _PARTS):
            part = slice(number % _PARTS + half, None, 2 * _PARTS)
            batch = user_tests(arch, cpus, policy, part, build_root)
            found.append(Job(batch.title, batch.check, half > 0))
    names = policies()
    for boot in sets.boots(build_root, _SETS, _SETS):
        found.append(Job(boot.title, boot.check, not in_turn(boot.arch, names.index(boot.policy))))
    return found
