"""How make test runs Python's unit tests: every test is a result, and skipped tests are reported."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from tools.test.unittests import run_class

_CASES = """
import unittest
class Case(unittest.TestCase):
    def test_right(self): pass
    def test_wrong(self): self.assertEqual(1, 2)
    def test_late(self): self.skipTest("without xz")
    @unittest.skip("without stress-ng")
    def test_never(self): pass
"""


class UnitTestsTest(unittest.TestCase):
    def test_what_is_left_out_is_told(self) -> None:
        said = io.StringIO()
        with tempfile.TemporaryDirectory(prefix="trellis-test-") as folder:
            Path(folder, "cases.py").write_text(_CASES)
            with mock.patch.dict(os.environ, PYTHONPATH=folder), contextlib.redirect_stderr(said):
                results = list(run_class("cases.Case", Path(folder)))
        failed = [result.name for result in results if not result.ok]
        self.assertEqual(len(results), 4)
        self.assertEqual(failed, ["python cases.Case.test_wrong"])
        told = sorted(said.getvalue().splitlines())
        self.assertEqual(told, ["python cases.Case.test_late: left out: without xz",
                                "python cases.Case.test_never: left out: without stress-ng"])  # fmt: skip


if __name__ == "__main__":
    unittest.main()
