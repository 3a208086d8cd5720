"""How far it is, on standard error: a bar on a terminal, else a line now and then."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """What a long run reports to."""

    def expect(self, steps: int) -> None: ...

    def step(self, what: str) -> None: ...


class Silent:
    """Nobody watches."""

    def expect(self, steps: int) -> None:
        """More steps will come."""

    def step(self, what: str) -> None:
        """One is done."""


class _Lines:
    """For logs: a line at every tenth."""

    def __init__(self) -> None:
        self._total = 0
        self._done = 0

    def expect(self, steps: int) -> None:
        self._total += steps

    def step(self, what: str) -> None:
        before, self._done = self._done, self._done + 1
        if self._done * 10 // self._total > before * 10 // self._total:
            print(f"{self._done} of {self._total}: {what}", file=sys.stderr, flush=True)


@contextmanager
def shown() -> Iterator[Progress]:
    """The progress display that fits where standard error goes."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar
    except ImportError:
        yield _Lines()
        return
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Rich(bar)


class _Rich:
    def __init__(self, bar: "Bar") -> None:  # type: ignore[name-defined]  # noqa: F821
        self._bar = bar
        self._task = bar.add_task("", total=0)
        self._total = 0

    def expect(self, steps: int) -> None:
        self._total += steps
        self._bar.update(self._task, total=self._total)

    def step(self, what: str) -> None:
        self._bar.update(self._task, advance=1, description=what)
