"""Runs a command deterministically and takes the trace out of the machine's memory.

Time is counted in instructions, so the same command gives the same timeline every time.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from grade.elf import Elf
from grade.machine import intervals, scratch_folder
from grade.trace import Collector, Layout, RingReader, Trace
from tools import qemu
from tools.boot import Outcome, boot
from tools.mux import Stream

GROUPS = "sched,state,life,wait,syscall,irq,test"
RECORDS = 32768  # per CPU, the most a ring takes
_EVERY_S = 0.004


@dataclass(frozen=True)
class Recording:
    outcome: Outcome
    trace: Trace
    elf: Elf
    layout: Layout


def record(
    machine: qemu.Machine, root: Path, timeout: float, sink: Callable[[Stream, bytes], None]
) -> Recording:
    """Boots @machine, whose boot arguments may choose trace= and trace_size= otherwise; its icount
    counts if it has one."""
    words = (f"trace={GROUPS}", f"trace_size={RECORDS}", *machine.bootargs)
    elf, layout = Elf(machine.kernel), Layout.read(root)
    with scratch_folder() as name:
        ram = Path(name) / "ram"
        ram.touch()
        os.truncate(ram, machine.memory_mib << 20)
        watched = replace(
            machine,
            bootargs=words,
            icount=machine.icount or qemu.Icount(0, intervals("medium", 0, 1)),
            ram_file=ram,
        )
        reader = RingReader(elf, layout, machine.arch, _clock(words))
        with ram.open("rb") as file, _Following(reader, file) as following:
            outcome = boot(watched, timeout, sink)
        trace = following.collector.trace()
    return Recording(outcome, trace, elf, layout)


class _Following:
    """Empties the rings while the machine runs, since a trace may be longer than they can hold.

    This does not affect the machine, and nothing is lost unless this host is very busy, so the trace is
    the same every time.
    """

    def __init__(self, reader: RingReader, ram: IO[bytes]) -> None:
        self.collector = Collector(reader)
        self._memory = mmap.mmap(ram.fileno(), 0, prot=mmap.PROT_READ)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow)

    def _follow(self) -> None:
        while not self._ended.wait(_EVERY_S):
            self.collector.collect(self._memory)

    def __enter__(self) -> _Following:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self.collector.collect(self._memory, ended=True)
        self._memory.close()


def _clock(words: tuple[str, ...]) -> int:
    given = [w.removeprefix("clock=") for w in words if w.startswith("clock=")]
    try:
        return int(given[-1], 0) if given else 0
    except ValueError:
        return 0  # with a unit: times then count from the kernel's own zero
