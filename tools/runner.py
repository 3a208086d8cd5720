"""tools/run: boots Trellis in QEMU to run one command, to give a shell, or under GDB."""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tools import debugger, qemu
from tools.boot import End, Sink, boot, with_command, with_limit
from tools.mux import Stream
from tools.options import Parser, directory

STATUS_TIMEOUT = 124
STATUS_PANIC = 125
STATUS_NO_QEMU = 126

_HELP = """\
Runs one command under a freshly booted kernel:

  tools/run --arch x86_64 --cmd 'ls -l /bin | wc -l'

Standard output is exactly the output of the command and its children, as it comes. The kernel's
messages go to standard error. The exit status is the command's, or
  2    these options are wrong
  124  the command had not ended after --timeout seconds
  125  the kernel panicked, or the machine ended before the command did
  126  QEMU could not start

  --extra DIR      adds all below DIR to the root file system: programs (static, or dynamic with
                   their libraries), scripts, data. DIR/bin/hello becomes /bin/hello.
  --icount         the same run every time, to the instruction: time is counted in instructions.
  --bootargs '..'  words for the kernel, such as trace=all; docs/bootargs.md lists them.

Without --cmd: --interactive gives a shell (Ctrl-A X ends it); --gdb starts the kernel stopped under
GDB; --gdb-server only waits for a GDB. `make run`, `make qemu`, `make gdb` and `make qemu-gdb` build
first and then call this.
"""


def parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="tools/run",
        usage="tools/run [options] --cmd CMD | --interactive | --gdb | --gdb-server",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--cmd", help="a command line for the shell (or in $TRELLIS_CMD)")
    what.add_argument("--interactive", action="store_true", help="a shell on this terminal")
    what.add_argument("--gdb", action="store_true", help="stopped, with GDB attached")
    what.add_argument("--gdb-server", action="store_true", help="stopped, waiting for GDB")
    parser.add_argument("--arch", choices=qemu.ARCHES, default="riscv")
    parser.add_argument("--cpus", type=_cpus, default=4, metavar="N", help="1 to 8, default 4")
    parser.add_argument("--sched", metavar="POLICY", help="scheduling policy: rr, prio, mlfq, ...")
    parser.add_argument("--extra", type=directory, metavar="DIR", help="added to the root")
    parser.add_argument(
        "--timeout", type=_seconds, default=120, metavar="S", help="seconds, 0: none; default 120"
    )
    parser.add_argument("--bootargs", default=None, help="kernel words (or in $TRELLIS_BOOTARGS)")
    parser.add_argument("--icount", action="store_true", help="deterministic")
    parser.add_argument("--firmware", action="store_true", help="show what the firmware says, too")
    parser.add_argument(
        "--memory", type=_memory, default=256, metavar="MIB", help="at least 32; default 256"
    )
    parser.add_argument("--gdb-port", type=int, metavar="PORT", help="default: 1234 or a free one")
    parser.add_argument(
        "--build-dir", type=Path, metavar="DIR", help="kernel.elf and initramfs.cpio are here"
    )
    options = parser.parse_args(arguments)
    if options.bootargs is None:
        options.bootargs = os.environ.get("TRELLIS_BOOTARGS", "")
    if options.cmd is None:
        options.cmd = os.environ.get("TRELLIS_CMD") or None
    if options.build_dir is None:
        options.build_dir = Path("build", options.arch, "debug")
    if not (options.cmd or options.interactive or options.gdb or options.gdb_server):
        parser.error("nothing to do: one of --cmd, --interactive, --gdb, --gdb-server")
    # Tests in the kernel run before user space, and need no programs.
    tests = any(word.startswith(("test=", "selftest=")) for word in options.bootargs.split())
    for name in ("kernel.elf",) if tests else ("kernel.elf", "initramfs.cpio"):
        if not (options.build_dir / name).is_file():
            parser.error(f"{options.build_dir / name} is not there; make ARCH={options.arch} builds it")
    return options


def _cpus(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= qemu.MAX_CPUS:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text}: must be 1 to {qemu.MAX_CPUS}")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{text}: must be a number of seconds, 0 for no limit")
    return value


def _memory(text: str) -> int:
    if text.isdecimal() and 32 <= int(text) <= 1 << 20:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text}: must be a number of MiB, 32 or more")


