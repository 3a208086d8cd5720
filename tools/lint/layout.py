"""The layout of C, by clang-format and .clang-format.

clang-format knows nothing of columns that a person lined up: comments behind fields, tables. So what it
says counts where it moves a line's beginning, or adds or removes a blank or a line end; never where it
only changes how wide a gap inside a line is, and not in lists between braces, which people lay out.

    /usr/bin/python3 -m tools.lint.layout --write [FILE]...
"""

from __future__ import annotations

import argparse
import difflib
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.lint.files import ROOT, Fault, c_files, read

_INDENT = re.compile(r"[ \t]*")
_GAP = re.compile(r"[ \t]+")
_LIST_LINE = re.compile(r"^\s*([.\[{:]|enum\b|case\b|default:|.*[,{]$|.*\}[;,]?$)")
_BY_HAND = ("#define", "\\")
_ELEMENT = re.compile(r"^\s*[\w.\[\]]+( = [^,]+)?,?$")
# Text that clang-format 14 takes for something else: C++'s words, a cast before a sign or a string.
_MISREAD = re.compile(r"\bdelete\b|\bnew\b|\(\w+( \*+)?\) ?[-\"]|\(ptr\)")


def laid_out() -> list[str]:
    """Files that are C all through; asm.h is for assembly too."""
    return [path for path in c_files() if not path.endswith("/asm.h")]


def normal(line: str) -> str:
    """@line with every gap inside it made one blank wide."""
    indent = _INDENT.match(line)
    start = indent.end() if indent else 0
    return line[:start] + _GAP.sub(" ", line[start:])


def formatted(paths: Sequence[str]) -> dict[str, list[str]]:
    """Each of @paths as clang-format lays it out. One process does them all: it takes longer to start than
    to format a file."""
    with tempfile.TemporaryDirectory(prefix="trellis-lint-") as folder:
        for path in (".clang-format", *paths):
            copy = Path(folder, path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(read(path), encoding="utf-8")
        subprocess.run(["clang-format", "-i", *paths], cwd=folder, check=True)
        return {path: Path(folder, path).read_text(encoding="utf-8").splitlines() for path in paths}


def by_hand(ours: Sequence[str], theirs: Sequence[str]) -> bool:
    """Lists, tables, macros, assembly and chains of `?:` stay as their author put them."""
    if any("__asm__" in line for line in ours):
        return True
    if len(theirs) > len(ours) and all(_ELEMENT.match(line) for line in theirs):
        return True  # a list, put on one line each
    return all(
        _LIST_LINE.match(line)
        or _MISREAD.search(line)
        or any(mark in line for mark in _BY_HAND)
        or line.count("?") > 1
        for line in ours
    )


def mended(path: str, theirs: Sequence[str]) -> list[str]:
    """The lines of @path as they should be; @theirs are clang-format's."""
    ours = read(path).splitlines()
    matcher = difflib.SequenceMatcher(
        None, [normal(x) for x in ours], [normal(x) for x in theirs], autojunk=False
    )
    out: list[str] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        keep = kind == "equal" or (a != b and by_hand(ours[a:b], theirs[c:d]))
        out += ours[a:b] if keep else theirs[c:d]
    return out


def layout() -> Iterator[Fault]:
    for path, theirs in formatted(laid_out()).items():
        ours, good = read(path).splitlines(), mended(path, theirs)
        if ours == good:
            continue
        matcher = difflib.SequenceMatcher(None, ours, good, autojunk=False)
        for kind, a, _, c, _ in matcher.get_opcodes():
            if kind != "equal":
                wanted = good[c].strip() if c < len(good) else "nothing"
                yield Fault(path, a + 1, f"layout; make format would say: {wanted}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="mend the files")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    for path, theirs in formatted(options.files or laid_out()).items():
        good = "\n".join(mended(path, theirs)) + "\n"
        if good != read(path):
            print(path)
            if options.write:
                (ROOT / path).write_text(good, encoding="utf-8")


if __name__ == "__main__":
    main()
