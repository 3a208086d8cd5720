"""Files that are taken out of a submission, and files that are not."""

import contextlib
import os
import tempfile
import time
import unittest
from pathlib import Path

from grade.submission import Rejected, take
from grade.tests.fake import lab

_FILE = "kernel/sched/sleep.c"


class Take(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.lab = lab(Path(folder.name))
        self.root = Path(folder.name) / "submission"
        (self.root / "kernel" / "sched").mkdir(parents=True)
        self.file = self.root / _FILE

    def rejected(self, words: str) -> None:
        with self.assertRaises(Rejected) as caught:
            take(self.root, self.lab)
        self.assertIn(words, str(caught.exception))
        self.assertIn(_FILE, str(caught.exception))

    def rejected_text(self, text: str, words: str) -> None:
        """It is rejected with @words, and with the line that it begins in."""
        with self.subTest(text):
            self.file.write_text(f"int one;\n{text}")
            self.rejected(words)
            self.rejected(":2: ")

    def test_only_the_editable_file(self) -> None:
        """A hand-in may have the rest of the tree as well: how it is built, linked, tested or graded."""
        self.file.write_bytes(b"mine")
        for name in (
            *("Makefile", "GNUmakefile", "lab.mk", "make/kernel.mk", "user/user.mk"),
            *("arch/riscv/kernel.ld", "arch/x86_64/kernel.ld", "kernel/sched/sched.h", "kernel/main.c"),
            *("tools/ksyms.py", "tools/setup.sh", "grade/score.py", "grade/__init__.py", "sitecustomize.py"),
            *("labs/01-a/lab.toml", "labs/01-a/tests/all.c", "build/riscv/debug-test/kernel.elf"),
        ):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_bytes(b"evil")
        self.assertEqual(dict(take(self.root, self.lab).files), {_FILE: b"mine"})

    def test_a_text_that_asks_where_it_is_compiled(self) -> None:
        for text, word in (
            ("#ifdef __SANITIZE_THREAD__\n", "__SANITIZE_THREAD__"),
            ("#if '\"' && __SSE__ && '\"'\n", "__SSE__"),
            ("#if __has_include(<x>)\n", "__has_include"),
            ('static char a = 0; asm("syscall");\n', "assembly"),
            ("#pragma weak __tsan_init\n", "weak"),
            ('as\\\nm("syscall");\n', "assembly"),
            ("/* *\\\n/ asm(); /* */\n", "assembly"),
            ("__SS\\  \nE__\n", "__SSE__"),
            ("else/**/asm();\n", "assembly"),
        ):
            self.rejected_text(text, word)

    def test_a_text_that_hides_from_the_instruments(self) -> None:
        for text, word in (
            ("__attribute__((no_instrument_function)) int f(void);\n", "no_instrument_function"),
            ('__attribute__((unused, no_sanitize("thread"))) int f(void);\n', "no_sanitize"),
            ('__attribute((no_sanitize ("thread"))) int f(void);\n', "no_sanitize"),
            ('__attribute__((aligned(8), optimize("O0"))) int f(void);\n', "optimize"),
            ('__attribute__((section("x"))) int f(void);\n', "section"),
            ("__attribute__ ATTRIBUTES int f(void);\n", "not written as"),
            ("__attribute__((NOTHING_KNOWN)) int f(void);\n", "NOTHING_KNOWN"),
            ("#define A __attribute__((unused))\n", "write it where it is used"),
            ("#define A(unused) int f(void) __attr\\\nibute__((unused))\n", "write it where it is used"),
            ("#define unused no_sanitize_thread\n", "write it where it is used"),
            ("#define J(a, b) a##b\n", "##"),
            ("%:define J(a, b) a%:%:b\n", "%:"),
            ("[ [gnu::no_instrument_function]] int f(void);\n", "[["),
            ("<:<:gnu::no_instrument_function:>:> int f(void);\n", "<:"),
            ('#pragma GCC optimize ("O0")\n', "GCC optimize"),
        ):
            self.rejected_text(text, word)

    def test_attributes_that_hide_nothing(self) -> None:
        text = (
            "#pragma once\n#pragma GCC diagnostic push\n"
            "static int f(int, const char *, ...) __attribute__((unused,\n  format(printf, 2, 3)));\n"
            "static u8 a[1 << 2] __attribute__((aligned((sizeof(u64))), used));\n"
            "static __attribute((noinline)) int g(int i) { return a[a[i] % 2] + x ? i : -i; }\n"
        )
        self.file.write_text(text)
        self.assertEqual(take(self.root, self.lab).files[_FILE], text.encode())

    def test_a_long_text_is_looked_at_in_time(self) -> None:
        for part in ("__attribute__((", "__attribute__(((", "__attribute__((a(", "[", "#define ", "/*", "(("):
            with self.subTest(part):
                self.file.write_text(part * ((1 << 20) // len(part) - 1))
                start = time.process_time()
                with contextlib.suppress(Rejected):
                    take(self.root, self.lab)
                self.assertLess(time.process_time() - start, 20)

    def test_comments_and_macros_of_its_own(self) -> None:
        text = (
            "/* not asm, not __SSE__ */\n#ifdef LOUD\n"
            '#define say(...) kprintf("__SSE__" __FILE__ __VA_ARGS__)\n#endif\n'
            "static int x __attribute__((unused)) = '\"';\n"
        )
        self.file.write_text(text)
        self.assertEqual(take(self.root, self.lab).files[_FILE], text.encode())

    def test_a_missing_file_is_not_the_reference(self) -> None:
        self.rejected("has no")

    def test_links_are_not_followed(self) -> None:
        target = self.root / "elsewhere.c"
        target.write_bytes(b"secret")
        self.file.symlink_to(target)
        self.rejected("without links")

    def test_linked_folders_are_not_followed(self) -> None:
        real = self.root / "real"
        real.mkdir()
        (real / "sleep.c").write_bytes(b"secret")
        (self.root / "kernel" / "sched").rmdir()
        (self.root / "kernel" / "sched").symlink_to(real)
        self.rejected("without links")

    def test_pipes_and_folders_are_not_read(self) -> None:
        os.mkfifo(self.file)
        self.rejected("plain file")
        self.file.unlink()
        self.file.mkdir()
        self.rejected("plain file")

    def test_huge_files_are_not_read(self) -> None:
        self.file.touch()
        os.truncate(self.file, 1 << 30)
        self.rejected("larger")


if __name__ == "__main__":
    unittest.main()
