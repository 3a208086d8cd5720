"""Sources that attack the compiler, the machine or the grader: each costs its own build, within limits.

A tree of one file is built here by the grader's own make, as a submission is.
"""

import contextlib
import errno
import io
import os
import resource
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from unittest.mock import patch

from grade import making
from grade.build import BuildFailed, _copy, check_size
from grade.cli import main
from grade.complaints import complaints, last_line
from grade.errors import GraderError
from grade.submission import Rejected, checked
from grade.tests.fake import elf
from tools import qemu

_MAKEFILE = """\
FILES := $(wildcard kernel/*.c arch/*.S)
kernel: $(FILES:%=build/obj/%.o)
build/obj/%.o: %
\t@mkdir -p $(@D) && gcc -O2 -g -Wall -Werror -fmax-errors=50 -c -o $@ $<
"""
_SECONDS = 240  # of wall time on a busy machine; most end in a second


@unittest.skipIf(qemu.why_no_bubblewrap(), "needs bubblewrap")
class Sources(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="trellis-test-")
        self.addCleanup(folder.cleanup)
        self.tree = Path(folder.name) / "tree"
        for name in ("kernel", "arch"):
            (self.tree / name).mkdir(parents=True)
        (self.tree / "Makefile").write_text(_MAKEFILE)
        (self.tree / "secret").write_text("int secret;\n")

    def says(self, text: str | bytes, file: str = "kernel/a.c") -> tuple[str, ...]:
        """The lines that the author of @file, with this @text, gets to read; none if it compiles. Neither
        the machine's memory nor the grader's own is used up."""
        (self.tree / file).write_bytes(text if isinstance(text, bytes) else text.encode())
        began = time.monotonic()
        mine = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        output = making.make(self.tree, "x", ["kernel"], 2, True)
        self.assertLess(time.monotonic() - began, _SECONDS)
        self.assertLess(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - mine, 64 << 10)
        largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        self.assertLess(largest, making.MEMORY_MIB << 10)
        if output is None:
            return ()
        lines = complaints(output, [file], [self.tree], {}) or (last_line(output),)
        self.assertNotIn("trellis-test", "".join(lines))
        self.assertLess(len("".join(lines)), 16 << 10)
        return lines

    def fails(self, text: str | bytes, *words: str, file: str = "kernel/a.c") -> None:
        said = "\n".join(self.says(text, file))
        self.assertIn(file, said)
        self.assertTrue(any(word in said for word in words), said)

    def test_devices_and_files_of_the_host(self) -> None:
        here = str(Path(__file__).resolve())
        for name in ("/dev/zero", "/dev/urandom", "/dev/stdin", "/proc/self/fd/0", "/etc/passwd", here):
            with self.subTest(name):
                self.fails(f'#include "{name}"\n', "No such file")
                self.fails(f'#pragma GCC dependency "{name}"\n', "No such file")
                self.fails(f'.incbin "{name}"\n', "No such file", "file not found", file="arch/a.S")
                (self.tree / "arch/a.S").unlink()
        self.assertEqual(self.says('#include "/dev/null"\nint x;\n'), ())

    def test_itself_again_and_again(self) -> None:
        self.fails('#include "a.c"\n', "nested")

    def test_macros_that_explode(self) -> None:
        text = "#define A0 x,x,x,x,x,x,x,x,x,x\n"
        for i in range(1, 12):
            text += f"#define A{i} {','.join([f'A{i - 1}'] * 10)}\n"
        self.fails(text + "int x; int y[] = {A11};\n", "not constant")
        self.fails(text + "enum { x }; int y[] = {A11};\n", "MiB of memory", "seconds", "nested")

    def test_arrays_of_any_size(self) -> None:
        self.fails("char a[1200 << 20] = {1};\n", "larger than")
        self.assertEqual(self.says("char a[1200 << 20];\n"), ())  # takes no file, and then no machine: Sizes
        self.fails("char a[1ull << 62], b[1ull << 63];\n", "too large", "exceeds")
        text = ".rept 1000000000\n.quad 1\n.endr\n"
        self.fails(text, "larger than", "MiB of memory", "seconds", file="arch/a.S")

    def test_what_is_deep(self) -> None:
        deep = 300_000
        self.fails("int x = " + "(" * deep + "1" + ")" * deep + ";\n", "nested", "MiB of memory")
        self.fails("int " + "*" * 3_000_000 + "x;\n", "nested", "MiB of memory", "seconds", "error")
        self.fails("int f(void)" + "{" * deep + "}" * deep + "\n", "nested", "MiB of memory")

    def test_a_flood_of_messages(self) -> None:
        text = "".join(f"int f{i}(void) {{ return u{i}; }}\n" for i in range(30_000))
        said = self.says(text)
        self.assertEqual(len(said), 12)
        self.tree.joinpath("Makefile").write_text(_MAKEFILE.replace(" -fmax-errors=50", ""))
        with patch.object(making, "FILE_MIB", 1):
            self.assertIn("print more than 1 MiB", "".join(self.says(text)))
        self.fails('#error "' + "x" * 900_000 + '"\n', "error")

    def test_attributes_and_pragmas(self) -> None:
        self.fails('int x __attribute__((aligned(1 << 30), section("\\x1b[2J")));\nint y = z;\n', "error")
        self.fails('#pragma GCC diagnostic ignored "-Wall"\n#pragma GCC error "mine"\n', "mine")
        self.fails("#pragma GCC system_header\nint y = z;\n", "error", "a.c")

    def test_what_they_call_a_full_disk(self) -> None:
        self.fails("#error No space left on device\n", "#error")
        said = "".join(self.says('.print "x: No space left on device"\n.err\n', file="arch/a.S"))
        self.assertIn("arch/a.S", said)

    def test_the_same_bytes_each_time(self) -> None:
        first = self.says('void f(void) { asm("nonsense"); asm(".err"); }\n')
        self.assertEqual(first, self.says('void f(void) { asm("nonsense"); asm(".err"); }\n'))
        self.assertIn("kernel/a.c:1: Error: no such instruction", "".join(first))

    def test_the_time_of_day(self) -> None:
        for word in ("__DATE__", "__TIME__", "__TIMESTAMP__"):
            for file in ("kernel/a.c", "arch/riscv/a.c"):
                with self.subTest(f"{word} {file}"), self.assertRaisesRegex(Rejected, word):
                    checked({file: f"char *t = {word};\n".encode()})

    def test_a_disk_that_is_full(self) -> None:
        small = self.tree.parent / "small"
        small.mkdir()
        argv = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(small)]
        if subprocess.run(argv, capture_output=True, check=False).returncode:
            self.skipTest("only root can make a small file system")
        self.addCleanup(lambda: subprocess.run(["umount", str(small)], check=True))
        self.tree = small
        (small / "kernel").mkdir()
        (small / "arch").mkdir()
        (small / "Makefile").write_text(_MAKEFILE)
        with self.assertRaisesRegex(GraderError, f"the disk is full: {small} has 0 MiB left; make room"):
            self.says("int a[200000] = {1};\n")


