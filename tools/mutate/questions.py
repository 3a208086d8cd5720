"""The searches that the explorer may be asked for about a mutant.

Of a lab these are its scenarios, with the bounds of its grade. Of a file they are the scenarios of all
labs and of the core in which the mutated code runs, as far as a search of the kernel itself has shown. A
weaker order of memory (the operator `order`) changes nothing unless loads may read older stores, and
unless another CPU competes for the word. So such a mutant is asked about only where that is so, and in
this way only, first with one preemption everywhere, and then with two.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grade.lab import Lab
from tools.explore.program import BOUND, STEPS, covered, scenarios
from tools.mutate.errors import MutateError
from tools.mutate.mutants import Mutant
from tools.mutate.store import Store
from tools.places import places
from tools.progress import Progress

ORDER = "order"  # the operator
_LITMUS = "litmus."  # programs that test the explorer itself
_SURVEY_STEPS = 100_000
WEAK = ((1, 6_000, 1_000), (2, 60_000, 6))  # bound, steps, and so many scenarios, the cheapest ones
_LINES_OF_CALL = 3  # the order may be written some lines below the name of the operation


@dataclass(frozen=True)
class Question:
    """A search of one scenario."""

    scenario: str
    bound: int
    steps: int = STEPS
    weak: bool = False  # loads may read older stores from the start on

    @property
    def name(self) -> str:
        return f"{self.scenario} weak {self.bound}" if self.weak else self.scenario


@dataclass(frozen=True)
class Survey:
    """The code of the kernel that runs in one scenario. @raced: the lines of a file where CPUs compete."""

    scenario: str
    bound: int  # with more preemptions the kernel itself is wrong, or it takes too long
    cpus: int
    seconds: float
    functions: frozenset[tuple[str, str]]  # a file and a function
    raced: frozenset[tuple[str, int]]

    def has(self, mutant: Mutant) -> bool:
        if mutant.operator != ORDER:
            return (mutant.path, mutant.function) in self.functions
        if self.cpus < 2:
            return False  # a CPU knows its own stores
        lines = range(mutant.line - _LINES_OF_CALL + 1, mutant.line + 1)
        return any((mutant.path, line) in self.raced for line in lines)


def of_lab(lab: Lab) -> list[Question]:
    return [Question(t.name, t.bound) for t in lab.tests if t.bound is not None]


def of_mutant(mutant: Mutant, surveys: Sequence[Survey]) -> list[Question]:
    """The searches that may notice @mutant, the cheap ones first."""
    where = [s for s in sorted(surveys, key=lambda s: s.seconds) if s.has(mutant)]
    if mutant.operator != ORDER:
        return [Question(s.scenario, s.bound) for s in where]
    return [
        Question(s.scenario, bound, steps, weak=True)
        for bound, steps, most in WEAK
        for s in [s for s in where if bound <= s.bound][:most]
    ]


def survey(
    program: Path, context: str, bounds: Mapping[str, int], fenced: bool, store: Store, progress: Progress
) -> list[Survey]:
    """Runs all scenarios on the kernel itself, of which @program was made. @context: all that this depends
    on. @bounds: of those that belong to a lab."""
    chosen = [
        s
        for s in scenarios(program, fenced)
        if not (s.wrong or s.weak or s.scenario.startswith(_LITMUS))
    ]
    progress.expect(len(chosen))
    found = []
    for s in chosen:
        name, bound = s.scenario, bounds.get(s.scenario, BOUND)
        key = f"survey {context} {name}"
        known = store.get(key)
        if known is None:
            known = _survey(program, name, min(bound, 1), fenced)
            store.put(key, **known)
        functions = frozenset((file, function) for file, function in known["functions"])
        raced = frozenset((file, line) for file, line in known["raced"])
        found.append(Survey(name, bound, s.cpus, float(known["seconds"]), functions, raced))
        progress.step(f"the kernel itself: {name}")
    return found


def _survey(program: Path, name: str, bound: int, fenced: bool) -> dict[str, Any]:
    began = time.monotonic()
    seen = covered(program, name, bound, _SURVEY_STEPS, fenced)
    seconds = time.monotonic() - began
    if seen.result.outcome == "wrong" or seen.result.races:
        raise MutateError(f"the kernel itself fails {name}: {seen.result.verdict or 'a data race'}")
    where = places(program, sorted(seen.ran))
    functions = {(p.file, p.function.partition(".")[0]) for chain in where.values() for p in chain}
    raced = {(p.file, p.line) for pc in seen.raced for p in where[pc]}
    return {"seconds": seconds, "functions": sorted(functions), "raced": sorted(raced)}
