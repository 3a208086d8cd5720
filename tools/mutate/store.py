"""Verdicts that are known from earlier: one JSON object on a line, added as soon as it is known.

A record's key names all that its verdict depends on, so a record is never wrong, only unused. A last
line that is not whole, after a crash, is ignored.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_LEFT_OUT = frozenset({"__pycache__", "mutants", "variants", "mistakes", "tests"})


class Store:
    def __init__(self, path: Path, again: bool = False) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, Any]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if again:
            path.unlink(missing_ok=True)
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        for line in text.splitlines():
            try:
                record = json.loads(line)
                self._known[record["key"]] = record
            except (ValueError, KeyError, TypeError):
                continue
        if text and not text.endswith("\n"):
            with path.open("a", encoding="utf-8") as file:
                file.write("\n")

    def get(self, key: str) -> dict[str, Any] | None:
        with self._lock:
            return self._known.get(key)

    def put(self, key: str, **values: Any) -> None:
        record = {"key": key, **values}
        with self._lock:
            self._known[key] = record
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")


def hash_of(
    root: Path, tops: Iterable[str], left_out: frozenset[str] = _LEFT_OUT, tests: bool = True
) -> str:
    """A hash of the names and contents of all files in @tops. @tests: those of tests in the kernel, too."""
    found = hashlib.sha256()
    for top in tops:
        for folder, folders, names in os.walk(root / top):
            folders[:] = sorted(name for name in folders if name not in left_out and name[0] != ".")
            for name in sorted(n for n in names if tests or not n.startswith("test_")):
                _add(found, root, Path(folder, name))
        if (root / top).is_file():
            _add(found, root, root / top)
    return found.hexdigest()[:16]


def hash_of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _add(found: "hashlib._Hash", root: Path, path: Path) -> None:
    found.update(f"{path.relative_to(root)}\0{path.stat().st_size}\0".encode())
    found.update(path.read_bytes())
