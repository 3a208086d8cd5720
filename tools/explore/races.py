"""Data races that a search has seen: for each the two accesses, and the locks held at them.

The explorer's program tells only the two places in the code. A replay of the schedule that showed
them gives the rest.

The kernel itself has no data race, so one that a submission's code has a part in is the submission's: its
own line, or a function of the kernel that it calls without the lock.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.explore.program import Access, Race, replay
from tools.explore.table import source_of
from tools.places import Place, places


@dataclass(frozen=True)
class Side:
    """One of the two accesses. @locks: for each lock that its CPU held, the calls that took it."""

    access: Access
    locks: tuple[list[int], ...]


def _sides(accesses: Sequence[Access], race: Race) -> list[Side]:
    """The last two accesses from the two places of @race on different CPUs."""
    held: dict[int, Access] = {}  # by lock: the access that took it
    seen: list[Side] = []
    for a in accesses:
        if a.chain and a.chain[0] in (race.first, race.second) and a.address >> 3 == race.address >> 3:
            mine = [taken.chain for taken in held.values() if taken.cpu == a.cpu]
            seen.append(Side(a, tuple(mine)))
        if a.kind == "release":
            held.pop(a.address, None)
        elif a.kind in ("acquire", "try"):
            held[a.address] = a
    for later, second in reversed(list(enumerate(seen))):
        for first in reversed(seen[:later]):
            pair = {first.access.chain[0], second.access.chain[0]}
            if first.access.cpu != second.access.cpu and pair == {race.first, race.second}:
                return [first, second]
    return []


def _place(chain: Sequence[int], where: dict[int, list[Place]]) -> Place:
    """The innermost place of @chain that is neither in a header nor in the locks' own code."""
    all_places = [p for pc in chain for p in where[pc]]
    own = (p for p in all_places if not p.file.endswith(".h") and not p.file.startswith("kernel/lock/"))
    return next(own, all_places[0])


def _told(side: Side, where: dict[int, list[Place]], root: Path, overlay: Path | None) -> list[str]:
    a, place = side.access, _place(side.access.chain, where)
    locks = [_place(chain, where) for chain in side.locks]
    taken = " and ".join(f"{p.file}:{p.line}" for p in locks)
    does = "reads" if a.kind == "read" else "stores"
    return [
        f"  CPU {a.cpu} [{a.thread}]  {place.file}:{place.line}  {source_of(root, overlay, place)}",
        f"      {does}, {'not atomic' if a.plain else 'atomic'}; "
        + (f"holds the spin lock taken at {taken}" if taken else "holds no spin lock"),
    ]


def in_one_line(program: Path, race: Race) -> str:
    """Names the two places of @race."""
    where = places(program, sorted({race.first, race.second}))
    found = [_place([pc], where) for pc in (race.first, race.second)]
    return "a data race: " + " and ".join(f"{p.file}:{p.line}" for p in found)


def touching(
    program: Path, scenario: str, found: Sequence[Race], files: Collection[str], fenced: bool
) -> list[Race]:
    """Those of @found with an access that a function in @files makes, or one that it has called."""
    return [race for race in found if _touches(program, scenario, race, files, fenced)]


def _touches(program: Path, scenario: str, race: Race, files: Collection[str], fenced: bool) -> bool:
    _, accesses = replay(program, scenario, race.schedule, fenced)
    pcs = {race.first, race.second}
    for side in _sides(accesses, race):
        pcs.update(side.access.chain)
    where = places(program, sorted(pcs))
    return any(p.file in files for pc in pcs for p in where[pc])


def lines(
    program: Path, scenario: str, race: Race, root: Path, overlay: Path | None, fenced: bool
) -> list[str]:
    """Tells of @race, ready to print."""
    out = [f"{scenario}: a data race: nothing orders these two accesses to the same memory"]
    out += both_sides(program, scenario, race, root, overlay, fenced)
    return [*out, f"  schedule {race.schedule}: run it again with REPLAY={race.schedule}"]


def both_sides(
    program: Path, scenario: str, race: Race, root: Path, overlay: Path | None, fenced: bool
) -> list[str]:
    """The two accesses, and the locks that were held at them."""
    _, accesses = replay(program, scenario, race.schedule, fenced)
    sides = _sides(accesses, race)
    chains = [chain for side in sides for chain in (side.access.chain, *side.locks)]
    where = places(program, sorted({pc for chain in chains for pc in chain}))
    return [line for side in sides for line in _told(side, where, root, overlay)]
