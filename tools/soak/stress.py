"""`make stress`: all kernel tests, except those that judge times, and all user tests, in rounds, under QEMU
without icount: CPUs are threads of the host, time is the host's, and 4 and 8 CPUs run on those that the
host has. In each round the user tests and the scheduler's tests get another policy on each machine, chosen
by the seed. Bugs that depend on timing show here; a failure names the round and the command that repeats
it. The last line is the count."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from tools import qemu
from tools.options import Parser, run_program
from tools.programs import ROOT
from tools.soak.__main__ import build
from tools.test import kernel, policies, programs
from tools.test.builds import Build
from tools.test.model import Job, Result
from tools.test.pool import run_all

_CPUS = (4, 8)
_DEFAULT_ROUNDS = 5
_URGENCY = "migrate"  # a unit that round robin alone would say little about

# The tests that are left out: they judge times, which would depend on the host here. `make test` runs them
# under -icount. Tests that only wait until a thread blocks or runs are not left out.
_MS = "what ran in so many ms is counted"
COMPARE_TIMES = {
    "migrate.leaving": "a thread is stopped for 20 ms, in which the test must look",
    "sched.armed": "who was woken must have had a turn in a quantum and 5 ms",
    "sched.balances": "balancing must have moved somebody in 350 ms",
    "sched.changed_order": _MS,
    "sched.charged": "accounts are compared with the clock",
    "sched.fifo": _MS,
    "sched.full_slice": "the length of slices is measured",
    "sched.idle_stays": "a thread alone must have 190 ms of 200",
    "sched.idle_window": "CPUs are stopped for some ms, and the others must be there by then",
    "sched.in_order": "an idle CPU that happens to look just then may be there before the one that is told",
    "sched.in_vain": "the others must have worked and idle before the first nap of 30 ms is over",
    "sched.inherits": _MS,
    "sched.interrupted": "turns are counted in a time",
    "sched.over_unseen": "the slice must end before its tick, and not at once",
    "sched.pushes": _MS,
    "sched.pushes_preempted": _MS,
    "sched.pushes_promoted": _MS,
    "sched.reservations": "deadlines must be kept",
    "sched.shares": _MS,
    "sched.shrinks": "both must have got to their CPU in 1 ms",
    "sched.spreads": _MS,
    "sched.steals": _MS,
    "sched.tells_another": _MS,
    "sched.tells_for_each": _MS,
    "sched.tells_once": "as sched.in_vain",
    "sched.weights": _MS,
}


@dataclass(frozen=True)
class Round:
    """One job of one round: its results say which."""

    number: int
    job: Job

    @property
    def title(self) -> str:
        return f"round {self.number}: {self.job.name}"

    def check(self) -> Iterator[Result]:
        for result in self.job.run():
            yield Result(f"round {self.number}: {result.name}", result.ok, result.detail)


@dataclass(frozen=True)
class Unit(kernel.Unit):
    """A unit of kernel tests, under its policy, but without -icount."""

    @property
    def how(self) -> str:
        return f"SCHED={self.policy} "

    def machine(self, tests: Sequence[str]) -> qemu.Machine:
        return replace(super().machine(tests), icount=None)


def policy_of(seed: int, number: int, arch: str, cpus: int) -> str:
    """Of a round on a machine: all of them in as many rounds as there are."""
    names = sorted(policies.policies())
    random.Random(f"{seed} {arch} {cpus}").shuffle(names)
    return names[(number - 1) % len(names)]


def kernel_policy(unit: str, number: int, chosen: str) -> str:
    if unit == "sched":
        return chosen
    return "prio" if unit == _URGENCY and number % 2 else "rr"


def one_round(build_root: Path, number: int, seed: int) -> Iterator[Job]:
    for arch in qemu.ARCHES:
        test_build = Build(arch, tests=True)
        listed = kernel.list_tests(test_build, build_root)
        names = sorted(name for name in listed if name not in COMPARE_TIMES)
        units = {unit: tuple(tests) for unit, tests in groupby(names, lambda n: n.split(".")[0])}
        image = test_build.directory(build_root) / "kernel.elf"
        for cpus in _CPUS:
            chosen = policy_of(seed, number, arch, cpus)
            for unit, tests in units.items():
                run = Unit(arch, cpus, unit, tests, image, kernel_policy(unit, number, chosen))
                yield Job(run.title, run.results)
            together = policies.user_tests(arch, cpus, chosen, slice(None), build_root)
            yield Job(together.title, together.check)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="make stress", description=__doc__)
    parser.add_argument("--build-root", type=Path, default=ROOT / "build", metavar="DIR")
    parser.add_argument("--rounds", type=int, default=_DEFAULT_ROUNDS, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the order of policies")
    parser.add_argument("--only", default="", metavar="TEXT", help="jobs whose name has this in it")
    options = parser.parse_args(arguments)
    build_root = options.build_root.resolve()
    if not all(build(build_root, arch) for arch in qemu.ARCHES):
        print("stress: the tree does not build", file=sys.stderr)
        return 2
    workers = max(1, (os.cpu_count() or 1) // 2)  # each has CPUs enough to fill the machine
    rounds = [
        Round(number, job)
        for number in range(1, options.rounds + 1)
        for job in one_round(build_root, number, options.seed)
        if options.only in job.name
    ]
    if not rounds:
        parser.error(f"--only {options.only}: matches no job")
    results = run_all("host", programs.host_jobs(build_root), os.cpu_count() or 1)
    results += run_all("stress", [Job(r.title, r.check) for r in rounds], workers)
    failed = [result for result in results if not result.ok]
    if failed:
        print(f"\nthe first failure: {failed[0].name}\n{failed[0].detail}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    run_program("make stress", main)
