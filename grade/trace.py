"""The trace rings, read out of guest memory from outside.

Where they are comes from the kernel's ELF file (`trace_rings`), what they mean from the tree's own
headers, so nothing that runs can bend it.
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
_RAM_BASE = {"riscv": 0x80000000, "x86_64": 0}


class Record(NamedTuple):
    """One event. Times are nanoseconds since the kernel's clock started, also across its wrap."""

    time: int
    event: str
    cpu: int
    tid: int
    a: int
    b: int
    reason: int = 0  # of a change of state: address of the words for it in the kernel's image


@dataclass(frozen=True)
class Trace:
    """The records of all CPUs in order of time."""

    records: tuple[Record, ...]
    complete: bool  # no ring has lost its oldest records
    clock: int = 0  # what the kernel's clock started at: add it to a time to get the kernel's own

    def of(self, *events: str) -> Iterator[Record]:
        return (r for r in self.records if r.event in events)

    def clipped(self, limit: int) -> "Trace":
        """Without what came after @limit: how much that is depends on the host."""
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
        include = root / "kernel" / "include"
        events = re.findall(
            r"^TRACE_EVENT\(TRACE_EV_(\w+),", (include / "trace_events.def").read_text(), re.M
        )
        return Layout(
            events=tuple(e.lower() for e in events),
            states=_x_list(include / "thread.h", "THREAD_STATES"),
            whys=_x_list(include / "wait.h", "WAIT_WHYS"),
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


# Where two CPUs say something at the same time, causes are put before effects.
_RANK = {
    **dict.fromkeys(("create", "process", "left", "exit", "kill", "reparent", "teardown"), 0),
    **dict.fromkeys(("zombie", "block"), 1),
    **dict.fromkeys(("free", "join", "reaped", "claim"), 3),
}


def merged(rings: Sequence[Sequence[Record]]) -> tuple[Record, ...]:
    """One sequence in order of time; what one CPU wrote stays in its order."""
    return tuple(heapq.merge(*rings, key=lambda r: (r.time, _RANK.get(r.event, 2))))


class RingReader:
    """Finds the rings of a running or ended guest in its memory."""

    def __init__(self, elf: Elf, layout: Layout, arch: str, clock: int = 0) -> None:
        self._elf = elf
        self._events = layout.events
        self._direct_base = layout.direct_base[arch]
        self._ram_base = _RAM_BASE[arch]
        self._clock = clock
        rings = elf.symbols.get("trace_rings")
        if rings is None:
            raise GraderError("the kernel has no trace_rings: not a kernel of this tree")
        self._at = [rings.address + i for i in range(0, rings.size, _RING.size)]

    def _offset(self, vaddr: int) -> int | None:
        pa = self._elf.physical(vaddr)
        if pa is None and vaddr >= self._direct_base:
            pa = vaddr - self._direct_base
        return None if pa is None else pa - self._ram_base

    def _bytes(self, memory: Memory, vaddr: int, size: int) -> bytes | None:
        offset = self._offset(vaddr)
        if offset is None or offset < 0 or offset + size > len(memory):
            return None
        return memory[offset : offset + size]

    def _rings(self, memory: Memory) -> Iterator[tuple[int, int, int]]:
        """(head, size, address of the records) of every ring that is there and makes sense."""
        for address in self._at:
            header = self._bytes(memory, address, _RING.size)
            if header is None:
                continue
            head, size, records = _RING.unpack(header)
            if 0 < size <= _RING_MAX and size & (size - 1) == 0:
                yield head, size, records

    def progress(self, memory: Memory) -> tuple[int, int]:
        """(records ever written, time of the newest) right now, while the guest runs."""
        total, newest = 0, 0
        for head, size, records in self._rings(memory):
            total += head
            if head:
                slot = records + (head - 1) % size * _RECORD.size
                data = self._bytes(memory, slot, 8)
                if data is not None:
                    newest = max(newest, self._time(int.from_bytes(data, "little")))
        return total, newest

    def _time(self, raw: int) -> int:
        return (raw - self._clock) & _MASK

    def read(self, memory: Memory) -> Trace:
        rings: list[list[Record]] = []
        since = 0  # from here on no ring has lost anything
        complete = True
        for head, size, address in self._rings(memory):
            data = self._bytes(memory, address, size * _RECORD.size)
            if data is None:
                continue
            order = range(max(0, head - size), head)
            ring = list(self._decode(data, (i % size for i in order)))
            rings.append(ring)
            if head > size and ring:
                complete = False
                since = max(since, ring[0].time)
        whole = tuple(r for r in merged(rings) if r.time >= since)
        return Trace(whole, complete and bool(rings), self._clock)

    def _decode(self, data: bytes, slots: Iterable[int]) -> Iterator[Record]:
        events = self._events
        for slot in slots:
            time, event, cpu, _, tid, a, b = _RECORD.unpack_from(data, slot * _RECORD.size)
            if not 0 < event < len(events):
                continue
            reason = 0
            if events[event] == "state":
                reason, b = _kernel_address(b >> 16), b & 0xFFFF
            yield Record(self._time(time), events[event], cpu, tid, a, b, reason)


class VirtualRingReader(RingReader):
    """For memory as the kernel itself sees it: a debugger's."""

    def _bytes(self, memory: Memory, vaddr: int, size: int) -> bytes | None:
        return memory[vaddr : vaddr + size]


def _kernel_address(low: int) -> int:
    """The address whose lower 48 bits are @low: the kernel lies in the upper half."""
    return low | 0xFFFF << 48 if low >> 47 else low
