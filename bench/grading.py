"""How fast a class is graded, and where the time goes: by part, in seconds of CPU time and of the clock.

Grades the reference, a variant and some mutants of one lab, as trellis-grade class does, but part by part. A
rate that follows from CPU time is the same on a busy machine; the clock's is not. Nothing is fenced in, since
these kernels are ours and bubblewrap does not say how much CPU time its programs have used.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.report import lines
from grade import engine
from grade.lab import ARCHES, Lab, choose
from grade.mutants import mutants, spread, variants
from grade.results import VERSION, Report, lab_result
from grade.score import score
from grade.submission import Submission
from tools.options import Parser, run_program, to_write
from tools.progress import Progress, Silent, shown

_ROOT = Path(__file__).resolve().parent.parent
_MUTANTS = 3


@dataclass
class Part:
    """Seconds of one part of all gradings. @children: compilers, QEMU, explorer; @own: the grader."""

    clock: float = 0.0
    children: float = 0.0
    own: float = 0.0


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


@contextmanager
def _measured(part: Part) -> Iterator[None]:
    before = time.monotonic(), _cpu(resource.RUSAGE_CHILDREN), _cpu(resource.RUSAGE_SELF)
    yield
    part.clock += time.monotonic() - before[0]
    part.children += _cpu(resource.RUSAGE_CHILDREN) - before[1]
    part.own += _cpu(resource.RUSAGE_SELF) - before[2]


def submissions(root: Path, lab: Lab, arches: Sequence[str]) -> dict[str, dict[str, bytes]]:
    """The kernels to grade, by name: right kernels and wrong ones."""
    tree = {file: (root / file).read_bytes() for file in lab.files}
    # A comment makes it another file: the reference itself would not be compiled.
    first = lab.files[0]
    out = {"reference": tree | {first: tree[first] + b"\n/* graded */\n"}}
    right = [(v.name, v.files) for v in variants(root, lab)[:1]]
    wrong = [(m.name, m.files) for m in spread(mutants(root, lab), arches, _MUTANTS)[:_MUTANTS]]
    return out | {name: {**tree, **files} for name, files in [*right, *wrong]}


def measure(bench: engine.Bench, lab: Lab, progress: Progress) -> dict[str, Part]:
    """The parts of grading all submissions of @lab."""
    chosen = submissions(bench.root, lab, list(bench.references))
    parts = {name: Part() for name in ("build", *engine.places(bench), "report")}
    runs = engine.runs_of(lab, engine.places(bench), None)
    honest = engine.honest(engine.build_reference(bench, [lab], False, progress))
    progress.expect(len(chosen))
    for name, files in chosen.items():
        progress.doing(name)
        with _measured(parts["build"]):
            built = engine.build_submission(bench, lab, honest, Submission(files))
        outcomes = []
        for place in engine.places(bench):
            with _measured(parts[place]):
                there = [run for run in runs if run.arch == place]
                outcomes += engine.run_all(bench, lab, built, there, Silent())
        with _measured(parts["report"]):
            Report(VERSION, None, ARCHES, (lab_result(score(lab, outcomes), bench.layout, None),)).to_json()
        progress.step(name)
    return parts


def table(parts: Mapping[str, Part], count: int, cores: int) -> str:
    """The parts for one submission, and the rates."""
    rows: list[Sequence[str]] = [("part", "CPU s", "of it the grader", "clock s")]
    total = Part()
    for name, part in parts.items():
        rows.append((name, f"{(part.children + part.own) / count:.2f}", f"{part.own / count:.2f}",
                     f"{part.clock / count:.2f}"))  # fmt: skip
        total.clock += part.clock
        total.children += part.children
        total.own += part.own
    cpu = total.children + total.own
    sums = (cpu, total.own, total.clock)
    rows.append(("one submission", *(f"{seconds / count:.2f}" for seconds in sums)))
    return "\n".join([
        lines(rows), "",
        f"{60 * count / total.clock:.1f} submissions a minute by the clock, part by part",
        f"{60 * count * cores / cpu:.1f} a minute on {cores} idle cores, by CPU time",
    ])  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="make bench-grade", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--lab", default="06-kill", help="default: 06-kill")
    parser.add_argument("--arch", choices=(*ARCHES, "all"), default="all")
    parser.add_argument("--build-root", type=Path, default=_ROOT / "build", metavar="DIR")
    parser.add_argument("--json", type=to_write, metavar="FILE", help="write the figures here too")
    options = parser.parse_args(arguments)
    arches = ARCHES if options.arch == "all" else (options.arch,)
    lab = choose(_ROOT, [options.lab])[0]
    bench = engine.set_up(_ROOT, options.build_root, arches, None, trusted=True)
    try:
        with shown() as progress:
            parts = measure(bench, lab, progress)
    finally:
        bench.close()
    count = len(submissions(_ROOT, lab, arches))
    print(table(parts, count, bench.jobs))
    if options.json is not None:
        each = {name: asdict(part) for name, part in parts.items()}
        figures = {"submissions": count, "cores": bench.jobs, "parts": each}
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    run_program("make bench-grade", main)
