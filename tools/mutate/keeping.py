"""Operators that keep the meaning: conditions, loops, returns and expressions in another form.

With moving.py and adding.py they are the mutation engine's other direction: a kernel that they have
changed is as right as before, so it may not lose a point. Each leaves out the places where it might
change the meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tools.mutate.edits import (
    BEHIND,
    Change,
    Edit,
    Statement,
    blocks,
    in_assertion,
    is_written,
    loop_body,
    replaced,
    result_of,
    short,
    statements,
    text_of,
)
from tools.mutate.plain import core, is_assignment, pure, value_of
from tools.mutate.tree import Node, Source

Inside = Callable[[int, int], bool]  # whether these characters may change
Keeper = Callable[[Source, Node, Inside], Iterator[Change]]

_OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "==": "!=", "!=": "=="}


def fresh(source: Source, name: str, at: int) -> str:
    """A name that the file does not have; the text of a change must tell it from others of the same round."""
    found = f"{name}_{at}"
    while found in source.text:
        found += "_"
    return found


def _ifs(source: Source, function: Node) -> Iterator[Node]:
    """The ifs with a condition, one or two branches, all as a person wrote them."""
    for node in function.walk():
        if node.kind == "IF_STMT" and is_written(source, node) and len(node.children) in (2, 3):
            condition = node.children[0]
            if condition.inside(node) and source.is_whole(condition):
                yield node


def branch(source: Source, node: Node) -> tuple[int, int]:
    """The characters of a statement, with its semicolon."""
    if source.text[node.end - 1] in ";}":
        return node.start, node.end
    token = source.after(node.end)
    assert token is not None
    return node.start, token.end if token.text == ";" else node.end


def invert(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    for node in _ifs(source, function):
        condition, then, *others = node.children
        text = source.of(condition)
        edits = [replaced(condition, f"!({text})")]
        start, end = branch(source, then)
        if others:
            a, b = branch(source, others[0])
            edits.append(Edit(start, end, f"{{ {source.text[a:b]} }}"))
            edits.append(Edit(a, b, f"{{ {source.text[start:end]} }}"))
        else:
            edits.append(Edit(start, start, "{ } else "))
        yield Change(node.start, f"the other branch first: {short(text)}", tuple(edits))


def loop(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    """`while` as `for (;;)`, `for` as `while`, `do` as `for (;;)`."""
    for s in statements(source, function):
        if not is_written_loop(source, s.node):
            continue
        body = loop_body(s.node)
        goes_on = any(n.kind == "CONTINUE_STMT" for n in body.walk())
        if s.node.kind == "WHILE_STMT" and source.is_whole(s.node.children[0]):
            head = f"for (;;) {{ if (!({source.of(s.node.children[0])})) break;{BEHIND}"
            yield _around(s, body, head, " }")
        elif s.node.kind == "FOR_STMT" and not goes_on:
            parts = _for_parts(source, s.node)
            if parts is not None:
                first, test, step = parts
                yield _around(s, body, f"{{ {first}; while ({test or 'true'}) {{ ", f"{BEHIND}{step}; }} }}")
        elif s.node.kind == "DO_STMT" and not goes_on and source.is_whole(s.node.children[1]):
            condition = source.of(s.node.children[1])
            edits = (Edit(s.start, body.start, "for (;;) { "),
                     Edit(body.end, s.end, f" if (!({condition})) break; }}"))  # fmt: skip
            yield Change(s.start, "do becomes for (;;)", edits)


def is_written_loop(source: Source, node: Node) -> bool:
    words = {"WHILE_STMT": "while", "FOR_STMT": "for (", "DO_STMT": "do"}
    return node.kind in words and source.text.startswith(words[node.kind], node.start)


def _around(s: Statement, body: Node, head: str, tail: str) -> Change:
    edits = (Edit(s.start, body.start, head), Edit(s.end, s.end, tail))
    return Change(s.start, f"another loop: {short(head)}", edits)


def _for_parts(source: Source, node: Node) -> tuple[str, str, str] | None:
    """The three parts between the parentheses of a `for`."""
    begin, end = source.text.index("(", node.start) + 1, loop_body(node).start
    parts = source.text[begin : source.text.rindex(")", begin, end)].split(";")
    return (parts[0].strip(), parts[1].strip(), parts[2].strip()) if len(parts) == 3 else None


def local(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    """A condition or the value of a return through a variable."""
    for s in statements(source, function):
        node = s.node
        if node.kind == "IF_STMT" and is_written(source, node) and source.is_whole(node.children[0]):
            name, text = fresh(source, "holds", s.start), source.of(node.children[0])
            edits = (Edit(s.start, s.start, f"{{ bool {name} = ({text}); "),
                     replaced(node.children[0], name), Edit(s.end, s.end, " }"))  # fmt: skip
            yield Change(s.start, f"a variable for {short(text)}", edits)
        elif node.kind == "RETURN_STMT" and node.children and text_of(source, s).startswith("return"):
            name = fresh(source, "result", s.start)
            value = source.text[s.start + len("return") : s.end - 1].strip()
            text = f"{{ __auto_type {name} = {value}; return {name}; }}"
            yield Change(s.start, f"a variable for {short(value)}", (Edit(s.start, s.end, text),))


def nesting(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    """An early return in place of nesting, and an else behind a return."""
    for block in blocks(source, function):
        for s, behind in zip(block, [*block[1:], None]):
            if s.node.kind != "IF_STMT" or not is_written(source, s.node) or len(s.node.children) != 2:
                continue
            condition, then = s.node.children
            if not source.is_whole(condition):
                continue
            text = source.of(condition)
            if behind is not None and _returns(then) and adjacent(source, s, behind):
                start, end = branch(source, then)
                edits = (Edit(start, start, "{ "), Edit(end, behind.start, " } else { "),
                         Edit(behind.end, behind.end, " }"))  # fmt: skip
                yield Change(s.start, f"an else behind the return: {short(text)}", edits)
            last = function.children[-1].children
            if s.node is last[-1] and result_of(source, function) == "void" and s.listed:
                edit = Edit(s.start, then.start, f"if (!({text})) return;{BEHIND}")
                yield Change(s.start, f"an early return: {short(text)}", (edit,))


def adjacent(source: Source, s: Statement, behind: Statement) -> bool:
    """Whether nothing is between the two, such as a label, and the second declares nothing."""
    return not source.tokens_of(s.end, behind.start) and not behind.is_declaration


def _returns(node: Node) -> bool:
    return node.kind == "RETURN_STMT" or (
        node.kind == "COMPOUND_STMT" and bool(node.children) and node.children[-1].kind == "RETURN_STMT"
    )


def nested_and(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    for s in statements(source, function):
        node = s.node
        whole = node.kind == "IF_STMT" and is_written(source, node) and len(node.children) == 2
        if not whole and not (node.kind == "WHILE_STMT" and is_written(source, node)):
            continue
        condition, body = node.children
        token = source.operator(condition) if condition.kind == "BINARY_OPERATOR" else None
        if token is None or token.text != "&&" or in_assertion(source, condition):
            continue
        left, right = condition.children
        what = f"one condition inside the other: {short(source.of(condition))}"
        end = Edit(s.end, s.end, " }")
        if node.kind == "IF_STMT":
            yield Change(s.start, what, (Edit(left.end, right.start, ") { if ("), end))
        else:
            middle = f") {{ if (!({source.of(right)})) break; "
            yield Change(s.start, what, (Edit(left.end, body.start, middle), end))


def equal(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    """Relations through their opposite, ! as ?:, decrements as -=, p->f as (*p).f."""
    for node in function.walk():
        if in_assertion(source, node) or not source.is_whole(node) or source.macro_at(node):
            continue
        text = source.of(node)
        new = ""
        token = source.operator(node) if node.kind == "BINARY_OPERATOR" else None
        if token is not None and token.text in _OPPOSITE:
            left, right = (source.of(child) for child in node.children)
            new = f"(!(({left}) {_OPPOSITE[token.text]} ({right})))"
        elif node.kind == "UNARY_OPERATOR" and text.startswith("!"):
            new = f"(({text[1:]}) ? false : true)"
        elif text[:2] in ("--", "++") and "Atomic" not in node.children[0].type:
            new = f"(({text[2:]}) {text[0]}= 1)"
        elif node.kind == "MEMBER_REF_EXPR" and _arrow(source, node):
            owner, field = text.rsplit("->", 1)
            new = f"(*({owner})).{field}"
        if new:
            yield Change(node.start, f"{short(new)} for {short(text)}", (replaced(node, new),))


def _arrow(source: Source, node: Node) -> bool:
    tokens = source.tokens_of(node.start, node.end)
    return len(tokens) >= 3 and tokens[-2].text == "->" and tokens[-1].text == node.name


def recheck(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    """A condition without effects is tested twice."""
    for node in function.walk():
        if node.kind not in ("IF_STMT", "WHILE_STMT") or not is_written(source, node):
            continue
        condition = node.children[0]
        if condition.inside(node) and source.is_whole(condition) and pure(source, condition):
            text = source.of(condition)
            edit = replaced(condition, f"({text}) && ({text})")
            yield Change(condition.start, f"tested twice: {short(text)}", (edit,))


def split(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    """A variable gets its value in a statement of its own."""
    for s in statements(source, function):
        variables = s.node.children if s.is_declaration and s.listed else []
        if len(variables) != 1 or variables[0].kind != "VAR_DECL" or "const" in variables[0].type:
            continue
        v, value = variables[0], value_of(variables[0])
        if value is None or "[" in v.type or "struct" in v.type and "*" not in v.type:
            continue
        head = source.text[s.start : value.start].rstrip()
        at = s.start + len(head.removesuffix("=").rstrip())
        typed = not {"static", "__auto_type"} & set(head.split())
        if typed and head.endswith("=") and source.text[:at].endswith(v.name):
            yield Change(s.start, f"{v.name} gets its value later", (Edit(at, at, f"; {v.name}"),))


_WIDER = {"unsigned int": "unsigned long", "int": "long", "_Bool": "int"}


def wide(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    """A wider type for a local variable that only holds values and is compared with constants."""
    for s in statements(source, function):
        variables = s.node.children if s.is_declaration else []
        if len(variables) != 1 or variables[0].kind != "VAR_DECL" or variables[0].type not in _WIDER:
            continue
        v = variables[0]
        others = [n for n in function.walk() if n.kind == "VAR_DECL" and n.name == v.name]
        used = [n for n in function.walk() if n.kind == "DECL_REF_EXPR" and n.name == v.name]
        value = value_of(v)
        held = value is None or _fits(v, value)
        if len(others) == 1 and held and all(_only_held(source, v, n) for n in used):
            at = source.text.rfind(v.name, s.start, value.start if value else s.end)
            edit = Edit(s.start, at, f"{_WIDER[v.type]} ".replace("_Bool", "bool"))
            yield Change(s.start, f"{v.name} is {_WIDER[v.type]}", (edit,))


def _fits(variable: Node, value: Node) -> bool:
    """Whether a wider variable has the value that this one would have."""
    inner = core(value)
    return inner.type == variable.type or (inner.kind == "INTEGER_LITERAL" and variable.type != "_Bool")


def _only_held(source: Source, variable: Node, used: Node) -> bool:
    node, up = used, used.parent
    while up is not None and up.kind in ("UNEXPOSED_EXPR", "PAREN_EXPR"):
        node, up = up, up.parent
    if up is None:
        return False
    if is_assignment(source, up):
        return up.children[0] is not node or _fits(variable, up.children[1])
    if up.kind == "UNARY_OPERATOR":
        return source.of(up).startswith("!") or source.of(up).endswith("++")
    if up.kind == "BINARY_OPERATOR":
        token = source.operator(up)
        other = core(next((c for c in up.children if c is not node), node))
        alike = other.type == variable.type or other.kind == "INTEGER_LITERAL"
        return token is not None and (token.text in ("&&", "||") or token.text in _OPPOSITE and alike)
    return up.kind in ("RETURN_STMT", "IF_STMT", "WHILE_STMT")
