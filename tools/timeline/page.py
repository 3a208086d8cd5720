"""Writes a model as one HTML file that needs no other: the parts in page/ and the data.

The data are columns of numbers, and a text is an index into one table of strings, so that a hundred
thousand records need only a few megabytes; data.js decodes them.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

from tools.timeline.model import ARROWS, NOBODY, STATES, Model

_PARTS = Path(__file__).parent / "page"
_SCRIPTS = ("data.js", "view.js", "draw.js", "arrows.js", "overview.js", "panel.js", "main.js")


def write_page(model: Model, path: Path) -> None:
    path.write_text(page(model), encoding="utf-8")


def page(model: Model) -> str:
    parts = {
        "TITLE": html.escape(model.title),
        "STYLE": _part("style.css"),
        "SCRIPT": "\n".join(_part(name) for name in _SCRIPTS),
        "DATA": _data(model),
    }
    out: list[str] = []
    for piece in _part("page.html").split("@@"):
        out.append(parts.pop(piece, piece))
    return "".join(out)


def _part(name: str) -> str:
    return (_PARTS / name).read_text(encoding="utf-8")


class _Strings:
    """Every text once; the empty one is 0."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {"": 0}

    def index(self, text: str) -> int:
        return self._index.setdefault(text, len(self._index))

    def table(self) -> list[str]:
        return list(self._index)


def _data(model: Model) -> str:
    strings, base = _Strings(), model.begin
    lanes = {t.id: i for i, t in enumerate(model.threads)} | {NOBODY: NOBODY}
    focus = (model.focus_begin, model.focus_end)

    def columns(rows: Sequence[Any], **how: str) -> dict[str, list[int]]:
        """One list for each field of @rows, in the way that @how says."""
        out: dict[str, list[int]] = {}
        for name, kind in how.items():
            values = map(attrgetter(name), rows)
            if kind == "text":
                out[name] = [strings.index(v) for v in values]
            elif kind == "lane":
                out[name] = [lanes[v] for v in values]
            elif kind == "time":
                out[name] = [v - base if v != NOBODY else NOBODY for v in values]
            elif kind == "delta":
                out[name] = _deltas(v - base for v in values)
            else:
                out[name] = list(values)
        return out

    by_time = attrgetter("begin")
    at, who = {"thread": "lane", "cpu": "number"}, {"why": "text", "by": "text", "where": "text"}
    data: dict[str, Any] = {
        "title": model.title,
        "subtitle": model.subtitle,
        "notes": model.notes,
        "base": base,
        "end": model.end - base,
        "focus": [t - base for t in focus] if model.focus_begin != NOBODY else None,
        "cpus": model.cpus,
        "states": STATES,
        "arrowKinds": ARROWS,
        "threads": [
            [t.name, t.tid if t.tid != NOBODY else t.id, t.process, t.process_name]
            for t in model.threads
        ],
        "spans": columns(
            sorted(model.spans, key=by_time), state="text", begin="delta", end="time", **at, **who
        ),
        "calls": columns(
            sorted(model.calls, key=by_time),
            **{"thread": "lane", "name": "text", "begin": "delta", "end": "time", "result": "text"},
        ),
        "arrows": columns(
            sorted(model.arrows, key=by_time),
            **{"kind": "text", "begin": "delta", "end": "time", "from_thread": "lane"},
            **{"from_cpu": "number", "to_thread": "lane", "to_cpu": "number", "lands": "time"},
            **{"text": "text", "where": "text"},
        ),
        "marks": columns(
            sorted(model.marks, key=attrgetter("time")),
            **{"time": "delta", "kind": "text", "text": "text", "where": "text"},
            **at,
        ),
        "records": columns(
            model.records, **{"time": "delta", "text": "text", "where": "text"}, **at
        ),
    }
    data["strings"] = strings.table()
    # "<" would let a text end the script element that holds it.
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")


def _deltas(values: Iterable[int]) -> list[int]:
    out, last = [], 0
    for value in values:
        out.append(value - last)
        last = value
    return out
