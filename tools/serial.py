"""Reads a running QEMU's serial port until it ends, within a limit of wall time."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

_CHUNK = 1 << 16
_POLL_S = 0.005


class Timeout(Exception):
    """The limit passed before the end."""


class Reader(Protocol):
    """Yields what arrives, as it arrives, up to the end."""

    received: int

    def chunks(self, timeout: float) -> Iterator[bytes]:
        """Raises Timeout after @timeout seconds; 0 means no limit."""
        ...


def _deadline(timeout: float) -> float:
    return time.monotonic() + timeout if timeout else float("inf")


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its descendants: how much it has done, however busy the host is."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    except OSError:
        return 0.0  # it has just ended
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(int(child)) for child in children)


class PipeReader:
    """From QEMU's standard output."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self.received = 0
        self._fd = pipe.fileno()

    def chunks(self, timeout: float) -> Iterator[bytes]:
        deadline = _deadline(timeout)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Timeout
            ready, _, _ = select.select([self._fd], [], [], min(left, 3600))
            if not ready:
                continue
            data = os.read(self._fd, _CHUNK)
            if not data:
                return
            self.received += len(data)
            yield data


class FileTail:
    """From a file that QEMU (@popen) writes. A file never makes the guest wait for its reader.

    A QEMU that has run for @quiet seconds of its own CPU time without output is given up, too.
    """

    def __init__(self, path: Path, popen: subprocess.Popen[bytes], quiet: float = float("inf")) -> None:
        self.received = 0
        self._path = path
        self._popen = popen
        self._quiet = quiet

    def chunks(self, timeout: float) -> Iterator[bytes]:
        deadline = _deadline(timeout)
        spoke_at = 0.0
        with self._path.open("rb") as file:
            while True:
                # In this order, so that everything written before the end is read after the end was seen.
                ended = self._popen.poll() is not None
                data = file.read(_CHUNK)
                if data:
                    self.received += len(data)
                    spoke_at = self._spent()
                    yield data
                elif ended:
                    return
                elif time.monotonic() >= deadline or self._spent() - spoke_at > self._quiet:
                    raise Timeout
                else:
                    time.sleep(_POLL_S)

    def _spent(self) -> float:
        """Its CPU time so far, where that is asked for."""
        return cpu_seconds(self._popen.pid) if self._quiet < float("inf") else 0.0
