"""A counterexample, told: a column for each CPU, a line for each step that matters.

Of some thousand accesses to memory few say anything about the mistake. A line of the source is shown
if it accesses a word that another thread also accesses, one of them storing, and if it is not the
scheduler's or a lock's own business: those lines are shown by the function that called them. Of the
part before the first switch that the schedule chose, only the last few lines are shown,
and of a loop that waits one round.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from tools.explore.program import Access
from tools.places import Place, places
from tools.visible import visible

_BEFORE = 6  # lines before the first choice
_MOST = 60  # lines in all
_LAST = 6  # lines at the end that are shown whatever file they are in
_NOTES = 2  # of one line
_ROUND = 8  # lines of a loop that comes again
_COLUMN = 60
# Lines of these are shown by their callers', unless the lab is about them.
_MACHINERY = ("kernel/lock/", "kernel/base/", "kernel/sched/", "arch/host/", "tools/explore/")
_SCENARIOS = "tools/explore/scenarios/"
_LOCKS = {"acquire": "takes the lock", "try": "tries the lock", "release": "gives the lock back"}


@dataclass
class Row:
    cpu: int
    thread: str
    place: Place
    source: str
    notes: list[str]  # what it read or stored
    at: int

    def where(self) -> str:
        return _name(self.place)

    def same(self, other: Row) -> bool:
        """Whether they say the same."""
        return replace(self, at=0) == replace(other, at=0)


def _name(place: Place) -> str:
    """The file and the line, for a person. Scenarios often have the name of what they are about."""
    file = Path(place.file)
    folder = "scenarios/" if file.match("labs/*/scenarios/*.c") else ""
    return f"{folder}{file.name}:{place.line}"


def _own(chain: Sequence[Place], about: Sequence[str]) -> int | None:
    """The index of the innermost place that is not the machinery's."""
    for i, p in enumerate(chain):
        machinery = p.file.endswith(".h") or p.file.startswith(_MACHINERY)
        machinery = machinery and not p.file.startswith(_SCENARIOS)
        if p.line and (p.file in about or not machinery):
            return i
    return None


@lru_cache(maxsize=64)
def _text(root: Path, overlay: Path | None, file: str) -> tuple[str, ...]:
    for folder in (overlay, root):
        if folder is not None and (folder / file).is_file():
            return tuple(visible((folder / file).read_bytes()).splitlines())
    return ()


def source_of(root: Path, overlay: Path | None, place: Place) -> str:
    """The line of the source at @place, without its comment."""
    lines = _text(root, overlay, place.file)
    source = lines[place.line - 1] if 0 < place.line <= len(lines) else place.function
    return source.partition("/*")[0].strip()


def _shared(accesses: Sequence[Access]) -> set[int]:
    """The words that several threads access, one of them storing."""
    threads: dict[int, set[int]] = {}
    stored = set()
    for a in accesses:
        word = a.address >> 3
        threads.setdefault(word, set()).add(a.stack)
        if a.kind != "read":
            stored.add(word)
    return {w for w, seen in threads.items() if len(seen) > 1 and w in stored}


def _value(n: int, size: int) -> str:
    signed = n - (1 << 8 * size) if n >= 1 << (8 * size - 1) else n
    return str(signed) if -4096 < signed < 1 << 16 else f"0x{n:x}"


def _note(a: Access, inner: Sequence[Place]) -> str:
    """Says what the access did, if the line itself made it or took a lock; @inner: what it called."""
    if a.kind in _LOCKS:
        return _LOCKS[a.kind] if all(p.file.startswith("kernel/lock/") for p in inner) else ""
    if inner and not all(p.file.endswith(".h") for p in inner):
        return ""
    old, new = _value(a.old, a.size), _value(a.new, a.size)
    return f"reads {old}" if a.kind == "read" else f"{old} -> {new}"


