"""Runs jobs on all cores and shows their progress."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from tools.progress import shown
from tools.test.model import Job, Result, outcome


_WIDTH = 70  # of a job's name where it is shown
_LONGEST = 10  # jobs whose time is told


def _shortened(name: str) -> str:
    return name if len(name) <= _WIDTH else f"{name[: _WIDTH - 3]}..."


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
    with shown(title) as progress, ThreadPoolExecutor(workers) as executor:
        progress.expect(len(jobs))
        progress.doing(_shortened(jobs[0].name))
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
                    progress.step(_shortened(jobs[index].name))
                    show_failures(results[index])
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
    print(f"{title}: {len(jobs)} done in {time.monotonic() - begun:.0f} s, the longest:", file=sys.stderr)
    for name in sorted(seconds, key=lambda name: -seconds[name])[:_LONGEST]:
        print(f"{seconds[name]:7.0f} s  {_shortened(name)}", file=sys.stderr, flush=True)
    return [result for i in range(len(jobs)) for result in results[i]]


def show_failures(results: Sequence[Result]) -> None:
    for result in results:
        if not result.ok:
            detail = "\n".join("      " + line for line in result.detail.splitlines())
            print(f"FAIL  {result.name}\n{detail}", flush=True)
