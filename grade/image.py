"""Is the code in a guest's memory still what was built?

Nothing writes to the kernel's code and constants once it runs. If they have changed, checks and messages
may not be those that the grader linked, and the run shows nothing. At boot x86_64's kernel puts better
instructions into its code where the CPU has them (arch/x86_64/cpu.c): these count as what they replace.
"""

import re

from grade.elf import Elf
from grade.trace import Memory

_NOP = b"\x0f\x1f\x00"
_CHOSEN = re.compile(rb"\x0f\x01[\xca\xcb]|\x0f\xae.", re.S)  # CLAC and STAC, XSAVE and its like
_XSAVE_BIT = 0x20  # of the third byte: FXSAVE becomes XSAVE, FXRSTOR XRSTOR


def changed(elf: Elf, memory: Memory, ram_base: int) -> str:
    """The first place in the code and constants of @elf that is another in @memory; "" if there is none."""
    for s in elf.segments:
        boots = s.vaddr == s.paddr  # x86_64's first code, which is not mapped later, and its page tables
        if s.writable or boots:
            continue
        start = s.paddr - ram_base
        built, seen = elf.read(s.vaddr, s.file_size), memory[start : start + s.file_size]
        if built == seen:
            continue
        built, seen = _plain(built), _plain(seen)
        if built != seen:
            other = (i for i, (a, b) in enumerate(zip(built, seen)) if a != b)
            return elf.place(s.vaddr + next(other, len(seen)))
    return ""


def _plain(code: bytes) -> bytes:
    return _CHOSEN.sub(lambda m: _replaced(m[0]), code)


def _replaced(instruction: bytes) -> bytes:
    if instruction[1] == 0x01:
        return _NOP
    return instruction[:2] + bytes([instruction[2] & ~_XSAVE_BIT])
