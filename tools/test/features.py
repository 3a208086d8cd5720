"""Checks docs/features.md: every file and every test that it names exists.

That a test passes is what `make test` is for; this sees to it that no row promises one that is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tools.test.builds import ROOT
from tools.test.model import Job, Result

_TABLE = ROOT / "docs" / "features.md"
_ROW = re.compile(r"\| (\d+\.\d+) \| (.+) \| (.+) \| (.+) \|")


def known_tests() -> set[str]:
    """As features.md names them."""
    found: set[str] = set()
    folders = ("kernel/**/test_*.c", "arch/*/test_*.c", "labs/*/tests/*.c", "tools/**/test_*.c")
    for path in (path for pattern in folders for path in ROOT.glob(pattern)):
        found.update(re.findall(r'^KTEST(?:_EARLY)?\(\w+, "([^"]+)"', path.read_text(), re.M))
    for path in ROOT.glob("user/tests/*.c"):
        cases = re.findall(r"\bCASE\((\w+)\)", path.read_text())
        found.update(f"user/{path.stem}.{case}" for case in cases)
    found.update(f"model/{path.stem}" for path in ROOT.glob("docs/models/*.pml"))
    found.update(f"tools/{path.stem}" for path in ROOT.glob("tools/tests/test_*.py"))
    return found


def check() -> Iterator[Result]:
    tests = known_tests()
    rows = [match for line in _TABLE.read_text().splitlines() if (match := _ROW.fullmatch(line))]
    for row in rows:
        number, _, where, shown = row.groups()
        places = re.findall(r"`([^`]+)`", where)
        names = re.findall(r"`([^`]+)`", shown)
        wrong = [f"no such file: {place}" for place in places if not (ROOT / place).exists()]
        wrong += [f"no such test: {name}" for name in names if name not in tests]
        if not places or not names:
            wrong.append("names no file or no test")
        yield Result(f"feature {number}", not wrong, "\n".join(wrong))
    yield Result("features: rows", len(rows) > 60, f"{len(rows)} rows understood")


def jobs(_build_root: Path) -> list[Job]:
    return [Job("features", check)] if (ROOT / "docs" / "models").is_dir() else []
