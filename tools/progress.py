"""Shows the progress of long work on standard error: a bar on a terminal, else a line every ten seconds.

    with shown("tests") as progress:
        progress.expect(20)             twenty steps; more may come later, or -3 fewer
        progress.doing("building")      what is being done, from the first second
        progress.step("pipe")           one step is done

All may be called from any thread.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

_EVERY_S = 10.0
_WIDTH = 70


class Progress(Protocol):
    """The display of a long run."""

    def expect(self, steps: int) -> None: ...

    def doing(self, what: str) -> None: ...

    def step(self, what: str) -> None: ...


class Silent:
    """Shows nothing."""

    def expect(self, steps: int) -> None:
        """More steps will come."""

    def doing(self, what: str) -> None:
        """Something has begun."""

    def step(self, what: str) -> None:
        """One is done."""


def spoken(seconds: float) -> str:
    """A duration, only as exact as an estimate is: 5 s, 3 min, 2 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


def per_minute(done: int, seconds: float) -> str:
    """A rate for steps that take long: 12.3 a minute."""
    return f"{60 * done / seconds:.1f} a minute" if seconds > 0 else ""


class Times:
    """How long each job of many takes, for a person who wants to make them quicker."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._seconds: dict[str, float] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            self._seconds[name] = time.monotonic() - begun

    def tell(self, title: str, most: int = 10) -> None:
        """Says on standard error how long all took, and which were the longest."""
        whole = time.monotonic() - self._begun
        print(f"{title}: {len(self._seconds)} done in {whole:.0f} s, the longest:", file=sys.stderr)
        for name in sorted(self._seconds, key=lambda name: -self._seconds[name])[:most]:
            print(f"{self._seconds[name]:7.0f} s  {shortened(name)}", file=sys.stderr, flush=True)


def shortened(name: str) -> str:
    """A job's name as it fits beside other things."""
    return name if len(name) <= _WIDTH else f"{name[: _WIDTH - 3]}..."


class Lines:
    """For logs: the first line at once, then one every ten seconds while the work goes on."""

    def __init__(self, title: str, every: float = _EVERY_S, rate: bool = False) -> None:
        self._title = title
        self._rate = rate
        self._total = self._done = 0
        self._what = ""
        self._began = time.monotonic()
        self._first = True
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._every = every
        self._thread = threading.Thread(target=self._repeat, daemon=True)
        self._thread.start()

    def expect(self, steps: int) -> None:
        self._total += steps

    def doing(self, what: str) -> None:
        with self._lock:
            self._what = what
            first, self._first = self._first, False
        if first:
            print(self.line(), file=sys.stderr, flush=True)

    def step(self, what: str) -> None:
        with self._lock:
            self._done += 1
        self.doing(what)

    def line(self) -> str:
        with self._lock:
            parts = [f"{self._title}: " if self._title else ""]
            if self._total:
                parts.append(f"{self._done} of {self._total}")
                if self._done:
                    spent = time.monotonic() - self._began
                    each = spent / self._done
                    if self._rate:
                        parts.append(f", {per_minute(self._done, spent)}")
                    parts.append(f", about {spoken(each * (self._total - self._done))} left")
                parts.append(": ")
            return "".join([*parts, self._what])

    def _repeat(self) -> None:
        while not self._stop.wait(self._every):
            if not self._first:
                print(self.line(), file=sys.stderr, flush=True)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


@contextmanager
def shown(title: str = "", rate: bool = False) -> Iterator[Progress]:
    """The display that suits standard error: a terminal or a log. With @rate also steps per minute."""
    if sys.stderr.isatty():
        try:
            import rich.progress as rich
            from rich.console import Console
        except ImportError:
            pass
        else:
            columns = (
                *(rich.TextColumn(title), rich.BarColumn(), rich.MofNCompleteColumn()),
                *(rich.TimeElapsedColumn(), rich.TextColumn("left"), rich.TimeRemainingColumn()),
                *([rich.TextColumn("{task.fields[rate]}")] if rate else []),
                rich.TextColumn("{task.description}"),
            )
            console = Console(stderr=True)
            with rich.Progress(*columns, console=console, transient=True) as bar:
                yield _Bar(bar)
            return
    lines = Lines(title, rate=rate)
    try:
        yield lines
    finally:
        lines.close()


class _Bar:
    """A bar drawn by python3-rich, which may be missing. Until there are steps the bar only moves."""

    def __init__(self, bar: "rich.progress.Progress") -> None:  # type: ignore[name-defined]  # noqa: F821
        self._bar = bar
        self._task = bar.add_task("", total=None, rate="")
        self._total = self._done = 0
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def expect(self, steps: int) -> None:
        self._total += steps
        self._bar.update(self._task, total=self._total or None)

    def doing(self, what: str) -> None:
        self._bar.update(self._task, description=what)

    def step(self, what: str) -> None:
        with self._lock:
            self._done += 1
            rate = per_minute(self._done, time.monotonic() - self._began)
        self._bar.update(self._task, advance=1, description=what, rate=rate)
