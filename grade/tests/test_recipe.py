"""A QEMU on which runs are not the same is refused, in one line."""

import os
import shutil
import subprocess
import tempfile
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from grade import recipe
from grade.build import Product
from grade.errors import GraderError
from grade.machine import Boot, Ended, Evidence, Runner
from grade.protocol import parse, split
from grade.trace import EMPTY, Layout
from tools.test.builds import clean_environment

ROOT = Path(__file__).resolve().parent.parent.parent
_PRODUCTS = {"riscv": Product(Path("k"), None)}


def _evidence(text: str = "as ever", ended: Ended = Ended.EXITED) -> Evidence:
    wire = split(text.encode())
    return Evidence(ended, 33, wire, parse(wire.kernel, "n"), EMPTY)


class Boots:
    """Gives what it is told, run after run."""

    def __init__(self, *evidence: Evidence) -> None:
        self._evidence = iter(evidence)

    def boot(self, _boot: Boot) -> Evidence:
        return next(self._evidence)


@contextmanager
def instead_of_qemu(script: str) -> Iterator[None]:
    """A qemu-system-riscv64 of our own is found first; $REAL is the true one."""
    real = shutil.which("qemu-system-riscv64")
    with tempfile.TemporaryDirectory(prefix="trellis-test-") as name:
        program = Path(name, "qemu-system-riscv64")
        program.write_text(f"#!/bin/sh\nREAL={real}\n{script}\n")
        program.chmod(0o755)
        with patch.dict(os.environ, {"PATH": f"{name}:{os.environ['PATH']}"}):
            yield


class RecipeTest(unittest.TestCase):
    def refused(self, boots: recipe.Boots, honest: bool = True) -> str:
        with self.assertRaises(GraderError) as caught:
            recipe.check(boots, _PRODUCTS, honest)
        self.assertNotIn("\n", str(caught.exception))
        return str(caught.exception)

    def test_the_same_twice_is_fine(self) -> None:
        recipe.check(Boots(_evidence(), _evidence()), _PRODUCTS, True)

    def test_two_different_runs_are_not(self) -> None:
        said = self.refused(Boots(_evidence(), _evidence("once in a while")))
        self.assertIn("did not run the same way twice", said)

    def test_a_slow_host_is_no_fault_of_qemus(self) -> None:
        recipe.check(Boots(_evidence(), _evidence("", Ended.SLOW)), _PRODUCTS, True)

    def test_a_known_kernel_that_hangs(self) -> None:
        hung = _evidence(ended=Ended.HUNG)
        self.assertIn("never interrupted", self.refused(Boots(hung, hung)))
        recipe.check(Boots(hung, hung), _PRODUCTS, False)  # a student's may hang by itself

    def test_a_qemu_that_is_too_old(self) -> None:
        with instead_of_qemu("echo 'QEMU emulator version 6.2.0 (Debian)'"):
            said = self.refused(Boots())
        self.assertTrue(said.startswith("qemu-system-riscv64 6.2.0 cannot grade: it is too old"), said)

    def test_a_qemu_that_takes_time_from_the_host(self) -> None:
        """The real one, but without -icount."""
        kernel = ROOT / "build/riscv/debug-test/kernel.elf"
        argv = ["make", "-s", "-C", str(ROOT), "ARCH=riscv", "TESTS=1", "kernel"]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env=clean_environment())
        runner = Runner(Layout.read(ROOT), b"secret", fenced=False)
        products = {"riscv": replace(_PRODUCTS["riscv"], kernel=kernel)}
        recipe.check(runner, products, True)
        without = """n=$#; while [ $n -gt 0 ]; do
            case $1 in shift=*) ;; -icount) ;; *) set -- "$@" "$1" ;; esac; shift; n=$((n - 1)); done
            exec $REAL "$@" """
        with instead_of_qemu(without), self.assertRaises(GraderError) as caught:
            recipe.check(runner, products, True)
        self.assertIn("did not run the same way twice", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
