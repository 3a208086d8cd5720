"""The table of the operators that keep the meaning, and what they make of a lab: right kernels.

An operator is applied at all places of the lab's regions at once, and at single places; and several
operators, one after the other, at random places. A change that the compiler refuses is left out: it is
counted, since it says nothing about the meaning.
"""

from __future__ import annotations

import difflib
import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from grade.lab import Lab
from tools.mutate import adding, keeping, moving, scope
from tools.mutate.edits import Change, Edit, applied
from tools.mutate.keeping import Inside, Keeper
from tools.mutate.mutants import readable
from tools.mutate.objects import Compiler
from tools.mutate.scope import Target
from tools.mutate.tree import Node, Source, parse


@dataclass(frozen=True)
class Entry:
    name: str
    what: str
    apply: Keeper


KEEPERS = (
    Entry("reorder", "two neighbouring statements that are independent change places", moving.reorder),
    Entry("invert-if", "the other branch of an if comes first, under the opposite condition", keeping.invert),
    Entry("loop", "while and do become for (;;) with a break, for becomes while", keeping.loop),
    Entry("local", "a condition or the value of a return goes through a variable", keeping.local),
    Entry("nesting", "an early return in place of nesting, an else behind a return", keeping.nesting),
    Entry("nested-and", "two conditions, one inside the other, in place of &&", keeping.nested_and),
    Entry("equal", "the opposite relation negated, ?: for !, (*p).f for p->f", keeping.equal),
    Entry("recheck", "a condition without effects is tested twice", keeping.recheck),
    Entry("split", "a variable gets its value behind its declaration", keeping.split),
    Entry("wide", "a wider type of a local variable", keeping.wide),
    Entry("widen", "a lock section also holds a plain statement beside it", moving.widen),
    Entry("outline", "statements become a function of their own", moving.outline),
    Entry("inline", "the body of a static function stands in place of its call", moving.inline),
    Entry("by-hand", "what a function of the library does, written out", adding.by_hand),
    Entry("stronger", "the strongest order of memory; an exchange that never fails in vain", adding.stronger),
    Entry("update", "an atomic addition becomes a loop of compare-exchanges", adding.updates),
    Entry("fence", "a fence before each statement", adding.fence),
    Entry("irqs-off", "interrupts are off, once more, in a short statement", adding.without_interrupts),
    Entry("work", "300 turns of a loop at the entry and at the end of a region", adding.work),
    Entry("work-always", "60 turns before each statement", adding.work_everywhere),
    Entry("print", "a line is printed where a region begins", adding.tell),
)

AS_IT_IS = "as it is"
MIXED = "mixed"


@dataclass(frozen=True)
class Kernel:
    """The files of a right kernel. @places: how many changes there are in them."""

    operator: str
    name: str
    places: int
    files: Mapping[str, str]  # one character for each byte, as in a Target

    @property
    def key(self) -> str:
        text = "\0".join(f"{path}\0{text}" for path, text in sorted(self.files.items()))
        return hashlib.sha256(text.encode("latin-1")).hexdigest()[:24]

    @property
    def contents(self) -> dict[str, bytes]:
        return {path: text.encode("latin-1") for path, text in self.files.items()}

    def diff(self, targets: Sequence[Target]) -> str:
        lines: list[str] = []
        for t in targets:
            new = readable(self.files.get(t.path, t.text)).splitlines(keepends=True)
            old = readable(t.text).splitlines(keepends=True)
            lines += difflib.unified_diff(old, new, f"a/{t.path}", f"b/{t.path}")
        return "".join(lines)


@dataclass(frozen=True)
class Place:
    """One place where an operator applies."""

    path: str
    function: str
    line: int
    change: Change


def places(compiler: Compiler, target: Target, entry: Entry) -> list[Place]:
    """Where @entry applies in the regions of @target."""
    if target.is_assembly:
        return []
    source = _parsed(compiler.root, target.path, tuple(compiler.flags(target.arches[0])), target.text)
    return list(_places(source, target, entry))


@lru_cache(maxsize=8)
def _parsed(root: Path, path: str, flags: tuple[str, ...], text: str) -> Source:
    return parse(root, path, flags, text)


def _places(source: Source, target: Target, entry: Entry) -> Iterator[Place]:
    def inside(start: int, end: int) -> bool:
        return target.holds(start, end) is not None

    for function in source.functions:
        if not any(p.start < function.end and function.start < p.end for p in target.parts):
            continue
        for change in changes(source, function, entry, inside):
            own = [e for e in change.edits if e.start > function.start]
            if own and inside(min(e.start for e in own), max(e.end for e in own)):
                yield Place(target.path, function.name, source.line(change.at), change)


