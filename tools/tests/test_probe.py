"""The program that tests a toolchain: it boots, and errors are reported in one line."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tools import qemu
from tools.programs import ROOT


def probe(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "tools/probe.py", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


class ProbeTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="trellis-test-")
        self.addCleanup(folder.cleanup)
        self.bin = Path(folder.name)
        self.path = f"{self.bin}:{os.environ['PATH']}"

    def instead_of(self, name: str, script: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def test_every_toolchain_boots_it(self) -> None:
        for arch in qemu.ARCHES:
            for compiler in ("gcc", "clang"):
                with self.subTest(f"{arch} {compiler}"):
                    done = probe(arch, compiler)
                    self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_a_compiler_that_was_named_is_of_one_port(self) -> None:
        """make CROSS=riscv64-linux-gnu- sets up both ports, and each has a compiler of its own."""
        done = probe("x86_64", "gcc", CROSS="riscv64-linux-gnu-")
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_a_compiler_without_assembler(self) -> None:
        says = "clang: fatal error: cannot execute 'as'"
        self.instead_of("clang", f'case "$*" in *probe.c*) echo "{says}" >&2; exit 1; esac; echo 1')
        done = probe("x86_64", "clang", PATH=self.path)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, f"does not compile a program: {says}\n")

    def test_an_emulator_that_does_not_start(self) -> None:
        self.instead_of("qemu-system-riscv64", "echo 'no firmware' >&2; exit 1")
        done = probe("riscv", "gcc", PATH=self.path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("does not boot: qemu-system-riscv64 ended with 1: no firmware\n", done.stdout)

    def test_wrong_arguments(self) -> None:
        self.assertEqual(probe("sparc", "gcc").returncode, 2)


if __name__ == "__main__":
    unittest.main()
