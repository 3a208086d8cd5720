"""The grader's part of make matrix: does it catch every wrong kernel, and give correct ones full marks?

For each lab and port: the reference and every variant get full marks; the starter builds, every test
stops at a stub of this lab, and the command that begins the handout panics as the handout says; with
the first k steps done, the checkpoints up to step k print what the handout says; every mutant loses
the property that it breaks, and prints what the handout says of such a mistake; kernels that cheat,
flood or hang (grade/hostile) get the verdict that they name. A challenge is solved by its solutions, which
lose no points by it, and not by the reference or a wrong attempt. Then the mistakes that belong to no lab
(labs/mistakes): the test that each names passes on the reference kernel and fails on the wrong one.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from zlib import crc32

from grade import engine, needs
from grade.build import BuildFailed, Product
from grade.errors import GraderError
from grade.lab import ARCHES, EXPLORER, Challenge, Lab, choose
from grade.mistakes import as_lab, folders, mistakes, unpatched
from grade.mutants import attempts, hostile, mutants, ports, variants
from tools.explore import program as explore
from tools.explore.survey import PAGE, scenarios_of
from tools.options import WHOLE, counted, share
from tools.progress import Progress, Times, shown
from grade.score import Run
from grade.verdict import Kind, Verdict, build_error
from labs import handout
from labs.stage import StageError, starter_files

# Of so many right kernels, and of so many starters, a brief matrix shows one to a test. User programs, which
# take longest, are shown half as many.
_RIGHT = 2
_STARTERS = 3

SUMMARY = "check the grader itself with every mutant and variant"
HELP = """\
Grades the reference, every variant (all must get full marks), the starter (every test must stop at
a stub of its lab, and a command in the panic that the handout begins with), each step (its
checkpoints must print what the handout says), every mutant (must lose the property named in its
header, be seen by the tests beside it in docs/needed.md and, if it names `only`, by no other test in
the kernel) and every hostile kernel (must end as the kind of verdict named there) of the labs, and each
attempt at their challenges
(solutions must pass the challenge's test and those of the lab that they do not give up; wrong ones and
the reference must fail that test); then every mistake of labs/mistakes: the
test it names must pass on the kernel itself, and not on the wrong one. The last line is
`N passed, N failed`; exit status 0 if none failed.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lab", action="append", default=[], help="a lab or a folder of labs/mistakes; all")
    parser.add_argument("--arch", choices=(*ARCHES, "all"), default="all")
    parser.add_argument("--only", metavar="TEXT", help="cases whose name contains TEXT")
    parser.add_argument("--share", type=share, default=WHOLE, metavar="K/N",
                        help="of N shares of these cases, which are about as large, the K-th")  # fmt: skip
    parser.add_argument("--brief", action="store_true",
                        help="a kernel runs on one port, as far as both are the same; a wrong one without "
                             "the tests that its `only` leaves out, and first in the scenario that shows it "
                             f"soonest ({PAGE}); right ones and starters share the tests")  # fmt: skip
    parser.add_argument("--build-root", type=Path, default=Path("build"), metavar="DIR")
    parser.add_argument("--jobs", type=int, metavar="N", help="cases at once; default: cores")


@dataclass(frozen=True)
class Case:
    """One kernel to grade, and the function that decides whether the outcome is right."""

    lab: Lab
    name: str
    arch: str
    files: Mapping[str, bytes]
    decide: "Decider"
    builds: bool = True  # if not, even a build error is an answer
    explored: bool = True  # scenarios count, behind the tests
    step: int = 0  # the handout's checkpoints up to this one decide instead
    begins: bool = False  # the panic that the handout begins with decides instead
    shows: tuple[tuple[int, str], ...] = ()  # steps, and what their checkpoints then print as well
    first: tuple[str, ...] = ()  # the tests to begin with
    thinned: int = 0  # unless 0, each test runs at most once, and only on one of so many such kernels

    @property
    def title(self) -> str:
        return f"{self.lab.name} {self.arch} {self.name}"


