"""A timeline, from any source: a kernel that ran, a simulator, a test.

As JSON a model is one object with the fields of Model; lists hold objects with the fields of their
class, and whatever has a default may be left out. Times are nanoseconds.

    {"format": "trellis-timeline 1", "title": "two tasks", "end": 3000,
     "threads": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
     "spans": [{"thread": 1, "state": "running", "begin": 0, "end": 1000, "cpu": 0},
               {"thread": 2, "state": "ready", "begin": 0, "end": 1000}]}
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

FORMAT = "trellis-timeline 1"

# The states that the page has a colour and a shape for; others are drawn as "other".
STATES = ("running", "ready", "blocked", "sleeping", "suspended", "zombie", "dead")
ARROWS = ("wake", "create", "kill", "join", "ipi")
NOBODY = -1

T = TypeVar("T")


class BadModel(ValueError):
    """JSON that is no model; the text says where."""


@dataclass(frozen=True)
class Thread:
    """A lane. Threads of one process must follow each other."""

    id: int  # unique in the model
    name: str
    tid: int = NOBODY  # its number in the kernel; the id by default
    process: int = 0
    process_name: str = ""


@dataclass(frozen=True)
class Span:
    """A thread in one state. Spans of one thread do not overlap."""

    thread: int
    state: str
    begin: int
    end: int
    cpu: int = NOBODY  # running: where; otherwise whose run queue, if known
    why: str = ""
    by: str = ""  # the thread that caused it
    where: str = ""  # the source line that caused it


@dataclass(frozen=True)
class Call:
    """A thread inside a system call."""

    thread: int
    name: str
    begin: int
    end: int
    result: str = ""


@dataclass(frozen=True)
class Arrow:
    """One thread does something to another, or one CPU to another."""

    kind: str
    begin: int
    end: int
    from_thread: int = NOBODY
    from_cpu: int = NOBODY
    to_thread: int = NOBODY
    to_cpu: int = NOBODY
    lands: int = NOBODY  # when it shows on to_cpu, if later than end
    text: str = ""
    where: str = ""


@dataclass(frozen=True)
class Mark:
    """Something that happens at one moment: a sign on its thread's lane.

    Kind "failure" is a red line through all lanes, which the page begins at. Any other word will do.
    """

    time: int
    kind: str
    text: str
    thread: int = NOBODY
    cpu: int = NOBODY
    where: str = ""


@dataclass(frozen=True)
class Entry:
    """One line of the list of records."""

    time: int
    text: str
    thread: int = NOBODY
    cpu: int = NOBODY
    where: str = ""


@dataclass(frozen=True)
class Model:
    title: str
    end: int
    threads: tuple[Thread, ...]
    spans: tuple[Span, ...]
    begin: int = 0
    subtitle: str = ""
    focus_begin: int = NOBODY  # what is shown at first, if not everything
    focus_end: int = NOBODY
    cpus_at_least: int = 0  # lanes for so many, also if nothing happens there
    calls: tuple[Call, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    marks: tuple[Mark, ...] = ()
    records: tuple[Entry, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def cpus(self) -> int:
        """How many CPUs have a lane."""
        used = [s.cpu for s in self.spans] + [e.cpu for e in self.records]
        return max(max(used, default=NOBODY) + 1, self.cpus_at_least)


_ROWS: dict[str, type[Any]] = {
    "threads": Thread,
    "spans": Span,
    "calls": Call,
    "arrows": Arrow,
    "marks": Mark,
    "records": Entry,
}


def _object(item: Any) -> dict[str, Any]:
    return {f.name: getattr(item, f.name) for f in dataclasses.fields(item)}


def to_json(model: Model) -> str:
    out: dict[str, Any] = {"format": FORMAT}
    for name, value in _object(model).items():
        out[name] = [_object(v) for v in value] if name in _ROWS else value
    return json.dumps(out, separators=(",", ":"))


def from_json(text: str) -> Model:
    """Raises BadModel."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadModel(f"not JSON: {error}") from error
    if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
        raise BadModel(f'no object with "format": "{FORMAT}"')
    for name, kind in _ROWS.items():
        rows = data.get(name, [])
        if not isinstance(rows, list):
            raise BadModel(f"{name}: must be a list")
        data[name] = tuple(_read(kind, row, f"{name}[{i}]") for i, row in enumerate(rows))
    notes = data.get("notes", [])
    if not isinstance(notes, list):
        raise BadModel("notes: must be a list")
    data["notes"] = tuple(map(str, notes))
    model = _read(Model, data, "model")
    _check(model)
    return model


def _read(kind: type[T], row: Any, where: str) -> T:
    if not isinstance(row, dict):
        raise BadModel(f"{where}: must be an object")
    known = {f.name: f for f in dataclasses.fields(kind)}
    for name, value in row.items():
        if name not in known:
            raise BadModel(f"{where}: no field {name}; there are {', '.join(known)}")
        wanted = {"int": int, "str": str}.get(str(known[name].type))
        if wanted is not None and (not isinstance(value, wanted) or isinstance(value, bool)):
            raise BadModel(f"{where}.{name}: must be of type {wanted.__name__}")
    for name, field in known.items():
        if name not in row and field.default is dataclasses.MISSING:
            raise BadModel(f"{where}: no {name}")
    return kind(**row)


def _check(model: Model) -> None:
    ids = [t.id for t in model.threads]
    if len(set(ids)) != len(ids):
        raise BadModel("threads: two have the same id")
    known = {*ids, NOBODY}
    _check_order("spans", model.spans, known)
    _check_order("calls", model.calls, known)
    for i, arrow in enumerate(model.arrows):
        if arrow.kind not in ARROWS:
            raise BadModel(f"arrows[{i}].kind: must be one of {', '.join(ARROWS)}")
        if not {arrow.from_thread, arrow.to_thread} <= known:
            raise BadModel(f"arrows[{i}]: no such thread")
    moments: dict[str, Sequence[Mark | Entry]] = {"marks": model.marks, "records": model.records}
    for name, items in moments.items():
        for i, item in enumerate(items):
            if item.thread not in known:
                raise BadModel(f"{name}[{i}]: no thread {item.thread}")


def _check_order(name: str, items: Sequence[Span | Call], known: set[int]) -> None:
    """Each has a thread, ends after it begins, and does not overlap the thread's last one."""
    until: dict[int, int] = {}
    for i, item in sorted(enumerate(items), key=lambda pair: pair[1].begin):
        if item.thread not in known or item.thread == NOBODY:
            raise BadModel(f"{name}[{i}]: no thread {item.thread}")
        if item.end < item.begin:
            raise BadModel(f"{name}[{i}]: it ends before it begins")
        if item.begin < until.get(item.thread, item.begin):
            raise BadModel(f"{name}[{i}]: thread {item.thread} is still in another one")
        until[item.thread] = item.end
