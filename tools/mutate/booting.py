"""The killers that boot mutants under QEMU: a lab's tests here, all others in own_tests.py.

Both run their tests on the kernel itself, where they must pass, and note how long they take: by that they
are put in order.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

from grade import engine, recipe
from grade.build import BuildFailed, Product
from grade.lab import Lab
from grade.machine import Boot, Ended, Evidence, Runner
from grade.score import Run
from grade.verdict import Kind, judge
from tools.mutate.errors import MutateError
from tools.mutate.killers import BUILT, JUDGED, QEMU, Order, Verdict
from tools.mutate.mutants import Mutant
from tools.mutate.store import Store, hash_of, hash_of_text
from tools.progress import Progress

_PATIENCE_S, _PATIENCE = 20.0, 20.0  # seconds of CPU time, and times what the kernel itself needs


def _say(run: Run) -> str:
    cpus = f"{run.cpus} CPU" + "s" * (run.cpus > 1)
    return f"{run.test}, {cpus}" + f", seed {run.seed}" * (run.seed > 1)


class Booting:
    """Builds mutants with the grader's classes, and boots them."""

    name = QEMU

    def __init__(self, bench: engine.Bench, progress: Progress) -> None:
        self._bench = bench
        goals = ("kernel", "user")
        self._honest = {arch: r.build([], goals, progress) for arch, r in bench.references.items()}
        recipe.check(bench.runner, self._honest, True)
        self._order = Order()

    def build(self, mutant: Mutant, arch: str) -> Product:
        files = {mutant.path: mutant.content}
        return self._bench.references[arch].build_with(files, self._honest[arch], ("kernel",))

    def _ports(self, mutant: Mutant) -> list[str]:
        return [arch for arch in mutant.arches if arch in self._honest]

    def _boot(self, boot: Boot, cost: float | None) -> tuple[Evidence, str]:
        """Boots it, and says if it had to be stopped. The kernel's own limit ends most hangs, but one that
        only traps takes minutes to reach it; @cost is the time that the kernel itself needs. CPU time is
        counted, so that no mutant is killed by a busy machine."""
        most = None if cost is None else _PATIENCE_S + _PATIENCE * cost
        runner = Runner(self._bench.layout, secrets.token_bytes(16), not self._bench.unfenced, most)
        evidence = runner.boot(boot)
        if runner.stopped:
            return evidence, f"no end in {most:.0f} s of CPU time; the kernel itself needs {cost:.1f} s"
        if evidence.ended is Ended.SLOW:
            raise MutateError("this machine is too slow for a run; go on when it is less busy")
        return evidence, ""


class LabTests(Booting):
    """The lab's tests as the grader runs them, one after the other until one fails. A port's kernel is made
    only if it is needed, and a run on the kernel itself when it first is: most mutants fail one of a few."""

    def __init__(self, bench: engine.Bench, lab: Lab, store: Store, progress: Progress) -> None:
        super().__init__(bench, progress)
        self._lab = lab
        self._store = store
        self.context = self.context_of(bench.root, lab)
        self._runs = engine.runs_of(lab, list(bench.references), None)
        self._measuring = {run: threading.Lock() for run in self._runs}

    @staticmethod
    def context_of(root: Path, lab: Lab) -> str:
        """Scenarios may come and go: the explorer runs them, and no machine."""
        about = tomllib.loads((lab.folder / "lab.toml").read_text(encoding="utf-8"))
        told = hash_of_text(json.dumps({**about, "scenario": None}, sort_keys=True))
        tests = hash_of(root, [f"labs/{lab.name}/tests"], frozenset())
        return f"{lab.name} {hash_of(root, (*BUILT, *JUDGED))} {told} {tests}"

    def _known_cost(self, run: Run) -> float | None:
        known = self._store.get(self._key_of(run))
        return None if known is None else float(known["seconds"])

    def _key_of(self, run: Run) -> str:
        return f"cost {self.context} {run.arch} {_say(run)}"

    def _cost(self, run: Run) -> float:
        """The seconds that @run takes on the kernel itself, which must pass it."""
        with self._measuring[run]:
            known = self._known_cost(run)
            if known is not None:
                return known
            evidence, _ = self._booted(run, self._honest[run.arch], None)
            fault = self._wrong(run, evidence)
            if fault is not None:
                raise MutateError(f"the kernel itself fails {_say(run)} on {run.arch}: {fault}")
            self._store.put(self._key_of(run), seconds=evidence.spent)
            return evidence.spent

    def judge(self, mutant: Mutant) -> Verdict | None:
        began = time.monotonic()
        for arch in self._ports(mutant):
            try:
                product = self.build(mutant, arch)
            except BuildFailed as error:
                return Verdict(None, arch, error.lines[0], time.monotonic() - began)
            for run, fault in self._faults(mutant, arch, product):
                if fault is not None:
                    self._order.killed(mutant, run)
                    return Verdict(True, f"{arch} {run}", fault, time.monotonic() - began)
        return Verdict(False, "", "", time.monotonic() - began)

    def _booted(self, run: Run, product: Product, cost: float | None) -> tuple[Evidence, str]:
        return self._boot(engine.boot_of(self._lab.test(run.test), run, product), cost)

    def _fault(self, run: Run, product: Product) -> str | None:
        """How a kernel fails @run, or None."""
        evidence, late = self._booted(run, product, self._cost(run))
        return late or self._wrong(run, evidence)

    def _wrong(self, run: Run, evidence: Evidence) -> str | None:
        verdict = judge(self._lab, self._lab.test(run.test), evidence)
        if verdict.kind is Kind.PASS:
            return None
        says, kind = verdict.findings[0].happened if verdict.findings else "", verdict.kind.value
        return says if says.startswith(kind) else f"{kind}: {says}"

    def _faults(self, mutant: Mutant, arch: str, product: Product) -> Iterator[tuple[str, str | None]]:
        for run in self._in_order(mutant, arch):
            yield _say(run), self._fault(run, product)

    def _in_order(self, mutant: Mutant, arch: str) -> list[Run]:
        """Puts runs that are known to be cheap first, then those that were not made yet, as in lab.toml."""
        costs = {run: self._known_cost(run) for run in self._runs if run.arch == arch}
        assumed = max((cost for cost in costs.values() if cost is not None), default=0.0)

        def key(run: Run) -> tuple[float, ...]:
            cost = costs[run]
            return self._order.key(mutant, _say(run), assumed if cost is None else cost)

        return sorted(costs, key=key)
