"""The parts of a test run: jobs that run side by side, each giving one or more results."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tools import qemu


@dataclass(frozen=True)
class Result:
    name: str  # "user riscv 4 cpus: pipe"
    ok: bool
    detail: str = ""  # why it failed, and how to repeat it


@dataclass(frozen=True)
class Job:
    """Something to run on one core. A job that raises OSError or ValueError has failed."""

    name: str
    run: Callable[[], Iterable[Result]]
    rest: bool = False  # only `make matrix` runs it: `make test` has no time for it


def in_turn(arch: str, number: int) -> bool:
    """Whether `make test` does item @number of a list on this port; the ports take the items in turn."""
    return (qemu.ARCHES.index(arch) + number) % 2 == 0


def outcome(job: Job) -> list[Result]:
    """Runs @job; a job without results is a fault of the tests."""
    try:
        results = list(job.run())
    except (OSError, ValueError) as error:
        return [Result(job.name, False, f"{type(error).__name__}: {error}")]
    return results or [Result(job.name, False, "no test was found")]
