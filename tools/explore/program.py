"""The explorer's program: starts it, and reads what it prints (tools/explore/main.c)."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, TypeVar, get_type_hints

from tools import limits, qemu
from tools.visible import all_visible, visible

BOUND = 2  # preemptions
STEPS = 2_000_000  # of a scenario at one bound; a budget in steps is the same on every machine
# Told of a counterexample that only the second search finds: arch/host/costume.c.
COSTUME = (
    "in the costume, on which no property depends: every thread is real-time and nice, has migrated and been "
    "preempted; every process has a parent in vfork(); the clock wraps soon; ids need nine bits"
)
_CPU_SECONDS = 600  # only a program that no longer counts its steps comes to this
DEPTH = 3  # events in one order that a mistake needs (tools/explore/random.c)
SEED = 1
DATA_RACES_MAX = 16  # that are told of one scenario (tools/explore/explore.h)
LOCATIONS_MAX = 64  # words whose older stores are kept
_MEMORY_MIB = 4096
_FILE_MIB = 16  # it writes no files, but what it says may be in one
_THREADS = 64
_STARTERS = ("timeout: ", "setpriv: ", "prlimit: ", "bwrap: ")  # how those complain that start it
_SAID_MAX = 64 << 20  # characters that it may print
_CHOICE = r"[0-9a-f]+/(t|[0-9](-[1-9f])?)"
_NUMBERS = range(1 << 64)
_ONE_OF: dict[str, Collection[object]] = {
    "outcome": ("complete", "bounded", "unfinished", "wrong", "right"),
    "kind": ("read", "write", "acquire", "release", "try"),
    "size": range(1, 17),  # bytes
}
_Said = TypeVar("_Said", "Scenario", "Race", "Result", "Access")
_SCHEDULE = re.compile(rf"[xc]:({_CHOICE}(,{_CHOICE})*)?")


class ExploreError(Exception):
    """The explorer itself could not do its work."""


class NotStarted(ExploreError):
    """This machine could not start it, so nothing is known of the kernel in it."""


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
    right: a replay. After the bounded ones there may have been @random schedules made from @seed."""

    scenario: str
    outcome: str
    bound: int
    executions: int
    states: int
    steps: int
    longest: int
    verdict: str = ""
    schedule: str = ""
    check: str = ""  # file and line of the scenario's check that failed
    weakly: int = 0  # the bound of a second search, in which loads may read older stores; 0: none
    older: int = 0  # its executions
    full: bool = False  # of more than LOCATIONS_MAX words, some were read without their older stores
    races: tuple[Race, ...] = ()
    random: int = 0
    random_steps: int = 0
    random_accesses: int = 0  # to memory
    seed: int = 0
    costume: bool = False  # of the search in the costume (arch/host/costume.c)

    def figures(self) -> str:
        """In one line, what the result is worth."""
        ran = f"{self.executions:,} execution{'s' * (self.executions != 1)}"
        more = f"; {self.older:,} where loads read older stores" if self.weakly else ""
        more += f", of the first {LOCATIONS_MAX} words only" if self.full else ""
        more += f", then {self.random:,} at random (seed {self.seed})" if self.random else ""
        if self.outcome == "complete":
            return f"complete: {ran}, every interleaving{more}"
        if self.outcome == "bounded":
            return f"{ran}, all {_at_most(self.bound)}{more}"
        if self.outcome == "unfinished":
            most = f"all {_at_most(self.bound - 1)}" if self.bound else "none of them all"
            return f"{ran}, {most} and some with one more{more}"
        if self.random:
            return f"wrong after {ran} {_at_most(self.bound)}{more}"
        failed = self.schedule.count("-f")
        loads = self.schedule.count("-") - failed
        more = f" and {loads} load{'s' * (loads > 1)} of an older store" if loads else ""
        more += f" and {failed} weak exchange{'s' * (failed > 1)} that failed" if failed else ""
        more += ", in the costume" if self.costume else ""
        return f"wrong after {ran}, with {_counted(self.bound - loads - failed)}{more}"


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


def _at_most(preemptions: int) -> str:
    return f"with at most {_counted(preemptions)}" if preemptions else "without a preemption"


