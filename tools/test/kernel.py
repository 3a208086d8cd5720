"""The kernel's own tests (test_*.c): booted with test=, some units at a time, on 1 and 4 CPUs.

Tests of labs are not among them: they need the grader's instruments, and `make grade` runs them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools import qemu
from tools.boot import PATIENCE_S, End, Transcript, transcript, with_limit
from tools.programs import kernel_says, last_lines
from tools.test.builds import Build
from tools.test.model import Job, Result, in_turn

CPUS = (1, 4)
_BATCHES = 4  # units on one machine: a boot takes longer than most units
_LIST_LINE = re.compile(r"^(?P<step>[0-9.]+)?\s+(?P<name>[a-z0-9_]+\.[a-z0-9_.]+)\s*\S*$", re.M)
_VERDICT = re.compile(r"^(?P<verdict>ok  |FAIL) \S* ?(?P<name>\S+\.\S+), \d+ checks?\r?$", re.M)
_SKIPPED = re.compile(r"^skip \S* ?(\S+\.\S+): it needs CPUS=\d\r?$", re.M)


# Units with boots of their own under -icount, since a busy host must not decide whether their deadlines
# hold, and the policies they run under; round robin knows no urgency. Of several policies `make test`
# takes every other one on each machine, so that it runs each of them on both ports.
_POLICIES: dict[str, tuple[str, ...]] = {
    "early": ("",),  # run before there are threads, if no other tests are named
    "migrate": ("rr", "prio"),
    **{unit: ("rr",) for unit in ("completion", "cputimer", "deadlock", "idle", "sweep")},
}

_ONE_CPU = {"sweep"}  # units whose tests all need that

# Also with a clock that begins so late that 0, a time that was never set, compares as a future time.
LATE = ("load.cpu_times", "load.overtaken", "sched.balances", "timer.clock_set", "timer.past")
LATE_CLOCK = f"clock={3 << 62} realtime=1000s"


@dataclass(frozen=True)
class Unit:
    """The tests of one unit ("wait" of "wait.timeout") or some, in the kernel's order, on one machine."""

    arch: str
    cpus: int
    name: str
    tests: tuple[str, ...]
    kernel: Path
    policy: str = ""  # one that is named runs under -icount: its tests compare times
    switch: str = ""  # a boot argument more, "steal=off"
    options: str = ""  # how make builds this kernel, if it is not the debug one

    @property
    def machine_title(self) -> str:
        parts = (f"kernel {self.arch} {self.cpus} cpus", self.policy, self.switch, self.options)
        return " ".join(filter(None, parts))

    @property
    def title(self) -> str:
        return f"{self.machine_title}: {self.name}"

    @property
    def how(self) -> str:
        """The arguments of make that repeat it."""
        icount = f"SCHED={self.policy} ICOUNT=1 " if self.policy else ""
        return icount + f"{self.options} " * bool(self.options)

    def machine(self, tests: Sequence[str]) -> qemu.Machine:
        policy = f"sched={self.policy}" * bool(self.policy)
        return qemu.Machine(
            arch=self.arch,
            kernel=self.kernel,
            cpus=self.cpus,
            bootargs=tuple(filter(None, (*self._words(",".join(tests)), policy))),
            icount=qemu.Icount(shift=3, slices=(80,)) if self.policy else None,
        )

    def boot(self, tests: Sequence[str]) -> Transcript:
        return transcript(self.machine(tests), PATIENCE_S)

    def again(self, test: str) -> str:
        """The commands that repeat it: alone, and after the tests that ran before it in the same boot."""
        before = self.tests[: self.tests.index(test) + 1]
        return "\nor: ".join(dict.fromkeys([self._command(test), self._command(",".join(before))]))

    def _words(self, tests: str) -> tuple[str, ...]:
        """Boot arguments. Without -icount time passes for a machine that is not run, too: then no limit."""
        return with_limit([f"test={tests}", *filter(None, [self.switch])], bool(self.policy))

    def _command(self, tests: str) -> str:
        words = shlex.quote(" ".join(self._words(tests)))
        return f"make run ARCH={self.arch} CPUS={self.cpus} {self.how}TESTS=1 BOOTARGS={words}"

    def results(self) -> Iterator[Result]:
        """Boots until every test has a verdict: if one crashes the kernel, only that test fails."""
        left = list(self.tests)
        while left:
            seen = self.boot(left)
            text = seen.kernel.decode("utf-8", "replace")
            verdicts = {m["name"]: m["verdict"] == "ok  " for m in _VERDICT.finditer(text)}
            skipped = set(_SKIPPED.findall(text))  # runs with another number of CPUs
            reached = [name for name in left if name in verdicts or name in skipped]
            for name in reached:
                if name in verdicts:
                    yield self._result(name, verdicts[name], text)
            left = left[len(reached) :]
            if left:
                why = f"{seen.outcome.end.value}\n{last_lines(kernel_says(text), 30)}"
                yield self._result(left.pop(0), False, why)
            elif seen.outcome.end is not End.OFF:
                yield Result(f"{self.title}: the end", False, last_lines(kernel_says(text)))

    def _result(self, name: str, ok: bool, text: str) -> Result:
        detail = "" if ok else f"{_failed_checks(text) or text}\nagain: {self.again(name)}"
        return Result(f"{self.machine_title}: {name}", ok, detail)


