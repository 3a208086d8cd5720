"""The one place that knows QEMU's command lines: for `make run`, GDB, tests, benchmarks, grading.

docs/grader.md says what makes a run deterministic ("The same run everywhere"). In short: -icount makes
time count instructions; with more than one CPU, timers on the virtual clock (filter-buffer) must end the
CPUs' turns, and behind each CPU there must be a spare one that is never started.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO

ARCHES = ("riscv", "x86_64")
MAX_CPUS = 8

STATUS_OFF = 33  # the guest powered off in good order
STATUS_PANIC = 35  # the kernel panicked

_DEBUG_EXIT_PORT = 0xF4
_SCRATCH = 512 << 20  # bytes of temporary files in the sandbox: they are in memory
_TIDIES = (10, 1)  # QEMU from here on; 11.1 does, 10.0 does not


def program(arch: str) -> str:
    return f"qemu-system-{'riscv64' if arch == 'riscv' else 'x86_64'}"


@lru_cache
def _version(path: str) -> tuple[int, ...]:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"version (\d+(?:\.\d+)*)", said)
    return tuple(map(int, found[1].split("."))) if found else ()


def version(arch: str) -> tuple[int, ...]:
    """QEMU's version, as numbers; empty if there is no QEMU."""
    path = shutil.which(program(arch))
    return () if path is None else _version(path)


@dataclass(frozen=True)
class Icount:
    """Deterministic time. An instruction takes 2**shift virtual nanoseconds.

    @slices are intervals in virtual microseconds at which another CPU gets its turn; with several coprime
    ones turns end at every place of a loop. They matter only with more than one CPU.
    """

    shift: int = 0
    slices: tuple[int, ...] = (10,)


@dataclass(frozen=True)
class Machine:
    """A machine to boot, and how much of it is watched."""

    arch: str
    kernel: Path
    initrd: Path | None = None
    cpus: int = 1  # that the kernel starts
    memory_mib: int = 256
    bootargs: tuple[str, ...] = ()
    icount: Icount | None = None
    serial: str = "stdio"  # any of QEMU's -serial: stdio, mon:stdio, file:PATH
    ram_file: Path | None = None  # guest memory, shared, to be mapped from outside
    gdb_port: int | None = None  # stopped at reset, waiting for GDB
    sandbox: bool = False
    extra: tuple[str, ...] = ()  # further options, as they are

    def __post_init__(self) -> None:
        if self.arch not in ARCHES:
            raise ValueError(f"arch {self.arch}: must be one of {', '.join(ARCHES)}")
        if not 1 <= self.cpus <= MAX_CPUS:
            raise ValueError(f"cpus {self.cpus}: must be 1 to {MAX_CPUS}")

    @property
    def qemu_cpus(self) -> int:
        """The number of CPUs that QEMU makes: under icount a spare one behind each, which is never started.

        After a turn that a timer ended, the next CPU gets an empty turn; the spare CPUs take these turns.
        """
        return self.cpus if self.icount is None or self.cpus == 1 else 2 * self.cpus

    @property
    def must_settle(self) -> bool:
        """Whether this QEMU ends a CPU's turn, at a moment that depends on the host, to clean up after it
        has built the machine: then the machine must start only after the clean-up, see tools/qmp.py.
        """
        return self.icount is not None and self.cpus > 1 and version(self.arch) >= _TIDIES

    @property
    def command_line(self) -> str:
        """The kernel's command line: how many CPUs it may start, and how it ends the machine."""
        words = [f"cpus={self.cpus}"]
        if self.arch == "x86_64":
            words.append(f"debugexit={_DEBUG_EXIT_PORT:#x}")
        return " ".join((*words, *self.bootargs))

    def argv(self) -> list[str]:
        """The whole command."""
        argv = [program(self.arch)]
        argv += ["-nodefaults", "-display", "none", "-no-reboot"]
        argv += ["-machine", self._machine(), "-m", f"{self.memory_mib}M"]
        argv += ["-smp", f"cpus={self.qemu_cpus},cores=1"]
        argv += self._port_options()
        argv += ["-serial", self.serial]
        if "mon:" not in self.serial:
            argv += ["-monitor", "none"]
        argv += ["-kernel", str(self.kernel), "-append", self.command_line]
        if self.initrd is not None:
            argv += ["-initrd", str(self.initrd)]
        argv += self._icount_options() + self._watch_options()
        return argv + list(self.extra)

    def _machine(self) -> str:
        kind = "virt" if self.arch == "riscv" else "q35"
        return kind if self.ram_file is None else f"{kind},memory-backend=ram"

    def _port_options(self) -> list[str]:
        if self.arch == "riscv":
            return []
        return [
            *("-bios", "qboot.rom"),
            *("-cpu", "max,rdrand=off,rdseed=off"),
            *("-device", f"isa-debug-exit,iobase={_DEBUG_EXIT_PORT:#x},iosize=4"),
        ]

    def _icount_options(self) -> list[str]:
        if self.icount is None:
            return []
        argv = ["-icount", f"shift={self.icount.shift},sleep=off"]
        argv += ["-rtc", "base=2000-01-01T00:00:00,clock=vm"]
        if self.cpus > 1:
            # A network without any peer: it exists only for the filters' timers.
            argv += ["-netdev", "user,id=n0,restrict=on"]
            for i, interval in enumerate(self.icount.slices):
                argv += ["-object", f"filter-buffer,id=m{i},netdev=n0,interval={interval}"]
        return argv

    def _watch_options(self) -> list[str]:
        argv: list[str] = []
        if self.ram_file is not None:
            backend = f"memory-backend-file,id=ram,size={self.memory_mib}M"
            argv += ["-object", f"{backend},mem-path={self.ram_file},share=on"]
        if self.gdb_port is not None:
            argv += ["-gdb", f"tcp:127.0.0.1:{self.gdb_port}", "-S"]
        if self.sandbox:
            denied = ("obsolete", "elevateprivileges", "spawn", "resourcecontrol")
            argv += ["-sandbox", ",".join(["on", *(f"{name}=deny" for name in denied)])]
        return argv