def is_schedule(text: str) -> bool:
    return _SCHEDULE.fullmatch(text) is not None


def _lines(
    program: Path, words: Sequence[str], fenced: bool, seconds: float = 0
) -> Generator[dict[str, Any], None, None]:
    """Runs it; the lines that it prints, when they come. @seconds: it was told to run for so long."""
    cpu = _CPU_SECONDS + int(seconds)
    argv = limits.limited([str(program), *words], limits.Limits(_MEMORY_MIB, _FILE_MIB, _THREADS, 64, cpu))
    with (
        tempfile.TemporaryFile() as rules,
        tempfile.TemporaryFile("w+", errors="replace") as errors,
        subprocess.Popen(
            limits.ended_after(_fence(argv, program, rules) if fenced else argv, 3 * cpu),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
            pass_fds=[rules.fileno()],
        ) as running,
    ):
        silent = True
        try:
            for line in _parsed(running):
                silent = False
                yield line
        except BaseException as e:
            running.kill()
            if isinstance(e, ValueError):
                raise _strange(e) from e
            raise
        status = running.wait()
        errors.seek(0)
        said = visible(errors.read()).strip().splitlines()
    if silent and status and said and said[-1].startswith(_STARTERS):
        raise NotStarted(f"the explorer cannot be started here: {said[-1]}")
    if status not in (0, 1):
        by = -status if status < 0 else status - 128  # timeout and bubblewrap count so
        ended = f"signal {signal.Signals(by).name}" if by in set(signal.Signals) else status
        raise ExploreError(said[-1].removeprefix("explore: ") if said else f"the explorer ended with {ended}")


def _fence(argv: Sequence[str], program: Path, rules: IO[bytes]) -> list[str]:
    """@argv in a sandbox in which it cannot start processes. @rules: a new file, for the filter."""
    rules.write(limits.alone())
    rules.seek(0)
    return qemu.bubblewrap(argv, [program], [], rules.fileno() if limits.alone() else None)


def _parsed(running: subprocess.Popen[str]) -> Generator[dict[str, Any], None, None]:
    """The lines that it prints. The submission's functions run in it, and may print, too, for ever."""
    assert running.stdout is not None
    left = _SAID_MAX
    while line := running.stdout.readline(_SAID_MAX):
        left -= len(line)
        if left < 0:
            raise ValueError(f"more than {_SAID_MAX >> 20} MiB")
        try:
            parsed = all_visible(json.loads(line))
        except RecursionError:
            raise ValueError("lists in lists without end") from None
        if not isinstance(parsed, dict):
            raise ValueError("no object")
        yield parsed


def _run(program: Path, words: Sequence[str], fenced: bool) -> list[dict[str, Any]]:
    if found := list(_lines(program, words, fenced)):
        return found
    raise ExploreError("the explorer said nothing")


def _strange(said: Exception) -> ExploreError:
    return ExploreError(f"the explorer printed something else: {said}")


