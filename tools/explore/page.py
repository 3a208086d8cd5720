"""Counterexamples as one HTML file that needs no other and runs no script.

A column for each CPU; time runs downwards. The colours are those of the pages of make timeline.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.explore.table import Again, Row, Run, Story, Switch

_PARTS = Path(__file__).parent
_TIMELINE_STYLE = _PARTS.parent / "timeline" / "page" / "style.css"
_PALETTE = re.compile(r"^:root(\[data-theme=\"dark\"\])? \{\n(.*?)^\}", re.M | re.S)
_COLOURS = 8  # --p0 to --p7, for threads


@dataclass(frozen=True)
class Counterexample:
    scenario: str
    property: str  # what is broken, in words; "": unknown
    verdict: str
    figures: str
    schedule: str
    command: str  # which runs it again
    story: Story


def page(title: str, found: Sequence[Counterexample]) -> str:
    parts = {
        "TITLE": html.escape(title),
        "STYLE": _palette() + (_PARTS / "page.css").read_text(encoding="utf-8"),
        "BODY": "\n".join([*_contents(found), *(_section(c) for c in found)]),
    }
    template = (_PARTS / "page.html").read_text(encoding="utf-8")
    return "".join(parts.get(piece, piece) for piece in template.split("@@"))


def _palette() -> str:
    """The light colours, and the dark ones for a reader who prefers these."""
    out = []
    for dark, colours in _PALETTE.findall(_TIMELINE_STYLE.read_text(encoding="utf-8")):
        rule = f":root {{\n{colours}}}\n"
        out.append(f"@media (prefers-color-scheme: dark) {{\n{rule}}}\n" if dark else rule)
    return "".join(out)


def _contents(found: Sequence[Counterexample]) -> Iterator[str]:
    if len(found) > 1:
        names = [(_text(c.scenario), _text(c.verdict)) for c in found]
        items = "".join(f'<li><a href="#{name}">{name}</a> {verdict}</li>' for name, verdict in names)
        yield f"<nav><ol>{items}</ol></nav>"


def _section(c: Counterexample) -> str:
    columns = len(c.story.cpus)
    property_text = f"<p>{_text(c.property)}</p>" if c.property else ""
    return f"""
<section id="{_text(c.scenario)}">
<h2>{_text(c.scenario)}: <em>{_text(c.verdict)}</em></h2>
{property_text}
<dl>
<dt>explored</dt><dd>{_text(c.figures)}</dd>
<dt>schedule</dt><dd><code>{_text(c.schedule)}</code></dd>
<dt>run it again</dt><dd><code>{_text(c.command)}</code></dd>
</dl>
<div class="story" style="--columns: {max(columns, 1)}" role="table" aria-label="steps">
{"".join(_rows(c))}
</div>
</section>"""


def _rows(c: Counterexample) -> Iterator[str]:
    cpus = c.story.cpus
    heads = "".join(f'<div class="cpu" role="columnheader">CPU {cpu}</div>' for cpu in cpus)
    yield f'<div class="line head" role="row">{heads}</div>\n'
    threads = [p.thread for p in c.story.parts if isinstance(p, Run)]
    colours = {name: i % _COLOURS for i, name in enumerate(dict.fromkeys(threads))}
    last: Run | None = None
    chosen = False
    for part in c.story.parts:
        if isinstance(part, Switch):
            yield _switch(part, last)
            chosen = True
            continue
        if isinstance(part, Again):
            yield _mark("wait", part.told())
            continue
        if last is not None and last.cpu != part.cpu and not chosen:
            yield _mark("wait", f"CPU {last.cpu} has to wait, so CPU {part.cpu} goes on")
        yield _run(part, cpus.index(part.cpu), colours[part.thread])
        last, chosen = part, False
    if c.story.left_out:
        yield _mark("wait", f"{c.story.left_out} more lines")
    yield _mark("end", c.verdict)


def _switch(part: Switch, last: Run | None) -> str:
    if part.takes and part.cpu != "t" and last is not None:
        loser = f"CPU {last.cpu} could go on, but " if part.cpu != str(last.cpu) else ""
        return _mark("taken", loser + part.told())
    return _mark("taken" if part.takes else "chosen", part.told())


def _mark(kind: str, words: str) -> str:
    return f'<div class="mark {kind}" role="row"><span role="cell">{_text(words)}</span></div>\n'


def _run(run: Run, column: int, colour: int) -> str:
    rows = "".join(_row(row) for row in run.rows)
    return (
        f'<div class="line" role="row"><div class="run" role="cell" '
        f'style="grid-column: {column + 1}; --thread: var(--p{colour})">'
        f'<span class="thread">{_text(run.thread)}</span>{rows}</div></div>\n'
    )


def _row(row: Row) -> str:
    where = f"{row.place.function}(), {row.place.file}:{row.place.line}"
    notes = "".join(f' <span class="note">{_text(note)}</span>' for note in row.notes)
    return (
        f'<div class="step"><span class="place" title="{_text(where)}">{_text(row.where())}</span>'
        f"<code>{_text(row.source)}</code>{notes}</div>"
    )


def _text(words: str) -> str:
    return html.escape(words, quote=True)
