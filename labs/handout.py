"""The commands of a handout, and the lines that they must print.

A handout begins with a command for the shell, and with the panic in which the starter ends.

Each step of labs/NN-name/README.md ends in a block with a command and some of the lines that it
prints, in any order; "…" stands for a number that differs from port to port:

    **1. The frame** ...

    ```
    $ make run TESTS=1 ICOUNT=1 CPUS=2 BOOTARGS=selftest=02.1
    ok   02.1 frame.layout, … checks
    ```
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import qemu
from tools.boot import End, transcript, with_command
from tools.test.model import kernel_says, last_lines

_TIMEOUT_S = 120.0
_STEP = re.compile(r"^\*\*(\d+)\. ")
_COMMAND = re.compile(r"^\$ (make run TESTS=1 .*)$")
_BREAKS = re.compile(r"^\$ make run CMD='(.*)'\n(panic: .+)$", re.M)
_SETTING = re.compile(r"""([A-Z]+)=('[^']*'|\S+)""")


@dataclass(frozen=True)
class Checkpoint:
    step: int
    command: str
    lines: tuple[str, ...]

    def machine(self, arch: str, kernel: Path) -> qemu.Machine:
        given = {name: value.strip("'") for name, value in _SETTING.findall(self.command)}
        return qemu.Machine(
            arch=arch,
            kernel=kernel,
            cpus=int(given.get("CPUS", "4")),
            bootargs=tuple(given["BOOTARGS"].split()),
            icount=qemu.Icount() if given.get("ICOUNT") == "1" else None,
        )

    def fault(self, arch: str, kernel: Path) -> str | None:
        """The first difference between the handout and a @kernel at this step, or None."""
        seen = transcript(self.machine(arch, kernel), _TIMEOUT_S)
        text = kernel_says(seen.kernel.decode("utf-8", "replace").replace("\r", ""))
        if seen.outcome.end is not End.OFF or seen.outcome.exit_status != 0:
            return f"{self.command}: {seen.outcome.end.value}: {last_lines(text, 8)}"
        for line in self.lines:
            pattern = re.escape(line).replace("…", r"\d+")
            if not re.search(f"^{pattern}$", text, re.M):
                return f"{self.command}: does not print {line!r}: {last_lines(text, 8)}"
        return None


def checkpoints(folder: Path) -> Iterator[Checkpoint]:
    """The checkpoints of the handout in @folder, in order."""
    step = 0
    command, lines = "", list[str]()
    for line in (folder / "README.md").read_text(encoding="utf-8").splitlines():
        found = _COMMAND.match(line)
        if command and (found or line == "```"):
            yield Checkpoint(step, command, tuple(lines))
            command, lines = "", []
        if found:
            command = found[1]
        elif command:
            lines.append(line)
        elif found := _STEP.match(line):
            step = int(found[1])


def fault(folder: Path, arch: str, kernel: Path, step: int) -> str | None:
    """The first checkpoint fault of a @kernel with the steps up to @step done, or None."""
    mine = [c for c in checkpoints(folder) if c.step <= step]
    if not mine:
        return f"the handout has no checkpoint up to step {step}"
    return next((f for c in mine if (f := c.fault(arch, kernel))), None)


def first_fault(folder: Path, arch: str, kernel: Path, initrd: Path | None) -> str | None:
    """The difference between the panic that begins the handout and the panic of a starter's @kernel."""
    found = _BREAKS.search((folder / "README.md").read_text(encoding="utf-8"))
    if found is None:
        return "the handout does not begin with a command and a panic"
    with tempfile.TemporaryDirectory() as scratch:
        with_cmd = initrd and with_command(initrd, Path(scratch, "initrd"), found[1].encode())
        seen = transcript(qemu.Machine(arch, kernel, with_cmd, cpus=4, icount=qemu.Icount()), _TIMEOUT_S)
    text = kernel_says(seen.kernel.decode("utf-8", "replace").replace("\r", ""))
    if found[2] in text.splitlines():
        return None
    return f"CMD='{found[1]}': does not end with {found[2]!r}: {last_lines(text, 8)}"
