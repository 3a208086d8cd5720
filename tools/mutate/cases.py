"""The tests that files outside the labs have: the tests in the kernel, the user tests, the files of cases of
the differential suite, runs with failing allocations and with random calls, and the tests of all labs.

A Case is one of them on one machine. Tests in the kernel may share a machine, one after the other, and user
programs may; a lab's test has its machine for itself, as in a grading. A case has a hash of its own sources,
so a verdict lasts as long as the kernel, the mutant and this one test stay as they are.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from grade import engine
from grade.build import Product
from grade.lab import Lab, choose
from grade.machine import Boot, Ended, Evidence
from grade.score import Run
from grade.verdict import Kind, judge
from tools import qemu
from tools.boot import with_command
from tools.mutate.coverage import Lines
from tools.mutate.store import hash_of, hash_of_text
from tools.test.kernel import LATE, LATE_CLOCK
from tools.test.policies import DEFAULT, policies
from tools.test.programs import FILLS_MEMORY, LITTLE_MIB, difference, programs

_KTEST = re.compile(r'^KTEST\(\w+,\s*"([^"]+)",\s*""', re.M)
_SAID = re.compile(r"^@@- \d+ (test|fail) (\S+)", re.M)  # messages of tests in the kernel: grade/protocol.py
_CPUS = (1, 4)
_OF_POLICIES = ("priority", "realtime", "sched")  # user tests
_SHIFT = 3  # 8 ns an instruction, so that time passes quickly where a test waits for it
_MEMORY_MIB = 256
_ROBUST = ("/soak/oom 3", "/soak/fuzz 1 5000")
_LIMIT = 3_000_000_000  # instructions
_LIMIT_OF_PROGRAMS = 10_000_000_000
_BOOT_S, _SPEED = 0.3, 50_000_000  # of a small test; instructions a second
_SPARE, _TIMES = 200_000_000, 4  # the limit of a mutant: so many times what the kernel itself needs


@dataclass(frozen=True)
class Measured:
    """A test as the kernel itself runs it."""

    seconds: float
    instructions: int  # at which it ended
    said: str  # by a user test
    ran: Lines

    @property
    def cost(self) -> float:
        """The seconds that it takes on a quiet machine, about: on a busy one all tests look long, and in
        one that sleeps instructions go by that nobody executes."""
        return min(self.seconds, _BOOT_S + self.instructions / _SPEED)


@dataclass(frozen=True)
class Case:
    arch: str
    cpus: int
    name: str
    home: str  # the folder whose test it is
    key: str  # a hash of its sources
    policy: str = field(default="", kw_only=True)  # of the scheduler; "": the default one
    words: str = field(default="", kw_only=True)  # boot arguments more

    def __str__(self) -> str:
        said = f"{self.name}, {self.arch}, {self.cpus} CPU" + "s" * (self.cpus > 1)
        return said + "".join(f", {more}" for more in (self.policy, self.words) if more)

    @property
    def mates(self) -> tuple[str, ...]:
        """Cases for which this is the same may share a machine."""
        return type(self).__name__, self.arch, str(self.cpus), self.policy, self.words

    @property
    def bootargs(self) -> tuple[str, ...]:
        return (*([f"sched={self.policy}"] if self.policy else []), *self.words.split())

    def boot(self, names: Sequence[str], product: Product, limit: int, folder: Path) -> Boot:
        """The machine that runs the tests @names, all of them mates of this one. @folder: for its files."""
        raise NotImplementedError

    def fault(self, names: Sequence[str], said: Sequence[str], seen: Evidence) -> str | None:
        """How a kernel failed @names, or None; @said: what the kernel itself says in each."""
        raise NotImplementedError

    def blamed(self, names: Sequence[str], said: Sequence[str], seen: Evidence) -> int:
        """Which of @names has failed."""
        return 0

    def said(self, seen: Evidence) -> str:
        return ""

    @property
    def longest(self) -> int:
        """A limit for the kernel itself, in instructions."""
        return _LIMIT


@dataclass(frozen=True)
class KernelCase(Case):
    """A test in the kernel."""

    def boot(self, names: Sequence[str], product: Product, limit: int, folder: Path) -> Boot:
        return Boot(self.arch, product.kernel, None, self.cpus, 1, limit, _SHIFT, test=",".join(names),
                    memory=_MEMORY_MIB, bootargs=self.bootargs)  # fmt: skip

    def fault(self, names: Sequence[str], said: Sequence[str], seen: Evidence) -> str | None:
        if seen.messages.failures:
            return seen.messages.failures[0].text
        return _wrong_end(seen, seen.messages.ended)

    def blamed(self, names: Sequence[str], said: Sequence[str], seen: Evidence) -> int:
        running = ""
        for kind, word in _SAID.findall(seen.streams.kernel.decode("utf-8", "replace")):
            if kind == "fail":
                break
            running = word
        return names.index(running) if running in names else 0


@dataclass(frozen=True)
class UserCase(Case):
    """A user test, or a file of the differential suite: it must say what it says on the kernel itself."""

    def boot(self, names: Sequence[str], product: Product, limit: int, folder: Path) -> Boot:
        assert product.initrd is not None
        script = "".join(f"echo '== {name}'\n{name}\necho \"== $?\"\n" for name in names)
        initrd = with_command(product.initrd, folder / "initrd", script.encode())
        return Boot(self.arch, product.kernel, initrd, self.cpus, 1, limit, _SHIFT, memory=self.memory,
                    bootargs=self.bootargs)  # fmt: skip

    @property
    def memory(self) -> int:
        return _MEMORY_MIB

    def fault(self, names: Sequence[str], said: Sequence[str], seen: Evidence) -> str | None:
        wanted = "".join(said)
        if wanted and self.said(seen) != wanted:
            return difference(wanted.encode(), self.said(seen).encode())
        failed = len(re.findall("^== 0$", self.said(seen), re.M)) != len(names)
        return _wrong_end(seen, seen.streams.init_status is not None) or ("it fails" if failed else None)

    def blamed(self, names: Sequence[str], said: Sequence[str], seen: Evidence) -> int:
        """The first that says something else."""
        all_of = self.said(seen)
        for number, text in enumerate(said):
            if not all_of.startswith(text):
                return number
            all_of = all_of.removeprefix(text)
        return len(names) - 1

    def said(self, seen: Evidence) -> str:
        return seen.streams.user.decode("utf-8", "replace")

    @property
    def longest(self) -> int:
        return _LIMIT_OF_PROGRAMS


@dataclass(frozen=True)
class RobustCase(UserCase):
    """A program of which only the status counts: what it says depends on how often the kernel allocates."""

    @property
    def mates(self) -> tuple[str, ...]:
        return self.name, self.arch, str(self.cpus)

    @property
    def memory(self) -> int:
        return LITTLE_MIB

    def fault(self, names: Sequence[str], said: Sequence[str], seen: Evidence) -> str | None:
        return super().fault(names, (), seen)


@dataclass(frozen=True)
class LabCase(Case):
    """A lab's test, as the grader runs and judges it."""

    lab: Lab = field(compare=False)
    run: Run

    @property
    def mates(self) -> tuple[str, ...]:
        return self.home, self.name, self.arch, str(self.cpus)

    def boot(self, names: Sequence[str], product: Product, limit: int, folder: Path) -> Boot:
        boot = engine.boot_of(self.lab.test(self.run.test), self.run, product)
        return replace(boot, limit=min(boot.limit, limit))

    def fault(self, names: Sequence[str], said: Sequence[str], seen: Evidence) -> str | None:
        verdict = judge(self.lab, self.lab.test(self.run.test), seen)
        if verdict.kind is Kind.PASS:
            return None
        return f"{verdict.kind.value}: {verdict.findings[0].happened if verdict.findings else ''}"

    @property
    def longest(self) -> int:
        return self.lab.test(self.run.test).limit * 1_000_000


