"""How programs are compiled for this machine, some of which several jobs may need at the same time."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

# Units of the kernel, and those of user space that need no kernel, for tests; the simulator.
CFLAGS = (
    *("-std=gnu11", "-O1", "-g", "-ffreestanding", "-fno-builtin", "-Wall", "-Wextra", "-Werror"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"),
    *("-Ikernel/include", "-Ikernel", "-Itools/host/port"),
    *("-include", "tools/host/rename.h"),
    # tools/host/port has those inline functions of arch.h that these units call.
    *("-DTRELLIS_DEBUG=1", "-DTRELLIS_TESTS=1", "-Wno-unused-function"),
)
SHELL_CFLAGS = (
    *("-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Iuser/bin/sh"),
    "-Iuser/libc",
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"),
)
SIMULATOR_CFLAGS = (
    *("-std=gnu11", "-O2", "-g", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-fno-strict-aliasing"),
    "-Wno-unused-function",
    # for "string.h"; <string.h> is the C library's
    *("-iquote", "kernel/include", "-iquote", "kernel", "-iquote", "tools/host/port"),
    *("-DTRELLIS_DEBUG=1", "-DTRELLIS_TESTS=0"),
)


def compile_program(
    argv: Sequence[str], program: Path, folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs compiler @argv for @program, which gets its name only when it is complete: other jobs may be
    building or running it at the same time."""
    program.parent.mkdir(parents=True, exist_ok=True)
    new = program.with_name(f"{program.name}.{os.getpid()}.{threading.get_ident()}")
    done = subprocess.run(
        [*argv, "-o", str(new)], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        new.replace(program)
    return done
