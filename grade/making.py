"""Runs make for a build: in bubblewrap for a submission, and always with limits.

A compiler works for whoever wrote the source. One line of it can ask for all memory, for a file of any
size or for hours, so each process of a build may use only so much of each, far more than any honest file
needs. Exceeding them is the source's fault, and is told to its author (complaints.py). The wall clock is only
a net: whoever sleeps, or a machine that is far too slow, is the grader's trouble.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from re import compile as pattern

from grade.errors import GraderError, Ungraded
from tools import limits, qemu
from tools.visible import visible

MEMORY_MIB = 1536
FILE_MIB = 128
CPU_SECONDS = 60
_PROCESSES = 512  # with make's own
_CROWD = _PROCESSES  # of them that we count: for root the kernel does not
_FILES = 256
_SECONDS = 1800
_MOST_SAID = 2 << 20  # characters of make's output that are kept
_LINE = 64 << 10  # bytes
_ROOM = 2 * FILE_MIB << 20  # a failed build that leaves less had no room: its last file is gone already
_STEP = pattern(r"  [A-Z]+\t(\S+)$")  # a short line of a build
_FULL = pattern(r"No space left on device|Disk quota exceeded")


def environment() -> dict[str, str]:
    """Only the variables that are needed to find the tools. A make that called us exports all its variables,
    and its SUBMISSION does not exist inside the sandbox."""
    kept = ("PATH", "HOME", "TMPDIR", "CROSS", "GLIBC_TUNABLES")
    return {k: os.environ[k] for k in kept if k in os.environ} | {"LC_ALL": "C"}


def make(
    tree: Path,
    arch: str,
    goals: Sequence[str],
    jobs: int,
    fenced: bool,
    step: Callable[[str], None] | None = None,
) -> str | None:
    """Runs make in @tree, whose sources it can only read: a submission's may be links to the reference's own.
    Returns None, or make's output if it failed. Each file that it makes is a @step. Raises GraderError if
    the machine is at fault."""
    argv = ["make", "-k", f"-j{jobs}", "--output-sync=target", f"ARCH={arch}", "TESTS=1"]
    argv += ["STARTER=1", "O=build", "-C", str(tree), "--no-print-directory", *goals]
    argv = limits.limited(argv, limits.Limits(MEMORY_MIB, FILE_MIB, _PROCESSES, _FILES, CPU_SECONDS))
    if fenced:
        (tree / "build").mkdir(exist_ok=True)
        argv = qemu.bubblewrap(argv, [tree], [tree / "build"])
    said: list[str] = []
    room = _MOST_SAID
    with subprocess.Popen(
        limits.ended_after(argv, _SECONDS),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(),
    ) as running, limits.Crowd(running, _CROWD) as crowd:
        for line in _lines(running):
            if not (made := _STEP.match(line)):
                said.append(line[:room])
                room -= len(said[-1])
            elif step is not None:
                step(made[1])
    if crowd.exceeded:
        return f"make: *** the compilers start more than {_CROWD} processes\n"
    if running.returncode == 0:
        return None
    output = "".join(said)
    if not output:  # make keeps what is printed in a file, and loses all of it at the limit
        output = f"make: *** the compilers print more than {FILE_MIB} MiB\n"
    if running.returncode in limits.ENDED:
        why = "its processes sleep, or this machine is too slow"
        raise Ungraded(f"a build for {arch} did not end in {_SECONDS // 60} minutes: {why}")
    if why := disk_full(output, tree):
        raise GraderError(why)
    return output


def _lines(running: subprocess.Popen[bytes]) -> Iterator[str]:
    """The output of @running, made visible, in lines or in parts of endless ones."""
    assert running.stdout is not None
    while line := running.stdout.readline(_LINE):
        yield visible(line)


def disk_full(output: str, tree: Path) -> str:
    """Whether a build in @tree has failed because a disk is full: one line that says so, or "". A source can
    make a compiler say it, too, so the disk is asked."""
    if not _FULL.search(output):
        return ""
    try:
        free = shutil.disk_usage(tree).free
    except OSError:
        return ""
    return no_room(tree, free) if free < _ROOM else ""


def no_room(folder: Path, free: int) -> str:
    """One line for a disk that is full."""
    what = f"the disk is full: {folder} has {free >> 20} MiB left"
    return f"{what}; make room there, or build elsewhere: O=DIR (--build-root DIR), TMPDIR=DIR"
