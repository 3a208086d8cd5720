"""Evidence to verdict: each way in which a run ends has its own kind."""

import tempfile
import unittest
from dataclasses import replace
from pathlib import Path

from grade.machine import Ended, Evidence
from grade.properties import Violation
from grade.tests.fake import (
    LAB_TOML,
    NONCE,
    evidence,
    lab,
    messages,
    passing,
    state,
    trace,
)
from grade.trace import EMPTY, Trace
from grade.verdict import Kind, Verdict, judge

_BANNER = b"Trellis on riscv64, virt, 2 CPUs\n"


class Kinds(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.lab = lab(Path(folder.name))

    def judge(self, seen: Evidence, test: int = 0) -> Verdict:
        return judge(self.lab, self.lab.tests[test], seen)

    def kind(self, kernel: bytes, status: int = 33, seen: Trace = EMPTY) -> Kind:
        return self.judge(evidence(_BANNER + kernel, status, seen)).kind

    def panic(self, reason: str, seen: Trace = EMPTY) -> Verdict:
        said = f"panic: {reason}\n  CPU 0, thread 3 (init)\ncall chain:\n  f+0x10\n"
        said += "last trace records:\n x\n"
        begun = messages("begin 1", "test sleep.early")
        return self.judge(evidence(begun + said.encode(), 35, seen))

    def test_pass(self) -> None:
        self.assertIs(self.kind(passing()), Kind.PASS)

    def test_a_failed_check_breaks_its_property_alone(self) -> None:
        lines = ["begin 1", "test sleep.due", "fail P4.2 a.c:1 5 they left one a tick"]
        lines += ["sum P4.1 2 0", "sum P4.2 2 1", "done sleep.due", "end 1 4 1"]
        verdict = self.judge(evidence(messages(*lines)), test=1)
        self.assertIs(verdict.kind, Kind.FAIL)
        self.assertEqual(verdict.broken, {"P4.2"})
        self.assertEqual(verdict.findings[0].expected, "Everybody who is due wakes.")

    def test_a_check_of_another_property_speaks_against_all(self) -> None:
        lines = ("begin 1", "test sleep.due", "fail P2.9 a.c:1 5 leak", "sum P2.9 1 1")
        verdict = self.judge(evidence(messages(*lines, "done sleep.due", "end 1 1 1")), test=1)
        self.assertEqual(verdict.broken, {"P4.1", "P4.2"})

    def test_a_judge_of_the_trace_finds_what_no_check_saw(self) -> None:
        early = trace((1, "block", 0, 5, 0xA, 9_000_000), (1_000_000, "claim", 0, 0, 5, 2))
        verdict = self.judge(evidence(passing(), seen=early))
        self.assertIs(verdict.kind, Kind.FAIL)
        self.assertIn("8.000 ms before", verdict.findings[0].happened)

    def test_a_test_that_checks_nothing_does_not_pass(self) -> None:
        empty = messages("begin 1", "test sleep.early", "done sleep.early", "end 1 0 0")
        self.assertIs(self.kind(empty), Kind.STOPPED)

    def test_another_tests_success_is_not_this_ones(self) -> None:
        self.assertIs(self.kind(passing("sleep.other")), Kind.STOPPED)

    def test_success_in_words_only(self) -> None:
        self.assertIs(self.kind(passing().replace(NONCE.encode(), b"0" * 16)), Kind.STOPPED)
        self.assertIs(self.kind(b"PASS sleep.early\n"), Kind.STOPPED)
        self.assertIs(self.kind(passing(), status=1), Kind.STOPPED)

    def test_contradicting_messages(self) -> None:
        self.assertIs(self.kind(passing() + passing()), Kind.FORGED)
        lines = ["begin 1", "test sleep.early", "begin 1", "test sleep.early", "sum P4.1 2 0"]
        again = messages(*lines, "done sleep.early", "end 1 2 0")
        self.assertIs(self.kind(again), Kind.FORGED)

    def test_messages_that_the_console_lost(self) -> None:
        lines = passing().splitlines(keepends=True)
        at = next(i for i, line in enumerate(lines) if b" sum " in line)
        self.assertIs(self.kind(b"".join(lines[:at] + lines[at + 1 :])), Kind.GARBLED)
        self.assertIs(self.kind(passing().replace(b" sum ", b" su ")), Kind.GARBLED)
        self.assertIs(self.kind(b"".join([*lines[:at], *lines[at + 1 :], lines[-1]])), Kind.FORGED)

    def test_another_code_than_was_built(self) -> None:
        seen = replace(evidence(passing()), changed="ktest_check+0x4")
        self.assertIs(self.judge(seen).kind, Kind.PATCHED)
        self.assertIn("ktest_check+0x4", self.judge(seen).findings[0].happened)
        self.assertEqual(self.judge(seen).broken, {"P4.1"})

    def test_a_user_program(self) -> None:
        toml = LAB_TOML.replace('name = "sleep.due"', 'name = "sleep.due"\nprogram = "/tests/due"')
        self.lab = lab(self.lab.folder.parent, toml)
        for wire, broken in (
            (b"\x10uok all\n\x10x00", set()),
            (b"\x10uFAIL P4.2 nobody woke\n\x10x02", {"P4.2"}),
            (b"\x10uFAIL due.wake: due.c:7: no (errno 0)\n\x10x02", {"P4.1", "P4.2"}),
            (b"\x10x01", {"P4.1", "P4.2"}),
        ):
            self.assertEqual(self.judge(evidence(_BANNER + wire), test=1).broken, broken)
        self.assertIs(self.judge(evidence(_BANNER), test=1).kind, Kind.STOPPED)

    def test_an_early_end(self) -> None:
        self.assertIs(self.kind(messages("begin 1", "test sleep.early")), Kind.STOPPED)

    def test_panic(self) -> None:
        verdict = self.panic("assertion failed: q, kernel/a.c:5")
        self.assertIs(verdict.kind, Kind.PANIC)
        self.assertEqual(verdict.findings[0].happened, "panic: assertion failed: q, kernel/a.c:5")
        self.assertEqual(verdict.details, ("  CPU 0, thread 3 (init)", "call chain:", "  f+0x10"))

    def test_unwritten(self) -> None:
        verdict = self.panic("not written yet: 04-sleep: order two deadlines")
        self.assertIs(verdict.kind, Kind.UNWRITTEN)
        self.assertIn("order two deadlines", verdict.findings[0].happened)

    def test_reboot(self) -> None:
        self.assertIs(self.kind(b"", status=0), Kind.REBOOT)
        self.assertIs(self.kind(_BANNER + passing()), Kind.REBOOT)

    def test_flood_and_slow(self) -> None:
        self.assertIs(self.judge(evidence(b"x", ended=Ended.FLOODED)).kind, Kind.FLOOD)
        slow = self.judge(evidence(b"x", ended=Ended.SLOW))
        self.assertIs(slow.kind, Kind.SLOW)
        self.assertEqual(slow.broken, set())

    def test_much_output_is_a_flood_only_without_an_end(self) -> None:
        lines = b"a line for each thing it does\n" * (16 << 10)
        self.assertIs(self.kind(lines + passing()), Kind.PASS)
        limit = b"panic: limit: not finished after 300000000 ns\n"
        self.assertIs(self.kind(lines + limit, status=35), Kind.FLOOD)
        self.assertIsNot(self.kind(limit, status=35), Kind.FLOOD)
        self.assertIs(self.kind(lines + b"panic: assertion failed: q\n", status=35), Kind.PANIC)

    def test_hang_with_interrupts_off(self) -> None:
        verdict = self.judge(evidence(b"", ended=Ended.HUNG, status=-9))
        self.assertIs(verdict.kind, Kind.HANG)
        self.assertEqual(verdict.broken, {"P4.1"})

    def test_deadlock(self) -> None:
        asleep = trace(
            state(1, 0, 5, "running", "blocked"), (2, "switch", 0, 5, 0, 5), (3, "idle", 0, 0, 0, 0)
        )
        verdict = self.panic("limit: not finished after 300000000 ns", asleep)
        self.assertIs(verdict.kind, Kind.DEADLOCK)
        ready = trace(state(1, 0, 5, "blocked", "ready"), (3, "idle", 0, 0, 0, 0))
        verdict = self.panic("limit: not finished after 300000000 ns", ready)
        self.assertIn("although thread 5 is ready", verdict.findings[0].happened)

    def test_waiting_beyond_the_limit_is_no_deadlock(self) -> None:
        gone, idle = (2, "switch", 0, 5, 0, 5), (3, "idle", 0, 0, 0, 0)
        asleep = trace(state(1, 0, 5, "running", "sleeping"), gone, idle)
        self.assertIs(self.panic("limit: not finished", asleep).kind, Kind.HANG)
        for function, said in (("arch_idle_wait", False), ("thread_sleep", True)):
            chain = f"limit: not finished\ncall chain:\n  ffffffff80201234  {function}+0x1c"
            found = self.panic(chain, asleep).findings[0].happened
            self.assertEqual("; it was in " in found, said, "no thread is in the idle loop")
        block = (1, "block", 0, 5, 0xA, 10**12)
        blocked = trace(block, state(1, 0, 5, "running", "blocked"), idle)
        self.assertIs(self.panic("limit: not finished", blocked).kind, Kind.HANG)
        again = state(3, 0, 5, "running", "blocked")
        for end in ("claim", "wake"):
            later = trace(block, (2, end, 0, 6, 5, 0), again, idle)
            self.assertIs(self.panic("limit: not finished", later).kind, Kind.DEADLOCK)

    def test_livelock_and_spinning(self) -> None:
        turns = [(1000 + i, "switch", 0, 5 + i % 2, 6 - i % 2, 0) for i in range(100)]
        verdict = self.panic("limit: not finished", trace(*turns))
        self.assertIs(verdict.kind, Kind.LIVELOCK)
        self.assertIn("5, 6", verdict.findings[0].happened)
        spin = trace((1_500_000, "switch", 0, 5, 6, 5), (9_000_000, "timer", 0, 6, 0, 0))
        verdict = self.panic("limit: not finished", spin)
        self.assertIs(verdict.kind, Kind.HANG)
        self.assertIn("1.500 ms", verdict.findings[0].happened)

    def test_a_violation_says_when_and_where(self) -> None:
        self.assertEqual(Violation(1, 0, "a", "b").time, 1)


if __name__ == "__main__":
    unittest.main()
