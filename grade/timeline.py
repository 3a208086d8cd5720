"""The trace around a moment, as text: one column for each CPU, time downwards."""

import struct

from grade.properties import STATE_NAMES, ms
from grade.trace import Layout, Record, Trace
from tools.visible import in_one_line

_BEFORE = 14
_AFTER = 4
_WIDTH = 34


def say(r: Record, layout: Layout) -> str:
    """One record in words."""
    known = {
        "switch": f"{r.b} -> {r.a}",
        "state": f"{r.a}: {_state(r.b >> 8)} > {_state(r.b & 0xFF)}",
        "preempt": f"{r.a} is preempted",
        "slice": f"slice of {r.a} is over",
        "idle": "idle",
        "migrate": f"{r.a} moves, CPU {r.b >> 8} > {r.b & 0xFF}",
        "block": f"{r.tid} will wait" + (f" until {ms(r.b)}" if r.b else ""),
        "claim": f"{r.a} claimed: {layout.why(r.b)}",
        "wake": f"{r.a} woken",
        "ipi": f"IPI to CPU {r.a}",
        "create": f"{r.a} created in process {r.b}",
        "exit": f"{r.tid} exits with {r.a:#x}",
        "left": f"{r.a} has left its stack",
        "join": f"{r.a} joined by {r.tid}",
        "free": f"{r.a} freed",
        "process": f"process {r.a} created by {r.b}",
        "kill": f"a kill of process {r.a} begins, {r.b:#x}",
        "killed": f"process {r.a} killed, {r.b:#x}",
        "killthread": f"{r.a} told to die",
        "zombie": f"process {r.a} zombie, {r.b:#x}",
        "reaped": f"process {r.a} reaped",
        "mark": "check failed",
        "panic": "panic",
    }
    if r.event == "name":
        return f"named {_name(r)}"
    return known.get(r.event, f"{r.event} {r.a:#x} {r.b:#x}")


def _name(r: Record) -> str:
    """The name in @r, which a student's kernel has written."""
    return in_one_line(struct.pack("<2Q", r.a, r.b).split(b"\0")[0].decode("utf-8", "replace"))


def _us(ns: int) -> str:
    """Microseconds, to a hundred nanoseconds, which is the step of RISC-V's clock."""
    return f"{ns // 1000}.{ns // 100 % 10}"


def _state(number: int) -> str:
    return STATE_NAMES[number] if number < len(STATE_NAMES) else str(number)


def around(trace: Trace, layout: Layout, time: int | None, cpu: int | None) -> tuple[str, ...]:
    """The last records up to @time (None: the end) and a few after; the moment is marked `>`."""
    records = trace.records
    if not records:
        return ()
    at = len(records) - 1
    if time is not None:
        at = max((i for i, r in enumerate(records) if r.time <= time), default=0)
        exact = [i for i, r in enumerate(records) if r.time == time and cpu in (None, r.cpu)]
        at = exact[0] if exact else at
    first = max(0, at - _BEFORE)
    shown = records[first : at + _AFTER + 1]
    cpus = sorted({r.cpu for r in shown})
    lines = ["  " + "µs".rjust(12) + "".join(f"  CPU {c}".ljust(_WIDTH) for c in cpus).rstrip()]
    for i, r in enumerate(shown, first):
        column = cpus.index(r.cpu)
        mark = ">" if i == at else " "
        text = " " * (_WIDTH * column) + "  " + say(r, layout)
        lines.append(f"{mark} {_us(r.time).rjust(12)}{text}".rstrip())
    return tuple(lines)
