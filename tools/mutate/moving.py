"""Operators that keep the meaning: statements in another order, in a wider lock section, in a function
of their own or of another in their place. See keeping.py."""

from __future__ import annotations

import re
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
    text_of,
)
from tools.mutate.keeping import Inside, fresh
from tools.mutate.plain import core, is_assignment, jumps, of_call, places
from tools.mutate.statements import sections
from tools.mutate.tree import Node, Source, Token

_COMMENT = re.compile(r"/\*.*?\*/", re.S)
_NOT_MOVED = ("__builtin", "LAB_TODO", "lab_todo")


def reorder(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    """Two neighbours that are plain and use different places."""
    for block in blocks(source, function):
        for first, second in zip(block, block[1:]):
            a, b = places(source, first), places(source, second)
            if a is None or b is None or source.tokens_of(first.end, second.start):
                continue
            if first.is_declaration == second.is_declaration and a.independent(b):
                one, two = text_of(source, first), text_of(source, second)
                edits = (Edit(first.start, first.end, two), Edit(second.start, second.end, one))
                yield Change(first.start, f"{short(two)} comes before {short(one)}", edits)


def widen(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    """A lock section holds a plain neighbour, which the lock's own words do not depend on."""
    for block, first, last in sections(source, function):
        for at, end in ((first - 1, first), (last + 1, last)):
            if not 0 <= at < len(block) or block[at].is_declaration:
                continue
            s, lock = block[at], block[end]
            used = places(source, s)
            between = source.tokens_of(min(s.end, lock.end), max(s.start, lock.start))
            if used is not None and used.independent(of_call(lock)) and not between:
                text = text_of(source, s)
                insert = after(source, lock, text) if at < end else before(source, lock, text)
                yield Change(s.start, f"in the section: {short(text)}", (cut(source, s), insert))


# --- Outline ------------------------------------------------------------------------------------------


def outline(source: Source, function: Node, inside: Inside) -> Iterator[Change]:
    """The longest runs of a region's statements that a function of their own can do."""
    for block in blocks(source, function):
        run: list[Statement] = []
        for s in [*block, None]:
            if s is not None and inside(s.start, s.end) and _movable(source, function, s):
                if not run or not source.tokens_of(run[-1].end, s.start):
                    run.append(s)
                    continue
            if run:
                yield _outlined(source, function, run)
            run = [s] if s is not None and inside(s.start, s.end) and _movable(source, function, s) else []


def _movable(source: Source, function: Node, s: Statement) -> bool:
    if s.is_declaration or s.node.kind == "NULL_STMT" or jumps(s.node) or in_assertion(source, s.node):
        return False
    if any(word in text_of(source, s) for word in _NOT_MOVED):
        return False
    return all(_passable(source, function, s, v) for v in _used(function, s))


def _variables(function: Node) -> list[Node]:
    return [n for n in function.walk() if n.kind in ("PARM_DECL", "VAR_DECL") and n.name]


def _used(function: Node, s: Statement) -> list[Node]:
    """The function's variables that @s uses and does not declare."""
    names = {n.name for n in s.node.walk() if n.kind == "DECL_REF_EXPR"}
    return [v for v in _variables(function) if v.name in names and not s.start <= v.start < s.end]


def _passable(source: Source, function: Node, s: Statement, v: Node) -> bool:
    """Whether a parameter can stand for it: one declaration, a type that is written in front of a name."""
    alone = sum(other.name == v.name for other in _variables(function)) == 1
    return alone and not set("[(") & set(v.type) and (
        not _is_changed(source, function, v.name) or _tokens(source, s.node, v.name) is not None
    )


def _is_changed(source: Source, function: Node, name: str) -> bool:
    """Whether the variable may get another value anywhere, also through a pointer to it."""
    for n in function.walk():
        target = n.children[0] if n.children else None
        writes = n.kind in ("UNARY_OPERATOR", "COMPOUND_ASSIGNMENT_OPERATOR") or is_assignment(source, n)
        plain = n.kind == "UNARY_OPERATOR" and source.of(n)[:1] in ("!", "*", "~")
        if target is not None and writes and not plain and _root(target) == name:
            return True
    return False


def _root(node: Node) -> str:
    """The variable whose own memory @node is in; "" if a pointer leads there."""
    node = core(node)
    while node.kind == "MEMBER_REF_EXPR" and node.children and "*" not in node.children[0].type:
        node = core(node.children[0])
    return node.name if node.kind == "DECL_REF_EXPR" else ""


def _tokens(source: Source, node: Node, name: str) -> list[Token] | None:
    """The words in @node that are the variable @name; None if one has another meaning."""
    found = [t for t in source.tokens_of(node.start, node.end) if t.text == name]
    found = [t for t in found if not source.text[: t.start].rstrip().endswith(("->", "."))]
    known = {n.start for n in node.walk() if n.kind == "DECL_REF_EXPR" and n.name == name}
    return found if all(t.start in known for t in found) else None


def _outlined(source: Source, function: Node, run: list[Statement]) -> Change:
    name = fresh(source, "outlined", run[0].start)
    parameters: dict[str, str] = {}
    arguments: dict[str, str] = {}
    edits: list[Edit] = []
    start, end = run[0].start, run[-1].end
    for s in run:
        for v in _used(function, s):
            changed = _is_changed(source, function, v.name)
            space = "" if v.type.endswith("*") else " "
            parameters[v.name] = f"{v.type}{space}{'*' * changed}{v.name}"
            arguments[v.name] = "&" * changed + v.name
            for token in (_tokens(source, s.node, v.name) or []) if changed else []:
                edits.append(Edit(token.start - start, token.end - start, f"(*{v.name})"))
    body = _applied(source.text[start:end], edits)
    head = f"static void {name}({', '.join(parameters.values()) or 'void'})"
    made = Edit(function.start, function.start, f"{head}\n{{\n\t{body}\n}}\n\n")
    call = Edit(start, end, f"{name}({', '.join(arguments.values())});")
    return Change(start, f"a function of its own: {short(source.text[start:end])}", (made, call))


def _applied(text: str, edits: list[Edit]) -> str:
    for edit in sorted(set(edits), key=lambda e: e.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


# --- Inline -------------------------------------------------------------------------------------------


def inline(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    """The body of a static function of this file in place of its call."""
    bodies = {f.name: f for f in source.functions if source.of(f).startswith("static")}
    for node in function.walk():
        name = callee(node)
        if name is None or name.name not in bodies or name.name == function.name:
            continue
        if not source.is_whole(node) or source.macros_around(node) or not source.of(node).endswith(")"):
            continue
        helper = bodies[name.name]
        given = [source.of(a) for a in node.children[1:]]
        if not all(source.is_whole(a) for a in node.children[1:]):
            continue
        text = _as_expression(source, helper, given, node.start)
        if text is not None:
            yield Change(node.start, f"inline {name.name}", (Edit(node.start, node.end, text),))


def _as_expression(source: Source, helper: Node, given: list[str], at: int) -> str | None:
    """({ ... }) that does what @helper does, if it ends at its end only."""
    body = helper.children[-1]
    if body.kind != "COMPOUND_STMT" or not body.children or "__builtin" in source.of(body):
        return None
    *others, last = body.children
    has_value = last.kind == "RETURN_STMT" and len(last.children) == 1
    if any(jumps(n) for n in others) or (not has_value and jumps(last)):
        return None
    if not has_value and result_of(source, helper) != "void":
        return None
    edits: list[Edit] = []
    declared = [n for n in _variables(helper) if n.start >= body.start]
    parameters = [n for n in helper.children if n.kind == "PARM_DECL"]
    names = {n.name: fresh(source, n.name, at) for n in (*parameters, *declared)}
    if len(names) != len(parameters) + len(declared) or len(parameters) != len(given):
        return None
    begin = body.start + 1
    for token in source.tokens_of(body.start, body.end):
        if token.text in names and not source.text[: token.start].rstrip().endswith(("->", ".")):
            edits.append(Edit(token.start - begin, token.end - begin, names[token.text]))
    if any(_is_word(source, body, name) for name in names) or "#" in source.of(body):
        return None
    if has_value:
        value, result = last.children[0], result_of(source, helper)
        cast = f"({result})" if "struct" not in result or "*" in result else ""
        edits.append(Edit(last.start - begin, value.start - begin, f"{cast}("))
        edits.append(Edit(value.end - begin, value.end - begin, ")"))
    text = " ".join(_COMMENT.sub("", _applied(source.text[begin : body.end - 1], edits)).split())
    first = "".join(f"{p.type} {names[p.name]} = ({g}); " for p, g in zip(parameters, given))
    return f"({{ {first}{text} }})"


def _is_word(source: Source, body: Node, name: str) -> bool:
    """Whether the word also stands for something else than the variable, such as a member."""
    known = {n.start for n in body.walk() if n.kind == "DECL_REF_EXPR" and n.name == name}
    words = [t for t in source.tokens_of(body.start, body.end) if t.text == name]
    words = [t for t in words if not source.text[: t.start].rstrip().endswith(("->", "."))]
    declared = [n for n in body.walk() if n.kind == "VAR_DECL" and n.name == name]
    return sum(t.start not in known for t in words) > len(declared)
