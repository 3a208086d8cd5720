"""trellis-grade steady: checks that the verdict is the same every time, however busy the machine is.

Grades one submission again and again, built anew each time, while a process on every core does
nothing but compute. Text and JSON of all reports must be the same to the byte. The report on a
correct kernel is short, so wrong ones are graded too: their reports have times, traces and call
chains. The tree is copied first, so that edits during the gradings have no effect.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import unified_diff
from pathlib import Path

from grade import engine, report
from grade.errors import GraderError
from grade.lab import ARCHES, Lab, choose
from grade.mutants import lay_out, mutants, spread
from tools.progress import shown
from grade.results import VERSION, Report, lab_result

SUMMARY = "grade the same again and again on a busy machine"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lab", action="append", default=[], help="default: all; may be repeated")
    parser.add_argument("--arch", choices=(*ARCHES, "all"), default="all")
    parser.add_argument("--times", type=int, default=10, metavar="N", help="default: 10")
    parser.add_argument(
        "--mutants", type=int, default=2, metavar="N", help="wrong kernels for each lab; default: 2"
    )
    parser.add_argument("--build-root", type=Path, default=Path("build"), metavar="DIR")
    parser.add_argument("--jobs", type=int, metavar="N", help="machines at once; default: cores")


@contextmanager
def busy(count: int) -> Iterator[None]:
    """@count processes that compute as long as the block runs."""
    spinners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


@contextmanager
def _submission(lab: Lab, root: Path, changed: Mapping[str, bytes]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="trellis-steady-") as name:
        lay_out(root, lab, changed, Path(name))
        yield Path(name)


def _graded(bench: engine.Bench, lab: Lab, submission: Path) -> str:
    """The whole report of a grading, as text and as data."""
    with shown() as progress:
        scores = engine.grade(bench, [lab], submission, None, progress)
    results = tuple(lab_result(s, bench.layout, str(submission)) for s in scores)
    whole = Report(VERSION, str(submission), tuple(bench.references), results)
    if any(r.unjudged for r in results):
        raise GraderError("this machine is too slow for some runs")
    return report.text(whole) + whole.to_json()


def _difference(first: str, other: str) -> str:
    lines = unified_diff(first.splitlines(), other.splitlines(), "first", "other", lineterm="", n=1)
    return "\n".join(list(lines)[:20])


@contextmanager
def _frozen(root: Path) -> Iterator[Path]:
    """A copy of the tree that keeps modification times, so that nothing is built a second time."""
    with tempfile.TemporaryDirectory(prefix="trellis-steady-") as name:
        generated = shutil.ignore_patterns("build", ".git", "__pycache__", "node_modules")
        yield Path(shutil.copytree(root, Path(name) / "tree", symlinks=True, ignore=generated))


def run(root: Path, options: argparse.Namespace) -> int:
    with _frozen(root) as tree:
        return _compare(tree, options)


def _compare(root: Path, options: argparse.Namespace) -> int:
    arches = ARCHES if options.arch == "all" else (options.arch,)
    bench = engine.set_up(root, options.build_root, arches, options.jobs)
    failed = 0
    try:
        with busy(bench.jobs):
            for lab in choose(root, options.lab):
                wrong = spread(mutants(root, lab), arches, options.mutants)
                kernels: list[tuple[str, Mapping[str, bytes]]] = [("reference", {})]
                kernels += [(m.name, m.files) for m in wrong]
                for name, files in kernels:
                    with _submission(lab, root, files) as folder:
                        reports = [_graded(bench, lab, folder) for _ in range(options.times)]
                    others = [r for r in reports if r != reports[0]]
                    failed += bool(others)
                    mark = "FAIL" if others else "ok  "
                    print(f"{mark}  {lab.name:<14} {name:<36} {options.times - len(others)} of "
                          f"{options.times} the same, {len(reports[0])} bytes", flush=True)  # fmt: skip
                    if others:
                        print(_difference(reports[0], others[0]))
    finally:
        bench.close()
    print(f"{failed} differ")
    return 1 if failed else 0
