"""make mutate: mutants of a lab's solutions or of a file, and which of them no test notices."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from grade import engine
from grade.errors import GraderError
from grade.lab import Lab, choose
from labs.stage import StageError
from tools.mutate import equivalent, report, work
from tools.mutate.booting import LabTests
from tools.mutate.errors import MutateError
from tools.mutate.exploring import Explorer
from tools.mutate.killers import Killer, Known, Late
from tools.mutate.mutants import Mutant
from tools.mutate.objects import Compiler
from tools.mutate.operators import MEANINGS, OPERATORS, ROLES
from tools.mutate.own_tests import OwnTests
from tools.mutate.report import Fate, Outcome, Result
from tools.mutate.scope import Target
from tools.mutate.store import Store
from tools.options import Parser, run_program, to_write
from tools.progress import Progress, shown

ROOT = Path(__file__).resolve().parent.parent.parent

_HELP = """\
Changes the kernel in small ways, one at a time, as a person might get it wrong. Each mutant is compiled;
if its machine code is nothing new it is dropped. The others are shown to the tests, one test after the
other, until one fails. A mutant that no test notices is a survivor: a test is missing, or the mutant
behaves as the kernel does, and then labs/NN-name/equivalent.toml says why (tools/mutate/equivalent.toml of
files that belong to no lab). QEMU is asked about these of a lab only with --listed (make: LISTED=1), as each
would cost a whole grading.

  make mutate LAB=02-threads                          the solutions of a lab, against its tests
  make mutate LAB=02-threads KILLERS=explorer         against its scenarios only: minutes, not hours
  make mutate MUTATE=kernel/sync/semaphore.c          a file, against all tests that run the changed line,
                                                      and then against scenarios
  make mutate MUTATE='kernel/mm kernel/fs' SAMPLE=100 [SEED=2]
                                                      a hundred mutants of two folders, taken at random,
                                                      none of them in the region of a lab
  make mutate MUTATE=kernel/sched/wait.c KILLERS=explorer ONLY=:order:
                                                      its weaker orders of memory, against all scenarios
  make mutate LAB=04-sleep ROLES=1 SAMPLE=100         mistakes in one role only: docs/mutation.md
  make mutate MUTATE=kernel/sync/semaphore.c FUNCTION=semaphore_wait
  python3 -m tools.mutate --lab 02-threads --list     the mutants, without a run
  python3 -m tools.mutate --lab 02-threads --show ID  the difference of one

Verdicts are kept in build/mutate, so an interrupted run goes on where it was, and a second one asks only
about mutants, kernels and tests that have changed. docs/mutation.md tells how to read the table.