@dataclass(frozen=True)
class Result:
    case: Case
    passed: bool
    says: str


Judge = Callable[[Run], Verdict]
Decider = Callable[[Case, Sequence[Run], Judge], tuple[bool, str]]


def cases_of(root: Path, lab: Lab, arches: Sequence[str], brief: bool) -> Iterator[Case]:
    soonest = scenarios_of((root / PAGE).read_text(encoding="utf-8")) if brief else {}
    named = needs.of_page(root).get(lab.name, {}) if tuple(arches) == ARCHES else {}
    for arch in arches:
        first = arch == arches[0]  # scenarios are the same for all: once is enough for what passes
        explored = brief or first
        if not (brief and arch in ports(lab.name, (), ARCHES, ARCHES, True)):  # make test has that one
            yield Case(lab, "reference", arch, {}, _all_pass, explored=first, thinned=_RIGHT * brief)
        for v in variants(root, lab):
            if arch in ports(v.name, v.files, ARCHES, arches, brief):
                name = f"variant {v.name}"
                yield Case(lab, name, arch, v.files, _all_pass, explored=explored, thinned=_RIGHT * brief)
        starter = starter_files(root, lab)
        if arch in ports(f"{lab.name} starter", (), ARCHES, arches, brief):
            thinned = _STARTERS * brief
            yield Case(lab, "starter", arch, starter, _all_unwritten, explored=explored, thinned=thinned)
        yield Case(lab, "starter's panic", arch, starter, _all_unwritten, begins=True)
        for step in lab.steps:
            done = starter_files(root, lab, step)
            if arch in ports(f"step {step}", (), ARCHES, arches, brief):
                yield Case(lab, f"step {step}", arch, done, _all_pass, explored=explored, step=step)
        for m in mutants(root, lab):
            by_scenario = m.only and lab.test(m.only[0]).bound is not None
            graded = ports(m.name, (), m.arches, arches, brief)
            if first and arch in m.arches if by_scenario else arch in graded:
                mine = [lab.test(t) for t, mutant in named.items() if mutant == m.name]
                these = tuple(t.name for t in mine if needs.port(lab, m, t) == arch)
                lost = seen_by(these, loses(m.property, m.only, brief))
                soon = (*these, soonest.get((lab.name, m.name), ""))
                yield Case(lab, f"mutant {m.name}", arch, m.files, lost, shows=m.shows, first=soon)
        for h in hostile(root, lab):
            if arch not in ports(h.name, (), ARCHES, arches, brief):
                continue
            yield Case(lab, f"hostile {h.name}", arch, h.files, _ends_as(h.kind), False, explored)
        yield from _challenges(root, lab, arch, arches, brief)


def _challenges(root: Path, lab: Lab, arch: str, arches: Sequence[str], brief: bool) -> Iterator[Case]:
    """The reference solves no challenge of @lab, a solution its own beside the lab, a wrong attempt none."""
    first = arch == arches[0]
    there = [c for c in lab.challenges if arch in c.test.arches]
    for c in there:
        yield Case(_alone(lab, c), f"{c.sentence.id}, reference", arch, {}, loses(c.sentence.id, (), True))
    for a in attempts(root, lab) if there else ():
        if arch not in ports(a.name, a.files, ARCHES, arches, brief):
            continue
        named = [c for c in there if c.sentence.id in a.challenges]
        kept = [t for t in lab.tests if t.name not in a.gives_up]
        both = replace(lab, tests=(*(c.test for c in named), *kept),
                       properties=(*lab.properties, *(c.sentence for c in named)))  # fmt: skip
        if a.solves:
            name = f"{', '.join(a.challenges)}, solution {a.name}"
            explored = brief or first
            yield Case(both, name, arch, a.files, _all_pass, explored=explored, thinned=_RIGHT * brief)
            continue
        for c in named:
            name = f"{c.sentence.id}, wrong {a.name}"
            yield Case(_alone(lab, c), name, arch, a.files, loses(c.sentence.id, (), True))


