"""Python's unit tests of one module, in a process of their own: results as JSON.

    /usr/bin/python3 -m tools.test.unittests tools.tests.test_cpio
"""

from __future__ import annotations

import json
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path

from tools.test.builds import ROOT, clean_environment
from tools.test.model import Job, Result, last_lines

_FOLDERS = ("tools/tests", "grade/tests", "bench/tests")
_PREFIX = "results: "


class _Recorder(unittest.TestResult):
    """Keeps every test with what went wrong in it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, str] = {}

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.seen[test.id()] = ""

    def texts(self) -> dict[str, str]:
        for test, text in (*self.failures, *self.errors):
            self.seen[test.id()] = self.seen.get(test.id(), "") + text
        for unexpected in self.unexpectedSuccesses:
            self.seen[unexpected.id()] = "unexpected success"
        return self.seen


def modules() -> list[str]:
    """Test modules of all Python parts, dotted."""
    found: list[str] = []
    for folder in _FOLDERS:
        paths = sorted((ROOT / folder).glob("test_*.py"))
        found += [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in paths]
    return found


def jobs(build_root: Path) -> list[Job]:
    def job(module: str) -> Job:
        return Job(f"python {module}", lambda: run_module(module, build_root))

    return [job(module) for module in modules()]


def run_module(module: str, build_root: Path) -> Iterator[Result]:
    done = subprocess.run(
        [sys.executable, "-m", "tools.test.unittests", module],
        cwd=ROOT,
        env=clean_environment() | {"TRELLIS_BUILD_ROOT": str(build_root)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    line = next((x for x in done.stdout.splitlines()[::-1] if x.startswith(_PREFIX)), None)
    if line is None:
        yield Result(f"python {module}", False, last_lines(done.stdout + done.stderr))
        return
    texts: dict[str, str] = json.loads(line.removeprefix(_PREFIX))
    for name, text in texts.items():
        yield Result(f"python {name}", not text, last_lines(text))


def main() -> None:
    recorder = _Recorder()
    unittest.defaultTestLoader.loadTestsFromName(sys.argv[1]).run(recorder)
    print(_PREFIX + json.dumps(recorder.texts()))


if __name__ == "__main__":
    main()
