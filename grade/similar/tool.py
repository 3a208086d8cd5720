"""Runs compare.mjs on a cohort: which pairs have how much in common, and where.

Given code is the starter's. Code that the reference has besides it weighs next to nothing, since right
solutions have it in common. So the reference and its variants, which are patches of it, stay far below
copies; but two copies of the reference itself are alike, as long as neither has anything else.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grade.course.class_run import warn
from grade.errors import GraderError
from grade.lab import Lab
from grade.mutants import variants
from grade.similar.sources import texts
from labs.stage import starter_files
from tools import limits, qemu

THRESHOLD = 50  # per cent; docs/instructors.md says what it was measured with
MOST_PAGES = 200  # pairs that get a page of their own
MOST_TOKENS = 20_000  # of one submission; the labs' solutions have 3,000 at most
_LENGTH = 16  # tokens of a fingerprint: about two statements
_COMMON = 0.002  # weight of a fingerprint that the reference has; others weigh 1

_HERE = Path(__file__).resolve().parent
_INSTALL_NODE = "apt-get install -y --no-install-recommends nodejs npm"
_INSTALL = "npm ci --prefix grade/similar"
_HEAP_MIB = 4096
_SECONDS = 1800
_MOST_OUTPUT = 256 << 20
_WORD = re.compile(r"[A-Za-z_]\w*")

Files = Mapping[str, str]


@dataclass(frozen=True)
class Place:
    """Lines of a file, counted from 0; both are in it."""

    path: str
    first: int
    last: int

    @property
    def lines(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class Fragment:
    """A part that two submissions have in common. @known: the reference has all of it."""

    left: Place
    right: Place
    tokens: int
    known: bool


@dataclass(frozen=True)
class Pair:
    """Two submissions, by number. @fragments: None if the pair has no page."""

    left: int
    right: int
    score: float  # from 0 to 1
    fragments: tuple[Fragment, ...] | None = None


@dataclass(frozen=True)
class Compared:
    """The result. Submissions are counted from 0, those of this year first."""

    controls: float  # the highest score of a pair of the reference and its variants
    sizes: tuple[int, ...]  # tokens that the student wrote
    refused: tuple[bool, ...]
    known: tuple[float, ...]  # the part that the reference has, too
    items: tuple[tuple[Place, ...], ...]  # functions and declarations that are not the starter's
    pairs: tuple[Pair, ...]  # with something in common, the highest score first


def compare(
    root: Path, lab: Lab, cohort: Sequence[Files], earlier: Sequence[Files], threshold: int
) -> Compared:
    """Compares all of @cohort with each other and with @earlier. Raises GraderError."""
    right = controls(root, lab)
    given = texts(starter_files(root, lab))
    task = {
        "names": sorted(_fixed_names(root)),
        "length": _LENGTH,
        "common": _COMMON,
        "most": MOST_TOKENS,
        "given": given,
        "submissions": [*right, *cohort, *earlier],
        "reference": 0,
        "controls": len(right),
        "earlier": len(right) + len(cohort),
        "threshold": threshold / 100,
        "pages": MOST_PAGES,
    }
    return _result(_run(task), len(right))


def controls(root: Path, lab: Lab) -> list[Files]:
    """The reference and its variants."""
    reference = {path: (root / path).read_bytes() for path in lab.files}
    return [texts(reference), *(texts({**reference, **v.files}) for v in variants(root, lab))]


def _fixed_names(root: Path) -> set[str]:
    """The words of all headers: names that a student cannot change, as other files use them."""
    headers = (path for place in ("kernel", "arch") for path in (root / place).rglob("*.h"))
    return {word for path in headers for word in _WORD.findall(path.read_text(encoding="utf-8"))}


def _node() -> Path:
    """Node.js, with the packages there. Raises GraderError with the command that installs what is missing."""
    found = shutil.which("node")
    if found is None:
        raise GraderError(f"similar needs Node.js, which is not installed: {_INSTALL_NODE} && {_INSTALL}")
    done = subprocess.run([found, _HERE / "check.mjs"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise GraderError(f"similar: {done.stdout.strip() or f'{found} does not work'}: {_INSTALL}")
    return Path(found).resolve()


def _run(task: Mapping[str, Any]) -> Any:
    node = _node()
    with tempfile.TemporaryDirectory(prefix="trellis-similar-") as folder:
        path = Path(folder, "task.json")
        path.write_text(json.dumps(task), encoding="utf-8")
        argv = [str(node), f"--max-old-space-size={_HEAP_MIB}", str(_HERE / "compare.mjs"), str(path)]
        if why := qemu.why_no_bubblewrap():
            warn(f"the comparison, which reads what students wrote, is not fenced in: {why}")
        else:
            seen = [_HERE, Path(folder)] + ([] if node.is_relative_to("/usr") else [node.parent.parent])
            argv = qemu.bubblewrap(argv, seen, [], devices=["/dev/urandom"])
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "HOME": "/nonexistent"}
        argv = limits.limited(argv, limits.Limits(file_mib=0))
        try:
            done = limits.run(argv, environment, _MOST_OUTPUT, _SECONDS)
        except limits.TooMuch as e:
            raise GraderError(f"the comparison {e}: compare fewer submissions at once") from e
    if done.status != 0:
        raise GraderError(f"{node} ended with {done.status}; {_INSTALL} installs its packages anew")
    return json.loads(done.output)


def _place(found: Sequence[Any]) -> Place:
    path, first, last = found
    return Place(str(path), int(first), int(last))


def _fragments(found: Sequence[Mapping[str, Any]]) -> tuple[Fragment, ...]:
    return tuple(Fragment(_place(f["left"]), _place(f["right"]), f["tokens"], f["known"]) for f in found)


def _result(said: Mapping[str, Any], controls: int) -> Compared:
    students = [pair for pair in said["pairs"] if pair[0] >= controls]
    details = [_fragments(found) for found in said["details"]]
    return Compared(
        controls=max((score for a, _, score in said["pairs"] if a < controls), default=0.0),
        sizes=tuple(said["sizes"][controls:]),
        refused=tuple(said["refused"][controls:]),
        known=tuple(said["known"][controls:]),
        items=tuple(tuple(map(_place, found)) for found in said["items"][controls:]),
        pairs=tuple(
            Pair(a - controls, b - controls, score, details[i] if i < len(details) else None)
            for i, (a, b, score) in enumerate(students)
        ),
    )
