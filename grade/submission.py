"""Takes a lab's editable files out of a submission, and nothing else.

A submission is a directory laid out like the tree. Students choose its contents, so each path is
walked component by component without following links, and only regular files of sane size count.
"""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grade.lab import Lab
from tools.portable import code_alone, machine_words
from tools.visible import in_one_line

MAX_SIZE = 1 << 20  # bytes of one file
_DIR_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TIME = re.compile(r"\b__(?:DATE|TIME|TIMESTAMP)__\b")
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Rejected(Exception):
    """A submission that cannot be graded: the text is one line for the student."""

    def __init__(self, why: str) -> None:
        super().__init__(in_one_line(why))


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


def own_scenarios(root: Path, lab: Lab) -> dict[str, bytes]:
    """The scenarios that a student has written for @lab in the directory @root. Raises Rejected."""
    folder = f"labs/{lab.name}/scenarios/mine"
    return {f"{folder}/{path.name}": _read(root, f"{folder}/{path.name}")
            for path in sorted((root / folder).glob("*.c"))}  # fmt: skip


def take(root: Path, lab: Lab) -> Submission:
    """The files of @lab out of the directory @root. Raises Rejected."""
    return checked({path: _read(root, path) for path in lab.files})


def checked(files: Mapping[str, bytes]) -> Submission:
    """The submission with these @files. Raises Rejected if one must not be compiled."""
    for path, content in files.items():
        text = content.decode("utf-8", "replace")
        for number, line in enumerate(code_alone(text).split("\n"), start=1):
            if found := _TIME.search(line):
                raise Rejected(f"{path}:{number}: not taken: {found[0]} differs from build to build")
        if path.startswith("kernel/"):
            for number, why in machine_words(text):
                raise Rejected(f"{path}:{number}: not taken: {why}")
    return Submission(files)
