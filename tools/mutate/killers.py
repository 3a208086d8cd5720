"""Those that may notice a mutant: the explorer (exploring.py), and tests under QEMU (booting.py,
own_tests.py).

Each is a Killer: it gets one mutant and answers with a Verdict, or with None if it can say nothing
about this one. They are asked in turn until one kills. All may be called from several threads.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from grade.lab import ARCHES
from tools.mutate.mutants import Mutant
from tools.mutate.store import Store
from tools.options import interrupted

BUILT = ("make/kernel.mk", "make/toolchain.mk", "kernel", *(f"arch/{arch}" for arch in ARCHES))
EXPLORED = ("tools/explore", "arch/host", "make/explore.mk")
JUDGED = ("grade", "tools/qemu.py", "tools/qmp.py", "tools/mux.py")  # what a verdict under QEMU depends on
QEMU = "QEMU"  # the name of the killers that boot


@dataclass(frozen=True)
class Verdict:
    """@killed is None if the mutant does not even build as a whole kernel."""

    killed: bool | None
    killer: str  # which test, on which machine
    evidence: str  # in one line
    seconds: float = 0.0


class Killer(Protocol):
    @property
    def name(self) -> str: ...  # in the table

    @property
    def context(self) -> str: ...  # hash of all but the mutant that a verdict depends on

    def judge(self, mutant: Mutant) -> Verdict | None: ...


@dataclass(frozen=True)
class Known:
    """A killer that is not asked: only what it has said in earlier runs counts."""

    name: str
    context: str

    def judge(self, mutant: Mutant) -> Verdict | None:
        return None


class Late:
    """A killer that is set up when the first mutant is shown to it: many runs never need it."""

    def __init__(self, name: str, context: str, set_up: Callable[[], Killer]) -> None:
        self.name, self.context = name, context
        self._set_up = set_up
        self._killer: Killer | None = None
        self._lock = threading.Lock()

    def judge(self, mutant: Mutant) -> Verdict | None:
        with self._lock:
            if self._killer is None:
                self._killer = self._set_up()
        return self._killer.judge(mutant)


class Order:
    """Which run is most likely to kill: those that killed mutants of the same function, of the same file,
    then those that take the least time."""

    def __init__(self) -> None:
        self._kills: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def killed(self, mutant: Mutant, run: str) -> None:
        with self._lock:
            self._kills[f"{mutant.path}:{mutant.function}", run] += 1
            self._kills[mutant.path, run] += 1

    def key(self, mutant: Mutant, run: str, cost: float) -> tuple[float, ...]:
        with self._lock:
            same = self._kills[f"{mutant.path}:{mutant.function}", run]
            return -same, -self._kills[mutant.path, run], cost


def judged(
    killers: Sequence[Killer], store: Store, mutant: Mutant, each: bool = False
) -> Mapping[str, Verdict]:
    """The verdicts on @mutant by killer, up to the first that kills, or of @each of them; what is known
    is not asked again, and if one is known to kill, no other is asked."""
    known = {k.name: v for k in killers if (v := _known(k, store, mutant)) is not None}
    if not each and (killing := [name for name, verdict in known.items() if verdict.killed]):
        return {killing[0]: known[killing[0]]}
    found: dict[str, Verdict] = {}
    for killer in killers:
        verdict = known.get(killer.name) or killer.judge(mutant)
        if interrupted():
            raise KeyboardInterrupt  # it may have been QEMU that was killed, and not the mutant
        if verdict is None:
            continue
        if killer.name not in known:
            store.put(_key(killer, mutant), id=mutant.id, **vars(verdict))
        found[killer.name] = verdict
        if verdict.killed is None or verdict.killed and not each:
            break
    return found


def _key(killer: Killer, mutant: Mutant) -> str:
    return f"{killer.name} {killer.context} {mutant.key}"


def _known(killer: Killer, store: Store, mutant: Mutant) -> Verdict | None:
    """The verdict of an earlier run."""
    record = store.get(_key(killer, mutant))
    if record is None:
        return None
    return Verdict(record["killed"], record["killer"], record["evidence"], record["seconds"])
