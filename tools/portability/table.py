"""What came out: gradings compared within a distribution and between them, and the table of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.portability.distributions import DISTRIBUTIONS, Distribution
from tools.test.model import Result

Report = Mapping[str, Any]


def verdicts(report: Report) -> dict[str, Any]:
    """What must be the same everywhere: points, and which runs of which test passed. What a test measures
    in instructions is the compiler's too."""
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


def gradings(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.json"))]


def within(which: Distribution, folder: Path) -> Iterator[Result]:
    texts = gradings(folder)
    same = sum(text == texts[0] for text in texts)
    if texts:
        yield Result(f"{which.title}: {same} of {len(texts)} gradings are the same", same == len(texts),
                     f"compare the files in {folder}")  # fmt: skip


def between(folder: Path, tried: Sequence[Distribution]) -> Iterator[Result]:
    """Every distribution's verdicts against the first one's."""
    graded = [which for which in tried if gradings(folder / which.name)]
    seen = [verdicts(json.loads(gradings(folder / which.name)[0])) for which in graded]
    for which, other in zip(graded[1:], seen[1:], strict=True):
        differ = [lab for lab in other if other[lab] != seen[0].get(lab)]
        yield Result(f"{which.title}: verdicts and points are those of {graded[0].title}",
                     not differ and other.keys() == seen[0].keys(),
                     f"they differ in {', '.join(differ) or 'the labs graded'}")  # fmt: skip


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.exists() else "-"


def row(which: Distribution, folder: Path) -> str:
    texts = gradings(folder)
    versions = dict(line.rsplit(" ", 1) for line in _read(folder / "versions").splitlines() if " " in line)
    report = json.loads(texts[0])
    points = ", ".join(f"{lab['earned']:g}" for lab in report["labs"])
    same = sum(text == texts[0] for text in texts)
    gcc = f"{versions.get('GCC for RISC-V', '-')}, {versions.get('GCC for x86_64', '-')}"
    cells = [which.title, versions.get("QEMU", "-"), gcc, f"{same} of {len(texts)}", points]
    cells.append(_read(folder / "test"))
    return f"| {' | '.join(cells)} |"


def table(folder: Path) -> str:
    """Of everything that lies in @folder, also of earlier runs."""
    graded = [which for which in DISTRIBUTIONS if gradings(folder / which.name)]
    if not graded:
        return "nothing has been graded"
    labs = [lab["name"] for lab in json.loads(gradings(folder / graded[0].name)[0])["labs"]]
    head = f"| | QEMU | GCC riscv, x86_64 | same JSON | points: {', '.join(labs)} | make test |"
    rows = [row(which, folder / which.name) for which in graded]
    return "\n".join([head, "|---|---|---|---|---|---|", *rows])
