"""Takes a lab's editable files, or a student's own tests, out of whatever a student hands in.

    a folder                                   laid out like the tree; symbolic links are not followed
    .tar, .tar.gz, .tar.xz, .tar.bz2, .zip     grade/archives.py; `make handin` writes the second
    a git bundle, a bare clone, or one without files        grade/clones.py: its HEAD, or the branch named

The tree may be at the top or inside one folder. Nothing is unpacked: the few files that count are read
into memory, each of at most MAX_SIZE bytes, and everything else is passed over. The contents say what a
file is, not its name. A submission that cannot be taken costs its author one line, `Rejected`, and
nobody else anything; what the machine does wrong is an OSError.
"""

import os
import stat
from pathlib import Path

from grade import archives, clones, submission
from grade.lab import Lab
from grade.submission import Rejected, Submission, Wanted, checked, own_tests

_HEAD = 512  # bytes that tell what a file is
_FOREIGN = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a rar archive"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"\x1f\x9d", "compressed with compress"),
    (b"\x7fELF", "a program"),
    (b"%PDF", "a PDF"),
)
_WANTED = "hand in the folder, a .tar.gz, a .zip or a git bundle"


def take(path: Path, lab: Lab, branch: str | None = None) -> Submission:
    """The files of @lab out of @path; of a bundle or a clone those of @branch, or of its HEAD. Raises
    Rejected."""
    return checked(_taken(path, Wanted(tuple(lab.files)), branch))


def take_own(path: Path, lab: Lab, branch: str | None = None) -> dict[str, bytes]:
    """The tests that a student has written for @lab, out of @path in the same way; {}: there are none."""
    return _taken(path, own_tests(lab), branch)


def has_branches(path: Path) -> bool:
    """Whether @path is a clone or a git bundle."""
    if path.is_dir():
        return clones.objects_of(path) is not None
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return clones.is_bundle(file.read(_HEAD))


def _taken(path: Path, wanted: Wanted, branch: str | None) -> dict[str, bytes]:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        return _from_folder(path, wanted, branch)
    if not stat.S_ISREG(status.st_mode):
        raise Rejected(f"not taken: neither a folder nor a file; {_WANTED}")
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as file:
        head = file.read(_HEAD)
        if not head:
            raise Rejected(f"not taken: the file is empty; {_WANTED}")
        if clones.is_bundle(head):
            return clones.from_bundle(path, wanted, branch)
        if branch is not None:
            raise Rejected(f"not taken: only a clone or a git bundle has a branch {branch}")
        if (kind := archives.kind(head)) is None:
            foreign = (what for magic, what in _FOREIGN if head.startswith(magic))
            raise Rejected(f"not taken: it is {next(foreign, 'no archive')}; {_WANTED}")
        file.seek(0)
        return archives.read(file, kind, wanted)


def _from_folder(root: Path, wanted: Wanted, branch: str | None) -> dict[str, bytes]:
    """From the files in the folder, as far as there are any; else from the commits in it."""
    if branch is not None:
        return clones.from_clone(root, wanted, branch)
    if (top := _top(root, wanted)) is not None:
        return submission.read(top, wanted)
    if clones.objects_of(root) is not None:
        return clones.from_clone(root, wanted, None)
    return submission.read(root, wanted)  # which says what is missing


def _top(root: Path, wanted: Wanted) -> Path | None:
    """The folder with the tree: @root, or the one folder in it that has something @wanted. None: none."""

    def has_some(folder: Path) -> bool:
        return any(os.path.lexists(folder / path) for path in (*wanted.paths, *wanted.marks))

    if has_some(root):
        return root
    with os.scandir(root) as entries:
        found = [Path(e.path) for e in entries if e.is_dir(follow_symlinks=False) and has_some(Path(e.path))]
    if len(found) > 1:
        names = " and ".join(sorted(p.name for p in found)[:2])
        raise Rejected(f"not taken: the tree is there more than once, in {names}; hand in one of them")
    return found[0] if found else None
