"""The commands of a handout, and the lines that they must print.

A handout begins with a command for the shell, and with the panic in which the starter ends. Where its
functions run only under a policy, the command says so: $ make run SCHED=prio CMD='echo hello'
CPUS=1 is for a stub that four CPUs may or may not reach before another one.

Each step of labs/NN-name/README.md ends in a block with a command and the lines in which its tests end,
all of them and in this order; "…" stands for a number that differs from port to port:

    **1. The frame** ...

    ```
    $ make run TESTS=1 ICOUNT=1 CPUS=2 BOOTARGS=selftest=02.1
    ok   02.1 frame.layout, … checks
    ```

Below it a table says what wrong kernels print there, each by the first text in backquotes of its row, and
where to look. A mutant of the lab shows each of these texts (`# shows:` in its header, see grade/mutants.py).
A text that depends on the schedule makes a poor row, as the schedule changes with the length of other code.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from tools import qemu
from tools.boot import End, boot, transcript, with_command, with_limit
from tools.mux import Stream
from tools.programs import kernel_says, last_lines
from tools.visible import visible

_TIMEOUT_S = 120.0
_HANG_S = 20.0  # where the end of the time is what is to be seen
_STEP = re.compile(r"^\*\*(\d+)\. ")
_COMMAND = re.compile(r"^\$ (make run TESTS=1 .*)$")
_BREAKS = re.compile(r"^\$ make run (?:CPUS=(\d) )?(?:SCHED=(\w+) )?CMD='(.*)'\n(panic: .+)$", re.M)
_ENDED = re.compile(r"^(?:ok  |FAIL|skip) .*$", re.M)
_ROW = re.compile(r"^\| [^|`]*`([^`]+)`[^|]* \| .* \|$")
_ENDS = re.compile(r"(?:ok  |skip) \S+ ([\w.]+)")
_REGISTERS = re.compile(r"  \w+ +[0-9a-f]{16} ")  # a call chain has the address first
_FEW = 8  # lines that a person reads before the rest
_SETTING = re.compile(r"""([A-Z]+)=('[^']*'|\S+)""")


@dataclass(frozen=True)
class Checkpoint:
    step: int
    command: str
    lines: tuple[str, ...]

    @property
    def tests(self) -> list[str]:
        """The tests that it is to show."""
        return [found[1] for found in map(_ENDS.match, self.lines) if found]

    def machine(self, arch: str, kernel: Path) -> qemu.Machine:
        given = {name: value.strip("'") for name, value in _SETTING.findall(self.command)}
        icount = given.get("ICOUNT") == "1"
        return qemu.Machine(
            arch=arch,
            kernel=kernel,
            cpus=int(given.get("CPUS", "4")),
            bootargs=with_limit(given["BOOTARGS"].split(), icount),
            icount=qemu.Icount() if icount else None,
        )

    def fault(self, arch: str, kernel: Path) -> str | None:
        """The first difference between the handout and a @kernel at this step, or None."""
        text, wrong = _run(self.machine(arch, kernel))
        if wrong:
            return f"{self.command}: {wrong}"
        for line, printed in zip_longest(self.lines, _ENDED.findall(text), fillvalue="nothing more"):
            if not re.fullmatch(re.escape(line).replace("…", r"\d+"), printed):
                return f"{self.command}: prints {printed!r} and not {line!r}:\n{trouble(text)}"
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


def rows(folder: Path) -> Iterator[tuple[int, str]]:
    """The steps and first texts of the rows under "instead you see", in order."""
    step, inside = 0, False
    for line in (folder / "README.md").read_text(encoding="utf-8").splitlines():
        if found := _STEP.match(line):
            step = int(found[1])
        inside = line.startswith("| instead you see |") or (inside and line.startswith("|"))
        if inside and (found := _ROW.match(line)):
            yield step, found[1]


def pattern(row: str) -> str:
    """A regular expression for the text of a row: "…" stands for anything."""
    return re.escape(row).replace("…", ".*")


def row_fault(folder: Path, arch: str, kernel: Path, step: int, row: str) -> str | None:
    """None if a wrong @kernel prints @row in the checkpoints of @step."""
    wanted, text = re.compile(pattern(row)), ""
    for checkpoint in (c for c in checkpoints(folder) if c.step == step):
        text = _until(wanted, checkpoint.machine(arch, kernel))
        if wanted.search(text):
            return None
    return f"step {step} does not show {row!r}: {last_lines(text, 8)}"


