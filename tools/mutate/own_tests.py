"""The killer for files that belong to no lab: the kernel's own tests and the user tests, under QEMU.

Some tests share a machine, one after the other. All batches first run on the kernel itself, which says
what is right and how long it takes.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grade import engine
from grade.build import Product
from grade.machine import Boot, Ended, Evidence
from tools import qemu
from tools.boot import with_command
from tools.mutate.booting import Booting
from tools.mutate.killers import BUILT, JUDGED
from tools.mutate.mutants import Mutant
from tools.mutate.store import Store, hash_of
from tools.progress import Progress
from tools.test.programs import FILLS_MEMORY, difference, programs

_KTEST = re.compile(r'^KTEST\(\w+,\s*"([^"]+)",\s*""', re.M)
_BATCH = 16  # tests in the kernel on one machine
_PROGRAMS = 8  # user tests on one machine
_LIMIT = 3_000_000_000  # instructions
_LIMIT_OF_PROGRAMS = 10_000_000_000
_SHIFT = 3  # 8 ns each, so that time passes quickly where a test waits for it
_MEMORY_MIB = 256


@dataclass(frozen=True)
class _Batch:
    arch: str
    cpus: int
    folder: str  # whose tests they are; "": the user tests
    tests: tuple[str, ...]  # names of tests in the kernel, or commands
    cost: float = 0.0
    said: str = ""  # by user tests, on the kernel itself

    def __str__(self) -> str:
        return f"{self.tests[0]} to {self.tests[-1]}, {self.cpus} CPU" + "s" * (self.cpus > 1)

    def boot(self, product: Product, folder: Path) -> Boot:
        """@folder: for an initrd."""
        if self.folder:
            return Boot(self.arch, product.kernel, None, self.cpus, 1, _LIMIT, _SHIFT,
                        test=",".join(self.tests), memory=_MEMORY_MIB)  # fmt: skip
        assert product.initrd is not None
        script = "".join(f"echo '== {test}'\n{test}\necho \"== $?\"\n" for test in self.tests)
        initrd = with_command(product.initrd, folder / "initrd", script.encode())
        return Boot(self.arch, product.kernel, initrd, self.cpus, 1, _LIMIT_OF_PROGRAMS, _SHIFT,
                    memory=_MEMORY_MIB)  # fmt: skip


class OwnTests(Booting):
    """In turn: the tests in the kernel of the mutant's folder, and then all batches, first those that
    have killed mutants of the same function. User tests run on one port."""

    def __init__(self, bench: engine.Bench, store: Store, progress: Progress) -> None:
        super().__init__(bench, progress)
        users = ("user", "tools/boot.py", "tools/test/programs.py")
        kernel = hash_of(bench.root, (*BUILT, *JUDGED))
        self.context = f"kernel {kernel} {hash_of(bench.root, users, frozenset())}"
        wanted = list(self._wanted())
        progress.expect(len(wanted))
        self._batches: list[_Batch] = []
        for batch in wanted:
            measured = self._measured(store, batch)
            if measured.tests:
                self._batches.append(measured)
            progress.step(f"the kernel itself: {batch}")

    def _wanted(self) -> Iterator[_Batch]:
        arches = list(self._bench.references)
        small = [p.command for p in programs(Path()) if p.name != FILLS_MEMORY]
        for cpus in (1, 4):
            for arch in arches:
                for folder, tests in _names(self._bench.root).items():
                    yield from (_Batch(arch, cpus, folder, some) for some in _parts(tests, _BATCH))
            yield from (_Batch(arches[0], cpus, "", some) for some in _parts(small, _PROGRAMS))

    def _measured(self, store: Store, batch: _Batch) -> _Batch:
        """@batch without the tests that the kernel itself does not pass here, with what it costs and says. (A
        test may need a policy or a machine of its own.)"""
        key = f"cost {self.context} {batch.arch} {batch.cpus} {','.join(batch.tests)}"
        known = store.get(key)
        if known is None:
            done = self._timed(batch)
            if done is None:
                passing = [test for test in batch.tests if self._timed(_of(batch, (test,))) is not None]
                done = self._timed(_of(batch, passing)) if passing else None
            found = done or _of(batch, ())
            known = {"passing": found.tests, "seconds": found.cost, "said": found.said}
            store.put(key, **known)
        return _of(batch, known["passing"], float(known["seconds"]), known["said"])

    def _timed(self, batch: _Batch) -> _Batch | None:
        """@batch as the kernel itself passes it, or None."""
        began = time.monotonic()
        product = self._honest[batch.arch]
        seen, _ = self._seen(batch, product, None)
        seconds = time.monotonic() - began
        said = _said(seen)
        right = not _wrong_end(batch, seen)
        if not batch.folder:
            right = right and len(re.findall("^== 0$", said, re.M)) == len(batch.tests)
        return _of(batch, batch.tests, seconds, said if not batch.folder else "") if right else None

    def _seen(self, batch: _Batch, product: Product, cost: float | None) -> tuple[Evidence, str]:
        with tempfile.TemporaryDirectory(prefix="trellis-mutate-") as folder:
            return self._boot(batch.boot(product, Path(folder)), cost)

    def _fault(self, batch: _Batch, product: Product) -> str | None:
        """How a kernel fails @batch, or None."""
        seen, late = self._seen(batch, product, batch.cost)
        if seen.messages.failures:
            return seen.messages.failures[0].text
        if late:
            return late
        if batch.folder or _said(seen) == batch.said:
            return _wrong_end(batch, seen) or None
        return difference(batch.said.encode(), _said(seen).encode())

    def _faults(self, mutant: Mutant, arch: str, product: Product) -> Iterator[tuple[str, str | None]]:
        for batch in self._in_order(mutant, arch):
            yield str(batch), self._fault(batch, product)

    def _in_order(self, mutant: Mutant, arch: str) -> list[_Batch]:
        """The folder's own tests are first, whatever they cost."""
        mine = [batch for batch in self._batches if batch.arch == arch]
        home = str(Path(mutant.path).parent)
        return sorted(mine, key=lambda b: (b.folder != home, *self._order.key(mutant, str(b), b.cost)))


def _of(batch: _Batch, tests: Sequence[str], cost: float = 0.0, said: str = "") -> _Batch:
    return _Batch(batch.arch, batch.cpus, batch.folder, tuple(tests), cost, said)


def _parts(tests: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return (tuple(tests[i : i + size]) for i in range(0, len(tests), size))


def _said(seen: Evidence) -> str:
    return seen.streams.user.decode("utf-8", "replace")


def _wrong_end(batch: _Batch, seen: Evidence) -> str:
    """How the machine ended, if not as it should."""
    ended = seen.messages.ended if batch.folder else seen.streams.init_status is not None
    if seen.ended is Ended.EXITED and seen.status == qemu.STATUS_OFF and ended:
        return "" if not seen.messages.failures else seen.messages.failures[0].text
    last = seen.messages.started[-1] if seen.messages.started else "boot"
    lines = seen.streams.kernel.decode("utf-8", "replace").splitlines()
    panic = next((line.strip() for line in lines if line.startswith("panic: ")), seen.ended.value)
    return f"{last}: {panic}"


def _names(root: Path) -> dict[str, list[str]]:
    """The tests in the kernel that belong to no lab, by folder, without those that run before threads."""
    found: dict[str, list[str]] = {}
    for path in sorted((root / "kernel").rglob("test_*.c")):
        tests = _KTEST.findall(path.read_text(encoding="utf-8"))
        if tests:
            found.setdefault(str(path.parent.relative_to(root)), []).extend(tests)
    return found
