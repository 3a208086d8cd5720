"""The command trellis-grade similar."""

import argparse
from pathlib import Path

from grade.course import roster
from grade.errors import GraderError
from grade.lab import choose
from grade.similar import pages, sources, tool
from tools.options import counted, file, handed_in

SUMMARY = "find submissions with more in common than right solutions must have"
HELP = f"""\
Writes a report of the pairs of submissions that are alike: index.html with all pairs above the threshold,
clusters, and a distribution of all scores; and for each pair a page with both sides. The pages need no
network and no server. A score is a reason to look, not a verdict.

  trellis-grade similar handins --lab 06-kill --out alike       the entries that `class` takes
  trellis-grade similar class.db --lab 06-kill --out alike      the hand-ins that `class` has stored
  trellis-grade similar handins --lab 06-kill --earlier 2025/class.db --earlier 2024/handins --out alike

Names, comments, layout and the order of functions mean nothing. The starter's code does not count, and what
the reference has too next to nothing. An earlier cohort is compared with this year's, but not with itself.

It needs Node.js, and npm packages that are installed by: npm ci --prefix grade/similar

Exit status: 0 the report is written; 2 something could not be done, and one line says what.
"""


def _per_cent(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 100:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text}: must be a number of per cent, from 1 to 100")


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("submissions", type=handed_in, metavar="SUBMISSIONS", help="a folder, or a class.db")
    parser.add_argument("--lab", required=True)
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument("--earlier", action="append", default=[], type=handed_in, metavar="PATH",
                        help="the same of an earlier year; may be repeated")  # fmt: skip
    parser.add_argument("--threshold", type=_per_cent, default=tool.THRESHOLD, metavar="N",
                        help=f"pairs to list, in per cent; default: {tool.THRESHOLD}")  # fmt: skip
    parser.add_argument("--roster", type=file, metavar="FILE", help="CSV with the header id,name,email")


def run(root: Path, options: argparse.Namespace) -> int:
    lab = choose(root, [options.lab])[0]
    students = roster.read(options.roster) if options.roster else []
    cohort = sources.read(options.submissions, lab, students)
    earlier = [e for place in options.earlier for e in sources.read_earlier(place, lab)]
    there = [e for e in cohort if e.files is not None]
    before = [e for e in earlier if e.files is not None]
    if not there:
        raise GraderError(f"{options.submissions}: has no submission of {lab.name} that can be compared")
    found = tool.compare(root, lab, [e.files or {} for e in there], [e.files or {} for e in before],
                         options.threshold)  # fmt: skip
    report = pages.Report(lab.name, tuple([*there, *before]), len(there),
                          tuple(e for e in [*cohort, *earlier] if e.files is None), found, options.threshold)
    written = pages.write(report, options.out)
    alike = len(report.alike)
    print(f"{counted(len(there), 'submission')}"
          + (f" and {len(before)} of earlier years" if before else "")
          + f": {counted(alike, 'pair')} at {options.threshold} % or more; {counted(len(written), 'file')}"
          f" in {options.out}: open {options.out / 'index.html'}")  # fmt: skip
    return 0
