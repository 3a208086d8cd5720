"""The explorer's program: starts it, and reads what it prints (tools/explore/main.c)."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import qemu

BOUND = 2  # preemptions
STEPS = 2_000_000  # of a scenario at one bound; a budget in steps is the same on every machine
_CPU_SECONDS = 600  # only a program that no longer counts its steps comes to this
_MEMORY_KIB = 4 << 20
_CHOICE = r"[0-9a-f]+/(t|[0-9](-[1-9])?)"
_SCHEDULE = re.compile(rf"x:({_CHOICE}(,{_CHOICE})*)?")


class ExploreError(Exception):
    """The explorer itself could not do its work."""


@dataclass(frozen=True)
class Scenario:
    scenario: str
    step: str
    property: str
    cpus: int
    wrong: bool  # it has a counterexample: a test of the explorer itself
    weak: bool  # it has one if loads may read older stores


@dataclass(frozen=True)
class Race:
    """Two places in the code, by return address, whose accesses to @address nothing orders."""

    first: int
    second: int
    address: int
    schedule: str


@dataclass(frozen=True)
class Result:
    """The result of one scenario. @outcome: complete (every interleaving), bounded (all with at most @bound
    preemptions), unfinished (the budget of steps was too small), wrong (with @verdict and @schedule);
    right: a replay."""

    scenario: str
    outcome: str
    bound: int
    executions: int
    states: int
    steps: int
    longest: int
    weakly: int  # the bound of the second search, in which loads may read older stores; 0: none
    older: int  # its executions
    verdict: str = ""
    schedule: str = ""
    races: tuple[Race, ...] = ()

    def figures(self) -> str:
        """In one line, what the result is worth."""
        ran = f"{self.executions:,} executions"
        older = f"; {self.older:,} where loads read older stores" if self.weakly else ""
        if self.outcome == "complete":
            return f"complete: {ran}, every interleaving{older}"
        if self.outcome == "bounded":
            return f"{ran}, all with at most {_counted(self.bound)}{older}"
        if self.outcome == "unfinished":
            most = f"all with at most {_counted(self.bound - 1)}" if self.bound else "none of them all"
            return f"{ran}, {most} and some with one more"
        loads = self.schedule.count("-")
        older = f" and {loads} load{'s' * (loads > 1)} of an older store" if loads else ""
        return f"wrong after {ran}, with {_counted(self.bound - loads)}{older}"


@dataclass(frozen=True)
class Access:
    """One access to memory in a replay. @at counts all accesses of the execution; @chain has the return
    addresses from the access outwards."""

    cpu: int
    thread: str
    stack: int
    kind: str
    plain: bool
    address: int
    size: int
    old: int
    new: int
    at: int
    chain: list[int]


def _counted(preemptions: int) -> str:
    return f"{preemptions} preemption{'' if preemptions == 1 else 's'}"


def is_schedule(text: str) -> bool:
    return _SCHEDULE.fullmatch(text) is not None


def _run(program: Path, words: Sequence[str], fenced: bool) -> list[dict[str, Any]]:
    argv = ["sh", "-c", f'ulimit -t {_CPU_SECONDS} -v {_MEMORY_KIB}; exec "$0" "$@"', str(program), *words]
    if fenced:
        argv = qemu.bubblewrap(argv, [program], [])
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          errors="replace")  # fmt: skip
    if done.returncode not in (0, 1):
        said = done.stderr.strip().splitlines()
        ended = f"signal {signal.Signals(-done.returncode).name}" if done.returncode < 0 else done.returncode
        raise ExploreError(said[-1].removeprefix("explore: ") if said else f"the explorer ended with {ended}")
    try:
        return [json.loads(line) for line in done.stdout.splitlines()]
    except ValueError as e:
        raise ExploreError(f"the explorer printed something else: {e}") from e


def _result(line: dict[str, Any]) -> Result:
    seen = line.pop("races")
    return Result(**line, races=tuple(Race(**race) for race in seen))


def scenarios(program: Path, fenced: bool = False) -> list[Scenario]:
    """Every scenario that is linked in, by step and name."""
    found = [Scenario(**line) for line in _run(program, ["list"], fenced)]
    return sorted(found, key=lambda s: (s.step, s.scenario))


def explore(
    program: Path, scenario: str, bound: int = BOUND, steps: int = STEPS, fenced: bool = False
) -> Result:
    """Runs every schedule of @scenario with at most @bound preemptions, or as many as @steps allow."""
    return _result(_run(program, [scenario, str(bound), str(steps)], fenced)[-1])


def replay(
    program: Path, scenario: str, schedule: str, fenced: bool = False
) -> tuple[Result, list[Access]]:
    """Runs one schedule, and says what every CPU accessed."""
    *accesses, end = _run(program, [scenario, "replay", schedule], fenced)
    return _result(end), [Access(**line) for line in accesses]
