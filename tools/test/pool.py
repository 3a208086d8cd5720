"""Runs jobs on all cores and shows their progress."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from tools.progress import Times, shortened, shown
from tools.test.model import Job, Result, outcome


def run_all(title: str, jobs: Sequence[Job], workers: int) -> list[Result]:
    """Every job's results, in the jobs' order. A failure is shown as soon as it is known."""
    results: dict[int, list[Result]] = {}
    times = Times()

    def timed(job: Job) -> list[Result]:
        with times.of(job.name):
            return outcome(job)

    with shown(title) as progress, ThreadPoolExecutor(workers) as executor:
        progress.expect(len(jobs))
        progress.doing(shortened(jobs[0].name))
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
                    progress.step(shortened(jobs[index].name))
                    show_failures(results[index])
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
    times.tell(title)
    return [result for i in range(len(jobs)) for result in results[i]]


def show_failures(results: Sequence[Result]) -> None:
    for result in results:
        if not result.ok:
            detail = "\n".join("      " + line for line in result.detail.splitlines())
            print(f"FAIL  {result.name}\n{detail}", flush=True)
