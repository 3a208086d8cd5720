"""Operators on constants, arithmetic, errno values, types and the order of arguments."""

from __future__ import annotations

from collections.abc import Iterator

from tools.mutate.edits import Change, Edit, in_assertion, replaced, short
from tools.mutate.statements import is_errno
from tools.mutate.tree import Node, Source

_SUFFIXES = "uUlL"
_MAX, _MIN = "0x7fffffff", "(-0x7fffffff - 1)"
_ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "/", "&": "|", "|": "&", "<<": ">>", ">>": "<<",
               "+=": "-=", "-=": "+=", "|=": "&=", "&=": "|="}  # fmt: skip
# Narrower types, and the same width with the other sign, by the canonical name.
_NARROWER = {
    "unsigned long": ("u32", "u16", "u8", "s64"),
    "long": ("s32", "s16", "s8", "u64"),
    "unsigned int": ("u16", "u8", "s32"),
    "int": ("s16", "s8", "u32"),
    "unsigned short": ("u8", "s16"),
    "short": ("s8", "u16"),
}


def _expressions(source: Source, function: Node) -> Iterator[Node]:
    for node in function.walk():
        if source.is_whole(node) and not in_assertion(source, node):
            yield node


def constant(source: Source, function: Node) -> Iterator[Change]:
    """Off by one, 0, 1, -1 and the limits; true for false; another enumerator."""
    for node in _expressions(source, function):
        text = source.of(node)
        others: tuple[str, ...] = ()
        if node.kind == "INTEGER_LITERAL":
            others = ("false",) if text == "true" else ("true",) if text == "false" else _near(text, node)
        elif text.startswith("memory_order_"):
            continue  # the operator `order` weakens it; a stronger one is never wrong
        elif node.kind == "DECL_REF_EXPR" and text == node.name and text in source.enums:
            names = source.enums[text]
            at = names.index(text)
            others = tuple(dict.fromkeys((names[(at + 1) % len(names)], names[at - 1])))
        for other in others:
            if other != text:
                yield Change(node.start, f"{text} becomes {other}", (replaced(node, other),))


def _near(text: str, node: Node) -> tuple[str, ...]:
    plain = text.rstrip(_SUFFIXES)
    suffix = text[len(plain) :]
    try:
        value = int(plain, 0)
    except ValueError:
        return ()  # octal, or a macro's name
    parent = node.parent
    while parent is not None and parent.kind == "UNEXPOSED_EXPR":
        parent = parent.parent
    signed = not suffix and node.type == "int" and (node.parent is None or "unsigned" not in node.parent.type)
    near = [f"{value + 1}{suffix}", f"{value - 1}{suffix}" if value else "-1", f"0{suffix}"]
    if signed:
        near += [_MAX, _MIN]
    return tuple(dict.fromkeys(n for n in near if n != text))


def arithmetic(source: Source, function: Node) -> Iterator[Change]:
    for node in _expressions(source, function):
        text = source.of(node)
        if node.kind == "UNARY_OPERATOR":
            for sign, other in (("++", "--"), ("--", "++")):
                new = other + text[2:] if text.startswith(sign) else text[:-2] + other
                if text.startswith(sign) or text.endswith(sign):
                    yield Change(node.start, f"{text} becomes {new}", (replaced(node, new),))
        elif node.kind in ("BINARY_OPERATOR", "COMPOUND_ASSIGNMENT_OPERATOR"):
            token = source.operator(node)
            if token is None or token.text not in _ARITHMETIC:
                continue
            new = _ARITHMETIC[token.text]
            edit = Edit(token.start, token.end, new)
            yield Change(node.start, f"{token.text} becomes {new} in {short(text)}", (edit,))
            if token.text in ("+", "-"):
                for step in ("+ 1", "- 1"):
                    yield Change(node.start, f"{short(text)} {step}", (replaced(node, f"({text} {step})"),))


def errno(source: Source, function: Node) -> Iterator[Change]:
    known = list(dict.fromkeys(m.name for m in source.macros if is_errno(m.name)))
    for node in _expressions(source, function):
        macro = source.macro_at(node)
        if node.kind != "INTEGER_LITERAL" or macro is None or not is_errno(macro.name):
            continue
        at = known.index(macro.name)
        others = [name for name in known[at + 1 :] + known[:at] + ["EINVAL", "EAGAIN"] if name != macro.name]
        for other in [*dict.fromkeys(others)][:2] + ["0"]:
            yield Change(node.start, f"{macro.name} becomes {other}", (replaced(node, other),))


def narrow(source: Source, function: Node) -> Iterator[Change]:
    """A local variable's type, or a cast's."""
    for node in function.walk():
        if node.kind == "DECL_STMT" and len(node.children) == 1 and node.children[0].kind == "VAR_DECL":
            variable = node.children[0]
            words = source.tokens_of(variable.start, variable.end)
            name = next((t for t in words if t.text == variable.name), None)
            start, end = variable.start, name.start if name else variable.start
        elif node.kind == "CSTYLE_CAST_EXPR" and source.text.startswith("(", node.start):
            variable, close = node, source.text.find(")", node.start)
            start, end = node.start + 1, close
        else:
            continue
        written = source.text[start:end].strip()
        if source.macros_around(node) or not written or written.startswith(("static", "const")):
            continue
        for other in _NARROWER.get(variable.type, ()):
            edit = Edit(start, start + len(written), other)
            yield Change(start, f"{short(source.of(node))}: {other} for {written}", (edit,))


def arguments(source: Source, function: Node) -> Iterator[Change]:
    """Two neighbouring arguments of one type change places; one argument is 0."""
    for node in function.walk():
        if node.kind != "CALL_EXPR" or in_assertion(source, node):
            continue
        given = node.children[1:]
        for a, b in zip(given, given[1:], strict=False):
            first, second = source.of(a), source.of(b)
            written = all(child.inside(node) and source.is_whole(child) for child in (a, b))
            if written and a.type == b.type and a.end <= b.start and first != second:
                edits = (replaced(a, second), replaced(b, first))
                yield Change(a.start, f"{short(first)} and {short(second)} change places", edits)
        for a in given:
            zero = "NULL" if "*" in a.type else "0"
            if a.inside(node) and source.is_whole(a) and source.of(a) != zero:
                yield Change(a.start, f"{zero} for {short(source.of(a))}", (replaced(a, zero),))
