"""Texts of answers: the output of `calls`, by case; the record of Linux's; the differences of two."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
RECORD = FOLDER / "record"

Answers = dict[str, str]  # by the case's name, "pipe.read_empty": its lines

_OLD = "x86_64"  # the file with calls that only this port has


def parse(text: str) -> Answers:
    found: Answers = {}
    for part in re.split(r"^== ", text, flags=re.M)[1:]:
        name, _, lines = part.partition("\n")
        found[name.strip()] = lines
    return found


def is_old(case: str) -> bool:
    """Whether the case makes a call that only x86_64 has."""
    return case.startswith(f"{_OLD}.")


def format_answers(answers: Mapping[str, str]) -> str:
    return "".join(f"== {name}\n{lines}" for name, lines in answers.items())


def recorded(arch: str) -> Answers:
    """Linux's answers on @arch: one text for each file of cases."""
    found: Answers = {}
    for path in sorted(RECORD.glob("*.txt")):
        if path.stem != _OLD or arch == "x86_64":
            found |= parse(path.read_text(encoding="utf-8"))
    return found


def record(answers: Mapping[str, str]) -> None:
    """Makes @answers the record, and removes texts of files that are gone."""
    files: dict[str, Answers] = {}
    for name, lines in answers.items():
        files.setdefault(name.partition(".")[0], {})[name] = lines
    RECORD.mkdir(exist_ok=True)
    for path in RECORD.glob("*.txt"):
        if path.stem not in files:
            path.unlink()
    for stem, cases in files.items():
        (RECORD / f"{stem}.txt").write_text(format_answers(cases), encoding="utf-8")


_SHOWN = 6  # lines of one case


@dataclass(frozen=True)
class Difference:
    """A case, and the lines in which the answers differ: their number, Linux's and ours."""

    case: str
    lines: tuple[tuple[int, str, str], ...]

    def __str__(self) -> str:
        shown = [f"{self.case}"]
        for number, linux, got in self.lines[:_SHOWN]:
            shown += [f"  line {number}", f"    Linux:   {linux}", f"    Trellis: {got}"]
        more = len(self.lines) - _SHOWN
        return "\n".join(shown + ([f"  and {more} lines more"] if more > 0 else []))


def differences(linux: Mapping[str, str], got: Mapping[str, str]) -> Iterator[Difference]:
    for case in [*linux, *(case for case in got if case not in linux)]:
        if case not in got:
            yield Difference(case, ((0, "(recorded)", "(no such case)"),))
        elif case not in linux:
            yield Difference(case, ((0, "(not recorded: python3 -m tools.diff --record)", "(a case)"),))
        elif linux[case] != got[case]:
            lines = zip_longest(linux[case].split("\n"), got[case].split("\n"), fillvalue="(nothing more)")
            told = ((n, a, b) for n, (a, b) in enumerate(lines, start=1) if a != b)
            yield Difference(case, tuple(told))


def listed(name: str) -> dict[str, str]:
    """Names with a reason each, from a list of this folder: `case: why`, and comments after a #."""
    found: dict[str, str] = {}
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            case, _, why = line.partition(": ")
            if not why.strip():
                raise ValueError(f"{name}: no reason is given: {line!r}")
            found[case.strip()] = why.strip()
    return found
