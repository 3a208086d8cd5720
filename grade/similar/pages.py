"""The report as pages: index.html, and one page for each pair, both sides beside each other.

As in a class's pages every value is escaped where it is put in, and a policy forbids scripts. So links do all
the work: a fragment's link goes to the same fragment of the other side, which the style then shows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape as h
from pathlib import Path
from typing import TypeAlias

from grade.course import plot
from grade.formats.page import page, table
from grade.similar.sources import Entry
from grade.similar.tool import Compared, Fragment, Pair, Place
from tools.options import counted
from tools.visible import in_one_line, visible

_COLOURS = 8
_SIDES = "".join(f".f{i} {{ --hue: {i * 360 // _COLOURS + 20} }}\n" for i in range(_COLOURS))
_STYLE = f"""
body {{ max-width: none }}
.sides {{ display: grid; grid-template-columns: 1fr 1fr; gap: 1rem }}
.sides > div {{ height: 80vh; overflow: auto; border: 1px solid var(--line) }}
.sides h2 {{ position: sticky; z-index: 1; top: 0; left: 0; margin: 0; padding: .3rem .6rem;
  background: Canvas; font-size: 1rem }}
.sides pre {{ border: 0; margin: 0; overflow: visible; width: max-content; min-width: 100% }}
.sides a {{ scroll-margin: 3rem 1rem; display: block; color: inherit; text-decoration: none;
  border-left: .3rem solid;
  border-color: hsl(var(--hue) 70% 50%); background: hsl(var(--hue) 70% 50% / .22) }}
.sides a.known {{ background: none; border-left-style: dotted }}
.sides a:target {{ outline: 2px solid; background: hsl(var(--hue) 70% 50% / .45) }}
.given {{ opacity: .45 }} .number {{ user-select: none; opacity: .5 }}
{_SIDES}"""


@dataclass(frozen=True)
class Report:
    """A comparison. @entries: those that were compared, this year's @own ones first."""

    lab: str
    entries: Sequence[Entry]
    own: int
    left_out: Sequence[Entry]
    found: Compared
    threshold: int

    @property
    def alike(self) -> list[Pair]:
        return [pair for pair in self.found.pairs if pair.score >= self.threshold / 100]


def write(report: Report, out: Path) -> list[Path]:
    """Writes the pages to @out; the files."""
    shown = [pair for pair in report.found.pairs if pair.fragments is not None]
    contents = {"index.html": _index(report)}
    contents |= {_name(i): _pair(report, pair) for i, pair in enumerate(shown)}
    out.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        (out / name).write_text(text, encoding="utf-8")
    return [out / name for name in contents]


def _name(rank: int) -> str:
    return f"pair-{rank + 1:03}.html"


def _per_cent(part: float) -> str:
    return f"{int(100 * part)} %"


# --- index.html -------------------------------------------------------------------------------------


def _index(report: Report) -> str:
    earlier = len(report.entries) - report.own
    counts = [f"{counted(report.own, 'submission')} of this year"]
    counts += [f"{earlier} of earlier years"] * bool(earlier)
    parts = [f"<h1>{h(report.lab)}: similar submissions</h1>", f"<p>{', '.join(counts)}</p>", _about(report)]
    parts += [_distribution(report), _pairs(report), _clusters(report), _submissions(report)]
    parts.append(_left_out(report))
    return page(f"{report.lab}: similar submissions", "\n".join(part for part in parts if part))


def _about(report: Report) -> str:
    highest = report.found.controls
    lines = [
        "A score is the part of both submissions that is in the other one, too. It is a reason to look at a "
        "pair, and says nothing about who wrote it.",
        "Names, comments, layout and the order of functions mean nothing. The starter's code does not count, "
        "and what the reference has counts next to nothing.",
        f"The lab's reference and its variants, other right solutions, reach {_per_cent(highest)} with each "
        f"other; pairs from {report.threshold} % on are listed.",
    ]
    if highest >= report.threshold / 100:
        lines.append("So this threshold is too low for this lab: right solutions may be among the pairs.")
    return "".join(f"<p>{h(line)}</p>" for line in lines)