def _run(machine: qemu.Machine) -> tuple[str, str]:
    """The kernel's output, and how the run ended if not well."""
    seen = transcript(machine, _TIMEOUT_S)
    text = kernel_says(_readable(seen.kernel))
    if seen.outcome.end is End.OFF and seen.outcome.exit_status == 0:
        return text, ""
    stopped = f"\n{seen.outcome.stopped()}" if seen.outcome.end is End.TIMEOUT else ""
    return text, f"{seen.outcome.end.value}:\n{trouble(text)}{stopped}"


def trouble(text: str) -> str:
    """Of a kernel's output @text the lines that say what went wrong: those of the first test that failed,
    and of a panic its message, the call chain, and where the threads stand. Or the last lines, if it has
    none of these."""
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if line.startswith(("FAIL ", "panic: "))), None)
    if first is None:
        return "\n".join(lines[-_FEW:])
    panic = next((i for i, line in enumerate(lines) if line.startswith("panic: ")), len(lines))
    end = first + 1 if first < panic else first
    return "\n".join((*_few(lines[_beginning(lines, first) : end]), *_of_panic(lines[panic:])))


def _beginning(lines: Sequence[str], end: int) -> int:
    """Where the test begins whose lines end at @end."""
    return next((i for i in range(end, -1, -1) if lines[i].startswith("run ")), max(end - _FEW, 0))


def _few(lines: Sequence[str]) -> Sequence[str]:
    left = len(lines) - _FEW
    return lines if left <= 0 else [*lines[: _FEW - 1], f"  … {left} more lines", lines[-1]]


def _of_panic(lines: Sequence[str]) -> Iterator[str]:
    """Without the registers and the trace records, which `make run` prints, too."""
    wanted = True
    for line in lines:
        if not line.startswith(" "):
            wanted = not line.startswith(("last trace records:", "end of panic"))
        if wanted and not _REGISTERS.match(line):
            yield line


class _Enough(Exception):
    """A machine has said what was waited for."""


def _until(wanted: re.Pattern[str], machine: qemu.Machine) -> str:
    """The kernel's output up to a text that is @wanted: afterwards it may hang until its time is over."""
    said = bytearray()

    def look(stream: Stream, piece: bytes) -> None:
        if stream is Stream.KERNEL:
            said.extend(piece)
            if wanted.search(kernel_says(_readable(said))):
                raise _Enough

    hangs = wanted.search("not finished after 1 s, stopped")
    try:
        outcome = boot(machine, _HANG_S if hangs else _TIMEOUT_S, look)
    except _Enough:
        return kernel_says(_readable(said))
    return kernel_says(_readable(said)) + (outcome.stopped() if outcome.end is End.TIMEOUT else "")


def _readable(said: bytes | bytearray) -> str:
    return visible(bytes(said).replace(b"\r\n", b"\n"))


def fault_elsewhere(folder: Path, arch: str, kernel: Path, step: int, cpus: int) -> str | None:
    """How the tests of @step end badly on a machine that is not the checkpoint's, with @cpus CPUs and no
    boot argument but selftest=, or None: a test that needs another machine says so, and is skipped."""
    selftest = f"selftest={folder.name[:2]}.{step}"
    bootargs = with_limit([selftest], True)
    _, wrong = _run(qemu.Machine(arch, kernel, cpus=cpus, bootargs=bootargs, icount=qemu.Icount()))
    return f"make run TESTS=1 ICOUNT=1 CPUS={cpus} BOOTARGS={selftest}: {wrong}" if wrong else None


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
    cpus, policy, command, panic = found.groups()
    bootargs = (f"sched={policy}",) if policy else ()
    with tempfile.TemporaryDirectory() as scratch:
        with_cmd = initrd and with_command(initrd, Path(scratch, "initrd"), command.encode())
        machine = qemu.Machine(arch, kernel, with_cmd, cpus=int(cpus or 4), bootargs=bootargs,
                               icount=qemu.Icount())  # fmt: skip
        seen = transcript(machine, _TIMEOUT_S)
    text = kernel_says(_readable(seen.kernel))
    if panic in text.splitlines():
        return None
    return f"CMD='{command}': does not end with {panic!r}: {last_lines(text, 8)}"
