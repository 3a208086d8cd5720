"""Boots a machine under the plugin meter.c and returns what it saw: windows with interrupts or preemption
off, with the places in the source where they begin and end, and which CPUs took which locks."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.machine import BenchError, Figures, Port

IRQS = "irqs"
PREEMPTION = "preemption"


@dataclass(frozen=True)
class Window:
    """The longest of those that began and ended at the same places."""

    began: str
    ended: str
    length: int
    times: int
    mostly: str = ""  # the functions in which most of the time was spent; only of the longest window of all


@dataclass(frozen=True)
class Lock:
    """The use that each CPU made of a lock while all of them did the same operation."""

    taken: Mapping[int, int]
    waited: Mapping[int, int]

    @property
    def all_taken(self) -> int:
        return sum(self.taken.values())

    def shared_by(self, cpus: int) -> int:
        """Acquisitions by other CPUs than the one that has it most, if more than half of them take it.

        A futex bucket that two processes use, or a run queue that another CPU looked into, does not count
        as shared by all.
        """
        if len(self.taken) < 2 or len(self.taken) <= cpus // 2:
            return 0
        return self.all_taken - max(self.taken.values())


@dataclass(frozen=True)
class Seen:
    figures: Figures
    sections: Sequence[Sequence[Lock]]  # in the order of the operations
    windows: Mapping[str, Sequence[Window]]  # the longest first


def watch(port: Port, command: str, cpus: int = 1, bootargs: tuple[str, ...] = ()) -> Seen:
    with tempfile.TemporaryDirectory(prefix="trellis-meter-") as scratch:
        out = Path(scratch, "seen")
        plugin = port.folder.parent.parent / "host" / "meter.so"
        places = port.folder / "meter.places"
        extra = ("-plugin", f"{plugin},places={places},out={out}")
        figures = port.run(command, cpus, bootargs, extra=extra)
        try:
            lines = [line.split() for line in out.read_text().splitlines()]
        except OSError as error:
            raise BenchError(f"{port.arch}: QEMU did not load {plugin}") from error
    return Seen(figures, _sections(lines), _windows(port, lines))


def _sections(lines: Iterable[Sequence[str]]) -> list[list[Lock]]:
    sections: list[list[Lock]] = []
    for line in lines:
        if line[0] == "section":
            sections.append([])
        elif line[0] == "lock":
            counts = [tuple(map(int, field.split(":"))) for field in line[2:]]
            taken = {cpu: n for cpu, n, _ in counts}
            sections[-1].append(Lock(taken, {cpu: n for cpu, _, n in counts}))
    return sections


def _windows(port: Port, lines: Sequence[Sequence[str]]) -> dict[str, list[Window]]:
    found: dict[str, list[Window]] = {}
    for kind in (IRQS, PREEMPTION):
        mine = sorted((x for x in lines if x[:2] == ["window", kind]), key=lambda x: -int(x[4]))[:5]
        path = [line for line in lines if line[:2] == ["path", kind]]
        places = _places(port, [line[i] for line in mine for i in (2, 3)])
        in_path = _places(port, [line[2] for line in path])
        spent: Counter[str] = Counter()
        for line in path:
            spent[in_path[line[2]].split()[0]] += int(line[3])
        mostly = ", ".join(f"{name} {n:,}" for name, n in spent.most_common(4))
        found[kind] = [
            Window(places[x[2]], places[x[3]], int(x[4]), int(x[5]), "" if i else mostly)
            for i, x in enumerate(mine)
        ]
    return found


def _places(port: Port, addresses: Sequence[str]) -> dict[str, str]:
    """ "function file:line" of each."""
    if not addresses:
        return {}
    prefixes = ("riscv64-unknown-elf-", "riscv64-elf-", "riscv64-linux-gnu-")
    names = [f"{p}addr2line" for p in (prefixes if port.arch == "riscv" else ("", "x86_64-linux-gnu-"))]
    program = next((name for name in names if shutil.which(name)), names[0])
    argv = [program, "-fs", "-e", str(port.folder / "kernel.elf"), *addresses]
    out = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()
    return {
        address: f"{out[2 * i]} {out[2 * i + 1].split(' (')[0]}" if "?" not in out[2 * i] else "firmware"
        for i, address in enumerate(addresses)
    }
