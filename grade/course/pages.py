"""A class as pages: one for each student, and index.html. They need neither network nor server.

Each value is escaped where it is put into a page: only h() and plot.py make markup of text. Besides, a policy
in the page forbids all scripts, and everything from outside.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape as h

from grade.course import late, plot, standing
from grade.course.standing import Standing
from grade.lab import EXPLORER
from grade.report import points, worth_reading
from grade.results import FailureResult, LabResult, Report
from grade.verdict import Kind
from tools.options import counted

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --bar: #3a76c4; --bad: #c0392b; --good: #2e8b57 }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
td, th { padding: .25rem .6rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top }
pre { overflow-x: auto; padding: .6rem; border: 1px solid var(--line); font-size: 13px }
section { border-left: 4px solid var(--bad); padding-left: 1rem; margin: 1.5rem 0 }
dt { font-weight: 600; float: left; width: 7rem } dd { margin-left: 7.5rem }
.bad { color: var(--bad) } .good { color: var(--good) } svg rect { fill: var(--bar) }
svg { max-width: 100% } svg text { font: 12px sans-serif; fill: currentColor }
svg line { stroke: currentColor }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_WORST = 10
_STRANGE = (Kind.FORGED.value, Kind.FLOOD.value, Kind.REBOOT.value, Kind.STOPPED.value)


@dataclass(frozen=True)
class Member:
    """A student with the report of the result that counts, and the name of the page."""

    standing: Standing
    report: Report | None
    page: str

    @property
    def lab(self) -> LabResult | None:
        return self.report.labs[0] if self.report else None


def page_name(student: str) -> str:
    """A file name for any id, and another one for each, also where case does not count."""
    if re.fullmatch(r"[a-z0-9]{1,60}", student):
        return f"student-{student}.html"
    mark = hashlib.sha256(student.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f"student-{re.sub('[^a-z0-9]', '_', student)[:60]}-{mark}.html"


def page(title: str, body: str, style: str = "") -> str:
    """A page with the markup @body; @style goes on top of that of all pages."""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{h(_POLICY)}">'
        f'<meta name="viewport" content="width=device-width"><title>{h(title)}</title>'
        f"<style>{_STYLE}{style}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of markup: each cell has been through h()."""
    top = "".join(f"<th>{h(name)}</th>" for name in head)
    lines = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>\n{lines}\n</tbody></table>"


def _shown(value: float | None) -> str:
    return "–" if value is None else points(value)


# --- A student's page -------------------------------------------------------------------------------


def student_page(lab: str, member: Member) -> str:
    s, result = member.standing, member.lab
    possible = f" of {points(result.points)}" if result else ""
    parts = [f"<h1>{h(s.student.name or s.student.id)}</h1>"]
    parts.append(f"<p>{h(lab)}: <strong>{_shown(s.points)}</strong>{possible} points, {h(s.state)}</p>")
    parts.append("<ul>" + "".join(f"<li>{h(line)}</li>" for line in _how_points_came(s)) + "</ul>")
    if result is not None:
        parts += [_properties(result), *_failures(result)]
    return page(f"{lab}: {s.student.id}", "\n".join(parts))


def _how_points_came(s: Standing) -> Iterator[str]:
    if s.handin is not None:
        at = s.handin.at.astimezone().isoformat(sep=" ", timespec="minutes")
        yield f"handed in at {at} (by the {s.handin.clock}'s time): {s.handin.entry}"
        if s.handin.rejected:
            yield f"rejected: {s.handin.rejected}"
    if s.result is not None:
        yield f"graded: {points(s.earned)} points"
    if s.stale:
        yield "graded by earlier tests; they have changed since"
    if s.lateness is not None and s.lateness.by:
        cost = f"costs {points(s.cost)} points" if s.cost else "costs nothing"
        yield f"late by {late.spoken(s.lateness.by)}: {cost}"
    for o in s.overrides:
        how = {"=": "set to", "+": "plus", "-": "minus"}[o.how]
        yield f"{how} {points(o.points)} points by {o.author}: {o.reason}"