def _alone(lab: Lab, c: Challenge) -> Lab:
    return replace(lab, properties=(c.sentence,), tests=(c.test,))


def _all_pass(case: Case, runs: Sequence[Run], judged: Judge) -> tuple[bool, str]:
    for run in runs:
        verdict = judged(run)
        if verdict.kind is not Kind.PASS:
            return False, f"{_of(run)}: {_says(verdict)}"
    return True, "full marks"


def _all_unwritten(case: Case, runs: Sequence[Run], judged: Judge) -> tuple[bool, str]:
    stub = f"not written yet: {case.lab.name}: "
    for run in runs:
        verdict = judged(run)
        named = any(f.happened.startswith(stub) for f in verdict.findings)
        if verdict.kind is not Kind.UNWRITTEN or not named:
            return False, f"{_of(run)}: {_says(verdict)}, not a stub of this lab"
    return True, "every test stops at a stub"


def loses(property_id: str, only: Sequence[str], brief: bool) -> Decider:
    """A mutant: some run of a test that covers the property must break it.

    With @only, its first test must break it, its other tests may, and all runs of all other tests
    are made and must pass, unless this is to be @brief: they take most of the time. The explorer may
    see it as well, and user programs, which use everything.
    """

    def decide(case: Case, runs: Sequence[Run], judged: Judge) -> tuple[bool, str]:
        others = {t.name for t in case.lab.tests if t.bound is None and not t.program} - set(only)
        plain = [r for r in runs if r.test in others and only and not brief]
        missed, says = _all_pass(case, plain, judged)
        if not missed:
            return False, f"only {', '.join(only)} should see it: {says}"
        caught, says = breaks(case, [r for r in runs if not only or r.test == only[0]], judged)
        return caught, f"{says}; the other {len(plain)} runs miss it" if caught and plain else says

    def breaks(case: Case, runs: Sequence[Run], judged: Judge) -> tuple[bool, str]:
        other = ""
        for run in runs:
            if property_id not in case.lab.test(run.test).properties:
                continue
            verdict = judged(run)
            if property_id in verdict.broken:
                return True, f"{_of(run)}: {_says(verdict)}"
            if verdict.kind is not Kind.PASS:
                other = other or f"; {_of(run)}: {_says(verdict)}"
        return False, f"not caught as {property_id}{other}"

    return decide


def seen_by(tests: Sequence[str], decide: Decider) -> Decider:
    """A mutant that each of @tests must see, as docs/needed.md says; @decide says how it is caught."""

    def both(case: Case, runs: Sequence[Run], judged: Judge) -> tuple[bool, str]:
        for name in tests:
            if all(judged(run).kind is Kind.PASS for run in runs if run.test == name):
                return False, f"{name} does not see it, as {needs.PAGE} says"
        return decide(case, runs, judged)

    return both


def _ends_as(kind: Kind) -> Decider:
    """A hostile kernel: the lab's first test must end with verdict @kind, on every number of CPUs."""

    def decide(case: Case, runs: Sequence[Run], judged: Judge) -> tuple[bool, str]:
        for run in runs:
            if run.test != case.lab.tests[0].name or run.seed != 1:
                continue
            verdict = judged(run)
            if verdict.kind is not kind:
                return False, f"{_of(run)}: {_says(verdict)}, not {kind.value}"
        return True, kind.value

    return decide


def mistake_cases(
    root: Path, folder: str, arches: Sequence[str], only: str, brief: bool
) -> Iterator[Case]:
    """The mistakes of labs/mistakes/@folder with @only in their names, after the runs on the reference."""
    named = [m for m in mistakes(root, folder) if only in f"mistake {m.name}"]
    for arch in arches:
        found = [m for m in named if arch in ports(m.name, m.files, m.test.arches, arches, brief)]
        for m in unpatched(found):
            yield Case(as_lab(m), f"unpatched {m.test.name}", arch, {}, _all_pass)
        for m in found:
            yield Case(as_lab(m), f"mistake {m.name}", arch, m.files, _seen)


