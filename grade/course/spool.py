"""The folder through which a call that grades a class and the tasks of a Slurm array talk to each other.

    class.db.slurm/            beside the database class.db, on a file system that the cluster shares
        array-<token>/         one array: "trellis-<token>" is its name in the queue
            array.json         the lab and its judge; written last, so the folder is whole with it
            <index>.files      the files of a submission, as digests.pack() makes them
            <index>.result     what a task has found, renamed to this name when all of it is written
            <index>.log        what a task and Slurm have said, of all its starts
        <digest>.log           the same of a task that could not be graded, which outlasts the array

A task reads and writes its own <index> alone. It never opens the database: SQLite's log cannot be shared
between machines. That a folder is gone tells a task that nobody waits for it any more.
"""

import json
import os
import secrets
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from grade.course.class_run import Outcome
from grade.course.records import Assignment
from grade.errors import GraderError
from grade.results import from_text

_PREFIX = "array-"
_ARRAY = "array.json"


@dataclass(frozen=True)
class Array:
    """An array that is, or was, in the queue. @digests: of the submission that each of its tasks grades."""

    folder: Path
    lab: str
    arches: tuple[str, ...]
    seeds: int | None
    judge: str
    build_root: str
    digests: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name in the queue."""
        return f"trellis-{self.folder.name.removeprefix(_PREFIX)}"

    def files(self, index: int) -> Path:
        return self.folder / f"{index}.files"

    def result(self, index: int) -> Path:
        return self.folder / f"{index}.result"

    def log(self, index: int) -> Path:
        return self.folder / f"{index}.log"


def home(db: Path) -> Path:
    return db.resolve().with_name(db.name + ".slurm")


def _write(path: Path, content: bytes) -> None:
    """Writes @path so that whoever finds it finds all of it."""
    part = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def begin(
    home: Path, assignment: Assignment, build_root: Path, work: Sequence[tuple[str, bytes]]
) -> Array:
    """Makes the folder of a new array that grades @work: digests, and the packed files of each."""
    home.mkdir(mode=0o700, exist_ok=True)
    folder = home / f"{_PREFIX}{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    digests = tuple(digest for digest, _ in work)
    array = Array(folder, assignment.lab, assignment.arches, assignment.seeds, assignment.judge,
                  str(build_root.resolve()), digests)  # fmt: skip
    for index, (_, packed) in enumerate(work):
        _write(array.files(index), packed)
    fields = asdict(array)
    del fields["folder"]
    _write(folder / _ARRAY, json.dumps(fields).encode())
    return array


def read(folder: Path) -> Array:
    """The array whose folder this is. Raises GraderError."""
    try:
        data = json.loads((folder / _ARRAY).read_text(encoding="utf-8"))
        lists = ("arches", "digests")
        return Array(folder, **{k: tuple(v) if k in lists else v for k, v in data.items()})
    except (OSError, ValueError, TypeError) as e:
        raise GraderError(f"{folder}: is no array of this grader: {e}") from e


def found(home: Path, lab: str) -> list[Array]:
    """The arrays of earlier calls for @lab. A folder that a killed call has left half written was never
    submitted."""
    arrays = []
    for folder in sorted(home.glob(f"{_PREFIX}*")):
        if (folder / _ARRAY).exists():
            arrays.append(read(folder))
        else:
            shutil.rmtree(folder)
    return [array for array in arrays if array.lab == lab]


def end(array: Array) -> None:
    """Removes the folder of @array, the mark of its being waited for first."""
    (array.folder / _ARRAY).unlink(missing_ok=True)
    shutil.rmtree(array.folder, ignore_errors=True)  # a task that was lost may still write into it


def keep_log(array: Array, index: int) -> Path:
    """Copies a task's log to where it outlasts the array. Returns its name there, also if there is no log."""
    kept = array.folder.with_name(f"{array.digests[index][:12]}.log")
    with suppress(OSError):
        shutil.copyfile(array.log(index), kept)
    return kept


def put(array: Array, index: int, outcome: Outcome) -> None:
    report = None if outcome.report is None else outcome.report.to_json()
    data = {"report": report, "why": outcome.why, "seconds": outcome.seconds}
    _write(array.result(index), json.dumps(data).encode())


def take(array: Array, index: int) -> Outcome | None:
    """The outcome of a task; None: there is none yet."""
    path = array.result(index)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as e:
        raise GraderError(f"{path}: cannot be read: {e}") from e
    report = None if data["report"] is None else from_text(data["report"], str(path))
    return Outcome(report, data["why"], data["seconds"])
