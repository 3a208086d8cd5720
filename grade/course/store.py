"""The database of a class: opened, locked, migrated, and SQLite's errors in words that say what to do.

Within `with store.change() as event:` all is one transaction: it is written as a whole, or not at all.
"""

import fcntl
import getpass
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grade.course.schema import MIGRATIONS, VERSION
from grade.errors import GraderError
from tools.visible import visible

_APPLICATION = 0x54524C53  # PRAGMA application_id of our files
_WAIT_S = 10.0  # for another program that writes


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def user() -> str:
    """The name of the user at the keyboard."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user is known here
        return "unknown"


_KEPT = ". All that was stored in it before is kept"
_ADVICE = (
    ("locked", f"another program is writing to it; end that one and call again{_KEPT}"),
    ("full", f"no room is left on its disk; make some and call again{_KEPT}"),
    ("readonly", "it, or its folder, cannot be written by you, which is needed to read it, too: call as its "
     f"owner, or copy it, with its -wal if there is one, to a folder of your own{_KEPT}"),
    ("unable to open", "it cannot be opened: is there such a folder, and may you write there?"),
    ("not a database", "it is no database of a class, or damaged at its start; name another file with --db"),
    ("malformed", "it is damaged: take a copy from your backup, or begin a new file with --db"),
    ("disk i/o error", "its disk reports an error, as some do when they are full: df tells; then call again"),
)  # fmt: skip


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns SQLite's errors about @path into GraderError."""
    try:
        yield
    except sqlite3.Error as e:
        said = str(e).lower()
        advice = next((words for sign, words in _ADVICE if sign in said), str(e))
        raise GraderError(f"{path}: {advice}") from e


@dataclass(frozen=True)
class Event:
    """One change, as the audit lists it."""

    id: int
    at: str
    author: str
    kind: str
    lab: str | None
    student: str | None
    said: str


class Store:
    """An open database. Not for several threads."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._inside = False

    @contextmanager
    def change(
        self,
        kind: str,
        said: str,
        lab: str | None = None,
        student: str | None = None,
        author: str | None = None,
    ) -> Iterator[int]:
        """A change and its event, whose id it yields; may be within an outer one's transaction()."""
        with self.transaction():
            yield self.add(
                "events", at=now(), author=author or user(), kind=kind, lab=lab, student=student, said=said
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes within are written together."""
        if self._inside:
            yield
            return
        with explained(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            self._inside = True
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk may have ended it
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._inside = False

    def add(self, table: str, **values: Any) -> int:
        """Adds a row; @table and the keys are names of ours."""
        marks = ", ".join("?" * len(values))
        words = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"
        cells = [visible(v) if isinstance(v, str) else v for v in values.values()]
        with explained(self.path):
            return self._connection.execute(words, cells).lastrowid or 0

    def rows(self, query: str, *values: object) -> Sequence[sqlite3.Row]:
        with explained(self.path):
            return self._connection.execute(query, values).fetchall()

    def events(self) -> list[Event]:
        return [Event(*row) for row in self.rows("SELECT * FROM events ORDER BY id")]


def _version(path: Path, connection: sqlite3.Connection) -> int:
    with explained(path):
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _connect(path: Path) -> sqlite3.Connection:
    with explained(path):
        connection = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        return connection


def _is_ours(path: Path, connection: sqlite3.Connection) -> bool:
    with explained(path):
        return bool(connection.execute("PRAGMA application_id").fetchone()[0] == _APPLICATION)


def _step(store: Store, connection: sqlite3.Connection, version: int, author: str | None = None) -> None:
    """Brings a file of @version to the next one, in one transaction."""
    with store.transaction():
        for statement in _statements(MIGRATIONS[version]):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version + 1}")
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        if author is not None:
            with store.change("migrate", f"from version {version} to {version + 1}", author=author):
                pass


def _statements(script: str) -> Iterator[str]:
    """The statements of @script: executescript() would end our transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _check(path: Path, connection: sqlite3.Connection) -> int:
    """The version of @path, which is one of ours. 0: it is new."""
    version = _version(path, connection)
    with explained(path):
        empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if empty and version == 0:
        return 0
    if not _is_ours(path, connection):
        raise GraderError(f"{path}: is a database, but not one of a class; name another file with --db")
    if version > VERSION:
        raise GraderError(
            f"{path}: was written by a newer grader (version {version} of the tables, this one knows "
            f"{VERSION}): use that grader"
        )
    return version


@contextmanager
def opened(path: Path, create: bool = False) -> Iterator[Store]:
    """The database @path; with @create a new one if there is none. Raises GraderError."""
    if not create and not path.is_file():
        raise GraderError(f"{path}: no such file; trellis-grade class makes one (--db names it)")
    with closing(_connect(path)) as connection:
        store = Store(path, connection)
        version = _check(path, connection)
        if 0 < version < VERSION:
            raise GraderError(
                f"{path}: has version {version} of the tables, this grader needs {VERSION}: "
                f"trellis-grade db migrate {path}"
            )
        if version == 0:
            with explained(path):
                connection.execute("PRAGMA journal_mode = WAL")
            with store.transaction():  # a kill leaves no file of an older version
                for step in range(VERSION):
                    _step(store, connection, step)
        yield store


def migrate(path: Path) -> list[str]:
    """Brings @path to this version; says what was done."""
    if not path.is_file():
        raise GraderError(f"{path}: no such file")
    with locked(path), closing(_connect(path)) as connection:
        version = _check(path, connection)
        if version == 0:
            raise GraderError(f"{path}: is empty, so there is nothing to migrate")
        store = Store(path, connection)
        for step in range(version, VERSION):
            _step(store, connection, step, author=user())
        if version == VERSION:
            return [f"{path}: has version {VERSION} already"]
        return [f"{path}: version {n} -> {n + 1}" for n in range(version, VERSION)]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other graders from working on @path; what ends this process, ends that too."""
    try:
        lock = path.with_name(path.name + ".lock").open("w")
    except OSError as e:
        raise GraderError(f"{path}: {path.name}.lock cannot be written beside it: {e.strerror}") from e
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise GraderError(f"{path}: another trellis-grade is grading into it: wait for its end") from e
        yield
