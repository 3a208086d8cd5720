"""Boots a machine and follows its console to the end: the core of tools/run, tests and benchmarks."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import IO

from tools import cpio, qemu, qmp
from tools.mux import Demux, Stream
from tools.serial import FileTail, PipeReader, Reader, Timeout

Sink = Callable[[Stream, bytes], None]

# Wall time for runs that take seconds on a quiet machine. It decides no test: only a dead machine, or a
# hopelessly busy one, reaches it.
PATIENCE_S = 1200.0

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


@dataclass(frozen=True)
class Transcript:
    """A whole run, kept in memory."""

    outcome: Outcome
    kernel: bytes
    user: bytes


def boot(machine: qemu.Machine, timeout: float, sink: Sink) -> Outcome:
    """Boots @machine and passes its output to @sink, until the end or @timeout seconds (0: no limit).

    Raises OSError if there is no QEMU.
    """
    machine = replace(machine, bootargs=("console=mux", *machine.bootargs))
    demux = Demux()
    with _console(machine) as (process, reader):
        try:
            for data in reader.chunks(timeout):
                for stream, piece in demux.feed(data):
                    sink(stream, piece)
            code = process.popen.wait(PATIENCE_S)
        except (Timeout, subprocess.TimeoutExpired):
            return Outcome(End.TIMEOUT)
    return Outcome(_end(code, reader.received > 0), demux.exit_status)


@contextmanager
def _console(machine: qemu.Machine) -> Iterator[tuple[qemu.Process, Reader]]:
    """Runs @machine with its serial port readable, and ends it. Then shows QEMU's own messages."""
    with tempfile.TemporaryFile() as errors:
        with _reading(machine, errors) as console:
            yield console
        errors.seek(0)
        for line in errors:
            if not any(noise in line for noise in _NOISE):
                os.write(2, line)


@contextmanager
def _reading(machine: qemu.Machine, stderr: IO[bytes]) -> Iterator[tuple[qemu.Process, Reader]]:
    if machine.icount is None:
        with qemu.start(machine.argv(), stderr=stderr) as process:
            assert process.popen.stdout is not None
            yield process, PipeReader(process.popen.stdout)
        return
    # On a full pipe the guest's output would resume by host time; a file is never full.
    with tempfile.TemporaryDirectory(prefix="trellis-console-") as folder:
        log, control = Path(folder, "serial"), Path(folder, "qmp")
        log.touch()
        machine = replace(machine, serial=f"file:{log}")
        if not machine.must_settle:
            with qemu.start(machine.argv(), stdout=subprocess.DEVNULL, stderr=stderr) as process:
                yield process, FileTail(log, process.popen)
            return
        machine = qmp.hold(replace(machine, extra=(*machine.extra, *qmp.options(control))))
        with qemu.start(machine.argv(), stdout=subprocess.DEVNULL, stderr=stderr) as process:
            with qmp.let_go(control, process.popen):
                yield process, FileTail(log, process.popen)


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