def limit_of(instructions: int) -> int:
    """For a mutant in tests in which the kernel itself ends after so many."""
    return _SPARE + _TIMES * instructions


def _wrong_end(seen: Evidence, ended: bool) -> str | None:
    """How the machine ended, if not as it should."""
    if seen.ended is Ended.EXITED and seen.status == qemu.STATUS_OFF and ended:
        return None
    last = seen.messages.started[-1] if seen.messages.started else "boot"
    lines = seen.streams.kernel.decode("utf-8", "replace").splitlines()
    panic = next((line.strip() for line in lines if line.startswith("panic: ")), seen.ended.value)
    return f"{last}: {panic}"


def of_arch(root: Path, arch: str) -> list[Case]:
    kinds = (_kernel, _user, _diff, _robust, _labs)
    return list(chain.from_iterable(kind(root, arch) for kind in kinds))


def _kernel(root: Path, arch: str) -> Iterator[Case]:
    """The tests in the kernel that belong to no lab, without those that run before threads."""
    for path in sorted((root / "kernel").rglob("test_*.c")):
        text = path.read_text(encoding="utf-8")
        home = str(path.parent.relative_to(root))
        for name in _KTEST.findall(text):
            for cpus, policy in _machines(name.startswith("sched.")):
                yield KernelCase(arch, cpus, name, home, hash_of_text(text), policy=policy)
            if name in LATE:
                yield KernelCase(arch, max(_CPUS), name, home, hash_of_text(text), words=LATE_CLOCK)


