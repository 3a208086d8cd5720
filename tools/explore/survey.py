"""How soon the explorer finds each wrong solution that a lab ships (labs/NN-name/mutants), as tables.

    python3 -m tools.explore.survey [--lab NAME] [--only TEXT] [--out docs/mutants-explored.md]

For each mutant all scenarios of its lab are searched with the bounds of the grade. Of those with a
counterexample the one with the fewest executions is shown, and of equal ones the first by name. Then
the same scenario is run at random, from seed 1, until that finds a counterexample too. If there is
none, the scenario is shown in which the mutant has a data race.
"""

from __future__ import annotations

import argparse
import os
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from grade.build import BuildFailed, Reference
from grade.lab import Lab, choose
from grade.mutants import Mutant, mutants
from tools import qemu
from tools.explore import races
from tools.explore.program import Result, at_random, explore
from tools.options import Parser, run_program, to_write
from tools.progress import Progress, shown

ROOT = Path(__file__).resolve().parent.parent.parent
_RANDOM = 2_000
PAGE = "docs/mutants-explored.md"
_COMMAND = f"python3 -m tools.explore.survey --out {PAGE}"


@dataclass(frozen=True)
class Row:
    """A mutant; @found and @milliseconds are of the scenario that shows it soonest."""

    mutant: Mutant
    found: Result | None
    milliseconds: float
    others: int  # more scenarios that show it
    at_random: Result | None  # none of a data race

    def cells(self) -> list[str]:
        name = f"`{self.mutant.name}`"
        if self.found is None:
            return [name, self.mutant.what, "–", "", "", "", "", ""]
        preemptions, random = "a data race", "–"
        if self.at_random is not None:
            preemptions = f"{self.found.bound}"
            random = f"{self.at_random.random:,}" if self.at_random.outcome == "wrong" else f"> {_RANDOM:,}"
        return [name, self.mutant.what, f"`{self.found.scenario}`", f"{self.others}", preemptions,
                f"{self.found.executions:,}", f"{self.milliseconds:,.0f}", random]  # fmt: skip


def _judge(program: Path, lab: Lab, mutant: Mutant, fenced: bool) -> Row:
    found: list[tuple[int, str, Result, float]] = []
    raced: list[tuple[int, str, Result, float]] = []
    for test in lab.tests:
        if test.bound is None:
            continue
        began = time.monotonic()
        result = explore(program, test.name, test.bound, fenced=fenced)
        spent = 1000 * (time.monotonic() - began)
        seen = (result.executions, test.name, result, spent)
        if result.outcome == "wrong":
            found.append(seen)
        elif races.touching(program, test.name, result.races, lab.files, fenced):
            raced.append(seen)
    if not found and not raced:
        return Row(mutant, None, 0, 0, None)
    _, name, best, spent = min(found or raced)
    others = len(found) + len(raced) - 1
    if not found:
        return Row(mutant, best, spent, others, None)
    nothing = Result(name, "bounded", 0, 0, 0, 0, 0)
    return Row(mutant, best, spent, others, at_random(program, nothing, _RANDOM, fenced=fenced))


def in_the_kernel(lab: Lab) -> list[Mutant]:
    """Those that the explorer may find: it has no files of the ports."""
    return [m for m in mutants(ROOT, lab) if any(not f.startswith("arch/") for f in m.files)]


def survey(lab: Lab, only: str, reference: Reference, fenced: bool, progress: Progress) -> list[Row]:
    """The rows of @lab, for the mutants with @only in their names."""
    wrong = [m for m in in_the_kernel(lab) if only in m.name]
    honest = reference.build([], ["explorer"], progress)
    progress.expect(len(wrong))

    def judge(mutant: Mutant) -> Row:
        try:
            product = reference.build_with(mutant.files, honest, ["explorer"])
        except BuildFailed as e:
            raise SystemExit(f"{mutant.name} does not compile: {e}") from e
        assert product.explorer is not None
        row = _judge(product.explorer, lab, mutant, fenced)
        progress.step(f"{lab.name} {mutant.name}")
        return row

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(judge, wrong))


def scenarios_of(page: str) -> dict[tuple[str, str], str]:
    """Of each lab and mutant on a page, the scenario that shows the mutant soonest."""
    found = {}
    lab = ""
    for line in page.splitlines():
        if line.startswith("## "):
            lab = line.removeprefix("## ").partition(":")[0]
        elif row := _SEEN.match(line):
            found[lab, row[1]] = row[2]
    return found


_SEEN = re.compile(r"\| `([\w-]+)` \| .* \| `([\w.]+)` \|")
_TITLES = ("mutant", "its mistake", "scenario", "others", "preemptions", "executions", "ms", "at random")


def table(lab: Lab, rows: Sequence[Row]) -> str:
    seen = sum(row.found is not None for row in rows)
    out = [f"## {lab.name}: {seen} of {len(rows)}", ""]
    out += ["| " + " | ".join(_TITLES) + " |", "|---|---|---|" + "---:|" * 5]
    out += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    return "\n".join(out)


def _page(tables: Sequence[str]) -> str:
    return "\n\n".join((_HEAD, *tables)) + "\n"


_HEAD = f"""\
# The shipped mutants, explored

Each lab ships wrong solutions, `labs/NN-name/mutants/`, on which the grader is tested. This is how soon
the explorer ([how it works](explorer.md)) finds those in the kernel's own files. For each one the table
names the scenario that needs the fewest executions to its first counterexample, and how many *others*
find it too; the preemptions of that counterexample; the executions up to it, and the time, with the start
of the program. *At random* is the number of random schedules of that scenario (seed 1, `RANDOM=`) up to
the first counterexample. A mutant without a scenario is found in QEMU alone: no order of events makes a
difference to it, or no scenario is about it. *A data race* instead of preemptions: no execution goes
wrong, but nothing orders two accesses to the same memory; the executions are those of the whole search.

Everything but the time is the same on each machine. This page is made by

	{_COMMAND}"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="python3 -m tools.explore.survey", description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--lab", action="append", default=[], help="only this lab; may be repeated")
    parser.add_argument("--only", default="", metavar="TEXT", help="only mutants with TEXT in their names")
    parser.add_argument("--out", type=to_write, metavar="FILE", help="write the page there")
    parser.add_argument("--build-root", type=Path, default=ROOT / "build", metavar="DIR")
    options = parser.parse_args(arguments)
    fenced = not qemu.why_no_bubblewrap()
    reference = Reference(ROOT, options.build_root, "riscv", fenced, os.cpu_count() or 1)
    try:
        with shown() as progress:
            page = _page([
                table(lab, survey(lab, options.only, reference, fenced, progress))
                for lab in choose(ROOT, options.lab)
                if lab.has_scenarios()
            ])  # fmt: skip
    finally:
        reference.close()
    if options.out is None:
        print(page, end="")
    else:
        options.out.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    run_program("survey", main)
