"""System calls' numbers as a reader knows them: AT_FDCWD, -1 and -ENOENT instead of 64 bits."""

from __future__ import annotations

import errno

_AT_FDCWD = -100
_SMALL = 4096  # numbers below are counts, descriptors and ids; others are addresses and flags
# Calls whose first argument is the folder that a path begins at.
_FROM_A_FOLDER = ("at", "at2", "statx")


def signed(value: int) -> int:
    """@value as the C int or long that it was: an int may have come with its upper half empty."""
    if value >> 32 in (0, (1 << 32) - 1) and value >> 31 & 1:
        return (value & ((1 << 32) - 1)) - (1 << 32)
    return value - (1 << 64) if value >> 63 else value


def first_argument(call: str, value: int) -> str:
    number = signed(value)
    if number == _AT_FDCWD and call.endswith(_FROM_A_FOLDER):
        return "AT_FDCWD"
    return str(number) if abs(number) < _SMALL else f"{value:#x}"


def result(value: int) -> str:
    number = value - (1 << 64) if value >> 63 else value
    if -_SMALL < number < 0:
        return f"-{errno.errorcode[-number]}" if -number in errno.errorcode else str(number)
    return str(number) if abs(number) < 1 << 32 else f"{value:#x}"