def _machines(under_each_policy: bool) -> Iterator[tuple[int, str]]:
    """Numbers of CPUs, and policies."""
    yield from ((cpus, "") for cpus in _CPUS)
    if under_each_policy:
        yield from ((max(_CPUS), policy) for policy in policies() if policy != DEFAULT)


def _user(root: Path, arch: str) -> Iterator[Case]:
    shared = _libraries(root)
    shared += hash_of(root, [str(p.relative_to(root)) for p in sorted((root / "user/tests").glob("*.h"))])
    for test in programs(Path()):
        if test.name != FILLS_MEMORY:
            sources = [str(path.relative_to(root)) for path in test.sources]
            key = hash_of_text(f"{shared} {hash_of(root, sources)}")
            for cpus, policy in _machines(test.name in _OF_POLICIES):
                yield UserCase(arch, cpus, test.command, "user/tests", key, policy=policy)


def _libraries(root: Path) -> str:
    return hash_of(root, ["user", "tools/boot.py", "tools/test/programs.py"], frozenset({"tests"}))


def _diff(root: Path, arch: str) -> Iterator[Case]:
    """The differential suite, file by file."""
    home = "tools/diff/calls"
    texts = {p.name: p.read_text(encoding="utf-8") for p in sorted((root / home).glob("*.[ch]"))}
    files = {name: text for name, text in texts.items() if re.search(r"^CASE\(", text, re.M)}
    shared = _libraries(root) + "".join(texts[name] for name in sorted(texts.keys() - files.keys()))
    for name, text in files.items():
        command = f"mkdir -p /tmp/diff; /soak/calls /tmp/diff 2 {name.removesuffix('.c')}"
        key = hash_of_text(shared + text)
        yield from (UserCase(arch, cpus, command, home, key) for cpus in _CPUS)


def _robust(root: Path, arch: str) -> Iterator[Case]:
    home = "tools/soak"
    key = hash_of_text(_libraries(root) + hash_of(root, [home]))
    yield from (RobustCase(arch, 1, command, home, key) for command in _ROBUST)
    key = hash_of_text(_libraries(root) + hash_of(root, [f"user/tests/{FILLS_MEMORY}.c"], frozenset()))
    yield RobustCase(arch, 1, f"/tests/{FILLS_MEMORY}", "user/tests", key)


def _labs(root: Path, arch: str) -> Iterator[Case]:
    for lab in choose(root, []):
        about = tomllib.loads((lab.folder / "lab.toml").read_text(encoding="utf-8"))
        told = json.dumps({**about, "scenario": None}, sort_keys=True)
        home = f"labs/{lab.name}/tests"
        key = hash_of_text(told + hash_of(root, [home], frozenset()))
        for run in engine.runs_of(lab, [arch], 1):
            yield LabCase(arch, run.cpus, run.test, home, key, lab, run)
