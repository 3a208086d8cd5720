"""Plays a person at the console of a machine that was booted to its shell, for tests."""

from __future__ import annotations

import re
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

from tools import qemu
from tools.boot import PATIENCE_S
from tools.tests.support import BUILD_ROOT

_PROMPT = r"[$#] $"
_PROMPT_AT_END = r"(?:^/\S* )?[$#] \Z"
_MOMENT_S = 0.2


class Terminal:
    """The console of a debug kernel in true parallel. Lines end with \\r\\n."""

    def __init__(self, arch: str, cpus: int = 4, bootargs: tuple[str, ...] = ()) -> None:
        build = BUILD_ROOT / arch / "debug"
        self._folder = tempfile.TemporaryDirectory(prefix="trellis-terminal-")
        path = Path(self._folder.name, "console")
        machine = qemu.Machine(
            arch=arch,
            kernel=build / "kernel.elf",
            initrd=build / "initramfs.cpio",
            cpus=cpus,
            bootargs=bootargs,
            serial=f"unix:{path}",
        )
        self._seen = ""
        quiet = subprocess.DEVNULL
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            listener.settimeout(PATIENCE_S)
            self._process = qemu.start(machine.argv(), stdout=quiet, stderr=quiet)
            self._socket, _ = listener.accept()

    def __enter__(self) -> Terminal:
        self.expect(_PROMPT)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._socket.close()
        self._process.stop()
        self._folder.cleanup()

    def expect_soon(self, pattern: str) -> re.Match[str]:
        """The same for a moment only, then TimeoutError: for what is done until it has an effect."""
        try:
            return self.expect(pattern, _MOMENT_S)
        except AssertionError as error:
            raise TimeoutError from error

    def expect(self, pattern: str, patience: float = PATIENCE_S) -> re.Match[str]:
        """Reads until @pattern has come, which takes away all up to its end."""
        end = time.monotonic() + patience
        while not (found := re.search(pattern, self._seen, re.MULTILINE)):
            self._socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self._socket.recv(4096)
            except TimeoutError:
                data = b""
            if not data:
                raise AssertionError(f"no {pattern!r} in what came:\n{self._seen[-2000:]}")
            self._seen += data.decode("utf-8", "replace")
        self._seen = self._seen[found.end() :]
        return found

    def type(self, text: str) -> None:
        self._socket.sendall(text.encode())

    def run(self, line: str) -> str:
        """The output of @line, and of all that ends meanwhile, up to the next prompt."""
        self.type(line + "\r")
        # The editor shows the end of a line that is too long for the screen.
        self.expect(re.escape(line[-20:]) + r"(\x1b\[K)?\r\n")
        before = self.expect(r"(?s)\A(.*?)" + _PROMPT_AT_END)
        return before.group(1).replace("\r\n", "\n")