def _properties(result: LabResult) -> str:
    rows = []
    for p in sorted(result.properties, key=lambda p: p.step):
        whole = p.earned == p.points
        mark = '<span class="good">ok</span>' if whole else '<span class="bad">fails</span>'
        rows.append([str(p.step), h(p.id), mark, h(p.text), f"{points(p.earned)} / {points(p.points)}"])
    return "<h2>What must hold</h2>" + table(("step", "", "", "property", "points"), rows)


def _unwritten(result: LabResult) -> Iterator[str]:
    """The stubs that are left, each with the tests that wait for it."""
    stubs: dict[str, list[FailureResult]] = {}
    for f in result.failures:
        if f.kind == Kind.UNWRITTEN.value:
            stubs.setdefault(f.happened, []).append(f)
    rows = [[h(what), h(", ".join(dict.fromkeys(f.test for f in found)))] for what, found in stubs.items()]
    if rows:
        yield "<h2>Not written yet</h2>" + table(("what", "tests that need it"), rows)


def _failures(result: LabResult) -> Iterator[str]:
    yield from _unwritten(result)
    found = list(worth_reading(result))
    if found:
        yield f"<h2>{counted(len(found), 'failure')}</h2>"
    for cause in result.causes:
        tests = ", ".join(cause.tests)
        yield (f"<section><h3>One cause ends {counted(cause.runs, 'run')}: look for it first</h3>"
               f"<dl>{_said('happened', cause.happened)}{_said('in', cause.where + '()')}"
               f"{_said('tests', tests)}</dl><pre>{h(cause.replay)}</pre></section>")  # fmt: skip
    sentences = {p.id: p.text for p in result.properties}
    told: set[str] = set()
    for n, f in enumerate(found):
        explain = next((p for p in result.properties if p.id in f.properties and p.id not in told), None)
        told.update([explain.id] if explain else [])
        yield _failure(f, sentences, explain.explain if explain else "", n == 0)


def _said(label: str, words: str) -> str:
    return f"<dt>{h(label)}</dt><dd>{h(words)}</dd>" if words else ""


def _moment(trace: Sequence[str]) -> str:
    """The trace as the report has it (timeline.py), with the line of the moment itself brought out."""
    return "\n".join(f"<mark>{h(line)}</mark>" if line.startswith(">") else h(line) for line in trace)


def _failure(f: FailureResult, sentences: Mapping[str, str], explain: str, first: bool) -> str:
    broken = "; ".join(f"{p}: {sentences.get(p, '')}" for p in f.properties[:3])
    more = f"and {len(f.properties) - 3} more" if len(f.properties) > 3 else ""
    explored = f.arch == EXPLORER
    rows = [("property", broken), ("", more), ("expected", f.expected), ("happened", f.happened),
            ("schedule" if explored else "at", f.where), ("looks like", f.like or ""), ("about it", explain),
            ("also in", counted(f.others, "more run") if f.others else "")]  # fmt: skip
    seed = "" if explored else f", seed {f.seed}"
    parts = [f"<h3>{h(f.kind)}: {h(f.test)} ({h(f.arch)}, {counted(f.cpus, 'CPU')}{seed})</h3>"]
    parts.append(f"<dl>{''.join(_said(*row) for row in rows)}</dl>")
    if f.details:
        title = "The steps" if explored else "What it said"
        text = h("\n".join(f.details))
        parts.append(f"<details><summary>{title}</summary><pre>{text}</pre></details>")
    if f.trace:
        opened = " open" if first else ""
        parts.append(f"<details{opened}><summary>The moment: a column for each CPU, time downwards</summary>"
                     f"<pre>{_moment(f.trace)}</pre></details>")  # fmt: skip
    return f"<section>{''.join(parts)}<p>Run it again:</p><pre>{h(f.replay)}</pre></section>"


# --- The page of the class --------------------------------------------------------------------------


