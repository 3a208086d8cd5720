"""Grading in a student's own repository: what would be handed in counts, and nothing else.

The repository was written by labs/repository.py. Each of its commits says in its message of which lab it is,
so git knows what the course has published: the newest such commit that the student's work contains. The
lab's editable files come from the folder, all others from that commit, so that a change elsewhere, which
is not handed in, does not count at home either.
"""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grade.errors import GraderError
from grade.lab import Lab, load_all

TRAILER = "Trellis-Lab"
MARK = "given/labs.mk"  # no other tree has this file
CHOICE = "reference.mk"  # what the student has chosen: see labs/next_lab.py
# A build reads these.
TREE = ("Makefile", "lab.mk", CHOICE, "make", "tools", "kernel", "arch", "user", "labs", "bench", "given")


@dataclass(frozen=True)
class Home:
    """A student's repository, as it is graded."""

    lab: str
    published: Mapping[str, bytes | None]  # files that are built from this instead; None: they are left out
    changed: tuple[str, ...]  # those among them that the student may want to know of


def present_lab(root: Path) -> str:
    """The lab whose branch was merged last. Raises GraderError outside of a student's repository."""
    if not (root / MARK).exists():
        raise GraderError(f"{root} is no student's repository: it has no {MARK}; make labs writes one")
    if not (root / "lab.mk").exists():
        raise GraderError("no lab is begun on this branch: git switch -c mine origin/lab/NN-name")
    found = re.search(r"^LAB \?= (\S+)$", (root / "lab.mk").read_text(encoding="utf-8"), re.M)
    if found is None:
        raise GraderError("lab.mk does not say which lab this is (LAB ?= NN-name); git checkout restores it")
    return found[1]


def git(root: Path, *words: str) -> bytes | None:
    """The output of git; None if it fails or is not there."""
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def _names(listed: bytes | None) -> list[str]:
    return [name for name in (listed or b"").decode("utf-8", "surrogateescape").split("\0") if name]


def _base(root: Path) -> str | None:
    """The newest commit of the course that the student's work contains."""
    if git(root, "rev-parse", "--show-prefix") != b"\n":
        return None  # no repository, or a folder inside of another one
    found = git(root, "log", "-1", "--format=%H", f"--grep=^{TRAILER}: ", "HEAD")
    return found.decode().strip() or None if found else None


def home(root: Path, lab: Lab) -> Home | None:
    """How @lab is graded in @root. None: this is no student's repository."""
    if not (root / MARK).exists():
        return None
    base = _base(root)
    if base is None:
        return Home(lab.name, {}, ())
    differing = _names(git(root, "diff", "--name-only", "--no-renames", "-z", base, "--"))
    new = _names(git(root, "ls-files", "-o", "--exclude-standard", "-z"))
    others = {f: other.name for other in load_all(root) for f in other.files if other.name != lab.name}
    given = _given(root)
    published: dict[str, bytes | None] = {}
    changed = []
    for name in sorted({*differing, *new}):
        if name in lab.files or "/scenarios/mine/" in name or name.split("/")[0] not in TREE:
            continue
        if name in others and name not in given:
            continue  # an earlier lab, of which the course gives no objects: the student's own
        published[name] = git(root, "cat-file", "blob", f"{base}:{name}")
        if name not in others and name != CHOICE:
            changed.append(name)
    return Home(lab.name, published, tuple(changed))


def _given(root: Path) -> set[str]:
    """The files of which the course gives objects."""
    start = root / "given" / "riscv" / "debug"
    return {str(path.relative_to(start))[:-2] for path in start.rglob("*.o")}


def told(at_home: Home, limit: int = 10) -> Sequence[str]:
    """Lines for the student about files that do not count."""
    if not at_home.changed:
        return ()
    names = [f"  {name}" for name in at_home.changed[:limit]]
    more = [f"  and {len(at_home.changed) - limit} more"] if len(at_home.changed) > limit else []
    return (f"not files of {at_home.lab}, so not handed in, and not graded:", *names, *more)
