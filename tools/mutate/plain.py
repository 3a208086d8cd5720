"""Which code is plain: it reads and writes named variables and fields, and does nothing else.

Nobody can tell in which order two plain statements happen that use different places: in a kernel
without data races no other CPU and no interrupt looks at these places meanwhile. Everything that is
not certainly plain is not: calls, atomics, locks, pointers that are followed by * or [].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.mutate.edits import Statement
from tools.mutate.tree import Node, Source

_OPAQUE = ("CALL_EXPR", "ARRAY_SUBSCRIPT_EXPR", "StmtExpr", "STMT_EXPR", "COMPOUND_LITERAL_EXPR",
           "INIT_LIST_EXPR")  # fmt: skip
_JUMPS = ("RETURN_STMT", "GOTO_STMT", "INDIRECT_GOTO_STMT", "LABEL_STMT", "BREAK_STMT", "CONTINUE_STMT",
          "CASE_STMT", "DEFAULT_STMT")  # fmt: skip
_CONSTANTS = ("NULL", "true", "false")


@dataclass(frozen=True)
class Places:
    """The variables, and the fields of whatever object (".name"), that a piece of code uses."""

    read: frozenset[str]
    written: frozenset[str]

    def independent(self, of: Places) -> bool:
        """Whether neither writes a place that the other uses."""
        return not self.written & (of.read | of.written) and not of.written & self.read


def core(node: Node) -> Node:
    """@node without the conversions and parentheses around it."""
    while node.kind in ("UNEXPOSED_EXPR", "PAREN_EXPR") and len(node.children) == 1:
        node = node.children[0]
    return node


def is_assignment(source: Source, node: Node) -> bool:
    token = source.operator(node) if node.kind == "BINARY_OPERATOR" else None
    return token is not None and token.text == "="


def _macros(source: Source, node: Node) -> Iterator[str]:
    """The macros in the text of @node, but those that are certainly constants."""
    for macro in source.macros:
        if macro.start < node.end and node.start < macro.end and macro.name not in _CONSTANTS:
            if not (macro.name.isupper() and source.text[macro.start : macro.end] == macro.name):
                yield macro.name


def pure(source: Source, node: Node) -> bool:
    """Whether the value of @node is made of plain reads alone."""
    if any(_macros(source, node)):
        return False
    for n in node.walk():
        if n.kind in _OPAQUE or "STMT" in n.kind or "Atomic" in n.type or "volatile" in n.type:
            return False
        if n.kind == "COMPOUND_ASSIGNMENT_OPERATOR" or is_assignment(source, n):
            return False
        if n.kind == "UNARY_OPERATOR" and any(op in source.of(n) for op in ("++", "--", "*", "&")):
            return False
        if n.kind == "BINARY_OPERATOR" and source.operator(n) is None:
            return False
    return True


def _uses(node: Node) -> frozenset[str]:
    names = {n.name for n in node.walk() if n.kind == "DECL_REF_EXPR"}
    return frozenset(names | {f".{n.name}" for n in node.walk() if n.kind == "MEMBER_REF_EXPR"})


def of_call(s: Statement) -> Places:
    """The places of a call: it may write every field that it names, and variables whose address it gets."""
    used = _uses(s.node)
    given = {m.name for n in s.node.walk() if n.kind == "UNARY_OPERATOR" for m in n.walk()
             if m.kind == "DECL_REF_EXPR" and core(n.children[0]) is m}  # fmt: skip
    return Places(used, frozenset(given | {name for name in used if name.startswith(".")}))


def places(source: Source, s: Statement) -> Places | None:
    """The places of a plain statement; None if it is not plain."""
    node = s.node
    if s.is_declaration:
        return _declared(source, node)
    if not is_assignment(source, node) or not pure(source, node.children[1]):
        return None
    target, value = node.children
    if not _plain_target(source, target):
        return None
    whole = core(target)
    if whole.kind == "MEMBER_REF_EXPR":
        return Places(_uses(value) | (_uses(target) - {f".{whole.name}"}), frozenset({f".{whole.name}"}))
    return Places(_uses(value), frozenset({whole.name}))


def _plain_target(source: Source, target: Node) -> bool:
    """A variable or a field, of a type that an assignment copies in one: a struct has fields."""
    plain = core(target).kind in ("DECL_REF_EXPR", "MEMBER_REF_EXPR") and pure(source, target)
    return plain and ("struct" not in target.type or "*" in target.type)


def _declared(source: Source, node: Node) -> Places | None:
    read: set[str] = set()
    for variable in node.children:
        if variable.kind != "VAR_DECL":
            return None
        value = value_of(variable)
        if value is not None and not pure(source, value):
            return None
        read |= _uses(value) if value is not None else set()
    return Places(frozenset(read), frozenset(v.name for v in node.children))


def value_of(variable: Node) -> Node | None:
    """The initial value of a variable."""
    last = variable.children[-1] if variable.children else None
    return last if last is not None and last.kind not in ("TYPE_REF", "STRUCT_DECL") else None


def jumps(node: Node) -> bool:
    """Whether control may leave or enter @node other than at its ends; a loop's own breaks may."""
    loop = node.kind in ("WHILE_STMT", "FOR_STMT", "DO_STMT")
    own = ("BREAK_STMT", "CONTINUE_STMT") if loop else ()
    return any(n.kind in _JUMPS and n.kind not in own for n in node.walk())


def calls(node: Node) -> set[str]:
    """The functions that @node calls; "" stands for one that a pointer names."""
    found: set[str] = set()
    for n in node.walk():
        if n.kind == "CALL_EXPR":
            found.add(n.name)
    return found
