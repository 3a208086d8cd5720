"""Compiles programs for this machine that several jobs may need at the same time."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path


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
