"""Checks the style of everything; one line for each fault. `make lint` calls this."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence

from tools.lint import editor, files, graph, layout, programs, reading
from tools.lint.files import Fault
from tools.options import Parser, run_program
from tools.test.model import Job, Result
from tools.test.pool import run_all


def markers() -> Iterator[Fault]:
    """Solution regions of the labs are well formed and in listed files."""
    yield from programs.complaints([sys.executable, "-m", "labs.stage", "check"])


_CHECKS: tuple[tuple[str, Callable[[], Iterable[Fault]]], ...] = (
    ("headers stand alone", programs.headers),
    ("locks on every path", programs.locking),
    ("user programs", programs.user_programs),
    ("Python types", programs.types),
    ("what an editor shows", editor.sample),
    ("layout of C", layout.layout),
    ("scripts", programs.scripts),
    ("lab markers", markers),
    ("texts", files.texts),
    ("kernel knows no machine", files.independence),
    ("the kernel calls downward", graph.downward),
    ("prologues", files.prologues),
    ("labels", files.labels),
    ("sizes", files.sizes),
    ("reading for a lab", reading.reading),
    ("links", files.links),
    ("figures", files.figures),
    ("subjects", files.subjects),
)


def job(name: str, check: Callable[[], Iterable[Fault]]) -> Job:
    def run() -> Iterator[Result]:
        try:
            faults = sorted(set(check()))
        except subprocess.CalledProcessError as error:
            faults = [Fault(str(error.cmd), 0, str(error.stderr or error))]
        yield Result(f"lint: {name}", not faults, "\n".join(map(str, faults)))

    return Job(f"lint: {name}", run)


def main(arguments: Sequence[str] | None = None) -> int:
    checks = ", ".join(name for name, _ in _CHECKS)
    parser = Parser(prog="make lint", description=f"{__doc__} The checks are: {checks}.")
    parser.add_argument("--only", default="", metavar="TEXT", help="checks with TEXT in their names")
    only = parser.parse_args(arguments).only
    jobs = [job(name, check) for name, check in _CHECKS if only in name]
    if not jobs:
        parser.error(f"--only: no check has {only} in its name; there are: {checks}")
    results = run_all("lint", jobs, os.cpu_count() or 1)
    failed = sum(not result.ok for result in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    run_program("make lint", main)
