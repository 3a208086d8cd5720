"""trellis-grade sees: which test of a lab sees which mutant, as a page.

Every test and every scenario of a lab is run on every mutant, with one seed; a test sees a mutant when one
of its runs does not pass. `make matrix` stops at the first run that breaks a mutant's property, which says
that the mutant is caught, but not which tests the lab could do without. The table does: a test that sees no
mutant is needed by none, and has to go, or a mistake that it was written for is missing.

Answers are kept in <build root>/matrix, by kernel, tests, grader and mutant, so that a run which was
interrupted goes on where it was.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from grade import engine
from grade.build import BuildFailed, Product
from grade.errors import GraderError
from grade.lab import ARCHES, EXPLORER, Lab, Test, choose
from grade.mutants import Mutant, mutants
from grade.score import Run
from grade.verdict import Kind
from tools.mutate.killers import BUILT, EXPLORED, JUDGED
from tools.mutate.store import Store, hash_of, hash_of_text
from tools.options import to_write
from tools.progress import Progress, shown

SUMMARY = "show which test of a lab sees which mutant"
_SEEDS = 1
_BEGIN = """\
# Which test sees which mistake

Made by `trellis-grade sees`, with one seed for each test. A row is a mutant of the lab, a column one of its
tests or scenarios, by the numbers below the rows: **x** where it fails, **·** where it passes. Under *sees*
stands how many mutants a test sees, and under *alone* how many no other one sees.
"""


@dataclass(frozen=True)
class Seen:
    """The tests that see a mutant, in the order of lab.toml."""

    mutant: str
    property: str
    tests: tuple[str, ...]


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lab", action="append", default=[], help="default: all; may be repeated")
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants with TEXT in their names")
    parser.add_argument("--out", type=to_write, metavar="FILE",
                        help="the page, in which other labs stay; default: standard output")  # fmt: skip
    parser.add_argument("--build-root", type=Path, default=Path("build"), metavar="DIR")
    parser.add_argument("--jobs", type=int, metavar="N", help="mutants at once; default: cores")


# --- The runs -------------------------------------------------------------------------------------


class Asking:
    """Shows mutants to tests, and remembers what they have said."""

    def __init__(self, bench: engine.Bench, honest: Mapping[str, Product], store: Store) -> None:
        self._bench = bench
        self._honest = honest
        self._store = store
        self._kernel = hash_of(bench.root, (*BUILT, *EXPLORED, *JUDGED))
        self._labs: dict[str, str] = {}

    def those_that_see(self, lab: Lab, mutant: Mutant, arch: str, tests: Iterable[Test]) -> Iterator[str]:
        """The names of those of @tests that do not pass @mutant. It is built when a test needs it."""
        runs = engine.runs_of(lab, [arch, EXPLORER], _SEEDS)
        changes = hash_of_text("".join(f"{name} {text!r}" for name, text in sorted(mutant.files.items())))
        built: dict[str, Product | None] = {}
        for test in tests:
            place = arch if test.bound is None else EXPLORER
            key = f"{self._kernel} {self._about(lab)} {lab.name} {test.name} {place} {changes}"
            known = self._store.get(key)
            if known is None:
                goal, port = ("kernel", arch) if place == arch else ("explorer", next(iter(self._honest)))
                if goal not in built:
                    built[goal] = self._build(mutant, port, goal)
                mine = (run for run in runs if run.test == test.name)
                known = {"sees": not self._all_pass(lab, mine, built[goal])}
                self._store.put(key, **known)
            if known["sees"]:
                yield test.name

    def _about(self, lab: Lab) -> str:
        """A hash of @lab's tests."""
        if lab.name not in self._labs:
            left_out = frozenset({"mutants", "variants", "__pycache__"})
            self._labs[lab.name] = hash_of(self._bench.root, [f"labs/{lab.name}"], left_out)
        return self._labs[lab.name]

    def _build(self, mutant: Mutant, arch: str, goal: str) -> Product | None:
        """None: it does not build, so every test fails."""
        try:
            return self._bench.references[arch].build_with(mutant.files, self._honest[arch], [goal])
        except BuildFailed:
            return None

    def _all_pass(self, lab: Lab, runs: Iterable[Run], made: Product | None) -> bool:
        verdicts = (engine.judge_run(self._bench, lab, run, made) for run in runs if made)
        return made is not None and all(verdict.kind in (Kind.PASS, Kind.SLOW) for verdict in verdicts)