def _seen(case: Case, runs: Sequence[Run], judged: Judge) -> tuple[bool, str]:
    """A mistake: one of the runs shows it."""
    for run in runs:
        verdict = judged(run)
        if verdict.kind not in (Kind.PASS, Kind.SLOW):
            return True, f"{_of(run)}: {_says(verdict)}"
    return False, f"{case.lab.tests[0].name} does not see it"


def _of(run: Run) -> str:
    return f"{run.test}, {counted(run.cpus, 'CPU')}, seed {run.seed}"


def _says(verdict: Verdict) -> str:
    happened = verdict.findings[0].happened if verdict.findings else "nothing wrong"
    broken = ", ".join(sorted(verdict.broken))
    return f"{verdict.kind.value} {broken}: {happened}" if broken else verdict.kind.value


def decide(bench: engine.Bench, case: Case, honest: Mapping[str, Product]) -> Result:
    """Builds and boots one case until it is decided. The first of @honest has the explorer."""

    built: dict[str, Product | BuildFailed] = {}
    # Students see the output of these, which may name a line of the source.
    by_hand = bool(case.step or case.begins or case.shows)

    def product(goal: str) -> Product | BuildFailed:
        """The case's kernel or explorer. Most cases are decided before the first scenario, so it is built
        when a run needs it."""
        arch = case.arch if goal == "kernel" else next(iter(honest))
        if not case.files:
            return honest[arch]
        if goal not in built:
            try:
                made = bench.references[arch].build_with(case.files, honest[arch], [goal], by_hand)
                built[goal] = made
            except BuildFailed as e:
                if case.builds:
                    raise
                built[goal] = e
        return built[goal]

    @cache
    def shared(group: tuple[Run, ...], made: Product) -> dict[Run, Verdict | None]:
        """One boot for all of @group, as grading has it: the verdicts on those that pass."""
        return dict(zip(group, engine.together(bench, case.lab, group, made)))

    @cache
    def judged(run: Run) -> Verdict:
        test = case.lab.test(run.test)
        made = product("explorer" if run.arch == EXPLORER else "kernel")
        if isinstance(made, BuildFailed):
            return build_error(test, made.lines)
        return shared(mates[run], made)[run] or engine.judge_run(bench, case.lab, run, made)

    scenarios = case.explored and next(iter(honest.values())).explorer
    places = [case.arch, EXPLORER] if scenarios else [case.arch]
    runs = runs_of(case, places)
    groups = [tuple(runs[i] for i in those) for those in engine.sharing(case.lab, runs)]
    mates = {run: group for group in groups for run in group}
    try:
        if case.step or case.begins:
            result = _as_handout(case, product("kernel"))
            if result.passed and case.step and scenarios:
                return _explored_so_far(case, product("explorer"), not bench.unfenced)
            return result
        decided = Result(case, *case.decide(case, runs, judged))
        return _with_rows(decided, product("kernel")) if decided.passed and case.shows else decided
    except BuildFailed as e:
        return Result(case, False, f"does not build: {e.lines[0]}")


