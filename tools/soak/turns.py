"""The kernel's tests with chance in the turns of threads and CPUs.

The scheduler's own tests (unit "sched"), each seed with other turns of the CPUs.

Under -icount the CPUs run one after the other, and `make test` uses one length for their turns. So races
always end in the same way there. Here the seed chooses another length. It also chooses the start of the
clock, on which rounds and boosts depend, and the random numbers of `pct`: these are what varies on one
CPU.

All tests that do not measure slices, in slices of at most thirty microseconds: where a test depends on two
statements that are done without a tick in between, some seed has a tick there.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from tools import qemu
from tools.test import kernel
from tools.test.builds import Build
from tools.test.policies import policies

DEFAULT_SEEDS = 20

# In us. Tests give another CPU 2 ms to react to a request. Even if four CPUs take turns of 130 us, it has
# three whole turns in that time: enough to take the interrupt, look at its queue, and run a thread.
SHORTEST, LONGEST = 40, 130
_SHORT = "30us"  # of slices: below, interrupts take the time of the tests that step by instructions
_MEASURES_SLICES = re.compile(r"(sched|policies|machine)\.|(cputimer\.pair|idle\.recorded|early\.quiet)$")
_CLOCK_S = 10  # more than any period of a policy


def command(title: str, seed: int) -> str:
    """Returns what to type to repeat the job @title of `make soak`."""
    seeds = f"--seeds {seed} " if seed > DEFAULT_SEEDS else ""
    return f"python3 -m tools.soak {seeds}--only '^{title}$'"


@dataclass(frozen=True)
class Unit(kernel.Unit):
    seed: int = 1

    @property
    def machine_title(self) -> str:
        return f"turns {self.arch} {self.cpus} cpus {self.policy} seed {self.seed}"

    def machine(self, tests: Sequence[str]) -> qemu.Machine:
        usual = super().machine(tests)
        choice = random.Random(f"{self.arch} {self.cpus} {self.policy} {self.seed}")
        turn, clock = choice.randint(SHORTEST, LONGEST), choice.randrange(_CLOCK_S * 10**9)
        return replace(
            usual,
            bootargs=(*usual.bootargs, f"clock={clock}", f"seed={self.seed}"),
            icount=qemu.Icount(shift=3, slices=(turn,)),
        )

    def again(self, test: str) -> str:
        return command(self.title, self.seed)


def units(build_root: Path, seeds: int) -> Iterator[Unit]:
    """By seed, port, policy and number of CPUs."""
    for seed in range(1, seeds + 1):
        for arch in qemu.ARCHES:
            build = Build(arch, tests=True)
            names = [n for n in kernel.list_tests(build, build_root) if n.startswith("sched.")]
            image = build.directory(build_root) / "kernel.elf"
            for policy in policies():
                for cpus in kernel.CPUS:
                    yield Unit(arch, cpus, "sched", tuple(sorted(names)), image, policy, seed=seed)


@dataclass(frozen=True)
class ShortSlices(Unit):
    """Tests in slices of random length, under the default policy."""

    @property
    def machine_title(self) -> str:
        return f"slices {self.arch} {self.cpus} cpus seed {self.seed}"

    def machine(self, tests: Sequence[str]) -> qemu.Machine:
        usual = super().machine(tests)
        slices = (f"quantum={_SHORT}", f"jitter={self.seed}")
        return replace(usual, bootargs=(*usual.bootargs, *slices), icount=qemu.Icount())


def short_slices(build_root: Path, seeds: int) -> Iterator[ShortSlices]:
    """By seed, port, unit and number of CPUs."""
    for seed in range(1, seeds + 1):
        for arch in qemu.ARCHES:
            build = Build(arch, tests=True)
            image = build.directory(build_root) / "kernel.elf"
            names = [n for n in kernel.list_tests(build, build_root) if not _MEASURES_SLICES.match(n)]
            for unit, tests in groupby(names, key=lambda name: name.split(".")[0]):
                chosen = tuple(tests)
                for cpus in kernel.CPUS:
                    yield ShortSlices(arch, cpus, unit, chosen, image, seed=seed)
