"""Boots both ports under -icount, where an instruction is a nanosecond, and reports the costs of the
kernel's operations, beside those of xv6 and Linux and our own targets; how they grow with the number of
threads; which locks they take; how long interrupts stay off; and how late a real-time thread runs.

--json writes {"riscv": {figure: value, ...}, "x86_64": {...}, "missed": [...]} to a file: instructions
for each operation, and the figures that README.md describes. The exit status is 1 if a bound is missed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from bench import costs
from bench.costs import Costs
from bench.machine import ROOT, BenchError, Figures, Port, build
from bench.meter.watch import IRQS, PREEMPTION
from bench.reference import OPERATIONS, SCALED, Operation
from tools import qemu
from tools.options import Parser, to_write, run_program
from tools.progress import shown

_CPUS = 4


# --- Single operations ----------------------------------------------------------------------------


def operations(port: Port) -> Costs:
    found = Costs()
    for name, value in port.run("exec /bench/ops").items():
        found.bound(name, value, OPERATIONS[name].target or float("inf"))
    return found


def boot(port: Port) -> Costs:
    found = Costs()
    seen = port.run("exec /bench/ops boot")
    target = OPERATIONS["boot_to_shell"].target
    found.bound("boot_to_shell", seen["boot"] - port.firmware(), target or float("inf"))
    found.figures["memory_kib"] = seen["memory_kib"]
    found.figures["image_kib"] = port.image_kib()
    return found


def scaling(port: Port) -> Costs:
    names = " ".join(SCALED)
    alone = port.run(f"exec /bench/ops -p 1 {names}")
    busy = port.run(f"exec /bench/ops -p {_CPUS} {names}", cpus=_CPUS)
    return Costs({f"scale{_CPUS}_{name}": busy[name] / alone[name] for name in SCALED})


_MEASUREMENTS: tuple[tuple[str, costs.Measurement], ...] = (
    *costs.measurements(),
    ("operations", operations),
    ("boot", boot),
    ("scaling", scaling),
)


def measure(ports: Sequence[Port]) -> dict[str, Costs]:
    """Everything on both ports, on all cores of this machine."""
    results = {port.arch: Costs() for port in ports}
    jobs = [(port, name, fn) for name, fn in _MEASUREMENTS for port in ports]
    with (
        shown("bench") as progress,
        ThreadPoolExecutor(os.cpu_count() or 1) as executor,
    ):
        progress.expect(len(jobs))
        progress.doing(jobs[0][1])
        futures = {executor.submit(fn, port): (port, name) for port, name, fn in jobs}
        try:
            for future in as_completed(futures):
                port, name = futures[future]
                results[port.arch].add(future.result())
                progress.step(f"{port.arch}: {name}")
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
    return results


# --- The tables -----------------------------------------------------------------------------------


def number(value: float | None) -> str:
    if value is None:
        return "-"
    if value < 10:
        return f"{value:.2f}"
    if value < 1e6:
        return f"{value:,.0f}"
    return f"{value / 1e6:,.1f} M"


def mark(value: float | None, most: float | None) -> str:
    """The figure, with an exclamation mark if it is above its bound."""
    missed = value is not None and most is not None and value > most
    return number(value) + ("!" if missed else " ")


def lines(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(r[i]) for r in rows if i < len(r)) for i in range(max(map(len, rows)))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def table(results: Mapping[str, Figures]) -> str:
    """Single operations, beside those of others."""
    rows = [["", "target", *results, "xv6", "Linux riscv", "Linux x86_64"]]
    for name, operation in OPERATIONS.items():
        if any(name in figures for figures in results.values()):
            rows.append(_operation_row(name, operation, results))
    for name in ("image_kib", "memory_kib", "thread_kib", *(f"scale{_CPUS}_{n}" for n in SCALED)):
        rows.append([name, "-", *(number(results[arch].get(name)) for arch in results)])
    return lines(rows)


def _operation_row(name: str, operation: Operation, results: Mapping[str, Figures]) -> list[str]:
    ours = [mark(results[arch].get(name), operation.target) for arch in results]
    linux = operation.linux or {}
    theirs = [number(operation.xv6), *(number(linux.get(arch)) for arch in qemu.ARCHES)]
    return [operation.title, number(operation.target), *ours, *theirs]


def growth_table(results: Mapping[str, Figures]) -> str:
    sizes = (1, 10, 100, 1_000, 10_000)
    rows = [["among threads", *(f"{size:,}" for size in sizes), "growth"]]
    for arch, figures in results.items():
        for policy in costs.POLICIES:
            mine = {k.removeprefix(f"{policy}_"): v for k, v in figures.items() if k.startswith(f"{policy}_")}
            for name, found in costs.crowds(mine).items():
                alone = found[min(found)]
                cells = [
                    mark(found[size], costs.allowed(policy, alone, size)) if size in found else "- "
                    for size in sizes
                ]
                rows.append([f"{arch} {policy} {name}", *cells, f"{max(found.values()) / alone:.2f}"])
    return lines(rows)


def locks_table(results: Mapping[str, Figures]) -> str:
    rows = [["locks", *(f"{what} {n}" for what in ("taken", "waits", "shared") for n in costs.LOCK_CPUS)]]
    for arch, figures in results.items():
        for name in costs.LOCK_OPS:
            cells = [
                mark(figures.get(f"{what}{n}_{name}"), costs.SHARED.get(name) if what == "shared" else None)
                for what in ("locks", "waits", "shared")
                for n in costs.LOCK_CPUS
            ]
            rows.append([f"{arch} {name}", *(cell.replace("0.00 ", "0 ") for cell in cells)])
    return lines(rows)


def windows_text(results: Mapping[str, Costs]) -> str:
    lines: list[str] = []
    for arch, found in results.items():
        for kind, title in ((IRQS, "interrupts off"), (PREEMPTION, "preemption off")):
            lines.append(f"{arch}: {title} for at most (instructions; how many such windows; from, to)")
            for window in found.windows[kind]:
                length = mark(window.length, costs.IRQS_OFF)
                place = f"{window.began} to {window.ended}"
                lines.append(f"  {length:>8} {window.times:>9,}  {place}")
                if window.mostly:
                    lines.append(f"{'':20}{window.mostly}")
    return "\n".join(lines)


def many_windows_text(results: Mapping[str, Costs]) -> str:
    """The longest window of each, and its place."""
    lines = ["interrupts off for at most, with n threads woken, due or killed at one moment (from, to)"]
    for arch, found in results.items():
        for what in costs.MANY:
            for size in costs.MANY_SIZES:
                (window,) = found.windows[f"{IRQS}_off_{what}_{size}"]
                length = mark(window.length, costs.allowed_window(size))
                lines.append(f"  {arch:6} {what:6} {size:>4} {length:>8}  {window.began} to {window.ended}")
    return "\n".join(lines)


def latency_table(results: Mapping[str, Figures]) -> str:
    rows = [["real-time thread late by", *(f"{a} {what}" for a in results for what in ("mean", "worst"))]]
    for policy in costs.REAL_TIME:
        cells = [
            mark(figures.get(f"{policy}_latency_{what}"), costs.LATENCY)
            for figures in results.values()
            for what in ("mean", "worst")
        ]
        rows.append([policy, *cells])
    return lines(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="make bench", description=__doc__)
    parser.add_argument("--build-root", type=Path, default=ROOT / "build", metavar="DIR")
    parser.add_argument("--json", type=to_write, metavar="FILE", help="write the figures here too")
    options = parser.parse_args(arguments)
    try:
        ports = [build(options.build_root.resolve(), arch) for arch in qemu.ARCHES]
        results = measure(ports)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    figures = {arch: {k: round(v, 4) for k, v in found.figures.items()} for arch, found in results.items()}
    print(table(figures), growth_table(figures), locks_table(figures), sep="\n\n")
    print("", latency_table(figures), "", windows_text(results), sep="\n")
    print("", many_windows_text(results), sep="\n")
    missed = [f"{arch}: {text}" for arch, found in results.items() for text in found.missed]
    if options.json is not None:
        report: dict[str, object] = {**figures, "missed": missed}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(*(f"\nmissed: {text}" for text in missed), sep="")
    return 1 if missed else 0


if __name__ == "__main__":
    run_program("make bench", main)
