"""A class as pages: one for each student, and index.html. formats/page.py says what holds for each page."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape as h

from grade.course import late, plot, standing
from grade.course.standing import Standing
from grade.formats.page import judged, page, table
from grade.report import points, worth_reading
from grade.results import LabResult, Report
from grade.verdict import Kind
from tools.options import counted

_WORST = 10
_STRANGE = (Kind.PATCHED.value, Kind.FORGED.value, Kind.FLOOD.value, Kind.REBOOT.value, Kind.STOPPED.value)


@dataclass(frozen=True)
class Member:
    """A student with the report of the result that counts, and the name of the page."""

    standing: Standing
    report: Report | None
    page: str

    @property
    def lab(self) -> LabResult | None:
        return self.report.labs[0] if self.report else None


PAGES = "student-*.html"  # all that page_name() gives


def page_name(student: str) -> str:
    """A file name for any id, and another one for each, also where case does not count."""
    if re.fullmatch(r"[a-z0-9]{1,60}", student):
        return f"student-{student}.html"
    mark = hashlib.sha256(student.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f"student-{re.sub('[^a-z0-9]', '_', student)[:60]}-{mark}.html"


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
        parts += judged(result)
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
