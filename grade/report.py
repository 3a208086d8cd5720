"""The report as text: points first, then one block for each failure."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from grade.lab import EXPLORER
from grade.results import CauseResult, FailureResult, LabResult, PropertyResult, Report
from grade.verdict import Kind, call_chain
from tools.options import counted

_WIDTH = 100


def points(value: float) -> str:
    """Points as text, with at most two digits after the point: 7, 7.5 or 7.33."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def text(report: Report) -> str:
    """The whole report, for a terminal or report.txt."""
    lines: list[str] = []
    for lab in report.labs:
        lines += [*_lab(lab), ""]
    for lab in report.labs:
        told: set[str] = set()
        for stub in _stubs(lab):
            lines += [*stub, ""]
        for cause in lab.causes:
            lines += [*_cause(cause), ""]
        for failure in worth_reading(lab):
            if failure.kind == Kind.BUILD.value:
                lines += [*_build_error(failure), ""]
            else:
                lines += [*_failure(failure, _explained(lab, failure, told)), ""]
        for run in lab.unjudged:
            lines += [f"NOT JUDGED  {run}: this machine is too slow; no points are lost", ""]
    if len(report.labs) != 1:
        lines.append(f"{points(report.earned)} of {points(report.points)} points")
    return "\n".join(lines).rstrip() + "\n"


def challenges(report: Report) -> str:
    """Which challenges are solved, and what their tests say of the others."""
    lines: list[str] = []
    for lab in report.labs:
        failed = {p for f in lab.failures for p in f.properties}
        lines += [f"{lab.name}  {lab.title}: challenges, which carry no points"]
        for p in lab.properties:
            first, *rest = textwrap.wrap(p.text, _WIDTH - 24)
            lines += [f"  {'open' if p.id in failed else 'solved':<8}{p.id:<6} {first}"]
            lines += [" " * 17 + line for line in rest]
        for stub in _stubs(lab):
            lines += ["", *stub]
        for failure in worth_reading(lab):
            build = failure.kind == Kind.BUILD.value
            lines += ["", *(_build_error(failure) if build else _failure(failure, ""))]
        for run in lab.unjudged:
            lines += ["", f"NOT JUDGED  {run}: this machine is too slow"]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def worth_reading(lab: LabResult) -> Iterator[FailureResult]:
    """The failures but those that say the same again: of a cause the first, and none of stubs."""
    begun: set[int] = set()  # causes of which a failure has been shown; the others' tests are named with it
    for failure in lab.failures:
        if failure.cause is not None:
            if failure.cause in begun or lab.causes[failure.cause].pays not in failure.properties:
                continue
            begun.add(failure.cause)
        if failure.kind != Kind.UNWRITTEN.value:
            yield failure


def told_of(lab: LabResult, p: PropertyResult) -> str:
    """Why @p lost points: its failures as the report tells them. "" if it lost none."""
    if p.earned == p.points:
        return ""
    lines = []
    for failure in lab.failures:
        if p.id in failure.properties:
            build = failure.kind == Kind.BUILD.value
            lines += [*(_build_error(failure) if build else _failure(failure, "")), ""]
    for cause in lab.causes:
        lines += [*_cause(cause), ""] if p.id in cause.excused else []
    about = _paragraph("about it", p.explain) if p.explain else []
    return "\n".join([*lines, *about]).rstrip()


def one_run(lab: LabResult) -> str:
    """The verdict of a replay."""
    lines: list[str] = []
    for failure in lab.failures:
        lines += [*_failure(failure, _explained(lab, failure, set())), ""]
    if not lines:
        lines = [f"PASS  {t.name}  ({t.arch})" for t in lab.tests]
    return "\n".join(lines).rstrip() + "\n"


def _lab(lab: LabResult) -> Iterator[str]:
    yield _row(f"{lab.name}  {lab.title}", f"{points(lab.earned)} / {points(lab.points)}")
    for step, properties in groupby(_by_step(lab.properties), key=lambda p: p.step):
        yield f"  step {step}"
        for p in properties:
            mark = "ok  " if p.earned == p.points else "FAIL"
            first, *rest = textwrap.wrap(p.text, _WIDTH - 34)
            score = f"{points(p.earned)} / {points(p.points)}"
            yield _row(f"    {mark}  {p.id:<6} {first}", score)
            yield from (" " * 17 + line for line in rest)
    runs = sum(t.runs for t in lab.tests)
    passed = sum(t.passed for t in lab.tests)
    tests = counted(len({t.name for t in lab.tests}), "test")
    yield f"  {passed} of {counted(runs, 'run')} passed, {tests}"
    for t in lab.tests:
        if t.figures:
            figures = ", ".join(f"{name} {value}" for name, value in t.figures.items())
            yield f"    {t.name} ({t.arch}): {figures}"


