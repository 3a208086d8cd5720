"""Runs jobs on all cores and shows how far they are."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from types import TracebackType

from tools.test.model import Job, Result, outcome

Advance = Callable[[str], None]


def run_all(title: str, jobs: Sequence[Job], workers: int) -> list[Result]:
    """Every job's results, in the jobs' order. A failure is shown as soon as it is known."""
    results: dict[int, list[Result]] = {}
    seconds: dict[str, float] = {}

    def timed(job: Job) -> list[Result]:
        begun = time.monotonic()
        try:
            return outcome(job)
        finally:
            seconds[job.name] = time.monotonic() - begun

    begun = time.monotonic()
    with progress(title, len(jobs)) as advance, ThreadPoolExecutor(workers) as executor:
        futures: dict[Future[list[Result]], int] = {
            executor.submit(timed, job): i for i, job in enumerate(jobs)
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
    longest = max(seconds, key=lambda name: seconds[name])
    print(
        f"{title}: {len(jobs)} done in {time.monotonic() - begun:.0f} s, "
        f"longest {seconds[longest]:.0f} s: {longest}",
        file=sys.stderr,
        flush=True,
    )
    return [result for i in range(len(jobs)) for result in results[i]]


def show_failures(results: Sequence[Result]) -> None:
    for result in results:
        if not result.ok:
            detail = "\n".join("      " + line for line in result.detail.splitlines())
            print(f"FAIL  {result.name}\n{detail}", flush=True)


@contextmanager
def progress(title: str, total: int) -> Iterator[Advance]:
    """A bar on a terminal that can show one."""
    if sys.stderr.isatty():
        try:
            with _RichBar(title, total) as advance:
                yield advance
            return
        except ImportError:
            pass
    yield lambda _name: None


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
