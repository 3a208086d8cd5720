"""A static glibc program with threads, semaphores, condition variables and fork: on both ports, on 1 and
4 CPUs, it prints and returns what it does on this machine's Linux."""

from __future__ import annotations

import subprocess
import tempfile
import unittest
from pathlib import Path

from tools.test.programs import difference, run_on_terminal
from tools.tests.support import run

_SOURCE = Path(__file__).with_name("glibc.c")
_STATUS = 42


def _compile(compiler: str, kind: str, folder: Path) -> Path:
    program = folder / kind
    words = [compiler, "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-pthread", f"-{kind}"]
    subprocess.run([*words, "-o", program, _SOURCE, "-lm"], check=True)
    return program


class Riscv(unittest.TestCase):
    ARCH = "riscv"
    COMPILER = "riscv64-linux-gnu-gcc"
    KINDS: tuple[str, ...] = ("static",)  # Debian 12 has no rcrt1.o for RISC-V

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="trellis-test-")
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name, "root")
        self.root.mkdir()
        for kind in self.KINDS:
            _compile(self.COMPILER, kind, self.root)
        on_host = _compile("gcc", "static", Path(folder.name))
        status, self.output = run_on_terminal([str(on_host)], Path(folder.name))
        self.assertEqual(status, _STATUS, self.output)

    def test_it_does_what_it_does_on_linux(self) -> None:
        command = "; ".join(f"/{kind}; echo =$?" for kind in self.KINDS)
        expected = (self.output + b"=%d\n" % _STATUS) * len(self.KINDS)
        for cpus in (1, 4):
            with self.subTest(cpus=cpus):
                extra = ("--cpus", str(cpus), "--extra", str(self.root))
                done = run(self.ARCH, *extra, cmd=command)
                said = f"{difference(expected, done.stdout)}\n{done.stderr.decode()[-1000:]}"
                self.assertTrue(done.stdout == expected and done.returncode == 0, said)


class X86(Riscv):
    ARCH = "x86_64"
    COMPILER = "gcc"
    KINDS = ("static", "static-pie")


if __name__ == "__main__":
    unittest.main()
