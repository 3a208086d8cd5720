"""Those that may notice a mutant: the explorer (here), and tests under QEMU (booting.py).

Each is a Killer: it gets one mutant and answers with a Verdict, or with None if it can say nothing
about this one. They are asked in turn until one kills. All may be called from several threads.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from grade.lab import ARCHES, Lab
from grade.mutants import lay_out
from tools.mutate.mutants import Mutant
from tools.mutate.store import Store, hash_of
from tools.options import interrupted
from tools.test.builds import clean_environment

BUILT = ("make/kernel.mk", "make/toolchain.mk", "kernel", *(f"arch/{arch}" for arch in ARCHES))
_EXPLORER = "tools/explore"
_EXPLORED = (_EXPLORER, "arch/host", "make/explore.mk")
_EXPLORED_S = 600.0  # the explorer bounds itself; this is for one that does not


@dataclass(frozen=True)
class Verdict:
    """@killed is None if the mutant does not even build as a whole kernel."""

    killed: bool | None
    killer: str  # which test, on which machine
    evidence: str  # in one line
    seconds: float = 0.0


class Killer(Protocol):
    name: str  # in the table
    context: str  # hash of all but the mutant that a verdict depends on

    def judge(self, mutant: Mutant) -> Verdict | None: ...


class Explorer:
    """python3 -m tools.explore: every schedule of the lab's scenarios, on this machine's own CPU."""

    name = "explorer"

    def __init__(self, root: Path, lab: Lab) -> None:
        self._root, self._lab = root, lab
        self.context = f"{lab.name} " + hash_of(
            root, (*BUILT, *_EXPLORED, f"labs/{lab.name}/scenarios", f"labs/{lab.name}/lab.toml")
        )

    @staticmethod
    def exists(root: Path) -> bool:
        return (root / _EXPLORER / "__main__.py").is_file()

    def judge(self, mutant: Mutant) -> Verdict | None:
        if mutant.path.startswith("arch/"):
            return None  # it has a port of its own
        with tempfile.TemporaryDirectory(prefix="trellis-mutate-") as name:
            folder = Path(name, "submission")
            lay_out(self._root, self._lab, {mutant.path: mutant.content}, folder)
            argv = [sys.executable, "-m", "tools.explore", "--lab", self._lab.name]
            argv += ["--first", "--submission", str(folder), "--json", str(Path(name, "found.json"))]
            began = time.monotonic()
            try:
                done = subprocess.run(
                    argv,
                    cwd=self._root,
                    env=clean_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    check=False,
                    timeout=_EXPLORED_S,
                )
            except subprocess.TimeoutExpired:
                return None
        if done.returncode not in (0, 1):
            return None
        said = next((line.strip() for line in done.stdout.splitlines() if line.strip()), "no word")
        seconds = time.monotonic() - began
        return Verdict(done.returncode == 1, "explorer", said, seconds)


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


def judged(killers: Sequence[Killer], store: Store, mutant: Mutant) -> Mapping[str, Verdict]:
    """The verdicts on @mutant by killer, up to the first that kills; known ones are not asked for again."""
    found: dict[str, Verdict] = {}
    for killer in killers:
        key = f"{killer.name} {killer.context} {mutant.key}"
        known = store.get(key)
        if known is None:
            verdict = killer.judge(mutant)
            if interrupted():
                raise KeyboardInterrupt  # it may have been QEMU that was killed, and not the mutant
            if verdict is None:
                continue
            store.put(key, id=mutant.id, **vars(verdict))
        else:
            verdict = Verdict(known["killed"], known["killer"], known["evidence"], known["seconds"])
        found[killer.name] = verdict
        if verdict.killed is not False:
            break
    return found
