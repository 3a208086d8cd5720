"""Finds what makes a text of kernel/ mean different things in different builds.

The kernel proper is one text for both ports, for kernels with and without tests, and for the explorer,
which compiles it for this machine. A text that asks where it is compiled, or brings instructions of its
own, could behave there as it does nowhere else. lint looks for that in the tree, the grader in what
students hand in.
"""

import re
from collections.abc import Iterator

# Each alternative goes to an end that is certainly there, and never back: a text made of beginnings, such as
# a million "/*", must not take an hour.
_COMMENT = re.compile(
    r"/\*.*?(?:\*/|\Z)|//[^\n]*+|\"(?:\\.|[^\"\\\n])*+(?:\"|$|\\\Z)|'(?:\\.|[^'\\\n])*+(?:'|$|\\\Z)",
    re.S | re.M,
)
_ASM = re.compile(r"\b(asm|__asm|__asm__)\b")
_WEAK = re.compile(r"\b(weak|__weak__|_Pragma)\b")
_HARMLESS = r"attribute|func|FUNCTION|FILE|LINE|typeof|extension|inline|alignof|VA_\w+|\w+_(?:TYPE|MAX)"
_DEFINED = re.compile(
    rf"\b__(?!(?:{_HARMLESS})__)\w+__\b|\b__(?:riscv|x86_64|amd64|i386)\w*|\b__has_(?!attribute\b)\w+"
)


def code_alone(text: str) -> str:
    """@text without comments and strings, its lines in place. As in C, a comment is as good as a space."""
    return _COMMENT.sub(lambda match: " " + "\n" * match[0].count("\n"), text)


def joined(text: str) -> list[tuple[int, str]]:
    """The lines as a compiler takes them, with their numbers: a backslash at the end joins the next one, even
    in the middle of a word or of the end of a comment."""
    lines: list[tuple[int, str]] = []
    parts: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.rstrip(" \t\r\f\v")
        goes_on = stripped.endswith("\\")
        parts.append(stripped[:-1] if goes_on else line)
        if not goes_on:
            lines.append((number - len(parts) + 1, "".join(parts)))
            parts = []
    return [*lines, (number - len(parts) + 1, "".join(parts))] if parts else lines


def machine_words(text: str) -> Iterator[tuple[int, str]]:
    """The lines of @text that depend on the machine, the compiler or the build, and why they do."""
    lines = joined(text)
    code = code_alone("\n".join(line for _, line in lines)).split("\n")
    for (number, _), line in zip(lines, code, strict=True):
        if _ASM.search(line):
            yield number, "assembly in kernel/"
        if found := _DEFINED.search(line):
            yield number, f"kernel/ must not ask which machine, compiler or build it is: {found[0]}"
        if found := _WEAK.search(line):
            yield number, f"a symbol that may be missing is another question of that kind: {found[0]}"
