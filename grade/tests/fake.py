"""Made-up evidence: serial logs, ELF files, guest memory and labs, for tests without QEMU."""

import struct
import tempfile
import unittest
from collections.abc import Sequence
from pathlib import Path

from grade.lab import Lab, load
from grade.machine import Ended, Evidence
from grade.protocol import parse, split
from grade.trace import EMPTY, Layout, Record, Trace

ROOT = Path(__file__).resolve().parent.parent.parent
LAYOUT = Layout.read(ROOT)
NONCE = "0123456789abcdef"
STATES = {name: i for i, name in enumerate(LAYOUT.states)}

LAB_TOML = """
name = "04-sleep"
title = "Waiting without lying"
hours = [8, 11]
files = ["kernel/sched/sleep.c"]

[steps]
1 = ["claim"]

[[property]]
id = "P4.1"
step = 1
points = 10
text = "A sleeper is never woken before its deadline."
judges = ["timeout_not_early"]

[[property]]
id = "P4.2"
step = 2
points = 5
text = "Everybody who is due wakes."

[[test]]
name = "sleep.early"
properties = ["P4.1"]
cpus = [1, 2]
seeds = 2

[[test]]
name = "sleep.due"
properties = ["P4.1", "P4.2"]

[[mistake]]
id = "4.4"
property = "P4.2"
matches = "one a tick"
text = "It behaves like a kernel that releases only the first sleeper that is due."
"""


def lab(folder: Path, toml: str = LAB_TOML) -> Lab:
    """A lab folder 04-sleep below @folder, loaded."""
    home = folder / "04-sleep"
    home.mkdir(exist_ok=True)
    (home / "lab.toml").write_text(toml)
    return load(home)


class AtHome(unittest.TestCase):
    """Tests with a folder of their own, `home`, and a lab in it."""

    def setUp(self) -> None:
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = Path(home.name)
        self.lab = lab(self.home)


def trace(*records: tuple[int, str, int, int, int, int], complete: bool = True) -> Trace:
    """Records as (time, event, cpu, tid, a, b)."""
    return Trace(tuple(Record(*r) for r in records), complete)


def state(time: int, cpu: int, tid: int, old: str, new: str) -> tuple[int, str, int, int, int, int]:
    return (time, "state", cpu, tid, tid, STATES[old] << 8 | STATES[new])


def messages(*lines: str, nonce: str = NONCE) -> bytes:
    """Numbered messages of the test runner."""
    return "".join(f"@@{nonce} {i} {line}\n" for i, line in enumerate(lines, 1)).encode()


def passing(name: str = "sleep.early", prop: str = "P4.1") -> bytes:
    return messages("begin 1", f"test {name}", f"sum {prop} 3 0", f"done {name}", "end 1 3 0")


def evidence(
    kernel: bytes, status: int = 33, seen: Trace = EMPTY, ended: Ended = Ended.EXITED
) -> Evidence:
    streams = split(kernel)
    return Evidence(ended, status, streams, parse(streams.kernel, NONCE), seen)


def elf(
    path: Path,
    base: int,
    paddr: int,
    data: bytes,
    symbols: Sequence[tuple[str, int, int]],
    writable: bool = True,
) -> None:
    """An ELF file with one segment of @data at @base and the symbols (name, address, size)."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name, _, _ in symbols)
    table = bytes(24)
    at = 1
    for name, address, size in symbols:
        table += struct.pack("<IBBHQQ", at, 0, 0, 1, address, size)
        at += len(name) + 1
    start = 64 + 56
    table_at = start + len(data)
    names_at = table_at + len(table)
    sections = names_at + len(names)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        *(b"\x7fELF\x02\x01\x01" + bytes(9), 2, 243, 1, base, 64, sections, 0, 64, 56, 1, 64, 3, 2),
    )
    segment = struct.pack("<IIQQQQQQ", 1, 6 if writable else 5, start, base, paddr, len(data), len(data), 8)
    section = struct.Struct("<IIQQQQIIQQ")
    headers = section.pack(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    headers += section.pack(0, 2, 0, 0, table_at, len(table), 2, 1, 8, 24)
    headers += section.pack(0, 3, 0, 0, names_at, len(names), 0, 0, 1, 0)
    path.write_bytes(header + segment + data + table + names + headers)