def class_page(lab: str, members: Sequence[Member]) -> str:
    known = [m.standing.points for m in members if m.standing.points is not None]
    possible = next((m.lab.points for m in members if m.lab), 0.0)
    states = Counter(m.standing.state for m in members)
    said = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    parts = [f"<h1>{h(lab)}</h1>", f"<p>{counted(len(members), 'student')}: {h(said)}</p>"]
    if known and possible:
        bars = plot.distribution(known, possible)
        mean = sum(known) / len(known)
        parts.append(f"<h2>Points</h2><p>mean {points(mean)} of {points(possible)}</p>")
        parts.append(plot.upright("how many students have how many points", bars))
    parts += [_most_broken(members), _mistakes(members), _suspicious(members), _students(members)]
    parts.append(_slowest(members))
    return page(lab, "\n".join(part for part in parts if part))


def _link(member: Member) -> str:
    return f'<a href="{h(member.page)}">{h(member.standing.student.id)}</a>'


def _most_broken(members: Sequence[Member]) -> str:
    counts: Counter[str] = Counter()
    texts: dict[str, str] = {}
    for lab in (m.lab for m in members if m.lab):
        for p in lab.properties:
            texts[p.id] = p.text
            counts[p.id] += p.earned < p.points
    worst = [(name, n) for name, n in counts.most_common(_WORST) if n]
    if not worst:
        return ""
    rows = [[h(name), str(n), h(texts[name])] for name, n in worst]
    return ("<h2>What fails most</h2>" + plot.lying("how many students fail a property", worst)
            + table(("", "students", "property"), rows))  # fmt: skip


def _mistakes(members: Sequence[Member]) -> str:
    """Each known mistake with the students whose failures look like it."""
    made: dict[str, list[Member]] = {}
    for member in members:
        likes = {f.like for f in worth_reading(member.lab) if f.like} if member.lab else set()
        for like in likes:
            made.setdefault(like, []).append(member)
    if not made:
        return ""
    order = sorted(made.items(), key=lambda item: (-len(item[1]), item[0]))
    rows = [[str(len(who)), h(like), ", ".join(map(_link, who))] for like, who in order]
    return "<h2>What it looks like</h2>" + table(("students", "mistake", ""), rows)


def _suspicious(members: Sequence[Member]) -> str:
    """Something to look at, not a judgement."""
    rows = []
    same: dict[str, list[Member]] = {}
    for m in members:
        s = m.standing
        if s.handin and s.handin.digest:
            same.setdefault(s.handin.digest, []).append(m)
        if s.handin and s.handin.rejected:
            rows.append(["rejected", _link(m), h(s.handin.rejected)])
        if not s.listed:
            rows.append(["not on the roster", _link(m), ""])
        if s.stale:
            rows.append(["graded by earlier tests", _link(m), h("trellis-grade regrade")])
        kinds = {f.kind for f in m.lab.failures} & set(_STRANGE) if m.lab else set()
        rows += [[h(kind), _link(m), "how a run ended"] for kind in sorted(kinds)]
    for group in same.values():
        if len(group) > 1:
            rows.append(["same files", ", ".join(map(_link, group)), "to the byte"])
    return "<h2>To look at</h2>" + table(("what", "who", ""), rows) if rows else ""


def _students(members: Sequence[Member]) -> str:
    rows = []
    for m in members:
        s = m.standing
        notes = [s.state] * (s.state != standing.GRADED) + ["corrected by hand"] * bool(s.overrides)
        if s.lateness and s.lateness.by:
            notes.append(f"late by {late.spoken(s.lateness.by)}")
        rows.append([_link(m), h(s.student.name), _shown(s.points), h(", ".join(notes))])
    return "<h2>Students</h2>" + table(("id", "name", "points", ""), rows)


def _slowest(members: Sequence[Member]) -> str:
    timed = [m for m in members if m.standing.result]
    timed.sort(key=lambda m: -m.standing.result.seconds if m.standing.result else 0.0)
    rows = [[_link(m), f"{m.standing.result.seconds:.0f} s"] for m in timed[:5] if m.standing.result]
    return "<h2>Slowest to grade</h2>" + table(("", ""), rows) if rows else ""
