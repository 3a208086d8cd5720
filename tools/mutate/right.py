"""make mutate KEEP=1: right kernels made by machine, and a lab's grading: none may lose a point."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from grade import engine
from grade.build import BuildFailed, Product
from grade.errors import GraderError
from grade.lab import ARCHES, EXPLORER, Lab, choose
from grade.score import Run
from grade.verdict import Kind
from labs.stage import StageError
from tools.mutate.errors import MutateError
from tools.mutate.keepers import KEEPERS, Entry, Kernel, Maker
from tools.mutate.killers import BUILT, EXPLORED, JUDGED
from tools.mutate.objects import Compiler
from tools.mutate.store import Store, hash_of
from tools.mutate.work import in_parallel
from tools.options import Parser, interrupted, run_program
from tools.progress import Progress, shown

ROOT = Path(__file__).resolve().parent.parent.parent

_HELP = """\
Makes right kernels of the reference solutions of a lab: operators that keep the meaning change its
regions, each at all places at once, then at single places, then several of them at random places. Each
kernel is shown to the lab's whole grading. A lost point is a fault of a scenario, a test or a limit, or
of the operator.

  make mutate LAB=04-sleep KEEP=1                      all of it, on both ports and in the explorer
  make mutate LAB=04-sleep KEEP=1 KILLERS=explorer     in the explorer only: minutes
  make mutate LAB=04-sleep KEEP=1 SAMPLE=20 SEED=7     twenty single places and twenty combinations
  make mutate LAB=04-sleep KEEP=1 ONLY=outline         kernels with this in their names
  python3 -m tools.mutate.right --lab 04-sleep --list  the kernels; --show NAME prints the differences

