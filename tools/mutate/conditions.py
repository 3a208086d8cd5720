"""Operators on conditions and loops."""

from __future__ import annotations

from collections.abc import Iterator

from tools.mutate.edits import (
    LOOPS,
    Change,
    Edit,
    Statement,
    before,
    in_assertion,
    is_written,
    loop_body,
    replaced,
    short,
    statements,
    text_of,
)
from tools.mutate.tree import Node, Source

_RELATIONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
_BLOCKING = ("wait", "block", "sleep", "yield", "park")


def conditions(source: Source, function: Node) -> Iterator[tuple[Node, Node]]:
    """Statements and ?: with their conditions."""
    for node in function.walk():
        found: Node | None = None
        if node.kind == "CONDITIONAL_OPERATOR":
            found = node.children[0]
        elif node.kind in ("IF_STMT", "WHILE_STMT") and is_written(source, node):
            found = node.children[0]
        elif node.kind == "DO_STMT" and is_written(source, node):
            found = node.children[-1]
        elif node.kind == "FOR_STMT" and source.text.startswith("for", node.start):
            found = _for_condition(source, node)
        if found is not None and found.inside(node) and source.is_whole(found):
            if not in_assertion(source, found):
                yield node, found


def _for_condition(source: Source, loop: Node) -> Node | None:
    """The part of a `for` between its two semicolons."""
    head = source.tokens_of(loop.start, loop_body(loop).start)
    ends = [token for token in head if token.text == ";"]
    if len(ends) != 2:
        return None
    return next((c for c in loop.children if ends[0].end <= c.start and c.end <= ends[1].start), None)


def negate(source: Source, function: Node) -> Iterator[Change]:
    for _, condition in conditions(source, function):
        text = source.of(condition)
        new = f"!({text})"
        if condition.kind == "UNARY_OPERATOR" and text.startswith("!"):
            new = text[1:].lstrip()
        yield Change(condition.start, f"{short(text)} becomes {short(new)}", (replaced(condition, new),))


def always(source: Source, function: Node) -> Iterator[Change]:
    for node, condition in conditions(source, function):
        if node.kind == "IF_STMT":
            text = source.of(condition)
            new = f"({text}) || true"
            yield Change(condition.start, f"whether or not {short(text)}", (replaced(condition, new),))


def _logical(source: Source, function: Node) -> Iterator[tuple[Node, str]]:
    for node in function.walk():
        if node.kind == "BINARY_OPERATOR" and not in_assertion(source, node):
            token = source.operator(node)
            if token is not None and token.text in ("&&", "||"):
                yield node, token.text


def _is_equality(source: Source, node: Node) -> bool:
    token = source.operator(node) if node.kind == "BINARY_OPERATOR" else None
    return token is not None and token.text == "=="


def _without(source: Source, node: Node, dropped: Node) -> Change:
    kept = node.children[0] if dropped is node.children[1] else node.children[1]
    edit = replaced(node, source.of(kept))
    return Change(dropped.start, f"without {short(source.of(dropped))}", (edit,))


def drop_operand(source: Source, function: Node) -> Iterator[Change]:
    for node, text in _logical(source, function):
        for child in node.children:
            if text == "||" or not _is_equality(source, child):
                yield _without(source, node, child)


def part_of_key(source: Source, function: Node) -> Iterator[Change]:
    for node, text in _logical(source, function):
        for child in node.children:
            if text == "&&" and _is_equality(source, child):
                yield _without(source, node, child)


def relation(source: Source, function: Node) -> Iterator[Change]:
    for node in function.walk():
        token = source.operator(node) if node.kind == "BINARY_OPERATOR" else None
        if token is not None and token.text in _RELATIONS and not in_assertion(source, node):
            new = _RELATIONS[token.text]
            edit = Edit(token.start, token.end, new)
            yield Change(node.start, f"{token.text} becomes {new} in {short(source.of(node))}", (edit,))


# --- Loops --------------------------------------------------------------------------------------------


def _loops(source: Source, function: Node) -> Iterator[tuple[Statement, Node]]:
    for s in statements(source, function):
        if s.node.kind in LOOPS and is_written(source, s.node):
            yield s, loop_body(s.node)


def _body(source: Source, body: Node) -> str:
    """The statements of a loop's body, without braces."""
    text = source.of(body)
    if body.kind == "COMPOUND_STMT":
        return text[1:-1].strip()
    return text if text.endswith((";", "}")) else f"{text};"


def _body_end(source: Source, body: Node) -> int:
    token = source.after(body.end)
    without = body.kind != "COMPOUND_STMT" and token is not None and token.text == ";"
    return token.end if without and token is not None else body.end


def one_turn(source: Source, function: Node) -> Iterator[Change]:
    for s, body in _loops(source, function):
        if body.kind == "COMPOUND_STMT":
            at = body.end - 1
            edit = Edit(at, at, "break; ")
        else:
            edit = Edit(body.start, _body_end(source, body), f"{{ {_body(source, body)} break; }}")
        yield Change(s.start, "the loop ends after its first turn", (edit,))


def skip_first(source: Source, function: Node) -> Iterator[Change]:
    skip = "if (first_turn) { first_turn = false; continue; }"
    for s, body in _loops(source, function):
        if not s.listed:
            continue
        flag = before(source, s, "bool first_turn = true;")
        if body.kind == "COMPOUND_STMT":
            edit = Edit(body.start + 1, body.start + 1, f" {skip}")
        else:
            edit = Edit(body.start, _body_end(source, body), f"{{ {skip} {_body(source, body)} }}")
        yield Change(s.start, "the loop skips its first turn", (flag, edit))


def no_recheck(source: Source, function: Node) -> Iterator[Change]:
    for s, _ in _loops(source, function):
        names = [n.name for n in s.node.walk() if n.kind == "CALL_EXPR"]
        if s.node.kind == "WHILE_STMT" and any(word in name for name in names for word in _BLOCKING):
            edit = Edit(s.start, s.start + len("while"), "if")
            yield Change(s.start, f"not tested again: {short(text_of(source, s))}", (edit,))
