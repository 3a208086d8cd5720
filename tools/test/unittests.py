"""Python's unit tests, each class in a process of its own: results as JSON.

    /usr/bin/python3 -m tools.test.unittests tools.tests.test_cpio.CpioTest

A class with `rest = True` is for `make matrix`; `make test` has no time for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path

from tools.programs import ROOT, clean_environment, last_lines
from tools.test.model import Job, Result

_FOLDERS = ("tools/tests", "grade/tests")
_PREFIX = "results: "


class _Recorder(unittest.TestResult):
    """Keeps every test with its errors."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, str] = {}

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.seen[test.id()] = ""

    def texts(self) -> dict[str, str]:
        for test, text in (*self.failures, *self.errors):
            # A part of a test (subTest) counts as the test; a failed setUpClass stands for itself.
            name = getattr(test, "test_case", test).id()
            self.seen[name] = self.seen.get(name, "") + text
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


def classes(module: str) -> dict[str, bool]:
    """The module's test classes, dotted, and which are the rest; the module itself if it cannot be loaded."""
    suites = unittest.defaultTestLoader.loadTestsFromName(module)
    tests = (test for suite in suites if isinstance(suite, unittest.TestSuite) for test in suite)
    found = {f"{type(t).__module__}.{type(t).__qualname__}": getattr(t, "rest", False) for t in tests}
    return dict(sorted(found.items())) or {module: False}


def jobs(build_root: Path) -> list[Job]:
    def job(name: str, rest: bool) -> Job:
        return Job(f"python {name}", lambda: run_class(name, build_root), rest)

    return [job(name, rest) for module in modules() for name, rest in classes(module).items()]


def run_class(name: str, build_root: Path) -> Iterator[Result]:
    done = subprocess.run(
        [sys.executable, "-m", "tools.test.unittests", name],
        cwd=ROOT,
        env=clean_environment() | {"TRELLIS_BUILD_ROOT": str(build_root)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    line = next((x for x in done.stdout.splitlines()[::-1] if x.startswith(_PREFIX)), None)
    if line is None:
        yield Result(f"python {name}", False, last_lines(done.stdout + done.stderr))
        return
    texts: dict[str, str]
    left_out: dict[str, str]
    texts, left_out = json.loads(line.removeprefix(_PREFIX))
    for test, why in left_out.items():
        print(f"python {test}: left out: {why}", file=sys.stderr)
    for test, text in texts.items():
        yield Result(f"python {test}", not text, last_lines(text))


def main() -> None:
    recorder = _Recorder()
    unittest.defaultTestLoader.loadTestsFromName(sys.argv[1]).run(recorder)
    left_out = {test.id(): why for test, why in recorder.skipped}
    print(_PREFIX + json.dumps([recorder.texts(), left_out]))


if __name__ == "__main__":
    main()
