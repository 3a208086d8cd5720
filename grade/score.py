"""From verdicts to points.

A property's points are shared equally by the tests that cover it, and a test's share by the ports
it runs on. A test earns its share if none of its runs (every number of CPUs, every seed) breaks the
property; a run that did not come to its end breaks all properties of its test. It earns half of it if one
mistake, for which another property pays, ended all those runs (causes.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grade.causes import Cause, Ended, causes, place
from grade.lab import Lab, Test
from grade.verdict import Kind, Verdict


@dataclass(frozen=True)
class Run:
    """One boot of one test."""

    arch: str
    test: str
    cpus: int
    seed: int


@dataclass(frozen=True)
class Outcome:
    run: Run
    verdict: Verdict


@dataclass(frozen=True)
class PropertyScore:
    id: str
    step: int
    text: str
    explain: str
    points: float
    earned: float
    whole: bool  # no run broke it
    excused: tuple[str, ...] = ()  # places of the causes that left shares of it unjudged, at half cost


@dataclass(frozen=True)
class LabScore:
    lab: Lab
    properties: tuple[PropertyScore, ...]
    outcomes: tuple[Outcome, ...]
    causes: Mapping[str, Cause]  # by place

    @property
    def points(self) -> float:
        return sum(p.points for p in self.properties)

    @property
    def earned(self) -> float:
        return sum(p.earned for p in self.properties)

    @property
    def whole(self) -> bool:
        """Full marks: every property holds and every run was judged."""
        return all(p.whole for p in self.properties) and not self.unjudged

    @property
    def unjudged(self) -> tuple[Outcome, ...]:
        return tuple(o for o in self.outcomes if o.verdict.kind is Kind.SLOW)


def score(lab: Lab, outcomes: Sequence[Outcome]) -> LabScore:
    """The points of @lab for @outcomes; tests that did not run are left out of the count."""
    common = causes(lab, [Ended(o.run.test, o.run.arch, o.verdict) for o in outcomes])
    properties = tuple(_property(lab, p.id, outcomes, common) for p in lab.properties)
    return LabScore(lab, properties, tuple(outcomes), common)


def _property(
    lab: Lab, property_id: str, outcomes: Sequence[Outcome], common: Mapping[str, Cause]
) -> PropertyScore:
    p = lab.property(property_id)
    broken = [
        verdicts
        for test in lab.tests
        if property_id in test.properties
        for arch in test.arches
        if (verdicts := _broken(test, arch, property_id, outcomes)) is not None
    ]
    held = sum(not verdicts for verdicts in broken)
    excused = [why for verdicts in broken if held and (why := _excuse(property_id, verdicts, common))]
    part = (held + len(excused) / 2) / len(broken) if broken else 0.0
    whole = held == len(broken) > 0
    because = tuple(dict.fromkeys(where for places in excused for where in places))
    return PropertyScore(p.id, p.step, p.text, p.explain, p.points, p.points * part, whole, because)


def _broken(
    test: Test, arch: str, property_id: str, outcomes: Sequence[Outcome]
) -> list[Verdict] | None:
    """The verdicts that break the property; None if no run of the test on the port was judged."""
    verdicts = [o.verdict for o in outcomes if (o.run.test, o.run.arch) == (test.name, arch)]
    judged = [v for v in verdicts if v.kind is not Kind.SLOW]
    return [v for v in judged if property_id in v.broken] if judged else None


def _excuse(
    property_id: str, broken: Sequence[Verdict], common: Mapping[str, Cause]
) -> list[str]:
    """The places of the causes for which another property pays, if they explain all of @broken."""
    places = [place(verdict) for verdict in broken]
    for where, verdict in zip(places, broken):
        if where not in common or not common[where].excuses(property_id, verdict):
            return []
    return places
