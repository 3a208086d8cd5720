"""A simulated schedule as one HTML page to project: a chart, its legend, and a table of response times.

The chart is SVG without script. Each task has a colour: in the CPUs' lanes, where it ran, and in its own
lane, where it also waits, sleeps, is released and has deadlines. A job's response is the time from its
release to its end; a task without a period has a job from each wake to the next sleep.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools.timeline.model import Model, Span, Thread

_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#8c564b", "#7f7f00", "#6a51a3")
_WIDTH, _GUTTER, _RIGHT = 1600, 250, 1580
_CPU, _TASK, _TOP = 56, 74, 16
_TASK_LINE = re.compile(r"^\s*task\s+(\S+)([^:#]*)", re.M)
_MS = 1_000_000
_STYLE = """
body { margin: 24px auto; max-width: 1640px; padding: 0 20px; color: #1a1a1a; background: #fff;
	font: 17px system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 28px; margin: 0 0 4px; }
p { margin: 0 0 14px; color: #555; }
svg { width: 100%; height: auto; }
svg text { font-family: system-ui, "DejaVu Sans", sans-serif; }
.legend { display: flex; flex-wrap: wrap; gap: 6px 26px; margin: 10px 0 22px; align-items: center; }
.legend span { display: inline-flex; align-items: center; gap: 8px; }
.legend svg { width: 34px; height: 24px; }
table { border-collapse: collapse; }
caption { text-align: left; font-weight: 600; font-size: 21px; padding-bottom: 6px; }
th, td { padding: 5px 12px; text-align: right; border-bottom: 1px solid #ddd;
	font-variant-numeric: tabular-nums; white-space: nowrap; }
th { color: #555; font-weight: 600; }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; padding-left: 4px; }
td.bad { color: #c00; font-weight: 700; }
i { display: inline-block; width: 16px; height: 16px; border-radius: 3px; margin-right: 10px; }
"""
# The signs of the legend, each drawn in a box of 34 by 24.
_LEGEND = (
    ('<rect x="1" y="4" width="32" height="16" fill="#555"/>', "running"),
    (
        '<rect x="1" y="8" width="32" height="9" fill="#555" opacity="0.3"/>',
        "ready: waits for a CPU",
    ),
    (
        '<path d="M1 13H33" stroke="#999" stroke-width="2" stroke-dasharray="5 4"/>',
        "sleeps, or waits for its next release",
    ),
    ('<path d="M17 22V4M12 9L17 3L22 9" stroke="#1a1a1a" fill="none" stroke-width="2"/>', "release"),
    ('<path d="M17 2V20M12 15L17 21L22 15" stroke="#1a1a1a" fill="none" stroke-width="2"/>', "deadline"),
    (
        '<path d="M10 5L24 19M24 5L10 19" stroke="#d00000" fill="none" stroke-width="4"/>',
        "deadline missed",
    ),
    ('<rect x="1" y="8" width="32" height="9" fill="#d00000" opacity="0.35"/>', "late"),
)


@dataclass
class Job:
    release: int
    done: int | None = None  # it went on when the simulation ended
    deadline: int | None = None

    @property
    def response(self) -> int | None:
        return None if self.done is None else self.done - self.release


@dataclass
class Task:
    """All that is known of one task."""

    name: str
    colour: str
    params: str
    spans: list[Span]
    refused: bool
    jobs: list[Job] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)  # the deadlines

    @property
    def ran(self) -> int:
        return sum(s.end - s.begin for s in self.spans if s.state == "running")

    @property
    def longest_wait(self) -> int:
        return max((s.end - s.begin for s in self.spans if s.state == "ready"), default=0)


def tasks_of(model: Model, text: str) -> list[Task]:
    """The tasks of @model; @text is the set as it was written, with each task's parameters."""
    params = dict(_TASK_LINE.findall(text))
    return [
        _task(model, thread, _COLOURS[i % len(_COLOURS)], " ".join(params.get(thread.name, "").split()))
        for i, thread in enumerate(model.threads)
    ]


def _task(model: Model, thread: Thread, colour: str, params: str) -> Task:
    times: dict[str, list[int]] = {}
    for mark in model.marks:
        if mark.thread == thread.id:
            times.setdefault(mark.kind, []).append(mark.time)
    spans = sorted((s for s in model.spans if s.thread == thread.id), key=lambda s: s.begin)
    task = Task(thread.name, colour, params, spans, "refused" in times)
    task.missed = times.get("missed", [])
    done, deadlines = iter(times.get("done", [])), iter(times.get("deadline", []))
    for release in times.get("release", []):
        task.jobs.append(Job(release, next(done, None), next(deadlines, None)))
    if not task.jobs:
        task.jobs = list(_wakes(spans, model.end))
    return task


def _wakes(spans: list[Span], end: int) -> Iterator[Job]:
    """The jobs of a task without a period: from ready to asleep, or to its end."""
    begin: int | None = None
    for span in spans:
        if span.state == "sleeping":
            if begin is not None:
                yield Job(begin, span.begin)
            begin = None
        elif begin is None:
            begin = span.begin
    if begin is not None:
        yield Job(begin, spans[-1].end if spans[-1].end < end else None)


# --- The chart ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chart:
    model: Model
    tasks: list[Task]

    def x(self, time: int) -> float:
        share = (time - self.model.begin) / max(1, self.model.end - self.model.begin)
        return round(_GUTTER + share * (_RIGHT - _GUTTER), 2)

    def bar(self, begin: int, end: int, y: float, height: float, colour: str, more: str = "") -> str:
        width = max(0.6, self.x(end) - self.x(begin))
        title = f"{ms(begin)} to {ms(end)} ms"
        return (
            f'<rect x="{self.x(begin)}" y="{y}" width="{width:.2f}" height="{height}" fill="{colour}"'
            f" {more}><title>{title}</title></rect>"
        )

    def draw(self) -> str:
        lanes = _TOP + _CPU * self.model.cpus
        bottom = lanes + 10 + _TASK * len(self.tasks)
        parts = [f'<svg viewBox="0 0 {_WIDTH} {bottom + 42}" role="img" aria-label="Schedule">']
        parts += self.axis(bottom)
        for cpu in range(self.model.cpus):
            parts += self.cpu_lane(cpu, _TOP + _CPU * cpu)
        for i, task in enumerate(self.tasks):
            parts += self.task_lane(task, lanes + 10 + _TASK * i)
        return "\n".join([*parts, "</svg>"])

    def axis(self, bottom: int) -> Iterator[str]:
        step = _step(self.model.end - self.model.begin)
        for time in range(0, self.model.end + 1, step):
            x = self.x(time)
            yield f'<path d="M{x} {_TOP}V{bottom + 6}" stroke="#ddd"/>'
            label = f"{time / _MS:g}" + (" ms" if time == 0 else "")
            yield (
                f'<text x="{x}" y="{bottom + 28}" font-size="18" text-anchor="middle"'
                f' fill="#555">{label}</text>'
            )

    def cpu_lane(self, cpu: int, y: int) -> Iterator[str]:
        whole = self.model.end - self.model.begin
        mine = [(t, s) for t in self.tasks for s in t.spans if s.state == "running" and s.cpu == cpu]
        busy = sum(s.end - s.begin for _, s in mine)
        yield _label(y + 22, f"CPU {cpu}", f"busy {100 * busy / max(1, whole):.0f} %")
        yield f'<rect x="{_GUTTER}" y="{y}" width="{_RIGHT - _GUTTER}" height="{_CPU - 12}" fill="#f0f0f0"/>'
        for task, span in mine:
            edge = 'stroke="#fff" stroke-width="0.7"'
            yield self.bar(span.begin, span.end, y, _CPU - 12, task.colour, edge)
            if self.x(span.end) - self.x(span.begin) > 11 * len(task.name) + 6:
                middle = (self.x(span.begin) + self.x(span.end)) / 2
                yield (
                    f'<text x="{middle}" y="{y + 28}" font-size="18" text-anchor="middle" fill="#fff"'
                    f' font-weight="600">{html.escape(task.name)}</text>'
                )

    def task_lane(self, task: Task, y: int) -> Iterator[str]:
        base = y + _TASK - 14
        yield f'<path d="M{_GUTTER} {base + 0.5}H{_RIGHT}" stroke="#bbb"/>'
        yield f'<rect x="2" y="{y + 18}" width="16" height="16" rx="3" fill="{task.colour}"/>'
        yield _label(y + 32, task.name, "refused" if task.refused else _in_short(task.params), 28)
        for span in task.spans:
            if span.state == "running":
                yield self.bar(span.begin, span.end, base - 30, 30, task.colour)
            elif span.state == "ready":
                yield self.bar(span.begin, span.end, base - 16, 16, task.colour, 'opacity="0.3"')
            else:
                yield (
                    f'<path d="M{self.x(span.begin)} {base - 8}H{self.x(span.end)}" stroke="#999"'
                    ' stroke-width="2" stroke-dasharray="5 4"/>'
                )
        yield from self.signs(task, base)

    def signs(self, task: Task, base: int) -> Iterator[str]:
        for job in task.jobs:
            if job.deadline is None:
                continue
            end = job.done if job.done is not None else self.model.end
            if end > job.deadline:
                yield self.bar(job.deadline, end, base - 38, 8, "#d00000", 'opacity="0.35"')
            r, d = self.x(job.release), self.x(job.deadline)
            yield _arrow(r, base, base - 46, 6)
            yield _arrow(d, base - 54, base - 2, -6)
        for deadline in task.missed:
            x, y = self.x(deadline), base - 46
            yield (
                f'<path d="M{x - 8} {y - 8}L{x + 8} {y + 8}M{x + 8} {y - 8}L{x - 8} {y + 8}"'
                f' stroke="#d00000" stroke-width="4"><title>missed at {ms(deadline)} ms</title></path>'
            )


def _arrow(x: float, tail: float, head: float, barb: int) -> str:
    return (
        f'<path d="M{x} {tail}V{head}M{x - 5} {head + barb}L{x} {head}L{x + 5} {head + barb}"'
        ' stroke="#1a1a1a" fill="none" stroke-width="1.6"/>'
    )


def _in_short(params: str) -> str:
    return " ".join(word for word in params.split() if not word.startswith(("class=", "runtime=")))


def _label(y: int, name: str, below: str, x: int = 2) -> str:
    size = 13 if len(below) <= 32 else 10
    return (
        f'<text x="{x}" y="{y}" font-size="20" font-weight="600" fill="#1a1a1a">{html.escape(name)}</text>'
        f'<text x="{x}" y="{y + 18}" font-size="{size}" fill="#555">{html.escape(below)}</text>'
    )


def _step(length: int) -> int:
    """The distance of the axis' figures: about a dozen, and round."""
    step = 1
    while length / step > 16:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return step


# --- The page -----------------------------------------------------------------------------------------


def ms(ns: int | float | None) -> str:
    return "–" if ns is None else f"{ns / _MS:.2f}"


def _row(task: Task, whole: int) -> str:
    known = [job.response for job in task.jobs if job.response is not None]
    mean = sum(known) / len(known) if known else None
    deadline = next((j.deadline - j.release for j in task.jobs if j.deadline is not None), None)
    missed = str(len(task.missed)) if deadline is not None else "–"
    cells = [ms(task.ran), f"{100 * task.ran / max(1, whole):.1f} %", ms(task.longest_wait)]
    cells += [str(len(known)), ms(min(known, default=None)), ms(mean), ms(max(known, default=None))]
    cells += [ms(deadline)]
    name = f'<i style="background:{task.colour}"></i>{html.escape(task.name)}'
    params = html.escape(("refused: " if task.refused else "") + task.params)
    bad = ' class="bad"' if task.missed else ""
    figures = "".join(f"<td>{cell}</td>" for cell in cells)
    return f"<tr><td>{name}</td><td>{params}</td>{figures}<td{bad}>{missed}</td></tr>"


def page(model: Model, text: str) -> str:
    """The whole page for @model, which came of the set of tasks that @text is."""
    tasks = tasks_of(model, text)
    heads: tuple[str, ...] = ("task", "parameters", "on a CPU", "share", "longest wait", "jobs ended")
    heads += ("best response", "mean", "worst", "deadline", "missed")
    legend = "".join(f'<span><svg viewBox="0 0 34 24">{sign}</svg>{what}</span>' for sign, what in _LEGEND)
    names = "".join(
        f'<span><i style="background:{t.colour};margin:0"></i>{html.escape(t.name)}</span>' for t in tasks
    )
    title = html.escape(Path(model.title).name)
    return "\n".join(
        [
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
            f"<style>{_STYLE}</style></head><body>",
            f"<h1>{title}</h1><p>{html.escape(model.subtitle)}</p>",
            Chart(model, tasks).draw(),
            f'<div class="legend" aria-label="Tasks">{names}</div>',
            f'<div class="legend" aria-label="Signs">{legend}</div>',
            "<table><caption>Response times, in ms</caption>",
            "<tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>",
            *(_row(task, model.end - model.begin) for task in tasks),
            "</table></body></html>\n",
        ]
    )


def write(model: Model, text: str, out: Path) -> None:
    out.write_text(page(model, text), encoding="utf-8")
