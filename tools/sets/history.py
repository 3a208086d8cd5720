"""The tasks of a set, from a trace: when each was ready, running or away."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from grade.trace import Layout, Trace
from tools.sets.generate import Task, TaskSet


@dataclass(frozen=True)
class Span:
    """Times are ns since the set began."""

    begin: int
    end: int
    state: str  # "ready", "running" or "away"
    expired: bool = False  # it ran, and its slice was over while others were ready

    @property
    def length(self) -> int:
        return self.end - self.begin


@dataclass(frozen=True)
class Life:
    """One task's spans, without a gap from the beginning to the end."""

    task: Task
    spans: tuple[Span, ...]

    def of(self, state: str) -> Iterator[Span]:
        return (span for span in self.spans if span.state == state)

    @cached_property
    def _running(self) -> tuple[list[Span], list[int]]:
        spans, before, ran = list(self.of("running")), [0], 0
        for span in spans:
            ran += span.length
            before.append(ran)
        return spans, before

    def ran(self, until: int) -> int:
        """Its time on the CPU before @until."""
        spans, before = self._running
        n = bisect_right(spans, until, key=lambda span: span.begin)
        late = max(0, spans[n - 1].end - until) if n else 0
        return before[n] - late

    def wait(self) -> Span:
        """The longest wait."""
        return max(self.of("ready"), key=lambda span: span.length, default=Span(0, 0, "ready"))


@dataclass(frozen=True)
class History:
    """The course of one set."""

    set: TaskSet
    lives: tuple[Life, ...]
    refused: frozenset[str]

    def moments(self) -> list[int]:
        """All times at which something changed."""
        return sorted({span.begin for life in self.lives for span in life.spans})


_EXPIRED = "expired"
_STATES = {"ready": "ready", "running": "running"}


class TraceOfSets:
    """A trace in which the threads of tasks have their tasks' names."""

    def __init__(self, trace: Trace, layout: Layout) -> None:
        self._tids: dict[str, int] = {}
        self._changes: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for r in trace.of("name", "state", "slice"):
            if r.event == "slice":
                if r.b:
                    self._changes[r.a].append((r.time, _EXPIRED))
            elif r.event == "state":
                state = _STATES.get(layout.state(r.b & 0xFF), "away")
                self._changes[r.a].append((r.time, state))
            else:
                text = (r.a | r.b << 64).to_bytes(16, "little")
                self._tids[text.split(b"\0")[0].decode("utf-8", "replace")] = r.tid

    def history(self, task_set: TaskSet, start: int, refused: frozenset[str]) -> History:
        """The history of @task_set, which began at @start, until its end."""
        lives = (
            Life(task, tuple(self._spans(task.name, start, task_set.until)))
            for task in task_set.tasks
            if task.name not in refused
        )
        return History(task_set, tuple(lives), refused)

    def _spans(self, name: str, start: int, until: int) -> Iterator[Span]:
        if name not in self._tids:
            raise ValueError(f"task {name} is not in the trace")
        since, state, expired = 0, "away", False
        for time, following in self._changes[self._tids[name]]:
            time -= start
            if following == _EXPIRED:
                expired = True
            elif time <= 0:
                state = following
            elif time < until:
                if time > since:
                    yield Span(since, time, state, expired and state == "running")
                since, state, expired = time, following, False
        yield Span(since, until, state)