def changes(source: Source, function: Node, entry: Entry, inside: Inside) -> Iterator[Change]:
    """The changes of @entry in @function. It leaves a ({ ... }) alone, whose last statement is a value."""
    values = [n for n in function.walk() if source.text.startswith("({", n.start)]
    for change in entry.apply(source, function, inside):
        if not any(v.start < e.start and e.end < v.end for v in values for e in change.edits):
            yield change


def _clash(a: Edit, b: Edit) -> bool:
    if a.start == a.end and b.start == b.end:
        return a.start == b.start and a.text != b.text
    return a.start <= b.end and b.start <= a.end


def together(found: Sequence[Place]) -> list[Place]:
    """As many of @found, of one file, as do not touch the same text; the first ones win."""
    chosen: list[Place] = []
    taken: list[tuple[Edit, bool]] = []
    for place in found:
        own = [(e, _is_above(place, e)) for e in place.change.edits]
        if not any(_clash(e, other) for e, above in own for other, up in taken if not (above and up)):
            chosen.append(place)
            taken += own
    return chosen


def _is_above(place: Place, edit: Edit) -> bool:
    """Whether the edit is a new function or an #include: several at one place are in nobody's way."""
    return edit.start == edit.end and edit.text.startswith(("static ", "#include"))


def changed(text: str, chosen: Sequence[Place]) -> str:
    return applied(text, list(dict.fromkeys(e for place in chosen for e in place.change.edits)))


class Maker:
    """Makes the right kernels of a lab."""

    def __init__(self, compiler: Compiler, lab: Lab, entries: Sequence[Entry] = KEEPERS) -> None:
        self._compiler = compiler
        self._lab = lab
        self.entries = entries
        self.targets = scope.of_lab(compiler.root, lab)
        self.refused: dict[str, int] = {}
        self._good: dict[str, list[Place]] = {}

    def everywhere(self) -> Iterator[Kernel]:
        """The lab as it is, then one kernel for each operator that applies at all."""
        yield Kernel(AS_IT_IS, AS_IT_IS, 0, {t.path: t.text for t in self.targets})
        for entry in self.entries:
            files: dict[str, str] = {}
            count = 0
            for t in self.targets:
                chosen = together(self.of(entry, t))
                if chosen:
                    files[t.path] = changed(t.text, chosen)
                    count += len(chosen)
            if files:
                yield Kernel(entry.name, f"{entry.name} everywhere", count, files)

    def of(self, entry: Entry, target: Target) -> list[Place]:
        """The places of @entry in @target that compile, alone and together."""
        key = f"{entry.name} {target.path}"
        if key not in self._good:
            found = places(self._compiler, target, entry)
            if not self._compiles(target, changed(target.text, together(found))):
                good = [p for p in found if self._compiles(target, changed(target.text, [p]))]
                self.refused[entry.name] = self.refused.get(entry.name, 0) + len(found) - len(good)
                found = good if self._compiles(target, changed(target.text, together(good))) else good[:1]
            self._good[key] = found
        return self._good[key]

    def _compiles(self, target: Target, text: str) -> bool:
        made = (self._compiler.digest(target.path, arch, target.text, text) for arch in target.arches)
        return all(made)

    def singly(self, count: int, seed: int) -> Iterator[Kernel]:
        """@count kernels with one change each."""
        found = [(e, t, p) for e in self.entries for t in self.targets for p in self.of(e, t)]
        for e, t, p in random.Random(f"single {seed}").sample(found, min(count, len(found))):
            name = f"{e.name} {p.path}:{p.function}:{p.line}"
            yield Kernel(e.name, name, 1, {t.path: changed(t.text, [p])})

    def mixed(self, count: int, seed: int) -> Iterator[Kernel]:
        """@count kernels that several operators have changed, one after the other, in random order."""
        for i in range(count):
            choice = random.Random(f"mixed {seed} {i}")
            files: dict[str, str] = {}
            total = 0
            for t in self.targets:
                text, done = self._mixed(t, choice)
                if done:
                    files[t.path] = text
                    total += done
            yield Kernel(MIXED, f"{MIXED} {seed}.{i}", total, files)

    def _mixed(self, target: Target, choice: random.Random) -> tuple[str, int]:
        if target.is_assembly:
            return target.text, 0
        now, total = target, 0
        for entry in choice.sample(self.entries, len(self.entries)):
            found = together([p for p in places(self._compiler, now, entry) if choice.random() < 0.5])
            text = changed(now.text, found)
            if found and self._compiles(target, text):
                now = scope.with_text(self._lab, now, text)
                total += len(found)
        return now.text, total
