"""A report in the format of another system: trellis-grade report FILE --as FORMAT.

Each format is a function from a report to text, and says in its module where it is published. Every
property of a lab is one test there, with its points. Like the report itself, the text has no time of day
and no duration in it, so the same submission gives the same bytes on every machine.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grade import report
from grade.formats import page, platforms, streams
from grade.results import Report


@dataclass(frozen=True)
class Format:
    says: str  # one line for --help
    render: Callable[[Report], str]


FORMATS: Mapping[str, Format] = {
    "autolab": Format("Autolab: the report, semantic feedback, the scores as last line", platforms.autolab),
    "classroom50": Format("Classroom 50: result.json; in a student's clone", platforms.classroom50),
    "gradescope": Format("Gradescope: results.json", platforms.gradescope),
    "html": Format("a page for a browser: failures, each with its moment", page.html),
    "junit": Format("JUnit XML, as CI systems read it", streams.junit),
    "prairielearn": Format("PrairieLearn: results.json of an external grader", platforms.prairielearn),
    "submitty": Format("Submitty: validation_results.json of a custom validator", platforms.submitty),
    "tap": Format("Test Anything Protocol, version 14", streams.tap),
}


def described() -> str:
    """All of them, for --help."""
    width = max(map(len, FORMATS))
    return "\n".join(f"  {name:<{width}}  {f.says}" for name, f in FORMATS.items())


FILES: Mapping[str, Callable[[Report], str]] = {
    "report.txt": report.text,
    "report.json": Report.to_json,
    "report.html": page.html,
}


def write(whole: Report, folder: Path) -> None:
    """Writes FILES into @folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, render in FILES.items():
        (folder / name).write_text(render(whole), encoding="utf-8")
