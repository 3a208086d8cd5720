"""Reads the table of system calls, kernel/abi/syscalls.def, for languages other than C.

As a program it writes the C library's <bits/syscall.h>.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

TABLE = Path("kernel/abi/syscalls.def")

# Both ports' numbers, or x86_64's alone.
_BOTH = re.compile(r"^(?:CALL|CALL_AS|MISSING)\((\w+),\s*(\d+),\s*(\d+)\b", re.M)
_X86_64 = re.compile(r"^X86_CALL(?:_AS)?\((\w+),\s*(\d+)\b", re.M)


def numbers(root: Path, arch: str) -> dict[str, int]:
    """Every call's number on @arch, in the order of the table below @root."""
    text = (root / TABLE).read_text(encoding="utf-8")
    found = {name: int(x86 if arch == "x86_64" else riscv) for name, riscv, x86 in _BOTH.findall(text)}
    if arch == "x86_64":
        found |= {name: int(number) for name, number in _X86_64.findall(text)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools.syscalls", description=__doc__)
    parser.add_argument("--arch", choices=("riscv", "x86_64"), required=True)
    arch = parser.parse_args().arch
    print(f"/* Made by tools/syscalls.py of {TABLE}. */\n#pragma once\n")
    for name, number in numbers(Path(), arch).items():
        print(f"#define SYS_{name} {number}")


if __name__ == "__main__":
    main()