@contextmanager
def _from_lines() -> Iterator[None]:
    """Objects are made of what it printed. Code that scribbles over its memory can make it print anything."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as e:
        raise _strange(e) from e


def _fits(name: str, value: object, kind: object) -> bool:
    """Whether @value can stand in the field @name of type @kind."""
    if kind == list[int]:
        return isinstance(value, list) and all(_fits("", item, int) for item in value)
    if name == "schedule":
        return isinstance(value, str) and (not value or is_schedule(value))
    if name in _ONE_OF:
        return type(value) is kind and value in _ONE_OF[name]
    return type(value) is kind and (kind is not int or value in _NUMBERS)


_KINDS = {kind.__name__: get_type_hints(kind) for kind in (Scenario, Race, Result, Access)}


def _made(kind: type[_Said], line: dict[str, Any], **more: Any) -> _Said:
    """The object of what is said in @line, and @more. Raises TypeError or ValueError."""
    if not isinstance(line, dict):
        raise ValueError(f"no {kind.__name__.lower()}: {str(line)[:40]}")
    for name, value in line.items():
        if not _fits(name, value, _KINDS[kind.__name__][name]):
            raise ValueError(f"{name}: {str(value)[:40]}")
    return kind(**line, **more)


def _result(line: dict[str, Any]) -> Result:
    with _from_lines():
        races = line.pop("races", [])
        return _made(Result, line, races=tuple(_made(Race, race) for race in races))


def scenarios(program: Path, fenced: bool = False) -> list[Scenario]:
    """Every scenario that is linked in, by step and name."""
    lines = _run(program, ["list"], fenced)
    with _from_lines():
        found = [_made(Scenario, line) for line in lines]
    return sorted(found, key=lambda s: (s.step, s.scenario))


def explore(
    program: Path,
    scenario: str,
    bound: int = BOUND,
    steps: int = STEPS,
    fenced: bool = False,
    weak: bool = False,
    costume: bool = True,
) -> Result:
    """Runs every schedule of @scenario with at most @bound preemptions, or as many as @steps allow. @weak:
    loads may read older stores from the start on, not only in a second search. If nothing is found, a
    smaller search follows in the costume, whose result counts if it finds something."""
    first = "weak" if weak else "twice" if costume else ""
    words = [first] * bool(first) + [scenario, str(bound), str(steps)]
    found = [_result(line) for line in _run(program, words, fenced)]
    return found[-1] if found[-1].outcome == "wrong" or found[-1].races else found[0]


@dataclass(frozen=True)
class Covered:
    """A search, and the code that it ran: return addresses of accesses to memory. @raced: those of them that
    another CPU could compete with."""

    result: Result
    ran: frozenset[int]
    raced: frozenset[int]


def covered(program: Path, scenario: str, bound: int, steps: int, fenced: bool = False) -> Covered:
    """Runs @scenario as explore(weak=True) does, and says which code ran."""
    line = _run(program, ["covers", "weak", scenario, str(bound), str(steps)], fenced)[-1]
    with _from_lines():
        ran, raced = frozenset(line.pop("ran")), frozenset(line.pop("raced"))
    return Covered(_result(line), ran, raced)


Asked = Callable[[Result], bool]


def at_random(
    program: Path,
    before: Result,
    count: int,
    goes_on: Asked = lambda _: True,
    seed: int = SEED,
    depth: int = DEPTH,
    fenced: bool = False,
) -> Result:
    """Goes on after @before with @count schedules at random. Asks @goes_on twice a second, with what is
    known by then."""
    words = [before.scenario, "random", str(seed), str(count), str(depth)]
    return _longer(before, _lines(program, words, fenced), goes_on)


def for_a_time(
    program: Path,
    before: Result,
    seconds: float,
    goes_on: Asked = lambda _: True,
    seed: int = SEED,
    depth: int = DEPTH,
    fenced: bool = False,
) -> Result:
    """Goes on after @before with larger bounds, and from half of the time on at random."""
    bound = before.bound if before.outcome == "unfinished" else before.bound + 1
    words = [before.scenario, "more", str(bound), f"{seconds:.2f}", str(seed), str(depth)]
    return _longer(before, _lines(program, words, fenced, seconds), goes_on)


def _longer(before: Result, lines: Generator[dict[str, Any], None, None], goes_on: Asked) -> Result:
    known = before
    with closing(lines):
        for line in lines:
            known = _after(before, _result(line))
            if not goes_on(known):
                break
    return known


def _after(before: Result, found: Result) -> Result:
    """The result of both. Random schedules say nothing of a bound: there @before's holds, unless a larger
    one was finished meanwhile."""
    if not found.executions:
        ended = before.outcome if found.outcome == "bounded" else found.outcome
        return replace(before, outcome=ended, verdict=found.verdict, schedule=found.schedule,
                       check=found.check, random=found.random, random_steps=found.random_steps,
                       random_accesses=found.random_accesses, seed=found.seed)  # fmt: skip
    if found.outcome == "unfinished":
        return replace(found, executions=before.executions + found.executions)
    return found


def replay(
    program: Path, scenario: str, schedule: str, fenced: bool = False
) -> tuple[Result, list[Access]]:
    """Runs one schedule, and says what every CPU accessed."""
    *accesses, end = _run(program, [scenario, "replay", schedule], fenced)
    with _from_lines():
        return _result(end), [_made(Access, line) for line in accesses]
