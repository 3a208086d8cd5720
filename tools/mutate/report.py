"""The result of a run: a table by operator, the survivors, the score; as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from tools.mutate.equivalent import Entry
from tools.mutate.killers import Verdict
from tools.mutate.mutants import Mutant
from tools.mutate.operators import GROUPS, NAMES, group_of
from tools.options import counted

VERSION = 1


class Fate(Enum):
    BROKEN = "does not compile"
    SAME = "same code"
    TWIN = "same code as another mutant"
    EXPLORER = "killed by the explorer"
    QEMU = "killed under QEMU"
    BOTH = "killed by the explorer and under QEMU"
    EQUAL = "equivalent"
    SURVIVED = "survived"
    UNASKED = "survived the explorer; not yet run under QEMU"
    WAITING = "not judged"


_COLUMNS = (
    ("compile", None),
    ("same", Fate.SAME),
    ("twin", Fate.TWIN),
    ("explorer", Fate.EXPLORER),
    ("QEMU", Fate.QEMU),
    ("both", Fate.BOTH),
    ("equal", Fate.EQUAL),
    ("left", Fate.SURVIVED),
    ("unasked", Fate.UNASKED),
)
KILLED = (Fate.EXPLORER, Fate.QEMU, Fate.BOTH)
_RARE = (Fate.BOTH, Fate.UNASKED)  # columns that most tables do without
LEFT = (Fate.SURVIVED, Fate.UNASKED)
_JUDGED = (*KILLED, Fate.EQUAL, *LEFT)


@dataclass
class Result:
    mutant: Mutant
    fate: Fate
    verdict: Verdict | None = None  # the last one
    entry: Entry | None = None  # that calls it equivalent
    like: str = ""  # the twin's id
    explorer_only: bool = False  # each port runs the kernel's own instructions


@dataclass
class Outcome:
    """The whole of a run."""

    title: str
    results: list[Result] = field(default_factory=list)
    missed: list[tuple[str, int, str]] = field(default_factory=list)  # lines that no mutant changes
    stale: list[tuple[Entry, str]] = field(default_factory=list)  # entries, and what is wrong with them
    seconds: float = 0.0

    def of(self, *fates: Fate) -> list[Result]:
        return [r for r in self.results if r.fate in fates]

    @property
    def score(self) -> float:
        """Of the mutants that were judged and are not known to be equivalent, the part that was killed."""
        killed, left = len(self.of(*KILLED)), len(self.of(*LEFT))
        return killed / (killed + left) if killed + left else 1.0

    @property
    def good(self) -> bool:
        return not self.of(*LEFT) and not self.missed and not self.stale


def killed_by(verdicts: Iterable[Verdict]) -> Fate:
    """@verdicts: all that kill."""
    explorer = [verdict.killer == "explorer" for verdict in verdicts]
    return Fate.EXPLORER if all(explorer) else Fate.BOTH if any(explorer) else Fate.QEMU


def _columns(outcome: Outcome) -> list[tuple[str, Fate | None]]:
    return [(title, fate) for title, fate in _COLUMNS if fate not in _RARE or outcome.of(fate)]


def _counts(results: Sequence[Result], columns: Sequence[tuple[str, Fate | None]]) -> list[int]:
    """One number for each column; without a fate, the mutants that compile."""
    fates = [r.fate for r in results]
    return [fates.count(fate) if fate else len(fates) - fates.count(Fate.BROKEN) for _, fate in columns]


def table(outcome: Outcome) -> Iterator[str]:
    """One line for each operator that made something, and the sum."""
    columns = _columns(outcome)
    yield "operator        made " + " ".join(f"{title:>8}" for title, _ in columns)
    for name in (*NAMES, "all"):
        mine = [r for r in outcome.results if name in ("all", r.mutant.operator)]
        if mine:
            yield f"{name:<15} {len(mine):>4} " + " ".join(f"{n:>8}" for n in _counts(mine, columns))


def markdown(outcome: Outcome, by_folder: bool = False) -> str:
    """For a document: a row for each group of operators or for each folder, and the mutants that are left."""
    shown = _columns(outcome)[3:]
    kind, of = ("folder", _folder) if by_folder else ("group", _group)
    rows = [[kind, "judged", *(title for title, _ in shown)], ["---", *["---:"] * (len(shown) + 1)]]
    every = outcome.of(*_JUDGED)
    names = sorted({_folder(r) for r in every}) if by_folder else GROUPS
    for name in (*names, "all"):
        judged = [r for r in every if name in ("all", of(r))]
        if judged:
            rows.append([name, *map(str, [len(judged), *_counts(judged, shown)])])
    left = [f"- `{r.mutant.id}`: {r.mutant.what}" for r in outcome.of(*LEFT)]
    left += [f"- {fault}" for fault in faults(outcome)]
    parts = [[f"| {' | '.join(row)} |" for row in rows], left, [last_line(outcome)]]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _group(r: Result) -> str:
    return group_of(r.mutant.operator, r.mutant.path)


def _folder(r: Result) -> str:
    return f"`{Path(r.mutant.path).parent}`"


_UNNOTICED = (
    (Fate.SURVIVED, "survivors, which no test notices:"),
    (Fate.UNASKED, "not noticed by the explorer, and not yet run under QEMU:"),
)


def survivors(outcome: Outcome) -> Iterator[str]:
    for fate, title in _UNNOTICED:
        found = outcome.of(fate)
        if found:
            yield title
        for r in found:
            m = r.mutant
            yield f"  {m.path}:{m.line}: {m.operator}: {m.what}"
            yield f"      id      {m.id}"
            yield f"      before  {m.removed or '(nothing)'}"
            yield f"      after   {m.added or '(nothing)'}"
            if r.verdict is not None and r.verdict.evidence:
                yield f"      asked   {r.verdict.evidence}"


def faults(outcome: Outcome) -> Iterator[str]:
    for entry, why in outcome.stale:
        yield f"stale entry: {why}: {entry}"
    for path, line, text in outcome.missed:
        yield f"{path}:{line}: no mutant changes this line: {text}"


def last_line(outcome: Outcome) -> str:
    killed, left = len(outcome.of(*KILLED)), len(outcome.of(*LEFT))
    parts = [f"{outcome.title}: {killed} of {killed + left} mutants killed, {100 * outcome.score:.1f} %"]
    if equal := outcome.of(Fate.EQUAL):
        parts.append(f"{len(equal)} equivalent")
    if waiting := outcome.of(Fate.WAITING):
        parts.append(f"{len(waiting)} not judged")
    if outcome.stale:
        parts.append(counted(len(outcome.stale), "stale entry").replace("entrys", "entries"))
    if outcome.missed:
        parts.append(f"{counted(len(outcome.missed), 'line')} without a mutant")
    return "; ".join(parts)


def text(outcome: Outcome) -> str:
    parts = [list(table(outcome)), list(survivors(outcome)), list(faults(outcome)), [last_line(outcome)]]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def so_far(results: Sequence[Result]) -> str:
    """For Ctrl-C, in one line."""
    judged = [r for r in results if r.fate in _JUDGED]
    killed = sum(r.fate in KILLED for r in judged)
    waiting = sum(r.fate is Fate.WAITING for r in results)
    return (
        f"{len(judged)} of {len(judged) + waiting} mutants judged, {killed} killed, "
        f"{sum(r.fate in LEFT for r in judged)} survived; the same command goes on from here"
    )


def to_json(outcome: Outcome) -> str:
    data: Mapping[str, object] = {
        "version": VERSION,
        "title": outcome.title,
        "score": round(outcome.score, 4),
        "seconds": round(outcome.seconds, 1),
        "missed": [{"file": path, "line": line, "text": text} for path, line, text in outcome.missed],
        "stale": [{"entry": str(entry), "why": why} for entry, why in outcome.stale],
        "mutants": [_one(r) for r in outcome.results],
    }
    return json.dumps(data, indent=1) + "\n"


def _one(r: Result) -> dict[str, object]:
    m = r.mutant
    out: dict[str, object] = {"id": m.id, "what": m.what, "fate": r.fate.value, "diff": m.diff}
    if r.verdict is not None:
        out |= {"killer": r.verdict.killer, "evidence": r.verdict.evidence}
        out["seconds"] = round(r.verdict.seconds, 2)
    if r.entry is not None:
        out["reason"] = r.entry.reason
    if r.like:
        out["like"] = r.like
    return out
