"""Operators on calls: another function of the same kind, the other end of a list, twice, no reference."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from tools.mutate.edits import (
    Change,
    Edit,
    after,
    callee,
    in_assertion,
    replaced,
    short,
    statements,
    text_of,
)
from tools.mutate.tree import Function, Node, Source

_ENDS = (("first", "last"), ("front", "back"), ("next", "prev"), ("before", "after"), ("head", "tail"))
_REFERENCES = ("_get", "_hold", "_ref")
_NEIGHBOURS = 2  # of one function


def _functions(source: Source, function: Node) -> Iterator[Node]:
    """The names of functions in @function: of calls, and as values."""
    for node in function.walk():
        named = node.kind == "DECL_REF_EXPR" and node.name in source.declared
        if named and source.of(node) == node.name and not in_assertion(source, node):
            yield node


def _neighbours(source: Source, of: Function) -> list[str]:
    """Functions that the same header declares with the same parameters, those with similar names first."""
    found = [
        f.name
        for f in source.declared.values()
        if f.header == of.header and f.parameters == of.parameters and f.name != of.name
        and not f.name.startswith("__")
    ]  # fmt: skip
    found.sort(key=lambda name: (-SequenceMatcher(None, name, of.name).ratio(), name))
    return found[:_NEIGHBOURS]


def neighbour(source: Source, function: Node) -> Iterator[Change]:
    for node in _functions(source, function):
        for other in _neighbours(source, source.declared[node.name]):
            yield Change(node.start, f"{other} for {node.name}", (replaced(node, other),))


def other_end(source: Source, function: Node) -> Iterator[Change]:
    seen: set[int] = set()
    for token in source.tokens_of(function.start, function.end):
        if token.kind != "IDENTIFIER" or token.start in seen:
            continue
        words = token.text.split("_")
        for one, two in (*_ENDS, *((b, a) for a, b in _ENDS)):
            other = "_".join(two if word == one else word for word in words)
            member = source.text[: token.start].endswith(("->", "."))
            if other != token.text and (member or other in source.declared):
                edit = Edit(token.start, token.end, other)
                yield Change(token.start, f"{other} for {token.text}", (edit,))


def twice(source: Source, function: Node) -> Iterator[Change]:
    for s in statements(source, function):
        text = text_of(source, s)
        name = callee(s.node)
        if name is not None and source.of(name) == name.name and not in_assertion(source, name):
            edit = after(source, s, text) if s.listed else Edit(s.start, s.end, f"{{ {text} {text} }}")
            yield Change(s.start, f"twice {short(text)}", (edit,))


def no_reference(source: Source, function: Node) -> Iterator[Change]:
    """The result of thing_get(x) without the call."""
    for node in function.walk():
        name = callee(node)
        if name is None or not name.name.endswith(_REFERENCES) or len(node.children) != 2:
            continue
        given = node.children[1]
        if given.type == node.type and given.inside(node) and source.is_whole(given):
            text = source.of(given)
            yield Change(node.start, f"{text} without {name.name}", (replaced(node, f"({text})"),))
