"""A lab: the contents of labs/NN-name/lab.toml, checked when it is read.

    name = "04-sleep"                     the folder's name
    title = "Waiting without lying"
    hours = [8, 11]                       of work, from and to, reading included
    files = ["kernel/sched/sleep.c"]     what students edit, and all that is taken from them
    own_tests = ["one-per-tick"]          mutants on which the students' own scenarios are scored

    [defaults]                            for every test below; each key is optional
    cpus = [1]                            one set of runs for each number of CPUs
    limit = 300                           millions of instructions until the verdict is "hang"

    [steps]                               the functions with solutions that each step writes
    1 = ["deadline_less", "sleepq_arm"]

    [[property]]                          one numbered sentence of the handout
    id = "P4.1"
    step = 1
    points = 10
    text = "A sleeper is never woken before its deadline."
    explain = "A sleeper relies on ..."   for the report: why, how it shows, where to look; no solution
    judges = ["timeout_not_early"]        judges of the trace (properties.py) that speak for it

    [[test]]
    name = "sleep.never_early"            in-kernel test (KTEST), or with program = "/tests/x"
    properties = ["P4.1"]                 what it can show; its points are shared among tests
    cpus = [1, 2, 4]
    seeds = 3                             runs it with seeds 1..3; absent: one run, seed 1
    shift = { riscv = 8, x86_64 = 0 }     an instruction takes 2^shift ns (sweeps on RISC-V: 8)
    slices = "fine"                       how often CPUs take turns: coarse, medium (default), fine
    bootargs = ["quantum=10s"]            words for the kernel; in a sweep, no quantum ends
    memory = 128                          MiB
    together = true                       may share a boot with others, see Lab.shares()
    hidden_seeds = 1                      so many seeds more, which students do not have
    hidden = true                         not shipped to students; so may a scenario be

    [[scenario]]                          what the explorer runs (labs/NN-name/scenarios, docs/explorer.md)
    name = "join.one"
    properties = ["P2.5"]
    cpus = 2                              as many as the scenario has
    bound = 2                             every interleaving with at most so many preemptions

    [[mistake]]                           what a failure looks like, for the report
    id = "4.4"
    property = "P4.3"
    matches = "one a tick"                regular expression on what happened; absent: any
    text = "It behaves like a kernel that releases only the first sleeper that is due."

    [[challenge]]                         for the strong, without points; the other keys are those of a test
    name = "challenge.far_apart"          in-kernel test, of step "04.c", which the reference does not pass
    id = "C4.1"
    text = "Deadlines that are close together share one interrupt."
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grade.errors import GraderError
from grade.properties import JUDGES
from tools.explore.program import BOUND

ARCHES = ("riscv", "x86_64")
EXPLORER = "explorer"  # where scenarios run, beside the ports: on this machine, without QEMU
SLICES = ("coarse", "medium", "fine")


@dataclass(frozen=True)
class Property:
    id: str
    step: int
    points: float
    text: str
    explain: str
    judges: tuple[str, ...]


@dataclass(frozen=True)
class Test:
    name: str
    program: str | None
    properties: tuple[str, ...]
    arches: tuple[str, ...]
    cpus: tuple[int, ...]
    seeds: int | None
    hidden_seeds: int
    shift: Mapping[str, int]
    slices: str
    limit: int
    bootargs: tuple[str, ...]
    memory: int
    hidden: bool
    together: bool = False
    panics: str = ""  # pattern of what the kernel must say when it stops; empty: the test ends
    bound: int | None = None  # of a scenario; None: a test that boots a machine

    def seed_list(self, wanted: int | None) -> range:
        """The seeds to run: @wanted many where the test varies by seed at all."""
        if self.seeds is None:
            return range(1, 2)
        return range(1, (wanted or self.seeds + self.hidden_seeds) + 1)


@dataclass(frozen=True)
class Challenge:
    """Something that a kernel may do better than the reference, and the test that shows it."""

    sentence: Property  # of no points
    test: Test


@dataclass(frozen=True)
class Mistake:
    id: str
    property: str
    test: str | None
    matches: re.Pattern[str] | None
    text: str

    def fits(self, property_id: str, test: str, happened: str) -> bool:
        return (
            self.property == property_id
            and self.test in (None, test)
            and (self.matches is None or self.matches.search(happened) is not None)
        )


@dataclass(frozen=True)
class Lab:
    name: str
    title: str
    hours: tuple[int, ...]
    folder: Path
    files: tuple[str, ...]
    steps: Mapping[int, tuple[str, ...]]  # the functions that each one writes
    properties: tuple[Property, ...]
    tests: tuple[Test, ...]
    mistakes: tuple[Mistake, ...]
    own_tests: tuple[str, ...] = ()  # mutants on which the students' own scenarios are scored
    challenges: tuple[Challenge, ...] = ()

    def property(self, property_id: str) -> Property:
        return next(p for p in self.properties if p.id == property_id)

    def has_scenarios(self) -> bool:
        return any(t.bound is not None for t in self.tests)

    def shares(self, test: Test) -> bool:
        """Whether @test may share a boot with others: it runs in the kernel, and nothing but its own checks
        speaks for its properties."""
        return test.together and not any(self.property(p).judges for p in test.properties)

    def test(self, name: str) -> Test:
        for test in self.tests:
            if test.name == name:
                return test
        known = ", ".join(t.name for t in self.tests)
        raise GraderError(f"lab {self.name} has no test {name}; it has {known}")

    def challenged(self) -> "Lab":
        """This lab with its challenges for properties and tests."""
        if not self.challenges:
            raise GraderError(f"lab {self.name} has no challenge with a test")
        sentences = tuple(c.sentence for c in self.challenges)
        return replace(self, properties=sentences, tests=tuple(c.test for c in self.challenges))

    def limited(self, percent: int) -> "Lab":
        """This lab with @percent of each test's limit: shows which tests leave a slower kernel no room."""
        return replace(self, tests=tuple(replace(t, limit=t.limit * percent // 100) for t in self.tests))

    def like(self, property_id: str, test: str, happened: str) -> Mistake | None:
        """The known mistake that a failure looks like; those with a pattern come first."""
        fitting = [m for m in self.mistakes if m.fits(property_id, test, happened)]
        fitting.sort(key=lambda m: (m.matches is None, m.test is None))
        return fitting[0] if fitting else None


class _Table:
    """A TOML table that says which key is wrong, and which ones nobody asked for."""

    def __init__(self, where: str, data: Mapping[str, Any]) -> None:
        self._where = where
        self._data = data
        self._asked: set[str] = set()

    def wrong(self, key: str, expected: str) -> GraderError:
        return GraderError(f"{self._where}: {key} must be {expected}")

    def _get(self, key: str, kind: type, default: Any, expected: str) -> Any:
        self._asked.add(key)
        value = self._data.get(key, default)
        if value is None and default is None and key not in self._data:
            return None
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            raise self.wrong(key, expected)
        return value

    def text(self, key: str) -> str:
        if key not in self._data:
            raise self.wrong(key, "given")
        return str(self._get(key, str, None, "a string"))

    def maybe_text(self, key: str) -> str | None:
        value = self._get(key, str, None, "a string")
        return None if value is None else str(value)

    def number(self, key: str, default: int | None, low: int, high: int) -> int:
        expected = f"a number from {low} to {high}"
        value = self._get(key, int, default, expected)
        if value is None or not low <= value <= high:
            raise self.wrong(key, expected)
        return int(value)

    def maybe_number(self, key: str, default: int | None, low: int, high: int) -> int | None:
        if key not in self._data and default is None:
            self._asked.add(key)
            return None
        return self.number(key, default, low, high)

    def points(self, key: str) -> float:
        value = self._data.get(key)
        self._asked.add(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise self.wrong(key, "a number of points, 0 or more")
        return float(value)

    def flag(self, key: str, default: bool = False) -> bool:
        return bool(self._get(key, bool, default, "true or false"))

    def texts(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        values = self._get(key, list, list(default), "a list of strings")
        if not all(isinstance(v, str) for v in values):
            raise self.wrong(key, "a list of strings")
        return tuple(values)

    def numbers(self, key: str, default: Sequence[int], low: int, high: int) -> tuple[int, ...]:
        expected = f"a list of numbers from {low} to {high}"
        values = self._get(key, list, list(default), expected)
        if not values or not all(type(v) is int and low <= v <= high for v in values):
            raise self.wrong(key, expected)
        return tuple(values)

    def raw(self, key: str, default: Any) -> Any:
        self._asked.add(key)
        return self._data.get(key, default)

    def tables(self, key: str) -> list["_Table"]:
        values = self._get(key, list, [], f"written [[{key}]]")
        return [_Table(f"{self._where}: {key} {i + 1}", v) for i, v in enumerate(values)]

    def finish(self) -> None:
        for key in self._data:
            if key not in self._asked:
                raise GraderError(f"{self._where}: {key} is not a key that is known here")


def _read_property(t: _Table) -> Property:
    judges = t.texts("judges")
    for judge in judges:
        if judge not in JUDGES:
            raise t.wrong("judges", "among " + ", ".join(sorted(JUDGES)))
    p = Property(
        id=t.text("id"),
        step=t.number("step", None, 0, 20),
        points=t.points("points"),
        text=t.text("text"),
        explain=t.maybe_text("explain") or "",
        judges=judges,
    )
    t.finish()
    return p


def _read_shift(t: _Table, default: Any) -> dict[str, int]:
    value = t.raw("shift", default)
    shifts = {arch: value for arch in ARCHES} if type(value) is int else value
    if (
        not isinstance(shifts, dict)
        or not set(shifts) <= set(ARCHES)
        or not all(type(s) is int and 0 <= s <= 10 for s in shifts.values())
    ):
        raise t.wrong("shift", "a number from 0 to 10, or one for each of " + ", ".join(ARCHES))
    return {arch: int(shifts.get(arch, 0)) for arch in ARCHES}


def _read_test(t: _Table, defaults: Mapping[str, Any], known: set[str], of: str | None = None) -> Test:
    """A test, of the properties that it lists or of the challenge @of alone."""
    alone = of or t.maybe_text("program") or t.maybe_text("panics")
    slices = str(t.raw("slices", defaults.get("slices", "medium")))
    if slices not in SLICES:
        raise t.wrong("slices", "one of " + ", ".join(SLICES))
    test = Test(
        name=t.text("name"),
        program=t.maybe_text("program"),
        properties=(of,) if of else t.texts("properties"),
        arches=t.texts("arches", ARCHES),
        cpus=t.numbers("cpus", defaults.get("cpus", [1]), 1, 8),
        seeds=t.maybe_number("seeds", defaults.get("seeds"), 1, 100_000),
        hidden_seeds=t.number("hidden_seeds", defaults.get("hidden_seeds", 0), 0, 100_000),
        shift=_read_shift(t, defaults.get("shift", 0)),
        slices=slices,
        limit=t.number("limit", defaults.get("limit", 300), 1, 100_000),
        bootargs=t.texts("bootargs", defaults.get("bootargs", [])),
        memory=t.number("memory", defaults.get("memory", 128), 32, 1024),
        hidden=t.flag("hidden"),
        together=not alone and t.flag("together", bool(defaults.get("together"))),
        panics=t.maybe_text("panics") or "",
    )
    if not test.properties or not set(test.properties) <= known:
        raise t.wrong("properties", "among the lab's own: " + ", ".join(sorted(known)))
    if not test.arches or not set(test.arches) <= set(ARCHES):
        raise t.wrong("arches", "among " + ", ".join(ARCHES))
    t.finish()
    return test


def _read_challenge(t: _Table, defaults: Mapping[str, Any]) -> Challenge:
    sentence = Property(t.text("id"), 0, 0.0, t.text("text"), "", ())
    return Challenge(sentence, _read_test(t, defaults, {sentence.id}, sentence.id))


def _read_scenario(t: _Table, known: set[str]) -> Test:
    test = Test(
        name=t.text("name"),
        program=None,
        properties=t.texts("properties"),
        arches=(EXPLORER,),
        cpus=(t.number("cpus", 2, 1, 4),),
        seeds=None,
        hidden_seeds=0,
        shift={},
        slices="medium",
        limit=0,
        bootargs=(),
        memory=0,
        hidden=t.flag("hidden"),
        bound=t.number("bound", BOUND, 0, 10),
    )
    if not test.properties or not set(test.properties) <= known:
        raise t.wrong("properties", "among the lab's own: " + ", ".join(sorted(known)))
    t.finish()
    return test


def _read_mistake(t: _Table, known: set[str]) -> Mistake:
    pattern = t.maybe_text("matches")
    try:
        matches = None if pattern is None else re.compile(pattern)
    except re.error as e:
        raise t.wrong("matches", f"a regular expression ({e})") from e
    m = Mistake(t.text("id"), t.text("property"), t.maybe_text("test"), matches, t.text("text"))
    if m.property not in known:
        raise t.wrong("property", "one of the lab's own")
    t.finish()
    return m


def _read_steps(t: _Table) -> dict[int, tuple[str, ...]]:
    expected = "a table of steps, 1 = [functions]"
    value = t.raw("steps", {})
    if not isinstance(value, dict) or sorted(value, key=str) != [
        str(i + 1) for i in range(len(value))
    ]:
        raise t.wrong("steps", expected)
    for functions in value.values():
        if not isinstance(functions, list) or not all(isinstance(f, str) for f in functions):
            raise t.wrong("steps", expected)
    return {int(step): tuple(functions) for step, functions in value.items()}


def _check_path(t: _Table, path: str) -> None:
    parts = Path(path).parts
    if not parts or path.startswith("/") or any(p in ("..", ".") for p in path.split("/")):
        raise t.wrong("files", f"paths inside the tree, not {path!r}")


def load(folder: Path) -> Lab:
    """Reads @folder/lab.toml; anything wrong with it is a GraderError that names the key."""
    path = folder / "lab.toml"
    where = f"labs/{folder.name}/lab.toml"
    try:
        top = _Table(where, tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise GraderError(f"{where}: cannot be read: {e}") from e
    defaults = top.raw("defaults", {})
    properties = tuple(_read_property(t) for t in top.tables("property"))
    known = {p.id for p in properties}
    lab = Lab(
        name=top.text("name"),
        title=top.text("title"),
        hours=top.numbers("hours", (), 1, 100),
        folder=folder,
        files=top.texts("files"),
        steps=_read_steps(top),
        properties=properties,
        tests=(
            *(_read_test(t, defaults, known) for t in top.tables("test")),
            *(_read_scenario(t, known) for t in top.tables("scenario")),
        ),
        mistakes=tuple(_read_mistake(t, known) for t in top.tables("mistake")),
        own_tests=top.texts("own_tests"),
        challenges=tuple(_read_challenge(t, defaults) for t in top.tables("challenge")),
    )
    top.finish()
    if len(lab.hours) != 2 or lab.hours[0] > lab.hours[1]:
        raise top.wrong("hours", "two numbers, from and to")
    if lab.name != folder.name:
        raise GraderError(f"{where}: name must be the folder's, {folder.name}")
    for file in lab.files:
        _check_path(top, file)
    _check_whole(where, lab)
    return lab


def _check_whole(where: str, lab: Lab) -> None:
    """No test without a sentence, no sentence without a test, no name twice."""
    for what, names in (
        ("property", [p.id for p in (*lab.properties, *(c.sentence for c in lab.challenges))]),
        ("test", [t.name for t in (*lab.tests, *(c.test for c in lab.challenges))]),
        ("file", list(lab.files)),
    ):
        if not names:
            raise GraderError(f"{where}: has no {what}")
        twice = {n for n in names if names.count(n) > 1}
        if twice:
            raise GraderError(f"{where}: {what} {sorted(twice)[0]} is there twice")
    tested = {p for t in lab.tests for p in t.properties if not t.hidden}
    for p in lab.properties:
        if p.id not in tested:
            raise GraderError(f"{where}: no test covers property {p.id} (one that is public)")


def load_all(root: Path) -> list[Lab]:
    """Every lab of the tree, in order."""
    return [load(path.parent) for path in sorted((root / "labs").glob("*/lab.toml"))]


def choose(root: Path, names: Sequence[str]) -> list[Lab]:
    """The labs named, or all."""
    labs = load_all(root)
    if not labs:
        raise GraderError(f"{root}: no lab here (labs/*/lab.toml): is this a Trellis tree?")
    for name in names:
        if name not in [lab.name for lab in labs]:
            known = ", ".join(lab.name for lab in labs)
            raise GraderError(f"no lab {name}; there are {known}")
    return [lab for lab in labs if not names or lab.name in names]
