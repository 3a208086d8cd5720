"""Operators on what CPUs share: a lock is let go for a moment, a local variable belongs to all of them.

Most of what they make is harmless, as nothing was to be kept together there, or only one CPU at a time can
come. So these are questions, like those of roles.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.mutate.edits import Change, Edit, Statement, before, short, statements, text_of
from tools.mutate.statements import sections
from tools.mutate.tree import Node, Source

_HOLDS = re.compile(r"\bHOLDS\(([^()]*)\)")
_CONST = re.compile(r"\bconst\b(?![^*]*\*)")  # the variable itself, not what it points to


def lock_gap(source: Source, function: Node) -> Iterator[Change]:
    """The lock is given back and taken again between two statements of its section."""
    seen: set[int] = set()
    for give, take, begin, end in _held(source, function):
        inner = [s for s in statements(source, function) if s.listed and begin <= s.start < end]
        for s in inner[1:]:
            if s.start not in seen and not s.is_declaration:
                seen.add(s.start)
                what = f"the lock is let go for a moment before {short(text_of(source, s))}"
                yield Change(s.start, what, (before(source, s, f"{give} {take}"),))


def _held(source: Source, function: Node) -> Iterator[tuple[str, str, int, int]]:
    """The calls that give a lock back and take it again, and the part of @function in which it is held."""
    for block, first, last in sections(source, function):
        give, take = text_of(source, block[last]), text_of(source, block[first])
        yield give, take, block[first].end, block[last].start
    body = function.children[-1]
    for lock in _HOLDS.findall(source.text[function.start : body.start]):
        yield f"spin_unlock(&{lock});", f"spin_lock(&{lock});", body.start, body.end


def shared_local(source: Source, function: Node) -> Iterator[Change]:
    """A local variable is static: CPUs and calls share it."""
    for s in statements(source, function):
        if s.is_declaration and s.listed and len(s.node.children) == 1:
            edit = _made_static(source, s, s.node.children[0])
            if edit is not None:
                yield Change(s.start, f"{s.node.children[0].name} is static", (edit,))


def _made_static(source: Source, s: Statement, variable: Node) -> Edit | None:
    text = text_of(source, s)
    if variable.kind != "VAR_DECL" or text.startswith(("static", "extern")):
        return None
    declared, equals, value = text.partition(" = ")
    if not equals:
        return Edit(s.start, s.end, f"static {text}")
    if _CONST.search(declared) or "[" in declared:
        return None
    if value.startswith("{"):
        value = f"({declared.removesuffix(variable.name).strip()}){value}"
    return Edit(s.start, s.end, f"static {declared}; {variable.name} = {value}")
