"""User tests in one boot: each has its own result, however the boot ends."""

import tempfile
import unittest
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

from tools.boot import End, Outcome, Transcript
from tools.test.model import Result
from tools.test.programs import Batch, Program, run_on_terminal

_OFF, _PANIC = Outcome(End.OFF, 0), Outcome(End.PANIC)


class BatchTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="trellis-test-")
        self.addCleanup(folder.cleanup)
        self.tests = tuple(Program(name, (), Path(folder.name, name)) for name in ("a", "b", "c"))
        for test in self.tests:
            test.expected.write_bytes(f"I am {test.name}\n".encode())

    def check(self, *boots: Transcript) -> tuple[list[Result], list[list[str]]]:
        """Results, and which tests each boot was asked for."""
        asked: list[list[str]] = []
        said = iter(boots)

        def boot(tests: Sequence[Program]) -> Transcript:
            asked.append([test.name for test in tests])
            return next(said)

        with patch.object(Batch, "_boot", lambda _, tests: boot(tests)):
            return list(Batch("riscv", 1, self.tests, Path()).check()), asked

    def test_all_as_on_the_host(self) -> None:
        user = b"I am a\n\x1e0\nI am b\n\x1e0\nI am c\n\x1e0\n"
        results, asked = self.check(Transcript(_OFF, b"", user))
        self.assertEqual([(r.name[-1], r.ok) for r in results], [("a", True), ("b", True), ("c", True)])
        self.assertEqual(asked, [["a", "b", "c"]])

    def test_other_output_and_other_statuses_are_told(self) -> None:
        user = b"I am x\n\x1e0\nI am b\n\x1e137\nI am c\n\x1e0\n"
        results, _ = self.check(Transcript(_OFF, b"", user))
        self.assertEqual([r.ok for r in results], [False, False, True])
        self.assertIn("line 1: b'I am x' instead of b'I am a'", results[0].detail)
        self.assertIn("status 137", results[1].detail)
        self.assertIn("--cmd '/tests/a; /tests/b'", results[1].detail)

    def test_one_that_takes_the_kernel_down_fails_alone(self) -> None:
        first = Transcript(_PANIC, b"panic: no\n", b"I am a\n\x1e0\nI am")
        results, asked = self.check(first, Transcript(_OFF, b"", b"I am c\n\x1e0\n"))
        self.assertEqual([(r.name[-1], r.ok) for r in results], [("a", True), ("b", False), ("c", True)])
        self.assertIn("kernel panic", results[1].detail)
        self.assertEqual(asked, [["a", "b", "c"], ["c"]])

    def test_an_end_that_is_none_is_a_failure_of_its_own(self) -> None:
        user = b"I am a\n\x1e0\nI am b\n\x1e0\nI am c\n\x1e0\n"
        results, _ = self.check(Transcript(_PANIC, b"", user))
        self.assertEqual([r.ok for r in results], [True, True, True, False])
        self.assertIn("the end after c", results[3].name)

    def test_without_the_hosts_word_nothing_passes(self) -> None:
        self.tests[1].expected.unlink()
        user = b"I am a\n\x1e0\nI am b\n\x1e0\nI am c\n\x1e0\n"
        results, _ = self.check(Transcript(_OFF, b"", user))
        self.assertEqual([r.ok for r in results], [True, False, True])


class OnTheHostTest(unittest.TestCase):
    """A test ends when its first process does, whatever that leaves behind with the terminal open."""

    def test_what_a_test_leaves_behind_is_killed(self) -> None:
        with tempfile.TemporaryDirectory(prefix="trellis-test-") as folder:
            said = run_on_terminal(["sh", "-c", "sleep infinity & exit 3"], Path(folder))
        self.assertEqual(said, (3, b""), "or the terminal was never closed")

    def test_all_that_it_says_is_kept(self) -> None:
        with tempfile.TemporaryDirectory(prefix="trellis-test-") as folder:
            said = run_on_terminal(["sh", "-c", "seq 20000; exit 4"], Path(folder))
        self.assertEqual(said, (4, b"".join(b"%d\n" % i for i in range(1, 20001))))


if __name__ == "__main__":
    unittest.main()
