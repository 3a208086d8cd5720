"""Which text is mutated: the regions of a lab, or a file of the kernel, or one function of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grade.lab import ARCHES, Lab
from labs.stage import find_regions
from tools.mutate.errors import MutateError


@dataclass(frozen=True)
class Part:
    """Characters of a file, and the function that they are in ("": several, or not known)."""

    start: int
    end: int
    function: str


@dataclass(frozen=True)
class Target:
    """A file and the parts of it that may change."""

    path: str
    text: str  # one character for each byte
    parts: tuple[Part, ...]

    @property
    def is_assembly(self) -> bool:
        return self.path.endswith(".S")

    @property
    def arches(self) -> tuple[str, ...]:
        """The ports whose kernels have this file."""
        own = tuple(arch for arch in ARCHES if self.path.startswith(f"arch/{arch}/"))
        return own or ARCHES

    def holds(self, start: int, end: int) -> Part | None:
        """The part that all of these characters are in."""
        return next((p for p in self.parts if p.start <= start and end <= p.end), None)


def _text(root: Path, path: str) -> str:
    return (root / path).read_bytes().decode("latin-1")


def of_lab(root: Path, lab: Lab) -> list[Target]:
    """The solutions of @lab, file by file."""
    found = []
    for path in lab.files:
        text = _text(root, path)
        found.append(Target(path, text, _regions(lab, path, text)))
    return found


def with_text(lab: Lab, target: Target, text: str) -> Target:
    """The same file of @lab with another text; its regions are where their marks are now."""
    return Target(target.path, text, _regions(lab, target.path, text))


def _regions(lab: Lab, path: str, text: str) -> tuple[Part, ...]:
    starts = _line_starts(text)
    return tuple(
        Part(starts[r.first + 1], starts[r.last], r.function)
        for r in find_regions(path, text)
        if r.lab == lab.name
    )


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def of_files(root: Path, names: str, functions: Sequence[str]) -> list[Target]:
    """The files of the kernel that @names names, with spaces between. A folder stands for all that it has,
    but for the regions of labs, which have runs of their own."""
    found: dict[str, Target] = {}
    for name in (_inside(root, name) for name in names.split()):
        for path in _files_of(root, name):
            target = of_file(root, path, functions)
            found.setdefault(path, target if path == name else _outside_regions(target))
    return list(found.values())


def _outside_regions(target: Target) -> Target:
    starts = _line_starts(target.text)
    edges = [0]
    for region in find_regions(target.path, target.text):
        edges += [starts[region.first], starts[region.last + 1]]
    edges.append(len(target.text))
    parts = tuple(Part(start, end, "") for start, end in zip(edges[::2], edges[1::2], strict=True))
    return Target(target.path, target.text, parts)


def _inside(root: Path, name: str) -> str:
    path = name.removeprefix("./").rstrip("/")
    if Path(path).is_absolute() and Path(path).is_relative_to(root):
        path = str(Path(path).relative_to(root))
    return path


def _files_of(root: Path, path: str) -> list[str]:
    """Without tests and audits: whether these are too weak shows only in a wrong kernel."""
    if not (root / path).is_dir():
        return [path]
    found = [*(root / path).rglob("*.c"), *(root / path).rglob("*.S")]
    files = sorted(
        str(f.relative_to(root)) for f in found if not f.name.startswith("test_") and f.name != "audit.c"
    )
    if not files:
        raise MutateError(f"{path}: the folder has no .c or .S file")
    return files


def of_file(root: Path, path: str, functions: Sequence[str]) -> Target:
    """A file of the kernel; with @functions only these, which are found when it has been parsed."""
    if not path.startswith(("kernel/", "arch/")) or not path.endswith((".c", ".S")):
        raise MutateError(f"{path}: only .c and .S files below kernel/ and arch/ are mutated")
    if Path(path).name.startswith("test_") or not (root / path).is_file():
        why = "is a test" if (root / path).is_file() else "no such file"
        raise MutateError(f"{path}: {why}; name a file as in MUTATE=kernel/sync/semaphore.c")
    text = _text(root, path)
    if functions and path.endswith(".S"):
        raise MutateError(f"{path}: FUNCTION works for C files only")
    return Target(path, text, (Part(0, len(text), ""),))