def _all_seen(
    asking: Asking, root: Path, lab: Lab, only: str, jobs: int, progress: Progress
) -> list[Seen]:
    found = [m for m in mutants(root, lab) if only in m.name]
    progress.expect(len(found))

    def one(mutant: Mutant) -> Seen:
        seen = tuple(asking.those_that_see(lab, mutant, mutant.arches[0], lab.tests))
        progress.step(f"{lab.name} {mutant.name}")
        return Seen(mutant.name, mutant.property, seen)

    with ThreadPoolExecutor(jobs) as pool:
        try:
            return list(pool.map(one, found))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


# --- The page -------------------------------------------------------------------------------------


def section(lab: Lab, seen: Sequence[Seen]) -> str:
    """The part of the page about @lab."""
    names = [test.name for test in lab.tests]
    wide = max(len(s.mutant) for s in seen)
    rows = [f"{s.mutant:<{wide}}  {s.property:<6} " + "".join("x" if n in s.tests else "·" for n in names)
            for s in seen]  # fmt: skip
    legend = [_legend(number, name, seen) for number, name in enumerate(names, 1)]
    ruler = " " * (wide + 9)
    tens = ruler + "".join(str(n // 10) if n >= 10 else " " for n in range(1, len(names) + 1))
    ones = ruler + "".join(str(n % 10) for n in range(1, len(names) + 1))
    return "\n".join([f"## {lab.name}", "", "```", tens.rstrip(), ones, *rows, "```", "",
                      "| column | test | sees | alone |", "|---:|---|---:|---:|", *legend, ""])  # fmt: skip


def _legend(number: int, name: str, seen: Sequence[Seen]) -> str:
    mine = [s for s in seen if name in s.tests]
    alone = sum(len(s.tests) == 1 for s in mine)
    return f"| {number} | `{name}` | {len(mine)} | {alone} |"


def sections(page: str) -> dict[str, str]:
    """The parts of a @page by lab."""
    return {part.split("\n", 1)[0]: f"## {part.rstrip()}\n" for part in page.split("\n## ")[1:]}


def unneeded(lab: Lab, seen: Sequence[Seen]) -> list[str]:
    """The tests of @lab that see nothing."""
    return [test.name for test in lab.tests if not any(test.name in s.tests for s in seen)]


def run(root: Path, options: argparse.Namespace) -> int:
    named = choose(root, options.lab)
    labs = [lab for lab in named if any(options.only in m.name for m in mutants(root, lab))]
    if not labs:
        raise GraderError(f"no mutant has {options.only} in its name")
    bench = engine.set_up(root, options.build_root, ARCHES, options.jobs)
    store = Store(options.build_root / "matrix" / "sees.jsonl")
    try:
        with shown() as progress:
            honest = engine.honest(engine.build_reference(bench, labs, False, progress))
            asking = Asking(bench, honest, store)
            found = [(lab, _all_seen(asking, root, lab, options.only, bench.jobs, progress)) for lab in labs]
    finally:
        bench.close()
    _write(root, options.out, {lab.name: section(lab, seen) for lab, seen in found})
    wrong = [] if options.only else [(lab, name) for lab, seen in found for name in unneeded(lab, seen)]
    for lab, name in wrong:
        print(f"trellis-grade: {lab.name}: {name} sees no mutant", file=sys.stderr)
    return 1 if wrong else 0


def _write(root: Path, out: Path | None, parts: dict[str, str]) -> None:
    """The page, or what is new of it."""
    if out is None:
        print(page(root, _BEGIN, parts), end="")
    else:
        renew(root, out, _BEGIN, parts)


def page(root: Path, begin: str, parts: Mapping[str, str]) -> str:
    """The @parts of a page behind its @begin, in the order of the labs."""
    return begin + "\n" + "\n".join(parts[lab.name] for lab in choose(root, []) if lab.name in parts)


def renew(root: Path, path: Path, begin: str, parts: Mapping[str, str]) -> None:
    """Writes @parts into the page at @path, in which those of other labs stay."""
    old = sections(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(page(root, begin, {**old, **parts}), encoding="utf-8")