Exit status: 0 if no kernel loses anything; 1 if one does; 2 if nothing could be judged; 130 if interrupted.
"""


@dataclass(frozen=True)
class Loss:
    run: str  # which test, on which machine
    why: str

    def __str__(self) -> str:
        return f"{self.run}: {self.why}"


@dataclass
class Judged:
    """A kernel, and what it has lost."""

    kernel: Kernel
    losses: list[Loss] = field(default_factory=list)


class Judge:
    """Shows kernels to the grading of @lab on @machines: ports and the explorer."""

    def __init__(
        self, bench: engine.Bench, lab: Lab, machines: Sequence[str], store: Store, progress: Progress
    ) -> None:
        self._bench = bench
        self._lab = lab
        self._machines = machines
        self._store = store
        self._progress = progress
        judging = (*BUILT, *JUDGED, *EXPLORED, *_of_lab(lab))
        self._context = hash_of(bench.root, judging, frozenset({"__pycache__"}))
        self._honest: dict[str, Product] = {}

    def _first(self) -> str:
        return next(iter(self._bench.references))

    def prepare(self) -> None:
        """Builds the kernel itself."""
        if self._machines == [EXPLORER]:
            reference = self._bench.references[self._first()]
            self._honest = {self._first(): reference.build([], ("explorer",), self._progress)}
        else:
            built = engine.build_reference(self._bench, [self._lab], False, self._progress)
            self._honest = engine.honest(built)

    def judge(self, one: Judged) -> None:
        for machine in self._machines:
            key = f"right {self._context} {machine} {one.kernel.key}"
            known = self._store.get(key)
            if known is None:
                found = self._losses(one.kernel, machine)
                if interrupted():
                    raise KeyboardInterrupt  # the machine may have been told to end, too
                if not any(loss.why == Kind.SLOW.value for loss in found):
                    self._store.put(key, name=one.kernel.name, losses=[[x.run, x.why] for x in found])
            else:
                found = [Loss(run, why) for run, why in known["losses"]]
            one.losses += found
            self._progress.step(f"{machine} {one.kernel.name}")

    def _losses(self, kernel: Kernel, machine: str) -> list[Loss]:
        arch = self._first() if machine == EXPLORER else machine
        goals = ("explorer",) if machine == EXPLORER else ("kernel",)
        try:
            product = self._bench.references[arch].build_with(kernel.contents, self._honest[arch], goals)
        except BuildFailed as error:
            return [Loss(f"{machine} build", error.lines[0])]
        try:
            runs = engine.runs_of(self._lab, [machine], None)
            return [loss for run in runs if (loss := self._loss(run, product)) is not None]
        finally:
            shutil.rmtree(product.kernel.parent)

    def _loss(self, run: Run, product: Product) -> Loss | None:
        verdict = engine.judge_run(self._bench, self._lab, run, product)
        if verdict.kind is Kind.PASS:
            return None
        found = (f"{','.join(f.properties)} {f.happened} {f.where}".rstrip() for f in verdict.findings)
        says = "; ".join(found)
        name = f"{run.arch} {run.test}"
        if run.arch != EXPLORER:
            name += f", {run.cpus} CPUs, seed {run.seed}"
        kind = verdict.kind.value
        return Loss(name, kind if verdict.kind is Kind.SLOW else f"{kind}: {says}")


def _of_lab(lab: Lab) -> tuple[str, ...]:
    return tuple(f"labs/{lab.name}/{part}" for part in ("lab.toml", "tests", "scenarios"))


def table(judged: Sequence[Judged], refused: dict[str, int]) -> str:
    """A row for each operator, then each loss. @refused: places that do not compile."""
    lines = [f"{'operator':<12} {'places':>7} {'refused':>8} {'kernels':>8} {'lost':>6}"]
    for name in dict.fromkeys(one.kernel.operator for one in judged):
        mine = [one for one in judged if one.kernel.operator == name]
        lost = sum(bool(one.losses) for one in mine)
        most = max(one.kernel.places for one in mine)
        lines.append(f"{name:<12} {most:>7} {refused.get(name, 0):>8} {len(mine):>8} {lost:>6}")
    for one in judged:
        lines += [f"{one.kernel.name} loses {loss}" for loss in one.losses]
    losers = sum(bool(one.losses) for one in judged)
    lines.append(f"{len(judged)} right kernels, {losers} lost something")
    return "\n".join(lines) + "\n"


def _number(text: str) -> int:
    if text.isdecimal() and int(text) <= 10_000:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text}: must be a number")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = Parser(
        prog="tools.mutate.right",
        description=_HELP,
        epilog="operators:\n" + "\n".join(f"  {entry.name:<12} {entry.what}" for entry in KEEPERS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--lab", required=True, metavar="NAME")
    parser.add_argument("--list", action="store_true", help="list the kernels; judge none")
    parser.add_argument("--show", metavar="NAME", help="print the differences of one kernel")
    parser.add_argument("--only", default="", metavar="TEXT", help="kernels with TEXT in their names")
    parser.add_argument("--sample", type=_number, default=3, metavar="N",
                        help="so many single places and so many combinations; default 3")  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="chooses both; default 1")
    parser.add_argument("--killers", choices=("all", "explorer"), default="all")
    parser.add_argument("--arch", action="append", choices=ARCHES, help="only this port, and the explorer")
    parser.add_argument("--again", action="store_true", help="forget all verdicts known so far")
    parser.add_argument("--jobs", type=_number, default=len(os.sched_getaffinity(0)), metavar="N")
    parser.add_argument("--build-root", type=Path, default=ROOT / "build", metavar="DIR")
    return parser.parse_args(arguments)


def kernels(maker: Maker, options: argparse.Namespace, progress: Progress) -> list[Kernel]:
    """Those that are asked for; two with the same text count once."""
    maker.entries = _wanted(maker.entries, options.only)
    found: dict[str, Kernel] = {}
    made = (maker.everywhere(), maker.singly(options.sample, options.seed),
            maker.mixed(options.sample, options.seed))  # fmt: skip
    for kernel in chain(*made):
        progress.doing(f"making {kernel.name}")
        if options.only in kernel.name:
            found.setdefault(kernel.key, kernel)
    return list(found.values())


def _wanted(entries: Sequence[Entry], only: str) -> Sequence[Entry]:
    """The operators that --only names, alone or in front of a place; all if it names none, or mixed ones."""
    first = only.partition(" ")[0]
    return [e for e in entries if first and first in e.name] or entries


def _run(options: argparse.Namespace) -> int:
    lab = choose(ROOT, [options.lab])[0]
    maker = Maker(Compiler(ROOT, options.build_root), lab)
    with shown("right kernels") as progress:
        found = kernels(maker, options, progress)
        if options.list or options.show is not None:
            chosen = [k for k in found if options.show in (None, k.name)]
            lines = [f"{k.name}  {k.places} places\n" for k in chosen]
            print("".join(lines if options.list else [k.diff(maker.targets) for k in chosen]), end="")
            return 0 if chosen else 2
        if not found:
            raise MutateError(f"no kernel is {options.only}; --list prints their names")
        judged = judge(lab, found, options, progress)
    print(table(judged, maker.refused), end="")
    return 1 if any(one.losses for one in judged) else 0


def judge(
    lab: Lab, found: Sequence[Kernel], options: argparse.Namespace, progress: Progress
) -> list[Judged]:
    ports = options.arch or list(ARCHES)
    explores = [EXPLORER] * lab.has_scenarios()
    machines = explores if options.killers == "explorer" else [*explores, *ports]
    bench = engine.set_up(ROOT, options.build_root, ports, options.jobs)
    store = Store(options.build_root / "mutate" / "right.jsonl", options.again)
    judged = [Judged(kernel) for kernel in found]
    try:
        judging = Judge(bench, lab, machines, store, progress)
        judging.prepare()
        progress.expect(len(judged) * len(machines))
        in_parallel(options.jobs, judging.judge, judged)
    finally:
        bench.close()
    return judged


def main() -> int:
    options = parse()
    try:
        return _run(options)
    except (MutateError, GraderError, StageError) as error:
        print(f"make mutate: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    run_program("make mutate", main)
