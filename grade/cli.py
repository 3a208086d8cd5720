"""trellis-grade: the commands."""

import argparse
import errno
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from grade import engine, replay, report
from grade.build import BuildFailed, Product
from grade.errors import GraderError
from grade.formats import FILES, FORMATS, described, write
from grade.home import MARK, Home, home, present_lab, told
from grade.lab import ARCHES, Lab, choose, load_all
from tools.progress import shown
from grade.results import VERSION, Report, from_json, lab_result
from grade.score import Run
from tools.options import Parser, add_submission, refuse_lone_branch, take_large_pages, to_write
from tools.visible import in_one_line, visible

FULL_MARKS, BELOW, TROUBLE = 0, 1, 2
ROOT = Path(__file__).resolve().parent.parent
_INSTRUCTORS = "grade/instructors.py"  # a student's repository does not have it

_HELP = """\
Grades Trellis labs. Each test boots in a QEMU of its own. The grader reads what the kernel did out
of the machine's memory and judges it. The same submission gets the same verdict, to the byte, on any
machine, since time is counted in instructions. With every failure it prints the command that replays
the run.

  trellis-grade run                                  the kernel of this tree, all labs, both ports
  trellis-grade run --lab 04-sleep --arch riscv      one lab on one port
  trellis-grade run --lab 04-sleep --submission PATH what a student handed in, of which only the lab's
                                                     files are taken: a folder, a .tar.gz or other
                                                     .tar, a .zip, a git bundle, a bare clone
  trellis-grade run --lab 08-smp --challenges        which of the lab's challenges are solved
  trellis-grade run ... --branch submit              of a clone or bundle the commit of this branch
  trellis-grade replay --lab ... --gdb               repeat a failed run, under GDB
  trellis-grade list --lab 04-sleep                  what a lab's tests check

Exit status: 0 full marks; 1 fewer; 2 the grader could not work, and it says why in one line.
"""


def _arches(text: str) -> tuple[str, ...]:
    if text == "all":
        return ARCHES
    if text in ARCHES:
        return (text,)
    raise argparse.ArgumentTypeError(f"{text}: must be one of {', '.join(ARCHES)}, all")


def _positive(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 100_000:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text}: must be a number, 1 or more")


