"""The reference kernel gets full marks in every lab, and every checkpoint prints what its handout says.

Each lab is graded on one port, in turn, and its checkpoints are run on the other; `make matrix` does both
on both ports, with the mutants.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from labs import handout
from tools import qemu
from tools.programs import ROOT, last_lines, run_module
from tools.test.builds import Build
from tools.test.model import Job, Result


def jobs(build_root: Path) -> list[Job]:
    def job(lab: str, arch: str) -> Job:
        return Job(f"lab {lab} {arch}", lambda: grade(lab, arch, build_root))

    labs = sorted(path.parent.name for path in (ROOT / "labs").glob("*/lab.toml"))
    ports = list(zip(labs, cycle(qemu.ARCHES)))
    graded = [job(lab, arch) for lab, arch in ports]
    tried = [(lab, arch, (lab, arch) in ports) for lab in labs for arch in qemu.ARCHES]
    return [*graded, *(_handout_job(lab, arch, build_root, rest) for lab, arch, rest in tried)]


def _handout_job(lab: str, arch: str, build_root: Path, rest: bool) -> Job:
    name = f"handout {lab} {arch}"

    def check() -> Iterator[Result]:
        kernel = Build(arch, tests=True).directory(build_root) / "kernel.elf"
        for checkpoint in handout.checkpoints(ROOT / "labs" / lab):
            fault = checkpoint.fault(arch, kernel)
            yield Result(f"{name}: {checkpoint.command}", fault is None, fault or "")

    return Job(name, check, rest)


def grade(lab: str, arch: str, build_root: Path) -> Iterator[Result]:
    words = ["--lab", lab, "--arch", arch, "--build-root", str(build_root), "--jobs", "1"]
    done = run_module("grade", "run", *words)
    yield Result(f"lab {lab} {arch}", done.returncode == 0, last_lines(done.stdout, 40))
