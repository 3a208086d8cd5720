"""Operators that keep the meaning and add something: work, printed lines, sections without interrupts,
fences, stronger orders of memory, library functions written by hand. See keeping.py."""

from __future__ import annotations

from collections.abc import Iterator

from tools.mutate.edits import BEHIND, Change, Edit, Statement, blocks, in_assertion, short, text_of
from tools.mutate.keeping import Inside, fresh
from tools.mutate.plain import jumps
from tools.mutate.tree import Node, Source

_TURNS = 300  # of extra work at the entry and at each exit of a region
_STEP_TURNS = 60  # at each statement
# May be called while interrupts are off: these neither block nor switch.
_SHORT = ("list_", "rb_", "atomic_", "waiter_claim", "waiter_swap", "wait_wake_", "thread_set_state",
          "timer_arm", "time_before", "memset", "process_state")  # fmt: skip
_PRINTF = '#include "base/printf.h"\n'


def _listed(source: Source, function: Node, inside: Inside) -> Iterator[list[Statement]]:
    """Those statements of each block that may change."""
    for block in blocks(source, function):
        found = [s for s in block if s.listed and not s.is_declaration and inside(s.start, s.end)]
        if found:
            yield found


def _outermost(source: Source, function: Node, inside: Inside) -> Iterator[list[Statement]]:
    """The statements of each region, not those inside of others."""
    for found in _listed(source, function, inside):
        parent = found[0].node.parent
        if parent is not None and (parent.parent is None or not inside(parent.start, parent.end)):
            yield found


def _busy(source: Source, turns: int, at: int) -> str:
    name = fresh(source, "busy", at)
    return f"for (volatile unsigned {name} = 0; {name} < {turns}; {name}++) {{ }} "


def work(source: Source, function: Node, inside: Inside) -> Iterator[Change]:
    for found in _outermost(source, function, inside):
        text = _busy(source, _TURNS, found[0].start)
        yield Change(found[0].start, "work at the entry", (Edit(found[0].start, found[0].start, text),))
        last = found[-1]
        at, between = (last.start, "") if jumps(last.node) else (last.end, BEHIND)
        text = between + _busy(source, _TURNS, at)
        if at != found[0].start:
            yield Change(at, "work at the end", (Edit(at, at, text),))


def work_everywhere(source: Source, function: Node, inside: Inside) -> Iterator[Change]:
    for found in _listed(source, function, inside):
        for s in found:
            text = _busy(source, _STEP_TURNS, s.start)
            yield Change(s.start, f"work before {short(text_of(source, s))}", (Edit(s.start, s.start, text),))


def tell(source: Source, function: Node, inside: Inside) -> Iterator[Change]:
    """A line is printed where a region begins."""
    first = source.text.find("#include")
    if first < 0:
        return
    header = () if _PRINTF in source.text else (Edit(first, first, _PRINTF),)
    for found in _outermost(source, function, inside):
        at = found[0].start
        text = f'kprintf("{function.name} at work\\n"); '
        yield Change(at, f"prints in {function.name}", (*header, Edit(at, at, text)))


def without_interrupts(source: Source, function: Node, inside: Inside) -> Iterator[Change]:
    """irq_off() and irq_on() count, so a pair around a statement that is short changes nothing."""
    if "irq_off" not in source.declared:
        return
    for found in _listed(source, function, inside):
        for s in found:
            calls = [n.name for n in s.node.walk() if n.kind == "CALL_EXPR"]
            short_ones = all(name.startswith(_SHORT) for name in calls)
            if short_ones and not jumps(s.node) and not in_assertion(source, s.node):
                edits = (Edit(s.start, s.start, "irq_off(); "), Edit(s.end, s.end, f"{BEHIND}irq_on();"))
                yield Change(s.start, f"no interrupts in {short(text_of(source, s))}", edits)


def fence(source: Source, function: Node, inside: Inside) -> Iterator[Change]:
    text = "__atomic_thread_fence(__ATOMIC_SEQ_CST); "
    for found in _listed(source, function, inside):
        for s in found:
            what = f"a fence before {short(text_of(source, s))}"
            yield Change(s.start, what, (Edit(s.start, s.start, text),))


_STRONGER = {
    "memory_order_relaxed": "memory_order_seq_cst",
    "memory_order_acquire": "memory_order_seq_cst",
    "memory_order_release": "memory_order_seq_cst",
    "memory_order_acq_rel": "memory_order_seq_cst",
    "atomic_compare_exchange_weak": "atomic_compare_exchange_strong",
    "atomic_compare_exchange_weak_explicit": "atomic_compare_exchange_strong_explicit",
}


def stronger(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    """The strongest order; an exchange that does not fail without reason."""
    for token in source.tokens_of(function.start, function.end):
        if token.text in _STRONGER:
            new = _STRONGER[token.text]
            yield Change(token.start, f"{new} for {token.text}", (Edit(token.start, token.end, new),))


def updates(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    """An atomic addition or subtraction as a loop of compare-exchanges."""
    for use in source.calls(function, "atomic_fetch_"):
        sign = {"atomic_fetch_add": "+", "atomic_fetch_sub": "-", "atomic_fetch_or": "|"}.get(use.name)
        if sign is None:
            continue
        target, old, delta = (fresh(source, word, use.start) for word in ("target", "old", "by"))
        text = (
            f"({{ __auto_type {target} = {use.arguments[0]}; __auto_type {delta} = {use.arguments[1]}; "
            f"__auto_type {old} = atomic_load({target}); "
            f"while (!atomic_compare_exchange_weak({target}, &{old}, {old} {sign} {delta})) {{ }} {old}; }})"
        )
        yield Change(use.start, f"a loop for {use.name}", (Edit(use.start, use.end, text),))


def by_hand(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    """Small functions of the kernel's library, written out where they are called."""
    for use in (*source.calls(function, "time_before"), *source.calls(function, "list_")):
        text = ""
        if use.name == "time_before":
            text = f"((s64)(({use.arguments[0]}) - ({use.arguments[1]})) < 0)"
        elif use.name == "list_pop_node":
            head, n = fresh(source, "head", use.start), fresh(source, "popped", use.start)
            text = (
                f"({{ struct list_node *{head} = ({use.arguments[0]}), *{n} = NULL; "
                f"if (!list_empty({head})) {{ {n} = {head}->next; list_remove({n}); }} {n}; }})"
            )
        elif use.name == "list_push_back":
            text = f"list_insert_before({use.arguments[0]}, {use.arguments[1]})"
        elif use.name == "list_linked":
            text = f"(!list_empty({use.arguments[0]}))"
        if text:
            what = f"by hand: {short(source.text[use.start : use.end])}"
            yield Change(use.start, what, (Edit(use.start, use.end, text),))
