"""Slurm's commands: submits an array, asks the queue what became of its tasks, cancels it.

No accounting is needed: all is asked of slurmctld, which remembers a finished job for MinJobAge seconds.
"""

import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from grade.course.spool import Array
from grade.errors import GraderError

_MODULE = "grade.course.array_task"
_WAIT_S = 60  # for slurmctld, which is busy at times

# States of a task that will never run again; all others lead to one of these.
_OVER = frozenset("BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED REVOKED "
                  "TIMEOUT".split())  # fmt: skip
# Slurm starts a task with such a reason only if an operator says so: its node could not start it.
_HELD = ("launch failed requeued held", "JobHoldMaxRequeue")


@dataclass(frozen=True)
class Task:
    """A task, as the queue tells of it."""

    state: str
    reason: str
    job: str

    @property
    def over(self) -> bool:
        return self.state in _OVER or self.held

    @property
    def held(self) -> bool:
        return self.state == "PENDING" and any(words in self.reason for words in _HELD)


class Queue(Protocol):
    """Slurm, or a test's."""

    def submit(self, array: Array) -> None: ...

    def tasks(self, array: Array) -> dict[int, Task] | None:
        """The tasks that the queue knows of; None: it does not answer."""

    def cancel(self, array: Array, task: Task | None = None) -> None:
        """Ends @task, or all."""

    def most(self) -> int:
        """How many tasks an array may have."""


@dataclass(frozen=True)
class Slurm:
    """@options: more words for sbatch. @at_once: the number of tasks that may run at a time."""

    root: Path
    options: Sequence[str]
    at_once: int | None

    def submit(self, array: Array) -> None:
        limit = f"%{self.at_once}" if self.at_once else ""
        # Ours come last, so that none of the user's can replace them.
        argv = ["sbatch", "--parsable", *self.options, f"--job-name={array.name}",
                f"--array=0-{len(array.digests) - 1}{limit}", "--requeue", "--open-mode=append",
                f"--chdir={array.folder}", "--output=%a.log", "--error=%a.log"]  # fmt: skip
        python, root, folder = (shlex.quote(str(w)) for w in (sys.executable, self.root, array.folder))
        script = f'#!/bin/sh\ncd {root} && exec {python} -m {_MODULE} {folder} "$SLURM_ARRAY_TASK_ID"\n'
        done = _called(argv, script)
        if done.returncode != 0:
            said = (done.stderr.strip() or "it does not say why").splitlines()[-1]
            raise GraderError(f"Slurm does not take the array: {said} (--slurm passes options to sbatch)")

    def tasks(self, array: Array) -> dict[int, Task] | None:
        done = _called(["squeue", "--noheader", "--array", "--states=all", f"--name={array.name}",
                        "--format=%K|%T|%r|%i"])  # fmt: skip
        if done.returncode != 0:
            return None
        lines = (line.split("|") for line in done.stdout.splitlines())
        return {int(index): Task(state, reason, job) for index, state, reason, job in lines}

    def cancel(self, array: Array, task: Task | None = None) -> None:
        done = _called(["scancel", f"--name={array.name}", *([task.job] if task else [])])
        if done.returncode != 0:
            said = done.stderr.strip()
            raise GraderError(f"scancel cannot end {array.name}: {said}; end it, and call again")

    def most(self) -> int:
        for line in _called(["scontrol", "show", "config"]).stdout.splitlines():
            if line.startswith("MaxArraySize"):
                return max(1, int(line.split("=")[1]))
        return 1001  # Slurm's default


def _called(argv: Sequence[str], text: str = "") -> subprocess.CompletedProcess[str]:
    """Runs one of Slurm's commands; one that does not end has failed."""
    try:
        return subprocess.run(argv, input=text, capture_output=True, text=True, errors="replace",
                              timeout=_WAIT_S, check=False)  # fmt: skip
    except FileNotFoundError as e:
        raise GraderError(f"{argv[0]} is not installed here: call where Slurm's commands are (Debian's "
                          "package slurm-client), or with --engine local") from e  # fmt: skip
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(argv, 1, "", f"{argv[0]} did not answer for {_WAIT_S} s")
