"""The trace rings, read out of guest memory from outside.

Their address comes from the kernel's ELF file (`trace_rings`) and the meaning of the records from the
tree's own headers, so the running kernel can change neither.
"""

import heapq
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Protocol

from grade.elf import Elf
from grade.errors import GraderError

_MASK = (1 << 64) - 1
_RECORD = struct.Struct("<QHBBIQQ")
_RING = struct.Struct("<QQQ")
_RING_MAX = 1 << 20
RAM_BASE = {"riscv": 0x80000000, "x86_64": 0}


class Record(NamedTuple):
    """One event. Times are nanoseconds since the kernel's clock started, also across its wrap."""

    time: int
    event: str
    cpu: int
    tid: int
    a: int
    b: int
    reason: int = 0  # of a change of state: address of its reason, a string in the kernel's image


@dataclass(frozen=True)
class Trace:
    """The records of all CPUs in order of time."""

    records: tuple[Record, ...]
    complete: bool  # no ring has lost its oldest records
    clock: int = 0  # start value of the kernel's clock: add it to a time to get the kernel's own

    def of(self, *events: str) -> Iterator[Record]:
        return (r for r in self.records if r.event in events)

    def clipped(self, limit: int) -> "Trace":
        """The trace without the records after @limit, whose number depends on the host."""
        kept = tuple(r for r in self.records if r.time <= limit)
        return replace(self, records=kept)


EMPTY = Trace((), False)


class Memory(Protocol):
    """Guest-physical memory, as a file: an mmap or bytes."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: slice) -> bytes: ...


@dataclass(frozen=True)
class Layout:
    """Names for the numbers in records, from the tree's own headers."""

    events: tuple[str, ...]
    states: tuple[str, ...]
    whys: tuple[str, ...]
    direct_base: Mapping[str, int]  # by port: where the kernel sees physical memory

    @staticmethod
    def read(root: Path) -> "Layout":
        kernel = root / "kernel"
        events = re.findall(
            r"^TRACE_EVENT\(TRACE_EV_(\w+),", (kernel / "base" / "trace_events.def").read_text(), re.M
        )
        return Layout(
            events=tuple(e.lower() for e in events),
            states=_x_list(kernel / "thread" / "thread.h", "THREAD_STATES"),
            whys=_x_list(kernel / "sched" / "wait.h", "WAIT_WHYS"),
            direct_base={
                path.parent.name: _constant(path, "ARCH_DIRECT_BASE")
                for path in sorted((root / "arch").glob("*/arch_types.h"))
            },
        )

    def state(self, number: int) -> str:
        return self.states[number] if number < len(self.states) else f"state {number}"

    def why(self, number: int) -> str:
        return self.whys[number] if number < len(self.whys) else f"reason {number}"


def _x_list(path: Path, macro: str) -> tuple[str, ...]:
    """The printable names of one `#define LIST(X) X(ID, "name") ...`."""
    found = re.search(rf"#define {macro}\(X\)((?:.*\\\n)*.*)", path.read_text())
    names = re.findall(r'X\(\w+,\s*"([^"]*)"\)', found.group(1)) if found else []
    if not names:
        raise GraderError(f"{path}: no list {macro}")
    return tuple(names)


def _constant(path: Path, name: str) -> int:
    found = re.search(rf"#define\s+{name}\s+(0x[0-9a-f]+)", path.read_text())
    if found is None:
        raise GraderError(f"{path}: no {name}")
    return int(found.group(1), 16)


# If records of two CPUs have the same time, causes are put before effects.
_RANK = {
    **dict.fromkeys(("create", "process", "left", "exit", "kill", "reparent", "teardown"), 0),
    **dict.fromkeys(("zombie", "block"), 1),
    **dict.fromkeys(("free", "join", "reaped", "claim"), 3),
}


def merged(rings: Sequence[Sequence[Record]]) -> tuple[Record, ...]:
    """All records in order of time; the records of one CPU keep their order."""
    return tuple(heapq.merge(*rings, key=lambda r: (r.time, _RANK.get(r.event, 2))))


