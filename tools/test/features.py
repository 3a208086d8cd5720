"""Checks docs/features.md: every file that it names exists, and every test has been run and passed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tools.programs import ROOT
from tools.test.model import Job, Result

_TABLE = ROOT / "docs" / "features.md"
_KTEST = re.compile(r'^KTEST(?:_EARLY)?\(\w+, "([^"]+)", (\S*),', re.M)
_ROW = re.compile(r"\| (\d+\.\d+) \| (.+) \| (.+) \| (.+) \|")


def known_tests() -> dict[str, str]:
    """The tests as features.md names them, each with the job that runs it: the test itself, its program,
    the checkpoints or the grading of its lab, or the Python test that says how the kernel must stop."""
    found: dict[str, str] = {}
    python = {path.stem: path.read_text() for path in ROOT.glob("tools/tests/test_*.py")}
    folders = ("kernel/**/test_*.c", "arch/*/test_*.c", "labs/*/tests/*.c", "tools/**/test_*.c")
    for path in (path for pattern in folders for path in ROOT.glob(pattern)):
        for name, step in _KTEST.findall(path.read_text()):
            found[name] = f"lab/{path.parent.parent.name}" if path.parent.name == "tests" else name
            if step == "STEP":
                found[name] = next((f"tools/{file}" for file, text in python.items() if name in text), "")
    for path in ROOT.glob("user/tests/*.c"):
        for case in re.findall(r"\bCASE\((\w+)\)", path.read_text()):
            found[f"user/{path.stem}.{case}"] = f"user/{path.stem}"
    names = [f"model/{path.stem}" for path in ROOT.glob("docs/models/*.pml")]
    return found | {name: name for name in [*names, *(f"tools/{file}" for file in python)]}


def passed(results: Sequence[Result]) -> set[str]:
    """The jobs of @results that did not fail, named as in known_tests()."""
    found: dict[str, list[bool]] = {}
    for result in results:
        kind, *words = result.name.split()
        key = {
            "kernel": words[-1],
            "user": f"user/{words[-1]}",
            "host": words[0],
            "lab": f"lab/{words[0]}",
            "handout": f"lab/{words[0]}",
            "model": f"model/{words[0].rstrip(':')}",
            "python": "tools/" + words[0].split(".")[2] if words[0].count(".") > 1 else "",
        }.get(kind, "")
        found.setdefault(key, []).append(result.ok)
    return {key for key, oks in found.items() if all(oks)}


def check(results: Sequence[Result]) -> Iterator[Result]:
    """Checks features.md against @results, those of all tests; empty if only some tests were run."""
    tests = known_tests()
    good = passed(results) if results else set(tests.values())
    rows = [match for line in _TABLE.read_text().splitlines() if (match := _ROW.fullmatch(line))]
    for row in rows:
        number, _, where, shown = row.groups()
        places = re.findall(r"`([^`]+)`", where)
        names = re.findall(r"`([^`]+)`", shown)
        wrong = [f"no such file: {place}" for place in places if not (ROOT / place).exists()]
        wrong += [f"no such test: {name}" for name in names if name not in tests]
        wrong += [f"not run, or failed: {name}" for name in names if tests.get(name) not in {None, *good}]
        if not places or not names:
            wrong.append("names no file or no test")
        yield Result(f"feature {number}", not wrong, "\n".join(wrong))
    yield Result("features: rows", len(rows) > 60, f"{len(rows)} rows understood")


def jobs(results: Sequence[Result]) -> list[Job]:
    return [Job("features", lambda: check(results))] if (ROOT / "docs" / "models").is_dir() else []
