"""Builds the simulator: the kernel's policy files with the mechanism of engine.c, for this machine."""

from __future__ import annotations

from pathlib import Path

from tools.hostcc import SIMULATOR_CFLAGS, compile_program

ROOT = Path(__file__).resolve().parent.parent.parent

# The sources that the simulator and its tests have in common.
POLICIES = (
    *(f"kernel/sched/policy/{name}.c" for name in ("policy", "realtime", "rr", "prio", "mlfq", "reserve")),
    *(f"kernel/sched/policy/{name}.c" for name in ("edf", "rm", "fair", "pct")),
    "kernel/base/rbtree.c",
    "tools/simulate/engine.c",
)
_SOURCES = (*POLICIES, "kernel/base/bootargs.c", "tools/simulate/main.c")


class BuildError(Exception):
    """The compiler's output."""


def build(build_root: Path) -> Path:
    """The program, made anew if a source is newer."""
    program = build_root.resolve() / "host" / "simulate"
    folders = ("kernel/include", "kernel/base", "kernel/sched/policy", "tools/simulate")
    inputs = [ROOT / source for source in _SOURCES]
    inputs += [header for folder in folders for header in (ROOT / folder).glob("*.h")]
    newest = max(path.stat().st_mtime for path in inputs)
    if program.exists() and program.stat().st_mtime > newest:
        return program
    done = compile_program(["gcc", *SIMULATOR_CFLAGS, *_SOURCES], program, ROOT)
    if done.returncode:
        raise BuildError(done.stderr)
    return program
