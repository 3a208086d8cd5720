"""Measurements other than those of single operations, each with a boot of its own, and their bounds.

Growth: the cost of an operation among up to 10,000 threads, under every policy. Locks: how many an
operation takes, how often it waits for one, and how many it shares with other CPUs that do the same.
Windows: how long interrupts or preemption stay off, and how that grows with the number of threads that
are woken, due or killed at one moment. Latency: how late a real-time thread runs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bench.machine import Figures, Port
from bench.meter.watch import IRQS, PREEMPTION, Window, watch

# How much more an operation may cost in a crowd: a factor, or a number of instructions for each doubling
# of the crowd (a tree then has one level more, for insertion and removal; fair has two trees).
CONSTANT = 1.1
STEP = 80
POLICIES = ("rr", "prio", "mlfq", "edf", "fair")
LOGARITHMIC = ("edf", "fair")
REAL_TIME = ("prio", "edf", "rm", "fair")  # policies with real-time threads

MOST = 10_000
_CROWD_MIB = 1024

LOCK_CPUS = (1, 2, 4, 8)
# Bounds on acquisitions of locks that most other CPUs take too, for each operation. A fresh page comes from
# the CPU's own cache, which exchanges CACHE_BATCH pages at a time (26; the bound allows 12).
SHARED = {"null_syscall": 0.01, "yield_pair": 0.01, "futex_wake": 0.01, "page_touch": 1 / 12}
LOCK_OPS = (*SHARED, "pipe_rtt", "thread_create_join", "fork_exit_wait")

IRQS_OFF = 5_000
IRQS_OFF_EACH = 600  # for each thread that is woken, due or killed at one moment
MANY = ("wake", "expire", "kill")
MANY_SIZES = (10, 100)
LATENCY = 8_000
_WINDOW_SHARE = 8  # of the usual number of operations: windows do not add up


@dataclass
class Costs:
    """The findings of one or more measurements."""

    figures: Figures = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)
    windows: dict[str, Sequence[Window]] = field(default_factory=dict)

    def add(self, other: Costs) -> None:
        self.figures |= other.figures
        self.missed += other.missed
        self.windows |= other.windows

    def bound(self, name: str, value: float, most: float) -> None:
        self.figures[name] = value
        if value > most:
            self.missed.append(f"{name}: {value:,.2f} is above {most:,.2f}")


Measurement = Callable[[Port], Costs]

_CROWD_FIGURE = re.compile(r"(\w+?)_(\d+)$")


def crowds(figures: Mapping[str, float]) -> dict[str, dict[int, float]]:
    """{"wake_blocked": {10: cost among ten, ...}, ...}: from ten on, those that are ready from one."""
    found: dict[str, dict[int, float]] = {}
    for name, value in figures.items():
        match = _CROWD_FIGURE.fullmatch(name)
        if match and (int(match[2]) > 1 or match[1].endswith(("_ready", "_reserved"))):
            found.setdefault(match[1], {})[int(match[2])] = value
    return found


def allowed(policy: str, alone: float, size: int) -> float:
    """@alone is the cost in the smallest crowd; counting doublings from one is in the bound's favour."""
    if policy in LOGARITHMIC:
        return alone + max(STEP * math.log2(size), alone * (CONSTANT - 1))
    return alone * CONSTANT


def growth(port: Port, policy: str, most: int = MOST) -> Costs:
    """Measures growth, with a short quantum, since a thread that spins beside the sleepers keeps the CPU."""
    costs = Costs()
    found = port.run(
        f"exec /bench/ops crowd {most}", 1, (f"sched={policy}", "quantum=200us"), _CROWD_MIB
    )
    memory = found.pop("thread_kib", None)
    if memory is not None and policy == POLICIES[0]:
        costs.figures["thread_kib"] = memory
    for name, by_size in crowds(found).items():
        alone = by_size[min(by_size)]
        for size, value in by_size.items():
            costs.bound(f"{policy}_{name}_{size}", value, allowed(policy, alone, size))
    return costs


def locks(port: Port, cpus: int, operations: Sequence[str] = LOCK_OPS) -> Costs:
    costs = Costs()
    # /bench/ops does them in an order of its own
    seen = watch(port, f"exec /bench/ops -s {cpus} {' '.join(operations)}", cpus)
    for (name, done), section in zip(seen.figures.items(), seen.sections, strict=True):
        shared = sum(lock.shared_by(cpus) for lock in section) / done
        costs.figures[f"locks{cpus}_{name}"] = sum(lock.all_taken for lock in section) / done
        waits = sum(sum(lock.waited.values()) for lock in section) / done
        costs.figures[f"waits{cpus}_{name}"] = waits
        costs.bound(f"shared{cpus}_{name}", shared, SHARED.get(name, math.inf))
    return costs


def windows(port: Port) -> Costs:
    """All operations one after the other; then the load under which latency is measured."""
    costs = Costs()
    for command, sched in ((f"-s 1 -d {_WINDOW_SHARE}", "rr"), ("latency", "prio")):
        seen = watch(port, f"exec /bench/ops {command}", 1, (f"sched={sched}",))
        for kind in (IRQS, PREEMPTION):
            both = [*costs.windows.get(kind, ()), *seen.windows[kind]]
            distinct = {(w.began, w.ended): w for w in sorted(both, key=lambda w: w.length)}
            costs.windows[kind] = sorted(distinct.values(), key=lambda w: -w.length)[:5]
    for kind in (IRQS, PREEMPTION):
        costs.bound(f"{kind}_off", costs.windows[kind][0].length, IRQS_OFF)
    return costs


def allowed_window(size: int) -> int:
    return max(IRQS_OFF, IRQS_OFF_EACH * size)


def many_windows(port: Port) -> Costs:
    """The longest window as many threads are woken, many timers due, or many threads killed at one moment."""
    costs = Costs()
    for what in MANY:
        for size in MANY_SIZES:
            seen = watch(port, f"exec /bench/ops many {what} {size}", 1)
            for kind in (IRQS, PREEMPTION):
                longest = seen.windows[kind][0]
                costs.windows[f"{kind}_off_{what}_{size}"] = (longest,)
                costs.bound(f"{kind}_off_{what}_{size}", longest.length, allowed_window(size))
    return costs


def latency(port: Port, policy: str) -> Costs:
    costs = Costs()
    found = port.run("exec /bench/ops latency", 1, (f"sched={policy}",))
    costs.figures[f"{policy}_latency_mean"] = found["latency_mean"]
    costs.bound(f"{policy}_latency_worst", found["latency_worst"], LATENCY)
    return costs


def _growth(policy: str) -> Measurement:
    return lambda port: growth(port, policy)


def _locks(cpus: int) -> Measurement:
    return lambda port: locks(port, cpus)


def _latency(policy: str) -> Measurement:
    return lambda port: latency(port, policy)


def measurements() -> list[tuple[str, Measurement]]:
    """Each with its name; the longest first."""
    found: list[tuple[str, Measurement]] = [("windows", windows), ("windows, many", many_windows)]
    found += [(f"growth, {policy}", _growth(policy)) for policy in POLICIES]
    found += [(f"locks, {cpus} CPUs", _locks(cpus)) for cpus in reversed(LOCK_CPUS)]
    found += [(f"latency, {policy}", _latency(policy)) for policy in REAL_TIME]
    return found