def _distribution(report: Report) -> str:
    earlier = len(report.entries) - report.own
    count = report.own * (report.own - 1) // 2 + report.own * earlier
    if count == 0:
        return ""
    scores = [100 * pair.score for pair in report.found.pairs]
    bars = plot.distribution([*scores, *[0.0] * (count - len(scores))], 100)
    nearest = [100 * pair.score if pair else 0.0 for pair in _nearest(report)]
    return ("<h2>All pairs</h2>" + plot.upright("how many pairs have which score, in per cent", bars)
            + "<h2>Each submission with the one that is most like it</h2>"
            + plot.upright("how many submissions have which highest score", plot.distribution(nearest, 100))
            )  # fmt: skip


def _nearest(report: Report) -> list[Pair | None]:
    """For each submission of this year the pair with the highest score."""
    out: list[Pair | None] = [None] * report.own
    for pair in report.found.pairs:  # the highest score comes first
        for side in (pair.left, pair.right):
            if side < report.own and out[side] is None:
                out[side] = pair
    return out


def _lines(fragments: Sequence[Fragment]) -> int:
    """Lines of the left side that are in one of @fragments."""
    return len({(f.left.path, row) for f in fragments for row in range(f.left.first, f.left.last + 1)})


def _pairs(report: Report) -> str:
    alike = report.alike
    if not alike:
        return f"<h2>Pairs</h2><p>None from {report.threshold} % on.</p>"
    rows = []
    for rank, pair in enumerate(alike):
        left, right = report.entries[pair.left], report.entries[pair.right]
        score = _per_cent(pair.score)
        cells = [score, h(left.name), h(right.name), "", "", ""]
        if pair.fragments is not None:
            cells[0] = f'<a href="{_name(rank)}">{score}</a>'
            longest = max((f.left.lines for f in pair.fragments), default=0)
            unknown = _lines([f for f in pair.fragments if not f.known])
            cells[3:] = [str(longest), str(_lines(pair.fragments)), str(unknown)]
        rows.append([*cells, "same files to the byte" if left.digest == right.digest else ""])
    head = ("score", "one", "the other", "longest part, lines", "common lines", "not in the reference", "")
    without = len(alike) - sum(pair.fragments is not None for pair in alike)
    more = f"<p>The last {without} have no page.</p>" if without else ""
    return f"<h2>{counted(len(alike), 'pair')}</h2>" + more + table(head, rows)


def _clusters(report: Report) -> str:
    """Submissions that are connected by pairs."""
    groups: dict[int, set[int]] = {}
    for pair in report.alike:
        joined = groups.get(pair.left, {pair.left}) | groups.get(pair.right, {pair.right})
        groups |= dict.fromkeys(joined, joined)
    distinct = {min(group): group for group in groups.values()}.values()
    order = sorted(distinct, key=lambda group: (-len(group), min(group)))
    rows = [[str(len(group)), h(", ".join(report.entries[i].name for i in sorted(group)))] for group in order]
    return "<h2>Clusters</h2>" + table(("size", "submissions"), rows) if rows else ""


def _submissions(report: Report) -> str:
    rows = []
    for i, pair in enumerate(_nearest(report)):
        size, known = report.found.sizes[i], report.found.known[i]
        other = report.entries[pair.left + pair.right - i].name if pair else ""
        what = h(other) if size else "nothing written"
        what = "not compared: too long" if report.found.refused[i] else what
        rows.append([h(report.entries[i].name), str(size), _per_cent(known) if size else "",
                     _per_cent(pair.score) if pair else "", what])  # fmt: skip
    head = ("submission", "tokens", "also in the reference", "highest score", "with")
    return "<h2>Submissions</h2>" + table(head, rows)


def _left_out(report: Report) -> str:
    rows = [[h(entry.name), h(entry.why)] for entry in report.left_out]
    return "<h2>Not compared</h2>" + table(("submission", "why"), rows) if rows else ""


# --- A pair -----------------------------------------------------------------------------------------


