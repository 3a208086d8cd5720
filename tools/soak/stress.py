"""`make stress`: all kernel tests that need no clock of their own, and all user tests, in rounds, under
QEMU as it is: CPUs in threads, time by the host's clock, 4 and 8 CPUs on however many there are. What
depends on luck shows here; a failure names the round and the command that does it again. The last
line is the count."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from tools import qemu
from tools.options import Parser
from tools.soak.__main__ import build
from tools.test import kernel, policies, programs
from tools.test.builds import ROOT, Build
from tools.test.model import Job, Result
from tools.test.pool import run_all

_CPUS = (4, 8)
_DEFAULT_ROUNDS = 5


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


def one_round(build_root: Path) -> Iterator[Job]:
    for arch in qemu.ARCHES:
        test_build = Build(arch, tests=True)
        names = sorted(kernel.list_tests(test_build, build_root))
        units = {unit: tuple(tests) for unit, tests in groupby(names, lambda n: n.split(".")[0])}
        image = test_build.directory(build_root) / "kernel.elf"
        for cpus in _CPUS:
            for unit, tests in units.items():
                if not kernel.compares_times(unit):
                    run = kernel.Unit(arch, cpus, unit, tests, image)
                    yield Job(run.title, run.results)
            together = policies.Programs(arch, cpus, "rr", build_root)
            yield Job(together.title, together.check)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="make stress", description=__doc__)
    parser.add_argument("--build-root", type=Path, default=ROOT / "build", metavar="DIR")
    parser.add_argument("--rounds", type=int, default=_DEFAULT_ROUNDS, metavar="N")
    parser.add_argument("--only", default="", metavar="TEXT", help="jobs whose name has this in it")
    options = parser.parse_args(arguments)
    build_root = options.build_root.resolve()
    if not all(build(build_root, arch) for arch in qemu.ARCHES):
        print("stress: the tree does not build", file=sys.stderr)
        return 2
    workers = max(1, (os.cpu_count() or 1) // 2)  # each has CPUs enough to fill the machine
    results = run_all("host", programs.host_jobs(build_root), os.cpu_count() or 1)
    jobs = [job for job in one_round(build_root) if options.only in job.name]
    rounds = [Round(number, job) for number in range(1, options.rounds + 1) for job in jobs]
    results += run_all("stress", [Job(r.title, r.check) for r in rounds], workers)
    failed = [result for result in results if not result.ok]
    if failed:
        print(f"\nthe first failure: {failed[0].name}\n{failed[0].detail}")
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
