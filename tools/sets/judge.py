"""Checks the promises of each policy against the trace.

The bounds are those of theory.py, and hold if switching takes no time. Here it takes time, so a switch
may be late by LATE, and a turn longer or shorter by as much.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations

from tools.sets.generate import AGING, BOOST, QUANTUM, US, Task
from tools.sets.history import History, Life, Span
from tools.sets.theory import (
    LEVEL_TOP,
    MLFQ_LEVELS,
    admitted,
    allotment,
    level,
    mlfq_level,
    quantum,
    response,
    weight,
)

LATE = 150 * US


def judge(history: History) -> list[str]:
    """The broken promises, in words."""
    rules: dict[str, tuple[Callable[[History], Iterable[str]], ...]] = {
        "rr": (rr_waits, rr_shares),
        "prio": (prio_order, prio_waits),
        "mlfq": (mlfq_order, mlfq_waits),
        "edf": (admission, deadlines, edf_order, budgets),
        "rm": (admission, deadlines, rm_responses, budgets),
        "fair": (fair_shares, fair_pairs),
    }
    checks = (nothing_lost, *rules[history.set.policy])
    return [complaint for check in checks for complaint in check(history)]


def _ms(ns: float) -> str:
    return f"{ns / 1e6:.3f} ms"


def _overlaps(history: History) -> Iterator[tuple[Life, Span, Life, Span]]:
    """Pairs of a task that runs and one that is ready during that time for longer than LATE."""
    for runner in history.lives:
        spans = list(runner.of("running"))
        begins = [span.begin for span in spans]
        for waiter in history.lives:
            for wait in waiter.of("ready"):
                if waiter is runner or wait.length <= LATE:
                    continue
                first = max(0, bisect_right(begins, wait.begin) - 1)
                for span in spans[first : bisect_right(begins, wait.end)]:
                    if min(span.end, wait.end) - max(span.begin, wait.begin) > LATE:
                        yield runner, span, waiter, wait


def _waits_within(history: History, bound: Callable[[Life], int]) -> Iterator[str]:
    for life in history.lives:
        longest, most = life.wait(), bound(life)
        if longest.length > most:
            name = life.task.name
            yield f"{name} waits {_ms(longest.length)} from {_ms(longest.begin)}, bound {_ms(most)}"


def _others(history: History, life: Life) -> list[Task]:
    return [other.task for other in history.lives if other is not life]


def nothing_lost(history: History) -> Iterator[str]:
    """A thread that never stops is ready or runs, so the CPU is never idle."""
    spinners = [life for life in history.lives if life.task.spins]
    for life in spinners:
        for span in life.of("away"):
            if span.end > life.task.at + LATE:
                yield f"{life.task.name}, which spins, is away at {_ms(span.begin)}"
    if spinners:
        busy = sum(life.ran(history.set.until) for life in history.lives)
        switches = sum(len(list(life.of("running"))) for life in history.lives)
        if busy < history.set.until - (switches + 1) * LATE:
            yield f"the CPU worked for {_ms(busy)} of {_ms(history.set.until)}"


# --- rr -------------------------------------------------------------------------------------------


def rr_waits(history: History) -> Iterator[str]:
    """Every ready thread runs within the sum of the others' quanta."""
    return _waits_within(
        history, lambda life: sum(quantum(other) + LATE for other in _others(history, life))
    )


def rr_shares(history: History) -> Iterator[str]:
    """Over any time, two tasks that spin have had the same number of quanta, to within one."""
    moments = history.moments()
    for a, b in combinations([life for life in history.lives if life.task.spins], 2):
        qa, qb = quantum(a.task), quantum(b.task)
        lead = [a.ran(at) / qa - b.ran(at) / qb for at in moments]
        turns = 1 + history.set.until / min(qa, qb)
        drift = 0.0 if qa == qb else turns / len(history.lives) * 20 * US / min(qa, qb)
        if max(lead) - min(lead) > 1 + drift + 2 * LATE / min(qa, qb):
            yield (
                f"{a.task.name} and {b.task.name} are {max(lead) - min(lead):.2f} quanta apart"
            )


