"""QEMU's control socket: holds a machine until it has settled, and asks for its virtual time.

The time is asked only when the trace no longer grows: a question might change the order in which the CPUs
take their turns. If the guest turns out to be alive after it, that run is not judged but repeated.
"""

import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from tools import qemu

_CLINT_MTIME = 0x0200BFF8  # riscv virt: counts at 10 MHz of virtual time
_NS_PER_MTIME = 100
_PM_TIMER = 0x608  # x86_64 q35, as qboot sets it up: 24 bits at 3.58 MHz of virtual time
_PM_HZ = 3_579_545
_PM_WRAP = 1 << 24
_PC = re.compile(r"^\s*(?:pc\s+|RIP=)([0-9a-f]{16})\b", re.M)
_RTC_OPTIONS = ("-rtc", "base=2000-01-01T00:00:00,clock=vm")  # x86_64: a date in virtual time


def socket_options(path: Path) -> tuple[str, ...]:
    """The options that give QEMU a control socket."""
    return ("-qmp", f"unix:{path},server=on,wait=off")


def options(path: Path) -> tuple[str, ...]:
    """The same, of a machine that may be asked for its virtual time."""
    return (*socket_options(path), *_RTC_OPTIONS)


def hold(machine: qemu.Machine) -> qemu.Machine:
    """@machine, which starts only when let_go() says so."""
    return replace(machine, extra=(*machine.extra, "-S"))


@contextmanager
def let_go(path: Path, popen: subprocess.Popen[bytes], go: bool = True) -> Iterator["Qmp | None"]:
    """Starts a machine that is held as soon as it has settled; without @go somebody else will, GDB.
    The connection stays: to close it might disturb the run. None: QEMU has ended."""
    connection = None
    while connection is None and popen.poll() is None:
        try:
            connection = Qmp(path, timeout=60)
        except OSError:
            time.sleep(0.002)  # QEMU does not listen yet
    try:
        if connection is not None:
            connection.settle()
            if go:
                connection.go()
        yield connection
    finally:
        if connection is not None:
            connection.close()


class Qmp:
    """One connection to QEMU's control socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._file = self._socket.makefile("r", encoding="utf-8")
        self._file.readline()  # the greeting
        self.command("qmp_capabilities")

    def __enter__(self) -> "Qmp":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def command(self, name: str, **arguments: Any) -> Any:
        request = {"execute": name, "arguments": arguments}
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        while line := self._file.readline():
            answer = cast(dict[str, Any], json.loads(line))
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise OSError(f"QEMU refused {name}: {answer['error']}")
        raise OSError("QEMU closed the connection")

    def settle(self) -> None:
        """Returns when QEMU has done what it put off while it built the machine.

        QEMU does that before it answers that there is no such device: see docs/grader.md. If it has
        ended by itself, whoever waits for its end will know.
        """
        with suppress(OSError):
            self.command("device_add", driver="trellis-settles")

    def go(self) -> None:
        """Starts a machine that is held."""
        with suppress(OSError):
            self.command("cont")

    def _number(self, line: str) -> int:
        """The number in the answer to the monitor's command @line."""
        text = str(self.command("human-monitor-command", **{"command-line": line}))
        found = re.search(r"[:=]\s*0x([0-9a-f]+)", text)
        if found is None:
            raise OSError(f"QEMU's answer to {line} is no number: {text!r}")
        return int(found.group(1), 16)

    def virtual_ns(self, arch: str) -> int:
        """Virtual time since the machine started."""
        if arch == "riscv":
            return self._number(f"xp /1gx {_CLINT_MTIME}") * _NS_PER_MTIME
        date = self.command("qom-get", path="/machine", property="rtc-time")
        seconds = (date["tm_mday"] - 1) * 86400
        seconds += date["tm_hour"] * 3600 + date["tm_min"] * 60 + date["tm_sec"]
        return pm_time(self._number(f"i /w {_PM_TIMER}"), seconds)

    def program_counters(self) -> list[int]:
        """Where each CPU is. A machine that goes on afterwards may have been disturbed."""
        text = str(self.command("human-monitor-command", **{"command-line": "info registers -a"}))
        return [int(pc, 16) for pc in _PC.findall(text)]


def pm_time(ticks: int, seconds: int) -> int:
    """Nanoseconds at which the PM timer shows @ticks and the clock at least @seconds."""
    ticks %= _PM_WRAP
    wraps = max(0, -((ticks - seconds * _PM_HZ) // _PM_WRAP))
    return (ticks + wraps * _PM_WRAP) * 1_000_000_000 // _PM_HZ
