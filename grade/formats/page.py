"""A report as a page that needs neither network nor server, and the parts of it that a class's pages share.

Each value is escaped where it is put into a page: only h() and plot.py make markup of text. Besides, a policy
in the page forbids all scripts, and everything from outside.
"""

from collections.abc import Iterator, Mapping, Sequence
from html import escape as h

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
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, body: str, style: str = "") -> str:
    """A page with the markup @body; @style goes on top of that of all pages."""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{h(POLICY)}">'
        f'<meta name="viewport" content="width=device-width"><title>{h(title)}</title>'
        f"<style>{_STYLE}{style}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of markup: each cell has been through h()."""
    top = "".join(f"<th>{h(name)}</th>" for name in head)
    lines = "\n".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>\n{lines}\n</tbody></table>"


def html(whole: Report) -> str:
    """The whole report: points first, then for each lab what must hold, and every failure with its moment."""
    title = ", ".join(lab.name for lab in whole.labs)
    parts = [f"<h1>{h(title)}</h1>"]
    if whole.submission:
        parts.append(f"<p>{h(whole.submission)}</p>")
    for lab in whole.labs:
        earned = f"<strong>{points(lab.earned)}</strong> of {points(lab.points)} points"
        parts += [f"<p>{h(lab.name)}, {h(lab.title)}: {earned}</p>", *judged(lab)]
    return page(title, "\n".join(parts))


def judged(result: LabResult) -> Iterator[str]:
    """The properties of a lab, and each failure."""
    yield _properties(result)
    yield from _failures(result)
    for run in result.unjudged:
        yield f"<p>Not judged, since the machine was too slow; no points are lost: {h(run)}</p>"


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
               f"<dl>{_said('happened', cause.happened)}{_said('in', cause.place)}"
               f"{_said('tests', tests)}</dl><pre>{h(cause.replay)}</pre></section>")  # fmt: skip
    sentences = {p.id: p.text for p in result.properties}
    told: set[str] = set()
    for n, f in enumerate(found):
        if f.kind == Kind.BUILD.value:
            yield _build_error(f)
            continue
        explain = next((p for p in result.properties if p.id in f.properties and p.id not in told), None)
        told.update([explain.id] if explain else [])
        yield _failure(f, sentences, explain.explain if explain else "", n == 0)


def _build_error(f: FailureResult) -> str:
    """Without what tests say: none could run."""
    text = h("\n".join(f.details))
    title = h(f"{f.kind} on {f.arch}: no test of this lab could run")
    return f"<section><h3>{title}</h3><pre>{text}</pre></section>"


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