class Sizes(unittest.TestCase):
    def test_an_image_that_leaves_no_memory(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            kernel = Path(folder) / "kernel.elf"
            huge = "1200 MiB; at most 64 MiB fit; huge alone has 1200"
            for size, told in ((1200, huge), (65, "65 MiB"), (64, "")):
                elf(kernel, 0x1000, 0, b"x", [("huge", 0x1000, size << 20)])
                whole = bytearray(kernel.read_bytes())
                whole[64 + 40 : 64 + 48] = (size << 20).to_bytes(8, "little")
                kernel.write_bytes(whole)
                with self.subTest(size):
                    if not told:
                        check_size(kernel)
                        continue
                    with self.assertRaises(BuildFailed) as caught:
                        check_size(kernel)
                    self.assertIn(told, str(caught.exception))

    def test_a_large_file_is_not_read(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            kernel = Path(folder) / "kernel.elf"
            elf(kernel, 0x1000, 0, b"x", [("f", 0x1000, 1)])
            os.truncate(kernel, 8 << 30)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            check_size(kernel)
            self.assertLess(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, 16 << 10)


class Disk(unittest.TestCase):
    """A full disk is the grader's trouble, wherever it is noticed."""

    def test_a_build_that_cannot_be_copied(self) -> None:
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(GraderError, "cannot copy"):
            cache = Path(folder) / "cache"
            (cache / "build").mkdir(parents=True)
            (cache / "build/flags").touch()
            failed = subprocess.CalledProcessError(1, "cp", stderr=b"cp: error writing: \x1b[2J")
            with patch("grade.build.subprocess.run", side_effect=failed):
                _copy(cache, Path(folder) / "tree", [])

    def test_anywhere_else(self) -> None:
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/here/file")
        err = io.StringIO()
        with patch("grade.engine.set_up", side_effect=full), contextlib.redirect_stderr(err):
            self.assertEqual(main(["run", "--lab", "06-kill"]), 2)
        self.assertIn("the disk is full: /here", err.getvalue())
        self.assertIn("make room", err.getvalue())
        self.assertEqual(err.getvalue().count("\n"), 1)


class Nets(unittest.TestCase):
    def test_a_build_that_sleeps(self) -> None:
        with tempfile.TemporaryDirectory() as folder, patch.object(making, "_SECONDS", 1):
            Path(folder, "Makefile").write_text("kernel:\n\t@exec sleep 1000000\n")
            with self.assertRaisesRegex(GraderError, "did not end"):
                making.make(Path(folder), "x", ["kernel"], 1, not qemu.why_no_bubblewrap())


_MANY = """\
kernel:
\t@for n in 1 2 3 4 5 6 7 8; do (while :; do sleep 1000 & done) & done; wait
"""
_ONE_AFTER_ANOTHER = """\
kernel:
\t@n=0; while [ $$n -lt 200 ]; do sleep 0 & wait; n=$$((n+1)); done
"""


class Processes(unittest.TestCase):
    """No source starts a program. Should one ever: the limit counts for root, too."""

    def made(self, makefile: str) -> str | None:
        with tempfile.TemporaryDirectory(prefix="trellis-test-") as folder:
            Path(folder, "Makefile").write_text(makefile)
            return making.make(Path(folder), "x", ["kernel"], 1, True)

    @unittest.skipIf(qemu.why_no_bubblewrap(), "needs bubblewrap")
    def test_more_and_more_processes(self) -> None:
        before = self.sleepers()
        with patch.multiple(making, _CROWD=60, _SECONDS=60):
            said = self.made(_MANY) or ""
        self.assertEqual(last_line(said), "make: *** the compilers start more than 60 processes")
        self.assertEqual(self.sleepers() - before, set())

    @unittest.skipIf(qemu.why_no_bubblewrap(), "needs bubblewrap")
    def test_many_one_after_another(self) -> None:
        with patch.object(making, "_CROWD", 60):
            self.assertIsNone(self.made(_ONE_AFTER_ANOTHER))

    def sleepers(self) -> set[str]:
        """The processes that _MANY starts."""
        found = set()
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):  # it has just ended
                if path.read_bytes() == b"sleep\0001000\0":
                    found.add(path.parent.name)
        return found


if __name__ == "__main__":
    unittest.main()
