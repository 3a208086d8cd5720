"""The mutation engine's own tests of the kernel: in which order, and what counts as a failure."""

from __future__ import annotations

import unittest
from collections.abc import Iterator
from dataclasses import replace
from unittest import mock

from grade.machine import Ended, Evidence
from grade.tests.fake import evidence, passing
from tools import qemu
from tools.mutate.killers import Order
from tools.mutate.own_tests import OwnTests, _Batch
from tools.tests.test_mutate import mutant

_PROGRAMS = _Batch("riscv", 1, "", ("/tests/a", "/tests/b"), 1.0, "== /tests/a\nx\n== 0\n")
_OWN = _Batch("riscv", 1, "kernel/sync", ("mutex.one",), 5.0)
_CHEAP = _Batch("riscv", 1, "kernel/fs", ("pipe.one",), 0.1)
_OTHER_PORT = _Batch("x86_64", 1, "kernel/fs", ("pipe.one",), 0.1)


def _programs_say(said: str, status: int = qemu.STATUS_OFF) -> Evidence:
    seen = evidence(b"", status=status)
    return replace(seen, streams=replace(seen.streams, user=said.encode(), init_status=0))


class Own(unittest.TestCase):
    def setUp(self) -> None:
        self.tests = OwnTests.__new__(OwnTests)
        self.tests._order = Order()
        self.tests._batches = [_PROGRAMS, _OWN, _CHEAP, _OTHER_PORT]
        self.mutant = replace(mutant(1), path="kernel/sync/mutex.c")

    def order(self) -> list[_Batch]:
        return self.tests._in_order(self.mutant, "riscv")

    def test_the_tests_of_the_folder_are_first_then_the_cheap_ones(self) -> None:
        self.assertEqual(self.order(), [_OWN, _CHEAP, _PROGRAMS])

    def test_what_has_killed_comes_before_what_is_cheap(self) -> None:
        self.tests._order.killed(self.mutant, str(_PROGRAMS))
        self.assertEqual(self.order(), [_OWN, _PROGRAMS, _CHEAP])

    def fault(self, batch: _Batch, seen: Evidence, late: str = "") -> str | None:
        with mock.patch.object(OwnTests, "_seen", return_value=(seen, late)):
            return self.tests._fault(batch, mock.Mock())

    def test_user_tests_must_say_what_they_say_on_the_kernel_itself(self) -> None:
        self.assertIsNone(self.fault(_PROGRAMS, _programs_say(_PROGRAMS.said)))
        other = self.fault(_PROGRAMS, _programs_say(_PROGRAMS.said.replace("x", "y")))
        self.assertIn("line 2: b'y' instead of b'x'", other or "")
        self.assertIsNotNone(self.fault(_PROGRAMS, _programs_say(_PROGRAMS.said, status=35)))

    def test_a_test_in_the_kernel_must_end(self) -> None:
        self.assertIsNone(self.fault(_OWN, evidence(passing(), status=qemu.STATUS_OFF)))
        panic = self.fault(_OWN, evidence(b"panic: assertion failed: q\n", status=35))
        self.assertEqual(panic, "boot: panic: assertion failed: q")
        self.assertIn("flooded", self.fault(_OWN, evidence(b"", ended=Ended.FLOODED)) or "")
        self.assertEqual(self.fault(_OWN, evidence(passing()), "no end in 20 s"), "no end in 20 s")

    def test_what_the_kernel_itself_does_not_pass_is_left_out(self) -> None:
        def timed(batch: _Batch) -> _Batch | None:
            return None if "/tests/b" in batch.tests else replace(batch, cost=2.0)

        with mock.patch.object(self.tests, "_timed", timed):
            self.tests.context = "c"
            measured = self.tests._measured(_Nothing(), _PROGRAMS)  # type: ignore[arg-type]
        self.assertEqual((measured.tests, measured.cost), (("/tests/a",), 2.0))


class _Nothing:
    """A store that knows nothing."""

    def get(self, key: str) -> None:
        return None

    def put(self, key: str, **values: object) -> Iterator[str]:
        return iter(())


if __name__ == "__main__":
    unittest.main()
