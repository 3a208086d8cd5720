"""The messages about a failed build: they name the student's file, and none of the temporary copies."""

import unittest
from pathlib import Path

from grade.complaints import complaints, last_line

_FILES = ["kernel/a.c", "kernel/b.c"]
_COPIES = [Path("/tmp/x/tree"), Path("/home/me/build/grade/riscv")]
_LD = "riscv64-unknown-elf-ld: build/obj/kernel"


def said(output: str) -> tuple[str, ...]:
    return complaints(output, _FILES, _COPIES, {"thread_exit": "kernel/b.c"})


class Complaints(unittest.TestCase):
    def test_the_compilers_lines_about_their_files_in_their_order(self) -> None:
        output = (
            "/tmp/x/tree/kernel/b.c:9:2: error: 'y' undeclared\n"
            "/tmp/x/tree/kernel/b.c:3:1: warning: unused\n"
            "kernel/a.c:10:5: error: expected ';'\n"
            "kernel/other.c:1:1: error: not theirs\n"
            "make: *** [Makefile:1] Error 1\n"
        )
        self.assertEqual(
            said(output),
            (
                "kernel/a.c:10:5: error: expected ';'",
                "kernel/b.c:3:1: warning: unused",
                "kernel/b.c:9:2: error: 'y' undeclared",
            ),
        )

    def test_a_missing_function_is_missed_in_the_file_that_should_have_it(self) -> None:
        output = (
            f"{_LD}/edge.c.o: in function `user_return_work':\n"
            "/home/me/build/grade/riscv/kernel/edge.c:18: undefined reference to `thread_exit'\n"
            f"{_LD}/kill.c.o: in function `process_kill':\n"
            "/home/me/build/grade/riscv/kernel/kill.c:92: undefined reference to `thread_exit'\n"
            "make: *** [make/kernel.mk:60: build/kernel.elf] Error 1\n"
        )
        expected = "kernel/b.c: thread_exit() is missing; kernel/edge.c:18 uses it, and one other does"
        self.assertEqual(said(output), (expected,))

    def test_a_function_of_nobodys(self) -> None:
        output = f"{_LD}/a.c.o: in function `f':\n/tmp/x/tree/kernel/a.c:5: undefined reference to `g'\n"
        self.assertEqual(said(output), ("kernel/a.c:5: uses g, which is defined nowhere",))

    def test_a_function_defined_twice(self) -> None:
        output = (
            f"{_LD}/b.c.o: in function `f':\n"
            "/tmp/x/tree/kernel/b.c:7: multiple definition of `f';"
            " build/obj/kernel/a.c.o:/tmp/x/tree/kernel/a.c:3: first defined here\n"
        )
        expected = "kernel/b.c:7: f is defined a second time; the first is at kernel/a.c:3"
        self.assertEqual(said(output), (expected,))

    def test_whatever_else_the_linker_says(self) -> None:
        text = "section .text overlaps section .data"
        self.assertEqual(said(f"riscv64-unknown-elf-ld: {text}\nmake: *** Error 1\n"), (text,))

    def test_the_assembler_names_the_source_and_no_temporary_file(self) -> None:
        for name in ("/tmp/ccAb12xy.s", "{standard input}"):
            output = (
                f"{name}: Assembler messages:\n{name}:12: Error: unknown `addd'\n"
                "make: *** [make/kernel.mk:105: build/riscv/debug-test/obj/kernel/b.c.o] Error 1\n"
            )
            self.assertEqual(said(output), ("kernel/b.c: Error: unknown `addd'",))
        self.assertEqual(said("kernel/a.c:3: Error: no `x'\n"), ("kernel/a.c:3: Error: no `x'",))
        self.assertEqual(last_line("ld: error in /tmp/ccAb12xy.o"), "ld: error in a temporary file.o")

    def test_what_was_too_much(self) -> None:
        for cause, told in (
            ("cc1: out of memory allocating 65536 bytes after a total of 9 bytes", "MiB of memory"),
            ("Fatal error: can't write 9 bytes to section .data of a.o: File too large", "larger than"),
            ("gcc: fatal error: CPU time limit exceeded signal terminated program cc1", "seconds"),
            ("internal compiler error: Segmentation fault signal terminated program cc1", "nested"),
        ):
            output = f"{cause}\nmake: *** [make/kernel.mk:105: build/x/obj/kernel/b.c.o] Error 1\n"
            (line,) = said(output)
            self.assertIn("kernel/b.c: ", line)
            self.assertIn(told, line)

    def test_an_endless_line(self) -> None:
        (line,) = said("kernel/a.c:1:1: error: " + "x" * 100_000)
        self.assertLessEqual(len(line), 1000)

    def test_the_line_that_says_most(self) -> None:
        self.assertEqual(last_line("  CC a\nmake: *** Error 1\nmake: bye\n"), "make: *** Error 1")
        self.assertEqual(last_line(""), "make said nothing")


if __name__ == "__main__":
    unittest.main()