def runs_of(case: Case, places: Sequence[str]) -> list[Run]:
    """The runs for @case. User programs come last: they take longest, and most mutants fail a test before."""
    lab = case.lab
    runs = engine.runs_of(lab, places, None)
    if case.thinned:
        lots = {t.name: crc32(f"{case.name} {t.name}".encode()) for t in lab.tests}
        taken = {
            t.name: t.cpus[lots[t.name] // 64 % len(t.cpus)]
            for t in lab.tests
            if lots[t.name] % (case.thinned * (2 if t.program else 1)) == 0
        }
        runs = [run for run in runs if run.cpus == taken.get(run.test) and run.seed == 1]
    return sorted(runs, key=lambda run: (run.test not in case.first, lab.test(run.test).program is not None))


def _as_handout(case: Case, made: Product | BuildFailed) -> Result:
    assert isinstance(made, Product), "a case of the handout builds"
    folder, arch = case.lab.folder, case.arch
    if case.begins:
        fault = handout.first_fault(folder, arch, made.kernel, made.initrd)
    else:
        fault = handout.fault(folder, arch, made.kernel, case.step)
    return Result(case, fault is None, fault or "prints what the handout says")


def _explored_so_far(case: Case, made: Product | BuildFailed, fenced: bool) -> Result:
    """The scenarios of a step run with what is written up to it: `make check` runs them there."""
    assert isinstance(made, Product) and made.explorer is not None, "a starter builds"
    number = f"{case.lab.name[:2]}.{case.step}"
    for s in (s for s in explore.scenarios(made.explorer) if s.step == number):
        found = explore.explore(made.explorer, s.scenario, 0, fenced=fenced)
        if found.outcome == "wrong":
            return Result(case, False, f"{s.scenario}: {found.verdict}")
    return Result(case, True, "prints what the handout says, and its scenarios run")


def _with_rows(decided: Result, made: Product | BuildFailed) -> Result:
    """A wrong kernel must also print what the handout tells students to look for: at the checkpoint's
    command, or as `make check` says it, which runs the same tests as the grader does."""
    case = decided.case
    assert isinstance(made, Product), "a mutant builds"
    for step, row in case.shows:
        if re.search(handout.pattern(row), decided.says):
            continue
        if fault := handout.row_fault(case.lab.folder, case.arch, made.kernel, step, row):
            return Result(case, False, fault)
    return decided


def _line(r: Result) -> str:
    mark = "ok  " if r.passed else "FAIL"
    return f"{mark}  {r.case.lab.name:<14} {r.case.arch:<7} {r.case.name:<36} {r.says}"


def _decide_all(bench: engine.Bench, cases: Sequence[Case], progress: Progress) -> list[Result]:
    labs = [case.lab for case in cases]
    whole = any(case.begins for case in cases)
    products = engine.honest(engine.build_reference(bench, labs, False, progress, boots_whole=whole))
    progress.expect(len(cases))
    times = Times()

    def one(case: Case) -> Result:
        with times.of(case.title):
            result = decide(bench, case, products)
        progress.step(f"{case.lab.name} {case.name}")
        if not result.passed:
            print(_line(result), file=sys.stderr, flush=True)
        return result

    with ThreadPoolExecutor(bench.jobs) as pool:
        try:
            results = list(pool.map(one, cases))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            bench.runner.stop_all()
            raise
    times.tell("matrix")
    return results


def _chosen(
    root: Path, names: Sequence[str], arches: Sequence[str], only: str, brief: bool
) -> list[Case]:
    """The cases of the labs and folders of mistakes that @names names; of all if it is empty."""
    known = folders(root)
    own = [n for n in names if n not in known or (root / "labs" / n / "lab.toml").exists()]
    labs = choose(root, own) if own or not names else []
    try:
        cases = [c for lab in labs for c in cases_of(root, lab, arches, brief) if only in c.name]
    except StageError as e:
        raise GraderError(str(e)) from e
    wanted = [f for f in known if not names or f in names]
    return cases + [c for f in wanted for c in mistake_cases(root, f, arches, only, brief)]


def run(root: Path, options: argparse.Namespace) -> int:
    arches = ARCHES if options.arch == "all" else (options.arch,)
    cases = _chosen(root, options.lab, arches, options.only or "", options.brief)
    cases = [case for case in cases if options.share.has(case.title)]
    if not cases:
        named = f" with {options.only} in its name" if options.only else ""
        raise GraderError(f"there is no case{named} in share {options.share}")
    bench = engine.set_up(root, options.build_root, arches, options.jobs)
    try:
        with shown() as progress:
            results = _decide_all(bench, cases, progress)
    finally:
        bench.close()
    for r in results:
        print(_line(r))
    failed = sum(not r.passed for r in results)
    sys.stdout.flush()
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0
