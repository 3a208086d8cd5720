"""After the bounded search: a number of random schedules, or as many as there is time for."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from tools.explore.program import DEPTH, SEED, Result, at_random, for_a_time
from tools.progress import Progress


@dataclass(frozen=True)
class Budget:
    """How many random schedules of each scenario (@count), or how long all of them may take."""

    count: int = 0
    seconds: float = 0
    seed: int = SEED
    depth: int = DEPTH


@dataclass
class _Watch:
    """Keeps the present result of each scenario, and shows how fast it goes."""

    progress: Progress
    known: dict[str, Result]
    began: float = field(default_factory=time.monotonic)
    shown: int = 0  # seconds
    counts: dict[str, tuple[float, int]] = field(default_factory=dict)  # when it had run how many
    rates: dict[str, float] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def goes_on(self, result: Result, before: Result, timed: bool) -> bool:
        with self.lock:
            self.known[result.scenario] = result
            self._count(result.scenario, result.executions - before.executions + result.random)
            told = f"{result.scenario}: {sum(self.rates.values()):,.0f} executions a second"
            self.progress.doing(told)
            while timed and self.shown < int(time.monotonic() - self.began):
                self.shown += 1
                self.progress.step(told)
        return not self.over.is_set()

    def _count(self, scenario: str, ran: int) -> None:
        """Each larger bound, and the random schedules, are counted from 0 again."""
        now = time.monotonic()
        then, before = self.counts.get(scenario, (self.began, 0))
        self.counts[scenario] = (now, ran)
        if ran > before:
            self.rates[scenario] = (ran - before) / max(now - then, 0.1)


def go_on(
    program: Path,
    results: Sequence[Result],
    budget: Budget,
    jobs: int,
    fenced: bool,
    progress: Progress,
) -> tuple[list[Result], bool]:
    """Goes on after each of @results that left schedules out. Returns all results, and whether it came to
    the end: after Ctrl-C, these are the results by then."""
    open_ones = [r for r in results if r.outcome in ("bounded", "unfinished")]
    watch = _Watch(progress, {r.scenario: r for r in results})
    seconds = budget.seconds / max(1, -(-len(open_ones) // jobs))
    progress.expect(int(budget.seconds) if budget.seconds else len(open_ones))

    def one(before: Result) -> Result:
        if budget.seconds:
            return for_a_time(program, before, seconds, lambda r: watch.goes_on(r, before, True),
                              budget.seed, budget.depth, fenced)  # fmt: skip
        done = at_random(program, before, budget.count, lambda r: watch.goes_on(r, before, False),
                         budget.seed, budget.depth, fenced)  # fmt: skip
        progress.step(f"{done.scenario}: {done.figures()}")
        return done

    def ended(done: Result) -> None:
        watch.known[done.scenario] = done
        watch.rates.pop(done.scenario, None)

    with ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(one, r) for r in open_ones]
        try:
            for done in as_completed(running):
                ended(done.result())
        except KeyboardInterrupt:
            return list(watch.known.values()), False
        finally:
            watch.over.set()
            pool.shutdown(wait=False, cancel_futures=True)
    return [watch.known[r.scenario] for r in results], True
