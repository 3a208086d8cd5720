"""Random sets of tasks for each policy; the same seed gives the same set.

Written in the language of tools/simulate, so that any of them can also be simulated and drawn:

    python3 -m tools.sets --policy edf --seeds 7 --show
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

US = 1000
MS = 1000 * US

# Small quanta, so that a short run sees many turns.
QUANTUM = 4 * MS
AGING = 5 * MS
BOOST = 100 * MS
BOOTARGS: dict[str, dict[str, int]] = {  # ns
    "rr": {"quantum": QUANTUM},
    "prio": {"quantum": QUANTUM, "aging": AGING},
    "mlfq": {"quantum": QUANTUM, "boost": BOOST},
    "edf": {},
    "rm": {},
    "fair": {"quantum": QUANTUM},
}
POLICIES = tuple(BOOTARGS)

# The most that a job may cost in addition to its work: waking, measuring, sleeping, being interrupted.
JOB_OVERHEAD = 150 * US

_PERIODS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 24, 30)  # ms
_RUNTIME_MIN = 2 * JOB_OVERHEAD


@dataclass(frozen=True)
class Task:
    """One task. Times are ns."""

    name: str
    steps: tuple[tuple[str, int], ...]
    at: int = 0
    nice: int = 0
    cls: str = "other"
    priority: int = 0
    runtime: int = 0
    deadline: int = 0
    period: int = 0
    honest: bool = False  # it has jobs, and asks for no more than it has reserved

    @property
    def spins(self) -> bool:
        return [action for action, _ in self.steps] == ["run"]

    @property
    def is_reserved(self) -> bool:
        return self.cls == "deadline"

    @property
    def is_real_time(self) -> bool:
        return self.cls in ("fifo", "rr")

    def line(self) -> str:
        words = [f"task {self.name} class={self.cls}"]
        if self.nice:
            words.append(f"nice={self.nice}")
        if self.is_real_time:
            words.append(f"priority={self.priority}")
        times = {"runtime": self.runtime, "deadline": self.deadline, "period": self.period}
        words += [f"{name}={ns}ns" for name, ns in (*times.items(), ("at", self.at)) if ns]
        words.append(":")
        words += [f"{action} {ns}ns" if ns else action for action, ns in self.steps]
        return " ".join(words)


@dataclass(frozen=True)
class TaskSet:
    policy: str
    seed: int
    until: int
    tasks: tuple[Task, ...]

    def text(self) -> str:
        lines = [f"# {' '.join(bootargs(self.policy))}, seed {self.seed}"]
        lines.append(f"until {self.until}ns")
        return "\n".join([*lines, *(task.line() for task in self.tasks)]) + "\n"


def bootargs(policy: str) -> list[str]:
    return [f"sched={policy}", *(f"{name}={ns}ns" for name, ns in BOOTARGS[policy].items())]


def generate(policy: str, seed: int) -> TaskSet:
    random = Random(f"{policy} {seed}")
    tasks, until = {
        "rr": _rr,
        "prio": _prio,
        "mlfq": _mlfq,
        "edf": _edf,
        "rm": _rm,
        "fair": _fair,
    }[policy](random, f"{policy}{seed}.")
    return TaskSet(policy, seed, until, tuple(tasks))


def _between(random: Random, low: int, high: int) -> int:
    """In whole microseconds."""
    return random.randint(low // US, high // US) * US


def _spinner(name: str, nice: int, cls: str = "other", at: int = 0) -> Task:
    return Task(name, (("run", 100000 * MS),), nice=nice, cls=cls, at=at)


def _comes_and_goes(name: str, random: Random, run: int, sleep: int, nice: int) -> Task:
    steps = (
        ("run", _between(random, 100 * US, run)),
        ("sleep", _between(random, 100 * US, sleep)),
        ("repeat", 0),
    )
    return Task(name, steps, nice=nice, at=_between(random, 0, 5 * MS))


def _rr(random: Random, prefix: str) -> tuple[list[Task], int]:
    """Threads that spin, of all priorities, two of them with the same; others that come and go."""
    nices = [random.randint(-20, 19) for _ in range(random.randint(1, 4))]
    nices.append(random.choice(nices))
    tasks = [_spinner(f"{prefix}{i}", nice) for i, nice in enumerate(nices)]
    for _ in range(random.randint(0, 3)):
        name = f"{prefix}{len(tasks)}"
        tasks.append(_comes_and_goes(name, random, 6 * MS, 20 * MS, random.randint(-20, 19)))
    return tasks, 120 * MS


def _prio(random: Random, prefix: str) -> tuple[list[Task], int]:
    """As above, the idle class among them; in a third of the sets real-time threads, too."""
    tasks: list[Task] = []
    for _ in range(random.randint(2, 6)):
        name, nice = f"{prefix}{len(tasks)}", random.randint(-20, 19)
        if random.random() < 0.5:
            tasks.append(_comes_and_goes(name, random, 30 * MS, 3 * MS, nice))
        else:
            tasks.append(_spinner(name, nice, random.choice(("other", "other", "idle"))))
    for _ in range(random.choice((0, 0, random.randint(1, 3)))):
        task = _comes_and_goes(f"{prefix}{len(tasks)}", random, 3 * MS, 20 * MS, 0)
        cls, priority = random.choice(("fifo", "rr")), random.randint(1, 99)
        tasks.append(Task(task.name, task.steps, task.at, cls=cls, priority=priority))
    return tasks, 150 * MS


def _mlfq(random: Random, prefix: str) -> tuple[list[Task], int]:
    """Threads that spin, and some that want half of the CPU at most, in small pieces."""
    tasks = [
        _spinner(f"{prefix}{i}", random.randint(-20, 19)) for i in range(random.randint(2, 5))
    ]
    for _ in range(random.randint(1, 3)):
        nice = random.randint(-20, 4)
        run = _between(random, 100 * US, QUANTUM // 4 // 2)
        # what it takes to sleep and wake is not blocked time
        sleep = _between(random, run + 2 * JOB_OVERHEAD, 20 * MS)
        steps = (("run", run), ("sleep", sleep), ("repeat", 0))
        at = _between(random, 0, 40 * MS)
        tasks.append(Task(f"{prefix}{len(tasks)}", steps, nice=nice, at=at))
    return tasks, 250 * MS


def _reserved(random: Random, name: str, runtime: int, deadline: int, period: int) -> Task:
    steps = (("run", runtime - JOB_OVERHEAD), ("wait", 0), ("repeat", 0))
    at = random.choice((0, _between(random, 0, period)))
    return Task(
        name, steps, at, cls="deadline", runtime=runtime, deadline=deadline, period=period,
        honest=True,
    )  # fmt: skip


def _liar(random: Random, name: str) -> Task:
    """A task that reserves little and takes all that it gets, with pauses at bad times."""
    period = random.choice(_PERIODS) * MS
    runtime = max(period // random.randint(5, 14), _RUNTIME_MIN)
    pauses = (("sleep", _between(random, 100 * US, period)), ("yield", 0))
    steps = (("run", _between(random, runtime, 3 * period)), random.choice(pauses))
    more = ("run", _between(random, runtime // 2, runtime))
    return Task(
        name, (*steps, more, ("repeat", 0)), cls="deadline", runtime=runtime, deadline=period,
        period=period,
    )  # fmt: skip


def _edf(random: Random, prefix: str) -> tuple[list[Task], int]:
    """Reservations that fill the CPU completely; or fewer, and liars. One more may be too much."""
    cycle = 120 * MS  # a multiple of all periods
    lies, left = random.random() < 0.4, cycle
    tasks: list[Task] = []
    for _ in range(random.randint(2, 5)):
        period = random.choice(_PERIODS) * MS
        jobs = cycle // period
        runtime = _between(random, _RUNTIME_MIN, max(_RUNTIME_MIN, left // jobs * 2 // 3))
        if runtime <= period and runtime * jobs + _RUNTIME_MIN <= left:
            tasks.append(_reserved(random, f"{prefix}{len(tasks)}", runtime, period, period))
            left -= runtime * jobs
    for _ in range(random.randint(1, 3) if lies else 0):
        tasks.append(_liar(random, f"{prefix}{len(tasks)}"))
    if not lies:
        exact = [p * MS for p in _PERIODS if left * p % 120 == 0 and left * p // 120 >= _RUNTIME_MIN]
        period = random.choice(exact or [cycle])
        runtime = left * period // cycle
        tasks.append(_reserved(random, f"{prefix}{len(tasks)}", runtime, period, period))
        if random.random() < 0.3:
            tasks.append(_reserved(random, f"{prefix}{len(tasks)}", _RUNTIME_MIN, cycle, cycle))
    tasks.append(_spinner(f"{prefix}{len(tasks)}", -20))
    return tasks, 2 * cycle


def _rm(random: Random, prefix: str) -> tuple[list[Task], int]:
    """Reservations until analysis refuses some, with deadlines up to the period; and liars."""
    tasks: list[Task] = []
    for _ in range(random.randint(3, 7)):
        period = random.choice(_PERIODS) * MS + random.randint(0, 999) * US
        runtime = max(period // random.randint(3, 12), _RUNTIME_MIN)
        tight = _between(random, (runtime + period) // 2, period)
        deadline = random.choice((period, tight))
        tasks.append(_reserved(random, f"{prefix}{len(tasks)}", runtime, deadline, period))
    if random.random() < 0.4:
        tasks.append(_liar(random, f"{prefix}{len(tasks)}"))
    tasks.append(_spinner(f"{prefix}{len(tasks)}", -20))
    return tasks, 200 * MS


def _fair(random: Random, prefix: str) -> tuple[list[Task], int]:
    """Threads that spin, of all nice values; in half of the sets others come and go."""
    tasks = [
        _spinner(f"{prefix}{i}", random.randint(-20, 19)) for i in range(random.randint(2, 6))
    ]
    for _ in range(random.choice((0, random.randint(1, 3)))):
        name = f"{prefix}{len(tasks)}"
        tasks.append(_comes_and_goes(name, random, 4 * MS, 8 * MS, random.randint(-20, 19)))
    return tasks, 120 * MS
