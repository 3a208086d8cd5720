"""Long runs, on both ports: all user tests by policy, port and 1 or 4 CPUs, every combination; thousands of
random task sets of each policy; ten million fuzzed system calls; every allocation failing in turn under
every policy; the scheduler's own tests under every policy, with the CPUs' turns and the start of the
clock chosen by a seed; the kernel's tests in very short slices; every user test with a random number of
CPUs, policy and seed of the CPUs' turns; every mutant of every lab; and right kernels of each lab, which
may not lose a point. Each failure names the command that repeats it. The last line is the count."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools import qemu
from tools.boot import End, transcript, with_command
from tools.diff import machines, shadow
from tools.options import Parser, matching, run_program
from tools.programs import ROOT, clean_environment, kernel_says, last_lines
from tools.sets import run as sets
from tools.soak import only, right, turns
from tools.test import diff, mutants, programs, robust
from tools.test.model import Job, Result
from tools.test.policies import every_combination, policies
from tools.test.pool import run_all

_TIMEOUT_S = 1800.0
_CALLS = 500_000  # of each seed: 10 million by default
_SETS = 2000  # of each policy and port
_SETS_A_BOOT = 50
_SEQUENCES, _STEPS = 1000, 60  # at random beside Linux, of each seed and port
_INTERVALS = (7, 11, 13, 17, 19, 23, 29, 31, 37, 41)


@dataclass(frozen=True)
class Trial:
    """One boot that runs one command; a seed chooses the CPUs' turns and the policy."""

    arch: str
    cpus: int
    seed: int
    command: str
    policy: str
    folder: Path
    expected: Path | None = None  # the output that is right; None: any

    @property
    def title(self) -> str:
        return f"soak {self.arch} {self.cpus} cpus {self.policy} seed {self.seed}: {self.command}"

    def machine(self, initrd: Path) -> qemu.Machine:
        """The machine: with even seeds deterministic with short turns, with odd ones truly parallel."""
        intervals = tuple(sorted(random.Random(self.seed).sample(_INTERVALS, 3)))
        return qemu.Machine(
            arch=self.arch,
            kernel=self.folder / "kernel.elf",
            initrd=initrd,
            cpus=self.cpus,
            bootargs=(f"sched={self.policy}",),
            icount=qemu.Icount(slices=intervals) if self.seed % 2 == 0 else None,
        )

    def check(self) -> Iterator[Result]:
        with tempfile.TemporaryDirectory(prefix="trellis-soak-") as scratch:
            base = Path(scratch, "base")
            names = ("initramfs.cpio", "soak.cpio")
            base.write_bytes(b"".join((self.folder / name).read_bytes() for name in names))
            initrd = with_command(base, Path(scratch, "initrd"), self.command.encode())
            seen = transcript(self.machine(initrd), _TIMEOUT_S)
        wrong: list[str] = []
        if seen.outcome.end is not End.OFF or seen.outcome.exit_status != 0:
            wrong.append(f"{seen.outcome.end.value}, status {seen.outcome.exit_status}")
            wrong.append(last_lines(kernel_says(seen.kernel.decode("utf-8", "replace")), 40))
            wrong.append(last_lines(seen.user.decode("utf-8", "replace"), 5))
        elif self.expected is not None and seen.user != self.expected.read_bytes():
            wrong.append("other output than on the host")
            wrong.append(last_lines(seen.user.decode("utf-8", "replace")))
        again = f"again: {turns.command(self.title, self.seed)}"
        yield Result(self.title, not wrong, "\n".join([*wrong, again]))


def trials(build_root: Path, seeds: int) -> Iterator[Trial]:
    tests = programs.programs(build_root)
    names = policies()
    for seed in range(1, seeds + 1):
        for arch in qemu.ARCHES:
            folder = build_root / arch / "debug"
            choice = random.Random(f"{arch} {seed}")
            cpus, policy = choice.randint(1, qemu.MAX_CPUS), choice.choice(names)
            yield Trial(arch, cpus, seed, f"/soak/fuzz {seed} {_CALLS}", policy, folder)
            for test in tests:
                cpus, policy = choice.randint(1, qemu.MAX_CPUS), choice.choice(names)
                yield Trial(arch, cpus, seed, test.command, policy, folder, test.expected)


def starved(build_root: Path) -> Iterator[robust.Program]:
    """Jobs in which every allocation fails once, under each policy, on 1 and 4 CPUs."""
    for arch in qemu.ARCHES:
        for policy in policies():
            for cpus in (1, 4):
                yield robust.oom(arch, cpus, build_root, 1, policy)


def shadows(build_root: Path, seeds: int) -> list[Job]:
    """Random sequences of calls, compared with this machine's Linux, on 1 and 4 CPUs in turn."""
    found: list[Job] = []
    for seed in range(2, seeds + 2):
        for arch in qemu.ARCHES:
            guest = machines.Guest(arch, 1 if seed % 2 else 4, build_root)
            found.append(diff.follow(guest, shadow.Trial(seed, 0, _SEQUENCES, _STEPS)))
    return found


def build(build_root: Path, arch: str) -> bool:
    for goal in (["soak-programs"], ["kernel", "TESTS=1"]):
        argv = ["make", f"ARCH={arch}", f"O={build_root}", *goal]
        if subprocess.run(argv, cwd=ROOT, env=clean_environment(), stdout=sys.stderr).returncode:
            return False
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="make soak", description=__doc__)
    parser.add_argument("--build-root", type=Path, default=ROOT / "build", metavar="DIR")
    parser.add_argument("--seeds", type=int, default=turns.DEFAULT_SEEDS, metavar="N")
    parser.add_argument("--sets", type=int, default=_SETS, metavar="N", help="of each policy")
    parser.add_argument("--only", default="", metavar="REGEX", help="trials whose name matches")
    options = parser.parse_args(arguments)
    build_root = options.build_root.resolve()
    if not all(build(build_root, arch) for arch in qemu.ARCHES):
        print("soak: the tree does not build", file=sys.stderr)
        return 2
    workers = os.cpu_count() or 1
    boots: list[programs.Batch | robust.Program | sets.Boot | Trial] = []
    boots += [*every_combination(build_root), *starved(build_root)]
    boots += [*sets.boots(build_root, options.sets, _SETS_A_BOOT), *trials(build_root, options.seeds)]
    jobs = [Job(t.title, t.check) for t in boots] + shadows(build_root, options.seeds)
    kernels = [*turns.units(build_root, options.seeds), *turns.short_slices(build_root, options.seeds)]
    jobs += [Job(u.title, u.results) for u in kernels]
    jobs += mutants.every(build_root) + only.jobs(build_root)
    jobs += right.jobs(build_root, options.seeds)
    chosen = matching(jobs, options.only, parser)
    results = run_all("host", programs.host_jobs(build_root), workers)
    results += run_all("soak", chosen, workers)
    failed = sum(not result.ok for result in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    run_program("make soak", main)
