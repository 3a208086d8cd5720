"""Compares the order of a set's tasks in the kernel with their order in the simulator.

In the simulator only the work of the tasks takes time; in the kernel waking, switching and sleeping
take time too. So if two events are due almost at the same time, their order means nothing. Where the
orders differ, the simulator runs the set many more times, with a random amount added to every time, up
to its cost in a kernel, and with a part of the first slices used. If the simulator's order up to that
place is always the same, it follows from the set alone, and the kernel should have had that order.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from random import Random

from tools.sets.generate import BOOTARGS, US, TaskSet
from tools.sets.history import History

_TIMES = 100
_APART = 2 * US  # one comes after the other
_COST = 60 * US  # of a step, and of a timer, at most
_END = 6000 * US  # before the end of the set: an event that is due then may come too late to be seen
_USED = 120 * US  # of its first slice, before a set begins
_SLICES = ("rr", "prio")  # where that matters, and yielding costs nothing else
_SHORT = 2 * _COST  # shorter runs are ignored, and times may differ by this much

Order = list[tuple[str, int]]  # the tasks that ran one after the other, and from when, in ns


def _merged(dispatches: Sequence[tuple[str, int]], short: int) -> Order:
    """The order on one CPU, without runs shorter than @short."""
    ran = [
        (who, at)
        for (who, at), (_, following) in zip(dispatches, [*dispatches[1:], ("", -1)])
        if not 0 <= following - at < short
    ]
    return [next(group) for _, group in groupby(ran, key=lambda run: run[0])]


def in_kernel(history: History) -> Order:
    """The order in the kernel, from the trace."""
    spans = [(span.begin, life.task.name) for life in history.lives for span in life.of("running")]
    return _merged([(who, at) for at, who in sorted(spans)], _SHORT)


def simulated(program: Path, tasks: TaskSet, random: Random | None = None) -> Order:
    """The order in the simulator; with @random everything takes a little longer."""

    def longer(ns: int, most: int) -> int:
        return ns + (random.choice((0, most // 6, most // 3, most)) if random else 0)

    words = [f"sched={tasks.policy}"]
    for name, ns in BOOTARGS[tasks.policy].items():
        words.append(f"{name}={longer(ns, _COST)}ns")
    changed = []
    at_once = [not task.at and not task.is_reserved for task in tasks.tasks]
    used = [0] * len(at_once)
    if random and tasks.policy in _SLICES:
        used = [random.randrange(20 * US, _USED, US) if first else 0 for first in at_once]
    begun = sum(used)
    for n, task in enumerate(tasks.tasks):
        # tasks that come at the same time come in this order; for reservations deadlines decide
        late = (n * _APART if random else 0) if at_once[n] else begun
        at = longer(task.at + late, _APART if at_once[n] else _COST)
        steps: list[tuple[str, int]] = [("run", used[n]), ("yield", 0)] if used[n] else []
        for action, ns in task.steps:
            interrupted = ns // 50 if action == "run" else 0
            steps.append((action, longer(ns, _COST + interrupted) if ns else 0))
        changed.append(replace(task, at=at, steps=tuple(steps)))
    argv = [str(program), "/dev/stdin", " ".join(words), "-"]
    text = replace(tasks, tasks=tuple(changed)).text()
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    short = random.randint(_SHORT // 4, 2 * _SHORT) if random else _SHORT
    return _merged([(who, int(at)) for at, _, who in rows if int(at) >= begun], short)


def _alike(tasks: TaskSet, who: str, other: str) -> bool:
    """Whether two tasks ask for the same; then a nanosecond of virtual time decides which is first."""
    asks = {task.name: replace(task, name="") for task in tasks.tasks}
    return asks.get(who) == asks.get(other)


def disagreement(program: Path, tasks: TaskSet, real: Order) -> Iterator[str]:
    """The place where the order @real is not the one that follows from the set."""
    expected = [run for run in simulated(program, tasks) if run[1] < tasks.until - _END]
    pairs = enumerate(zip(expected, real))
    same = next((n for n, ((who, _), (other, _)) in pairs if who != other), len(real))
    if same >= len(expected):
        return
    who, at = expected[same]
    other, since = real[same] if same < len(real) else ("nobody", tasks.until)
    if tasks.policy == "fair" and _alike(tasks, who, other):
        return
    random = Random(f"{tasks.policy} {tasks.seed}")
    until = [run for run, _ in expected[: same + 2]]
    for _ in range(_TIMES):
        if [run for run, _ in simulated(program, tasks, random)[: same + 2]] != until:
            return
    yield (
        f"the simulator dispatches {who} at {at / 1e6:.3f} ms, the kernel {other}"
        f" at {since / 1e6:.3f} ms"
    )
