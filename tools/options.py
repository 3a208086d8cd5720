"""Command lines of our programs: a wrong one is answered by one line and status 2."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

STATUS_USAGE = 2


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that does not repeat its usage at every mistake."""

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument ")
        print(f"{self.prog}: {message} ({self.prog} --help tells more)", file=sys.stderr)
        sys.exit(STATUS_USAGE)


def directory(text: str) -> Path:
    """The type of an option that names a directory to read."""
    path = Path(text)
    if not path.is_dir():
        is_file = path.exists()
        raise argparse.ArgumentTypeError(
            f"{text}: is a file, not a directory" if is_file else f"{text}: no such directory"
        )
    return path


def to_write(text: str) -> Path:
    """The type of an option that names a file to write when the work is done: tried before it begins.

    What is there is kept until then. Only a plain file is tried: to open a pipe may end what reads it.
    """
    path = Path(text)
    try:
        fresh = not path.exists()
        if fresh or path.is_file() or path.is_dir():
            path.open("ab").close()
        if fresh:
            path.resolve().unlink()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.strerror}") from error
    return path
