"""Runs the kernel's own functions under every interleaving of small scenarios; `make explore` calls this.

A scenario has two to four threads on a few virtual CPUs. The explorer runs all schedules with at most
--bound preemptions, of the fewest first, and prints the first that goes wrong as a table: a column for
each CPU, a line for each step that matters. The schedule has a short name; --replay NAME runs it again,
and with --gdb under GDB, which stops where the schedule takes one CPU's turn away.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from grade.build import BuildFailed, Product, Reference
from grade.errors import GraderError
from grade.explored import steps, told
from grade.lab import Lab, choose
from grade.intake import take, take_own
from grade.submission import Rejected, own_scenarios
from tools import qemu
from tools.explore import page, races
from tools.explore.longer import Budget, go_on
from tools.explore.program import BOUND, DATA_RACES_MAX, DEPTH, SEED, STEPS
from tools.explore.program import ExploreError, Race, Result, Scenario
from tools.explore.program import explore, is_schedule, replay, scenarios
from tools.options import (
    STATUS_USAGE,
    Parser,
    add_submission,
    counted,
    refuse_lone_branch,
    run_program,
    to_write,
)
from tools.progress import Progress, shown

_LITMUS = "litmus."  # programs that test the explorer itself

ROOT = Path(__file__).resolve().parent.parent.parent
_GOALS = ("explorer",)


@dataclass(frozen=True)
class Chosen:
    """The scenarios that the options ask for, and the program to run them."""

    product: Product
    scenarios: tuple[Scenario, ...]
    labs: dict[str, Lab]  # by the two digits that a step's name begins with
    fenced: bool

    def lab(self, scenario: Scenario) -> Lab | None:
        return self.labs.get(scenario.step.partition(".")[0])

    def bound(self, scenario: Scenario) -> int:
        """The bound with which the lab's grade is made."""
        lab = self.lab(scenario)
        graded = [t.bound for t in lab.tests if t.name == scenario.scenario] if lab is not None else []
        return graded[0] if graded and graded[0] is not None else BOUND


class Wrong(Exception):
    """The options make no sense, or the work cannot be done; one line says why."""


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be a number from 1 up")
    return int(text)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(prog="make explore", description=__doc__)
    parser.add_argument("--lab", help="only this lab's scenarios; default: all there are")
    parser.add_argument("--step", metavar="K", help="only those of step K, 5 or 02.5")
    parser.add_argument("--scenario", default="", metavar="TEXT", help="only those with TEXT in their names")
    add_submission(parser, "with the lab's files of PATH")
    parser.add_argument("--bound", type=int, metavar="N",
                        help=f"most preemptions of a schedule; default: the lab's, or {BOUND}")  # fmt: skip
    parser.add_argument("--steps", type=int, default=STEPS, metavar="N",
                        help="budget of a scenario; default: %(default)s")  # fmt: skip
    more = parser.add_mutually_exclusive_group()
    more.add_argument("--random", type=_positive, metavar="N", help="then run N schedules at random")
    more.add_argument("--seconds", type=_positive, metavar="S",
                      help="then larger bounds, and random schedules, until S seconds are over")  # fmt: skip
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help="chooses the random schedules")
    parser.add_argument("--depth", type=int, default=DEPTH, metavar="N", choices=range(1, 17),
                        help="events in one order that a mistake needs; default: %(default)s")  # fmt: skip
    parser.add_argument("--replay", metavar="NAME", help="run one schedule, as x:4c4/1")
    parser.add_argument("--gdb", action="store_true", help="with --replay: under GDB")
    parser.add_argument("--first", action="store_true", help="stop at the first counterexample")
    parser.add_argument("--list", action="store_true", help="name the scenarios, and run none")
    parser.add_argument("--html", type=to_write, metavar="FILE", help="draw the counterexamples as a page")
    parser.add_argument("--json", type=to_write, metavar="FILE", help="write the results as data")
    parser.add_argument("--build-root", type=Path, default=ROOT / "build", metavar="DIR")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    options = parser.parse_args(arguments)
    if options.submission is not None and options.lab is None:
        parser.error("--submission needs --lab: which lab's files are to be taken?")
    refuse_lone_branch(parser, options)
    if options.replay is not None and not is_schedule(options.replay):
        parser.error(f"--replay {options.replay}: a schedule reads like x:4c4/1,818/0")
    if options.gdb and options.replay is None:
        parser.error("--gdb needs --replay: which schedule?")
    return options


