"""How fast the explorer is, and how much work it saves: a fixed set of scenarios, as a table.

Each is searched with at most two preemptions, once as usual and once plainly, where a state that was
reached before is explored again (and a loop has no end, so that most plain searches come to their
limit). Numbers of executions and steps are the same everywhere; rates are of CPU time, on one core.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen

from bench.report import lines
from tools.options import Parser, file, run_program, to_write
from tools.progress import shown

SCENARIOS = (
    "litmus.philosophers_in_order",
    "mutex.two",
    "join.one",
    "last.two_leave",
    "event.not_lost",
    "ends.all_three",
    "destroy.one",
    "kill.against_exit",
    "zombie.two_waiters",
)
_BOUND = 2
_STEPS = 2_000_000
_PLAIN_STEPS = 5_000_000
_RANDOM = 2_000


@dataclass(frozen=True)
class Row:
    scenario: str
    executions: int
    steps: int
    seconds: float
    plain_steps: int
    plain_ended: bool  # if not, there are more
    random_executions: int
    random_accesses: int  # to memory, of these executions: at each of them another CPU might go on
    random_seconds: float

    @property
    def saved(self) -> float:
        return self.plain_steps / self.steps

    def cells(self) -> list[str]:
        more = "" if self.plain_ended else "> "
        return [
            self.scenario,
            f"{self.executions:,}",
            f"{self.steps:,}",
            f"{self.executions / self.seconds:,.0f}",
            f"{self.steps / self.seconds:,.0f}",
            f"{more}{self.plain_steps:,}",
            f"{more}{self.saved:.1f}",
            f"{self.random_executions / self.random_seconds:,.0f}",
            f"{self.random_accesses / self.random_seconds:,.0f}",
        ]


_TITLES = ["at most 2 preemptions", "executions", "steps", "executions/s", "steps/s", "plain steps", "times",
           "random/s", "accesses/s"]  # fmt: skip


def _timed(program: Path, words: Sequence[str]) -> tuple[dict[str, int | str], float]:
    """The last line that the explorer prints, and the CPU time that it needs."""
    with Popen([program, *words], stdin=DEVNULL, stdout=PIPE, text=True) as running:
        said = running.stdout.read() if running.stdout else ""
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise SystemExit(f"bench-explore: {' '.join(words)} ended with {running.returncode}")
    return json.loads(said.splitlines()[-1]), max(used.ru_utime + used.ru_stime, 0.001)


def measure(program: Path, scenario: str) -> Row:
    found, seconds = _timed(program, [scenario, str(_BOUND), str(_STEPS)])
    plain, _ = _timed(program, [scenario, "plain", str(_PLAIN_STEPS), str(_BOUND)])
    random, random_seconds = _timed(program, [scenario, "random", "1", str(_RANDOM)])
    if found["outcome"] not in ("complete", "bounded"):
        raise SystemExit(f"bench-explore: {scenario}: {found['outcome']}")
    return Row(
        scenario,
        int(found["executions"]),
        int(found["steps"]),
        seconds,
        int(plain["steps"]),
        plain["outcome"] in ("complete", "bounded"),
        int(random["random"]),
        int(random["random_accesses"]),
        random_seconds,
    )


def table(rows: Sequence[Row]) -> str:
    return lines([_TITLES, *(row.cells() for row in rows)])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="make bench-explore", description=__doc__)
    parser.add_argument("program", type=file, help="the explorer's program")
    parser.add_argument("--json", type=to_write, metavar="FILE", help="write the figures here too")
    options = parser.parse_args(arguments)
    rows = []
    with shown() as progress:
        progress.expect(len(SCENARIOS))
        for scenario in SCENARIOS:
            rows.append(measure(options.program.resolve(), scenario))
            progress.step(scenario)
    print(table(rows))
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    run_program("make bench-explore", main)
