"""Runs the programs of the suite, on this machine's Linux and on Trellis."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools import qemu
from tools.boot import End, transcript, with_command
from tools.hostcc import compile_program
from tools.programs import kernel_says, last_lines, untouched
from tools.test.builds import Build

FOLDER = Path(__file__).resolve().parent
_TIMEOUT_S = 900.0  # of a dead machine only: a case has a limit of its own
_OLDEST = (6, 1)  # the Linux that the record speaks of, or later
_SLICES = (29,)
_HOST_LIMIT_S = "60"  # of a case: of wall time
CALLS = "mkdir /tmp/diff; /soak/calls /tmp/diff 2"  # of the machine's own time


class DiffError(Exception):
    """The suite could not be run."""


def compile_for_host(name: str, build_root: Path) -> Path:
    """Compiles tools/diff/@name as a program for this machine, again if a source is newer."""
    program = build_root / "host" / "diff" / name
    newest = max(path.stat().st_mtime for path in (FOLDER / name).glob("*.[ch]"))
    if program.exists() and program.stat().st_mtime > newest:
        return program
    argv = ["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-w", "-pthread"]
    done = compile_program([*argv, *map(str, sorted((FOLDER / name).glob("*.c")))], program)
    if done.returncode:
        raise DiffError(last_lines(done.stderr))
    return program


def run_on_host(program: Path, arguments: Sequence[str]) -> str:
    """@program's output; its first argument is a folder, in memory like all of Trellis' files."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="trellis-diff-", dir=memory) as folder:
        argv = untouched([str(program), folder, _HOST_LIMIT_S, *arguments])
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DiffError(f"{program.name} does not end on this machine") from error
    if done.returncode:
        raise DiffError(f"{program.name} on this machine: status {done.returncode}")
    return done.stdout.decode("utf-8", "replace")


def host_is_odd() -> str:
    """The reason why this machine's answers may differ from the record; empty if they must not."""
    if platform.system() != "Linux":
        return f"this machine runs {platform.system()}"
    if platform.machine() != "x86_64":
        return f"this machine is an {platform.machine()}"
    version = re.match(r"(\d+)\.(\d+)", platform.release())
    if version is None or (int(version[1]), int(version[2])) < _OLDEST:
        return f"this machine's Linux is {platform.release()}"
    if os.geteuid() != 0:
        return "you are not root"
    if Path("/proc/version").read_text(encoding="utf-8").find("gVisor") >= 0:
        return "this machine is gVisor"
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    seccomp = re.search(r"^Seccomp:\s+(\d+)$", status, re.M)
    if seccomp is not None and seccomp[1] != "0":
        return "this is a sandbox (seccomp)"
    return ""


@dataclass(frozen=True)
class Guest:
    """One boot of Trellis, deterministic."""

    arch: str
    cpus: int
    build_root: Path

    @property
    def title(self) -> str:
        return f"diff {self.arch} {self.cpus} cpus"

    def run(self, command: str, extra: Path | None = None) -> str:
        """The output of @command; raises DiffError if the machine did not end in good order."""
        folder = Build(self.arch).directory(self.build_root)
        with tempfile.TemporaryDirectory(prefix="trellis-diff-") as scratch:
            base = Path(scratch, "base")
            names = ("initramfs.cpio", "soak.cpio")
            base.write_bytes(b"".join((folder / name).read_bytes() for name in names))
            machine = qemu.Machine(
                arch=self.arch,
                kernel=folder / "kernel.elf",
                initrd=with_command(base, Path(scratch, "initrd"), command.encode(), extra),
                cpus=self.cpus,
                icount=qemu.Icount(slices=_SLICES),
            )
            seen = transcript(machine, _TIMEOUT_S)
        user = seen.user.decode("utf-8", "replace").replace("\r", "")
        if seen.outcome.end is not End.OFF or seen.outcome.exit_status != 0:
            said = last_lines(kernel_says(seen.kernel.decode("utf-8", "replace")), 40)
            end = f"{seen.outcome.end.value}, status {seen.outcome.exit_status}"
            raise DiffError(f"{end}, after:\n{last_lines(user, 5)}\n{said}")
        return user