def machine_of(options: argparse.Namespace, scratch: Path) -> qemu.Machine:
    """The machine that @options describe; its console is not set yet."""
    bootargs = list(options.bootargs.split())
    if options.sched:
        bootargs.append(f"sched={options.sched}")
    if not options.icount:  # where every run is to be the same, so is the time of day
        bootargs.insert(0, f"realtime={time.time_ns()}")
    cmd = os.fsencode(options.cmd) if options.cmd else None
    base = options.build_dir / "initramfs.cpio"
    if not base.is_file():
        base = scratch / "none"
        base.touch()
    initrd = with_command(base, scratch / "initrd", cmd, options.extra)
    # Files are copied out of the initrd, so a large --extra needs room twice.
    room = 3 * (initrd.stat().st_size >> 20)
    return qemu.Machine(
        arch=options.arch,
        kernel=options.build_dir / "kernel.elf",
        initrd=initrd,
        cpus=options.cpus,
        memory_mib=max(options.memory, room + 64) if room > 64 else options.memory,
        bootargs=with_limit(bootargs, options.icount),
        icount=qemu.Icount() if options.icount else None,
    )


def run_command(machine: qemu.Machine, timeout: float, firmware: bool) -> int:
    """Boots @machine, passes the console's output on, and returns the exit status."""
    if firmware:
        outcome = boot(machine, timeout, pass_on)
    else:
        with WithoutFirmware(pass_on) as sink:
            outcome = boot(machine, timeout, sink)
    if outcome.end is End.OFF and outcome.exit_status is not None:
        return outcome.exit_status
    if outcome.end is End.PANIC:
        return STATUS_PANIC
    if outcome.end is End.TIMEOUT:
        print(f"run: {outcome.stopped()}", file=sys.stderr)
        return STATUS_TIMEOUT
    if outcome.end is End.NO_QEMU:
        print("run: QEMU could not start (see above)", file=sys.stderr)
        return STATUS_NO_QEMU
    print(f"run: the machine {outcome.end.value} before the command had ended", file=sys.stderr)
    return STATUS_PANIC


def pass_on(stream: Stream, data: bytes) -> None:
    fd = 1 if stream is Stream.USER else 2
    while data:
        data = data[os.write(fd, data) :]


class WithoutFirmware:
    """A sink that drops the firmware's output; if no kernel starts, everything counts as the firmware's."""

    _KERNEL = re.compile(rb"^Trellis on ", re.M)

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._held: bytes | None = b""

    def __enter__(self) -> WithoutFirmware:
        return self

    def __exit__(self, *_: object) -> None:
        if self._held:
            self._sink(Stream.KERNEL, self._held)

    def __call__(self, stream: Stream, data: bytes) -> None:
        if self._held is not None and stream is Stream.KERNEL:
            self._held += data
            if not (found := self._KERNEL.search(self._held)):
                return
            data, self._held = self._held[found.start() :], None
        self._sink(stream, data)


def run_interactive(machine: qemu.Machine) -> int:
    """QEMU in the foreground: the terminal, its Ctrl-C included, belongs to the guest."""
    argv = replace(machine, serial="mon:stdio").argv()
    qemu.need(argv)
    print("Ctrl-A X ends QEMU", file=sys.stderr)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    code = subprocess.run(argv, check=False).returncode
    return {0: 0, qemu.STATUS_OFF: 0, qemu.STATUS_PANIC: STATUS_PANIC}.get(code, STATUS_NO_QEMU)


def _ended(signum: int, _: FrameType | None) -> NoReturn:
    sys.exit(128 + signum)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_options(arguments)
    for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(signum, _ended)
    with tempfile.TemporaryDirectory(prefix="trellis-") as folder:
        scratch = Path(folder)
        try:
            machine = machine_of(options, scratch)
            if options.interactive:
                return run_interactive(machine)
            if options.gdb or options.gdb_server:
                return debugger.run(machine, options.gdb_port, attach=options.gdb)
            return run_command(machine, options.timeout, options.firmware)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            return 128 + signal.SIGPIPE
        except OSError as error:
            print(f"run: {error}", file=sys.stderr)
            return STATUS_NO_QEMU
