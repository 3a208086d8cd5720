"""The Makefile: wrong values, quoting, incremental builds."""

import os
import re
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from tools.programs import ROOT, clean_environment
from tools.tests.support import make

_MAKEFILE = (ROOT / "Makefile").read_text().replace("\\\n", " ")
_INSTRUCTORS = (ROOT / "make/instructor.mk").read_text().replace("\\\n", " ")
_NOT_THEIRS = {"MAKECMDGOALS", "MAKEFLAGS", "MAKELEVEL", "PYTHON", "MAKE", "CURDIR", "B"}


class WrongValues(unittest.TestCase):
    def check(self, *words: str, allowed: str) -> None:
        done = make(*words)
        self.assertEqual(done.returncode, 2, words)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(allowed, done.stderr)

    def test_each_has_one_line_that_says_what_is_allowed(self) -> None:
        self.check("kernel", "ARCH=arm", allowed="riscv x86_64")
        self.check("kernel", "ARCH=", allowed="riscv x86_64")
        self.check("kernel", "BUILD=x", allowed="debug release")
        self.check("kernel", "LLVM=yes", allowed="0 1")
        self.check("qemu", "CPUS=0", allowed="1 2 3 4 5 6 7 8")
        self.check("qemu", "CPUS=99", allowed="1 2 3 4 5 6 7 8")
        self.check("grade", "LAB=nope", allowed="must be one of")
        self.check("grade", "LAB=", allowed="must be one of")
        self.check("grade", "SUBMISSION=/no/such", allowed="no such directory")
        self.check("-n", "grade", "SUBMISSION=", allowed="SUBMISSION= is empty")
        self.check("run", "CMD=true", "EXTRA=", allowed="EXTRA= is empty")
        self.check("run", "CMD=true", f"EXTRA={__file__}", allowed="is a file where a directory is wanted")
        self.check("grade", "SEEDS=many", allowed="must be a number")
        self.check("run", "CMD=true", "EXTRA=/no/such", allowed="no such directory")
        self.check("run", "CMD=true", "TIMEOUT=soon", allowed="must be a number")
        self.check("run", "CMD=true", "TIMEOUT=", allowed="must be a number")
        self.check("run", allowed="CMD=")
        self.check("starter", "OUT=/tmp", allowed="LAB=")


    def test_an_empty_one_of_the_environment_is_refused_too(self) -> None:
        done = make("-n", "grade", env={"SUBMISSION": ""})
        self.assertEqual(done.returncode, 2)
        self.assertIn("SUBMISSION= is empty", done.stderr)

    def test_only_the_matrix_takes_folders_of_mistakes(self) -> None:
        labs = " ".join(sorted(toml.parent.name for toml in ROOT.glob("labs/*/lab.toml")))
        for goal in "grade", "starter":
            for name in "nope", *_of_mistakes_alone():
                self.check("-n", goal, f"LAB={name}", "OUT=x", allowed=f"must be one of: {labs}.")
        for name in _of_mistakes_alone():
            self.check("-n", "matrix", "LAB=nope", allowed=name)
            self.assertEqual(make("-n", "matrix", f"LAB={name}").returncode, 0)


def _of_mistakes_alone() -> list[str]:
    """The folders of mistakes whose part has no lab."""
    folders = (ROOT / "labs/mistakes").glob("[0-9]*")
    return [f.name for f in folders if not (ROOT / "labs" / f.name).exists()]


class Help(unittest.TestCase):
    def test_lists_every_goal(self) -> None:
        text = make("help").stdout
        phony = re.search(r"^\.PHONY: (.*)$", _MAKEFILE, re.M)
        assert phony is not None
        for goal in {*phony[1].split()} - {"help", "FORCE"}:
            self.assertRegex(text, rf"make {goal}\b(?!-)")

    def test_lists_every_variable(self) -> None:
        text = make("help").stdout
        used = {*re.findall(r"\$[({](?:value )?([A-Z]+)[)}]", _MAKEFILE)} | {"CROSS"}
        self.assertIn("OUT", used)
        for name in used - _NOT_THEIRS:
            self.assertRegex(text, rf"(?m)^  {name}=")

    def test_shows_values_in_force(self) -> None:
        self.assertIn("ARCH=riscv", make("help").stdout)
        self.assertIn("ARCH=x86_64", make("help", "ARCH=x86_64").stdout)


