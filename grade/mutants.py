"""A lab's wrong solutions (mutants/), other right ones (variants/), and those of its challenges.

A mutant is a unified diff over the reference's editable files, with a header that describes it:

    # mistake: 4.4
    # property: P4.3
    # what: releases only the first sleeper that is due

`property` is what the grader must name; `arch` (optional) restricts the mutant to one port. `only`
(optional) lists tests: the first must notice it, the rest may, if their timing happens to be right,
and all other tests must pass. This shows that ordinary runs miss a mistake which an instrument
finds. `shows` (optional, more than once) has a step and a text: the checkpoint of that step prints
it, and the handout's table under "instead you see" has it. A variant is such a diff without property,
or a folder whose files replace those of the same path in the tree.

In challenges/ are solutions of challenges, and in challenges/wrong/ attempts that fail. Their headers have
`what`, as `challenge` the sentences, and as `gives up` (optional) the tests of the lab that cannot pass
as well, since the challenge contradicts what they check.

grade/hostile/ has kernels that no student writes by mistake: they cheat, flood, reboot or hang with
interrupts off. Their headers have `lab`, `what`, and as `kind` the verdict that they must get.
"""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grade.errors import GraderError
from grade.lab import ARCHES, Lab
from grade.patch import PatchError, apply
from grade.verdict import Kind

_SHOWS = re.compile(r"^# shows: (\d+) (.*\S)\s*$", re.M)
_HEADER = re.compile(r"^# (mistake|property|what|arch|only|lab|kind|challenge|gives up): (.*\S)\s*$")


@dataclass(frozen=True)
class Mutant:
    name: str
    mistake: str
    property: str
    what: str
    arches: tuple[str, ...]
    only: tuple[str, ...]  # tests; empty: any may fail
    shows: tuple[tuple[int, str], ...]  # at which step of the handout, and what
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Hostile:
    name: str
    kind: Kind
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Variant:
    name: str
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Attempt:
    """At a challenge."""

    name: str
    challenges: tuple[str, ...]
    solves: bool
    gives_up: tuple[str, ...]  # tests
    files: Mapping[str, bytes]


def _header(root: Path, path: Path, text: str, needed: Sequence[str]) -> dict[str, str]:
    out: dict[str, str] = {}
    for line in text.split("\n"):
        if not line.startswith("#"):
            break
        if found := _HEADER.match(line):
            out[found.group(1)] = found.group(2)
    for key in needed:
        if key not in out:
            raise GraderError(f"{path.relative_to(root)}: has no line '# {key}: ...'")
    return out


def _patched(root: Path, lab: Lab, path: Path, text: str) -> dict[str, bytes]:
    where = path.relative_to(root)
    try:
        files = apply(text, lambda name: (root / name).read_text(encoding="utf-8"))
    except (PatchError, OSError) as e:
        raise GraderError(f"{where}: {e}") from e
    for name in files:
        if name not in lab.files:
            raise GraderError(f"{where}: changes {name}, which students of {lab.name} do not edit")
    return {name: content.encode() for name, content in files.items()}


def mutants(root: Path, lab: Lab) -> list[Mutant]:
    """The mutants of @lab by name."""
    out = []
    for path in sorted((lab.folder / "mutants").glob("*.patch")):
        text = path.read_text(encoding="utf-8")
        header = _header(root, path, text, ("mistake", "property", "what"))
        if header["property"] not in [p.id for p in lab.properties]:
            where = path.relative_to(root)
            raise GraderError(f"{where}: {header['property']} is not of {lab.name}")
        arches = tuple(a for a in ARCHES if a in header.get("arch", " ".join(ARCHES)).split())
        only = tuple(lab.test(name).name for name in header.get("only", "").split())
        files = _patched(root, lab, path, text)
        about = (header["mistake"], header["property"], header["what"])
        shows = tuple((int(step), row) for step, row in _SHOWS.findall(text))
        out.append(Mutant(path.stem, *about, arches, only, shows, files))
    return out


def spread(found: Sequence[Mutant], arches: Sequence[str], count: int) -> list[Mutant]:
    """@count of the mutants that are wrong on all of @arches, taken from the whole list."""
    everywhere = [m for m in found if set(arches) <= set(m.arches)]
    return everywhere[:: max(1, -(-len(everywhere) // count))] if count else []


def ports(
    name: str, files: Iterable[str], there: Sequence[str], arches: Sequence[str], brief: bool
) -> tuple[str, ...]:
    """Those of @arches on which the matrix grades a wrong kernel, which exists on those in @there.

    A @brief one takes one port for C that both share, by the kernel's name, so that it stays the same when
    others come.
    """
    both = tuple(a for a in arches if a in there)
    if brief and both and not any(path.startswith("arch/") for path in files):
        return (both[zlib.crc32(name.encode()) % len(both)],)
    return both


def lay_out(root: Path, lab: Lab, changed: Mapping[str, bytes], folder: Path) -> None:
    """Makes @folder a submission: the tree's own files of @lab, with those in @changed replaced."""
    for path in lab.files:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(changed.get(path) or (root / path).read_bytes())


def hostile(root: Path, lab: Lab) -> list[Hostile]:
    """The hostile kernels that change @lab's files."""
    kinds = {kind.value: kind for kind in Kind}
    out = []
    for path in sorted((root / "grade" / "hostile").glob("*.patch")):
        text = path.read_text(encoding="utf-8")
        header = _header(root, path, text, ("lab", "kind", "what"))
        if header["kind"] not in kinds:
            raise GraderError(f"{path.relative_to(root)}: kind must be one of {', '.join(kinds)}")
        if header["lab"] == lab.name:
            files = _patched(root, lab, path, text)
            out.append(Hostile(path.stem, kinds[header["kind"]], files))
    return out


def attempts(root: Path, lab: Lab) -> list[Attempt]:
    """The attempts at challenges of @lab: solutions by name, then the wrong ones."""
    out = []
    known = {c.sentence.id for c in lab.challenges}
    for folder in (lab.folder / "challenges", lab.folder / "challenges/wrong"):
        for path in sorted(folder.glob("*.patch")):
            text = path.read_text(encoding="utf-8")
            header = _header(root, path, text, ("challenge", "what"))
            named = tuple(header["challenge"].split())
            if not known.issuperset(named):
                raise GraderError(f"{path.relative_to(root)}: {named} are not all challenges of {lab.name}")
            gives_up = tuple(lab.test(name).name for name in header.get("gives up", "").split())
            solves = folder.name == "challenges"
            files = _patched(root, lab, path, text)
            out.append(Attempt(path.stem, named, solves, gives_up, files))
    return out


def variants(root: Path, lab: Lab) -> list[Variant]:
    """The variants of @lab by name."""
    out = []
    for path in sorted((lab.folder / "variants").glob("*")):
        if path.is_dir():
            found = [f for f in sorted(path.rglob("*")) if f.is_file()]
            files = {str(f.relative_to(path)): f.read_bytes() for f in found}
            for name in files:
                if name not in lab.files:
                    where = path.relative_to(root)
                    raise GraderError(f"{where}: {name} is not a file of {lab.name}")
            out.append(Variant(path.name, files))
        elif path.suffix == ".patch":
            text = path.read_text(encoding="utf-8")
            out.append(Variant(path.stem, _patched(root, lab, path, text)))
    return out
