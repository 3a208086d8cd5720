"""Starts Trellis stopped under QEMU's GDB server, and GDB with the kernel's commands."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from tools import qemu, qmp

_DEFAULT_PORT = 1234
_SCRIPT = Path(__file__).parent / "gdb" / "trellis.py"


def run(machine: qemu.Machine, port: int | None, *, attach: bool) -> int:
    """Runs the machine. With @attach GDB gets the terminal's input, otherwise the console gets it."""
    qemu.need(machine.argv())
    port = _port(port)
    command = _gdb_command(machine, port)
    if not attach:
        print("The kernel waits for GDB. In another terminal:\n  " + shlex.join(command) +
              "\nCtrl-A X ends QEMU.", file=sys.stderr)  # fmt: skip
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with tempfile.TemporaryDirectory(prefix="trellis-gdb-") as folder:
            control = Path(folder, "qmp")
            argv = _settling(replace(machine, gdb_port=port, serial="mon:stdio"), control).argv()
            with subprocess.Popen(argv) as popen, _settled(machine, control, popen):
                return 0 if popen.wait() in (0, qemu.STATUS_OFF) else 1
    with tempfile.TemporaryDirectory(prefix="trellis-gdb-") as folder:
        control = Path(folder, "qmp")
        argv = _settling(replace(machine, gdb_port=port), control).argv()
        with qemu.start(argv, stdout=None) as process, _settled(machine, control, process.popen):
            # Ctrl-C is GDB's: it stops the guest, not us.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            return subprocess.run(command, check=False, preexec_fn=_default_sigint).returncode


def _settling(machine: qemu.Machine, control: Path) -> qemu.Machine:
    """@machine with a control socket if it must settle before it starts."""
    if not machine.must_settle:
        return machine
    return replace(machine, extra=(*machine.extra, *qmp.options(control)))


def _settled(
    machine: qemu.Machine, control: Path, popen: subprocess.Popen[bytes]
) -> AbstractContextManager[object]:
    return qmp.let_go(control, popen, go=False) if machine.must_settle else nullcontext()


def _default_sigint() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _gdb_command(machine: qemu.Machine, port: int) -> list[str]:
    program = next((g for g in ("gdb-multiarch", "gdb") if shutil.which(g)), None)
    if program is None:
        raise FileNotFoundError("gdb-multiarch is not installed (make setup installs it)")
    return [
        program,
        "-q",
        *("-x", os.path.relpath(_SCRIPT)),
        *("-ex", f"target remote localhost:{port}"),
        str(machine.kernel),
    ]


def _port(wanted: int | None) -> int:
    """The TCP port @wanted, or the usual port if it is free, or else any free one."""
    for port in [wanted] if wanted is not None else [_DEFAULT_PORT, 0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"port {wanted} is in use")