def _failed_checks(text: str) -> str:
    """The lines that ktest prints for failed checks."""
    return "\n".join(line for line in text.splitlines() if re.match(r"  \S* \S+:\d+: ", line))


@cache
def list_tests(build: Build, build_root: Path) -> list[str]:
    """Names of the tests that belong to no lab, in the order in which the kernel does them."""
    kernel = build.directory(build_root) / "kernel.elf"
    machine = qemu.Machine(arch=build.arch, kernel=kernel, bootargs=("test=list",))
    text = transcript(machine, PATIENCE_S).kernel.decode("utf-8", "replace")
    return [m["name"] for m in _LIST_LINE.finditer(text.replace("\r", "")) if not m["step"]]


def jobs(build_root: Path) -> list[Job]:
    found: list[Job] = []
    for arch in qemu.ARCHES:
        build = Build(arch, tests=True)
        kernel = build.directory(build_root) / "kernel.elf"
        names = list_tests(build, build_root) if kernel.exists() else []
        if not names:
            found.append(Job(f"kernel {arch}: tests", lambda: []))
            continue
        units: dict[str, list[str]] = {}
        for name in names:
            units.setdefault(name.split(".")[0], []).append(name)
        del units["sched"]  # policies.py
        boots = [
            Unit(arch, 4, "late", LATE, kernel, "rr", LATE_CLOCK),
            Unit(arch, 1, "late", ("sched.reserves_alive",), kernel, "edf", LATE_CLOCK),
        ]
        rest: list[Unit] = []
        for turn, cpus in enumerate(CPUS):
            for unit, policies in _POLICIES.items():
                if unit in _ONE_CPU and cpus > 1:
                    continue
                for number, policy in enumerate(policies, start=turn):
                    now = len(policies) == 1 or in_turn(arch, number)
                    (boots if now else rest).append(
                        Unit(arch, cpus, unit, tuple(units[unit]), kernel, policy)
                    )
            others = [unit for unit in units if unit not in _POLICIES]
            for first in range(_BATCHES):
                batch = others[first::_BATCHES]
                tests = tuple(name for name in names if name.split(".")[0] in batch)
                boots.append(Unit(arch, cpus, ", ".join(batch), tests, kernel))
        found += [Job(boot.title, boot.results) for boot in boots]
        found += [Job(boot.title, boot.results, rest=True) for boot in rest]
        found += _without_debugging(arch, build_root, units["instrument"])
    return found


def _without_debugging(arch: str, build_root: Path, tests: Sequence[str]) -> Iterator[Job]:
    """The tests of the instruments in a release kernel made by Clang, where nothing is poisoned."""
    kernel = Build(arch, "release", tests=True, llvm=True).directory(build_root) / "kernel.elf"
    if kernel.exists():
        options = "BUILD=release LLVM=1"
        unit = Unit(arch, 1, "instrument", tuple(tests), kernel, options=options)
        yield Job(unit.title, unit.results, rest=True)