def _by_step(properties: Sequence[PropertyResult]) -> list[PropertyResult]:
    return sorted(properties, key=lambda p: p.step)


def _row(left: str, right: str) -> str:
    return left + right.rjust(max(1, _WIDTH - len(left)))


def _stubs(lab: LabResult) -> Iterator[list[str]]:
    """The functions that are not written yet, by stub, in the order of the steps that write them."""
    steps = {p.id: p.step for p in lab.properties}
    stubs: dict[tuple[int, str], list[FailureResult]] = {}
    for f in lab.failures:
        if f.kind == Kind.UNWRITTEN.value:
            needed = min(steps[p] for p in f.properties)
            step = lab.writes.get(_stub_function(f), needed)
            stubs.setdefault((step, f.happened), []).append(f)
    for n, (step, happened) in enumerate(sorted(stubs, key=lambda key: key[0])):
        failures = stubs[step, happened]
        what = happened.removeprefix(f"not written yet: {lab.name}: ")
        function = f"{name}(), " if (name := _stub_function(failures[0])) else ""
        yield [
            "UNWRITTEN" if n else "WRITE THIS FIRST",
            *_paragraph("what", what),
            *_paragraph("where", f"{function}step {step} of labs/{lab.name}/README.md"),
            *_paragraph("needed by", ", ".join(dict.fromkeys(f.test for f in failures))),
            f"  replay      {failures[0].replay}",
        ]


def _cause(c: CauseResult) -> Iterator[str]:
    tests = counted(len(c.tests), "test")
    yield f"ONE CAUSE  ends {counted(c.runs, 'run')} of {tests}: look for it first"
    yield from _paragraph("happened", c.happened)
    yield from _paragraph("in", c.place)
    yield from _paragraph("tests", ", ".join(c.tests))
    if c.excused:
        words = f"{', '.join(c.excused)}, in these tests: because of it, and at half cost"
        yield from _paragraph("not judged", words)
    yield f"  replay      {c.replay}"


def _stub_function(f: FailureResult) -> str:
    """The stub's caller, by the panic's call chain; "": unknown."""
    chain = call_chain(f.details)
    return chain[chain.index("lab_todo") + 1] if "lab_todo" in chain[:-1] else ""


def _explained(lab: LabResult, f: FailureResult, told: set[str]) -> str:
    """The explanation of the first property that is broken; "" if it was printed before."""
    p = next((p for p in lab.properties if p.id in f.properties), None)
    if p is None or p.id in told:
        return ""
    told.add(p.id)
    return p.explain


def _failure(f: FailureResult, explained: str) -> Iterator[str]:
    cpus = "1 CPU" if f.cpus == 1 else f"{f.cpus} CPUs"
    explored = f.arch == EXPLORER
    seed = "" if explored else f", seed {f.seed}"
    yield f"{f.kind.upper()}  {f.test}  ({f.arch}, {cpus}{seed})"
    yield from _paragraph("property", ", ".join(f.properties))
    yield from _paragraph("expected", f.expected)
    yield from _paragraph("happened", f.happened)
    if f.where:
        yield from _paragraph("schedule" if explored else "checked at", f.where)
    if f.like is not None:
        yield from _paragraph("looks like", f.like)
    if explained:
        yield from _paragraph("about it", explained)
    if f.others:
        yield from _paragraph("also in", counted(f.others, "more run"))
    if f.details:
        yield "  the steps" if explored else "  said"
        yield from (f"    {line}" for line in f.details)
    if f.trace:
        yield "  trace"
        yield from (f"    {line}" for line in f.trace)
    yield f"  replay      {f.replay}"


def _build_error(f: FailureResult) -> Iterator[str]:
    yield f"{f.kind.upper()}  on {f.arch}: no test of this lab could run"
    for line in f.details:
        yield from textwrap.wrap(
            line, _WIDTH, initial_indent="    ", subsequent_indent=" " * 8, break_on_hyphens=False
        )


def _paragraph(label: str, words: str) -> list[str]:
    indent = " " * 14
    return textwrap.wrap(words, _WIDTH, initial_indent=f"  {label:<12}", subsequent_indent=indent)