def _report_folder(text: str) -> Path:
    folder = Path(text)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise argparse.ArgumentTypeError(f"{text}: {e.strerror}") from e
    for name in FILES:
        to_write(str(folder / name))
    return folder


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--build-root", type=Path, default=ROOT / "build", metavar="DIR", help="default: build"
    )
    parser.add_argument(
        "--jobs", type=_positive, metavar="N", help="machines at once; default: cores"
    )


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="trellis-grade",
        description=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="grade a submission, or the tree itself")
    run.add_argument("--lab", action="append", default=[], help="default: all; may be repeated")
    run.add_argument("--arch", type=_arches, default=ARCHES, help="riscv, x86_64 or all (default)")
    add_submission(run)
    run.add_argument("--seeds", type=_positive, metavar="N", help="for every test that has seeds")
    run.add_argument("--challenges", action="store_true",
                     help="the labs' challenges instead, which carry no points")  # fmt: skip
    run.add_argument("--json", type=to_write, metavar="FILE", help="write the report as data")
    run.add_argument(
        "--report", type=_report_folder, metavar="DIR", help=f"write {', '.join(FILES)}"
    )
    _common(run)

    again = commands.add_parser("replay", help="repeat one run exactly")
    again.add_argument("--lab", required=True)
    again.add_argument("--test", required=True)
    again.add_argument("--arch", required=True, choices=ARCHES)
    again.add_argument("--cpus", type=_positive, default=1, metavar="N")
    again.add_argument("--seed", type=_positive, default=1, metavar="N")
    add_submission(again)
    again.add_argument("--gdb", action="store_true", help="the first stop is where it fails")
    again.add_argument(
        "--break",
        dest="stops",
        action="append",
        default=[],
        metavar="FUNCTION",
        help="with --gdb: stop there, too; may be repeated",
    )
    _common(again)

    render = commands.add_parser(
        "report",
        help="show a report that --json wrote, or make another system's format of it",
        description=f"Shows a report that run --json wrote, or prints it in another format:\n\n{described()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    render.add_argument("file", type=Path, metavar="FILE")
    render.add_argument("--as", dest="format", choices=FORMATS, metavar="FORMAT", help="one of these")

    names = commands.add_parser("list", help="labs, or a lab's properties and tests")
    names.add_argument("--lab", help="default: all, in short")

    run.set_defaults(limits=100)
    if (ROOT / _INSTRUCTORS).exists():
        run.add_argument("--limits", type=_positive, metavar="PERCENT",
                         help="a test gets this part of its limit: the reference needs half")  # fmt: skip
        importlib.import_module("grade.instructors").add_commands(commands)
    options = parser.parse_args(arguments)
    refuse_lone_branch(parser, options)
    if getattr(options, "challenges", False) and options.report is not None:
        parser.error("--report is about points, and challenges carry none; --json keeps their answer")
    return options


def _at_home(options: argparse.Namespace, lab: Lab) -> Home | None:
    """In a student's repository: how it is graded, or what is handed in there. Tells of files of the
    repository that do not count."""
    found = home(ROOT, lab)
    for line in told(found) if found and options.submission is None else ():
        print(line, file=sys.stderr)
    return found


def _run(options: argparse.Namespace) -> int:
    at_a_student = (ROOT / MARK).exists()
    labs = choose(ROOT, options.lab or ([present_lab(ROOT)] if at_a_student else []))
    if at_a_student and len(labs) > 1:
        raise GraderError("one lab at a time, please: --lab")
    if options.challenges:
        labs = [lab.challenged() for lab in labs if lab.challenges or options.lab or at_a_student]
    labs = [lab.limited(options.limits) for lab in labs]
    at_home = _at_home(options, labs[0])
    bench = engine.set_up(ROOT, options.build_root, options.arch, options.jobs, at_home)
    graded = options.submission or (ROOT if at_home else None)
    submission = None if options.submission is None else in_one_line(str(options.submission))
    if submission is not None and bench.unfenced:
        print(f"trellis-grade: only QEMU is fenced in, not the compiler: {bench.unfenced}", file=sys.stderr)
    try:
        with shown() as progress:
            scores = engine.grade(bench, labs, graded, options.seeds, progress, options.branch)
    finally:
        bench.close()
    results = tuple(lab_result(s, bench.layout, submission, options.branch) for s in scores)
    whole = Report(VERSION, submission, options.arch, results)
    print(report.challenges(whole) if options.challenges else report.text(whole), end="", flush=True)
    if options.json is not None:
        options.json.write_text(whole.to_json(), encoding="utf-8")
    if options.report is not None:
        write(whole, options.report)
    return _status(whole)


def _status(whole: Report) -> int:
    if any(lab.unjudged for lab in whole.labs):
        print("trellis-grade: this machine was too slow for some runs; try again", file=sys.stderr)
        return TROUBLE
    return FULL_MARKS if whole.whole else BELOW


def _replay(options: argparse.Namespace) -> int:
    lab = choose(ROOT, [options.lab])[0]
    if options.test in [c.test.name for c in lab.challenges]:
        lab = lab.challenged()
    test = lab.test(options.test)
    if options.arch not in test.arches:
        raise GraderError(f"test {test.name} does not run on {options.arch}")
    if options.stops and not options.gdb:
        raise GraderError("--break needs --gdb")
    run = Run(options.arch, test.name, options.cpus, options.seed)
    at_home = _at_home(options, lab)
    bench = engine.set_up(ROOT, options.build_root, (options.arch,), options.jobs, at_home)
    try:
        graded = options.submission or (ROOT if at_home else None)
        product = _product(bench, lab, graded, options)
        if options.gdb:
            stops = (*options.stops, *replay.STOPS)
            return replay.replay_gdb(bench, lab, run, product, product.sources, stops)
        submission = None if options.submission is None else in_one_line(str(options.submission))
        result, evidence = replay.replay(bench, lab, run, product, submission, options.branch)
    finally:
        bench.close()
    print(replay.said(evidence), end="")
    print(report.one_run(result), end="")
    return BELOW if result.failures else FULL_MARKS


def _product(bench: engine.Bench, lab: Lab, graded: Path | None, options: argparse.Namespace) -> Product:
    with shown() as progress:
        built = engine.build_for_boot(bench, lab, graded, progress, options.branch)[options.arch]
    if isinstance(built, BuildFailed):
        raise GraderError(f"it does not compile: {built.lines[0]}")
    return built


def _report(options: argparse.Namespace) -> int:
    whole = from_json(options.file)
    if options.format is None:
        print(report.text(whole), end="")
        return _status(whole)
    print(FORMATS[options.format].render(whole), end="")
    return TROUBLE if any(lab.unjudged for lab in whole.labs) else FULL_MARKS  # the points are told inside


def _list(options: argparse.Namespace) -> int:
    if options.lab is None:
        for lab in load_all(ROOT):
            points = sum(p.points for p in lab.properties)
            print(f"{lab.name:<16}{lab.title:<50}{len(lab.tests):>3} tests{points:>6g} points")
        return FULL_MARKS
    lab = choose(ROOT, [options.lab])[0]
    print(f"{lab.name}: {lab.title}\nstudents edit {', '.join(lab.files)}\n")
    for p in lab.properties:
        print(f"{p.id:<6}step {p.step}, {report.points(p.points)} points: {p.text}")
        for test in lab.tests:
            if p.id in test.properties:
                print(f"      {test.name}")
    for c in lab.challenges:
        print(f"{c.sentence.id:<6}challenge, no points: {c.sentence.text}\n      {c.test.name}")
    return FULL_MARKS


def _interrupted(signum: int, _: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _trouble(error: OSError) -> str:
    """In one line, what the system would not do, and what to do about a full disk."""
    where = in_one_line(os.fsdecode(error.filename or "a file"))
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        advice = "make room there, or use another place: --build-root DIR, TMPDIR=DIR"
        return f"the disk is full: {where} cannot be written; {advice}"
    return f"{where}: {error.strerror}"


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    commands: dict[str, Callable[[argparse.Namespace], int]] = {
        "run": _run,
        "replay": _replay,
        "report": _report,
        "list": _list,
    }
    signal.signal(signal.SIGTERM, _interrupted)
    take_large_pages()
    try:
        if options.command in commands:
            return commands[options.command](options)
        return int(importlib.import_module("grade.instructors").run(ROOT, options))
    except GraderError as e:
        print(f"trellis-grade: {visible(str(e))}", file=sys.stderr)
    except OSError as e:
        print(f"trellis-grade: {_trouble(e)}", file=sys.stderr)
    except KeyboardInterrupt:
        print("trellis-grade: interrupted", file=sys.stderr)
    return TROUBLE
