"""Runs the tests; the last line is the count. `make test` calls this, and `make matrix` with --rest."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tools import models
from tools.options import WHOLE, Parser, run_program, share
from tools.test import (
    builds,
    costs,
    diff,
    explored,
    features,
    host,
    kernel,
    labs,
    mutants,
    policies,
    programs,
    robust,
    unittests,
)
from tools.test.model import Job, Result
from tools.test.pool import run_all

_Find = Callable[[Path], list[Job]]

# The order matters: later groups use what earlier ones built. In a group the longest jobs come first, so
# that none of them runs alone at the end. The last number says how many jobs a core runs at once: while a
# machine starts, ends or sleeps, another job can use its core.
_Group = tuple[str, tuple[_Find, ...], int]
_GROUPS: tuple[_Group, ...] = (
    ("builds", (builds.jobs, host.jobs, programs.host_jobs, diff.host_jobs), 1),
    (
        "tests",
        (
            *(policies.jobs, unittests.jobs, robust.jobs, labs.jobs, kernel.jobs, policies.kernel_jobs),
            *(explored.jobs, diff.jobs, programs.jobs, costs.jobs, models.jobs, mutants.jobs),
        ),
        2,
    ),
)
# --rest needs them too, since `make test` may never have been called.
_NEEDED: _Group = ("builds", (builds.jobs, programs.host_jobs), 1)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="make test", description=__doc__)
    parser.add_argument("--build-root", type=Path, default=Path("build"), metavar="DIR")
    parser.add_argument(
        "--only", default="", metavar="REGEX", help="run only jobs whose name matches, those of --rest too"
    )
    parser.add_argument("--rest", action="store_true", help="run the jobs that make test leaves out")
    parser.add_argument("--share", type=share, default=WHOLE, metavar="K/N",
                        help="with --rest: of N shares of those jobs the K-th")  # fmt: skip
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1, metavar="N")
    options = parser.parse_args(arguments)

    start = time.monotonic()
    results: list[Result] = []
    for title, finds, times in (_NEEDED, *_GROUPS[1:]) if options.rest else _GROUPS:
        found = [job for find in finds for job in find(options.build_root.resolve())]
        if options.rest and finds != _NEEDED[1]:
            found = [job for job in found if job.rest and options.share.has(job.name)]
        elif not options.rest and not options.only:
            found = [job for job in found if not job.rest]
        jobs = [job for job in found if re.search(options.only, job.name)]
        if title == "builds" and not jobs and not builds.made(options.build_root.resolve()):
            jobs = [job for job in found if not job.rest]  # what the chosen ones need
        if jobs:
            results += run_all(title, jobs, options.cores * times)
    if not options.rest and (not options.only or re.search(options.only, "features")):
        results += run_all("features", features.jobs([] if options.only else results), 1)
    if not results:
        parser.error(f"--only {options.only}: matches no job")
    failed = [result for result in results if not result.ok]
    if failed:
        print("\nfailed:")
        for result in failed:
            print(f"  {result.name}")
    print(f"{time.monotonic() - start:.0f} s", file=sys.stderr)
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    run_program("make test", main)
