"""The promises of the policies, from their definitions and from the literature, not from the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from tools.sets.generate import QUANTUM, Task

LEVEL_TOP = 15  # of normal threads, under prio
MLFQ_LEVELS = 5

# Linux's sched_prio_to_weight, from nice -20.
_WEIGHTS = (
    *(88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916),
    *(9548, 7620, 6100, 4904, 3906, 3121, 2501, 1991, 1586, 1277),
    *(1024, 820, 655, 526, 423, 335, 272, 215, 172, 137),
    *(110, 87, 70, 56, 45, 36, 29, 23, 18, 15),
)


def weight(task: Task) -> int:
    return _WEIGHTS[task.nice + 20]


def quantum(task: Task) -> int:
    """By process priority: System, High, Normal, Low, Idle."""
    if task.cls != "other":
        return QUANTUM // 4 if task.cls == "idle" else 2 * QUANTUM
    for least, quarters in ((-15, 8), (-5, 6), (4, 4), (14, 2)):
        if task.nice <= least:
            return QUANTUM * quarters // 4
    return QUANTUM // 4


def level(task: Task) -> int:
    """A task's own level under prio: 0 the idle class, 1 to 15 by nice value, from 16 real time."""
    if task.is_real_time:
        return 16 + (task.priority - 1) * 16 // 99
    return 0 if task.cls == "idle" else 1 + (19 - task.nice) * 15 // 40


def allotment(task: Task, at_level: int) -> int:
    """The allotment under mlfq: a quarter of the quantum at the top, twice as much one level below."""
    return quantum(task) // 4 << (MLFQ_LEVELS - 1 - at_level)


def mlfq_level(task: Task, used: int) -> int:
    """The level of a thread that has run for @used since the last boost and never paused."""
    for at_level in range(MLFQ_LEVELS - 1, 0, -1):
        used -= allotment(task, at_level)
        if used < 0:
            return at_level
    return 0


def response(task: Task, others: Sequence[Task]) -> int | None:
    """The worst response, by response-time analysis (Joseph, Pandya 1986); None: after the deadline."""
    urgent = [o for o in others if o is not task and o.period <= task.period]
    least, r = 0, task.runtime
    while r != least:
        if r > task.deadline:
            return None
        least = r
        r = task.runtime + sum(-(-least // o.period) * o.runtime for o in urgent)
    return r if r <= task.deadline else None


def admitted(policy: str, tasks: Sequence[Task]) -> list[Task]:
    """The tasks whose reservations are admitted, asked one after the other, on one CPU."""
    found: list[Task] = []
    for task in (t for t in tasks if t.is_reserved):
        more = [*found, task]
        if policy == "edf":
            fits = sum(Fraction(t.runtime, t.deadline) for t in more) <= 1
        else:
            fits = all(response(t, more) is not None for t in more)
        if fits:
            found = more
    return found
