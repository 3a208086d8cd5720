"""Where in the source an address of a program is, by its debug information."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.visible import visible

_ADDRESS = re.compile(r"0x[0-9a-f]+")

@dataclass(frozen=True)
class Place:
    function: str
    file: str
    line: int


def places(program: Path, pcs: Sequence[int]) -> dict[int, list[Place]]:
    """For each return address the functions it is in, the innermost inlined one first."""
    asked = "".join(f"{pc - 1:x}\n" for pc in pcs)
    argv = ["addr2line", "-a", "-f", "-i", "-e", str(program)]
    done = subprocess.run(argv, input=asked.encode(), capture_output=True, check=True)
    found: dict[int, list[Place]] = {}
    current: list[Place] = []
    lines = iter(visible(done.stdout).splitlines())  # names are as the source has them
    for line in lines:
        if _ADDRESS.fullmatch(line):
            current = found.setdefault(int(line, 16) + 1, [])
            continue
        file, _, number = next(lines, "").partition(" ")[0].rpartition(":")
        current.append(Place(line, os.path.normpath(file), int(number) if number.isdecimal() else 0))
    return found
