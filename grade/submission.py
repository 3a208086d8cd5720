"""Takes a lab's editable files out of a submission, or the tests that its author has written; nothing else.

A submission is a directory laid out like the tree. Students choose its contents, so each path is
walked component by component without following links, and only regular files of sane size count.
"""

import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from grade.hiding import hidden
from grade.lab import Lab
from tools.portable import code_alone, machine_words
from tools.visible import in_one_line

MAX_SIZE = 1 << 20  # bytes of one file
MAX_OWN = 64  # tests of a student's own, as files
_DIR_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TIME = re.compile(r"\b__(?:DATE|TIME|TIMESTAMP)__\b")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,60}\.c")
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Rejected(Exception):
    """A submission that cannot be graded: the text is one line for the student."""

    def __init__(self, why: str) -> None:
        super().__init__(in_one_line(why))


@dataclass(frozen=True)
class Wanted:
    """The files to take: @files, each of which must be there, and every *.c right in @folder ("": none).
    @marks: other files, which show where in a folder the tree is."""

    files: tuple[str, ...] = ()
    folder: str = ""
    marks: tuple[str, ...] = ()

    def has(self, path: str) -> bool:
        parent, _, name = path.rpartition("/")
        return path in self.files or (self.folder != "" and parent == self.folder and name.endswith(".c"))

    @property
    def paths(self) -> tuple[str, ...]:
        """The files, and the folder if there is one."""
        return (*self.files, *([self.folder] if self.folder else []))

    def whole(self, found: Mapping[str, bytes]) -> dict[str, bytes]:
        """@found in its order. Raises Rejected if a file is missing, or if there are too many."""
        for file in self.files:
            if file not in found:
                raise Rejected(f"the submission has no {file}")
        self.check(found)
        return {**{file: found[file] for file in self.files}, **{f: found[f] for f in sorted(found)}}

    def check(self, found: Iterable[str]) -> None:
        """Raises Rejected if there are too many files in the folder, or one has a name that make, which
        finds them by itself, would take for something else."""
        own = [file for file in found if file not in self.files]
        if len(own) > MAX_OWN:
            raise Rejected(f"{self.folder}: not taken: more than {MAX_OWN} files")
        for file in own:
            if not _PLAIN_NAME.fullmatch(file.rpartition("/")[2]):
                raise Rejected(f"{file}: not taken: call it by letters, digits, - and _, and .c")


@dataclass(frozen=True)
class Submission:
    """The editable files of one lab: contents by path in the tree."""

    files: Mapping[str, bytes]


def _open_beneath(root: Path, path: str) -> int:
    """A descriptor of root/path; no component below @root may be a symbolic link."""
    *folders, name = path.split("/")
    directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            inner = os.open(folder, _DIR_FLAGS, dir_fd=directory)
            os.close(directory)
            directory = inner
        return os.open(name, _FILE_FLAGS, dir_fd=directory)
    finally:
        os.close(directory)


def _read(root: Path, path: str) -> bytes:
    try:
        fd = _open_beneath(root, path)
    except FileNotFoundError as e:
        raise Rejected(f"the submission has no {path}") from e
    except OSError as e:
        raise Rejected(f"{path}: not taken: it must be a plain file, without links") from e
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise Rejected(f"{path}: not taken: it must be a plain file")
        if status.st_size > MAX_SIZE:
            raise Rejected(f"{path}: not taken: larger than {MAX_SIZE >> 20} MiB")
        with os.fdopen(fd, "rb", closefd=False) as file:
            return file.read(MAX_SIZE)
    finally:
        os.close(fd)


def own_tests(lab: Lab) -> Wanted:
    """The tests that a student has written for @lab."""
    return Wanted(folder=f"labs/{lab.name}/scenarios/mine", marks=tuple(lab.files))


def read(root: Path, wanted: Wanted) -> dict[str, bytes]:
    """The files @wanted out of the directory @root. Raises Rejected."""
    names = [path.name for path in (root / wanted.folder).glob("*.c")] if wanted.folder else []
    listed = [*wanted.files, *(f"{wanted.folder}/{name}" for name in sorted(names))]
    wanted.check(listed)
    return {path: _read(root, path) for path in listed}


def own_scenarios(root: Path, lab: Lab) -> dict[str, bytes]:
    """The scenarios that a student has written for @lab in the directory @root. Raises Rejected."""
    return read(root, own_tests(lab))


def take(root: Path, lab: Lab) -> Submission:
    """The files of @lab out of the directory @root. Raises Rejected."""
    return checked(read(root, Wanted(tuple(lab.files))))


def checked(files: Mapping[str, bytes]) -> Submission:
    """The submission with these @files. Raises Rejected if one must not be compiled."""
    for path, content in files.items():
        text = content.decode("utf-8", "replace")
        for number, line in enumerate(code_alone(text).split("\n"), start=1):
            if found := _TIME.search(line):
                raise Rejected(f"{path}:{number}: not taken: {found[0]} differs from build to build")
        if path.startswith("kernel/"):
            for number, why in chain(machine_words(text), hidden(text)):
                raise Rejected(f"{path}:{number}: not taken: {why}")
    return Submission(files)