def _rows(
    where: Mapping[int, Sequence[Place]],
    accesses: Sequence[Access],
    since: int,
    chosen: Collection[int],
    root: Path,
    overlay: Path | None,
    about: Sequence[str],
) -> list[Row]:
    """A row for each line of the source that accesses a word which others access after @since, or which
    one of the accesses @chosen is to: the schedule says what becomes of these."""
    shared = _shared([a for a in accesses if a.at >= since])
    shared |= {a.address >> 3 for a in accesses if a.at in chosen}
    rows: list[Row] = []
    last: dict[int, Row] = {}
    for a in accesses:
        chain = [p for pc in a.chain for p in where[pc]]
        own = _own(chain, about)
        if own is None or a.address >> 3 not in shared:
            continue
        place, note = chain[own], _note(a, chain[:own])
        row = last.get(a.cpu)
        if row is None or (row.place, row.thread) != (place, a.thread) or row is not rows[-1]:
            source = source_of(root, overlay, place)
            row = last[a.cpu] = Row(a.cpu, a.thread, place, source, [], a.at)
            rows.append(row)
        if note and note not in row.notes and len(row.notes) < _NOTES:
            row.notes.append(note)
    return rows


def _cell(row: Row) -> str:
    name, notes = row.where(), ", ".join(row.notes)
    room = max(_COLUMN - 8 - len(name) - len(notes), 16)
    source = row.source if len(row.source) <= room else row.source[: room - 1] + "…"
    return f"{name}  {source}  {notes}".rstrip()


@dataclass(frozen=True)
class Switch:
    """The schedule chose @cpu; "t": time passes; "1-2": CPU 1's load reads what was there before the last
    two stores; "1-f": its weak compare-and-exchange fails. @takes: from a CPU that could have gone on.
    @unseen: who made the first of these stores, and where."""

    cpu: str
    takes: bool
    unseen: str = ""

    def told(self) -> str:
        if self.cpu == "t":
            return "time passes up to the next timer"
        number, _, older = self.cpu.partition("-")
        if older == "f":
            return f"the schedule lets CPU {number}'s weak exchange fail, which needs no reason"
        if older:
            which = "the last store" if older == "1" else f"the last {older} stores"
            made = f", {'' if older == '1' else 'the first of them '}{self.unseen}" if self.unseen else ""
            return f"the schedule lets CPU {number} read what was there before {which}{made}"
        return f"the schedule lets CPU {self.cpu} go on"


@dataclass(frozen=True)
class Run:
    """Steps of one thread on one CPU, with nothing of others between them."""

    cpu: int
    thread: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Again:
    """The last lines come again."""

    lines: int
    times: int

    def told(self) -> str:
        which = "this line" if self.lines == 1 else f"these {self.lines} lines"
        return f"… {which} {self.times} times more"


@dataclass(frozen=True)
class Story:
    """A counterexample in the order in which it happened, without the steps that say nothing."""

    cpus: tuple[int, ...]
    parts: tuple[Switch | Run | Again, ...]
    left_out: int  # lines at the end