Exit status: 0 if every mutant is killed or listed as equivalent; 1 if there are survivors, stale entries
or, in a lab, lines that no mutant changes; 2 if nothing could be mutated; 130 if interrupted. make says 2
for all of these but 0.
"""


def _number(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 1_000_000:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text}: must be a number, 1 or more")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = Parser(
        prog="tools.mutate",
        description=_HELP,
        epilog="operators:\n" + "\n".join(f"  {name:<15} {what}" for name, what in MEANINGS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--lab", metavar="NAME", help="the solutions of this lab")
    what.add_argument("--file", metavar="FILES", help="files and folders below kernel/ or arch/, one or more")
    parser.add_argument("--function", action="append", default=[], metavar="NAME", help="of --file")
    parser.add_argument("--roles", action="store_true",
                        help="mistakes in one role only: for real-time threads, in a crowd")  # fmt: skip
    parser.add_argument("--list", action="store_true", help="list the mutants; judge none")
    parser.add_argument("--show", metavar="ID", help="print the difference of one mutant")
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants with TEXT in id or description")
    parser.add_argument("--sample", type=_number, metavar="N", help="judge N mutants, taken at random")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="chooses the sample; default 1")
    parser.add_argument("--killers", choices=("all", "explorer", "tests", "each"), default="all",
                        help="explorer, tests: only these; each: both, even if one kills")  # fmt: skip
    parser.add_argument("--listed", action="store_true",
                        help="ask QEMU, too, about mutants that the lab's equivalent.toml lists")  # fmt: skip
    parser.add_argument("--again", action="store_true", help="forget all verdicts known so far")
    parser.add_argument("--jobs", type=_number, default=len(os.sched_getaffinity(0)), metavar="N",
                        help="mutants at once; default: cores")  # fmt: skip
    parser.add_argument("--markdown", action="store_true",
                        help="print the table as docs/mutation.md has it")  # fmt: skip
    parser.add_argument("--json", type=to_write, metavar="FILE", help="write the result as data")
    parser.add_argument("--build-root", type=Path, default=ROOT / "build", metavar="DIR")
    options = parser.parse_args(arguments)
    if options.function and options.lab:
        parser.error("--function needs --file")
    return options


def _bench(options: argparse.Namespace, arches: Iterable[str], end: ExitStack) -> engine.Bench:
    bench = engine.set_up(ROOT, options.build_root, sorted(set(arches)), options.jobs)
    end.callback(bench.close)
    return bench


def _killers(
    options: argparse.Namespace,
    lab: Lab | None,
    targets: Sequence[Target],
    store: Store,
    progress: Progress,
    end: ExitStack,
) -> list[Killer]:
    """Those to be asked, the faster one first, and those whose earlier verdicts count."""
    killers: list[Killer] = []
    if options.killers != "tests" and (lab is None or lab.has_scenarios()):
        explorer = Explorer(ROOT, options.build_root, lab, store, progress)
        end.callback(explorer.close)
        killers.append(explorer)
    boots = options.killers != "explorer"
    if lab is None and boots:  # they know which of them run a line, so they are faster
        bench = _bench(options, (t.arches[0] for t in targets), end)
        return [OwnTests(bench, store, options.build_root, progress), *killers]
    if lab is None:
        return killers
    name, context = LabTests.name, LabTests.context_of(ROOT, lab)
    if not boots:
        return [*killers, Known(name, context)]

    arches = [arch for t in targets for arch in t.arches]
    tests = partial(LabTests, lab=lab, store=store, progress=progress)
    return [*killers, Late(name, context, lambda: tests(_bench(options, arches, end)))]


def _judge(
    options: argparse.Namespace,
    lab: Lab | None,
    targets: Sequence[Target],
    results: Sequence[Result],
    spared: Collection[str],
    store: Store,
    progress: Progress,
) -> None:
    with ExitStack() as end:
        try:
            killers = _killers(options, lab, targets, store, progress, end)
            each = options.killers == "each"
            work.judge(results, killers, store, options.jobs, progress, each, spared)
        except KeyboardInterrupt:
            print(f"make mutate: {report.so_far(results)}", file=sys.stderr)
            raise


def _listed(results: Sequence[Result], only: str) -> str:
    lines = []
    for r in results:
        if only in f"{r.mutant.id} {r.mutant.what}":
            fate = "" if r.fate is Fate.WAITING else f"  [{r.fate.value}]"
            lines.append(f"{r.mutant.id}  {r.mutant.what}{fate}")
    return "\n".join(lines) + "\n" * bool(lines)


def _show(mutants: Sequence[Mutant], wanted: str) -> None:
    found = [m for m in mutants if m.id == wanted]
    if not found:
        raise MutateError(f"no mutant is {wanted}; --list prints their ids")
    print(f"{found[0].what}\n{found[0].diff}", end="")


def _run(options: argparse.Namespace) -> int:
    began = time.monotonic()
    lab = choose(ROOT, [options.lab])[0] if options.lab else None
    targets = work.targets_of(ROOT, lab, options.file, options.function)
    compiler = Compiler(ROOT, options.build_root)
    every = mutants = work.make(
        compiler, targets, options.function, ROLES if options.roles else OPERATORS
    )
    if options.show is not None:
        _show(every, options.show)
        return 0
    listed = lab.folder / equivalent.NAME if lab else equivalent.OF_NO_LAB
    entries = [] if options.roles else equivalent.read(listed)
    spared = equivalent.match(entries, every)[0] if lab and not options.listed else ()
    part = lab is None or options.roles or options.sample is not None
    if part:
        mutants = work.asked(every, options.only, options.killers)  # no others need a compiler
    store = Store(options.build_root / "mutate" / "verdicts.jsonl", options.again)
    with shown("mutants") as progress:
        if options.sample is None or options.list:
            results = work.compiled(compiler, mutants, store, options.jobs, progress)
        else:
            size, seed = options.sample, options.seed
            results = work.sampled(compiler, mutants, size, seed, store, options.jobs, progress)
        outcome = Outcome(options.lab or options.file, results)
        if options.list:
            waiting = []
        else:
            waiting = [r for r in results if r.fate is Fate.WAITING and work.has(r.mutant, options.only)]
            if not waiting:
                raise MutateError("no mutant to judge: --list shows which there are, --only may choose none")
            _judge(options, lab, targets, waiting, spared, store, progress)
    outcome.missed = [] if part else work.missed(compiler, targets, results)
    labs = [] if lab else choose(ROOT, [])
    of_labs = [entry for one in labs for entry in equivalent.read(one.folder / equivalent.NAME)]
    work.compare(outcome, entries, every, options.function, of_labs)
    outcome.seconds = time.monotonic() - began
    if options.list:
        print(_listed(results, options.only) + "\n" + report.text(outcome), end="")
        return 0
    print(report.markdown(outcome, lab is None) if options.markdown else report.text(outcome), end="")
    if options.json is not None:
        options.json.write_text(report.to_json(outcome), encoding="utf-8")
    return 0 if outcome.good else 1


def main() -> int:
    options = parse()
    try:
        return _run(options)
    except (MutateError, GraderError, StageError) as error:
        print(f"make mutate: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    run_program("make mutate", main)
