"""The reference kernel gets full marks in every lab, and every checkpoint prints what its handout says.

Each lab is graded on one port, chosen by its name, and its checkpoints are run there; `make test` has time
for one grading, and for all checkpoints. `make matrix` runs each test once on the other port, with the
mutants, and those of one lab again while every core is busy. There the steps' tests also run on machines
with another number of CPUs than the checkpoints have.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grade.mutants import ports
from labs import handout
from tools import qemu
from tools.programs import ROOT, last_lines, run_module
from tools.test.builds import Build
from tools.test.model import Job, Result

_GRADED = "02-threads"  # by make test, too
_FLAKE = "06-kill"  # the lab with the most tests of races
_TIMES = 2
_CPUS = (1, 2, 4)
_LIMITS = 50  # percent: a right kernel that is twice as slow passes, too


def jobs(build_root: Path) -> list[Job]:
    def job(lab: str, arch: str) -> Job:
        return Job(f"lab {lab} {arch}", lambda: grade(lab, arch, build_root), rest=lab != _GRADED)

    labs = sorted(path.parent.name for path in (ROOT / "labs").glob("*/lab.toml"))
    chosen = {lab: ports(lab, (), qemu.ARCHES, qemu.ARCHES, True) for lab in labs}
    graded = [job(lab, arch) for lab in labs for arch in chosen[lab]]
    tried = [(lab, arch, arch not in chosen[lab]) for lab in labs for arch in qemu.ARCHES]
    busy = Job(f"flake {_FLAKE}", lambda: flake(build_root), rest=True)
    steps = [_steps_job(lab, arch, build_root) for lab in labs for arch in qemu.ARCHES]
    return [busy, *graded, *(_handout_job(lab, arch, build_root, rest) for lab, arch, rest in tried), *steps]


def _handout_job(lab: str, arch: str, build_root: Path, rest: bool) -> Job:
    name = f"handout {lab} {arch}"

    def check() -> Iterator[Result]:
        kernel = Build(arch, tests=True).directory(build_root) / "kernel.elf"
        for checkpoint in handout.checkpoints(ROOT / "labs" / lab):
            fault = checkpoint.fault(arch, kernel)
            yield Result(f"{name}: {checkpoint.command}", fault is None, fault or "")

    return Job(name, check, rest)


def _steps_job(lab: str, arch: str, build_root: Path) -> Job:
    """Students leave words of a checkpoint's command out: no test may fail by that."""
    name = f"steps {lab} {arch}"

    def check() -> Iterator[Result]:
        folder, kernel = ROOT / "labs" / lab, Build(arch, tests=True).directory(build_root) / "kernel.elf"
        for step in sorted({checkpoint.step for checkpoint in handout.checkpoints(folder)}):
            for cpus in _CPUS:
                fault = handout.fault_elsewhere(folder, arch, kernel, step, cpus)
                yield Result(f"{name}: step {step}, CPUS={cpus}", fault is None, fault or "")

    return Job(name, check, rest=True)


def grade(lab: str, arch: str, build_root: Path) -> Iterator[Result]:
    words = ["--lab", lab, "--arch", arch, "--build-root", str(build_root), "--jobs", "1"]
    words += ["--limits", str(_LIMITS)]
    done = run_module("grade", "run", *words)
    yield Result(f"lab {lab} {arch}", done.returncode == 0, last_lines(done.stdout, 40))


def flake(build_root: Path) -> Iterator[Result]:
    """A short `make flake`; N=100 takes hours."""
    words = ["--lab", _FLAKE, "--times", str(_TIMES), "--arch", "riscv", "--build-root", str(build_root)]
    done = run_module("grade", "flake", *words)
    yield Result(f"flake {_FLAKE}", done.returncode == 0, last_lines(done.stdout, 40))
