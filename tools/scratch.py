"""Temporary folders that do not outlive their program for long, even if it was killed.

A folder is locked (flock) by the program that made it, and the system drops the lock when that program ends
in whatever way. A program that makes its first folder in a place removes those there which nobody holds. Both
sides lock first and look then whether the name is still that of the folder, so neither takes away what the
other one has just made.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import lru_cache
from pathlib import Path

PREFIX = "trellis-held-"  # each folder of this name has been locked by its maker
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Held:
    """A new folder, its path @name, as long as this object is in use or until cleanup()."""

    def __init__(self, what: str, place: Path | None = None) -> None:
        place = place or Path(tempfile.gettempdir())
        _sweep_once(place)
        held = None
        while held is None:
            self.name = tempfile.mkdtemp(prefix=f"{PREFIX}{what}-", dir=place)
            with suppress(FileNotFoundError):  # removed before it was locked: another one
                held = _locked(self.name, wait=True)
        self._end: Callable[[], object] = weakref.finalize(self, _remove, self.name, held)

    def cleanup(self) -> None:
        self._end()

    def __enter__(self) -> str:
        return self.name

    def __exit__(self, *_: object) -> None:
        self.cleanup()


def _locked(name: str, wait: bool) -> int | None:
    """A descriptor that holds the folder @name; None: it is another folder's name by now. Raises OSError if
    it is gone or, without @wait, held. Where nobody can lock, its maker holds it without."""
    fd = os.open(name, _FLAGS)
    try:
        with suppress(OSError) if wait else nullcontext():
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        same = os.path.samestat(os.fstat(fd), os.lstat(name))
    except OSError:
        os.close(fd)
        raise
    if not same:
        os.close(fd)
    return fd if same else None


def _remove(name: str, held: int) -> None:
    shutil.rmtree(name, ignore_errors=True)
    os.close(held)


def sweep(place: Path) -> None:
    """Removes the folders in @place whose programs are gone. Other users' are left alone."""
    try:
        with os.scandir(place) as entries:
            names = [e.path for e in entries if e.name.startswith(PREFIX) and e.is_dir(follow_symlinks=False)]
    except PermissionError:
        return  # a place for names that are known already
    for name in names:
        with suppress(OSError):  # it is held, or its program has just removed it
            ours = os.lstat(name).st_uid == os.geteuid()
            if ours and (held := _locked(name, wait=False)) is not None:
                _remove(name, held)


@lru_cache
def _sweep_once(place: Path) -> None:
    sweep(place)
