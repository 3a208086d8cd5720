"""Finds the source line that wrote a record, by the record's words, when a timeline is made.

The kernel records no program counters for this. A change of state carries its reason, a string that
one or a few calls pass; every other event has the calls of trace() that name it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from tools import syscalls

_FOLDERS = ("kernel", "arch")
_REASONED = re.compile(r'\b(?:thread_set_state|sched_make_ready)\([^;{]*?"((?:[^"\\]|\\.)*)"', re.S)
_TRACED = re.compile(r"\btrace\([^;{]*?\bTRACE_EV_(\w+)", re.S)


class Sources:
    """The kernel's sources below @root."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def reason(self, words: str) -> str:
        """The places that pass @words as a reason: "kernel/process/kill.c:49", or several, or ""."""
        return self._reasons.get(words, "")

    def event(self, name: str) -> str:
        """The places that record an event other than a change of state."""
        return self._events.get(name, "")

    def syscalls(self, arch: str) -> dict[int, str]:
        if not (self._root / syscalls.TABLE).is_file():
            return {}
        return {number: name for name, number in syscalls.numbers(self._root, arch).items()}

    @cached_property
    def _reasons(self) -> dict[str, str]:
        return self._find(_REASONED)

    @cached_property
    def _events(self) -> dict[str, str]:
        return {name.lower(): where for name, where in self._find(_TRACED).items()}

    def _find(self, pattern: re.Pattern[str]) -> dict[str, str]:
        found: dict[str, list[str]] = {}
        for path, text in self._texts():
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.end(1)) + 1
                found.setdefault(match[1], []).append(f"{path}:{line}")
        return {words: ", ".join(places) for words, places in found.items()}

    def _texts(self) -> Iterator[tuple[str, str]]:
        for folder in _FOLDERS:
            for path in sorted((self._root / folder).rglob("*.c")):
                text = path.read_text(encoding="utf-8", errors="replace")
                yield path.relative_to(self._root).as_posix(), text
