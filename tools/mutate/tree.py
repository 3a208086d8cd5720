"""A C file as a syntax tree whose nodes know their places in the text, by libclang.

Offsets count bytes: a Source's text has one character for each byte of the file (Latin-1). A node
that a macro's body makes has the place of the whole use of the macro; one that is an argument of a
macro has the place of the argument. So every node's text is what a person wrote.
"""

from __future__ import annotations

import ctypes
import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from tools.mutate.errors import MutateError

_DETAILED = 1  # CXTranslationUnit_DetailedPreprocessingRecord: uses of macros are kept
_LOCKSTEP = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Token:
    kind: str  # IDENTIFIER, KEYWORD, LITERAL, PUNCTUATION
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Use:
    """A use of a macro, or a call, as it is written."""

    name: str
    start: int
    end: int
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Function:
    """A function that a header or this file declares."""

    name: str
    header: str
    result: str
    parameters: tuple[str, ...]


@dataclass(eq=False)
class Node:
    kind: str  # libclang's name: IF_STMT
    start: int
    end: int
    name: str
    type: str  # canonical
    children: list[Node] = field(default_factory=list)
    parent: Node | None = None

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            yield from child.walk()

    def inside(self, outer: Node) -> bool:
        """Whether its text is a proper part of the text of @outer."""
        return outer.start <= self.start and self.end <= outer.end and self.size < outer.size

    @property
    def size(self) -> int:
        return self.end - self.start


@dataclass
class Source:
    """A parsed file."""

    path: str
    text: str
    functions: list[Node]  # that it defines
    macros: list[Use]
    tokens: list[Token]
    declared: dict[str, Function]
    enums: dict[str, tuple[str, ...]]  # an enumerator's whole enum

    def of(self, node: Node) -> str:
        return self.text[node.start : node.end]

    def line(self, offset: int) -> int:
        """Counted from 1."""
        return self.text.count("\n", 0, offset) + 1

    @cached_property
    def _starts(self) -> list[int]:
        return [token.start for token in self.tokens]

    @cached_property
    def _uses(self) -> dict[int, Use]:
        return {macro.start: macro for macro in self.macros}

    def tokens_of(self, start: int, end: int) -> list[Token]:
        found = self.tokens[bisect_left(self._starts, start) : bisect_left(self._starts, end)]
        return found[:-1] if found and found[-1].end > end else found

    def macro_at(self, node: Node) -> Use | None:
        """The macro whose use this node is."""
        found = self._uses.get(node.start)
        return found if found and found.end == node.end else None

    def macros_around(self, node: Node) -> list[Use]:
        return [m for m in self.macros if m.start <= node.start and node.end <= m.end]

    def is_whole(self, node: Node) -> bool:
        """Whether its text begins and ends with tokens, and its parentheses match."""
        closing: list[str] = []
        tokens = self.tokens_of(node.start, node.end)
        if not tokens or tokens[0].start != node.start:
            return False
        for token in tokens:
            if token.text in _LOCKSTEP:
                closing.append(_LOCKSTEP[token.text])
            elif token.text in _LOCKSTEP.values() and (not closing or closing.pop() != token.text):
                return False
        return not closing and tokens[-1].end == node.end

    def after(self, offset: int) -> Token | None:
        """The first token at or behind @offset."""
        at = bisect_left(self._starts, offset)
        return self.tokens[at] if at < len(self.tokens) else None

    def operator(self, node: Node) -> Token | None:
        """The operator of an expression with two operands, if both are written beside it."""
        if len(node.children) != 2:
            return None
        left, right = node.children
        found = self.tokens_of(left.end, right.start)
        whole = all(child.inside(node) and self.is_whole(child) for child in node.children)
        return found[0] if whole and len(found) == 1 and found[0].text != "," else None

    def calls(self, node: Node, prefix: str) -> Iterator[Use]:
        """The calls, of functions or macros, within @node of names that begin with @prefix."""
        first = bisect_left(self._starts, node.start)
        for i, token in enumerate(self.tokens_of(node.start, node.end), start=first):
            if token.text.startswith(prefix) and (found := self._call(i)) is not None:
                yield found

    def _call(self, at: int) -> Use | None:
        """The call that begins with the token @at."""
        if at + 1 >= len(self.tokens) or self.tokens[at + 1].text != "(":
            return None
        arguments: list[str] = []
        depth = 0
        begin = self.tokens[at + 1].end
        for token in self.tokens[at + 1 :]:
            if token.text in _LOCKSTEP:
                depth += 1
            elif token.text in _LOCKSTEP.values():
                depth -= 1
            if depth == 0 or (depth == 1 and token.text == ","):
                arguments.append(self.text[begin : token.start].strip())
                begin = token.end
            if depth == 0:
                return Use(self.tokens[at].text, self.tokens[at].start, token.end, tuple(arguments))
        return None


