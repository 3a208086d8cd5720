"""Boots one test in its own QEMU, deterministically, and brings back the evidence.

While the guest runs, the grader only watches it from outside, through two files: the serial log and
the memory that QEMU shares with us. This cannot change the run. The guest ends itself: when its
tests are done, when it panics, or when its own timer says that the limit (virtual time, counted in
instructions) is reached. Only a guest that never turns interrupts on again cannot end itself; see
_hangs().
"""

import hashlib
import mmap
import os
import random
import select
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache
from itertools import count
from math import isqrt
from pathlib import Path

from grade import image, protocol, trace
from grade.elf import Elf
from grade.errors import GraderError
from tools import limits, qemu, qmp
from tools.scratch import Held
from tools.serial import cpu_seconds
from tools.visible import visible

_FLOOD = 8 << 20  # bytes of serial output: a right kernel may print a line for each thing that it does
_QEMU_MIB = 4096  # of address space beside the guest's memory; 7.2 takes 1 to 2 GiB for translated code
_QEMU_THREADS = 64
_POLL_MS = 100
_ASK_MS = 1000
_ROOM = 1 << 30  # bytes that must be free where guest memory is kept
_TRACE_RECORDS = 32768  # per CPU
_SPEED = 150_000_000  # instructions in a second of CPU time that most machines manage
_BOOT_INSTRUCTIONS = 200_000_000  # firmware and boot, before the limit begins to count
_PATIENCE = 2.0  # seconds of its CPU time without a sign before we ask, beside what the limit needs
_ANSWER_S = 10.0  # for QEMU's answer to a question: hopelessly busy machines need more, and get it
_ATTEMPTS = (1, 4, 16)  # times the patience: a slow machine gets another try

# Instructions between turns of the CPUs.
_SLICE_RANGE = {"coarse": (20_000, 100_000), "medium": (10_000, 40_000), "fine": (1_000, 12_000)}


@dataclass(frozen=True)
class Boot:
    """One machine to boot. Two equal machines give the same evidence, on any host."""

    arch: str
    kernel: Path
    initrd: Path | None
    cpus: int
    seed: int
    limit: int  # instructions
    shift: int = 0
    slices: str = "medium"
    memory: int = 128
    test: str | None = None
    program: str | None = None
    bootargs: tuple[str, ...] = ()

    @property
    def limit_ns(self) -> int:
        return self.limit << self.shift

    def machine(self, nonce: str) -> qemu.Machine:
        words = ["console=mux", f"nonce={nonce}", f"limit={self.limit_ns}", f"seed={self.seed}"]
        words += [f"shift={self.shift}", f"trace_size={_TRACE_RECORDS}"]
        words += ["trace=sched,state,life,wait,test"]
        if self.test is not None:
            words.append(f"test={self.test}")
        if self.program is not None:
            words.append(f"init={self.program}")
        return qemu.Machine(
            arch=self.arch,
            kernel=self.kernel,
            initrd=self.initrd,
            cpus=self.cpus,
            memory_mib=self.memory,
            bootargs=(*words, *self.bootargs),
            icount=qemu.Icount(self.shift, intervals(self.slices, self.shift, self.seed)),
            sandbox=True,
        )

    def clock(self) -> int:
        """The kernel's clock at boot."""
        for word in self.bootargs:
            if word.startswith("clock="):
                return int(word.removeprefix("clock="), 0)
        return 0


class Ended(Enum):
    EXITED = "exited"  # by itself
    HUNG = "hung"  # beyond its limit, and it cannot stop itself
    FLOODED = "flooded"
    SLOW = "slow"  # this host could not bring it to its end in any sensible time


@dataclass(frozen=True)
class Evidence:
    ended: Ended
    status: int  # QEMU's, if EXITED
    streams: protocol.Streams
    messages: protocol.Messages
    trace: trace.Trace
    changed: str = ""  # a place in the kernel's code that is not what was built
    spent: float = field(default=0.0, compare=False)  # seconds of CPU time, when it was last looked at


def _is_prime(n: int) -> bool:
    return n > 1 and all(n % d for d in range(2, isqrt(n) + 1))