def _files(options: argparse.Namespace, labs: Sequence[Lab]) -> dict[str, bytes]:
    """The files that replace the tree's or come to it: a submission's, and the student's own scenarios."""
    files: dict[str, bytes] = {}
    try:
        for lab in labs:
            if options.submission is not None:
                files |= take(options.submission, lab, options.branch).files
                files |= take_own(options.submission, lab, options.branch)
            else:
                files |= own_scenarios(ROOT, lab)
    except Rejected as e:
        raise Wrong(str(e)) from e
    return files


def _built(
    reference: Reference, options: argparse.Namespace, labs: Sequence[Lab], progress: Progress
) -> tuple[Product, Product]:
    """The explorer with the tree's files, and the one with the submission's in their place."""
    try:
        product = reference.build([f for lab in labs for f in lab.files], _GOALS, progress)
        files = _files(options, labs)
        return product, reference.build_with(files, product, _GOALS) if files else product
    except BuildFailed as e:
        raise Wrong("it does not compile:\n" + "\n".join(f"  {line}" for line in e.lines)) from e


@contextmanager
def _prepared(options: argparse.Namespace) -> Iterator[Chosen]:
    labs = choose(ROOT, [options.lab] if options.lab else [])
    fenced = not qemu.why_no_bubblewrap()
    reference = Reference(ROOT, options.build_root, "riscv", fenced, options.jobs)
    try:
        with shown() as progress:
            honest, product = _built(reference, options, labs, progress)
        assert product.explorer is not None and honest.explorer is not None
        by_number = {lab.name[:2]: lab for lab in labs}
        every = scenarios(product.explorer, fenced)
        if twice := [a for a, b in pairwise(sorted(s.scenario for s in every)) if a == b]:
            raise Wrong(f"there are two scenarios with the name {twice[0]}")
        shipped = {s.scenario for s in scenarios(honest.explorer, fenced)}
        found = [s for s in every if _wanted(s, options, by_number, s.scenario not in shipped)]
        if not found:
            anyone = argparse.Namespace(**{**vars(options), "scenario": "", "step": None})
            raise Wrong(_none_like(s for s in every if _wanted(s, anyone, by_number, False)))
        yield Chosen(product, tuple(found), by_number, fenced)
    finally:
        reference.close()


def _wanted(s: Scenario, options: argparse.Namespace, labs: dict[str, Lab], own: bool) -> bool:
    """@own: a student's, which need not name a step."""
    number, _, step = s.step.partition(".")
    if options.lab is not None and number not in labs and not own:
        return False
    if options.step is not None and options.step not in (s.step, step):
        return False
    if s.wrong or s.weak:
        return bool(options.scenario == s.scenario)
    if s.scenario.startswith(_LITMUS) and not options.scenario:
        return False
    return str(options.scenario) in s.scenario


def _none_like(every: Iterable[Scenario]) -> str:
    """Says which names and steps there are, where no scenario has those that were asked for."""
    known = list(every)
    names = sorted({s.scenario.split(".")[0] for s in known})
    steps = sorted({s.step for s in known if s.step})
    if not known:
        return "there is no scenario of this lab"
    return (
        f"no scenario is like that. Their names begin with {', '.join(f'{name}.' for name in names)}"
        + (f" and their steps are {', '.join(steps)}" if steps else "")
    )


def _broken(chosen: Chosen, scenario: Scenario) -> str:
    """The sentence of the handout that a counterexample breaks; "": there is none."""
    lab = chosen.lab(scenario)
    known = [p for p in lab.properties if p.id == scenario.property] if lab is not None else []
    return f"{scenario.property}  {known[0].text}" if known else ""


