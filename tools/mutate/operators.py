"""The table of all operators. docs/mutation.md has the same rows; a test compares them."""

from __future__ import annotations

from dataclasses import dataclass

from tools.mutate import assembly, atomics, calls, conditions, roles, sharing, statements, values
from tools.mutate.assembly import AsmOperator
from tools.mutate.edits import Operator


@dataclass(frozen=True)
class Entry:
    """An operator with its name, and the mistake that it imitates."""

    name: str
    what: str
    apply: Operator


@dataclass(frozen=True)
class AsmEntry:
    name: str
    what: str
    apply: AsmOperator


OPERATORS = (
    Entry("drop", "a statement is missing, or a variable becomes 0", statements.drop),
    Entry("return", "the function returns here, with 0 or another plausible value", statements.early_return),
    Entry("unlock-early", "a statement of a lock section comes after the unlock", statements.unlock_early),
    Entry("lock-late", "a statement of a lock section comes before the lock", statements.lock_late),
    Entry("no-lock", "a lock is neither taken nor given back", statements.no_lock),
    Entry("lock-wide", "a lock section holds one statement more", statements.lock_wide),
    Entry("swap", "two neighbouring statements change places", statements.swap),
    Entry("negate", "a condition is negated", conditions.negate),
    Entry("always", "the body of an if is always executed", conditions.always),
    Entry("operand", "a part of a condition is missing", conditions.drop_operand),
    Entry("key", "one part of a key is not compared", conditions.part_of_key),
    Entry("relation", "< becomes <=, == becomes !=, and so on", conditions.relation),
    Entry("one-turn", "a loop ends after its first turn", conditions.one_turn),
    Entry("skip-first", "a loop skips its first turn", conditions.skip_first),
    Entry("no-recheck", "a condition is not tested again after a wait", conditions.no_recheck),
    Entry("constant", "a constant is off by one, 0, -1, a limit; another enumerator", values.constant),
    Entry("arithmetic", "another arithmetic operator, or a sum off by one", values.arithmetic),
    Entry("errno", "another error number, or none", values.errno),
    Entry("narrow", "a narrower type, or one with the other sign", values.narrow),
    Entry("arguments", "two arguments of one type change places, or one is 0", values.arguments),
    Entry("other-end", "first for last, next for prev, front for back", calls.other_end),
    Entry("neighbour", "another function of the same header and parameters", calls.neighbour),
    Entry("twice", "a call is made twice", calls.twice),
    Entry("no-reference", "a reference is used that was not taken", calls.no_reference),
    Entry("torn", "an atomic update becomes a load and a store", atomics.torn),
    Entry("torn-irqs-off", "the same, with interrupts off around it", atomics.torn_irqs_off),
    Entry("order", "a weaker memory order", atomics.order),
)

# Of make mutate ROLES=1, which tries these in place of the others: questions, as many do no harm.
ROLES = (
    Entry("drop-if", "a statement is missing, in one role only", roles.drop),
    Entry("never-if", "a condition is false, in one role only", roles.never),
    Entry("always-if", "a condition is true, in one role only", roles.always),
    Entry("shared-local", "a local variable is static, so all CPUs share it", sharing.shared_local),
    Entry("lock-gap", "a lock is let go for a moment in the middle of its section", sharing.lock_gap),
)

ASSEMBLY = (
    AsmEntry("drop", "an instruction is missing", assembly.drop),
    AsmEntry("swap", "two neighbouring instructions change places", assembly.swap),
    AsmEntry("register", "another register", assembly.register),
    AsmEntry("offset", "another offset or size", assembly.offset),
)

# Names and their meanings. Some operators of C have a counterpart in assembly, under the same name.
MEANINGS = {entry.name: entry.what for entry in (*OPERATORS, *ROLES)} | {
    entry.name: entry.what for entry in ASSEMBLY if entry.name not in {c.name for c in OPERATORS}
}
NAMES = tuple(MEANINGS)

# For a short table of a lab. Instructions are a group of their own.
_ASSEMBLY_GROUP = "instructions"
_GROUPS: dict[str, tuple[str, ...]] = {
    "locks, order, re-checks": ("unlock-early", "lock-late", "no-lock", "lock-wide", "swap", "no-recheck",
                                "lock-gap"),
    "atomics": ("torn", "torn-irqs-off", "order", "shared-local"),
    "statements": ("drop", "return", "drop-if"),
    "conditions, loops": ("negate", "always", "operand", "key", "relation", "one-turn", "skip-first",
                          "never-if", "always-if"),
    "values": ("constant", "arithmetic", "errno", "narrow", "arguments"),
    "calls": ("other-end", "neighbour", "twice", "no-reference"),
}
GROUPS = (*_GROUPS, _ASSEMBLY_GROUP)


def group_of(operator: str, path: str) -> str:
    if path.endswith(".S"):
        return _ASSEMBLY_GROUP
    return next(group for group, names in _GROUPS.items() if operator in names)