class Names(unittest.TestCase):
    """Blanks, quotes and $ in a name."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="trellis-test-")
        self.addCleanup(folder.cleanup)
        self.odd = Path(folder.name) / 'my "kernel"\'s $HOME $(x) `y`'
        self.odd.mkdir()

    def test_extra(self) -> None:
        (self.odd / "hello").write_text("hello\n")
        done = make("run", "CMD=cat /hello", f"EXTRA={self.odd}")
        self.assertEqual(done.stdout, "hello\n", done.stderr)

    def test_out(self) -> None:
        done = make("starter", "LAB=04-sleep", f"OUT={self.odd / 'starter'}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((self.odd / "starter" / "Makefile").exists())

    def passed(self, goal: str, *words: str) -> list[bytes]:
        """The arguments that the program behind @goal gets, instead of which a script is run."""
        python, record = self.odd.parent / "python", self.odd.parent / "record"
        python.write_text(f"#!/bin/sh\nprintf '%s\\0' \"$@\" >'{record}'\n")
        python.chmod(0o755)
        done = make(goal, f"PYTHON={python}", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return record.read_bytes().split(b"\0")

    def test_every_name_arrives_as_it_is_and_runs_nothing(self) -> None:
        trap = self.odd.parent / "trap"
        for name in (
            f"$(shell touch {trap})", f"$(touch {trap})", f"`touch {trap}`", f"'; touch {trap}; '",
            f"a\ntouch {trap}", "a\n\tb\n", "-n", "--help", "a b", '"', "'", "$$HOME", "$HOME", "#", "%",
            ",)", "a\\", "*", "~", "\udcff\udc80", "x=y", "\x1b[2J",
        ):  # fmt: skip
            there = self.odd.parent / "all" / name.replace("/", "\u2215")
            there.mkdir(parents=True)
            with self.subTest(name):
                words = [f"SUBMISSION={there}", f"REPORT={there}{name}", f"JSON={there}{name}"]
                said = self.passed("grade", *words)
                for word in words:
                    option, _, value = word.partition("=")
                    self.assertIn(os.fsencode(f"--{option.lower()}={value}"), said)
                for goal, name_of, option in (
                    ("explore", "SCENARIO", "scenario"),
                    ("handin", "OUT", "out"),
                    ("check", "STEP", "step"),
                    ("replay", "TEST", "test"),
                ):
                    more = ["LAB=04-sleep", "TEST=x"] if goal == "replay" else ["LAB=04-sleep", "STEP=1"]
                    said = self.passed(goal, *more, f"{name_of}={name}")
                    self.assertIn(os.fsencode(f"--{option}={name}"), said)
        self.assertFalse(trap.exists())

    def test_what_is_passed_is_a_text(self) -> None:
        used = {*re.findall(r"\$\(call named,\w+,(\w+)\)", _MAKEFILE + _INSTRUCTORS)} - {"NAME"}
        self.assertGreater(len(used), 20)
        found = re.search(r"^texts := (.*)$", _MAKEFILE, re.M)
        assert found is not None
        self.assertEqual(used - {*found[1].split()}, set())


class Run(unittest.TestCase):
    def test_command_arrives_as_typed(self) -> None:
        done = make("run", "CMD=a=1; echo \"$a  b\" '$a' $((2 + 3)) # no\nexit 0")
        self.assertEqual(done.stdout, "1  b $a 5\n")

    def test_doubled_dollars_mean_one(self) -> None:
        self.assertEqual(make("run", "CMD=a=1; echo $$a").stdout, "1\n")

    def test_failure_is_makes_own(self) -> None:
        done = make("run", "CMD=exit 7", "ARCH=x86_64")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("Error 7", done.stderr)


class Incremental(unittest.TestCase):
    """In a copy with two files, so that it does not matter what else is going on."""

    rest = True

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="trellis-test-")
        self.addCleanup(folder.cleanup)
        self.tree = Path(folder.name)
        for name in ("Makefile", "make", "tools", "user", "bench"):
            (self.tree / name).symlink_to(ROOT / name)
        self.write("kernel/include/a.h", "#define A 1\n")
        self.write("kernel/lib/a.c", '#include "a.h"\nint a(void);\nint a(void) { return A; }\n')
        self.write("kernel/abi/syscalls.def", "")
        self.write("kernel/lib/test_a.c", "int t(void);\nint t(void) { return 1; }\n")
        self.write("arch/riscv/start.S", "\t.globl start\nstart:\tj start\n")
        self.write(
            "arch/riscv/kernel.ld",
            "ENTRY(start) SECTIONS { . = 0xffffffff80200000; .text : { *(.text*) }\n"
            ".rodata : { *(.rodata*) KEEP(*(.ksyms)) } /DISCARD/ : { *(.eh_frame) } }\n",
        )

    def write(self, name: str, text: str) -> None:
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def build(self, *words: str) -> list[str]:
        """The short lines of a build: what it did."""
        done = subprocess.run(
            ["make", "kernel", *words],
            cwd=self.tree,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        return sorted(" ".join(line.split()) for line in done.stdout.splitlines())

    def test_does_what_is_needed_and_no_more(self) -> None:
        whole = ["CC arch/riscv/start.S", "CC kernel/lib/a.c", "LD build/riscv/debug/kernel.elf"]
        self.assertEqual(self.build(), whole)
        self.assertEqual(self.build(), [])
        self.write("kernel/include/a.h", "#define A 2\n")
        self.assertEqual(self.build(), whole[1:])

    def test_a_file_from_the_future_makes_no_endless_loop(self) -> None:
        """As it is left by a clock that was ahead, and has been put back."""
        (self.tree / "tools").unlink()
        (self.tree / "tools").mkdir()
        for path in (ROOT / "tools").iterdir():
            (self.tree / "tools" / path.name).symlink_to(path)
        (self.tree / "tools/setup.sh").unlink()
        self.write("tools/setup.sh", (ROOT / "tools/setup.sh").read_text())
        tomorrow = time.time() + 86400
        os.utime(self.tree / "tools/setup.sh", (tomorrow, tomorrow))
        self.assertEqual(len(self.build()), 3)

    def test_new_and_removed_sources_are_seen(self) -> None:
        self.build()
        self.write("kernel/lib/b.c", "int b(void);\nint b(void) { return 1; }\n")
        self.assertIn("CC kernel/lib/b.c", self.build())
        (self.tree / "kernel/lib/b.c").unlink()
        self.assertEqual(self.build(), ["LD build/riscv/debug/kernel.elf"])

    def test_other_flags_rebuild(self) -> None:
        self.build()
        self.assertEqual(len(self.build("WARNINGS=-Wall")), 3)
        self.assertEqual(len(self.build("WARNINGS=-Wall")), 0)
        self.build()
        self.assertEqual(self.build("STARTER=1"), [], "only warnings are other ones")

    def test_tests_are_linked_only_when_asked_for(self) -> None:
        self.assertNotIn("CC kernel/lib/test_a.c", self.build())
        self.assertIn("CC kernel/lib/test_a.c", self.build("TESTS=1"))

    def test_what_is_the_same_with_tests_is_compiled_once(self) -> None:
        self.write("kernel/lib/b.c", "int b(void);\nint b(void) { return 1; /* as if TEST_BUILD */ }\n")
        self.build()
        done = self.build("TESTS=1")
        self.assertIn("CC kernel/lib/b.c", done)
        self.assertNotIn("CC kernel/lib/a.c", done)
