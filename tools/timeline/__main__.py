"""Timelines; see python3 -m tools.timeline --help."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grade.errors import GraderError
from tools.boot import End, Outcome
from tools.options import STATUS_USAGE, Parser, counted, run_program
from tools.runner import STATUS_NO_QEMU, STATUS_PANIC, STATUS_TIMEOUT, machine_of, pass_on
from tools.runner import parse_options as run_options
from tools.timeline.from_trace import from_trace
from tools.timeline.model import BadModel, Model, from_json
from tools.timeline.output import write
from tools.timeline.record import record

_ROOT = Path(__file__).resolve().parent.parent.parent

_HELP = """\
Draws what every CPU and every thread did:

  python3 -m tools.timeline --out kill.html --arch x86_64 --cmd 'yes > /dev/null & sleep 0.002; kill $!'
  python3 -m tools.timeline --out tasks.html --from tasks.model.json

FILE.html is a page for a browser, FILE.json is for ui.perfetto.dev, FILE.model.json is the model
itself (tools/timeline/model.py describes it). Options that are not listed are those of tools/run.
The command runs deterministically; its output comes through, and the exit status is that of tools/run.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(
        prog="python3 -m tools.timeline",
        usage="python3 -m tools.timeline --out FILE [--from MODEL | --cmd CMD ...]",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", action="append")
    parser.add_argument("--from", type=Path, dest="model", metavar="MODEL", help="a model as JSON")
    parser.add_argument("--title", metavar="TEXT", help="the command if not said")
    options, rest = parser.parse_known_args(arguments)
    for path in options.out:
        if path.suffix not in (".html", ".json"):
            parser.error(f"{path}: the name must end with .html, .json or .model.json")
        if not path.absolute().parent.is_dir():
            parser.error(f"{path.absolute().parent}: no such directory")
    try:
        if options.model is not None:
            if rest:
                parser.error(f"--from takes nothing else, but there is {rest[0]}")
            model, status = from_json(options.model.read_text(encoding="utf-8")), 0
        else:
            model, status = _run(rest, options.title)
            if not model.records:
                print("timeline: there is no trace to draw", file=sys.stderr)
                return status or STATUS_PANIC
        for path in options.out:
            write(model, path)
    except (OSError, BadModel, GraderError) as error:
        print(f"timeline: {error}", file=sys.stderr)
        return STATUS_USAGE
    for path in options.out:
        size = path.stat().st_size
        print(f"timeline: {path}, {size / 1e6:.1f} MB, {len(model.records)} records", file=sys.stderr)
    return status


def _run(arguments: Sequence[str], title: str | None) -> tuple[Model, int]:
    options = run_options(arguments)
    with tempfile.TemporaryDirectory(prefix="trellis-") as folder:
        machine = machine_of(options, Path(folder))
        seen = record(machine, _ROOT, options.timeout, pass_on)
    words = f"{options.arch}, {counted(options.cpus, 'CPU')}"
    if options.sched:
        words += f", sched={options.sched}"
    if options.bootargs:
        words += f", {options.bootargs}"
    tests = [word for word in options.bootargs.split() if word.startswith(("test=", "selftest="))]
    name = title or " ".join(tests) or options.cmd or "boot"
    model = from_trace(seen.trace, seen.layout, seen.elf, _ROOT, options.arch, name, words)
    return replace(model, cpus_at_least=options.cpus), _status(seen.outcome)


def _status(outcome: Outcome) -> int:
    known = {End.PANIC: STATUS_PANIC, End.TIMEOUT: STATUS_TIMEOUT, End.NO_QEMU: STATUS_NO_QEMU}
    if outcome.end is End.OFF and outcome.exit_status is not None:
        return outcome.exit_status
    return known.get(outcome.end, STATUS_PANIC)


if __name__ == "__main__":
    run_program("timeline", main)
