"""Boots a machine and follows its console to the end: the core of tools/run, tests and benchmarks."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import IO

from tools import cpio, qemu, qmp
from tools.mux import Demux, Stream
from tools.places import places
from tools.serial import FileTail, PipeReader, Reader, Timeout

Sink = Callable[[Stream, bytes], None]
Control = Path | qmp.Qmp | None  # QEMU's control socket: its path, or the one connection to it

# Wall time for runs that take seconds on a quiet machine. It decides no test: only a dead machine, or a
# hopelessly busy one, reaches it.
PATIENCE_S = 1200.0

# Of the machine's time, for each test: one that hangs says where after seconds, on any machine. The longest
# of a lab's steps takes less than one.
_LIMITS = {"selftest": "limit=3s", "test": "limit=10s"}

# A machine with a limit that says nothing while QEMU runs for so long has its interrupts off: three
# seconds of a loop that takes locks were 33 s of a busy machine.
_QUIET_S = 60.0

# QEMU's warning about the network that exists only for its timers, see qemu.Icount.
_NOISE = (b"netdev n0 has no peer",)


class End(Enum):
    OFF = "powered off"
    PANIC = "kernel panic"
    TIMEOUT = "timeout"
    DIED = "died without a word"  # reset, triple fault, QEMU crash
    NO_QEMU = "QEMU could not start"


@dataclass(frozen=True)
class Outcome:
    end: End
    exit_status: int | None = None  # of init, if it was printed
    seconds: float = 0.0  # after which a machine was stopped, and where each CPU then was
    places: tuple[str, ...] = ()

    def stopped(self) -> str:
        """For a person, of a machine that was stopped."""
        return "\n  ".join((f"not finished after {self.seconds:.0f} s, stopped", *self.places))


@dataclass(frozen=True)
class Transcript:
    """A whole run, kept in memory."""

    outcome: Outcome
    kernel: bytes
    user: bytes


def boot(machine: qemu.Machine, timeout: float, sink: Sink) -> Outcome:
    """Boots @machine and passes its output to @sink, until the end or @timeout seconds (0: no limit).

    A machine that counts instructions and has a limit is also stopped when it is silent for too long:
    it cannot look at its limit while its interrupts are off.

    Raises OSError if there is no QEMU.
    """
    machine = replace(machine, bootargs=("console=mux", *machine.bootargs))
    demux = Demux()
    began = time.monotonic()
    with _console(machine) as (process, reader, control):
        try:
            for data in reader.chunks(timeout):
                for stream, piece in demux.feed(data):
                    sink(stream, piece)
            code = process.popen.wait(PATIENCE_S)
        except (Timeout, subprocess.TimeoutExpired):
            lasted = time.monotonic() - began
            return Outcome(End.TIMEOUT, seconds=lasted, places=tuple(_where(machine, control)))
    return Outcome(_end(code, reader.received > 0), demux.exit_status)


@contextmanager
def _console(machine: qemu.Machine) -> Iterator[tuple[qemu.Process, Reader, Control]]:
    """Runs @machine with its serial port readable, and ends it. Then shows QEMU's own messages."""
    with tempfile.TemporaryFile() as errors:
        with _reading(machine, errors) as console:
            yield console
        errors.seek(0)
        for line in errors:
            if not any(noise in line for noise in _NOISE):
                os.write(2, line)


@contextmanager
def _reading(machine: qemu.Machine, stderr: IO[bytes]) -> Iterator[tuple[qemu.Process, Reader, Control]]:
    with tempfile.TemporaryDirectory(prefix="trellis-console-") as folder:
        log, control = Path(folder, "serial"), Path(folder, "qmp")
        if machine.icount is None:
            machine = replace(machine, extra=(*machine.extra, *qmp.socket_options(control)))
            with qemu.start(machine.argv(), stderr=stderr) as process:
                assert process.popen.stdout is not None
                yield process, PipeReader(process.popen.stdout), control
            return
        # On a full pipe the guest's output would resume by host time; a file is never full.
        log.touch()
        limited = any(word.startswith("limit=") for word in machine.bootargs)
        quiet = _QUIET_S if limited else float("inf")
        machine = replace(machine, serial=f"file:{log}")
        if not machine.must_settle:
            machine = replace(machine, extra=(*machine.extra, *qmp.socket_options(control)))
            with qemu.start(machine.argv(), stdout=subprocess.DEVNULL, stderr=stderr) as process:
                yield process, FileTail(log, process.popen, quiet), control
            return
        machine = qmp.hold(replace(machine, extra=(*machine.extra, *qmp.options(control))))
        with qemu.start(machine.argv(), stdout=subprocess.DEVNULL, stderr=stderr) as process:
            with qmp.let_go(control, process.popen) as connection:
                yield process, FileTail(log, process.popen, quiet), connection


def _where(machine: qemu.Machine, control: Control) -> Iterator[str]:
    """Where the CPUs are that are in the kernel, of a machine that still runs."""
    try:
        if isinstance(control, Path):
            with qmp.Qmp(control, timeout=10) as connection:
                pcs = connection.program_counters()
        else:
            pcs = control.program_counters() if control else []
        where = places(machine.kernel, [pc + 1 for pc in pcs])
    except (OSError, subprocess.CalledProcessError):
        return
    for pc in pcs:
        if chain := [f"{p.function}() ({os.path.relpath(p.file)}:{p.line})" for p in where[pc + 1] if p.line]:
            yield "a CPU was in " + ", inlined in ".join(chain)


def _end(code: int, ever_spoke: bool) -> End:
    if code == qemu.STATUS_OFF:
        return End.OFF
    if code == qemu.STATUS_PANIC:
        return End.PANIC
    return End.NO_QEMU if code == 1 and not ever_spoke else End.DIED


def transcript(machine: qemu.Machine, timeout: float) -> Transcript:
    """Boots @machine and keeps the output of both streams."""
    said: dict[Stream, bytearray] = {stream: bytearray() for stream in Stream}
    outcome = boot(machine, timeout, lambda stream, piece: said[stream].extend(piece))
    return Transcript(outcome, bytes(said[Stream.KERNEL]), bytes(said[Stream.USER]))


def with_limit(bootargs: Sequence[str], icount: bool) -> tuple[str, ...]:
    """@bootargs, behind a limit for each test that they name, if time is counted in instructions."""
    named = [word.partition("=")[0] for word in bootargs]
    return (*[limit for word, limit in _LIMITS.items() if icount and word in named][:1], *bootargs)


def with_command(base: Path, out: Path, cmd: bytes | None, extra: Path | None = None) -> Path:
    """An initrd: @base, then @extra's tree, then @cmd where init looks for it. Written to @out."""
    if extra is None and cmd is None:
        return base
    parts = [base.read_bytes()]
    parts.append(bytes(-len(parts[0]) % 4))
    if extra is not None:
        parts.append(cpio.archive(cpio.tree(extra)))
    if cmd is not None:
        script = cpio.regular("etc/run", cmd + b"\n")
        parts.append(cpio.archive([*cpio.parents(script.path), script]))
    out.write_bytes(b"".join(parts))
    return out
