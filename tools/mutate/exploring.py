"""The killer that explores: every interleaving of a lab's scenarios, on this machine's own CPU.

The kernel itself must pass all scenarios first, and the times that they take are the costs by which they
are put in order: as for the tests under QEMU, those that have killed mutants of the same function come
first, so most mutants are dead after one or two.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from grade.build import BuildFailed, Product, Reference
from grade.lab import ARCHES, Lab, Test
from tools import qemu
from tools.explore.program import ExploreError, explore
from tools.mutate.errors import MutateError
from tools.mutate.killers import BUILT, Order, Verdict
from tools.mutate.mutants import Mutant
from tools.mutate.store import Store, hash_of, hash_of_text
from tools.options import interrupted
from tools.progress import Progress

_EXPLORED = ("tools/explore", "arch/host", "make/explore.mk")
_GOALS = ("explorer",)


class Explorer:
    """The scenarios of a lab, one after the other until one has a counterexample."""

    name = "explorer"

    def __init__(self, root: Path, build_root: Path, lab: Lab, store: Store, progress: Progress) -> None:
        self._store = store
        self._scenarios = [test for test in lab.tests if test.bound is not None]
        self._keys = _keys(root, lab, self._scenarios)
        self.context = hash_of_text(" ".join(sorted(self._keys.values())))
        self._fenced = not qemu.why_no_bubblewrap()
        self._reference = Reference(root, build_root, ARCHES[0], self._fenced, 1)
        self._order = Order()
        self._honest = self._reference.build([], _GOALS, progress)
        self._costs = self._measure(progress)

    def close(self) -> None:
        self._reference.close()

    def _measure(self, progress: Progress) -> dict[str, float]:
        """Runs the scenarios on the kernel itself, which must pass, and says how long each takes."""
        costs: dict[str, float] = {}
        progress.expect(len(self._scenarios))
        for test in self._scenarios:
            key = f"cost {self._keys[test.name]}"
            known = self._store.get(key)
            if known is None:
                began = time.monotonic()
                fault = self._fault(self._honest, test)
                if fault is not None:
                    raise MutateError(f"the kernel itself fails {test.name}: {fault}")
                known = {"seconds": time.monotonic() - began}
                self._store.put(key, **known)
            costs[test.name] = float(known["seconds"])
            progress.step(f"the kernel itself: {test.name}")
        return costs

    def _fault(self, product: Product, test: Test) -> str | None:
        """How a kernel fails @test, or None. One that ends the explorer itself fails, as in a grading."""
        assert product.explorer is not None and test.bound is not None
        try:
            result = explore(product.explorer, test.name, test.bound, fenced=self._fenced)
        except ExploreError as error:
            return f"the explorer was stopped: {error}"
        return result.verdict if result.outcome == "wrong" else None

    def judge(self, mutant: Mutant) -> Verdict | None:
        if mutant.path.startswith("arch/"):
            return None  # the explorer has a port of its own
        began = time.monotonic()
        known = self._known(mutant)
        found = next(((name, fault) for name, fault in known.items() if fault is not None), None)
        if found is None and len(known) < len(self._scenarios):
            try:
                product = self._reference.build_with({mutant.path: mutant.content}, self._honest, _GOALS)
            except BuildFailed:
                return None
            try:
                found = self._ask(mutant, product, [t for t in self._scenarios if t.name not in known])
            finally:
                shutil.rmtree(product.kernel.parent)
        if found is None:
            return Verdict(False, self.name, "", time.monotonic() - began)
        self._order.killed(mutant, found[0])
        return Verdict(True, self.name, f"{found[0]}: {found[1]}", time.monotonic() - began)

    def _known(self, mutant: Mutant) -> dict[str, str | None]:
        """The results of earlier runs, by scenario: the fault or None."""
        records = {t.name: self._store.get(self._key(mutant, t)) for t in self._scenarios}
        return {name: record["fault"] for name, record in records.items() if record is not None}

    def _ask(self, mutant: Mutant, product: Product, tests: Sequence[Test]) -> tuple[str, str] | None:
        """The first of @tests that fails, and how."""
        for test in self._in_order(mutant, tests):
            fault = self._fault(product, test)
            if interrupted():
                raise KeyboardInterrupt  # the explorer may have been told to end, too
            self._store.put(self._key(mutant, test), id=mutant.id, fault=fault)
            if fault is not None:
                return test.name, fault
        return None

    def _key(self, mutant: Mutant, test: Test) -> str:
        return f"scenario {self._keys[test.name]} {mutant.key}"

    def _in_order(self, mutant: Mutant, tests: Sequence[Test]) -> list[Test]:
        return sorted(tests, key=lambda t: self._order.key(mutant, t.name, self._costs[t.name]))


def _keys(root: Path, lab: Lab, scenarios: Sequence[Test]) -> dict[str, str]:
    """For each scenario a name for all that a verdict depends on, but the mutant: kernel, explorer, the file
    that has the scenario, its bound. So a new scenario in a file of its own is all that is run again."""
    common = hash_of(root, (*BUILT, *_EXPLORED))
    files = {path: path.read_text(encoding="utf-8") for path in (lab.folder / "scenarios").glob("*.c")}
    keys: dict[str, str] = {}
    for test in scenarios:
        home = [text for text in files.values() if f'"{test.name}"' in text]
        keys[test.name] = f"{test.name} {test.bound} {hash_of_text(common + chr(0).join(home))}"
    return keys