# --- prio -----------------------------------------------------------------------------------------


def _highest(life: Life, at: int) -> int:
    """The highest level to which aging can have raised the task when it begins to run at @at.

    Its waiting counts from the time when it was last away, or when its last slice was over.
    """
    own = level(life.task)
    if own >= LEVEL_TOP:
        return own
    gained = 0
    for span in reversed([span for span in life.spans if span.end <= at]):
        if span.state == "away" or span.expired:
            break
        if span.state == "ready":
            gained += (span.length + LATE) // AGING + 1
    return min(own + gained, LEVEL_TOP)


def prio_order(history: History) -> Iterator[str]:
    """No ready task has a higher level than the running one, even with all that aging may have added."""
    for runner, span, waiter, wait in _overlaps(history):
        if level(waiter.task) > _highest(runner, span.begin):
            yield (
                f"{runner.task.name}, at most of level {_highest(runner, span.begin)}, runs from"
                f" {_ms(span.begin)} while {waiter.task.name} of level {level(waiter.task)} waits"
                f" from {_ms(wait.begin)}"
            )


def prio_waits(history: History) -> Iterator[str]:
    """Without real-time threads: 16 - level rounds of aging, and the others' quanta."""
    if any(life.task.is_real_time for life in history.lives):
        return iter(())
    return _waits_within(
        history,
        lambda life: (
            (LEVEL_TOP + 1 - level(life.task)) * AGING
            + sum(quantum(other) + LATE for other in _others(history, life))
        ),
    )


# --- mlfq -----------------------------------------------------------------------------------------


def _used(life: Life, at: int) -> int:
    """The task's time on the CPU since the last boost before @at."""
    return life.ran(at) - life.ran(at - at % BOOST)


def mlfq_order(history: History) -> Iterator[str]:
    """A thread that has used up its allotments does not run while one waits that has not.

    A thread that wants half of the CPU or less never uses them up. The thread that runs when a boost
    comes ends its slice first.
    """
    for runner, span, waiter, wait in _overlaps(history):
        begin, end = max(span.begin, wait.begin), min(span.end, wait.end)
        highest, lowest = MLFQ_LEVELS - 1, MLFQ_LEVELS - 1
        if span.begin // BOOST != begin // BOOST or begin // BOOST != end // BOOST:
            continue
        if runner.task.spins:
            highest = mlfq_level(runner.task, max(0, _used(runner, span.begin) - LATE))
        if waiter.task.spins:
            lowest = mlfq_level(waiter.task, _used(waiter, end) + LATE)
        if highest < lowest:
            yield (
                f"{runner.task.name} runs at level {highest} from {_ms(span.begin)} while"
                f" {waiter.task.name} waits at level {lowest} from {_ms(wait.begin)}"
            )


def mlfq_waits(history: History) -> Iterator[str]:
    """An interactive thread waits for the others' allotments at the top; others wait for a boost first."""

    def bound(life: Life) -> int:
        others = _others(history, life)
        top = sum(allotment(other, MLFQ_LEVELS - 1) + LATE for other in others)
        running = max(allotment(other, 0) for other in others)
        return top + running + (BOOST if life.task.spins else 0)

    yield from _waits_within(history, bound)
    for life in (life for life in history.lives if not life.task.spins):
        others = _others(history, life)
        top = sum(allotment(other, MLFQ_LEVELS - 1) + LATE for other in others)
        running = max(allotment(other, 0) for other in others)
        for wait in life.of("ready"):
            boosted = wait.begin % BOOST < running or wait.begin // BOOST != wait.end // BOOST
            if wait.length > top and not boosted:
                name = life.task.name
                yield f"{name} waits {_ms(wait.length)} from {_ms(wait.begin)}, bound {_ms(top)}"


# --- edf and rm -----------------------------------------------------------------------------------


