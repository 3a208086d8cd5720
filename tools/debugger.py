"""Starts Trellis stopped under QEMU's GDB server, and GDB with the kernel's commands."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tools import qemu

_DEFAULT_PORT = 1234
_SCRIPT = Path(__file__).parent / "gdb" / "trellis.py"


def run(machine: qemu.Machine, port: int | None, *, attach: bool) -> int:
    """With @attach GDB has the terminal and the console is only shown; without, the console has it."""
    qemu.need(machine.argv())
    port = _port(port)
    command = _gdb_command(machine, port)
    if not attach:
        print("The kernel waits for GDB. In another terminal:\n  " + shlex.join(command) +
              "\nCtrl-A X ends QEMU.", file=sys.stderr)  # fmt: skip
        argv = replace(machine, gdb_port=port, serial="mon:stdio").argv()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return 0 if subprocess.run(argv, check=False).returncode in (0, qemu.STATUS_OFF) else 1
    with qemu.start(replace(machine, gdb_port=port).argv(), stdout=None):
        # Ctrl-C is GDB's: it stops the guest, not us.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return subprocess.run(command, check=False, preexec_fn=_default_sigint).returncode


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
    """@wanted, or the usual port if nobody has it, or any that is free."""
    for port in [wanted] if wanted is not None else [_DEFAULT_PORT, 0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"port {wanted} is in use")
