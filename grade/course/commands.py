"""The commands of trellis-grade that keep a class: their options, and what each calls."""

import argparse
import shlex
import tomllib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from grade.course import array_run, changes, class_run, gradebook, late, records, roster
from grade.course.records import Override
from grade.course.slurm import Slurm
from grade.course.store import locked, migrate, opened, user
from grade.errors import GraderError
from grade.lab import ARCHES, Lab, choose
from tools.options import BRANCH_HELP, counted, directory, file
from tools.visible import in_one_line

_DB = Path("class.db")

_CLASS = """\
Grades a folder of hand-ins, one entry a student: archives, folders, git bundles or clones, named by the
student's id. Results are kept in one SQLite file.

  trellis-grade class handins --lab 06-kill                         both ports, results in class.db
  trellis-grade class handins --lab 06-kill --roster students.csv   CSV with the header id,name,email
  trellis-grade class handins --lab 06-kill --due 2026-12-01T23:59 --late '10%/day, grace 1h, at most 5 days'
  trellis-grade class handins --lab 06-kill --branch submit         of clones and bundles this branch
  trellis-grade gradebook --out book                                tables and pages from class.db

It may be ended at any moment, and the same command goes on where it was. Submissions with the same files
are graded once. Each day late costs a part of the points earned; --course FILE reads the same from TOML:

  [due]
  06-kill = 2026-12-01T23:59:00
  [late]
  06-kill = "10%/day, grace 1h, at most 5 days"

With --engine slurm each submission is a task of an array, and the results are the same. The tree, the build
folder and the database's folder must be where all nodes see them (docs/instructors.md says more):

  trellis-grade class handins --lab 06-kill --engine slurm --slurm='--partition=day --time=20'

Interrupted, the array goes on, and the same command collects it.

The time of a hand-in is that of the roster's column handed_in, else of a clone's last commit, else of the
file.

Exit status: 0 each hand-in was graded or rejected; 2 something could not be done, and one line says what.
"""


def _points(text: str) -> tuple[str, float]:
    try:
        return changes.parsed_points(text)
    except ValueError as e:
        raise argparse.ArgumentTypeError(str(e)) from e


def _positive(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 100_000:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text}: must be a number, 1 or more")


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as e:
        raise argparse.ArgumentTypeError(f"{text}: {e}") from e


