"""Which lines of the kernel a test runs, so that a mutant is shown only to tests that run its line.

A test is run once under a plugin of QEMU, ran.c, which notes the instructions that are executed; the debug
information of the kernel says from which lines each of them comes: the line itself, and those that call the
inlined functions that it is in. Nothing is compiled in another way, so the kernel that is watched is the one
that is mutated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from grade.elf import Elf
from grade.machine import Boot
from tools import qemu
from tools.mutate.mutants import Mutant
from tools.places import places

WATCHING = ("tools/mutate/ran.c", "tools/mutate/coverage.py", "tools/places.py")

_OURS = re.compile(r".*/((?:kernel|arch)/.*)")
_STEP = {"riscv": 2, "x86_64": 1}  # bytes between the places where an instruction may begin

Lines = Mapping[str, frozenset[int]]  # of each file of the kernel


@dataclass(frozen=True)
class _Watched(Boot):
    plugin: str = ""

    def machine(self, nonce: str) -> qemu.Machine:
        machine = super().machine(nonce)
        return replace(machine, extra=(*machine.extra, "-plugin", self.plugin))


class Watch:
    """Watches runs of the kernel of one port."""

    def __init__(self, plugin: Path, arch: str, kernel: Path) -> None:
        self._plugin = plugin
        self._arch = arch
        self._kernel = kernel

    @cached_property
    def _text(self) -> tuple[int, int]:
        elf = Elf(self._kernel)
        return elf.address("__text_start"), elf.address("__text_end")

    @cached_property
    def _lines(self) -> dict[int, list[tuple[str, int]]]:
        """Of each address of the kernel's code, the lines that it belongs to."""
        pcs = [pc + 1 for pc in range(*self._text, _STEP[self._arch])]
        return {
            pc - 1: [(m[1], p.line) for p in chain if p.line and (m := _OURS.fullmatch(p.file))]
            for pc, chain in places(self._kernel, pcs).items()
        }

    def watched(self, boot: Boot, out: Path) -> Boot:
        """@boot with the plugin, which writes to @out."""
        low, high = self._text
        return _Watched(**vars(boot), plugin=f"{self._plugin},text={low:x}:{high:x},out={out}")

    def ran(self, out: Path) -> Lines:
        """The lines that were executed."""
        addresses = out.read_text(encoding="ascii").split() if out.exists() else []
        return self._of(int(address, 16) for address in addresses)

    @property
    def code(self) -> Lines:
        """All lines that the compiler made code of."""
        return self._of(self._lines)

    def _of(self, addresses: Iterable[int]) -> Lines:
        found: dict[str, set[int]] = {}
        for address in addresses:
            for file, line in self._lines.get(address, ()):
                found.setdefault(file, set()).add(line)
        return {file: frozenset(lines) for file, lines in found.items()}


def lines_of(mutant: Mutant, code: Lines) -> frozenset[int]:
    """The lines of @mutant that have code in the kernel. If none does, such as a brace, then the next one
    that does; one of the function, since a function has code at its end."""
    mine = code.get(mutant.path, frozenset())
    found = mutant.lines & mine
    if found or not mine:
        return found
    after = [line for line in mine if line > mutant.line]
    return frozenset({min(after)} if after else ())


def packed(lines: Lines) -> dict[str, str]:
    """@lines as short texts: "3-7 9"."""
    return {file: " ".join(_ranges(sorted(some))) for file, some in sorted(lines.items())}


def _ranges(lines: list[int]) -> list[str]:
    found: list[str] = []
    first = last = lines[0]
    for line in [*lines[1:], 0]:
        if line != last + 1:
            found.append(f"{first}-{last}" if last > first else f"{first}")
            first = line
        last = line
    return found


def unpacked(texts: Mapping[str, str]) -> Lines:
    def numbers(text: str) -> Iterable[int]:
        for part in text.split():
            first, _, last = part.partition("-")
            yield from range(int(first), int(last or first) + 1)

    return {file: frozenset(numbers(text)) for file, text in texts.items()}
