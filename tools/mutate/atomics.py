"""Operators on atomic updates: torn into a load and a store, or with a weaker memory order.

Two threads can both load before either stores. With interrupts off around the two, one CPU alone
cannot show that: a second-order mutant, since the first change is masked where there is one CPU.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.mutate.edits import Change, Edit, short
from tools.mutate.tree import Node, Source, Use

_FETCH = {"add": "+", "sub": "-", "or": "|", "and": "&", "xor": "^"}
_UPDATES = ("atomic_exchange", *(f"atomic_fetch_{op}" for op in _FETCH))
_COMPARE = ("atomic_compare_exchange_strong", "atomic_compare_exchange_weak")
# Without an order in their names they are sequentially consistent; these are weaker, the weakest last.
_IMPLICIT: dict[str, tuple[str, ...]] = {
    "atomic_load": ("acquire", "relaxed"),
    "atomic_store": ("release", "relaxed"),
    **dict.fromkeys((*_UPDATES, *_COMPARE), ("acq_rel", "acquire", "release", "relaxed")),
}
# An exchange that fails has loaded only, so no store's order.
_FAILURE = {"acq_rel": "acquire", "release": "relaxed"}
_ORDERS = {
    "memory_order_seq_cst": ("memory_order_acq_rel", "memory_order_relaxed"),
    "memory_order_acq_rel": ("memory_order_acquire", "memory_order_release", "memory_order_relaxed"),
    "memory_order_acquire": ("memory_order_relaxed",),
    "memory_order_release": ("memory_order_relaxed",),
}


def _torn(use: Use) -> str | None:
    """The atomic update @use as a load, and a store behind it."""
    name = use.name.removesuffix("_explicit")
    begin = f"__auto_type torn = {use.arguments[0]}; " if use.arguments else ""
    if name.startswith("atomic_fetch_") and name.removeprefix("atomic_fetch_") in _FETCH:
        sign = _FETCH[name.removeprefix("atomic_fetch_")]
        return f"{begin}__auto_type was = atomic_load(torn); " + (
            f"atomic_store(torn, was {sign} ({use.arguments[1]})); was;"
        )
    if name == "atomic_exchange":
        return f"{begin}__auto_type was = atomic_load(torn); atomic_store(torn, {use.arguments[1]}); was;"
    if name in _COMPARE:
        _, expected, desired, *_ = use.arguments
        return (
            f"{begin}__auto_type was = atomic_load(torn); bool same = was == *({expected}); "
            f"if (same) atomic_store(torn, {desired}); else *({expected}) = was; same;"
        )
    return None


def _updates(source: Source, function: Node) -> Iterator[tuple[int, int, str]]:
    """Atomic updates with the text that tears them."""
    for use in source.calls(function, "atomic_"):
        if (text := _torn(use)) is not None:
            yield use.start, use.end, text
    for node in function.walk():
        if node.kind not in ("UNARY_OPERATOR", "COMPOUND_ASSIGNMENT_OPERATOR") or not node.children:
            continue
        target, text = node.children[0], source.of(node)
        if not target.type.startswith("_Atomic") or not target.inside(node):
            continue
        begin = f"__auto_type torn = &({source.of(target)}); __auto_type was = atomic_load(torn); "
        if node.kind == "UNARY_OPERATOR" and ("++" in text or "--" in text):
            sign = "+" if "++" in text else "-"
            result = "was;" if text.endswith(("++", "--")) else f"was {sign} 1;"
            yield node.start, node.end, f"{begin}atomic_store(torn, was {sign} 1); {result}"
        elif node.kind == "COMPOUND_ASSIGNMENT_OPERATOR":
            token = source.operator(node)
            if token is not None:
                new = f"was {token.text[:-1]} ({source.of(node.children[1])})"
                yield node.start, node.end, f"{begin}atomic_store(torn, {new}); {new};"


def torn(source: Source, function: Node) -> Iterator[Change]:
    for start, end, text in _updates(source, function):
        what = f"a load, then a store: {short(source.text[start:end])}"
        yield Change(start, what, (Edit(start, end, f"({{ {text} }})"),))


def torn_irqs_off(source: Source, function: Node) -> Iterator[Change]:
    for start, end, text in _updates(source, function):
        what = f"interrupts off, a load, a store: {short(source.text[start:end])}"
        *steps, result = text.removesuffix(";").split("; ")
        inner = f"irq_off(); {'; '.join(steps)}; irq_on(); {result};"
        yield Change(start, what, (Edit(start, end, f"({{ {inner} }})"),))


def order(source: Source, function: Node) -> Iterator[Change]:
    for token in source.tokens_of(function.start, function.end):
        if token.text in _ORDERS:
            for other in _ORDERS[token.text]:
                edit = Edit(token.start, token.end, other)
                yield Change(token.start, f"{other} for {token.text}", (edit,))
    for use in source.calls(function, "atomic_"):
        for weaker in _IMPLICIT.get(use.name, ()):
            failure = (_FAILURE.get(weaker, weaker),) if use.name in _COMPARE else ()
            orders = [f"memory_order_{name}" for name in (weaker, *failure)]
            edit = Edit(use.start, use.end, f"{use.name}_explicit({', '.join((*use.arguments, *orders))})")
            yield Change(use.start, f"{weaker}: {short(source.text[use.start:use.end])}", (edit,))
