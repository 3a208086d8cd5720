"""Bounds on the costs of operations, from bench/, with sizes that take seconds: growth, locks, windows.
`make test` takes every other policy on each port, in turn, and `make matrix` takes the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock

from bench import costs
from bench.machine import BenchError, build
from tools import qemu
from tools.test.model import Job, Result, in_turn

_CROWD = 100
_CPUS = 4
_BUILDING = Lock()


def jobs(build_root: Path) -> list[Job]:
    found: list[Job] = []
    for arch in qemu.ARCHES:
        measurements: list[tuple[str, costs.Measurement]] = [
            *((f"growth, {policy}", _growth(policy)) for policy in costs.POLICIES),
            (f"locks, {_CPUS} cpus", lambda port: costs.locks(port, _CPUS, tuple(costs.SHARED))),
            ("windows", costs.windows),
            ("windows, many", costs.many_windows),
        ]
        for number, (what, measure) in enumerate(measurements):
            name = f"costs {arch}: {what}"
            rest = what.startswith("growth") and not in_turn(arch, number)
            found.append(Job(name, _check(name, build_root, arch, measure), rest))
    return found


def _growth(policy: str) -> costs.Measurement:
    return lambda port: costs.growth(port, policy, _CROWD)


def _check(
    name: str, build_root: Path, arch: str, measure: costs.Measurement
) -> Callable[[], Iterator[Result]]:
    def check() -> Iterator[Result]:
        try:
            with _BUILDING:
                port = build(build_root, arch)
            missed = measure(port).missed
        except BenchError as error:
            missed = [str(error)]
        yield Result(name, not missed, "\n".join([*missed, "all figures: make bench"]))

    return check