def intervals(slices: str, shift: int, seed: int) -> tuple[int, ...]:
    """Three lengths of turns in virtual microseconds, coprime, chosen by the seed.

    If turns ran in step with a loop of the guest, they would always end at the same place of it;
    with three lengths that have no common divisor they end everywhere (docs/grader.md).
    """
    low, high = (instructions // 1000 for instructions in _SLICE_RANGE[slices])
    choice = [n for n in range(low, high) if _is_prime(n)]
    picked = random.Random(f"slices {seed}").sample(choice, 3)
    scaled = (next(n for n in count(p << shift) if _is_prime(n)) for p in picked)
    return tuple(sorted(scaled))


def nonce_of(secret: bytes, boot: Boot) -> str:
    """Unknown before the run, of the same length in every run, and never part of a report."""
    what = f"{boot.arch} {boot.test} {boot.program} {boot.seed} {boot.cpus}".encode()
    return hashlib.sha256(secret + what).hexdigest()[:16]


def scratch_folder() -> Held:
    """A folder in memory if there is room: guests write much that is not needed afterwards."""
    shm = Path("/dev/shm")
    roomy = os.access(shm, os.W_OK) and shutil.disk_usage(shm).free > _ROOM
    return Held("run", shm if roomy else None)


class Runner:
    """Boots machines. One for the whole grading; boot() may be called from several threads.

    A machine that needs more than @most seconds of CPU time ends as slow, and no other boots after it."""

    def __init__(self, layout: trace.Layout, secret: bytes, fenced: bool, most: float | None = None) -> None:
        self._layout = layout
        self._secret = secret
        self._fenced = fenced
        self._most = most
        self._stopping = threading.Event()

    @property
    def stopped(self) -> bool:
        return self._stopping.is_set()

    def stop_all(self) -> None:
        """Ends every machine within a moment; nothing boots any more."""
        self._stopping.set()

    def boot(self, boot: Boot) -> Evidence:
        """Boots until the verdict cannot depend on how slow this host is."""
        for patience in _ATTEMPTS:
            evidence = self._attempt(boot, patience)
            if evidence.ended is not Ended.SLOW or self._stopping.is_set():
                break
        return evidence

    def _attempt(self, boot: Boot, patience: int) -> Evidence:
        with scratch_folder() as name:
            folder = Path(name)
            nonce = nonce_of(self._secret, boot)
            guest = _Guest(boot, folder, self._layout, self._stopping)
            with guest.start(nonce, self._fenced) as process:
                with guest.let_go(process.popen):
                    ended = guest.watch(process.popen, patience, self._most)
            if ended is Ended.EXITED:
                guest.check_started(process.popen.returncode)
            return guest.evidence(ended, process.popen.returncode, nonce)


@lru_cache(maxsize=8)
def _elf(path: Path) -> Elf:
    """Many runs boot one kernel, whose file does not change."""
    return Elf(path)


class _Guest:
    """One QEMU and its files."""

    def __init__(
        self, boot: Boot, folder: Path, layout: trace.Layout, stopping: threading.Event
    ) -> None:
        self._boot = boot
        self._stopping = stopping
        self._folder = folder
        self._spent = 0.0
        self._serial = folder / "serial"
        self._ram = folder / "ram"
        self._qmp = folder / "qmp"
        self._errors = folder / "errors"
        self._connection: qmp.Qmp | None = None
        self._held = False  # until it has settled
        self._frozen = False  # the trace does not grow any more
        self._reader = trace.RingReader(_elf(boot.kernel), layout, boot.arch, boot.clock())
        for path in (self._serial, self._ram):
            path.touch()
        os.truncate(self._ram, boot.memory << 20)

    def start(self, nonce: str, fenced: bool) -> qemu.Process:
        machine = self._boot.machine(nonce)
        machine = replace(
            machine,
            serial=f"file:{self._serial}",
            ram_file=self._ram,
            extra=(*machine.extra, *qmp.options(self._qmp)),
        )
        self._held = machine.must_settle
        if self._held:
            machine = qmp.hold(machine)
        argv = limits.limited(machine.argv(), self._limits())
        if fenced:
            readable = [p for p in (self._boot.kernel, self._boot.initrd) if p is not None]
            argv = qemu.bubblewrap(argv, readable, [self._folder])
        try:
            qemu.need(machine.argv())
            with self._errors.open("wb") as errors:
                return qemu.start(argv, stdout=subprocess.DEVNULL, stderr=errors)
        except OSError as e:
            raise GraderError(str(e)) from e

    def _limits(self) -> limits.Limits:
        """QEMU needs room for the guest's memory and for translated code, and writes the serial log."""
        return limits.Limits(self._boot.memory + _QEMU_MIB, 2 * _FLOOD >> 20, _QEMU_THREADS, 1024)

    @contextmanager
    def let_go(self, popen: subprocess.Popen[bytes]) -> Iterator[None]:
        """Starts a machine that was held, as soon as QEMU has settled."""
        if not self._held:
            yield
            return
        with qmp.let_go(self._qmp, popen) as self._connection:
            yield

    def watch(self, popen: subprocess.Popen[bytes], patience: int, most: float | None) -> Ended:
        """Waits until the guest ends, in whatever way."""
        boot = self._boot
        needed = (boot.limit + _BOOT_INSTRUCTIONS) / _SPEED
        quiet_for = patience * (_PATIENCE + needed)
        longest = patience * (60 + 20 * needed)
        with _ExitWait(popen) as process, self._memory() as memory:
            began = time.monotonic()
            last, changed = (0, 0), 0.0
            while not process.ended(_POLL_MS):
                size = self._serial.stat().st_size
                if size > _FLOOD:
                    return Ended.FLOODED
                count, newest = self._reader.progress(memory)
                if newest > 2 * boot.limit_ns + (_BOOT_INSTRUCTIONS << boot.shift):
                    return Ended.HUNG
                spent = self._spent = cpu_seconds(popen.pid)
                if most is not None and spent > most:
                    self._stopping.set()
                    return Ended.SLOW
                if (size, count) != last:
                    last, changed = (size, count), spent
                elif spent - changed > quiet_for:
                    hangs = self._hangs(process, memory, count, began + longest, patience)
                    return Ended.HUNG if hangs else Ended.SLOW
                if time.monotonic() - began > longest or self._stopping.is_set():
                    return Ended.SLOW
        return Ended.FLOODED if self._serial.stat().st_size > _FLOOD else Ended.EXITED

    def _hangs(
        self, process: "_ExitWait", memory: mmap.mmap, count: int, end: float, patience: int
    ) -> bool:
        """Decides, when the trace has not grown for long, whether the guest hangs or this host is slow.

        A guest that only traps executes few instructions in a second, so QEMU is asked for its time
        again and again until the guest is beyond its limit. If the trace grows after all, the question
        itself may have caused that, and the run is no evidence.
        """
        self._frozen = True
        limit = (self._boot.limit + _BOOT_INSTRUCTIONS) << self._boot.shift
        try:
            connection = self._connection or qmp.Qmp(self._qmp, timeout=_ANSWER_S * patience)
            with connection:
                while connection.virtual_ns(self._boot.arch) <= limit:
                    stopping = time.monotonic() > end or self._stopping.is_set()
                    if stopping or process.ended(_ASK_MS):
                        return False
        except (OSError, ValueError):
            return False
        return self._reader.progress(memory)[0] == count

    def _memory(self) -> mmap.mmap:
        with self._ram.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)

    def check_started(self, status: int) -> None:
        """Raises GraderError if QEMU did not even start: that is not the student's mistake."""
        lines = visible(self._errors.read_bytes()).splitlines()
        errors = [line for line in lines if "warning:" not in line and ": " in line]
        if status in (1, 126, 127) and errors and self._serial.stat().st_size == 0:
            raise GraderError(f"QEMU did not start: {errors[0]}")

    def evidence(self, ended: Ended, status: int, nonce: str) -> Evidence:
        with self._serial.open("rb") as file:
            wire = file.read(_FLOOD)
        seen = trace.EMPTY
        if ended is Ended.FLOODED:
            wire = wire[:4096]  # how much more there was depends on the host
        elif ended is not Ended.SLOW:
            seen = self._read_trace(ended)
        messages = protocol.parse(protocol.split(wire).kernel, nonce)
        streams = protocol.split(wire.replace(nonce.encode(), b"-"))
        return Evidence(ended, status, streams, messages, seen, self._changed(ended), self._spent)

    def _read_trace(self, ended: Ended) -> trace.Trace:
        with self._memory() as memory:
            seen = self._reader.read(memory)
        if ended is Ended.EXITED:
            return seen
        # We stopped it, at a time that depends on the host: ignore what it did after the limit.
        return seen.clipped(self._boot.limit_ns) if self._frozen else trace.EMPTY

    def _changed(self, ended: Ended) -> str:
        """If we stopped the guest, the moment depends on the host, and so would the answer."""
        if ended is not Ended.EXITED:
            return ""
        with self._memory() as memory:
            return image.changed(_elf(self._boot.kernel), memory, trace.RAM_BASE[self._boot.arch])


class _ExitWait:
    """Waits for a process to end, without polling."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self._fd = os.pidfd_open(popen.pid)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)

    def __enter__(self) -> "_ExitWait":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def ended(self, milliseconds: int) -> bool:
        """Whether the process has ended; waits at most that long."""
        if not self._poll.poll(milliseconds):
            return False
        self._popen.wait()
        return True