def _pair(report: Report, pair: Pair) -> str:
    names = report.entries[pair.left].name, report.entries[pair.right].name
    shown = _apart(pair.fragments or ())
    title = f"{report.lab}: {names[0]} and {names[1]}"
    rows = [[f'<a href="#l{i}">{i + 1}</a>', h(_said(f.left)), h(_said(f.right)), str(f.tokens),
             "in the reference, too" if f.known else ""] for i, f in enumerate(shown)]  # fmt: skip
    left = _side(report, pair.left, "l", "r", shown, _lines_of([f.left for f in shown]))
    right = _side(report, pair.right, "r", "l", shown, _lines_of([f.right for f in shown]))
    return page(title, f"""<p><a href="index.html">{h(report.lab)}</a></p>
<h1>{h(names[0])} and {h(names[1])}: {_per_cent(pair.score)}</h1>
<p>A coloured part leads to the same part of the other side. With a dotted edge, the reference has it, too.
Pale lines are the starter's.</p>
<div class="sides">{left}{right}</div>
<details><summary>{counted(len(shown), 'common part')}</summary>
{table(("", names[0], names[1], "tokens", ""), rows)}</details>""", _STYLE)


_Line: TypeAlias = tuple[str, int]


def _lines_of(places: Sequence[Place]) -> dict[_Line, int]:
    """The place that each line belongs to. The longest fragment comes first, and keeps its lines."""
    out: dict[_Line, int] = {}
    for i, place in enumerate(places):
        for row in range(place.first, place.last + 1):
            out.setdefault((place.path, row), i)
    return out


def _apart(fragments: Sequence[Fragment]) -> list[Fragment]:
    """The fragments with a line of their own on both sides, so that links between them lead somewhere."""
    taken: tuple[set[_Line], set[_Line]] = set(), set()
    out = []
    for fragment in fragments:
        both = set(_lines_of([fragment.left])), set(_lines_of([fragment.right]))
        if both[0] - taken[0] and both[1] - taken[1]:
            taken[0].update(both[0])
            taken[1].update(both[1])
            out.append(fragment)
    return out


def _said(place: Place) -> str:
    return f"{place.path}:{place.first + 1}–{place.last + 1}"


def _side(
    report: Report, number: int, here: str, there: str, shown: Sequence[Fragment], of: Mapping[_Line, int]
) -> str:
    """The files of a submission; the first lines of a fragment have the id @here and its number."""
    items = report.found.items[number]
    own = {(place.path, row) for place in items for row in range(place.first, place.last + 1)}
    named: set[int] = set()
    parts = []
    for path, text in (report.entries[number].files or {}).items():
        blocks = []
        for fragment, lines in _runs(path, text, of):
            body = "".join(_line(row, line, (path, row) in own) for row, line in lines)
            if fragment is not None:
                mark = "" if fragment in named else f' id="{here}{fragment}"'
                kind = f"f{fragment % _COLOURS}" + " known" * shown[fragment].known
                body = f'<a{mark} class="{kind}" href="#{there}{fragment}">{body}</a>'
                named.add(fragment)
            blocks.append(body)
        parts.append(f"<h2>{h(in_one_line(path))}</h2><pre>{''.join(blocks)}</pre>")
    return f"<div>{''.join(parts)}</div>"


def _runs(
    path: str, text: str, of: Mapping[_Line, int]
) -> Iterator[tuple[int | None, list[tuple[int, str]]]]:
    """The lines of a file in order, as runs with the same fragment, or none."""
    run: list[tuple[int, str]] = []
    for row, line in enumerate(text.split("\n")):
        if run and of.get((path, row)) != of.get((path, run[0][0])):
            yield of.get((path, run[0][0])), run
            run = []
        run.append((row, line))
    yield of.get((path, run[0][0])), run


def _line(row: int, line: str, own: bool) -> str:
    text = h(visible(line.removesuffix("\r").expandtabs()))  # tabs would count from the number's start
    number = f'<span class="number">{row + 1:4} </span>'
    return number + (text if own else f'<span class="given">{text}</span>') + "\n"
