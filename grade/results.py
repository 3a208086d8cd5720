"""The report as data: --json writes it, and the text of the report is made from it.

Two gradings of the same submission give the same bytes, on any host: the report has no time of day,
no duration and no path except the submission's, as it was given.
"""

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from grade.causes import place
from grade.errors import GraderError
from grade.lab import EXPLORER, Lab
from grade.score import LabScore, Outcome
from grade.timeline import around
from grade.trace import Layout
from grade.verdict import Finding, Kind
from tools.visible import all_visible

VERSION = 3


@dataclass(frozen=True)
class PropertyResult:
    id: str
    step: int
    text: str
    explain: str
    points: float
    earned: float


@dataclass(frozen=True)
class TestResult:
    name: str
    arch: str
    runs: int
    passed: int
    figures: dict[str, int]  # of its first run


@dataclass(frozen=True)
class FailureResult:
    """One way in which one test failed on one port; the first run that showed it."""

    test: str
    arch: str
    cpus: int
    seed: int
    kind: str
    properties: tuple[str, ...]
    expected: str
    happened: str
    where: str
    like: str | None  # the known mistake it behaves like
    trace: tuple[str, ...]
    details: tuple[str, ...]
    replay: str
    others: int  # further runs that failed in the same way
    cause: int | None = None  # which of the lab's causes it is


@dataclass(frozen=True)
class CauseResult:
    """One mistake that ended the runs of several tests."""

    happened: str
    where: str  # the function that it happened in, or the two places of a data race
    pays: str  # the property that loses its points in full
    excused: tuple[str, ...]  # properties that it left unjudged in part, at half cost
    tests: tuple[str, ...]
    runs: int
    replay: str

    @property
    def place(self) -> str:
        return self.where if ":" in self.where else f"{self.where}()"


@dataclass(frozen=True)
class LabResult:
    name: str
    title: str
    points: float
    earned: float
    properties: tuple[PropertyResult, ...]
    writes: dict[str, int]  # functions with solutions, and the step that writes each
    tests: tuple[TestResult, ...]
    causes: tuple[CauseResult, ...]
    failures: tuple[FailureResult, ...]
    unjudged: tuple[str, ...]  # runs that this host was too slow for


@dataclass(frozen=True)
class Report:
    version: int
    submission: str | None
    arches: tuple[str, ...]
    labs: tuple[LabResult, ...]

    @property
    def points(self) -> float:
        return sum(lab.points for lab in self.labs)

    @property
    def earned(self) -> float:
        return sum(lab.earned for lab in self.labs)

    @property
    def whole(self) -> bool:
        return not any(lab.failures or lab.unjudged for lab in self.labs)

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"


def _number(points: float) -> float:
    """Points to four places, so that sums of thirds read the same everywhere."""
    return round(points, 4)


@dataclass(frozen=True)
class _Origin:
    """The place that a submission was taken from, as the commands that repeat a run name it."""

    submission: str | None
    branch: str | None

    def options(self) -> list[str]:
        """For a program."""
        found = (("--submission", self.submission), ("--branch", self.branch))
        return [f"{option} {shlex.quote(value)}" for option, value in found if value is not None]

    def settings(self) -> list[str]:
        """For make."""
        found = (("SUBMISSION", self.submission), ("BRANCH", self.branch))
        return [f"{name}={shlex.quote(value)}" for name, value in found if value is not None]


def lab_result(
    score: LabScore, layout: Layout, submission: str | None, branch: str | None = None
) -> LabResult:
    origin = _Origin(submission, branch)
    return LabResult(
        name=score.lab.name,
        title=score.lab.title,
        points=_number(score.points),
        earned=_number(score.earned),
        properties=tuple(
            PropertyResult(p.id, p.step, p.text, p.explain, _number(p.points), _number(p.earned))
            for p in score.properties
        ),
        writes={f: step for step, functions in score.lab.steps.items() for f in functions},
        tests=tuple(_tests(score.outcomes)),
        causes=tuple(_causes(score, origin)),
        failures=tuple(_failures(score, layout, origin)),
        unjudged=tuple(
            f"{o.run.test} on {o.run.arch}, {o.run.cpus} CPUs, seed {o.run.seed}"
            for o in score.unjudged
        ),
    )


def _tests(outcomes: Sequence[Outcome]) -> Iterable[TestResult]:
    for key in dict.fromkeys((o.run.test, o.run.arch) for o in outcomes):
        mine = [o.verdict for o in outcomes if (o.run.test, o.run.arch) == key]
        passed = sum(v.kind is Kind.PASS for v in mine)
        yield TestResult(*key, runs=len(mine), passed=passed, figures=mine[0].figures)


