"""Tests, at the start of every grading, that this machine's QEMU runs the same machine twice in the same way.

That a run is the same everywhere (docs/grader.md) depends partly on how QEMU works: turns that a timer
ends, CPUs in one thread, a clock that counts instructions. A QEMU that is built without these features
says so when it starts. A QEMU that works differently is found here: a machine with several CPUs is
booted twice, and everything that it printed and traced must be the same. A kernel that is known to work
must also come to its end, although its CPUs wait for each other. If this fails, no verdict could be
trusted, so the grader gives none.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from grade.build import Product
from grade.errors import GraderError
from grade.machine import Boot, Ended, Evidence
from tools import qemu

_LIMIT = 50_000_000  # instructions; it boots, lists its tests and powers off after a fifth
_CPUS = 4  # enough to use turns, spare CPUs and interrupts between CPUs
_OLDEST = (7, 2)


class Boots(Protocol):
    """A machine.Runner, or a test's."""

    def boot(self, boot: Boot) -> Evidence: ...


def _refuse(arch: str, why: str) -> GraderError:
    number = ".".join(map(str, qemu.version(arch)))
    return GraderError(f"{qemu.program(arch)} {number} cannot grade: {why}; QEMU 7.2 to 11.1 as Debian "
                       "builds them can (docs/grader.md)")  # fmt: skip


def _check(boots: Boots, arch: str, product: Product, honest: bool) -> None:
    if () < qemu.version(arch) < _OLDEST:
        raise _refuse(arch, "it is too old")
    boot = Boot(arch, product.kernel, None, _CPUS, 1, _LIMIT, slices="fine", test="list")
    first, again = (boots.boot(boot) for _ in range(2))
    if Ended.SLOW in (first.ended, again.ended):
        return  # a slow host says nothing about QEMU; its runs will say "machine too slow"
    if first != again:
        raise _refuse(arch, "one machine, booted twice, did not run the same way twice")
    if honest and (first.ended is not Ended.EXITED or first.status != qemu.STATUS_OFF):
        raise _refuse(arch, "a CPU that waits for another one is never interrupted")


def check(boots: Boots, products: Mapping[str, Product], honest: bool) -> None:
    """Raises GraderError unless both runs are the same on each port. @honest: the kernels are known to
    work, so that one that hangs is QEMU's fault too."""
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(_check, boots, a, p, honest) for a, p in products.items()]:
            done.result()
