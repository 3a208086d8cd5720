"""Plots as inline SVG: upright bars for a distribution, lying bars for a list. All texts are escaped."""

from collections.abc import Sequence
from html import escape

_HEIGHT = 160
_BAR = 44
_ROW = 22


def _svg(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    """A plot; @title is what a screen reader says of it."""
    return (
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {width} {height}" width="{width}">'
        f"{''.join(parts)}</svg>"
    )


def _text(x: float, y: float, words: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(words)}</text>'


def _bar(x: float, y: float, width: float, height: float, told: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f"<rect {place}><title>{escape(told)}</title></rect>"


def upright(title: str, bars: Sequence[tuple[str, int]]) -> str:
    """A bar for each (label, count)."""
    most = max([count for _, count in bars] + [1])
    parts = []
    for i, (label, count) in enumerate(bars):
        height = count / most * (_HEIGHT - 40)
        x, y = i * _BAR + 4, _HEIGHT - 20 - height
        parts += [_bar(x, y, _BAR - 8, height, f"{label}: {count}")] if count else []
        parts += [_text(x + _BAR / 2 - 4, y - 4, str(count))] if count else []
        parts.append(_text(x + _BAR / 2 - 4, _HEIGHT - 5, label))
    width = max(len(bars), 1) * _BAR
    parts.append(f'<line x1="0" x2="{width}" y1="{_HEIGHT - 20}" y2="{_HEIGHT - 20}"/>')
    return _svg(width, _HEIGHT, title, parts)


def lying(title: str, bars: Sequence[tuple[str, int]]) -> str:
    """A row for each (label, count)."""
    most = max([count for _, count in bars] + [1])
    parts = []
    for i, (label, count) in enumerate(bars):
        y, width = i * _ROW, count / most * 300
        parts.append(_text(66, y + 15, label, "end"))
        parts.append(_bar(74, y + 3, width, _ROW - 6, f"{label}: {count}"))
        parts.append(_text(80 + width, y + 15, str(count), "start"))
    return _svg(420, len(bars) * _ROW + 4, title, parts)


def distribution(values: Sequence[float], possible: float) -> list[tuple[str, int]]:
    """How many of @values are in each tenth of @possible; full marks have a bar of their own."""
    counts = [0] * 11
    for value in values:
        counts[min(10, int(10 * value / possible + 1e-9))] += 1
    edges = [possible * i / 10 for i in range(11)]
    return [(f"{edge:g}" if i == 10 else f"{edge:g}–", counts[i]) for i, edge in enumerate(edges)]
