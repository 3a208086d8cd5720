"""The files of the tree that a Python program consists of: itself and all that it imports."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path


def _imports(root: Path, program: str) -> Iterator[str]:
    """The files of the tree that @program imports, with their packages."""
    for node in ast.walk(ast.parse((root / program).read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            parts = name.split(".")
            tried = ["/".join(parts) + ".py"]
            tried += ["/".join(parts[:i]) + "/__init__.py" for i in range(1, len(parts) + 1)]
            yield from (path for path in tried if (root / path).is_file())


def closure(root: Path, programs: Iterable[str]) -> set[str]:
    """@programs and what they import, by path in the tree."""
    found: set[str] = set()
    left = list(programs)
    while left:
        path = left.pop()
        if path not in found:
            found.add(path)
            left += _imports(root, path)
    return found
