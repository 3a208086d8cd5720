"""The part of a report that all formats show: a row for each property."""

from collections.abc import Sequence
from dataclasses import dataclass

from grade import report
from grade.results import LabResult, PropertyResult, Report
from grade.verdict import Kind


@dataclass(frozen=True)
class Row:
    lab: str
    result: PropertyResult
    told: str  # why it lost points; "": it lost none

    @property
    def passed(self) -> bool:
        return self.result.earned == self.result.points

    @property
    def name(self) -> str:
        return f"{self.result.id} {self.result.text}"

    @property
    def step(self) -> str:
        return f"step {self.result.step}"


def of_lab(lab: LabResult) -> list[Row]:
    return [Row(lab.name, p, report.told_of(lab, p)) for p in lab.properties]


def of(whole: Report) -> list[Row]:
    return [row for lab in whole.labs for row in of_lab(lab)]


def in_one_line(whole: Report) -> str:
    """The points, and whether all runs could be judged."""
    line = f"{report.points(whole.earned)} of {report.points(whole.points)} points"
    unjudged = sum(len(lab.unjudged) for lab in whole.labs)
    return f"{line}; {unjudged} runs not judged, as the machine was too slow" if unjudged else line


def build_errors(whole: Report) -> list[str]:
    """The words of compiler and linker, if there is no kernel to test."""
    failures = [f for lab in whole.labs for f in lab.failures if f.kind == Kind.BUILD.value]
    return [line for f in failures for line in f.details]


def cut(text: str, limit: int) -> str:
    """At most @limit bytes of UTF-8 of @text, of whole lines, and a note if there was more."""
    note = "\n[cut: the whole report is longer]"
    if len(text.encode()) <= limit:
        return text
    kept = text.encode()[: max(0, limit - len(note))].decode(errors="ignore")
    return kept.rpartition("\n")[0] + note


def share(limit: int, rows: Sequence[Row]) -> int:
    """The bytes of @limit for each of @rows that has something to tell."""
    return limit // max(1, sum(1 for row in rows if row.told))