def _draw(chosen: Chosen, options: argparse.Namespace, results: Sequence[Result]) -> None:
    """Writes the page that --html asks for."""
    if options.html is None:
        return
    known = {s.scenario: s for s in chosen.scenarios}
    found = [
        page.Counterexample(
            r.scenario,
            _broken(chosen, known[r.scenario]),
            r.verdict,
            "" if r.bound == 0 and not r.executions else r.figures(),
            r.schedule,
            _command(chosen.lab(known[r.scenario]), options, r),
            told(ROOT, chosen.lab(known[r.scenario]), chosen.product, r, chosen.fenced),
        )
        for r in results
        if r.outcome == "wrong"
    ]
    title = f"make explore: {counted(len(found), 'counterexample')}"
    options.html.write_text(page.page(title, found), encoding="utf-8")


def _command(lab: Lab | None, options: argparse.Namespace, result: Result) -> str:
    words = ["make explore", *([f"LAB={lab.name}"] if lab is not None else [])]
    if options.submission is not None:
        words.append(f"SUBMISSION={shlex.quote(str(options.submission))}")
    if options.branch is not None:
        words.append(f"BRANCH={shlex.quote(options.branch)}")
    return " ".join([*words, f"SCENARIO={result.scenario}", f"REPLAY={result.schedule}"])


def _counterexample(chosen: Chosen, scenario: Scenario, result: Result) -> str:
    lab = chosen.lab(scenario)
    lines = [f"{result.scenario}: {result.verdict}"]
    if broken := _broken(chosen, scenario):
        lines.append(f"  {broken}")
    lines += ["", *steps(ROOT, lab, chosen.product, result, chosen.fenced), ""]
    lines.append(f"  schedule {result.schedule}: run it again with REPLAY={result.schedule}")
    return "\n".join(lines)


def _explore_all(chosen: Chosen, options: argparse.Namespace) -> list[Result]:
    program = chosen.product.explorer
    assert program is not None
    bounds = {
        s: chosen.bound(s) if options.bound is None else options.bound for s in chosen.scenarios
    }
    results: dict[str, Result] = {}
    with shown() as progress, ThreadPoolExecutor(options.jobs) as pool:
        progress.expect(len(chosen.scenarios))
        running = {
            pool.submit(explore, program, s.scenario, bounds[s], options.steps, chosen.fenced): s
            for s in chosen.scenarios
        }
        try:
            for done in as_completed(running):
                result = done.result()
                results[result.scenario] = result
                progress.step(f"{result.scenario}: {result.figures()}")
                if options.first and result.outcome == "wrong":
                    pool.shutdown(cancel_futures=True)
                    return [result]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            _print_all(chosen, list(results.values()))
            raise
    return [results[s.scenario] for s in chosen.scenarios]


def _print_races(chosen: Chosen, results: Sequence[Result]) -> None:
    """Each pair of places once, with the first scenario that showed it."""
    told: set[frozenset[int]] = set()
    for r in results:
        for race in r.races:
            places = frozenset((race.first, race.second))
            if places not in told:
                _print_race(chosen, r.scenario, race)
            told.add(places)
        if len(r.races) == DATA_RACES_MAX:
            print(f"\n{r.scenario}: no more than {DATA_RACES_MAX} data races are told of; there may be more")


def _print_race(chosen: Chosen, scenario: str, race: Race) -> None:
    program, sources = chosen.product.explorer, chosen.product.sources
    assert program is not None
    print("", *races.lines(program, scenario, race, ROOT, sources, chosen.fenced), sep="\n")


def _fails(chosen: Chosen, result: Result) -> bool:
    """Whether the scenario fails in a grading, too: for a data race if the lab's files have a part in it."""
    if result.outcome == "wrong" or not result.races:
        return result.outcome == "wrong"
    lab = next(chosen.lab(s) for s in chosen.scenarios if s.scenario == result.scenario)
    program = chosen.product.explorer
    if lab is None or program is None:
        return False
    return bool(races.touching(program, result.scenario, result.races, lab.files, chosen.fenced))


