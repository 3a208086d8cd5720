"""One mistake that ends many runs: told once, and its later victims cost half.

A kernel that panics in step 1 cannot show what its step 6 does. If at least three tests, which cover more
than one property, end in the same way at the same place, that is one cause. The property of the earliest
step among them pays in full; a share of another property that only this cause broke is not judged, and
costs half. But only if some other run shows that this property holds: a kernel that never got to it has
shown nothing, and loses all.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grade.lab import Lab
from grade.verdict import Finding, Kind, Verdict, call_chain

_TESTS = 3  # that end in the same way
_PLACED = (Kind.PANIC, Kind.HANG, Kind.LIVELOCK)  # a deadlock has no place: two may have different causes
_RACE = re.compile(r"a data race: (\S+) and ([^\s:]+:\d+)")
_NUMBER = re.compile(r"0x[0-9a-f]+|\d+")
_REPORTING = ("panic", "__ubsan")  # how functions begin with which a panic's call chain begins


@dataclass(frozen=True)
class Ended:
    """How one run ended: test, port, and the verdict on it."""

    test: str
    arch: str
    verdict: Verdict


@dataclass(frozen=True)
class Cause:
    """@first is the run to look at; the property @pays in full."""

    first: Ended
    finding: Finding
    pays: str
    tests: tuple[str, ...]
    runs: int

    def excuses(self, property_id: str, verdict: Verdict) -> bool:
        """Whether nothing but this cause broke the property in a run that ended by it."""
        return property_id != self.pays and not any(
            property_id in f.properties for f in verdict.findings[:-1]
        )


def place(verdict: Verdict) -> str:
    """Says in two lines how a run ended, without numbers, and where; "" if that is not known well enough."""
    if verdict.kind is Kind.RACE and (race := _RACE.match(verdict.findings[-1].happened)):
        return f"{verdict.kind.value}\n{' and '.join(sorted(race.groups()))}"  # either may come first
    if verdict.kind not in _PLACED or not verdict.findings:
        return ""
    where = next((name for name in call_chain(verdict.details) if not name.startswith(_REPORTING)), "")
    reason = verdict.findings[-1].happened if verdict.kind is Kind.PANIC else ""
    return f"{verdict.kind.value} {_NUMBER.sub('N', reason)}\n{where}" if where else ""


def causes(lab: Lab, ended: Sequence[Ended]) -> Mapping[str, Cause]:
    """The causes among @ended by their place."""
    found: dict[str, list[Ended]] = {}
    for run in ended:
        if where := place(run.verdict):
            found.setdefault(where, []).append(run)
    return {
        where: cause for where, runs in found.items() if (cause := _cause(lab, runs)) is not None
    }


def _cause(lab: Lab, runs: Sequence[Ended]) -> Cause | None:
    tests = tuple(dict.fromkeys(run.test for run in runs))
    covered = {p for run in runs for p in run.verdict.findings[-1].properties}
    if len(tests) < _TESTS or len(covered) < 2:
        return None
    pays = min((p.step, i, p.id) for i, p in enumerate(lab.properties) if p.id in covered)[2]
    first = next(run for run in runs if pays in run.verdict.findings[-1].properties)
    return Cause(first, first.verdict.findings[-1], pays, tests, len(runs))
