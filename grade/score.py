"""From verdicts to points.

A property's points are shared equally by the tests that cover it, and a test's share by the ports
it runs on. A test earns its share if none of its runs (every number of CPUs, every seed) breaks the
property; a run that did not come to its end breaks all properties of its test.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class LabScore:
    lab: Lab
    properties: tuple[PropertyScore, ...]
    outcomes: tuple[Outcome, ...]

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
    properties = tuple(_property(lab, p.id, outcomes) for p in lab.properties)
    return LabScore(lab, properties, tuple(outcomes))


def _property(lab: Lab, property_id: str, outcomes: Sequence[Outcome]) -> PropertyScore:
    p = lab.property(property_id)
    shares = [
        _holds(test, arch, property_id, outcomes)
        for test in lab.tests
        if property_id in test.properties
        for arch in test.arches
    ]
    judged = [s for s in shares if s is not None]
    part = sum(judged) / len(judged) if judged else 0.0
    whole = bool(judged) and all(judged)
    return PropertyScore(p.id, p.step, p.text, p.explain, p.points, p.points * part, whole)


def _holds(test: Test, arch: str, property_id: str, outcomes: Sequence[Outcome]) -> bool | None:
    """None if no run of the test on the port was judged."""
    verdicts = [o.verdict for o in outcomes if (o.run.test, o.run.arch) == (test.name, arch)]
    judged = [v for v in verdicts if v.kind is not Kind.SLOW]
    if not judged:
        return None
    return all(property_id not in v.broken for v in judged)
