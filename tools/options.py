"""Command lines of our programs: for a wrong one they print one line and exit with status 2."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, NoReturn, Protocol, TypeVar
from zlib import crc32

from tools.visible import in_one_line

BRANCH_HELP = "of a clone or a git bundle the files of this branch, not of HEAD"
STATUS_USAGE = 2
STATUS_INTERRUPTED = 128 + signal.SIGINT

_STATUSES = (
    "Exit status: 0 if all went well, 1 if something failed, 2 if the options make no sense or the work "
    "could not be done, 130 if interrupted. make says 2 for all of these but 0."
)


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_T = TypeVar("_T", bound=_Named)


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that prints no usage at a mistake, and whose help lists the exit statuses."""

    def __init__(self, **how: Any) -> None:
        if "exit status" not in str(how.get("description", "")).lower():
            how.setdefault("epilog", _STATUSES)
        super().__init__(**how)

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument ")
        more = "make help" if self.prog.startswith("make ") else f"{self.prog} --help"
        print(f"{self.prog}: {in_one_line(message)} ({more} tells more)", file=sys.stderr)
        sys.exit(STATUS_USAGE)


def counted(number: int, noun: str) -> str:
    """'1 CPU', '2 CPUs'."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class Share(NamedTuple):
    """The @number-th of @of shares of many jobs. The name of a job decides alone in which one it is."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def has(self, name: str) -> bool:
        return crc32(name.encode()) % self.of == self.number - 1


WHOLE = Share(1, 1)


def share(text: str) -> Share:
    """The type of an option that takes a share, as 2/8."""
    number, _, of = text.partition("/")
    if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise argparse.ArgumentTypeError(f"{text}: must be like 2/8, the second of eight shares")
    return Share(int(number), int(of))


def directory(text: str) -> Path:
    """The type of an option that names a directory to read."""
    path = Path(text)
    if not path.is_dir():
        is_file = path.exists()
        raise argparse.ArgumentTypeError(
            f"{text}: is a file, not a directory" if is_file else f"{text}: no such directory"
        )
    return path


def handed_in(text: str) -> Path:
    """The type of an option that names a submission: a folder or a file."""
    path = Path(text)
    if not path.exists():
        raise argparse.ArgumentTypeError(f"{text}: no such directory or archive")
    return path


def add_submission(
    parser: argparse.ArgumentParser,
    what: str = "a folder laid out like the tree, an archive, a git bundle or clone; default: this tree",
) -> None:
    """Adds --submission, whose help is @what, and --branch; refuse_lone_branch() goes with it."""
    parser.add_argument("--submission", type=handed_in, metavar="PATH", help=what)
    parser.add_argument("--branch", metavar="NAME", help=BRANCH_HELP)


def refuse_lone_branch(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Ends the program if there is a branch, but no submission of which it could be."""
    given = vars(options)
    if given.get("branch") is not None and given.get("submission", "") is None:
        parser.error("--branch needs --submission: whose branch?")


def file(text: str) -> Path:
    """The type of an option that names a file to read."""
    path = Path(text)
    if not path.is_file():
        what = "is a directory, not a file" if path.is_dir() else "no such file"
        raise argparse.ArgumentTypeError(f"{text}: {what}")
    return path


def to_write(text: str) -> Path:
    """The type of an option that names a file to write at the end; checks now that it can be written.

    The old file is kept until then. Only a plain file is checked: opening a pipe may end its reader.
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


def matching(found: Sequence[_T], pattern: str, parser: argparse.ArgumentParser) -> list[_T]:
    """The items of @found whose name matches --only's @pattern; if there are none, the program ends."""
    try:
        chosen = [item for item in found if re.search(pattern, item.name)]
    except re.error as error:
        parser.error(f"--only {pattern}: {error}")
    if not chosen:
        parser.error(f"--only {pattern}: matches none of {len(found)} names, such as {found[0].name}")
    return chosen


def take_large_pages() -> None:
    """Lets programs that we start, if glibc is theirs, allocate memory in large pages: a linker and QEMU need
    a fifth to a third less CPU time, as they take a page fault for every 2 MiB, and not for every 4 KiB."""
    os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=16777216")


def run_program(name: str, main: Callable[[], int]) -> NoReturn:
    """Runs @main as the whole program. Ctrl-C or SIGTERM prints one line and ends it and its children."""
    take_large_pages()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, _interrupted)
    try:
        status = main()
    except (KeyboardInterrupt, Exception) as error:
        if _told_to_end:
            _end_descendants()
            print(f"{name}: interrupted", file=sys.stderr)
            status = STATUS_INTERRUPTED
        elif isinstance(error, OSError):
            print(f"{name}: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
            status = STATUS_USAGE
        else:
            raise
    sys.exit(status)


# An interruption may turn into another exception: if it comes while a thread releases a lock, the lock
# raises its own error.
_told_to_end = False


def _interrupted(_signum: int, _frame: FrameType | None) -> NoReturn:
    global _told_to_end
    _told_to_end = True
    # Threads of ours wait for what they have started, and would start the next one when it ends.
    sys.addaudithook(_start_nothing)
    threading.Thread(target=_end_descendants, daemon=True).start()
    raise KeyboardInterrupt


def interrupted() -> bool:
    """Whether this program was told to end. Its children may be killed already: their results say nothing."""
    return _told_to_end


def _start_nothing(event: str, _arguments: object) -> None:
    if event == "subprocess.Popen":
        raise KeyboardInterrupt


def _end_descendants() -> None:
    """Kills all descendants, again and again until there are none: new ones may have been starting."""
    quiet = 0
    while quiet < 2:
        found = list(descendants(os.getpid()))
        quiet = 0 if found else quiet + 1
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)


def descendants(pid: int) -> Iterator[int]:
    """The processes that @pid has started, and those that they have."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return  # it has just ended
    for thread in threads:
        try:
            children = Path(f"/proc/{pid}/task/{thread}/children").read_text().split()
        except OSError:
            continue  # so has this one
        for child in map(int, children):
            yield from descendants(child)
            yield child
