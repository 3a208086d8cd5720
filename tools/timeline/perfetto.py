"""A model as trace events, the JSON that Perfetto (ui.perfetto.dev) and chrome://tracing read.

One process "CPUs" has a track for each CPU; every process has one for each of its threads and, because
slices of one track must nest, one more for its system calls. Arrows are flows between slices.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tools.timeline.model import NOBODY, Arrow, Model, Span, Thread

_CPUS = 1_000_000  # the number of the process that stands for the CPUs
_CALLS = 1_000_000  # what a thread's track of calls is further on
Event = dict[str, Any]


def events(model: Model) -> dict[str, Any]:
    return {
        "displayTimeUnit": "ns",
        "otherData": {"title": model.title, "notes": " ".join(model.notes)},
        "traceEvents": list(_events(model)),
    }


def _us(ns: int) -> float:
    return ns / 1000


def _events(model: Model) -> Iterator[Event]:
    threads = {t.id: t for t in model.threads}
    yield from _names(model)
    for span in model.spans:
        yield from _span(span, threads[span.thread])
    for call in model.calls:
        t = threads[call.thread]
        event = _slice(t, call.name, call.begin, call.end, {"result": call.result})
        yield event | {"tid": t.id + _CALLS}
    for number, arrow in enumerate(model.arrows):
        yield from _arrow(number, arrow, threads)
    for mark in model.marks:
        pid, tid = _track(threads[mark.thread]) if mark.thread != NOBODY else (_CPUS, mark.cpu)
        scope = "g" if mark.kind == "failure" else "t"
        yield {"ph": "i", "s": scope, "name": mark.text, "cat": mark.kind, "ts": _us(mark.time),
               "pid": pid, "tid": tid, "args": {"where": mark.where}}  # fmt: skip


def _track(t: Thread) -> tuple[int, int]:
    """Two threads that had one number need tracks of their own."""
    return t.process, t.id


def _names(model: Model) -> Iterator[Event]:
    def name(what: str, pid: int, tid: int, text: str) -> Event:
        return {"ph": "M", "name": f"{what}_name", "pid": pid, "tid": tid, "args": {"name": text}}

    yield name("process", _CPUS, 0, "CPUs")
    for cpu in range(model.cpus):
        yield name("thread", _CPUS, cpu, f"CPU {cpu}")
    calling = {call.thread for call in model.calls}
    for t in model.threads:
        pid, tid = _track(t)
        yield name("process", pid, tid, f"{t.process_name or 'process'} {t.process}")
        label = f"{t.name} {t.tid if t.tid != NOBODY else t.id}"
        yield name("thread", pid, tid, label)
        if t.id in calling:
            yield name("thread", pid, tid + _CALLS, f"{label}: calls")


def _slice(t: Thread, name: str, begin: int, end: int, args: dict[str, Any]) -> Event:
    pid, tid = _track(t)
    return {"ph": "X", "name": name, "ts": _us(begin), "dur": _us(end - begin), "pid": pid,
            "tid": tid, "args": args}  # fmt: skip


def _span(span: Span, t: Thread) -> Iterator[Event]:
    args = {"why": span.why, "by": span.by, "where": span.where}
    yield _slice(t, span.state, span.begin, span.end, args)
    if span.state == "running":
        yield _slice(t, t.name, span.begin, span.end, args) | {"pid": _CPUS, "tid": span.cpu}


def _arrow(number: int, arrow: Arrow, threads: dict[int, Thread]) -> Iterator[Event]:
    def end(phase: str, thread: int, cpu: int, time: int) -> Event:
        pid, tid = _track(threads[thread]) if thread != NOBODY else (_CPUS, cpu)
        return {"ph": phase, "id": number, "name": arrow.kind, "cat": "arrow", "bp": "e",
                "ts": _us(time), "pid": pid, "tid": tid, "args": {"what": arrow.text}}  # fmt: skip

    yield end("s", arrow.from_thread, arrow.from_cpu, arrow.begin)
    yield end("f", arrow.to_thread, arrow.to_cpu, max(arrow.end, arrow.begin))