def admission(history: History) -> Iterator[str]:
    """Exactly the reservations for which there is room are admitted."""
    tasks = history.set.tasks
    expected = {task.name for task in admitted(history.set.policy, tasks)}
    for name in sorted(task.name for task in tasks if task.is_reserved):
        if (name in expected) == (name in history.refused):
            yield f"{name} is {'refused' if name in history.refused else 'admitted'}"


def responses(life: Life, until: int) -> list[tuple[int, int | None]]:
    """The release and the response time of each job that should be done by @until; None: too late."""
    found: list[tuple[int, int | None]] = []
    ends = [span.begin for span in life.of("away")]
    task, release = life.task, life.task.at
    while release + task.deadline + LATE <= until:
        next_end = bisect_right(ends, release + LATE // 8)
        taken = ends[next_end] - release if next_end < len(ends) else None
        found.append((release, taken if taken is not None and taken <= task.deadline else None))
        release += task.period
    return found


def deadlines(history: History) -> Iterator[str]:
    """A thread that is admitted, and asks for no more than that, misses no deadline, whatever others do."""
    for life in history.lives:
        if life.task.honest:
            missed = [at for at, r in responses(life, history.set.until) if r is None]
            if missed:
                yield f"{life.task.name} misses {len(missed)} deadlines, of {_ms(missed[0])} first"


def edf_order(history: History) -> Iterator[str]:
    """The running thread has the earliest deadline. It is a job's, as all of these ask for less than
    they reserved.
    """
    for runner, span, waiter, wait in _overlaps(history):
        if not waiter.task.honest:
            continue
        begin = max(span.begin, wait.begin)
        if runner.task.spins or (
            runner.task.honest
            and _deadline(runner.task, begin) > _deadline(waiter.task, begin) + LATE
        ):
            yield (
                f"{runner.task.name} runs from {_ms(begin)} while {waiter.task.name} waits,"
                f" which has the earlier deadline"
            )


def _deadline(task: Task, at: int) -> int:
    """The deadline of the job of @task that is ready at @at, at least LATE after its release."""
    return at - (at + LATE // 8 - task.at) % task.period + task.deadline


def rm_responses(history: History) -> Iterator[str]:
    """No response is longer than the worst by analysis, which includes a job's costs besides its work."""
    among = admitted("rm", history.set.tasks)
    for life in history.lives:
        if not life.task.honest:
            continue
        bound = response(life.task, among)
        seen = [r for _, r in responses(life, history.set.until) if r is not None]
        if bound is None or max(seen, default=0) > bound:
            yield f"{life.task.name} takes {_ms(max(seen))}, by analysis {_ms(bound or 0)}"


def budgets(history: History) -> Iterator[str]:
    """No thread gets more than it reserved: a liar hurts only itself."""
    for life in (life for life in history.lives if life.task.is_reserved):
        periods = history.set.until // life.task.period + 2
        if life.ran(history.set.until) > periods * (life.task.runtime + LATE):
            yield f"{life.task.name} has {_ms(life.ran(history.set.until))}, more than reserved"


# --- fair -----------------------------------------------------------------------------------------

_REQUEST = QUANTUM // 4


def fair_shares(history: History) -> Iterator[str]:
    """If all threads spin, each has its weighted share at every moment, to within two requests."""
    if not all(life.task.spins for life in history.lives):
        return
    weights = sum(weight(life.task) for life in history.lives)
    for life in history.lives:
        share = weight(life.task) / weights
        worst = max(abs(life.ran(at) - at * share) for at in history.moments())
        if worst > 2 * _REQUEST + LATE:
            yield f"{life.task.name} is {_ms(worst)} from its share"


def fair_pairs(history: History) -> Iterator[str]:
    """Even if others come and go, two threads that spin are never apart by more than three requests."""
    moments = history.moments()
    for a, b in combinations([life for life in history.lives if life.task.spins], 2):
        wa, wb = weight(a.task), weight(b.task)
        lead = max(abs(a.ran(at) / wa - b.ran(at) / wb) for at in moments)
        if lead > (3 * _REQUEST + LATE) * (1 / wa + 1 / wb):
            yield f"{a.task.name} and {b.task.name} are {lead * 1024 / 1e6:.3f} virtual ms apart"
