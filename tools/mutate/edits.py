"""Changes of a text, and the helpers that cut out, insert and move statements.

An operator is a function from a parsed function to changes. Its edits keep the layout of the file
where they can, so that the difference reads as if a person had made the mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tools.mutate.tree import Node, Source

LOOPS = ("FOR_STMT", "WHILE_STMT", "DO_STMT")
_KEYWORDS = {"IF_STMT": ("if",), "WHILE_STMT": ("while",), "DO_STMT": ("do",), "SWITCH_STMT": ("switch",),
             "FOR_STMT": ("for", "list_for_each", "rb_for_each")}  # fmt: skip
# Between a statement and one that is added: in the same line, the compiler warns of a misread if.
BEHIND = "\n\t"
_BLOCKLIKE = ("IF_STMT", "FOR_STMT", "WHILE_STMT", "SWITCH_STMT", "COMPOUND_STMT")


@dataclass(frozen=True)
class Edit:
    """The characters from @start to @end become @text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Change:
    """One mutation: where it is, in words, and its edits. Those @around it only make it compile."""

    at: int
    what: str
    edits: tuple[Edit, ...]
    around: tuple[Edit, ...] = ()


Operator = Callable[[Source, Node], Iterator[Change]]


def applied(text: str, edits: Sequence[Edit]) -> str:
    """@text with all of @edits, which do not overlap."""
    for edit in sorted(edits, key=lambda e: (e.start, e.end), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def replaced(node: Node, text: str) -> Edit:
    return Edit(node.start, node.end, text)


def short(text: str) -> str:
    """@text in one line for a description."""
    line = " ".join(text.split())
    return line if len(line) <= 48 else line[:45] + "..."


def is_written(source: Source, node: Node) -> bool:
    """Whether the statement @node stands in the text with its keyword, not in the body of a macro."""
    return source.text.startswith(_KEYWORDS[node.kind], node.start)


@dataclass(frozen=True)
class Statement:
    """A statement with its semicolon. If it is the only one of an `if` or a loop without braces, it is
    not @listed: something must stay in its place."""

    node: Node
    start: int
    end: int
    listed: bool

    @property
    def is_declaration(self) -> bool:
        return self.node.kind == "DECL_STMT"


def _statement(source: Source, node: Node, listed: bool) -> Statement | None:
    if node.start >= node.end:
        return None
    last = source.text[node.end - 1]
    if last == ";" or (last == "}" and node.kind in _BLOCKLIKE):
        return Statement(node, node.start, node.end, listed)
    after = source.after(node.end)
    if after is None or after.text != ";":
        return None
    return Statement(node, node.start, after.end, listed)


def _alone(source: Source, node: Node) -> Iterator[Node]:
    """The statements of @node that are not in braces."""
    if node.kind == "IF_STMT" and is_written(source, node):
        yield from (child for child in node.children[1:] if child.kind != "COMPOUND_STMT")
    elif node.kind in LOOPS and is_written(source, node):
        body = loop_body(node)
        if body.kind != "COMPOUND_STMT":
            yield body
    elif node.kind in ("CASE_STMT", "DEFAULT_STMT") and node.children:
        yield node.children[-1]


def loop_body(loop: Node) -> Node:
    return loop.children[0 if loop.kind == "DO_STMT" else -1]


def blocks(source: Source, function: Node) -> Iterator[list[Statement]]:
    """The statements of each block of @function, in their order."""
    for node in function.walk():
        if node.kind == "COMPOUND_STMT" and source.text.startswith("{", node.start):
            children, listed = node.children, True
        else:
            children, listed = list(_alone(source, node)), False
        found = (_statement(source, child, listed) for child in children)
        usable = [s for s in found if s is not None and s.node.kind not in ("LABEL_STMT", "CASE_STMT")]
        if listed and usable:
            yield usable
        elif not listed:
            yield from ([one] for one in usable)


def statements(source: Source, function: Node) -> Iterator[Statement]:
    for block in blocks(source, function):
        yield from block


def text_of(source: Source, s: Statement) -> str:
    return source.text[s.start : s.end]


def _line(source: Source, s: Statement) -> tuple[int, int] | None:
    """The whole lines of @s, if nothing else is on them but a comment behind it."""
    begin = source.text.rfind("\n", 0, s.start) + 1
    end = source.text.find("\n", s.end) + 1
    behind = source.text[s.end : end].strip()
    comment = behind.startswith("/*") and behind.endswith("*/") and behind.count("*/") == 1
    if source.text[begin : s.start].strip() or (behind and not comment):
        return None
    return begin, end


def cut(source: Source, s: Statement) -> Edit:
    if not s.listed:
        return Edit(s.start, s.end, "{ }")
    line = _line(source, s)
    return Edit(*line, "") if line else Edit(s.start, s.end, "")


def _indented(source: Source, at: int, text: str) -> str:
    line = source.text[source.text.rfind("\n", 0, at) + 1 :]
    return line[: len(line) - len(line.lstrip())] + text + "\n"


def before(source: Source, s: Statement, text: str) -> Edit:
    """Inserts @text in front of @s, which is listed."""
    line = _line(source, s)
    if line is None:
        return Edit(s.start, s.start, f"{text} ")
    return Edit(line[0], line[0], _indented(source, s.start, text))


def after(source: Source, s: Statement, text: str) -> Edit:
    line = _line(source, s)
    if line is None:
        return Edit(s.end, s.end, f" {text}")
    return Edit(line[1], line[1], _indented(source, s.start, text))


def callee(node: Node) -> Node | None:
    """The name in front of the parentheses of a call."""
    if node.kind != "CALL_EXPR" or not node.children:
        return None
    return next((n for n in node.children[0].walk() if n.kind == "DECL_REF_EXPR"), None)


def in_assertion(source: Source, node: Node) -> bool:
    """A weaker assertion changes nothing that a test could see."""
    return any("assert" in macro.name for macro in source.macros_around(node))


def result_of(source: Source, function: Node) -> str:
    return source.declared[function.name].result