def _causes(score: LabScore, origin: _Origin) -> Iterable[CauseResult]:
    for where, cause in score.causes.items():
        first = next(o for o in score.outcomes if o.verdict is cause.first.verdict)
        yield CauseResult(
            happened=cause.finding.happened,
            where=where.partition("\n")[2],
            pays=cause.pays,
            excused=tuple(p.id for p in score.properties if where in p.excused),
            tests=cause.tests,
            runs=cause.runs,
            replay=_replay_command(score.lab, first, origin),
        )


def _failures(score: LabScore, layout: Layout, origin: _Origin) -> Iterable[FailureResult]:
    groups: dict[tuple[object, ...], list[tuple[Outcome, Finding]]] = {}
    for outcome in score.outcomes:
        run = outcome.run
        seen = set()
        for finding in outcome.verdict.findings:
            key: tuple[object, ...] = (run.arch, outcome.verdict.kind)
            if outcome.verdict.kind is not Kind.BUILD:  # which is the same for every test
                key += (run.test, finding.properties, finding.where)
            if key not in seen:
                groups.setdefault(key, []).append((outcome, finding))
            seen.add(key)
    for group in groups.values():
        broken = {p for _, finding in group for p in finding.properties}
        properties = tuple(p.id for p in score.lab.properties if p.id in broken)
        outcome, finding = group[0]
        finding = replace(finding, properties=properties)
        yield _failure(score, layout, origin, outcome, finding, others=len(group) - 1)


def _failure(
    score: LabScore,
    layout: Layout,
    origin: _Origin,
    outcome: Outcome,
    finding: Finding,
    others: int,
) -> FailureResult:
    run, verdict = outcome.run, outcome.verdict
    ended = place(verdict) if finding.where == "" else ""
    like = next(
        (
            mistake
            for p in finding.properties
            if (mistake := score.lab.like(p, run.test, finding.happened)) is not None
            and (verdict.kind is Kind.FAIL or mistake.matches is not None)
        ),
        None,
    )
    return FailureResult(
        test=run.test,
        arch=run.arch,
        cpus=run.cpus,
        seed=run.seed,
        kind=verdict.kind.value,
        properties=finding.properties,
        expected=finding.expected,
        happened=finding.happened,
        where=finding.where,
        like=None if like is None else f"{like.text} (mistake {like.id})",
        trace=around(verdict.trace, layout, finding.time, finding.cpu),
        details=verdict.details,
        replay=_replay_command(score.lab, outcome, origin),
        others=others,
        cause=list(score.causes).index(ended) if ended in score.causes else None,
    )


def _replay_command(lab: Lab, outcome: Outcome, origin: _Origin) -> str:
    run = outcome.run
    remark = ["# a hidden test: in the instructor's tree"] * lab.test(run.test).hidden
    if run.arch == EXPLORER:
        schedule = next((f.where for f in outcome.verdict.findings if f.where), "")
        words = [f"make explore LAB={lab.name}", f"SCENARIO={run.test}"]
        words += [f"REPLAY={schedule}"] * bool(schedule)
        return " ".join([*words, *origin.settings(), *remark])
    words = ["grade/trellis-grade replay", f"--lab {lab.name}", f"--arch {run.arch}"]
    words += [f"--test {run.test}", f"--cpus {run.cpus}", f"--seed {run.seed}"]
    return " ".join([*words, *origin.options(), *remark])


def from_json(path: Path) -> Report:
    """Reads what to_json() wrote."""
    try:
        return from_text(path.read_text(encoding="utf-8"), str(path))
    except OSError as e:
        raise GraderError(f"{path}: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise GraderError(f"{path}: not a report of this grader ({e})") from e


def from_text(text: str, where: str) -> Report:
    """The report that to_json() made @text from; @where it was found, for the message."""
    try:
        data = all_visible(json.loads(text))
        if data["version"] != VERSION:
            raise GraderError(f"{where}: a report of version {data['version']}, known is {VERSION}")
        return Report(
            version=VERSION,
            submission=data["submission"],
            arches=tuple(data["arches"]),
            labs=tuple(_lab_from(lab) for lab in data["labs"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as e:
        raise GraderError(f"{where}: not a report of this grader ({e})") from e


def _lab_from(data: dict[str, Any]) -> LabResult:
    lists = ("properties", "trace", "details", "excused", "tests")

    def listed(key: str) -> list[dict[str, Any]]:
        return [{k: tuple(v) if k in lists else v for k, v in entry.items()} for entry in data[key]]

    return LabResult(
        name=data["name"],
        title=data["title"],
        points=data["points"],
        earned=data["earned"],
        properties=tuple(PropertyResult(**p) for p in data["properties"]),
        writes=data["writes"],
        tests=tuple(TestResult(**t) for t in data["tests"]),
        causes=tuple(CauseResult(**c) for c in listed("causes")),
        failures=tuple(FailureResult(**f) for f in listed("failures")),
        unjudged=tuple(data["unjudged"]),
    )
