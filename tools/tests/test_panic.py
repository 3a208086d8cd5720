"""The report of a panic: reason, registers, a call chain with names, and no output after it."""

import re
import unittest
from unittest.mock import patch

from tools import qemu
from tools.boot import PATIENCE_S, End, transcript
from tools.tests.support import BUILD_ROOT

_CPUS = 4


class Reports(unittest.TestCase):
    ARCH: str

    def report(self, test: str, reason: str) -> str:
        """The panic's report, from its reason to its end."""
        return self.whole(test, reason)[1]

    def whole(self, test: str, reason: str, icount: qemu.Icount | None = None) -> tuple[str, str]:
        """The kernel's output before its panic, and the report."""
        kernel = BUILD_ROOT / self.ARCH / "debug-test" / "kernel.elf"
        machine = qemu.Machine(
            arch=self.ARCH, kernel=kernel, cpus=_CPUS, bootargs=(f"test={test}",), icount=icount
        )
        seen = transcript(machine, PATIENCE_S)
        text = seen.kernel.decode("utf-8", "replace").replace("\r", "")
        self.assertEqual(seen.outcome.end, End.PANIC, text[-2000:])
        before, found, report = text.partition("\npanic: ")
        self.assertTrue(found, text[-2000:])
        self.assertRegex(report.splitlines()[0], reason)
        self.assertTrue(report.endswith("end of panic\n"), report[-500:])
        return before, report

    def chain(self, report: str) -> list[str]:
        """The functions of the call chain, innermost first."""
        found = re.search(r"^call chain:\n((?:  [0-9a-f]+  .*\n)+)", report, re.M)
        self.assertIsNotNone(found, report)
        return re.findall(r"  [0-9a-f]+  (\w+|\?)\+0x", found[1]) if found else []


class Riscv(Reports):
    ARCH = "riscv"
    REGISTER = " sp "

    def test_stack_overflow(self) -> None:
        report = self.report("panic.overflow", r"^kernel stack overflow in thread ")
        self.assertIn("eat_stack", self.chain(report))
        self.assertIn(self.REGISTER, report)

    def test_stray_write(self) -> None:
        report = self.report("panic.write", r"^page fault: writing to 0x[0-9a-f]+$")
        self.assertEqual(self.chain(report)[0], "ktest_panic_write", report)
        self.assertIn("run_remaining", self.chain(report))
        self.assertIn(self.REGISTER, report)
        self.assertIn("last trace records:", report)

    def test_a_test_that_does_not_end(self) -> None:
        _, report = self.whole("panic.stuck limit=50000000", "^limit: not finished", qemu.Icount())
        told = report.partition("panic.stuck has not ended, and every CPU is idle:\n")[2]
        waits = r"is blocked in \w+\(\), without a deadline"
        self.assertRegex(told, rf"\(waiter\) {waits}; thread 1 waits for it to leave")
        self.assertRegex(told, rf"thread 1 \(init\) {waits}")

    def test_a_test_that_runs_for_ever(self) -> None:
        _, report = self.whole("panic.endless limit=50000000", "^limit: not finished", qemu.Icount())
        told = report.partition("panic.endless has not ended:\n")[2]
        chain = r"(?:  [0-9a-f]{16}  .*\n)+  [0-9a-f]{16}  thread_start\+"
        self.assertRegex(told, rf"\(other\) is running on CPU \d\n{chain}")

    def test_a_silent_machine(self) -> None:
        kernel = BUILD_ROOT / self.ARCH / "debug-test" / "kernel.elf"
        words = ("test=panic.silent", "limit=50000000")
        machine = qemu.Machine(self.ARCH, kernel, bootargs=words, icount=qemu.Icount())
        with patch("tools.boot._QUIET_S", 3.0):
            seen = transcript(machine, PATIENCE_S)
        self.assertIs(seen.outcome.end, End.TIMEOUT)
        self.assertRegex(seen.outcome.stopped(), r"a CPU was in .*ktest_panic_silent\(\) \(kernel/")

    def test_others_are_stopped(self) -> None:
        for test in ("panic.overflow", "panic.write"):
            report = self.report(test, ".")
            self.assertNotIn("noise", report)
            for cpu in range(_CPUS):
                self.assertRegex(report, rf"CPU {cpu} was running thread \d+")

    def test_others_are_told_before_they_stop(self) -> None:
        # On a busy host a CPU may not run at all in the time that a panic waits for it.
        _, report = self.whole("panic.write trace=irq", ".", qemu.Icount())
        told = re.findall(r"^ +\d+ ns  cpu(\d) .* ipi taken +[23] 0$", report, re.M)
        self.assertEqual(len(told), _CPUS - 1, report)  # each of them once

    def test_others_run_no_more(self) -> None:
        _, report = self.whole("panic.others", "^others run$", qemu.Icount())
        records = re.findall(r"^ +\d+ ns  cpu\d .*$", report, re.M)
        self.assertRegex(records[-1], r" panic ", report)

    def test_illegal_transitions_are_named(self) -> None:
        self.report("panic.transition", r"\(waiter\): blocked -> running is not a transition \(tested\)$")

    def test_a_line_that_another_cpu_writes_is_waited_for(self) -> None:
        before, _ = self.whole("panic.writing", "^while another CPU writes$", qemu.Icount())
        self.assertTrue(before.endswith("the end of a line\n"), before[-500:])

    def test_text_cannot_be_written(self) -> None:
        self.report("panic.text", r"^page fault: writing to 0xffffffff[0-9a-f]+$")

    def test_data_cannot_be_executed(self) -> None:
        report = self.report("panic.data", r"^page fault: executing 0xffffffff[0-9a-f]+$")
        self.assertIn("ktest_panic_data", self.chain(report))

    def test_held_locks_are_named(self) -> None:
        report = self.report("panic.held", r"^assertion failed: .*test_panic\.c:\d+$")
        self.assertRegex(report, r"holds spin lock object .*, taken at ktest_panic_held\+")

    def test_a_fault_while_printing(self) -> None:
        report = self.report("panic.printing", r"^page fault: reading 0x[0-9a-f]+$")
        self.assertIn("console_write_all", self.chain(report))

    def test_corrupt_threads_are_named(self) -> None:
        self.report("panic.canary", r"^thread \d+ \(scribbler\): the end of its stack was")
        self.report("panic.magic", r"^thread 0x[0-9a-f]{16} is none: magic 7$")

    def test_the_audit_finds_what_a_plain_run_misses(self) -> None:
        self.report("instrument.audit", r"^audit: CPU \d has \d+ deadlines armed, counts \d+$")

    def test_a_page_that_is_written_after_it_was_freed_is_found_by_its_next_user(self) -> None:
        freed = r"^page [0-9a-f]+ was written after it was freed: 1234 at 0x[0-9a-f]+$"
        self.report("instrument.page", freed)


class X86(Riscv):
    ARCH = "x86_64"
    REGISTER = " rsp "
