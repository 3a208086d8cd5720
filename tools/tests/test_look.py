"""Programs that show the machine to a user: ps, and top and schedtop, which draw again."""

import unittest

from tools.tests.support import run

_CLEAR = "\x1b[H\x1b[J"


# init may still be on its way to where it waits.
_INIT_WAITS = "until schedtop -b -n 1 | grep -q 'S .* process_wait  *init'; do :; done; "
_SLEEPS = "sleep 100 & until grep -q '(sleep)' /proc/$!/stat; do :; done; "


class Riscv(unittest.TestCase):
    ARCH = "riscv"

    def said(self, command: str) -> str:
        done = run(self.ARCH, "--cpus", "2", cmd=command)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.decode()

    def test_ps_shows_everybody(self) -> None:
        text = self.said(_INIT_WAITS + _SLEEPS + "ps -ef; kill $!")
        self.assertRegex(text, r"\AUID +PID +PPID +S +STIME +TTY +TIME +CMD\n")
        self.assertRegex(text, r"(?m)^root +1 +0 +S .* /init$")
        self.assertRegex(text, r"(?m)^root +(\d+) +\d+ +[SR] .* sleep 100$")
        self.assertRegex(text, r"(?m)^root +\d+ +\d+ +R .* ps -ef$")

    def test_top_draws_again_and_shows_each_cpu(self) -> None:
        first, *pages = self.said("top -n 3 -d 0.1").split(_CLEAR)
        self.assertEqual((first, len(pages)), ("", 3))
        for page in pages:
            self.assertRegex(page, r"(?m)^cpu0 .* user .* idle$")
            self.assertRegex(page, r"(?m)^cpu1 .* user .* idle$")
            self.assertRegex(page, r"(?m)^ +\d+ +\d+ R .* top$")

    def test_schedtop_shows_threads_and_interrupts(self) -> None:
        first, *pages = self.said(_INIT_WAITS + "schedtop -n 2 -d 0.1").split(_CLEAR)
        self.assertEqual((first, len(pages)), ("", 2))
        counts = []
        for page in pages:
            self.assertRegex(page, r"(?m)^LOC: +\d+ +\d+ +Local timer interrupts$")
            self.assertRegex(page, r"(?m)^ +1 +1 S .* process_wait +init$")
            counts.append(int(page.split()[0]))
        self.assertLess(*counts)


class X86(Riscv):
    ARCH = "x86_64"