def _go_on(
    chosen: Chosen, options: argparse.Namespace, results: list[Result], began: float
) -> list[Result]:
    """The results after the random schedules, or the time, that the options ask for."""
    program = chosen.product.explorer
    assert program is not None
    left = max(0.0, options.seconds - (time.monotonic() - began)) if options.seconds else 0.0
    if not options.random and left < 1:
        return results
    budget = Budget(options.random or 0, left, options.seed, options.depth)
    with shown() as progress:
        found, whole = go_on(program, results, budget, options.jobs, chosen.fenced, progress)
    if not whole:
        _print_all(chosen, found)
        raise KeyboardInterrupt
    return found


def _print_all(chosen: Chosen, results: Sequence[Result]) -> None:
    known = {s.scenario: s for s in chosen.scenarios}
    for r in results:
        mark = "FAIL" if _fails(chosen, r) else "ok  "
        print(f"{mark}  {known[r.scenario].step:<5} {r.scenario:<28} {r.figures()}")
    for r in results:
        if r.outcome == "wrong":
            print(f"\n{_counterexample(chosen, known[r.scenario], r)}")
    _print_races(chosen, results)


def _replay_one(chosen: Chosen, options: argparse.Namespace) -> int:
    program = chosen.product.explorer
    assert program is not None
    if len(chosen.scenarios) != 1:
        names = ", ".join(s.scenario for s in chosen.scenarios[:6])
        raise Wrong(f"a schedule belongs to one scenario; SCENARIO= leaves {names}")
    scenario = chosen.scenarios[0]
    if options.gdb:
        script = ROOT / "tools" / "gdb" / "explore.py"
        sources = f"directory {chosen.product.sources or ROOT}:{ROOT}"
        argv = ["gdb", "-q", "-cd", str(ROOT), "-ex", sources, "-x", str(script)]
        argv += ["--args", str(program), scenario.scenario, "replay", options.replay]
        return subprocess.run(argv, check=False).returncode
    result, _ = replay(program, scenario.scenario, options.replay, chosen.fenced)
    if result.outcome == "right" and result.races:
        for race in result.races:
            _print_race(chosen, scenario.scenario, race)
        return 1
    if result.outcome == "right":
        named = Result(**{**vars(result), "schedule": options.replay})
        told = steps(ROOT, chosen.lab(scenario), chosen.product, named, chosen.fenced)
        print(f"{scenario.scenario}: nothing goes wrong in {options.replay}", "", *told, sep="\n")
        return 0
    print(_counterexample(chosen, scenario, result))
    _draw(chosen, options, [result])
    return 1


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    try:
        with _prepared(options) as chosen:
            if options.list:
                for s in chosen.scenarios:
                    print(f"{s.step:<6} {s.scenario:<28} {s.property:<6} {counted(s.cpus, 'CPU')}")
                return 0
            if options.replay is not None:
                return _replay_one(chosen, options)
            began = time.monotonic()
            results = _explore_all(chosen, options)
            if not (options.first and any(r.outcome == "wrong" for r in results)):
                results = _go_on(chosen, options, results, began)
            _print_all(chosen, results)
            failed = sum(_fails(chosen, r) for r in results)
            _draw(chosen, options, results)
    except (Wrong, ExploreError, GraderError) as e:
        print(f"make explore: {e}", file=sys.stderr)
        return STATUS_USAGE
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(r) for r in results], indent=2) + "\n", encoding="utf-8")
    wrong = sum(r.outcome == "wrong" for r in results)
    more = f", {failed - wrong} with a data race" if failed > wrong else ""
    print(f"{counted(len(results), 'scenario')}, {wrong} with a counterexample{more}")
    return 1 if failed else 0


if __name__ == "__main__":
    run_program("make explore", main)
