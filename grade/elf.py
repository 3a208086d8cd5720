"""Reads a kernel's ELF file: symbols, segments, bytes at an address. No tool is needed for it."""

import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from grade.errors import GraderError
from tools.visible import in_one_line, visible

_EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
_PHDR = struct.Struct("<IIQQQQQQ")
_SHDR = struct.Struct("<IIQQQQIIQQ")
_SYM = struct.Struct("<IBBHQQ")
_PT_LOAD = 1
_PF_W = 2
_SHT_SYMTAB = 2
_STB_LOCAL = 0


@dataclass(frozen=True)
class Segment:
    vaddr: int
    paddr: int
    offset: int
    file_size: int
    mem_size: int
    writable: bool


@dataclass(frozen=True)
class Symbol:
    address: int
    size: int


class Elf:
    """One 64-bit little-endian ELF file. It is mapped, so only what is asked for is read."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            self._data: mmap.mmap | bytes = b""
            if size:
                self._data = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        self._path = path
        if len(self._data) < _EHDR.size or self._data[:6] != b"\x7fELF\x02\x01":
            raise GraderError(f"{path}: not a 64-bit little-endian ELF file")
        fields = _EHDR.unpack_from(self._data)
        self._phoff, self._shoff = fields[5], fields[6]
        self._phnum, self._shnum = fields[10], fields[12]

    @cached_property
    def segments(self) -> list[Segment]:
        out = []
        for i in range(self._phnum):
            kind, flags, offset, vaddr, paddr, filesz, memsz, _ = _PHDR.unpack_from(
                self._data, self._phoff + i * _PHDR.size
            )
            if kind == _PT_LOAD:
                out.append(Segment(vaddr, paddr, offset, filesz, memsz, bool(flags & _PF_W)))
        return out

    def _symbols(self) -> Iterator[tuple[str, bool, Symbol]]:
        """Every named symbol, and whether this file defines it as a global one."""
        headers = [
            _SHDR.unpack_from(self._data, self._shoff + i * _SHDR.size) for i in range(self._shnum)
        ]
        for header in headers:
            if header[1] != _SHT_SYMTAB:
                continue
            names = headers[header[6]][4]
            for at in range(header[4], header[4] + header[5], _SYM.size):
                name, info, _, section, value, size = _SYM.unpack_from(self._data, at)
                text = self._string(names + name)
                if text:
                    yield text, info >> 4 != _STB_LOCAL and section != 0, Symbol(value, size)

    @cached_property
    def symbols(self) -> dict[str, Symbol]:
        """All named symbols; a local one that exists twice is the last of its name."""
        return {name: symbol for name, _, symbol in self._symbols()}

    @property
    def defined(self) -> list[str]:
        """The symbols that other files can link with."""
        return [name for name, defined, _ in self._symbols() if defined]

    def _string(self, offset: int) -> str:
        end = self._data.find(b"\0", offset)
        if end < 0:
            raise GraderError(f"{self._path}: not a whole ELF file: a text in it has no end")
        return in_one_line(visible(self._data[offset:end]))

    def address(self, name: str) -> int:
        symbol = self.symbols.get(name)
        if symbol is None:
            raise GraderError(f"{self._path}: no symbol {name}: not a test kernel of this tree?")
        return symbol.address

    def physical(self, vaddr: int) -> int | None:
        """Where the image's @vaddr lies in physical memory; None if outside the image."""
        for s in self.segments:
            if s.vaddr <= vaddr < s.vaddr + s.mem_size:
                return vaddr - s.vaddr + s.paddr
        return None

    def place(self, vaddr: int) -> str:
        """@vaddr as the last symbol before it, and the distance from there."""
        before = [(s.address, name) for name, s in self.symbols.items() if s.address <= vaddr]
        start, name = max(before, default=(0, "0"))
        return f"{name}+{vaddr - start:#x}"

    def read(self, vaddr: int, size: int) -> bytes:
        """Initialized bytes at @vaddr, as the file has them."""
        for s in self.segments:
            if s.vaddr <= vaddr and vaddr + size <= s.vaddr + s.file_size:
                start = s.offset + vaddr - s.vaddr
                return self._data[start : start + size]
        raise GraderError(f"{self._path}: nothing at {vaddr:#x}")

    def text(self, vaddr: int) -> str:
        """The C string at @vaddr."""
        for s in self.segments:
            if s.vaddr <= vaddr < s.vaddr + s.file_size:
                return self._string(s.offset + vaddr - s.vaddr)
        raise GraderError(f"{self._path}: nothing at {vaddr:#x}")
