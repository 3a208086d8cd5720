"""Where the tests of the tools find what they need."""

from __future__ import annotations

import os
import subprocess
import unittest
from pathlib import Path

from tools.programs import ROOT, clean_environment
from tools.test import builds

BUILD_ROOT = Path(os.environ.get("TRELLIS_BUILD_ROOT", ROOT / "build")).resolve()


def make(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """make in the tree, building where `make test` does."""
    return subprocess.run(
        ["make", f"O={BUILD_ROOT}", *words],
        cwd=ROOT,
        env=clean_environment() | (env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def run(
    arch: str, *options: str, cmd: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """tools/run with the debug kernel of @arch."""
    build = BUILD_ROOT / arch / "debug"
    return subprocess.run(
        [ROOT / "tools/run", "--arch", arch, "--build-dir", build, *options, "--cmd", cmd],
        cwd=ROOT,
        env=clean_environment() | (env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


class Explorer(unittest.TestCase):
    """Tests that need the explorer."""

    @classmethod
    def setUpClass(cls) -> None:
        builds.explorer(BUILD_ROOT)
