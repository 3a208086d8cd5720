"""Finds what would hide a student's code from those who watch it, or its words from the checks of its text.

An attribute can take a function away from the hooks at its entry and exit, and from the functions that the
explorer is called with at each access to memory: whatever it does then happens in one step. So there are few
attributes that may be used, and each is written out: a word that macros put together is read by the compiler
alone.
"""

import re
from collections.abc import Iterator

from tools.portable import code_alone, joined

_OFFERED = frozenset(
    "aligned always_inline cleanup cold const fallthrough flatten format hot malloc maybe_unused noinline"
    " nonnull noreturn packed pure returns_nonnull unused used warn_unused_result".split()
)
_NAMES = "|".join(sorted(_OFFERED))
_DEEP = r"\((?:[^()]|\((?:[^()]|\([^()]*+\))*+\))*+\)"  # parentheses, and two more levels in them
_ATTRIBUTE = re.compile(rf"\b__attribute(?:__)?\b\s*(?:\(\s*\(((?:[^()]|{_DEEP})*+)\)\s*\))?")
_PRAGMA = re.compile(r"^[ \t]*#[ \t]*pragma\b(?![ \t]+(?:once|GCC[ \t]+(?:diagnostic|unroll))\b).*", re.M)
_DEFINES = re.compile(
    rf"^[ \t]*#[ \t]*(?:define|undef)[ \t]+(?:(?:__)?(?:{_NAMES})(?:__)?\b|.*\b__attribute(?:__)?\b).*", re.M
)
_MADE = re.compile(r"##|<:|:>|<%|%>|%:|\?\?[=/'()!<>-]")
_BRACKETS = re.compile(r"\[\s*\[")


def _strange(inside: str) -> list[str]:
    """The attributes in the list @inside that are not offered."""
    while (outer := re.sub(r"\([^()]*\)", "", inside)) != inside:
        inside = outer
    names = [name.strip() for name in inside.split(",")]
    return [name for name in names if name and re.sub(r"^__(\w+)__$", r"\1", name) not in _OFFERED]


def _found(code: str) -> Iterator[tuple[int, str]]:
    """Where in @code something is hidden, and why that is not taken."""
    for match in _ATTRIBUTE.finditer(code):
        if match[1] is None:
            yield match.start(), "an attribute that is not written as __attribute__((name))"
        for name in _strange(match[1] or ""):
            yield match.start(), f"the attribute {name}: only {', '.join(sorted(_OFFERED))} may be used"
    for match in _PRAGMA.finditer(code):
        yield match.start(), f"{match[0].strip()}: only once, GCC diagnostic and GCC unroll may be used"
    for match in _DEFINES.finditer(code):
        yield match.start(), "a macro that has an attribute, or the name of one: write it where it is used"
    for match in _MADE.finditer(code):
        yield match.start(), f"{match[0]}: write out each word and each bracket"
    for match in _BRACKETS.finditer(code):
        yield match.start(), "[[: write attributes as __attribute__((name))"


def hidden(text: str) -> Iterator[tuple[int, str]]:
    """The lines of @text where something is hidden, and why that is not taken."""
    lines = joined(text)
    code = code_alone("\n".join(line for _, line in lines))
    for at, why in _found(code):
        yield lines[code.count("\n", 0, at)][0], why
