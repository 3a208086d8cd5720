"""Applies all operators to a target: mutants, each with its id, its text and its difference."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tools.mutate import assembly
from tools.mutate.edits import Change, applied
from tools.mutate.errors import MutateError
from tools.mutate.operators import ASSEMBLY, OPERATORS, Entry
from tools.mutate.scope import Part, Target
from tools.mutate.tree import Node, Source, parse



def readable(text: str) -> str:
    """A text of one character for each byte as people read it."""
    return text.encode("latin-1").decode("utf-8", "replace")


@dataclass(frozen=True)
class Mutant:
    """The whole text of one wrong file, and the mistake in it."""

    path: str
    function: str
    line: int
    operator: str
    number: int  # of those with the same function, line and operator
    what: str
    original: str
    text: str
    arches: tuple[str, ...]
    bare: str = ""  # the text without what only makes the mistake compile, if that is another

    @property
    def id(self) -> str:
        return f"{self.path}:{self.function}:{self.line}:{self.operator}:{self.number}"

    @property
    def content(self) -> bytes:
        return self.text.encode("latin-1")

    @cached_property
    def key(self) -> str:
        """The same as long as the mutated file is the same."""
        return hashlib.sha256(f"{self.path}\0{self.text}".encode("latin-1")).hexdigest()[:24]

    @cached_property
    def diff(self) -> str:
        lines = difflib.unified_diff(
            readable(self.original).splitlines(keepends=True),
            readable(self.text).splitlines(keepends=True),
            f"a/{self.path}",
            f"b/{self.path}",
        )
        return "".join(lines)

    @cached_property
    def _middle(self) -> tuple[list[str], list[str]]:
        """The lines of the original and of this from the first that differs to the last that does. Where
        nothing is gone, the line behind says where the new ones are."""
        old, new = (readable(text).splitlines() for text in (self.original, self.bare or self.text))
        first = len(os.path.commonprefix([old, new]))
        old, new = old[first:], new[first:]
        last = len(os.path.commonprefix([old[::-1], new[::-1]]))
        if last and last == len(old):
            last -= 1
        return old[: len(old) - last], new[: len(new) - last]

    @cached_property
    def removed(self) -> str:
        """The lines that become others, in one."""
        return " | ".join(" ".join(line.split()) for line in self._middle[0])

    @cached_property
    def added(self) -> str:
        """The lines that they become."""
        return " | ".join(" ".join(line.split()) for line in self._middle[1])

    @cached_property
    def lines(self) -> frozenset[int]:
        """The lines of the original, counted from 1, that it changes, or in front of which it inserts."""
        old, new = self.original.splitlines(), (self.bare or self.text).splitlines()
        matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
        changed: set[int] = set()
        for kind, first, last, _, _ in matcher.get_opcodes():
            if kind != "equal":
                changed.update(range(first + 1, max(last, first + 1) + 1))
        return frozenset(changed | {self.line})


def of_target(
    root: Path,
    target: Target,
    flags: Sequence[str],
    functions: Sequence[str] = (),
    operators: Sequence[Entry] = OPERATORS,
) -> list[Mutant]:
    """All mutants of @target, in the order of the text and of the table of operators."""
    if not target.is_assembly:
        found = _c(parse(root, target.path, flags, target.text), target, functions, operators)
    elif operators is OPERATORS:
        found = _assembly(target)
    else:
        return []
    texts: dict[str, _Found] = {}
    for one in found:
        edits = (*one[1].edits, *one[1].around)
        texts.setdefault(applied(target.text, edits), one)  # it counts for the first operator
    texts.pop(target.text, None)
    return list(_numbered(target, sorted(texts.items(), key=lambda item: item[1][1].at)))


_Found = tuple[str, Change, str]  # operator, change, function


def _c(
    source: Source, target: Target, functions: Sequence[str], operators: Sequence[Entry]
) -> Iterator[_Found]:
    known = [f.name for f in source.functions]
    for name in functions:
        if name not in known:
            raise MutateError(f"{target.path}: defines no function {name}; it defines {', '.join(known)}")
    for function in source.functions:
        if functions and function.name not in functions or not _touched(target, function):
            continue
        for entry in operators:
            for change in entry.apply(source, function):
                if target.holds(*_extent(change)) is not None:
                    yield entry.name, change, function.name


def _touched(target: Target, function: Node) -> bool:
    return any(p.start < function.end and function.start < p.end for p in target.parts)


def _extent(change: Change) -> tuple[int, int]:
    return min(e.start for e in change.edits), max(e.end for e in change.edits)


def _assembly(target: Target) -> Iterator[_Found]:
    for part in target.parts:
        inside = target.text[part.start : part.end]
        found = assembly.instructions(inside)
        for entry in ASSEMBLY:
            for change in entry.apply(inside, found):
                edits = tuple(type(e)(e.start + part.start, e.end + part.start, e.text) for e in change.edits)
                yield entry.name, Change(change.at + part.start, change.what, edits), _name(target, part)


def _name(target: Target, part: Part) -> str:
    return part.function or Path(target.path).stem


def _numbered(target: Target, found: Sequence[tuple[str, _Found]]) -> Iterator[Mutant]:
    counts: Counter[tuple[str, int, str]] = Counter()
    for text, (operator, change, function) in found:
        line = target.text.count("\n", 0, change.at) + 1
        counts[function, line, operator] += 1
        number = counts[function, line, operator]
        about = (target.path, function, line, operator, number, readable(change.what))
        bare = applied(target.text, change.edits) if change.around else ""
        yield Mutant(*about, target.text, text, target.arches, bare)


def code_lines(source: Source, target: Target) -> set[int]:
    """The lines of @target that do something: not those with braces or plain declarations only."""
    plain = [
        node
        for function in source.functions
        for node in function.walk()
        if node.kind == "DECL_STMT" and not any(_has_value(child) for child in node.children)
    ]
    found: set[int] = set()
    for token in source.tokens:
        inside = target.holds(token.start, token.end) is not None
        declared = any(n.start <= token.start and token.end <= n.end for n in plain)
        if inside and not declared and token.text not in ("{", "}", ";", "else", ")", "do"):
            found.add(source.line(token.start))
    return found


def _has_value(variable: Node) -> bool:
    last = variable.children[-1] if variable.children else None
    return last is not None and last.kind != "TYPE_REF"


def assembly_lines(target: Target) -> set[int]:
    found: set[int] = set()
    for part in target.parts:
        inside = target.text[part.start : part.end]
        first = target.text.count("\n", 0, part.start) + 1
        found |= {first + inside.count("\n", 0, i.at) for i in assembly.instructions(inside)}
    return found
