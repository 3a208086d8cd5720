"""Verdicts on scenarios: the explorer runs the submission's functions under every interleaving.

A scenario fails if an execution goes wrong, and also if the submission's code has a data race.
"""

from pathlib import Path

from grade.build import Product
from grade.errors import GraderError, Ungraded
from grade.lab import Lab, Test
from grade.trace import Trace
from grade.verdict import UNWRITTEN, Finding, Kind, Verdict
from tools.explore import races, table
from tools.explore.program import COSTUME, ExploreError, NotStarted, Race, Result, explore, replay

_KINDS = (
    (UNWRITTEN, Kind.UNWRITTEN),
    ("panic: ", Kind.PANIC),
    ("deadlock: ", Kind.DEADLOCK),
    ("it does not end", Kind.LIVELOCK),
)


def about(root: Path, lab: Lab | None, sources: Path | None) -> list[str]:
    """The files that a counterexample of @lab shows: the student's, and the scenarios. None: all.
    @sources: a submission's own files, which may have scenarios of its own."""
    if lab is None:
        return []
    tops = [root] if sources is None else [root, sources]
    folder = f"labs/{lab.name}/scenarios"
    found = {str(path.relative_to(top)) for top in tops for path in (top / folder).rglob("*.c")}
    return [*lab.files, *sorted(found)]


def explored(root: Path, lab: Lab, test: Test, product: Product, fenced: bool) -> Verdict:
    """Explores @test's scenario. All budgets are counted in steps, so the verdict is the same everywhere."""
    if product.explorer is None or test.bound is None:
        raise GraderError(f"{test.name} is no scenario, or the explorer was not built")
    try:
        result = explore(product.explorer, test.name, test.bound, fenced=fenced)
        if result.outcome == "wrong":
            return _wrong(root, lab, test, product, result, fenced)
        if own := races.touching(product.explorer, test.name, result.races, lab.files, fenced):
            return _racing(root, lab, test, product, own[0], fenced)
        return Verdict(Kind.PASS, (), {}, Trace((), False))
    except NotStarted as e:
        raise Ungraded(f"{test.name}: {e}") from e
    except ExploreError as e:
        whole = Finding(test.properties, "the scenario runs to its end", f"the explorer was stopped: {e}")
        return Verdict(Kind.STOPPED, (whole,), {}, Trace((), False))


def _wrong(root: Path, lab: Lab, test: Test, product: Product, result: Result, fenced: bool) -> Verdict:
    kind = next((kind for words, kind in _KINDS if result.verdict.startswith(words)), Kind.FAIL)
    details = steps(root, lab, product, result, fenced)
    finding = Finding(test.properties, _expected(lab, test), result.verdict, result.schedule)
    return Verdict(kind, (finding,), {}, Trace((), False), tuple(details))


def _expected(lab: Lab, test: Test) -> str:
    return next(p.text for p in lab.properties if p.id in test.properties)


def _racing(root: Path, lab: Lab, test: Test, product: Product, race: Race, fenced: bool) -> Verdict:
    """A data race in the submission's code: C gives such a program no meaning, so no property holds that
    depends on it, whatever happened in these executions."""
    program = product.explorer
    assert program is not None
    details = races.both_sides(program, test.name, race, root, product.sources, fenced)
    happened = f"{races.in_one_line(program, race)}: nothing orders these two accesses to the same memory"
    finding = Finding(test.properties, _expected(lab, test), happened, race.schedule)
    return Verdict(Kind.RACE, (finding,), {}, Trace((), False), tuple(details))


def steps(root: Path, lab: Lab | None, product: Product, result: Result, fenced: bool) -> list[str]:
    """The counterexample's table."""
    lines = table.lines(told(root, lab, product, result, fenced))
    if result.check:
        lines += ["", f"  the check that failed: {result.check.removeprefix('./')}"]
    return [*lines, "", COSTUME] if result.costume else lines


def told(root: Path, lab: Lab | None, product: Product, result: Result, fenced: bool) -> table.Story:
    """The counterexample's steps that matter."""
    program = product.explorer
    assert program is not None
    _, accesses = replay(program, result.scenario, result.schedule, fenced)
    return table.story(program, result.schedule, accesses, root, product.sources,
                       about(root, lab, product.sources))  # fmt: skip
