"""trellis-grade needs: for each test of a lab a mutant that it sees, as a page.

A test that no mutant fails is not known to test anything: it has to go, or the mistake that it was written
for is missing. The page, docs/needed.md, names one mutant for each test and each scenario. `make matrix`
shows this mutant to the test again, and fails if the test has become blind. A row stays as long as it is
true, so only tests that are new, or blind, are shown mutants: first those of their own properties, then all
others.
"""

import argparse
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grade import engine
from grade.build import Product
from grade.lab import ARCHES, Lab, Test, choose
from grade.mutants import Mutant, mutants, ports
from grade.sees import Asking, renew, sections
from tools.mutate.store import Store
from tools.progress import Progress, shown

SUMMARY = "find for each test of a lab a mutant that it sees"
PAGE = "docs/needed.md"
_ROW = re.compile(r"\| `([\w.]+)` \| `([\w-]+)` \|", re.M)
_BEGIN = """\
# A mistake for each test

Made by `grade/trellis-grade needs`. Each test and each scenario of a lab stands beside one of the lab's
mutants, which does not pass it: so none of them is there for nothing. `make matrix` shows them again. Most
mutants are seen by more tests than this.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lab", action="append", default=[], help="default: all; may be repeated")
    parser.add_argument("--build-root", type=Path, default=Path("build"), metavar="DIR")
    parser.add_argument("--jobs", type=int, metavar="N", help="mutants at once; default: cores")


# --- The page -------------------------------------------------------------------------------------


def section(lab: Lab, found: Mapping[str, Mutant]) -> str:
    """The part of the page about @lab; @found: by the name of the test."""
    rows = [f"| `{t.name}` | {_told(found.get(t.name))} |" for t in lab.tests]
    return "\n".join([f"## {lab.name}", "", "| test | a mutant that it sees | its mistake |", "|---|---|---|",
                      *rows, ""])  # fmt: skip


def _told(mutant: Mutant | None) -> str:
    return f"`{mutant.name}` | {mutant.what}" if mutant else "none | "


def needed(page: str) -> dict[str, dict[str, str]]:
    """Of each lab on a @page the tests, and for each of them the mutant that it sees."""
    return {lab: dict(_ROW.findall(part)) for lab, part in sections(page).items()}


def of_page(root: Path) -> dict[str, dict[str, str]]:
    path = root / PAGE
    return needed(path.read_text(encoding="utf-8")) if path.exists() else {}


def port(lab: Lab, mutant: Mutant, test: Test) -> str | None:
    """The port on which a brief matrix shows @mutant to @test, if it does."""
    if mutant.only and lab.test(mutant.only[0]).bound is not None:
        taken = tuple(arch for arch in ARCHES[:1] if arch in mutant.arches)
    else:
        taken = ports(mutant.name, (), mutant.arches, ARCHES, True)
    return next((arch for arch in taken if arch in test.arches or test.bound is not None), None)


# --- The search -----------------------------------------------------------------------------------


class Search:
    """For the mutants of one lab. Several threads show them to tests."""

    def __init__(self, asking: Asking, lab: Lab, there: Sequence[Mutant], progress: Progress) -> None:
        self._asking = asking
        self._lab = lab
        self._there = there
        self._progress = progress
        self._lock = threading.Lock()
        self.found: dict[str, Mutant] = {}

    def run(self, known: Mapping[str, str], jobs: int) -> None:
        """@known: of each test the mutant that an older page names."""
        there, tests = self._there, self._lab.tests
        again = [(m, [t for t in tests if known.get(t.name) == m.name]) for m in there]
        own = [(m, [t for t in tests if m.property in t.properties]) for m in there]
        others = [(m, [t for t in tests if m.property not in t.properties]) for m in there]
        for tries in (again, own, others):
            self._progress.expect(len(tries))
            with ThreadPoolExecutor(jobs) as pool:
                for _ in pool.map(lambda one: self._show(*one), tries):
                    self._progress.step(f"{self._lab.name}: {len(tests) - len(self.found)} tests left")

    def _show(self, mutant: Mutant, tests: Sequence[Test]) -> None:
        for arch, mine in self._by_port(mutant, tests).items():
            for name in self._asking.those_that_see(self._lab, mutant, arch, mine):
                with self._lock:
                    self.found.setdefault(name, mutant)

    def _by_port(self, mutant: Mutant, tests: Sequence[Test]) -> dict[str, Iterator[Test]]:
        """Those of @tests that have no mutant yet; each is looked at when its turn comes."""
        allowed = [t for t in tests if not mutant.only or t.name in mutant.only]
        taken = {t.name: port(self._lab, mutant, t) for t in allowed}
        return {
            arch: (t for t in allowed if taken[t.name] == arch and t.name not in self.found)
            for arch in {arch for arch in taken.values() if arch is not None}
        }


def _searched(
    root: Path, asking: Asking, lab: Lab, known: Mapping[str, str], jobs: int, progress: Progress
) -> dict[str, Mutant]:
    search = Search(asking, lab, mutants(root, lab), progress)
    search.run(known, jobs)
    return search.found


def run(root: Path, options: argparse.Namespace) -> int:
    labs = choose(root, options.lab)
    known = of_page(root)
    bench = engine.set_up(root, options.build_root, ARCHES, options.jobs)
    store = Store(options.build_root / "matrix" / "sees.jsonl")
    blind = []
    try:
        with shown() as progress:
            honest: dict[str, Product] = engine.honest(engine.build_reference(bench, labs, False, progress))
            asking = Asking(bench, honest, store)
            for lab in labs:
                found = _searched(root, asking, lab, known.get(lab.name, {}), bench.jobs, progress)
                blind += [f"{lab.name}: {t.name}" for t in lab.tests if t.name not in found]
                renew(root, root / PAGE, _BEGIN, {lab.name: section(lab, found)})
    finally:
        bench.close()
    for name in blind:
        print(f"{name} sees no mutant")
    return 1 if blind else 0