@lru_cache
def _limits_size() -> bool:
    """Whether this bubblewrap can limit a file system in memory; 0.8 can, 0.6 cannot."""
    done = subprocess.run(["bwrap", "--help"], capture_output=True, text=True, check=False)
    return "--size" in done.stdout + done.stderr


def bubblewrap(
    argv: Sequence[str],
    readable: Sequence[Path],
    writable: Sequence[Path],
    rules: int | None = None,
    devices: Sequence[str] = (),
) -> list[str]:
    """@argv in namespaces of its own: it sees /usr and the listed paths only, and has no network. Of devices
    there are /dev/null and @devices: a compiler that includes /dev/zero would read for ever. @rules: a
    descriptor of a filter of system calls, see tools/limits.py."""
    wrap = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session"]
    wrap += ["--ro-bind", "/usr", "/usr", "--tmpfs", "/dev"]
    for device in ("/dev/null", *devices):
        wrap += ["--dev-bind", device, device]
    wrap += [*(["--size", str(_SCRATCH)] if _limits_size() else []), "--tmpfs", "/tmp"]
    for name in ("bin", "lib", "lib64"):
        if Path("/", name).is_symlink():
            wrap += ["--symlink", f"usr/{name}", f"/{name}"]
    for system in ("/etc/alternatives", "/etc/ld.so.cache"):
        wrap += ["--ro-bind-try", system, system]
    for path in readable:
        wrap += ["--ro-bind", str(path), str(path)]
    for path in writable:
        wrap += ["--bind", str(path), str(path)]
    if rules is not None:
        wrap += ["--seccomp", str(rules)]
    return [*wrap, "--remount-ro", "/dev", "--", *argv]


def why_no_bubblewrap() -> str:
    """The reason why bubblewrap does not work here, in a few words; "" if it works."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (make setup installs it)"
    probe = bubblewrap(["true"], [], [])
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    said = done.stderr.strip().splitlines()
    return f"this machine does not let bubblewrap make namespaces ({said[0] if said else done.returncode})"


@dataclass
class Process:
    """A running QEMU in a process group of its own, which stop() ends as a whole."""

    popen: subprocess.Popen[bytes]
    stopped: bool = field(default=False)

    def stop(self) -> None:
        """Ends it by SIGKILL, which a hung QEMU cannot ignore. May be called again."""
        if self.stopped:
            return
        self.stopped = True
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # the group is gone already
        self.popen.wait()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def need(argv: Sequence[str]) -> None:
    """Raises FileNotFoundError with a clear message if there is no such QEMU."""
    if shutil.which(argv[0]) is None:
        raise FileNotFoundError(f"{argv[0]} is not installed (make setup installs it)")


def start(
    argv: Sequence[str],
    stdout: int | IO[bytes] | None = subprocess.PIPE,
    stderr: int | IO[bytes] | None = None,
) -> Process:
    """Starts @argv without input. It dies with this process, even if that is killed. Raises OSError."""
    need(argv)
    prefix = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
    popen = subprocess.Popen(
        [*prefix, *argv],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )
    return Process(popen)
