"""Builds for every port, compiler and kind of kernel; a warning is a failure."""

from __future__ import annotations

import fcntl
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from pathlib import Path

from tools import qemu
from tools.programs import ROOT, clean_environment, last_lines, run_quietly
from tools.test.model import Job, Result

_STEP = re.compile(r"  [A-Z]+\s+\S+$")  # a build's short line


@dataclass(frozen=True)
class Build:
    """One way to build one port."""

    arch: str
    kind: str = "debug"
    tests: bool = False
    llvm: bool = False

    @property
    def folder(self) -> str:
        return self.kind + "-test" * self.tests + "-llvm" * self.llvm

    def directory(self, build_root: Path) -> Path:
        return build_root / self.arch / self.folder

    @property
    def goal(self) -> str:
        """All kernels share the user programs, which one build makes."""
        return "soak-programs" if self == Build(self.arch) else "kernel"

    def make(self, build_root: Path, jobs: int) -> subprocess.CompletedProcess[str]:
        argv = ["make", "-C", str(ROOT), f"-j{jobs}", "-k", f"O={build_root}", self.goal]
        argv += [f"ARCH={self.arch}", f"BUILD={self.kind}"]
        argv += [f"TESTS={int(self.tests)}", f"LLVM={int(self.llvm)}"]
        return subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=clean_environment(),
            check=False,
        )


def all_builds() -> list[Build]:
    """The builds that other tests run, and the kernels built by Clang. (In `make lint` Clang also reads the
    user programs, and the debug kernel, to check the locks.)"""
    kinds = (Build(""), Build("", tests=True), Build("", "release"), Build("", "release", True, llvm=True))
    return [replace(kind, arch=arch) for arch in qemu.ARCHES for kind in kinds]


def made(build_root: Path) -> bool:
    """Whether every kernel that other tests run has been built, be it from older sources."""
    needed = (build for build in all_builds() if not build.llvm)
    return all((build.directory(build_root) / "kernel.elf").exists() for build in needed)


def explorer(build_root: Path) -> Path:
    """The explorer's program, built if need be; many may ask at the same time. Raises ValueError."""
    build_root.mkdir(parents=True, exist_ok=True)
    with (build_root / "explore.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run_quietly(["make", f"O={build_root}", "explorer"], ROOT, env=clean_environment())
    if done.returncode:
        raise ValueError(done.stdout)
    return build_root / "explore" / "explore"


def jobs(build_root: Path) -> list[Job]:
    """The jobs. Kernels with and without tests share objects, so they are built one after the other."""

    def job(together: Sequence[Build]) -> Job:
        name = f"build {together[0].arch} {', '.join(build.folder for build in together)}"
        return Job(name, lambda: chain(*(check(b, build_root) for b in together)), together[0].llvm)

    families = groupby(all_builds(), lambda build: (build.arch, build.kind, build.llvm))
    found = [job(list(family)) for _, family in families]
    return sorted(found, key=lambda job: "release" in job.name)


def check(build: Build, build_root: Path) -> Iterator[Result]:
    done = build.make(build_root, jobs=1)
    complaint = done.returncode != 0 or "warning:" in done.stdout
    telling = [line for line in done.stdout.splitlines() if not _STEP.match(line)]
    detail = last_lines("\n".join(telling), 30)
    yield Result(f"build {build.arch} {build.folder}", not complaint, detail)
