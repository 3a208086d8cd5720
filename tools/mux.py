"""Splits the bytes that come over the serial port with console=mux into two streams.

kernel/console/console.h defines the framing: DLE 'u' begins bytes of user programs, DLE 'k' bytes of
the kernel (the first bytes are the kernel's too), DLE DLE is one DLE byte, and DLE 'x' with two hex
digits gives the exit status of init.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

_DLE = 0x10


class Stream(Enum):
    KERNEL = "kernel"
    USER = "user"


@dataclass
class Demux:
    """Takes bytes in pieces of any size, and returns them by stream, in order."""

    stream: Stream = Stream.KERNEL
    exit_status: int | None = None
    _pending: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[tuple[Stream, bytes]]:
        """The pieces of the two streams that @data completes. An unfinished escape is kept."""
        self._pending += data
        pieces: list[tuple[Stream, bytes]] = []
        while self._pending:
            start = self._pending.find(_DLE)
            if start != 0:
                end = start if start > 0 else len(self._pending)
                pieces.append((self.stream, bytes(self._pending[:end])))
                del self._pending[:end]
                continue
            used = self._escape(pieces)
            if used == 0:
                break
            del self._pending[:used]
        return pieces

    def _escape(self, pieces: list[tuple[Stream, bytes]]) -> int:
        """Handles the escape that _pending starts with. Returns its length, 0 if more bytes are needed."""
        if len(self._pending) < 2:
            return 0
        kind = self._pending[1]
        if kind == ord("u"):
            self.stream = Stream.USER
        elif kind == ord("k"):
            self.stream = Stream.KERNEL
        elif kind == ord("x"):
            if len(self._pending) < 4:
                return 0
            self.exit_status = _hex_byte(bytes(self._pending[2:4]))
            return 4
        else:
            # DLE DLE is a DLE; anything else is a broken frame, shown as it came.
            piece = b"\x10" if kind == _DLE else bytes(self._pending[:2])
            pieces.append((self.stream, piece))
        return 2


def _hex_byte(digits: bytes) -> int | None:
    try:
        return int(digits, 16)
    except ValueError:
        return None
