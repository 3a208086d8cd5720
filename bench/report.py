"""Boots both ports on one CPU under -icount, where an instruction is a nanosecond, and reports what
operations of the kernel cost, beside xv6, Linux and our own targets.

With --json a file gets {"riscv": {operation: instructions, ...}, "x86_64": {...}}, and beside the
operations: boot_to_shell (beyond the firmware), memory_kib (in use at the shell), image_kib (kernel),
and scale4_* (cost on 4 busy CPUs as a multiple of the cost on one; 1.0 is perfect).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from bench.reference import OPERATIONS, SCALED, Operation
from tools import qemu
from tools.boot import End, transcript, with_command
from tools.options import Parser

ROOT = Path(__file__).resolve().parent.parent
_TIMEOUT_S = 600.0
_CPUS = 4

Figures = dict[str, float]


class BenchError(Exception):
    """A run that gave no figures."""


@dataclass(frozen=True)
class Port:
    """One port's release build."""

    arch: str
    folder: Path

    def machine(self, initrd: Path, cpus: int = 1) -> qemu.Machine:
        return qemu.Machine(
            arch=self.arch,
            kernel=self.folder / "kernel.elf",
            initrd=initrd,
            cpus=cpus,
            icount=qemu.Icount(),
        )

    def run(self, command: str, cpus: int = 1) -> Figures:
        """Runs /bench/ops and reads the figures it prints, per operation."""
        with tempfile.TemporaryDirectory(prefix="trellis-bench-") as scratch:
            initrd = self.initrd(Path(scratch), command)
            seen = transcript(self.machine(initrd, cpus), _TIMEOUT_S)
        if seen.outcome.end is not End.OFF or seen.outcome.exit_status != 0:
            said = (seen.kernel[-800:] + seen.user[-800:]).decode("utf-8", "replace")
            raise BenchError(f"{self.arch}: {command}: {seen.outcome.end.value}\n{said}")
        return parse(seen.user.decode())

    def initrd(self, scratch: Path, command: str) -> Path:
        base = scratch / "base"
        parts = [(self.folder / name).read_bytes() for name in ("initramfs.cpio", "bench.cpio")]
        base.write_bytes(b"".join(parts))
        return with_command(base, scratch / "initrd", command.encode())

    def firmware(self) -> int:
        """Instructions until the firmware enters the kernel, measured by a payload in its place."""
        with tempfile.TemporaryDirectory(prefix="trellis-bench-") as scratch:
            initrd = self.initrd(Path(scratch), "")
            machine = replace(self.machine(initrd), kernel=self.folder / "firmware.elf")
            said = transcript(machine, _TIMEOUT_S).kernel.split()
        try:
            return int(said[-1], 16)
        except (IndexError, ValueError) as error:
            raise BenchError(f"{self.arch}: the firmware's cost could not be measured") from error

    def image_kib(self) -> float:
        """Text, data and constants that are loaded."""
        program = "size"
        out = subprocess.run(
            [program, str(self.folder / "kernel.elf")], capture_output=True, text=True, check=True
        ).stdout
        text, data, _bss = out.splitlines()[1].split()[:3]
        return (int(text) + int(data)) / 1024


def parse(text: str) -> Figures:
    """Lines "name total operations"."""
    figures: Figures = {}
    for line in text.splitlines():
        name, total, operations = line.split()
        figures[name] = int(total) / int(operations)
    return figures


def measure(port: Port) -> Figures:
    figures = port.run("exec /bench/ops")
    boot = port.run("exec /bench/ops boot")
    figures["boot_to_shell"] = boot["boot"] - port.firmware()
    figures["memory_kib"] = boot["memory_kib"]
    figures["image_kib"] = port.image_kib()
    names = " ".join(SCALED)
    alone = port.run(f"exec /bench/ops -p 1 {names}")
    busy = port.run(f"exec /bench/ops -p {_CPUS} {names}", cpus=_CPUS)
    for name in SCALED:
        figures[f"scale{_CPUS}_{name}"] = busy[name] / alone[name]
    return {name: round(value, 2) for name, value in figures.items()}


# --- The table ------------------------------------------------------------------------------------


def number(value: float | None) -> str:
    if value is None:
        return "-"
    if value < 10:
        return f"{value:.2f}"
    if value < 1e6:
        return f"{value:,.0f}"
    return f"{value / 1e6:,.1f} M"


def table(results: Mapping[str, Figures]) -> str:
    titles = ["", "target", *results, "xv6", "Linux riscv", "Linux x86_64"]
    rows = [titles]
    for name, operation in OPERATIONS.items():
        if not any(name in figures for figures in results.values()):
            continue
        ours = [mark(results[arch].get(name), operation) for arch in results]
        linux = operation.linux or {}
        theirs = [number(operation.xv6), *(number(linux.get(arch)) for arch in qemu.ARCHES)]
        rows.append([operation.title, number(operation.target), *ours, *theirs])
    extra = sorted({n for figures in results.values() for n in figures} - set(OPERATIONS))
    for name in extra:
        rows.append([name, "-", *(number(results[arch].get(name)) for arch in results)])
    return "\n".join(_lines(rows))


def mark(value: float | None, operation: Operation) -> str:
    """The figure, with an exclamation mark if it is above its target."""
    missed = value is not None and operation.target is not None and value > operation.target
    return number(value) + ("!" if missed else " ")


def _lines(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(r[i]) for r in rows if i < len(r)) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return lines


def build(build_root: Path, arch: str) -> Port:
    argv = ["make", f"ARCH={arch}", "BUILD=release", f"O={build_root}", "bench-programs"]
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    done = subprocess.run(argv, cwd=ROOT, env=environment, stdout=sys.stderr, check=False)
    if done.returncode:
        raise BenchError(f"{arch}: the release kernel does not build")
    return Port(arch, build_root / arch / "release")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="make bench", description=__doc__)
    parser.add_argument("--build-root", type=Path, default=ROOT / "build", metavar="DIR")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    options = parser.parse_args(arguments)
    try:
        ports = [build(options.build_root.resolve(), arch) for arch in qemu.ARCHES]
        with ThreadPoolExecutor(os.cpu_count() or 1) as executor:
            results = dict(zip(qemu.ARCHES, executor.map(measure, ports)))
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(table(results))
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
