"""Operators on statements: dropped, in another order, not reached, outside of their lock section."""

from __future__ import annotations

from collections.abc import Iterator

from tools.mutate.edits import (
    Change,
    Edit,
    Statement,
    after,
    before,
    blocks,
    callee,
    cut,
    in_assertion,
    result_of,
    short,
    statements,
    text_of,
)
from tools.mutate.tree import Node, Source

_NO_BODY = ("NULL_STMT", "COMPOUND_STMT")
_COUNTERPARTS = (("lock", "unlock"), ("_off", "_on"), ("acquire", "release"))


def drop(source: Source, function: Node) -> Iterator[Change]:
    for s in statements(source, function):
        if s.node.kind in _NO_BODY or in_assertion(source, s.node):
            continue
        if not s.is_declaration:
            yield Change(s.start, f"drop {short(text_of(source, s))}", (cut(source, s),))
        for node in s.node.children if s.is_declaration else [s.node]:
            token = source.operator(node)
            value = node.children[-1] if node.children else None
            if node.kind != "VAR_DECL" and (token is None or token.text != "="):
                continue
            if value is not None and value.kind != "TYPE_REF" and value.end == node.end:
                if "struct" not in node.type or "*" in node.type:
                    zero = "NULL" if "*" in node.type else "0"
                    what = f"{zero} for {short(source.of(value))}"
                    yield Change(value.start, what, (Edit(value.start, value.end, zero),))


def swap(source: Source, function: Node) -> Iterator[Change]:
    for block in blocks(source, function):
        for first, second in zip(block, block[1:], strict=False):
            a, b = text_of(source, first), text_of(source, second)
            gap = source.text[first.end : second.start]
            if a != b and not (first.is_declaration and second.is_declaration) and gap.count("\n") <= 1:
                edits = (Edit(first.start, first.end, b), Edit(second.start, second.end, a))
                yield Change(first.start, f"{short(b)} comes before {short(a)}", edits)


def early_return(source: Source, function: Node) -> Iterator[Change]:
    values = _plausible(source, function)
    for s in statements(source, function):
        if s.is_declaration:
            continue
        for value in values:
            text = f"return {value};" if value else "return;"
            if text_of(source, s) != text:
                edit = before(source, s, text) if s.listed else Edit(s.start, s.end, text)
                yield Change(s.start, f"{text} before {short(text_of(source, s))}", (edit,))


def _plausible(source: Source, function: Node) -> tuple[str, ...]:
    """Values that a caller would believe."""
    result = result_of(source, function)
    if result == "void":
        return ("",)
    if result == "_Bool":
        return ("false", "true")
    if "*" in result:
        return ("NULL",)
    errors = [macro.name for macro in source.macros if is_errno(macro.name)]
    return ("0", f"-{errors[0]}") if errors and "unsigned" not in result else ("0", "1")


def is_errno(name: str) -> bool:
    return len(name) > 2 and name[0] == "E" and name.isalnum() and name.isupper()


# --- Lock sections ------------------------------------------------------------------------------------


def unlock_early(source: Source, function: Node) -> Iterator[Change]:
    for block, first, last in sections(source, function):
        for s in block[first + 1 : last]:
            if not s.is_declaration:
                text = text_of(source, s)
                edits = (cut(source, s), after(source, block[last], text))
                yield Change(s.start, f"{short(text)} comes after the unlock", edits)


def lock_late(source: Source, function: Node) -> Iterator[Change]:
    for block, first, last in sections(source, function):
        for s in block[first + 1 : last]:
            text = text_of(source, s)
            edits = (cut(source, s), before(source, block[first], text))
            yield Change(s.start, f"{short(text)} comes before the lock", edits)


def no_lock(source: Source, function: Node) -> Iterator[Change]:
    for block, first, last in sections(source, function):
        edits = (cut(source, block[first]), cut(source, block[last]))
        what = f"no {short(text_of(source, block[first]))} and no unlock"
        yield Change(block[first].start, what, edits)


def lock_wide(source: Source, function: Node) -> Iterator[Change]:
    for block, first, last in sections(source, function):
        if first > 0 and not block[first - 1].is_declaration:
            s = block[first - 1]
            text = text_of(source, s)
            edits = (cut(source, s), after(source, block[first], text))
            yield Change(s.start, f"{short(text)} comes after the lock", edits)
        if last + 1 < len(block):
            s = block[last + 1]
            text = text_of(source, s)
            edits = (before(source, block[last], text), cut(source, s))
            yield Change(s.start, f"{short(text)} comes before the unlock", edits)


def sections(source: Source, function: Node) -> Iterator[tuple[list[Statement], int, int]]:
    """Blocks with the places of a call that takes a lock, and of the one that gives it back."""
    for block in blocks(source, function):
        for first, s in enumerate(block):
            for release in _releases(source, s):
                last = next((i for i in range(first + 1, len(block))
                             if _says(source, block[i]) == release), None)  # fmt: skip
                if last is not None:
                    yield block, first, last


def _says(source: Source, s: Statement) -> tuple[str, str]:
    """The function that a statement calls, and its arguments as text."""
    name = callee(s.node)
    if name is None:
        return "", ""
    return name.name, source.text[name.end : s.end]


def _releases(source: Source, s: Statement) -> Iterator[tuple[str, str]]:
    """The call that undoes the one of @s."""
    name, arguments = _says(source, s)
    plain = name.removesuffix("_nested")
    for take, give in _COUNTERPARTS:
        other = plain.replace(take, give)
        if take in plain and give not in plain and other in source.declared:
            yield other, arguments
