"""Text of strangers, made safe to show: a terminal must not obey it.

A kernel, a compiler that quotes a source, or the name of a file may hold what moves the cursor, changes
colours, or turns the direction of writing, and so paint a line that nobody printed. Such text is made
visible where it comes in, so that nothing that prints it has to think of this.
"""

from __future__ import annotations

import re
from typing import Any

# Control characters but tab and the end of a line; marks of direction; separators that some programs take
# for the end of a line; what cannot be written as UTF-8.
_HIDDEN = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ufeff\ufffe\uffff\ud800-\udfff]"
)
_LINES = re.compile(r"[\t\n]")
_BYTES = re.compile(rb"[\0-\x08\x0b-\x1f\x7f-\xff]")  # that may need it


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, see "surrogateescape"
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def visible(text: str | bytes) -> str:
    """@text with every character that a terminal would obey as \\x1b or \\u202e. Lines and tabs stay."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    return _HIDDEN.sub(_escaped, text)


def in_one_line(text: str) -> str:
    """The same, with the ends of lines and tabs made visible, too."""
    return _LINES.sub(lambda found: "\\n" if found[0] == "\n" else "\\t", visible(text))


def visible_bytes(data: bytes) -> bytes:
    """The same for what came over a serial line, where lines end in CR LF."""
    if not _BYTES.search(data):
        return data
    return b"\r\n".join(visible(piece).encode() for piece in data.split(b"\r\n"))


def all_visible(data: Any) -> Any:
    """@data, which was read as JSON, with each text in it made visible."""
    if isinstance(data, str):
        return visible(data)
    if isinstance(data, list):
        return [all_visible(item) for item in data]
    if isinstance(data, dict):
        return {visible(key): all_visible(value) for key, value in data.items()}
    return data
