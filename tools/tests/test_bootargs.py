"""A wrong boot argument stops the boot, and one line says which it is and what is allowed. This tries each
argument that docs/bootargs.md lists and the kernel checks, on the ports in turn."""

from __future__ import annotations

import re
import tempfile
import unittest
from itertools import cycle
from pathlib import Path

from tools import qemu
from tools.boot import PATIENCE_S, End, Transcript, transcript, with_command
from tools.programs import ROOT
from tools.test.builds import Build
from tools.tests.support import BUILD_ROOT

_TIME = r"a number from \d+ to \d+ \(suffixes ns us ms s K M G\)"
_SWITCH = "on or off"

# Wrong arguments, and what the line says is allowed. A policy's own arguments are checked when it runs.
_WRONG: tuple[tuple[str, str], ...] = (
    ("cpus=9", r"a number from 1 to 8 .*"),
    ("cpus=0", r"a number from 1 to 8 .*"),
    ("cpus=two", r"a number from 1 to 8 .*"),
    ("sched=nonsense", r"rr.*prio.*mlfq.*edf.*rm.*fair.*pct.*"),
    ("quantum=0", _TIME),
    ("quantum=9us", _TIME),
    ("quantum=11s", _TIME),
    ("quantum=5lightyears", _TIME),
    ("sched=prio aging=0", _TIME),
    ("sched=mlfq boost=9ms", _TIME),
    ("sched=pct pct_depth=0", r"a number from 1 to 1000 .*"),
    ("sched=pct pct_length=0", _TIME),
    ("jitter=0", _TIME),
    ("balance=0", f"off or {_TIME}"),
    ("balance=on", f"off or {_TIME}"),
    ("steal=maybe", _SWITCH),
    ("affinity=maybe", _SWITCH),
    ("threads=31", r"a number from 32 to 32766 .*"),
    ("trace=sched,nonsense", r"a list of sched,.*,none"),
    ("trace_size=1", r"a number from 128 to 32768 .*"),
    ("seed=x", _TIME),
    ("clock=", _TIME),
    ("realtime=-1", _TIME),
    ("limit=soon", _TIME),
    ("limit=9223372036854775808", _TIME),
    ("console=loud", "mux or plain"),
)
_WRONG_IN_TEST_KERNELS: tuple[tuple[str, str], ...] = (
    ("inject=alloc", "alloc:N"),
    ("inject=page:3", "alloc:N"),
    (f"nonce={'x' * 33}", "1 to 32 characters"),
)
_UNCHECKED = {"init", "debugexit", "test", "selftest", "shift"}  # see test_every_argument_is_here


def boot(arch: str, words: str, tests: bool = False, command: bytes = b"true") -> Transcript:
    programs = Build(arch).directory(BUILD_ROOT) / "initramfs.cpio"
    kernel = Build(arch, tests=tests).directory(BUILD_ROOT) / "kernel.elf"
    with tempfile.TemporaryDirectory(prefix="trellis-test-") as scratch:
        machine = qemu.Machine(
            arch=arch,
            kernel=kernel,
            initrd=with_command(programs, Path(scratch, "initrd"), command),
            bootargs=tuple(words.split()),
            icount=qemu.Icount(),
        )
        return transcript(machine, PATIENCE_S)


