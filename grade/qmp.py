"""Asks a running QEMU for its virtual time, without the guest's help.

Only for a guest that has gone quiet: a question might change the order in which CPUs take their
turns, so a run that was asked and turns out to be alive is not judged but run again.
"""

import json
import re
import socket
from pathlib import Path
from typing import Any, cast

_CLINT_MTIME = 0x0200BFF8  # riscv virt: counts at 10 MHz of virtual time
_NS_PER_MTIME = 100
RTC_OPTIONS = ("-rtc", "base=2000-01-01T00:00:00,clock=vm")  # x86_64: a date in virtual time


def options(path: Path) -> tuple[str, ...]:
    """What QEMU needs to be asked at all."""
    return ("-qmp", f"unix:{path},server=on,wait=off", *RTC_OPTIONS)


class Qmp:
    """One connection to QEMU's control socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("r", encoding="utf-8")
        self._file.readline()  # the greeting
        self.command("qmp_capabilities")

    def __enter__(self) -> "Qmp":
        return self

    def __exit__(self, *_: object) -> None:
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

    def virtual_ns(self, arch: str) -> int:
        """Virtual time since the machine started; on x86_64 to the second, rounded down."""
        if arch == "riscv":
            line = {"command-line": f"xp /1gx {_CLINT_MTIME}"}
            text = self.command("human-monitor-command", **line)
            found = re.search(r":\s*0x([0-9a-f]+)", str(text))
            if found is None:
                raise OSError(f"QEMU's answer is not a word of memory: {text!r}")
            return int(found.group(1), 16) * _NS_PER_MTIME
        date = self.command("qom-get", path="/machine", property="rtc-time")
        seconds = (date["tm_mday"] - 1) * 86400
        seconds += date["tm_hour"] * 3600 + date["tm_min"] * 60 + date["tm_sec"]
        return int(seconds) * 1_000_000_000
