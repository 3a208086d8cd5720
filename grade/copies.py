"""Finds scenarios that are one of a lab's own under another name.

Two scenarios are the same if their tokens are: those of the options, of the body, and of each function of
the file that these use. Names of scenarios and of such functions, steps, properties, comments and layout
do not count. To change a copy is to begin a test of one's own, so this asks for no less than the same
tokens.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|\w+|\S')
_NAME, _OPTIONS = 4, 10  # their places among the tokens `SCENARIO(id, "name", "step", "property", options)`

Tokens = tuple[str, ...]


@dataclass(frozen=True)
class _Definition:
    """A function or a scenario: what stands between the names of its head and the end of its body."""

    name: str
    scenario: str  # its name; "": a function
    tokens: Tokens


def _blocks(text: str) -> Iterator[tuple[Tokens, Tokens]]:
    """The head and the body of everything at the top of a file that has braces."""
    bare = _DIRECTIVE.sub("", _COMMENT.sub(" ", text))
    head: list[str] = []
    body: list[str] = []
    depth = 0
    for token in _TOKEN.findall(bare):
        if token == "{":
            depth += 1
        (body if depth else head).append(token)
        if token == "}" and depth:
            depth -= 1
            if not depth:
                yield tuple(head), tuple(body)
                head, body = [], []
        elif token == ";" and not depth:
            head = []


def _definitions(text: str) -> list[_Definition]:
    found = []
    for head, body in _blocks(text):
        if "(" not in head:
            continue
        opens = head.index("(")
        if head[0] == "SCENARIO" and len(head) >= _OPTIONS:
            found.append(_Definition("", head[_NAME].strip('"'), head[_OPTIONS:] + body))
        elif opens:
            found.append(_Definition(head[opens - 1], "", head[opens:] + body))
    return found


def _with_what_it_uses(of: _Definition, functions: Mapping[str, Tokens]) -> Tokens:
    """Its tokens, and behind them those of the functions that it uses, which have numbers for names."""
    numbers: dict[str, str] = {}
    done: list[str] = []
    waiting = [of.tokens]
    while waiting:
        for token in waiting.pop(0):
            if token in functions and token not in numbers:
                numbers[token] = f"function {len(numbers)}"
                waiting.append(functions[token])
            done.append(numbers.get(token, token))
    return tuple(done)


def scenarios_in(text: str) -> dict[str, Tokens]:
    """The tokens of each scenario of a file, with those that it uses, by name."""
    every = _definitions(text)
    functions = {d.name: d.tokens for d in every if not d.scenario}
    return {d.scenario: _with_what_it_uses(d, functions) for d in every if d.scenario}


def copies(root: Path, own: Mapping[str, bytes]) -> dict[str, str]:
    """Returns the scenarios of the files @own that are copies, each with the name that its original has.
    Nobody can copy a hidden one, so these are not asked."""
    given: dict[Tokens, str] = {}
    for pattern in ("labs/*/scenarios/*.c", "tools/explore/scenarios/*.c"):
        for path in sorted(p for p in root.glob(pattern) if not p.name.startswith("hidden_")):
            text = path.read_text(encoding="utf-8")
            given.update((does, name) for name, does in scenarios_in(text).items())
    mine = [scenarios_in(content.decode(errors="replace")) for content in own.values()]
    return {name: given[does] for found in mine for name, does in found.items() if does in given}