class RingReader:
    """Finds the rings of a running or ended guest in its memory."""

    def __init__(self, elf: Elf, layout: Layout, arch: str, clock: int = 0) -> None:
        self._elf = elf
        self._events = layout.events
        self._direct_base = layout.direct_base[arch]
        self._ram_base = RAM_BASE[arch]
        self.clock = clock
        rings = elf.symbols.get("trace_rings")
        if rings is None:
            raise GraderError("the kernel has no trace_rings: not a kernel of this tree")
        self._at = [rings.address + i for i in range(0, rings.size, _RING.size)]

    def _offset(self, vaddr: int) -> int | None:
        pa = self._elf.physical(vaddr)
        if pa is None and vaddr >= self._direct_base:
            pa = vaddr - self._direct_base
        return None if pa is None else pa - self._ram_base

    def bytes_at(self, memory: Memory, vaddr: int, size: int) -> bytes | None:
        offset = self._offset(vaddr)
        if offset is None or offset < 0 or offset + size > len(memory):
            return None
        return memory[offset : offset + size]

    def rings(self, memory: Memory) -> Iterator[tuple[int, int, int]]:
        """(head, size, address of the records) of every ring that exists and is consistent."""
        for address in self._at:
            header = self.bytes_at(memory, address, _RING.size)
            if header is None:
                continue
            head, size, records = _RING.unpack(header)
            if 0 < size <= _RING_MAX and size & (size - 1) == 0:
                yield head, size, records

    def progress(self, memory: Memory) -> tuple[int, int]:
        """(records ever written, time of the newest) right now, while the guest runs."""
        total, newest = 0, 0
        for head, size, records in self.rings(memory):
            total += head
            if head:
                slot = records + (head - 1) % size * _RECORD.size
                data = self.bytes_at(memory, slot, 8)
                if data is not None:
                    newest = max(newest, self._time(int.from_bytes(data, "little")))
        return total, newest

    def _time(self, raw: int) -> int:
        return (raw - self.clock) & _MASK

    def read(self, memory: Memory) -> Trace:
        rings: list[list[Record]] = []
        since = 0  # from here on no ring has lost anything
        complete = True
        for head, size, address in self.rings(memory):
            data = self.bytes_at(memory, address, size * _RECORD.size)
            if data is None:
                continue
            order = range(max(0, head - size), head)
            ring = list(self.decode(data, (i % size for i in order)))
            rings.append(ring)
            if head > size and ring:
                complete = False
                since = max(since, ring[0].time)
        whole = tuple(r for r in merged(rings) if r.time >= since)
        return Trace(whole, complete and bool(rings), self.clock)

    def decode(self, data: bytes, slots: Iterable[int]) -> Iterator[Record]:
        events = self._events
        for slot in slots:
            time, event, cpu, _, tid, a, b = _RECORD.unpack_from(data, slot * _RECORD.size)
            if not 0 < event < len(events):
                continue
            reason = 0
            if events[event] == "state":
                reason, b = _kernel_address(b >> 16), b & 0xFFFF
            yield Record(self._time(time), events[event], cpu, tid, a, b, reason)


_UNSURE = 64  # the newest records of a ring that a writer may still be changing


class Collector:
    """Takes records out of the rings again and again while the guest runs, so that none is lost."""

    def __init__(self, reader: RingReader) -> None:
        self._reader = reader
        self._taken: dict[int, bytearray] = {}  # by address of the ring's records
        self._next: dict[int, int] = {}
        self._gaps: set[int] = set()  # rings that have lost records: the newer ones are kept

    def collect(self, memory: Memory, ended: bool = False) -> None:
        """Reads the new records. Call it once more with @ended when the guest has stopped."""
        for head, size, address in self._reader.rings(memory):
            last = head if ended else head - _UNSURE
            first = max(self._next.get(address, 0), last - size)
            if last <= first:
                continue
            data = self._copy(memory, address, size, first, last)
            now = next(h for h, _, a in self._reader.rings(memory) if a == address)
            taken = self._taken.setdefault(address, bytearray())
            lost = max(first, now - size)  # from here on the writer has not overtaken us
            if lost > self._next.get(address, 0):
                self._gaps.add(address)
                taken.clear()
            taken += data[(lost - first) * _RECORD.size :]
            self._next[address] = last

    def _copy(self, memory: Memory, address: int, size: int, first: int, last: int) -> bytes:
        start, end = first % size, first % size + last - first
        parts = [(start, min(end, size)), (0, max(0, end - size))]
        pieces = [
            self._reader.bytes_at(memory, address + a * _RECORD.size, (b - a) * _RECORD.size)
            for a, b in parts
        ]
        return b"".join(piece or b"" for piece in pieces)

    def trace(self) -> Trace:
        rings: list[list[Record]] = []
        since = 0
        for address, taken in self._taken.items():
            ring = list(self._reader.decode(bytes(taken), range(len(taken) // _RECORD.size)))
            rings.append(ring)
            if address in self._gaps and ring:
                since = max(since, ring[0].time)
        whole = tuple(r for r in merged(rings) if r.time >= since)
        return Trace(whole, bool(rings) and not self._gaps, self._reader.clock)


class VirtualRingReader(RingReader):
    """Reads rings through kernel addresses, as a debugger does."""

    def bytes_at(self, memory: Memory, vaddr: int, size: int) -> bytes | None:
        return memory[vaddr : vaddr + size]


def _kernel_address(low: int) -> int:
    """The address whose lower 48 bits are @low: the kernel lies in the upper half."""
    return low | 0xFFFF << 48 if low >> 47 else low