class Wrong(unittest.TestCase):
    def check(self, arch: str, words: str, allowed: str, tests: bool) -> None:
        seen = boot(arch, words, tests)
        self.assertIs(seen.outcome.end, End.PANIC)  # tools/run: status 125
        said = (seen.kernel + seen.user).decode().replace("\r", "").splitlines()
        name, value = words.split()[-1].split("=")
        lines = [line for line in said if "must be" in line]
        self.assertEqual(len(lines), 1, said)
        self.assertRegex(lines[0], rf"^boot: {name}={re.escape(value)}: must be {allowed}$")
        self.assertEqual(said[-1], lines[0])

    def test_wrong_values(self) -> None:
        for (words, allowed), arch in zip(_WRONG, cycle(qemu.ARCHES)):
            with self.subTest(words=words, arch=arch):
                self.check(arch, words, allowed, tests=False)

    def test_wrong_values_in_test_kernels(self) -> None:
        for (words, allowed), arch in zip(_WRONG_IN_TEST_KERNELS, cycle(qemu.ARCHES)):
            with self.subTest(words=words, arch=arch):
                self.check(arch, words, allowed, tests=True)

    def test_no_such_argument(self) -> None:
        unknown = "no such boot argument (docs/bootargs.md has them)"
        for words, said in (
            ("quantm=5ms", f"boot: quantm=5ms: {unknown}"),
            ("steal=on stealing", f"boot: stealing: {unknown}"),
            ("c=1", f"boot: c=1: {unknown}"),
            ("test=wait.timeout", "boot: test=wait.timeout: only a test kernel knows it (TESTS=1)"),
        ):
            for arch in qemu.ARCHES:
                with self.subTest(words=words, arch=arch):
                    seen = boot(arch, words)
                    self.assertIs(seen.outcome.end, End.PANIC)
                    self.assertIn(said, (seen.kernel + seen.user).decode())

    def test_too_many(self) -> None:
        for arch in qemu.ARCHES:
            with self.subTest(arch=arch):
                seen = boot(arch, " ".join(["seed=1"] * 65))
                self.assertIs(seen.outcome.end, End.PANIC)
                self.assertIn(b"boot: more than 64 boot arguments", seen.kernel + seen.user)

    def test_no_such_init(self) -> None:
        seen = boot("riscv", "init=/no/such")
        self.assertIs(seen.outcome.end, End.PANIC)
        self.assertIn(b"no program /no/such in the initramfs", seen.kernel)

    def test_every_argument_is_here(self) -> None:
        """All that docs/bootargs.md lists; those that take any value, or have a test elsewhere, are told."""
        table = Path(ROOT, "docs/bootargs.md").read_text(encoding="utf-8")
        cells = re.findall(r"^\| (`.+?`) \|", table, re.M)
        listed = {name for cell in cells for name in re.findall(r"`(\w+)=", cell)}
        shown = {w.split("=")[0] for words, _ in (*_WRONG, *_WRONG_IN_TEST_KERNELS) for w in words.split()}
        self.assertEqual(listed - _UNCHECKED, shown)


class Right(unittest.TestCase):
    def test_the_smallest_and_the_largest_limit_are_none(self) -> None:
        for words, arch in zip(("limit=0", "limit=9223372036854775807"), qemu.ARCHES):
            with self.subTest(words=words, arch=arch):
                self.assertIs(boot(arch, words).outcome.end, End.OFF)


class Injected(unittest.TestCase):
    """inject=alloc:N: one allocation fails, the N-th, and what asked for it says so or is killed."""

    COMMAND = b"echo a | cat; echo b | cat; cat /dev/inject"

    def seen(self, arch: str, number: int) -> list[bytes]:
        seen = boot(arch, f"inject=alloc:{number}", tests=True, command=self.COMMAND)
        self.assertIs(seen.outcome.end, End.OFF)
        return seen.user.splitlines()

    def test_one_allocation_fails(self) -> None:
        for arch in qemu.ARCHES:
            *said, counts = self.seen(arch, 1_000_000)
            made, failed = map(int, counts.split())
            self.assertEqual((said, failed), ([b"a", b"b"], 0))
            ends = []  # of those that the failure left a shell to tell
            for number in (made // 3, made // 2, made * 2 // 3):
                with self.subTest(arch=arch, number=number):
                    lines = self.seen(arch, number)
                    self.assertNotEqual(lines[:2], [b"a", b"b"])
                    ends += lines[-1:]
            self.assertTrue(any(end.endswith(b" 1") for end in ends), ends)
            *said, counts = self.seen(arch, made + 1)
            self.assertEqual(counts, b"%d 0" % made)


if __name__ == "__main__":
    unittest.main()
