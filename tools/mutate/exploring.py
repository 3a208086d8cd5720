"""The killer that explores: every interleaving of scenarios, on this machine's own CPU.

The kernel itself must pass all scenarios first, and the times that they take are the costs by which they
are put in order: as for the tests under QEMU, those that have killed mutants of the same function come
first, so most mutants are dead after one or two. A data race kills too, as the kernel itself has none.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from grade.build import BuildFailed, Product, Reference
from grade.lab import ARCHES, Lab, choose
from tools import qemu
from tools.explore.program import BOUND, ExploreError, NotStarted, explore
from tools.explore.races import in_one_line
from tools.mutate import questions
from tools.mutate.errors import MutateError
from tools.mutate.killers import BUILT, EXPLORED, Order, Verdict
from tools.mutate.mutants import Mutant
from tools.mutate.questions import Question, Survey
from tools.mutate.store import Store, hash_of, hash_of_text
from tools.options import interrupted
from tools.progress import Progress

_GOALS = ("explorer",)


class Explorer:
    """Searches of scenarios, one after the other until one finds something. Those of @lab, with its bounds;
    without a lab, those of all scenarios in which the mutated code runs (questions.py)."""

    name = "explorer"

    def __init__(
        self, root: Path, build_root: Path, lab: Lab | None, store: Store, progress: Progress
    ) -> None:
        self._root = root
        self._store = store
        self._kernel = hash_of(root, (*BUILT, *EXPLORED), tests=False)
        self._fenced = not qemu.why_no_bubblewrap()
        self._reference = Reference(root, build_root, ARCHES[0], self._fenced, 1)
        self._order = Order()
        self._files = _scenario_files(root, lab)
        self._of_lab = questions.of_lab(lab) if lab is not None else []
        self._honest = self._reference.build([], _GOALS, progress)
        self._costs = self._measure(progress)
        self._surveys = [] if lab is not None else self._survey(progress)
        asked = sorted(self._key_of(q) for q in self._all())
        self.context = hash_of_text(" ".join([*asked, repr(questions.WEAK) * (lab is None)]))

    def close(self) -> None:
        self._reference.close()

    def _all(self) -> list[Question]:
        return [*self._of_lab, *(Question(s.scenario, BOUND) for s in self._surveys)]

    def _survey(self, progress: Progress) -> list[Survey]:
        assert self._honest.explorer is not None
        context = hash_of_text(self._kernel + "".join(sorted(self._files.values())))
        bounds = {t.name: t.bound for lab in choose(self._root, []) for t in lab.tests if t.bound is not None}
        program = self._honest.explorer
        found = questions.survey(program, context, bounds, self._fenced, self._store, progress)
        self._costs = {s.scenario: s.seconds for s in found}
        return found

    def _measure(self, progress: Progress) -> dict[str, float]:
        """Runs the lab's scenarios on the kernel itself, which must pass, and says how long each takes."""
        costs: dict[str, float] = {}
        progress.expect(len(self._of_lab))
        for q in self._of_lab:
            key = f"cost {self._key_of(q)}"
            known = self._store.get(key)
            if known is None:
                began = time.monotonic()
                fault = self._fault(self._honest, q)
                if fault is not None:
                    raise MutateError(f"the kernel itself fails {q.name}: {fault}")
                known = {"seconds": time.monotonic() - began}
                self._store.put(key, **known)
            costs[q.scenario] = float(known["seconds"])
            progress.step(f"the kernel itself: {q.name}")
        return costs

    def _fault(self, product: Product, q: Question) -> str | None:
        """How a kernel fails @q, or None. One that ends the explorer itself fails, as in a grading."""
        assert product.explorer is not None
        try:
            result = explore(product.explorer, q.scenario, q.bound, q.steps, self._fenced, q.weak)
            if result.outcome == "wrong":
                return result.verdict
            return in_one_line(product.explorer, result.races[0]) if result.races else None
        except NotStarted as error:
            raise MutateError(str(error)) from error
        except ExploreError as error:
            return f"the explorer was stopped: {error}"

    def judge(self, mutant: Mutant) -> Verdict | None:
        if mutant.path.startswith("arch/"):
            return None  # the explorer has a port of its own
        asked = self._of_lab or questions.of_mutant(mutant, self._surveys)
        if not asked:
            return None
        began = time.monotonic()
        known = self._known(mutant, asked)
        found = next(((name, fault) for name, fault in known.items() if fault is not None), None)
        if found is None and len(known) < len(asked):
            try:
                product = self._reference.build_with({mutant.path: mutant.content}, self._honest, _GOALS)
            except BuildFailed:
                return None
            try:
                found = self._ask(mutant, product, [q for q in asked if q.name not in known])
            finally:
                shutil.rmtree(product.kernel.parent)
        if found is None:
            return Verdict(False, self.name, f"{len(asked)} searches", time.monotonic() - began)
        self._order.killed(mutant, found[0])
        return Verdict(True, self.name, f"{found[0]}: {found[1]}", time.monotonic() - began)

    def _known(self, mutant: Mutant, asked: Sequence[Question]) -> dict[str, str | None]:
        """The results of earlier runs, by search: the fault or None."""
        records = {q.name: self._store.get(self._key(mutant, q)) for q in asked}
        return {name: record["fault"] for name, record in records.items() if record is not None}

    def _ask(self, mutant: Mutant, product: Product, asked: Sequence[Question]) -> tuple[str, str] | None:
        """The first of @asked that finds something, and what."""
        for q in self._in_order(mutant, asked):
            fault = self._fault(product, q)
            if interrupted():
                raise KeyboardInterrupt  # the explorer may have been told to end, too
            if fault is not None and not self._passes(q):
                continue
            self._store.put(self._key(mutant, q), id=mutant.id, fault=fault)
            if fault is not None:
                return q.name, fault
        return None

    def _passes(self, q: Question) -> bool:
        """Whether the kernel itself passes @q. In a lab it does; elsewhere the survey searched less."""
        if self._of_lab:
            return True
        key = f"passes {self._key_of(q)}"
        known = self._store.get(key)
        if known is None:
            known = {"passes": self._fault(self._honest, q) is None}
            self._store.put(key, **known)
        return bool(known["passes"])

    def _key(self, mutant: Mutant, q: Question) -> str:
        return f"scenario {self._key_of(q)} {mutant.key}"

    def _key_of(self, q: Question) -> str:
        return f"{q.name} {q.bound} {q.steps} {self._scenario_key(q.scenario)}"

    def _scenario_key(self, scenario: str) -> str:
        """A name for all that a verdict depends on, but the mutant: kernel, explorer, the file that has the
        scenario, the headers beside it. So a new scenario in a file of its own is all that is run again."""
        home = "\0".join(text for text in self._files.values() if f'"{scenario}"' in text)
        named = [text for path, text in self._files.items() if f'#include "{path.name}"' in home]
        return hash_of_text("\0".join((self._kernel + home, *named)))

    def _in_order(self, mutant: Mutant, asked: Sequence[Question]) -> list[Question]:
        return sorted(
            asked, key=lambda q: (q.weak * q.bound, *self._order.key(mutant, q.name, self._costs[q.scenario]))
        )


def _scenario_files(root: Path, lab: Lab | None) -> dict[Path, str]:
    """The files that have scenarios, and their headers: of @lab, or all."""
    found = list((lab.folder / "scenarios").glob("*.[ch]")) if lab is not None else []
    if lab is None:
        found = [*root.glob("labs/*/scenarios/*.[ch]"), *root.glob("tools/explore/scenarios/*.[ch]")]
    return {path: path.read_text(encoding="utf-8") for path in sorted(found)}
