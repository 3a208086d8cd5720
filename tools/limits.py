"""Limits for programs that work on what strangers have written: compilers, git, the explorer, QEMU.

The kernel keeps these limits (setrlimit), for each process, also inside of bubblewrap. Where a number of
processes is limited it is that of the user, so it means nothing for root: there the wall clock and the
end of the whole process group remain.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one process may use. None: as much as it likes."""

    memory_mib: int | None = None  # of address space
    file_mib: int | None = None  # of each file that it writes
    processes: int | None = None
    files: int | None = None  # open at once
    cpu_seconds: int | None = None


ENDED = (-signal.SIGKILL, 128 + signal.SIGKILL)  # statuses of a program that the wall clock has ended


class TooMuch(Exception):
    """A program used more than it may; the text goes on after its name."""


@dataclass(frozen=True)
class Done:
    status: int
    output: bytes


def limited(argv: Sequence[str], limits: Limits) -> list[str]:
    """@argv with @limits for it and for each process that it starts."""
    options = {
        "as": None if limits.memory_mib is None else limits.memory_mib << 20,
        "fsize": None if limits.file_mib is None else limits.file_mib << 20,
        "nproc": limits.processes,
        "nofile": limits.files,
        "cpu": limits.cpu_seconds,
        "core": 0,
    }
    return ["prlimit", *(f"--{k}={v}" for k, v in options.items() if v is not None), "--", *argv]


def ended_after(argv: Sequence[str], seconds: int) -> list[str]:
    """@argv, which is killed when it has not ended after @seconds by the wall clock, or when we are."""
    prefix = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
    return ["timeout", "--foreground", "--signal=KILL", str(seconds), *prefix, *argv]


def run(
    argv: Sequence[str], environment: Mapping[str, str], most: int, seconds: float
) -> Done:
    """Runs @argv to its end, without input. Raises TooMuch after @seconds, or when it has printed more than
    @most bytes. Standard error is not kept."""
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(environment),
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        try:
            output = _all(running.stdout.fileno(), most, time.monotonic() + seconds)
        except BaseException:
            end_group(running)
            raise
    return Done(running.returncode, output)


def _all(fd: int, most: int, end: float) -> bytes:
    out = bytearray()
    while True:
        left = end - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            raise TooMuch("takes too long")
        piece = os.read(fd, 1 << 16)
        if not piece:
            return bytes(out)
        out += piece
        if len(out) > most:
            raise TooMuch("prints too much")


def end_group(running: subprocess.Popen[bytes]) -> None:
    """Kills @running, which leads a session, and all of its process group."""
    try:
        os.killpg(running.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it is gone already
