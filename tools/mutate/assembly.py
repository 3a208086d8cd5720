"""Operators on assembly, line by line: an instruction dropped, out of order, with another operand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tools.mutate.edits import Change, Edit

_LINE = re.compile(r"^[ \t]+(?P<op>[a-z][\w.]*)(?:[ \t]+(?P<operands>[^/#\n]*?))?[ \t]*(?:/\*.*)?$")
_REGISTER = re.compile(r"%?\b(?:[astr]\d+|ra|sp|gp|tp|r[abcd]x|r[sd]i|r[sb]p|r8|r9)\b")
_OFFSET = re.compile(r"(?P<offset>[\w+*() -]*?\w\)?)\((?P<base>%?\w+)\)$|%gs:(?P<segment>\w+)$")
_FAMILIES = (
    *(tuple(f"s{i}" for i in range(12)), tuple(f"a{i}" for i in range(8)), ("ra", "t0"), ("tp", "gp")),
    ("%r12", "%r13", "%r14", "%r15", "%rbx", "%rbp"),
    *(("%rdi", "%rsi"), ("%rax", "%rcx"), ("%rsp", "%rax")),
)
_STORES = ("sd", "sw", "sh", "sb")
_LOADS = ("ld", "lw", "lwu", "lh", "lhu", "lb", "lbu")
# These do nothing but keep a value between two traps. Writing sstatus does more: it may let interrupts in
# and open user memory.
_PLAIN_CSRS = ("sscratch", "sepc", "scause", "stval")


@dataclass(frozen=True)
class Instruction:
    start: int  # of its line
    end: int  # of its line, with the line's end
    at: int  # of the first letter
    op: str
    operands: tuple[tuple[int, str], ...]  # places and texts

    @property
    def registers(self) -> set[str]:
        return {found for _, text in self.operands for found in _REGISTER.findall(text)}


def instructions(text: str) -> list[Instruction]:
    """The instructions of @text; labels, directives and macros of the assembler are none."""
    found = []
    begin = 0
    for line in text.splitlines(keepends=True):
        m = _LINE.match(line.rstrip("\n"))
        if m is not None and not m["op"].startswith("."):
            places = []
            at = m.start("operands")
            for part in (m["operands"] or "").split(","):
                lead = len(part) - len(part.lstrip())
                if part.strip():
                    places.append((begin + at + lead, part.strip()))
                at += len(part) + 1
            start = begin + m.start("op")
            found.append(Instruction(begin, begin + len(line), start, m["op"], tuple(places)))
        begin += len(line)
    return found


def _effects(i: Instruction) -> tuple[set[str], set[str]] | None:
    """The registers and CSRs that a RISC-V instruction writes, and those that it reads; None: not known."""
    texts = [text for _, text in i.operands]
    if any("\\" in text.rpartition("(")[2] for text in texts):
        return None  # a macro's argument: any register
    if i.op in _STORES:
        return set(), i.registers
    if i.op in (*_LOADS, "mv", "addi"):
        return {texts[0]}, set(_REGISTER.findall(" ".join(texts[1:])))
    if i.op == "li":
        return {texts[0]}, set()
    if i.op == "csrr" and texts[1] in (*_PLAIN_CSRS, "sstatus"):
        return {texts[0]}, {texts[1]}
    if i.op == "csrw" and texts[0] in _PLAIN_CSRS:
        return {texts[0]}, set(_REGISTER.findall(texts[1]))
    if i.op == "csrrw" and texts[1] in _PLAIN_CSRS:
        return {texts[0], texts[1]}, {texts[1], *_REGISTER.findall(texts[2])}
    return None


def _commute(a: Instruction, b: Instruction) -> bool:
    """Whether two instructions do the same in either order: neither writes a register or CSR that the other
    uses, and no store meets a load, or a store to the same place."""
    first, second = _effects(a), _effects(b)
    if first is None or second is None:
        return False
    if first[0] & (second[0] | second[1]) or second[0] & first[1]:
        return False
    if any(i.op == "li" or i.op.startswith("csr") for i in (a, b)) and (_may_fault(a) or _may_fault(b)):
        return False
    stores = [i.op in _STORES for i in (a, b)]
    if all(stores):
        return a.operands[1][1] != b.operands[1][1]
    return not (any(stores) and (a.op in _LOADS or b.op in _LOADS))


def _may_fault(i: Instruction) -> bool:
    """Whether @i may use user memory: a fault there goes on elsewhere, with the registers that it finds."""
    return i.op in (*_STORES, *_LOADS) and not i.operands[1][1].endswith(("(sp)", "(tp)"))


def drop(_: str, found: Sequence[Instruction]) -> Iterator[Change]:
    for i in found:
        yield Change(i.at, f"drop {_words(i)}", (Edit(i.start, i.end, ""),))


def swap(text: str, found: Sequence[Instruction]) -> Iterator[Change]:
    for a, b in zip(found, found[1:], strict=False):
        neighbours = not text[a.end : b.start].strip()  # no label, and no macro that may use all registers
        if b.op != "ret" and not (neighbours and _commute(a, b)):
            first, second = text[a.start : a.end], text[b.start : b.end]
            edits = (Edit(a.start, a.end, second), Edit(b.start, b.end, first))
            yield Change(a.at, f"{_words(b)} comes before {_words(a)}", edits)


def register(_: str, found: Sequence[Instruction]) -> Iterator[Change]:
    for i in found:
        for at, operand in i.operands:
            for m in _REGISTER.finditer(operand):
                for family in _FAMILIES:
                    if m[0] in family:
                        other = family[(family.index(m[0]) + 1) % len(family)]
                        edit = Edit(at + m.start(), at + m.end(), other)
                        yield Change(i.at, f"{other} for {m[0]} in {_words(i)}", (edit,))
                        break


def offset(_: str, found: Sequence[Instruction]) -> Iterator[Change]:
    for i in found:
        for at, operand in i.operands:
            m = _OFFSET.search(operand)
            name = None if m is None else "offset" if m["offset"] else "segment"
            if m is not None and name is not None:
                edit = Edit(at + m.end(name), at + m.end(name), " + 8")
                yield Change(i.at, f"8 bytes beside in {_words(i)}", (edit,))
            elif not _REGISTER.fullmatch(operand) and i.op.startswith(("add", "sub", "li", "mov")):
                for step in (" + 16", " - 8"):
                    edit = Edit(at + len(operand), at + len(operand), step)
                    yield Change(i.at, f"{operand}{step} in {_words(i)}", (edit,))


def _words(i: Instruction) -> str:
    return " ".join([i.op, ", ".join(text for _, text in i.operands)]).strip()


AsmOperator = Callable[[str, Sequence[Instruction]], Iterator[Change]]
