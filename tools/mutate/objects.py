"""Compiles mutants, and compares their machine code: "trivial compiler equivalence".

Of a mutant whose objects are equal to the kernel's, on every port that has the file, no test can
notice anything; one whose objects are equal to those of an earlier mutant is the same mutant. The
code is compiled as for a test kernel, but without debug information and the checks for undefined
behaviour, both of which depend on lines and columns. (Papadakis et al., ICSE 2015.)
"""

from __future__ import annotations

import difflib
import hashlib
import os
import shlex
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.mutate.errors import MutateError
from tools.programs import clean_environment

_EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
_SHDR = struct.Struct("<IIQQQQIIQQ")
_SYM = struct.Struct("<IBBHQQ")
_RELA = struct.Struct("<QQq")
_SHT_SYMTAB, _SHT_RELA, _SHT_NOBITS = 2, 4, 8
_SHF_ALLOC = 2
EXPLORER = "explorer"  # compiled for it, code tells each memory order
_STARTER = ("-Wno-unused", "-Wno-unused-parameter")  # as the grader builds submissions


def with_old_lines(path: str, original: str, text: str) -> str:
    """@text with marks for the compiler that give each unchanged line its old number: assertions print it."""
    old, new = original.splitlines(keepends=True), text.splitlines(keepends=True)
    out = [f'# 1 "{path}"\n']
    for _, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        out += new[c:d]
        if b - a != d - c:
            out.append(f'# {b + 1} "{path}"\n')
    return "".join(out)


@dataclass(frozen=True)
class Compiler:
    """Compiles files of the tree at @root as its Makefile does."""

    root: Path
    build_root: Path  # where make has noted that nothing is missing on this machine

    def command(self, arch: str, llvm: bool = False) -> tuple[str, ...]:
        """The command for a file of the test kernel, without debug information and checks."""
        return _command(self.root, self.build_root.resolve(), arch, llvm)

    def is_explored(self, path: str) -> bool:
        """Whether the explorer has the file @path in it."""
        return path in self._explored()[1]

    def _explored(self) -> tuple[tuple[str, ...], frozenset[str]]:
        return _explored(self.root, self.build_root.resolve())

    def flags(self, arch: str) -> list[str]:
        """Flags for libclang."""
        return [*self.command(arch, llvm=True)[1:], "-Wno-everything"]

    def digest(self, path: str, arch: str, original: str, text: str) -> str | None:
        """A hash of the machine code of @text as the file @path, or None if it does not compile.
        @arch: a port, or EXPLORER."""
        command = self._explored()[0] if arch == EXPLORER else self.command(arch)
        with tempfile.TemporaryDirectory(prefix="trellis-mutate-") as folder:
            made = Path(folder, "made.o")  # the assembler removes it if it finds an error
            argv = [*command, *_STARTER, "-iquote", os.path.dirname(path)]
            argv += ["-x", "assembler-with-cpp" if path.endswith(".S") else "c", "-c", "-o", str(made), "-"]
            done = subprocess.run(
                argv,
                cwd=self.root,
                input=with_old_lines(path, original, text).encode("latin-1"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )
            if done.returncode:
                return None
            code = "\n".join(_Object(made.read_bytes()).code())
            return hashlib.sha256(code.encode()).hexdigest()[:24]


@cache
def _explored(root: Path, build_root: Path) -> tuple[tuple[str, ...], frozenset[str]]:
    """The explorer's command for a file of the kernel, and these files."""
    command, files = made_by(root, build_root, "explore-command").splitlines()
    return tuple(word for word in shlex.split(command) if word != "-g"), frozenset(files.split())


@cache
def _command(root: Path, build_root: Path, arch: str, llvm: bool) -> tuple[str, ...]:
    said = made_by(root, build_root, "kernel-command", f"ARCH={arch}", f"LLVM={int(llvm)}", "TESTS=1")
    return tuple(word for word in shlex.split(said) if word != "-g" and "sanitize" not in word)


def made_by(root: Path, build_root: Path, goal: str, *settings: str) -> str:
    """Runs make for @goal; returns what it prints."""
    argv = ["make", "-s", f"O={build_root.resolve()}", *settings, goal]
    done = subprocess.run(
        argv, cwd=root, env=clean_environment(), check=False, capture_output=True, text=True
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise MutateError(f"{shlex.join(argv)} fails: {last}")
    return done.stdout


class _Object:
    """The sections of a relocatable file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        header = _EHDR.unpack_from(data)
        at, count, names = header[6], header[12], header[13]
        self._sections = [_SHDR.unpack_from(data, at + i * _SHDR.size) for i in range(count)]
        self._names = [self._text(names, s[0]) for s in self._sections]

    def _text(self, table: int, offset: int) -> str:
        start = self._sections[table][4] + offset
        return self._data[start : self._data.index(b"\0", start)].decode("latin-1")

    def _symbol(self, table: int, number: int) -> tuple[str, bool]:
        """The meaning of a symbol, and whether other files see that it is defined here."""
        section = self._sections[table]
        word, info, _, home, value, _ = _SYM.unpack_from(self._data, section[4] + number * _SYM.size)
        name = self._text(section[6], word)
        if home == 0:
            return name, False
        place = f"{self._names[home] if home < len(self._names) else home}+{value}"
        return (f"{name} {place}", True) if info >> 4 else (place, False)

    def code(self) -> Iterator[str]:
        """All that a linker uses: contents, relocations, global symbols. Names of local symbols are
        left out, since the compiler numbers them."""
        for name, s in zip(self._names, self._sections, strict=True):
            places = range(s[4], s[4] + s[5], s[9] or 1)
            if s[2] & _SHF_ALLOC:
                body = b"" if s[1] == _SHT_NOBITS else self._data[s[4] : s[4] + s[5]]
                yield f"{name} {s[5]} {hashlib.sha256(body).hexdigest()}"
            elif s[1] == _SHT_RELA and self._sections[s[7]][2] & _SHF_ALLOC:
                for place in places:
                    offset, info, addend = _RELA.unpack_from(self._data, place)
                    yield f"{name} {offset} {info & 0xFFFFFFFF} {self._symbol(s[6], info >> 32)[0]} {addend}"
            elif s[1] == _SHT_SYMTAB:
                found = (self._symbol(self._sections.index(s), i) for i in range(len(places)))
                yield from sorted(text for text, shown in found if shown)
