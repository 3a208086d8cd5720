"""Runs jobs on all cores and shows how far they are."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from types import TracebackType

from tools.test.model import Job, Result, outcome

Advance = Callable[[str], None]


def run_all(title: str, jobs: Sequence[Job], workers: int) -> list[Result]:
    """Every job's results, in the jobs' order. A failure is shown as soon as it is known."""
    results: dict[int, list[Result]] = {}
    with progress(title, len(jobs)) as advance, ThreadPoolExecutor(workers) as executor:
        futures: dict[Future[list[Result]], int] = {
            executor.submit(outcome, job): i for i, job in enumerate(jobs)
        }
        waiting = set(futures)
        try:
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    index = futures[future]
                    results[index] = future.result()
                    advance(jobs[index].name)
                    show_failures(results[index])
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
    return [result for i in range(len(jobs)) for result in results[i]]


def show_failures(results: Sequence[Result]) -> None:
    for result in results:
        if not result.ok:
            detail = "\n".join("      " + line for line in result.detail.splitlines())
            print(f"FAIL  {result.name}\n{detail}", flush=True)


@contextmanager
def progress(title: str, total: int) -> Iterator[Advance]:
    """A bar on a terminal that can show one; otherwise a line at the end."""
    if sys.stderr.isatty():
        try:
            with _RichBar(title, total) as advance:
                yield advance
            return
        except ImportError:
            pass
    count = 0

    def advance_silently(_name: str) -> None:
        nonlocal count
        count += 1

    yield advance_silently
    print(f"{title}: {count} done", file=sys.stderr, flush=True)


class _RichBar:
    """python3-rich, which may be missing."""

    def __init__(self, title: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeElapsedColumn

        self._progress = Progress(
            TextColumn("{task.description:10}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[last]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(title, total=total, last="")

    def __enter__(self) -> Advance:
        self._progress.start()
        return self._advance

    def _advance(self, name: str) -> None:
        self._progress.update(self._task, advance=1, last=name)

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._progress.stop()