def _db(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--db", type=Path, default=_DB, metavar="FILE", help=f"default: {_DB}")


def _lab(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lab", help="default: the only one in the database")


def _machine(parser: argparse.ArgumentParser, root: Path) -> None:
    build = root / "build"
    parser.add_argument("--build-root", type=Path, default=build, metavar="DIR", help="default: build")
    parser.add_argument("--jobs", type=_positive, metavar="N",
                        help="submissions at once; default: cores, or as many as Slurm starts")  # fmt: skip
    parser.add_argument("--engine", choices=("local", "slurm"), default="local",
                        help="grade on this machine (default), or as a Slurm array")  # fmt: skip
    parser.add_argument("--slurm", type=_words, default=[], metavar="OPTIONS",
                        help="for sbatch, such as --slurm='--partition=x --time=20'")  # fmt: skip


def _class_options(parser: argparse.ArgumentParser, root: Path) -> None:
    parser.add_argument("submissions", type=directory, metavar="SUBMISSIONS")
    parser.add_argument("--lab", required=True)
    parser.add_argument("--roster", type=file, metavar="FILE", help="CSV with the header id,name,email")
    parser.add_argument("--course", type=file, metavar="FILE", help="TOML with [due] and [late]")
    parser.add_argument("--due", metavar="TIME", help="such as 2026-12-01T23:59, local time")
    parser.add_argument("--late", metavar="POLICY", help="such as '10%%/day, grace 1h, at most 5 days'")
    parser.add_argument("--arch", choices=(*ARCHES, "all"), default="all")
    parser.add_argument("--branch", metavar="NAME", help=f"{BRANCH_HELP}; regrade keeps it")
    parser.add_argument("--seeds", type=_positive, metavar="N", help="for every test that has seeds")
    _db(parser)
    _machine(parser, root)


_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_commands(commands: _Commands, root: Path) -> None:
    _add_gradings(commands, root)
    _add_changes(commands)
    _add_outputs(commands)


def _add_gradings(commands: _Commands, root: Path) -> None:
    raw = argparse.RawDescriptionHelpFormatter
    _class_options(
        commands.add_parser("class", help="grade a folder of hand-ins", description=_CLASS,
                            formatter_class=raw), root)  # fmt: skip

    again = commands.add_parser(
        "regrade", help="grade what has changed since, of hand-ins, tests or reference",
        description="Reads the class's folder again, and grades each submission that the present tests, "
        "reference and grader have not judged yet. Earlier results stay in the file.")  # fmt: skip
    _lab(again)
    _db(again)
    _machine(again, root)


def _add_changes(commands: _Commands) -> None:
    by_hand = commands.add_parser(
        "override", help="correct a student's points by hand",
        description="Sets (12), adds (+3) or takes away (-3) points, on top of what is graded. The newest "
        "correction that sets points counts more than any grading.")  # fmt: skip
    by_hand.add_argument("--student", metavar="ID")
    by_hand.add_argument("--points", type=_points, metavar="N|+N|-N")
    by_hand.add_argument("--undo", type=_positive, metavar="EVENT",
                         help="instead: take this correction back; audit numbers them")  # fmt: skip
    by_hand.add_argument("--reason", required=True, metavar="TEXT", help="the student's page shows it")
    by_hand.add_argument("--author", default=user(), metavar="NAME", help="default: your user name")
    _lab(by_hand)
    _db(by_hand)

    _db(commands.add_parser("audit", help="list every change of a class's results",
                            description="Lists every change in order: when, by whom, what."))  # fmt: skip

    db = commands.add_parser("db", help="bring a class's file to this version of the grader")
    db.add_argument("action", choices=("migrate",))
    db.add_argument("file", type=Path, metavar="FILE")


def _add_outputs(commands: _Commands) -> None:
    book = commands.add_parser(
        "gradebook", help="write a class's tables and pages",
        description="Writes gradebook.csv, moodle.csv, index.html about the class, and a page for each "
        "student; pages there of students who are in the class no more are removed. The pages need no "
        "network and no server.")  # fmt: skip
    book.add_argument("--out", required=True, type=Path, metavar="DIR")
    _lab(book)
    _db(book)

    out = commands.add_parser("extract", help="write the files that a student has handed in",
                              description="Writes them as graded, for replay --submission.")  # fmt: skip
    out.add_argument("--student", required=True, metavar="ID")
    out.add_argument("--out", required=True, type=Path, metavar="DIR")
    _lab(out)
    _db(out)


def _policy(root: Path, options: argparse.Namespace, lab: str) -> tuple[datetime, str] | None:
    """When @lab is due and what being late costs, by options or by the course's file."""
    due, policy = options.due, options.late
    if options.course is not None:
        due = due or _setting(root, options.course, "due", lab)
        policy = policy or _setting(root, options.course, "late", lab)
    if due is None:
        if policy:
            raise GraderError("a late policy needs --due, or [due] in the course's file")
        return None
    text = str(policy or late.NONE)
    late.parse(text)
    return late.moment(str(due), "due"), text


def _setting(root: Path, path: Path, table: str, lab: str) -> Any:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise GraderError(f"{path}: cannot be read: {e}") from e
    found = data.get(table, {})
    if not isinstance(found, dict):
        raise GraderError(f"{path}: {table} must be a table: [{table}], and a line for each lab")
    for name in found:  # a slip of the pen, and its lab would be due at no time
        if not (root / "labs" / name / "lab.toml").is_file():
            raise GraderError(f"{path}: [{table}] names {in_one_line(name)}, which is no lab")
    return found.get(lab)


def _engine(root: Path, options: argparse.Namespace, lab: Lab) -> class_run.Engine | None:
    if options.engine == "slurm":
        return array_run.Engine(Slurm(root, options.slurm, options.jobs))
    if options.slurm:
        raise GraderError("--slurm is for --engine slurm")
    array_run.refuse_twice(options.db, lab)
    return None


def _class(root: Path, options: argparse.Namespace) -> int:
    lab = choose(root, [options.lab])[0]
    policy = _policy(root, options, lab.name)
    students = roster.read(options.roster) if options.roster else []
    arches = ARCHES if options.arch == "all" else (options.arch,)
    setting = class_run.Setting(root, options.build_root, options.jobs)
    with locked(options.db), opened(options.db, create=True) as store:
        records.set_roster(store, students, str(options.roster))
        if policy is not None:
            records.set_policy(store, lab.name, *policy)
        assignment = class_run.assigned(
            root, lab, options.submissions, arches, options.seeds, options.branch
        )
        students = students or records.roster(store)
        return class_run.run(store, lab, assignment, students, setting, _engine(root, options, lab))


def _regrade(root: Path, options: argparse.Namespace) -> int:
    setting = class_run.Setting(root, options.build_root, options.jobs)
    with opened(options.db) as store, locked(options.db):
        lab = choose(root, [records.the_lab(store, options.lab)])[0]
        old = records.assignment(store, lab.name)
        assert old is not None
        now = class_run.assigned(root, lab, old.folder, old.arches, old.seeds, old.branch)
        return class_run.run(store, lab, now, records.roster(store), setting, _engine(root, options, lab))


def _override(_: Path, options: argparse.Namespace) -> int:
    whose = options.student, options.points
    if (None in whose) if options.undo is None else any(whose):
        raise GraderError("override needs --student and --points, or --undo alone")
    with opened(options.db) as store:
        lab = records.the_lab(store, options.lab)
        if options.undo is not None:
            print(changes.undo(store, lab, options.undo, options.reason, options.author))
        else:
            how, number = options.points
            new = Override(options.student, how, number, options.reason, options.author)
            print(changes.override(store, lab, new))
    return 0


def _audit(_: Path, options: argparse.Namespace) -> int:
    for line in changes.audit(options.db):
        print(line)
    return 0


def _gradebook(_: Path, options: argparse.Namespace) -> int:
    with opened(options.db) as store:
        written = gradebook.write(store, records.the_lab(store, options.lab), options.out)
    print(f"{counted(len(written), 'file')} in {options.out}: open {options.out / 'index.html'}")
    return 0


def _extract(_: Path, options: argparse.Namespace) -> int:
    with opened(options.db) as store:
        lab = records.the_lab(store, options.lab)
        for path in changes.extract(store, lab, options.student, options.out):
            print(path)
    return 0


def _migrate(_: Path, options: argparse.Namespace) -> int:
    for line in migrate(options.file):
        print(line)
    return 0


COMMANDS: dict[str, Callable[[Path, argparse.Namespace], int]] = {
    "class": _class,
    "regrade": _regrade,
    "override": _override,
    "audit": _audit,
    "gradebook": _gradebook,
    "extract": _extract,
    "db": _migrate,
}

