"""strace: the calls of a program, its arguments as C would have them, and what becomes of it."""

from __future__ import annotations

import re
import unittest

from tools.tests.support import run


def _strace(arch: str, words: str, cpus: int = 2) -> tuple[list[str], int]:
    """The lines that `strace @words` writes, and its status."""
    cmd = f"strace -o /tmp/out {words} >/dev/null 2>&1; status=$?; cat /tmp/out; exit $status"
    done = run(arch, "--cpus", str(cpus), cmd=cmd)
    return done.stdout.decode().splitlines(), done.returncode


class Riscv(unittest.TestCase):
    ARCH = "riscv"

    def test_arguments_and_results(self) -> None:
        lines, status = _strace(self.ARCH, "cat /nope /proc/version")
        self.assertEqual(status, 1)
        self.assertRegex(lines[0], r'^execve\("/bin/cat", 0x\w+, 0x\w+\) = 0$')
        text = "\n".join(lines)
        self.assertIn('openat(AT_FDCWD, "/nope", O_RDONLY) = -1 ENOENT (No such file or directory)', text)
        self.assertIn('openat(AT_FDCWD, "/proc/version", O_RDONLY) = 3', text)
        self.assertRegex(text, r'(?m)^read\(3, "Linux version .{18}"\.\.\., 16384\) = \d+$')
        self.assertRegex(text, r'(?m)^write\(1, "Linux version .{18}"\.\.\., \d+\) = \d+$')
        self.assertIn("\nclose(3) = 0\n", text)
        self.assertEqual(lines[-2:], ["exit_group(1) = ?", "+++ exited with 1 +++"])

    def test_children_are_followed(self) -> None:
        script = "'cat /dev/null | cat; kill -9 $$'"
        lines, status = _strace(self.ARCH, f"-f -e trace=pipe2,wait4,kill,exit_group sh -c {script}")
        self.assertEqual(status, 128 + 9)
        self.assertEqual(len({line.split("]")[0] for line in lines[:-1]}), 3, lines)
        text = "\n".join(lines)
        self.assertRegex(text, r"\[pid +\d+\] pipe2\(\[3, 4\], 0\) = 0")
        ended = r"\[{WIFEXITED\(s\) && WEXITSTATUS\(s\) == 0}\], 0, NULL\) = \d+"
        self.assertEqual(len(re.findall(rf"wait4\(\d+, {ended}", text)), 2, text)
        self.assertRegex(text, r"kill\(\d+, SIGKILL\)")
        self.assertEqual(lines[-1], "+++ killed by SIGKILL +++")
        without, _ = _strace(self.ARCH, f"-e trace=exit_group sh -c {script}")
        self.assertEqual(without, ["+++ killed by SIGKILL +++"])

    def test_counts(self) -> None:
        lines, status = _strace(self.ARCH, "-c ls /")
        self.assertEqual(status, 0)
        self.assertRegex(lines[0], r"^% time +seconds +usecs/call +calls +errors syscall$")
        self.assertTrue(any(re.search(r" +2 +getdents64$", line) for line in lines), lines)
        self.assertRegex(lines[-1], r"^100\.00 .* total$")

    def test_a_program_with_more_to_say_than_the_pipe_holds(self) -> None:
        """It waits for strace, and nothing is lost; a signal cuts no record off."""
        loop = "i=0; while [ $i -lt 300 ]; do i=$((i + 1)); echo $i; done"
        cmd = f"strace -f -o /tmp/out sh -c '{loop}' | tail -n 1; grep -c 'write(1, ' /tmp/out"
        done = run(self.ARCH, "--cpus", "2", cmd=cmd)
        self.assertEqual(done.stdout.split(), [b"300", b"300"])


class X86(Riscv):
    ARCH = "x86_64"
