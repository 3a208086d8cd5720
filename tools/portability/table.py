"""The outcome: gradings compared within a distribution and between them, and the table of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.portability.distributions import DISTRIBUTIONS, Distribution
from tools.test.model import Result

Report = Mapping[str, Any]


def verdicts(report: Report) -> dict[str, Any]:
    """The part that must be the same everywhere: points, and which runs of which test passed. Figures in
    instructions depend on the compiler too."""
    return {
        lab["name"]: {
            "points": (lab["earned"], lab["points"]),
            "properties": [(p["id"], p["earned"]) for p in lab["properties"]],
            "tests": [(t["arch"], t["name"], t["passed"], t["runs"]) for t in lab["tests"]],
            "failures": [(f["arch"], f["test"], f["kind"]) for f in lab["failures"]],
            "unjudged": lab["unjudged"],
        }
        for lab in report["labs"]
    }


def lost(report: Report) -> list[str]:
    """The properties that earned less than they are worth."""
    return [p["id"] for lab in report["labs"] for p in lab["properties"] if p["earned"] < p["points"]]


def gradings(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.json"))]


def within(which: Distribution, folder: Path) -> Iterator[Result]:
    texts = gradings(folder)
    same = sum(text == texts[0] for text in texts)
    if texts:
        yield Result(f"{which.title}: {same} of {len(texts)} gradings are the same", same == len(texts),
                     f"compare the files in {folder}")  # fmt: skip


def wrong(folder: Path) -> dict[str, Report]:
    """Reports on wrong solutions, by lab and name."""
    return {path.stem: json.loads(path.read_bytes()) for path in sorted((folder / "wrong").glob("*.json"))}


def _of_labs(folder: Path) -> dict[str, Any]:
    texts = gradings(folder)
    return verdicts(json.loads(texts[0])) if texts else {}


def between(folder: Path, tried: Sequence[Distribution]) -> Iterator[Result]:
    """Every distribution's verdicts on the labs against the first one's."""
    seen = {which: found for which in tried if (found := _of_labs(folder / which.name))}
    for which in list(seen)[1:]:
        first = next(iter(seen))
        names = sorted(seen[first].keys() | seen[which].keys())
        differ = [name for name in names if seen[first].get(name) != seen[which].get(name)]
        same = f"{len(names) - len(differ)} of {len(names)}"
        yield Result(f"{which.title}: {same} labs have the verdicts and points of {first.title}",
                     not differ, f"they differ in {', '.join(differ)}")  # fmt: skip


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.exists() else "-"


def row(which: Distribution, folder: Path) -> str:
    texts = gradings(folder)
    versions = dict(line.rsplit(" ", 1) for line in _read(folder / "versions").splitlines() if " " in line)
    labs = json.loads(texts[0])["labs"] if texts else []
    points = ", ".join(f"{lab['earned']:g}" for lab in labs) or "-"
    same = f"{sum(text == texts[0] for text in texts)} of {len(texts)}" if texts else "-"
    gcc = f"{versions.get('GCC for RISC-V', '-')}, {versions.get('GCC for x86_64', '-')}"
    cells = [which.title, versions.get("QEMU", "-"), gcc, same, points]
    cells.append(_read(folder / "test"))
    return f"| {' | '.join(cells)} |"


def table(folder: Path) -> str:
    """Of everything that lies in @folder, also of earlier runs."""
    graded = [texts[0] for which in DISTRIBUTIONS if (texts := gradings(folder / which.name))]
    tried = [which for which in DISTRIBUTIONS
             if gradings(folder / which.name) or (folder / which.name / "test").exists()]  # fmt: skip
    if not tried:
        return "nothing has been graded or tested"
    labs = [lab["name"] for lab in json.loads(graded[0])["labs"]] if graded else []
    points = f"points: {', '.join(labs)}" if labs else "points"
    head = f"| | QEMU | GCC riscv, x86_64 | same JSON | {points} | make test |"
    rows = [row(which, folder / which.name) for which in tried]
    return "\n".join([head, "|---|---|---|---|---|---|", *rows, *_table_of_wrong(folder)])


def _table_of_wrong(folder: Path) -> Iterator[str]:
    """Wrong solutions, what each loses, and what is left of the points on each distribution."""
    reports = {which: found for which in DISTRIBUTIONS if (found := wrong(folder / which.name))}
    if not reports:
        return
    yield f"\n| wrong solution | loses | {' | '.join(which.title for which in reports)} |"
    yield "|---|---|" + "---|" * len(reports)
    for name in sorted({name for found in reports.values() for name in found}):
        told = [found.get(name) for found in reports.values()]
        loses = dict.fromkeys(", ".join(lost(report)) for report in told if report)
        points = [f"{sum(lab['earned'] for lab in r['labs']):g}" if r else "-" for r in told]
        yield f"| {name} | {' or '.join(loses)} | {' | '.join(points)} |"