@cache
def _clang() -> Any:
    """The libclang module; the error says how it is installed."""
    try:
        from clang import cindex  # type: ignore[import]

        cindex.Index.create()
    except Exception as error:  # an ImportError, or cindex's own LibclangError
        why = str(error).partition(".")[0]
        raise MutateError(f"libclang is missing ({why}): run sh tools/setup.sh base test") from error
    return cindex


class _Places:
    """Where nodes are in the file as a person wrote it; cindex offers the macro's place alone."""

    def __init__(self, cindex: Any) -> None:
        lib = cindex.conf.lib
        self._get = lib.clang_getFileLocation
        self._get.argtypes = [cindex.SourceLocation, *[ctypes.c_void_p] * 4]
        self._get.restype = None

    def offset(self, location: Any) -> int:
        file, line, column, offset = ctypes.c_void_p(), ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint()
        self._get(location, *map(ctypes.byref, (file, line, column, offset)))
        return offset.value


def parse(root: Path, path: str, flags: Sequence[str], text: str | None = None) -> Source:
    """The file @path of the tree at @root, or @text in its place, compiled with clang's @flags."""
    cindex = _clang()
    here = os.path.join(root, path)
    given = None if text is None else [(here, text)]
    words = [flag.replace("-I", f"-I{root}/", 1) if flag.startswith("-I") else flag for flag in flags]
    try:
        unit = cindex.Index.create().parse(here, args=words, unsaved_files=given, options=_DETAILED)
    except cindex.TranslationUnitLoadError as error:
        raise MutateError(f"{path}: libclang cannot read it") from error
    for message in unit.diagnostics:
        if message.severity >= cindex.Diagnostic.Error:
            raise MutateError(f"{path}:{message.location.line}: does not compile: {message.spelling}")
    raw = text if text is not None else Path(here).read_bytes().decode("latin-1")
    return _Reader(cindex, unit, here).source(root, path, raw)


class _Reader:
    """Turns libclang's cursors into nodes."""

    def __init__(self, cindex: Any, unit: Any, here: str) -> None:
        self._cindex = cindex
        self._unit = unit
        self._here = here
        self._places = _Places(cindex)

    def source(self, root: Path, path: str, text: str) -> Source:
        out = Source(path, text, [], [], [], {}, {})
        whole = self._unit.get_extent(self._here, ((1, 1), (text.count("\n") + 2, 1)))
        for token in self._unit.get_tokens(extent=whole):
            if token.kind.name != "COMMENT":
                begin = token.extent.start.offset
                out.tokens.append(Token(token.kind.name, token.spelling, begin, begin + len(token.spelling)))
        for cursor in self._unit.cursor.get_children():
            kind = cursor.kind.name
            where = cursor.location.file
            mine = where is not None and where.name == self._here
            if kind == "MACRO_INSTANTIATION" and mine:
                begin, end = cursor.extent.start.offset, cursor.extent.end.offset
                out.macros.append(Use(cursor.spelling, begin, end))
            elif kind == "FUNCTION_DECL":
                self._declare(out, cursor, root)
                if mine and cursor.is_definition():
                    out.functions.append(self._node(cursor, None))
            elif kind == "ENUM_DECL":
                names = tuple(child.spelling for child in cursor.get_children())
                out.enums.update(dict.fromkeys(names, names))
        return out

    def _declare(self, out: Source, cursor: Any, root: Path) -> None:
        where = os.path.relpath(cursor.location.file.name, root) if cursor.location.file else ""
        if cursor.spelling in out.declared:
            return
        parameters = tuple(a.type.get_canonical().spelling for a in cursor.get_arguments())
        result = cursor.result_type.get_canonical().spelling
        out.declared[cursor.spelling] = Function(cursor.spelling, where, result, parameters)

    def _node(self, cursor: Any, parent: Node | None) -> Node:
        extent = cursor.extent
        start, end = self._places.offset(extent.start), self._places.offset(extent.end)
        node = Node(cursor.kind.name, start, end, cursor.spelling, cursor.type.get_canonical().spelling)
        node.parent = parent
        node.children = [self._node(child, node) for child in cursor.get_children()]
        return node

