"""The user tests: POSIX programs that must do the same on Trellis and on this machine's Linux.

The same sources (user/tests: one program for each .c file and each folder) are compiled here with
the host's compiler and C library; shell scripts are run by the host's sh. Both ports must repeat the
output and the exit status of that run, on 1 and 4 CPUs. `make test` runs each test on 4 CPUs of one
port, `make matrix` on 4 CPUs of the other.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pty
import re
import signal
import subprocess
import tempfile
import threading
import tty
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools import qemu
from tools.boot import PATIENCE_S, End, Transcript, transcript, with_command
from tools.programs import ROOT, kernel_says, last_lines, untouched
from tools.test.builds import Build
from tools.test.model import Job, Result, in_turn

CPUS = (1, 4)
FILLS_MEMORY = "exhaust"  # the test whose duration depends on the machine's memory
RUNS_OTHERS = "suite"  # for the labs: what it runs is run here anyway
LITTLE_MIB = 128  # little, though enough
_BATCHES = 6  # for each machine
_SAY_ENDED = "echo \x1e$?"
_ENDED = re.compile(rb"(.*?)\x1e(\d+)\n", re.S)
_FOLDER = ROOT / "user" / "tests"


@dataclass(frozen=True)
class Program:
    """A test, with the paths of the host's version and of the host's output."""

    name: str  # below /tests
    sources: tuple[Path, ...]
    host: Path

    @property
    def is_script(self) -> bool:
        return self.name.endswith(".sh")

    @property
    def expected(self) -> Path:
        return self.host.with_name(f"{self.name}.expected")

    @property
    def command(self) -> str:
        return f"{'sh ' if self.is_script else ''}/tests/{self.name}"


def programs(build_root: Path) -> list[Program]:
    found: dict[str, tuple[Path, ...]] = {}
    for path in sorted(_FOLDER.glob("*.c")):
        if path.stem != RUNS_OTHERS:
            found[path.stem] = (path,)
    for path in sorted(_FOLDER.glob("*.sh")):
        found[path.name] = (path,)
    for path in sorted(_FOLDER.iterdir()):
        sources = tuple(sorted([*path.glob("*.c"), *path.glob("x86_64/*.[cS]")]))
        if path.is_dir() and sources:
            found[path.name] = sources
    host = build_root / "host" / "tests"
    return [Program(name, sources, host / name) for name, sources in found.items()]


# --- On the host ----------------------------------------------------------------------------------


def host_jobs(build_root: Path) -> list[Job]:
    def job(program: Program) -> Job:
        return Job(f"user host: {program.name}", lambda: run_on_host(program))

    return [job(program) for program in programs(build_root)]


def run_on_host(program: Program) -> Iterator[Result]:
    name = f"user host: {program.name}"
    program.host.parent.mkdir(parents=True, exist_ok=True)
    program.expected.unlink(missing_ok=True)
    argv = ["sh", str(program.sources[0])]
    if not program.is_script:
        argv = [str(program.host)]
        built = compile_for_host(program)
        if built.returncode:
            yield Result(name, False, last_lines(built.stderr))
            return
    with tempfile.TemporaryDirectory(prefix="trellis-test-") as folder:
        status, output = run_on_terminal(argv, Path(folder))
    if status == 0:
        program.expected.write_bytes(output)
    detail = last_lines(output.decode("utf-8", "replace"))
    yield Result(name, status == 0, f"status {status}\n{detail}")


def run_on_terminal(argv: list[str], folder: Path) -> tuple[int, bytes]:
    """Runs @argv with its output on a terminal, as on Trellis. Returns its status and its output.

    A test begins with no signal ignored and no niceness.
    """
    master, slave = pty.openpty()
    tty.setraw(slave)
    with subprocess.Popen(
        untouched(argv),
        cwd=folder,
        env={"PATH": "/bin:/usr/bin", "HOME": "/", "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    ) as process:
        os.close(slave)
        killer = threading.Timer(PATIENCE_S, os.killpg, (process.pid, signal.SIGKILL))
        killer.start()
        ender = threading.Thread(target=_end_session, args=(process,))
        ender.start()
        try:
            output = b"".join(iter(lambda: _read_terminal(master), b""))
            ender.join()
            return process.wait(), output
        finally:
            killer.cancel()
            os.close(master)


def _end_session(process: subprocess.Popen[bytes]) -> None:
    """Kills what the test leaves behind when it ends: that would keep the terminal open. The test stays a
    zombie until this is done, so that its number means no other session."""
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended
            pid, _, rest = status.read_text(errors="replace").partition(" ")
            session = rest.rpartition(") ")[2].split()[3]
            if int(session) == process.pid:
                os.kill(int(pid), signal.SIGKILL)


def _read_terminal(master: int) -> bytes:
    try:
        return os.read(master, 1 << 16)
    except OSError as error:
        if error.errno == errno.EIO:
            return b""  # the last writer has closed its side
        raise


def compile_for_host(program: Program) -> subprocess.CompletedProcess[str]:
    argv = ["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-w", "-pthread", "-o", str(program.host)]
    argv += [*map(str, program.sources), "-lm"]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


# --- On Trellis -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Batch:
    """Tests on one machine, one after the other, since a boot takes longer than most of them."""

    arch: str
    cpus: int
    tests: tuple[Program, ...]
    build_root: Path
    policy: str = ""
    memory_mib: int = qemu.Machine.memory_mib

    @property
    def machine_title(self) -> str:
        return f"user {self.arch} {self.cpus} cpus {self.policy}".rstrip()

    @property
    def title(self) -> str:
        return f"{self.machine_title}: {', '.join(test.name for test in self.tests)}"

    def check(self) -> Iterator[Result]:
        """Boots until every test has ended: if one crashes the kernel, or hangs, only that test fails."""
        left = list(self.tests)
        while left:
            seen = self._boot(left)
            ended = _ENDED.findall(seen.user)
            for number, (output, status) in enumerate(ended[: len(left)]):
                yield self._result(left[: number + 1], f"status {int(status)}", status == b"0", output)
            rest = seen.user[sum(len(output) + len(status) + 2 for output, status in ended) :]
            done, left = left, left[len(ended) :]
            said = last_lines(kernel_says(seen.kernel.decode("utf-8", "replace")), 30)
            if left:
                why = f"{seen.outcome.end.value}\n{said}"
                yield self._result(done[: len(ended) + 1], why, False, rest)
                left.pop(0)
            elif seen.outcome.end is not End.OFF or rest:
                why = f"{seen.outcome.end.value}\n{last_lines(rest.decode('utf-8', 'replace'))}\n{said}"
                yield Result(f"{self.machine_title}: the end after {done[-1].name}", False, why)

    def _boot(self, tests: Sequence[Program]) -> Transcript:
        folder = Build(self.arch).directory(self.build_root)
        script = "".join(f"{test.command}\n{_SAY_ENDED}\n" for test in tests)
        with tempfile.NamedTemporaryFile(prefix="trellis-initrd-") as initrd:
            machine = qemu.Machine(
                arch=self.arch,
                kernel=folder / "kernel.elf",
                initrd=with_command(folder / "initramfs.cpio", Path(initrd.name), script.encode()),
                cpus=self.cpus,
                memory_mib=self.memory_mib,
                bootargs=(f"sched={self.policy}",) if self.policy else (),
            )
            return transcript(machine, PATIENCE_S)

    def _result(self, tests: Sequence[Program], how: str, ok: bool, output: bytes) -> Result:
        """The result of the last of @tests; those before it ran in the same boot."""
        test = tests[-1]
        name = f"{self.machine_title}: {test.name}"
        if not test.expected.exists():
            return Result(name, False, "it did not succeed on the host")
        expected = test.expected.read_bytes()
        scheduler = f" --sched {self.policy}" if self.policy else ""
        commands = "; ".join(test.command for test in tests)
        again = (f"again: tools/run --arch {self.arch} --cpus {self.cpus}{scheduler}"
                 f" --memory {self.memory_mib} --cmd '{commands}'")  # fmt: skip
        return Result(name, ok and output == expected, f"{how}\n{difference(expected, output)}\n{again}")


def difference(expected: bytes, got: bytes) -> str:
    """The first line in which the outputs differ."""
    wanted_lines, got_lines = expected.split(b"\n"), got.split(b"\n")
    for number, (wanted, line) in enumerate(zip(wanted_lines, got_lines), start=1):
        if wanted != line:
            return f"line {number}: {line!r} instead of {wanted!r}"
    if len(wanted_lines) != len(got_lines):
        return f"{len(got_lines) - 1} lines instead of {len(wanted_lines) - 1}"
    return "output as expected"


def jobs(build_root: Path) -> list[Job]:
    found = programs(build_root)
    small = [test for test in found if test.name != FILLS_MEMORY]
    large = [test for test in found if test.name == FILLS_MEMORY]
    jobs: list[Job] = []
    for cpus in reversed(CPUS):
        for arch in qemu.ARCHES:
            batches = [Batch(arch, cpus, tuple(small[i::_BATCHES]), build_root) for i in range(_BATCHES)]
            batches.append(Batch(arch, cpus, tuple(large), build_root, memory_mib=LITTLE_MIB))
            for number, batch in enumerate(batches):
                jobs.append(Job(batch.title, batch.check, cpus > 1 and in_turn(arch, number)))
    return jobs