def _choices(schedule: str) -> list[tuple[int, Switch]]:
    """Each with the number of the access before which it is made."""
    text = schedule[2:]  # behind x: or c:
    pairs = [choice.split("/") for choice in text.split(",")] if text else []
    at = [int(position, 16) for position, _ in pairs]  # step.c; odd: the CPU had paused to wait
    return [((p + 1) // 2, Switch(cpu, p % 2 == 0)) for p, (_, cpu) in zip(at, pairs, strict=True)]


def _with_store(
    at: int,
    switch: Switch,
    accesses: Sequence[Access],
    where: Mapping[int, Sequence[Place]],
    about: Sequence[str],
) -> Switch:
    """@switch, and if it lets a load read an older store, the store that should have been there."""
    older = switch.cpu.partition("-")[2]
    load = next((a for a in accesses if a.at == at), None)
    if not older.isdecimal() or load is None:
        return switch
    same = [a for a in accesses if a.address == load.address and a.at < at]
    stores = [a for a in same if a.kind not in ("read", *_LOCKS)][-int(older) :]
    chain = [p for pc in stores[0].chain for p in where[pc]] if stores else []
    own = _own(chain, about)
    if own is None:
        return switch
    inside = f" ({chain[0].function}())" if own else ""
    return replace(switch, unseen=f"made by CPU {stores[0].cpu} in {_name(chain[own])}{inside}")


def folded(rows: Sequence[Row], choices: Sequence[int]) -> list[Row | Again]:
    """@rows, of a round that comes at least three times only the first. No fold hides one of the @choices."""
    out: list[Row | Again] = []
    at = 0
    while at < len(rows):
        for size in range(1, _ROUND + 1):
            end = at + size
            while end < len(rows) and rows[end].same(rows[end - size]):
                if any(rows[end - 1].at < c <= rows[end].at for c in choices):
                    break
                end += 1
            times = (end - at) // size - 1
            if times >= 2:
                out += [*rows[at : at + size], Again(size, times)]
                at += size * (times + 1)
                break
        else:
            out.append(rows[at])
            at += 1
    return out


def _parts(shown: Sequence[Row | Again], choices: Sequence[tuple[int, Switch]]) -> list[Switch | Run | Again]:
    """@shown in runs of one thread on one CPU, each of the @choices before what follows it."""
    parts: list[Switch | Run | Again] = []
    run: list[Row] = []

    def end_run() -> None:
        if run:
            parts.append(Run(run[0].cpu, run[0].thread, tuple(run)))
            run.clear()

    waiting = list(choices)
    for item in shown:
        if isinstance(item, Again):
            end_run()
            parts.append(item)
            continue
        if run and (run[0].cpu, run[0].thread) != (item.cpu, item.thread):
            end_run()
        while waiting and waiting[0][0] <= item.at:
            end_run()
            parts.append(waiting.pop(0)[1])
        run.append(item)
    end_run()
    return parts


def story(
    program: Path,
    schedule: str,
    accesses: Sequence[Access],
    root: Path,
    overlay: Path | None = None,
    about: Sequence[str] = (),
) -> Story:
    """The steps that matter. @overlay: a submission's folder, whose files differ from the tree's;
    @about: files that the scenario is about."""
    where = places(program, sorted({pc for a in accesses for pc in a.chain}))
    choices = [(at, _with_store(at, switch, accesses, where, about)) for at, switch in _choices(schedule)]
    first = choices[0][0] if choices else 0
    # An older store was made before the choice to read it.
    since = 0 if "-" in schedule else first
    chosen = [at for at, switch in choices if "-" in switch.cpu]
    rows = _rows(where, accesses, since, chosen, root, overlay, about)
    known = [not about or r.place.file in about for r in rows]
    before = [r for r, k in zip(rows, known, strict=True) if k and r.at < first][-_BEFORE:]
    known[-_LAST:] = [True] * len(known[-_LAST:])
    after = folded([r for r, k in zip(rows, known, strict=True) if k and r.at >= first],
                    [at for at, _ in choices])  # fmt: skip
    shown = [*before, *after[: _MOST - len(before)]]
    left_out = sum(isinstance(item, Row) for item in after[_MOST - len(before) :])
    cpus = tuple(sorted({item.cpu for item in shown if isinstance(item, Row)}))
    return Story(cpus, tuple(_parts(shown, choices)), left_out)


def lines(told: Story) -> list[str]:
    """The story as a table, ready to print."""
    left = {cpu: i * _COLUMN for i, cpu in enumerate(told.cpus)}
    out = ["".join(f"CPU {cpu}".ljust(_COLUMN) for cpu in told.cpus).rstrip()] if told.cpus else []
    last: tuple[int, str] | None = None
    for part in told.parts:
        if isinstance(part, Switch):
            out.append(f"  -- {part.told()}")
            continue
        if isinstance(part, Again):
            out.append(f"  {part.told()}")
            continue
        if last != (part.cpu, part.thread):
            out.append(" " * left[part.cpu] + f"[{part.thread}]")
        last = part.cpu, part.thread
        out += [" " * left[part.cpu] + "  " + _cell(row) for row in part.rows]
    if told.left_out:
        out.append(f"  … {told.left_out} more lines")
    return out
