"""Rings out of made-up guest memory, and the merge of several CPUs."""

import struct
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

from grade import timeline
from grade.elf import Elf
from grade.errors import GraderError
from grade.tests.fake import LAYOUT, elf
from grade.trace import Collector, Record, RingReader, Trace, merged

_BASE = 0xFFFFFFFF80200000
_RAM = 0x80000000
_DIRECT = LAYOUT.direct_base["riscv"]
_SIZE = 8
_EVENT = {name: i for i, name in enumerate(LAYOUT.events)}


def _record(time: int, event: str, cpu: int, tid: int, a: int, b: int) -> bytes:
    return struct.pack("<QHBBIQQ", time, _EVENT[event], cpu, 0, tid, a, b)


class _Memory(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "kernel.elf"
        elf(path, _BASE, 0x80200000, bytes(48), [("trace_rings", _BASE, 48)])
        self.elf = Elf(path)
        self.memory = bytearray(0x300000)

    def ring(self, cpu: int, head: int, records: list[bytes]) -> None:
        """Ring @cpu in memory; its records lie in the direct map."""
        at = 0x280000 + cpu * 0x1000
        struct.pack_into("<QQQ", self.memory, 0x200000 + 24 * cpu, head, _SIZE, _DIRECT + _RAM + at)
        for i, record in enumerate(records):
            self.memory[at + 32 * i : at + 32 * i + 32] = record


class Rings(_Memory):
    def read(self, clock: int = 0) -> Trace:
        return RingReader(self.elf, LAYOUT, "riscv", clock).read(bytes(self.memory))

    def test_two_rings_are_merged_by_time(self) -> None:
        self.ring(0, 2, [_record(10, "switch", 0, 1, 2, 1), _record(30, "idle", 0, 0, 0, 0)])
        self.ring(1, 1, [_record(20, "wake", 1, 5, 6, 0)])
        seen = self.read()
        self.assertEqual([r.event for r in seen.records], ["switch", "wake", "idle"])
        self.assertTrue(seen.complete)
        self.assertEqual(seen.records[0], Record(10, "switch", 0, 1, 2, 1))

    def test_a_full_ring_keeps_the_newest(self) -> None:
        slots = [_record(100 + i, "wake", 0, 1, 1, 0) for i in (8, 9, 2, 3, 4, 5, 6, 7)]
        self.ring(0, 10, slots)
        seen = self.read()
        self.assertEqual([r.time for r in seen.records], list(range(102, 110)))
        self.assertFalse(seen.complete)

    def test_what_one_ring_has_lost_is_taken_from_all(self) -> None:
        self.ring(0, 10, [_record(100 + i, "wake", 0, 1, 1, 0) for i in (8, 9, 2, 3, 4, 5, 6, 7)])
        self.ring(1, 2, [_record(5, "wake", 1, 1, 1, 0), _record(105, "wake", 1, 1, 1, 0)])
        seen = self.read()
        self.assertEqual(min(r.time for r in seen.records), 102)
        self.assertEqual(sum(r.cpu == 1 for r in seen.records), 1)

    def test_times_count_from_the_start_of_the_clock(self) -> None:
        start = 2**64 - 50
        late = _record(start + 10, "wake", 0, 1, 1, 0)
        after = _record(5, "wake", 0, 1, 1, 0)
        self.ring(0, 2, [late, after])
        self.assertEqual([r.time for r in self.read(clock=start).records], [10, 55])

    def test_progress_counts_and_finds_the_newest(self) -> None:
        reader = RingReader(self.elf, LAYOUT, "riscv")
        self.assertEqual(reader.progress(bytes(self.memory)), (0, 0))
        self.ring(0, 2, [_record(10, "wake", 0, 1, 1, 0), _record(40, "wake", 0, 1, 1, 0)])
        self.assertEqual(reader.progress(bytes(self.memory)), (2, 40))

    def test_the_reason_of_a_state_is_taken_from_beside_the_states(self) -> None:
        b = (_BASE + 4 & (1 << 48) - 1) << 16 | 2 << 8 | 3
        self.ring(0, 2, [_record(1, "state", 0, 1, 1, b), _record(2, "wake", 0, 1, 1, b)])
        state, wake = self.read().records
        self.assertEqual((state.b, state.reason), (2 << 8 | 3, _BASE + 4))
        self.assertEqual((wake.b, wake.reason), (b, 0))

    def test_nonsense_in_memory_is_no_trace(self) -> None:
        for nonsense in ((5, 7, _DIRECT), (5, 8, 0), (5, 1 << 40, _DIRECT), (1, 8, 1 << 63)):
            struct.pack_into("<QQQ", self.memory, 0x200000, *nonsense)
            self.assertEqual(self.read().records, ())

    def test_a_kernel_without_rings_is_refused(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "k"
            elf(path, _BASE, 0x80200000, bytes(8), [("other", _BASE, 8)])
            with self.assertRaises(GraderError):
                RingReader(Elf(path), LAYOUT, "riscv")


class Collecting(_Memory):
    """The writer goes on while its ring is emptied."""

    def setUp(self) -> None:
        super().setUp()
        unsure = patch("grade.trace._UNSURE", 2)
        unsure.start()
        self.addCleanup(unsure.stop)
        self.collector = Collector(RingReader(self.elf, LAYOUT, "riscv"))

    def write(self, cpu: int, head: int) -> None:
        """@head records have been written, the newest of which lie in the ring."""
        slots = {i % _SIZE: _record(100 + i, "wake", cpu, 1, 1, 0) for i in range(head)}
        self.ring(cpu, head, [slots[i] for i in sorted(slots)])

    def collect(self, ended: bool = False) -> None:
        self.collector.collect(bytes(self.memory), ended)

    def test_more_than_a_ring_holds(self) -> None:
        for head in (3, 9, 15, 20):
            self.write(0, head)
            self.collect()
        self.collect(ended=True)
        seen = self.collector.trace()
        self.assertEqual([r.time for r in seen.records], list(range(100, 120)))
        self.assertTrue(seen.complete)

    def test_what_may_still_be_written_is_left_for_later(self) -> None:
        self.write(0, 3)
        self.collect()
        self.assertEqual([r.time for r in self.collector.trace().records], [100])

    def test_after_a_gap_all_begin_anew(self) -> None:
        self.write(0, 4)
        self.write(1, 3)
        self.collect()
        self.write(0, 20)
        self.collect(ended=True)
        seen = self.collector.trace()
        self.assertEqual([r.time for r in seen.records], list(range(112, 120)))
        self.assertFalse(seen.complete)


class Merge(unittest.TestCase):
    def test_causes_come_before_effects_at_equal_times(self) -> None:
        freed = [Record(10, "free", 0, 1, 7, 0)]
        left = [Record(10, "left", 1, 7, 7, 0)]
        self.assertEqual([r.event for r in merged([freed, left])], ["left", "free"])

    def test_a_name_is_told_as_text_whatever_a_kernel_has_written(self) -> None:
        for a, b, said in ((0x726570616572, 0, "named reaper"), (0x1B41, 0, "named A\\x1b"),
                           (0x6161616161616161, 2**64 - 1, "named aaaaaaaa" + "\ufffd" * 8)):  # fmt: skip
            self.assertEqual(timeline.say(Record(0, "name", 0, 3, a, b), LAYOUT), said)

    def test_the_order_of_one_cpu_stays(self) -> None:
        one = [Record(10, "claim", 0, 1, 7, 1), Record(10, "create", 0, 1, 8, 0)]
        self.assertEqual([r.event for r in merged([one])], ["claim", "create"])

    def test_clipping_drops_what_came_later(self) -> None:
        whole = Trace(tuple(Record(t, "wake", 0, 1, 1, 0) for t in (1, 5, 9)), True)
        self.assertEqual([r.time for r in whole.clipped(5).records], [1, 5])


if __name__ == "__main__":
    unittest.main()
