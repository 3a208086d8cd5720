"""Runs all tests; the last line is the count. `make test` calls this."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tools import models
from tools.options import Parser
from tools.test import (
    builds,
    costs,
    features,
    host,
    kernel,
    labs,
    policies,
    programs,
    robust,
    unittests,
)
from tools.test.model import Job, Result
from tools.test.pool import run_all

# In this order: later stages use what earlier ones built.
_STAGES: tuple[tuple[str, Callable[[Path], list[Job]]], ...] = (
    ("builds", builds.jobs),
    ("kernel", kernel.jobs),
    ("policies", policies.kernel_jobs),
    ("host units", host.jobs),
    ("host", programs.host_jobs),
    ("programs", programs.jobs),
    ("programs by policy", policies.jobs),
    ("robustness", robust.jobs),
    ("python", unittests.jobs),
    ("costs", costs.jobs),
    ("models", models.jobs),
    ("labs", labs.jobs),
    ("features", features.jobs),
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="make test", description=__doc__)
    parser.add_argument("--build-root", type=Path, default=Path("build"), metavar="DIR")
    parser.add_argument("--only", default="", metavar="REGEX", help="jobs whose name matches")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    options = parser.parse_args(arguments)

    start = time.monotonic()
    results: list[Result] = []
    for title, find in _STAGES:
        jobs = [job for job in find(options.build_root.resolve()) if re.search(options.only, job.name)]
        if jobs:
            results += run_all(title, jobs, options.jobs)
    failed = [result for result in results if not result.ok]
    if failed:
        print("\nfailed:")
        for result in failed:
            print(f"  {result.name}")
    print(f"{time.monotonic() - start:.0f} s", file=sys.stderr)
    print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
