"""Mistakes in parts of the kernel that have no lab: labs/mistakes/NN-name/NAME.patch.

Each is a unified diff over the kernel. Its header says what is wrong and which test notices it:

    # mistake: 5.3
    # what: a waiter whose time is up leaves its urgency with the owner
    # test: pi.timeout          an in-kernel test; or
    # program: /tests/futex     a user program, run as init

and, where a default does not fit, the keys that a test has in lab.toml. On the right, the default:

    # arch: riscv               both ports
    # cpus: 1 2 4               1; tried in turn until a run notices the mistake
    # seeds: 3                  1; tried in turn
    # bootargs: sched=prio      none
    # shift: riscv=8            0: an instruction takes 2^shift ns
    # slices: fine              medium
    # limit: 500                300 million instructions
    # panics: PATTERN           none; with it, the test passes if the kernel panics, PATTERN is found
                                in the reason, the report is complete, and nothing runs after that
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grade.errors import GraderError
from grade.lab import ARCHES, SLICES, Lab, Property, Test
from grade.patch import PatchError, apply

_LINE = re.compile(r"^# (\w+): +(\S.*?)\s*$")
_NEEDED = ("mistake", "what")
_RUN = ("test", "program", "panics", "arch", "cpus", "seeds", "bootargs", "shift", "slices", "limit")
_KNOWN = (*_NEEDED, *_RUN)
_FOLDER = re.compile(r"\d\d-[a-z]+")
_KERNEL = re.compile(r"(kernel|arch)/(?!.*/test_)(?!test_)")


@dataclass(frozen=True)
class Mistake:
    """One wrong kernel. @test says how it is run; @test.properties holds the mistake's number."""

    folder: str  # NN-name
    name: str
    what: str
    test: Test
    files: Mapping[str, bytes]

    @property
    def number(self) -> str:
        return self.test.properties[0]


def folders(root: Path) -> list[str]:
    """NN-name of each folder of mistakes."""
    found = sorted((root / "labs" / "mistakes").glob("*/"))
    return [path.name for path in found if path.is_dir() and _FOLDER.fullmatch(path.name)]


def mistakes(root: Path, folder: str) -> list[Mistake]:
    """The mistakes of labs/mistakes/@folder by name."""
    found = sorted((root / "labs" / "mistakes" / folder).glob("*.patch"))
    return [_read(root, path) for path in found]


def _read(root: Path, path: Path) -> Mistake:
    where = str(path.relative_to(root))
    text = path.read_text(encoding="utf-8")
    header = _header(where, text)
    try:
        files = apply(text, lambda name: (root / name).read_text(encoding="utf-8"))
    except (PatchError, OSError) as e:
        raise GraderError(f"{where}: {e}") from e
    for name in files:
        if not _KERNEL.match(name):
            raise GraderError(f"{where}: changes {name}, which is no part of the kernel")
    changed = {name: content.encode() for name, content in files.items()}
    return Mistake(path.parent.name, path.stem, header["what"], _test(where, header), changed)


def _header(where: str, text: str) -> dict[str, str]:
    out: dict[str, str] = {}
    for line in text.split("\n"):
        if not line.startswith("#"):
            break
        found = _LINE.match(line)
        if found is None or found[1] not in _KNOWN or found[1] in out:
            raise GraderError(f"{where}: {line!r} is none of {', '.join(_KNOWN)}, or there twice")
        out[found[1]] = found[2]
    for key in _NEEDED:
        if key not in out:
            raise GraderError(f"{where}: has no line '# {key}: ...'")
    if ("test" in out) == ("program" in out):
        raise GraderError(f"{where}: needs either '# test: ...' or '# program: ...'")
    return out


def _test(where: str, header: Mapping[str, str]) -> Test:
    def numbers(key: str, default: str, low: int, high: int) -> tuple[int, ...]:
        words = header.get(key, default).split()
        if not all(w.isdigit() and low <= int(w) <= high for w in words):
            raise GraderError(f"{where}: {key}: numbers from {low} to {high}, not {header[key]}")
        return tuple(map(int, words))

    def among(key: str, known: Sequence[str], default: str) -> tuple[str, ...]:
        words = header.get(key, default).split()
        if not set(words) <= set(known):
            raise GraderError(f"{where}: {key}: among {', '.join(known)}, not {header[key]}")
        return tuple(k for k in known if k in words)

    return Test(
        name=header.get("test") or header["program"],
        program=header.get("program"),
        properties=(header["mistake"],),
        arches=among("arch", ARCHES, " ".join(ARCHES)),
        cpus=numbers("cpus", "1", 1, 8),
        seeds=numbers("seeds", "1", 1, 100)[0],
        hidden_seeds=0,
        shift=_shift(where, header.get("shift", "")),
        slices=among("slices", SLICES, "medium")[0],
        limit=numbers("limit", "300", 1, 100_000)[0],
        bootargs=tuple(header.get("bootargs", "").split()),
        memory=128,
        hidden=False,
        panics=header.get("panics", ""),
    )


def _shift(where: str, words: str) -> dict[str, int]:
    """ "riscv=8" or "riscv=8 x86_64=1"; a port that is not named has 0."""
    out = dict.fromkeys(ARCHES, 0)
    for word in words.split():
        arch, _, value = word.partition("=")
        if arch not in ARCHES or not value.isdigit() or int(value) > 10:
            raise GraderError(f"{where}: shift: port=0 to port=10, not {word}")
        out[arch] = int(value)
    return out


def as_lab(m: Mistake) -> Lab:
    """Makes the mistake a lab of one test and one property, so that the grader can run and judge it."""
    prop = Property(m.number, step=0, points=0, text="the test passes", explain="", judges=())
    return Lab(m.folder, "", (), Path(), (), {}, (prop,), (m.test,), ())


def unpatched(found: Sequence[Mistake]) -> list[Mistake]:
    """The runs that the reference kernel must pass for all of @found, each once."""
    alike: dict[str, list[Mistake]] = {}
    for m in found:
        how = replace(m.test, cpus=(), seeds=None, arches=(), properties=())
        alike.setdefault(str(how), []).append(m)
    out = []
    for ms in alike.values():
        cpus = sorted({n for m in ms for n in m.test.cpus})
        seeds = max(m.test.seeds or 1 for m in ms)
        out.append(replace(ms[0], test=replace(ms[0].test, cpus=tuple(cpus), seeds=seeds)))
    return out
