"""Runs sets in the kernel, many in one boot, and judges them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import qemu
from tools.boot import End, with_command
from tools.mux import Stream
from tools.programs import ROOT, kernel_says, last_lines
from tools.sets import agree
from tools.sets.generate import BOOTARGS, bootargs, generate
from tools.sets.history import History, TraceOfSets
from tools.sets.judge import judge
from tools.simulate.build import build
from tools.test.builds import Build
from tools.test.model import Job, Result
from tools.timeline.record import record

_TIMEOUT_S = 600.0
_SHIFT = 2  # an instruction takes 4 ns: 250 MIPS, and QEMU has little to emulate


@dataclass(frozen=True)
class Boot:
    """Sets of one policy, one after the other."""

    arch: str
    policy: str
    seeds: tuple[int, ...]
    build_root: Path

    @property
    def title(self) -> str:
        return f"sets {self.arch} {self.policy}: seeds {self.seeds[0]} to {self.seeds[-1]}"

    def check(self) -> Iterator[Result]:
        wrong = [
            f"seed {history.set.seed}: {complaint}"
            for history in self.histories()
            for complaint in complaints(history, self.build_root)
        ]
        again = "again: python3 -m tools.sets --arch {} --policy {} --seeds {} {}"
        wrong.append(again.format(self.arch, self.policy, self.seeds[0], self.seeds[-1]))
        yield Result(self.title, len(wrong) == 1, "\n".join(wrong[-20:]))

    def histories(self) -> list[History]:
        sets = [generate(self.policy, seed) for seed in self.seeds]
        command = "".join(f"tasks -q <<'END'\n{s.text()}END\n" for s in sets)
        folder = Build(self.arch).directory(self.build_root)
        said: dict[Stream, bytearray] = {stream: bytearray() for stream in Stream}
        with tempfile.TemporaryDirectory(prefix="trellis-sets-") as scratch:
            machine = qemu.Machine(
                arch=self.arch,
                kernel=folder / "kernel.elf",
                initrd=with_command(
                    folder / "initramfs.cpio", Path(scratch, "initrd"), command.encode()
                ),
                bootargs=(*bootargs(self.policy), "trace=sched,state,life"),
                icount=qemu.Icount(_SHIFT),
            )
            seen = record(machine, ROOT, _TIMEOUT_S, lambda stream, piece: said[stream].extend(piece))
        if seen.outcome.end is not End.OFF or not seen.trace.complete:
            kernel = kernel_says(said[Stream.KERNEL].decode("utf-8", "replace"))
            raise ValueError(f"{seen.outcome.end.value}: the trace is not whole\n{last_lines(kernel)}")
        told = _told(said[Stream.USER].decode("utf-8", "replace"))
        if len(told) != len(sets):
            raise ValueError(f"{len(told)} of {len(sets)} sets have begun")
        trace = TraceOfSets(seen.trace, seen.layout)
        return [trace.history(s, *begun) for s, begun in zip(sets, told)]


def complaints(history: History, build_root: Path) -> list[str]:
    """The differences from the promises and from the simulation."""
    real = agree.in_kernel(history)
    return judge(history) + list(agree.disagreement(build(build_root), history.set, real))


def _told(text: str) -> list[tuple[int, frozenset[str]]]:
    """Reads from the tasks' output of each set when it began, and which tasks were refused."""
    found: list[tuple[int, frozenset[str]]] = []
    refused: list[str] = []
    for word, value in (line.split() for line in text.splitlines() if len(line.split()) == 2):
        if word == "refused":
            refused.append(value)
        elif word == "start":
            found.append((int(value), frozenset(refused)))
            refused = []
    return found


def boots(build_root: Path, sets: int, per_boot: int) -> list[Boot]:
    """@sets of each policy on each port."""
    return [
        Boot(arch, policy, tuple(range(first, min(first + per_boot, sets + 1))), build_root)
        for first in range(1, sets + 1, per_boot)
        for policy in BOOTARGS
        for arch in qemu.ARCHES
    ]


def jobs(build_root: Path, sets: int, per_boot: int) -> list[Job]:
    return [Job(boot.title, boot.check) for boot in boots(build_root, sets, per_boot)]
