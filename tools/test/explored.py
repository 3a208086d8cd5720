"""The explorer's scenarios that belong to no lab: no counterexample with the usual number of preemptions, and
no data race. The others are explored where the labs are graded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tools.explore.program import ExploreError, explore, scenarios
from tools.explore.program import Result as Explored
from tools.test import builds
from tools.test.model import Job, Result

_JOBS = 6
_OF_THE_EXPLORER = ("litmus.", "costume.")  # programs that test the explorer itself


def jobs(build_root: Path) -> list[Job]:
    return [_job(number, build_root) for number in range(_JOBS)]


def _job(number: int, build_root: Path) -> Job:
    name = f"explore: part {number + 1} of {_JOBS}"

    def check() -> Iterator[Result]:
        try:
            program = builds.explorer(build_root)
            for scenario in of_no_lab(program)[number::_JOBS]:
                yield result(explore(program, scenario))
        except ExploreError as error:
            yield Result(name, False, str(error))

    return Job(name, check)


def of_no_lab(program: Path) -> list[str]:
    right = [s for s in scenarios(program) if not s.step and not s.wrong and not s.weak]
    return sorted(s.scenario for s in right if not s.scenario.startswith(_OF_THE_EXPLORER))


def result(found: Explored) -> Result:
    why = found.verdict or f"{len(found.races)} data races"
    detail = f"{found.figures()}: {why}\nagain: make explore SCENARIO={found.scenario}"
    return Result(f"explore: {found.scenario}", found.outcome != "wrong" and not found.races, detail)
