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
from tools import qemu
from tools.programs import clean_environment
from tools.qmp import Qmp

ROOT = Path(__file__).resolve().parent.parent.parent
_PRODUCTS = {"riscv": Product(Path("k"), None)}


def _evidence(text: str = "as ever", ended: Ended = Ended.EXITED) -> Evidence:
    wire = split(text.encode())
    return Evidence(ended, 33, wire, parse(wire.kernel, "n"), EMPTY)


class Boots:
    """Stands in for a machine.Runner: gives the results that it was made with, run after run."""

    def __init__(self, *evidence: Evidence) -> None:
        self._evidence = iter(evidence)

    def boot(self, _boot: Boot) -> Evidence:
        return next(self._evidence)


@contextmanager
def instead_of_qemu(script: str) -> Iterator[None]:
    """Puts our own qemu-system-riscv64 first in the PATH; $REAL is the real one."""
    real = shutil.which("qemu-system-riscv64")
    with tempfile.TemporaryDirectory(prefix="trellis-test-") as name:
        program = Path(name, "qemu-system-riscv64")
        program.write_text(f"#!/bin/sh\nREAL={real}\n{script}\n")
        program.chmod(0o755)
        with patch.dict(os.environ, {"PATH": f"{name}:{os.environ['PATH']}"}):
            yield


def qemu_that_gets(change: str) -> str:
    """A script that runs $REAL with each $word of its command as @change, a command of sh, leaves it."""
    return f"""for word; do
            {change}
            set -- "$@" "$word"; shift
        done
        exec $REAL "$@" """


class RecipeTest(unittest.TestCase):
    def refused(self, boots: recipe.Boots, products: dict[str, Product] = _PRODUCTS) -> str:
        with self.assertRaises(GraderError) as caught:
            recipe.check(boots, products, True)
        self.assertNotIn("\n", str(caught.exception))
        return str(caught.exception)

    def test_the_same_twice_is_fine(self) -> None:
        recipe.check(Boots(_evidence(), _evidence()), _PRODUCTS, True)

    def test_a_known_kernel_that_only_its_limit_ends(self) -> None:
        panicked = replace(_evidence(), status=qemu.STATUS_PANIC)
        self.assertIn("never interrupted", self.refused(Boots(panicked, panicked)))
        recipe.check(Boots(panicked, panicked), _PRODUCTS, False)

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

    def runner(self) -> tuple[Runner, dict[str, Product]]:
        """The real one, with a test kernel."""
        kernel = ROOT / "build/riscv/debug-test/kernel.elf"
        argv = ["make", "-s", "-C", str(ROOT), "ARCH=riscv", "TESTS=1", "kernel"]
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env=clean_environment())
        runner = Runner(Layout.read(ROOT), b"secret", fenced=False)
        return runner, {"riscv": replace(_PRODUCTS["riscv"], kernel=kernel)}

    def test_a_machine_that_is_held_until_qemu_is_tidy_runs_the_same(self) -> None:
        runner, products = self.runner()
        boot = Boot("riscv", products["riscv"].kernel, None, 2, 1, 50_000_000, test="list")
        with patch("tools.qemu.version", return_value=(7, 2)):
            at_once = runner.boot(boot)
        with patch("tools.qemu.version", return_value=(11, 1)), patch(
            "tools.qmp.Qmp.settle", autospec=True, side_effect=Qmp.settle
        ) as held:
            self.assertEqual(runner.boot(boot), at_once)
            self.assertEqual(held.call_count, 1)
            runner.boot(replace(boot, cpus=1))
            self.assertEqual(held.call_count, 1)  # with one CPU there are no turns

    def test_a_qemu_whose_time_is_another_one_each_time(self) -> None:
        """The real one, but every other run takes two nanoseconds an instruction."""
        runner, products = self.runner()
        recipe.check(runner, products, True)
        other = qemu_that_gets("""case $word in shift=0,sleep=off)
            if [ -e "${0%/*}/second" ]; then word=shift=1,sleep=off; fi; touch "${0%/*}/second" ;; esac""")
        with instead_of_qemu(other):
            self.assertIn("did not run the same way twice", self.refused(runner, products=products))

    @unittest.skipUnless(qemu.version("riscv") < (8,), "newer ones divide time among the CPUs themselves")
    def test_a_qemu_without_the_timers_that_end_turns(self) -> None:
        runner, products = self.runner()
        other = qemu_that_gets(
            "case $word in filter-*) word=rng-builtin${word#*buffer}; word=${word%%,net*} ;; esac"
        )
        with instead_of_qemu(other):
            self.assertIn("never interrupted", self.refused(runner, products=products))


if __name__ == "__main__":
    unittest.main()
