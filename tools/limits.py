"""Limits for programs that work on what strangers have written: compilers, git, the explorer, QEMU.

The kernel keeps these limits (setrlimit), for each process, also inside of bubblewrap. Where a number of
processes is limited it is that of the user, so it means nothing for root: there Crowd counts them, or a
filter of system calls allows no new one.
"""

from __future__ import annotations

import errno
import os
import select
import shutil
import signal
import struct
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from tools.options import descendants


@dataclass(frozen=True)
class Limits:
    """The most that one process may use. None: as much as it likes."""

    memory_mib: int | None = None  # of address space
    file_mib: int | None = None  # of each file that it writes
    processes: int | None = None
    files: int | None = None  # open at once
    cpu_seconds: int | None = None


ENDED = (-signal.SIGKILL, 128 + signal.SIGKILL)  # statuses of a program that the wall clock has ended


# A filter of system calls (seccomp) knows them by number, which each kind of machine has its own of.
_NEW_PROCESSES = {
    "x86_64": (0xC000003E, (56, 57, 58, 435)),  # clone, fork, vfork, clone3
    "aarch64": (0xC00000B7, (220, 435)),
}
_X32 = 0x40000000  # numbers of a third kind of program that x86_64 runs


def alone() -> bytes:
    """A filter, as bubblewrap's --seccomp takes it, with which a program cannot start another one: the limit
    of processes means nothing to root. Empty on a machine whose numbers are not known here."""
    if (known := _NEW_PROCESSES.get(os.uname().machine)) is None:
        return b""
    arch, calls = known
    load, if_equal, if_more, give = 0x20, 0x15, 0x35, 0x06
    allow, kill, again = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EAGAIN
    code = [(load, 0, 0, 4), (if_equal, 1, 0, arch), (give, 0, 0, kill)]
    code += [(load, 0, 0, 0), (if_more, 0, 1, _X32), (give, 0, 0, kill)]
    for call in calls:
        code += [(if_equal, 0, 1, call), (give, 0, 0, again)]
    return b"".join(struct.pack("=HBBI", *step) for step in [*code, (give, 0, 0, allow)])


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


class Crowd:
    """Ends @running when it has started more than @most processes that still run; then `exceeded` is true.

    It looks every now and then, so a program that starts many at once gets further than @most. When
    bubblewrap is killed all that runs in it ends; without it, those are ended that were seen.
    """

    _EVERY_S = 0.1

    def __init__(self, running: subprocess.Popen[bytes], most: int) -> None:
        self._running, self._most = running, most
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._count, daemon=True)
        self.exceeded = False

    def __enter__(self) -> Crowd:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()

    def _count(self) -> None:
        while not self._over.wait(self._EVERY_S):
            found = list(islice(descendants(self._running.pid), self._most + 1))
            if len(found) > self._most:
                self.exceeded = True
                self._running.kill()
                for pid in found:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                return


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
