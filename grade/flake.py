"""trellis-grade flake: how often does a test fail on the reference, however busy the machine is?

Runs all tests and scenarios of a lab again and again, while a process on every core does nothing but
compute, and counts for each test the runs that did not pass. The reference is right, so each of them is
a false failure: a test that has one must not carry points until the reason is known.

The first round has the seeds of a grading, each later one others: the turns of the CPUs change at other
instants, as they would in a right kernel that is built differently. So a hundred rounds can be run in
parts: --times 20 --from 21 are rounds 21 to 40.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grade import engine
from grade.lab import ARCHES, EXPLORER, Lab, choose
from grade.score import Outcome, Run
from grade.steady import busy
from grade.verdict import Kind
from tools.options import counted
from tools.progress import shown

_ROUND = 1000  # from a seed to that of the next round: no test has so many
SUMMARY = "run the reference's tests again and again on a busy machine, and count what fails"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lab", action="append", default=[], help="default: all; may be repeated")
    parser.add_argument("--arch", choices=(*ARCHES, "all"), default="all")
    parser.add_argument("--times", type=_count, default=100, metavar="N", help="rounds; default: 100")
    parser.add_argument("--from", dest="first", type=_count, default=1, metavar="K", help="the first round")
    parser.add_argument("--build-root", type=Path, default=Path("build"), metavar="DIR")
    parser.add_argument("--jobs", type=int, metavar="N", help="machines at once; default: cores")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: not a number from 1 on")
    return int(text)


@dataclass(frozen=True)
class Rate:
    """The runs of one test at one place."""

    lab: str
    test: str
    place: str
    runs: int
    failed: int
    first: str  # what happened in the first run that failed

    def __str__(self) -> str:
        share = f"{self.failed:,} of {self.runs:,} runs, {100 * self.failed / self.runs:.2f} %"
        return f"FAIL  {self.lab} {self.test} ({self.place}): {share}; {self.first}"


def rates(lab: str, outcomes: Iterable[Outcome]) -> list[Rate]:
    """A rate for each test and place, in the order in which they ran first."""
    runs: Counter[tuple[str, str]] = Counter()
    failed: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    for outcome in outcomes:
        key = outcome.run.test, outcome.run.arch
        runs[key] += 1
        if outcome.verdict.kind is not Kind.PASS:
            failed[key] += 1
            said = [f.happened for f in outcome.verdict.findings] or [outcome.verdict.kind.value]
            first.setdefault(key, f"seed {outcome.run.seed}: {said[0]}")
    return [Rate(lab, *key, n, failed[key], first.get(key, "")) for key, n in runs.items()]


def table(found: Sequence[Rate]) -> str:
    """The tests that have failed, if any, and a line about all."""
    total, lost = sum(rate.runs for rate in found), sum(rate.failed for rate in found)
    said = f"{counted(len(found), 'test')}, {total:,} runs, {lost:,} false failures"
    return "\n".join([*(str(rate) for rate in found if rate.failed), said])


def run(root: Path, options: argparse.Namespace) -> int:
    labs = choose(root, options.lab)
    arches = ARCHES if options.arch == "all" else (options.arch,)
    bench = engine.set_up(root, options.build_root, arches, options.jobs, trusted=True)
    try:
        with busy(bench.jobs):
            rounds = range(options.first - 1, options.first - 1 + options.times)
            found = [rate for lab in labs for rate in _measured(bench, lab, rounds)]
    finally:
        bench.close()
    print(table(found))
    return 1 if any(rate.failed for rate in found) else 0


def other_seed(run: Run, number: int) -> Run:
    """@run in round @number, from 0. The explorer needs no seed: it goes through the orders themselves."""
    return run if run.arch == EXPLORER else replace(run, seed=run.seed + number * _ROUND)


def _measured(bench: engine.Bench, lab: Lab, rounds: range) -> list[Rate]:
    with shown() as progress:
        built = engine.build_reference(bench, [lab], False, progress)
        once = engine.runs_of(lab, engine.places(bench), None)
        runs = [other_seed(run, n) for n in rounds for run in once]
        return rates(lab.name, engine.run_all(bench, lab, built, runs, progress))
