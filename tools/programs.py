"""Runs our own programs and makes as a new shell would, and shortens what they say."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Variables that a make above us passes down and a make below us must not see.
_OUR_MAKES = (
    *("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"),
    *("ARCH", "BUILD", "TESTS", "LLVM", "CROSS", "O", "V", "CPUS", "SCHED", "LAB", "CMD", "BOOTARGS"),
    *("TRELLIS_CMD", "TRELLIS_BOOTARGS"),
)


def clean_environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in _OUR_MAKES} | {"LC_ALL": "C"}


def run_module(*words: str) -> subprocess.CompletedProcess[str]:
    """Runs one of our Python programs as `python3 -m` does, whatever make was told."""
    return run_quietly([sys.executable, "-m", *words], ROOT, env=clean_environment())


def run_quietly(
    argv: Sequence[str], folder: Path, timeout: float | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a program without input. Returns its standard output and error as one text."""
    return subprocess.run(
        argv,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=timeout,
    )


def untouched(argv: Sequence[str]) -> list[str]:
    """@argv without what our caller may have done to all it starts, signals ignored (nohup) and a niceness,
    and without what we do (take_large_pages()).

    Only root can take a niceness back; anybody else is told that it stays."""
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    usual = ["nice", "-n", str(-niceness)] if niceness else []
    return [*usual, "env", "--default-signal", "--unset=GLIBC_TUNABLES", *argv]


def kernel_says(text: str) -> str:
    """@text without the firmware's banner."""
    return text[max(0, text.rfind("Trellis on ")) :]


def last_lines(text: str, count: int = 15) -> str:
    return "\n".join(text.splitlines()[-count:])
