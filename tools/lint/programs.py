"""Checks by other programs: headers by the compilers, Python by mypy, scripts by shellcheck."""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools import qemu
from tools.lint.files import ROOT, Fault, all_files, is_test, python_files, read
from tools.programs import clean_environment, run_quietly


def complaints(argv: Sequence[str]) -> Iterator[Fault]:
    """The output of a program that fails, line by line."""
    done = run_quietly(argv, ROOT)
    if done.returncode:
        for line in done.stdout.splitlines() or ["failed"]:
            yield Fault(argv[0], 0, line)


def _ask_make(arch: str, llvm: bool, out: str, goal: str) -> list[str]:
    argv = ["make", "-s", f"ARCH={arch}", f"LLVM={int(llvm)}", f"O={out}", goal]
    done = subprocess.run(
        argv, cwd=ROOT, env=clean_environment(), check=True, capture_output=True, text=True
    )
    return shlex.split(done.stdout)


def compiler(arch: str, llvm: bool = False) -> list[str]:
    """The command that compiles the kernel for @arch, as the Makefile has it."""
    with tempfile.TemporaryDirectory(prefix="trellis-lint-") as out:
        return _ask_make(arch, llvm, out, "kernel-command")


def headers() -> Iterator[Fault]:
    """Every header of the kernel compiles alone, on both ports."""
    for arch in qemu.ARCHES:
        command = compiler(arch)
        for path in all_files():
            folder = path.rpartition("/")[0]
            if not path.endswith(".h") or path.endswith("/asm.h"):
                continue
            if folder != f"arch/{arch}" and not folder.startswith("kernel"):
                continue
            yield from _alone(command, path, arch)


def _alone(command: Sequence[str], path: str, arch: str) -> Iterator[Fault]:
    argv = [*command, "-I.", "-fsyntax-only", "-x", "c", "-"]
    done = subprocess.run(
        argv,
        cwd=ROOT,
        input=f'#include "{path}"\n',
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        first = next((x for x in done.stdout.splitlines() if "error" in x), shlex.join(argv))
        yield Fault(path, 1, f"does not compile alone on {arch}: {first}")


def locking() -> Iterator[Fault]:
    """Every path of the kernel takes and gives back the locks that it says (lock_analysis.h). Not of
    its tests: they break rules, and hand locks about."""
    kernel = ["kernel/"]
    for arch in qemu.ARCHES:
        folders = (*kernel, f"arch/{arch}/")
        sources = [p for p in all_files() if p.endswith(".c") and p.startswith(folders)]
        sources = [path for path in sources if not is_test(path)]
        flags = ["-Wthread-safety", "-fsyntax-only"]
        yield from complaints([*compiler(arch, llvm=True), *flags, *sources])
        kernel = []  # is the same for every port


def user_programs() -> Iterator[Fault]:
    """Clang has nothing to complain about in user space either, which all others build with GCC."""
    for arch in qemu.ARCHES:
        others = tuple(f"user/libc/{port}/" for port in qemu.ARCHES if port != arch)
        found = [p for p in all_files() if p.startswith("user/") and p.endswith(".c")]
        sources = [path for path in found if not path.startswith(others)]
        with tempfile.TemporaryDirectory(prefix="trellis-lint-") as out:
            command = _ask_make(arch, True, out, "user-command")
            yield from complaints([*command, "-fsyntax-only", *sources])


def types() -> Iterator[Fault]:
    yield from complaints(["mypy", "--strict", "--no-error-summary", *python_files(), "tools/run"])


def scripts() -> Iterator[Fault]:
    """Not those of user/tests: they are what a shell is tested with."""
    scripts = [p for p in all_files() if p.endswith(".sh") or _is_shell(p)]
    found = [p for p in scripts if not p.startswith("user/tests/")]
    yield from complaints(["shellcheck", *found])


def _is_shell(path: str) -> bool:
    return "." not in Path(path).name and read(path).startswith(("#!/bin/sh", "#!/bin/bash"))
