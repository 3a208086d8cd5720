"""Checks the models of docs/models with Spin: every property holds, and every defect breaks its own.

In a model, a comment right above each LTL formula says what is checked:

    one_waker: of all who would wake a wait, exactly one does (WAIT1)
    test: wait.both wait.storm
    broken: BREAK_CLAIM

The first line is the property in words, the second names the tests that show the same for the kernel.
The third names the model's own defects, chosen by -D, with which Spin must find a counterexample.
`make models` calls this.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.boot import PATIENCE_S
from tools.options import Parser, matching, run_program
from tools.programs import last_lines, run_quietly
from tools.test.model import Job, Result
from tools.test.pool import run_all

ROOT = Path(__file__).resolve().parent.parent
_FOLDER = ROOT / "docs" / "models"

_FORMULA = re.compile(r"^ltl (\w+) \{(.*?)\}$", re.M | re.S)
_COMMENT = re.compile(
    r"/\*\n \* (\w+): ((?:(?!\*/).)*?)\n \* test: ([^\n]+)\n \* broken: ([^\n]+)\n \*/\n\Z", re.S
)
_DEFECT = re.compile(r"^#\s*ifn?def (BREAK_\w+)", re.M)
_COMPLETE = re.compile(r"^State-vector .* errors: 0$", re.M)
_STATES = re.compile(r"^\s*(\d\S*) states, stored", re.M)
_STEP = re.compile(r"^\s*(\d+):\s+proc\s+(\d+) \((\S+):\d+\) \S*/(\S+) \(state \d+\)\s+\[(.*)\]$")


@dataclass(frozen=True)
class Property:
    name: str
    text: str
    tests: tuple[str, ...]
    defects: tuple[str, ...]
    formula: str

    @property
    def is_liveness(self) -> bool:
        return "<>" in self.formula


@dataclass(frozen=True)
class Model:
    path: Path
    properties: tuple[Property, ...]
    defects: frozenset[str]  # that it can be built with

    @property
    def name(self) -> str:
        return self.path.stem


def parse(path: Path) -> Model:
    """The model in @path; ValueError if a property lacks its comment or its defect."""
    text = path.read_text(encoding="utf-8")
    defects = frozenset(_DEFECT.findall(text))
    properties: list[Property] = []
    for formula in _FORMULA.finditer(text):
        name = formula[1]
        comment = _COMMENT.search(text, 0, formula.start())
        if not comment or comment[1] != name:
            raise ValueError(f"{path.name}: above ltl {name} a comment must say: {name}, test, broken")
        if re.search(r"<>\s*\[\]", formula[2]):
            raise ValueError(f"{path.name}: ltl {name}: under fairness Spin misses violations of <> []")
        words = " ".join(line.strip(" *") for line in comment[2].splitlines())
        tests, broken = tuple(comment[3].split()), tuple(comment[4].split())
        properties.append(Property(name, words, tests, broken, formula[2]))
    if used := {defect for each in properties for defect in each.defects} ^ defects:
        raise ValueError(f"{path.name}: named but not there, or the reverse: {' '.join(sorted(used))}")
    if not properties:
        raise ValueError(f"{path.name}: no property")
    return Model(path, tuple(properties), defects)


def models(folder: Path = _FOLDER) -> list[Model]:
    return [parse(path) for path in sorted(folder.glob("*.pml"))]


# --- Spin -----------------------------------------------------------------------------------------


def _run(argv: Sequence[str], folder: Path) -> str:
    try:
        done = run_quietly(argv, folder, PATIENCE_S)
    except subprocess.TimeoutExpired as error:
        raise ValueError(str(error)) from error
    if done.returncode:
        raise ValueError(f"{' '.join(argv)}: status {done.returncode}\n{last_lines(done.stdout)}")
    return done.stdout


def build(model: Model, defect: str, folder: Path, shortest: bool = False) -> None:
    """Leaves the verifier of @model, with @defect unless it is empty, in @folder as `pan`."""
    _run(["spin", *([f"-D{defect}"] if defect else []), "-a", str(model.path)], folder)
    # For the intact model the whole state space is searched; a counterexample is found after a few steps.
    how = ["-O0" if defect else "-O1", *(["-DREACH"] if shortest else [])]
    # NFAIR=3: fairness among up to 14 processes.
    _run(["gcc", *how, "-w", "-DNFAIR=3", "-DMEMLIM=2000", "-o", "pan", "pan.c"], folder)


def verify(prop: Property, folder: Path, shortest: bool = False) -> str:
    """The verifier's output. Fairness is weak: a process that can go on does so in the end."""
    search = ["-a", "-f"] if prop.is_liveness else ["-i"] if shortest else ["-a"]
    return _run(["./pan", *search, "-E", "-m200000", "-w20", "-N", prop.name], folder)


def holds(said: str) -> bool:
    """True if the whole state space was searched and nothing was found."""
    incomplete = "not completed" in said or "max search depth too small" in said
    return bool(_COMPLETE.search(said)) and not incomplete


def is_counterexample(said: str) -> bool:
    """True if the formula was violated; an assert of the model's own does not count."""
    return "assertion violated  !( !(" in said or "acceptance cycle (" in said


def _states(said: str) -> str:
    found = _STATES.search(said)
    return f"{float(found[1]):,.0f} states" if found else "no states"


def check(model: Model, defect: str) -> Iterator[Result]:
    """Checks that each property of the intact model holds; with @defect, that those it must break do not."""
    with tempfile.TemporaryDirectory(prefix="trellis-model-") as name:
        folder = Path(name)
        build(model, defect, folder)
        for prop in model.properties:
            if defect and defect not in prop.defects:
                continue
            said = verify(prop, folder)
            ok = is_counterexample(said) if defect else holds(said)
            title = f"model {model.name}: {prop.name}{f' with {defect}' if defect else ''}"
            again = f"--trail {model.name}.{prop.name}{f' --defect {defect}' if defect else ''}"
            missing = "\nno counterexample was found" if defect else ""
            detail = f"{last_lines(said, 30)}{missing}\nagain: /usr/bin/python3 -m tools.models {again}"
            yield Result(title, ok, _states(said) if ok else detail)


def trail(model: Model, prop: Property, defect: str) -> list[str]:
    """The counterexample, one line for each step; that of a liveness property ends in a cycle."""
    with tempfile.TemporaryDirectory(prefix="trellis-model-") as name:
        folder = Path(name)
        build(model, defect, folder, shortest=True)
        if not is_counterexample(said := verify(prop, folder, shortest=True)):
            return ["no counterexample", *said.splitlines()]
        define = [f"-D{defect}"] if defect else []
        replay = ["spin", *define, "-t", "-p", "-k", f"{model.path.name}.trail", str(model.path)]
        lines: list[str] = []
        for line in _run(replay, folder).splitlines():
            if "START OF CYCLE" in line:
                lines.append("from here on the same for ever:")
            if (step := _STEP.match(line)) and step[3] != ":init:" and step[5] != ".(goto)":
                lines.append(f"{step[1]:>4}  {step[3]} {step[2]:2}  {step[4]:16}  {step[5]}")
        return lines


# --- The names of tests, and the table in the README ------------------------------------------------


def known_tests() -> set[str]:
    """Tests in the kernel, the labs' other tests, and the user programs."""
    found: set[str] = set()
    for folder, pattern in (("kernel", "**/test_*.c"), ("labs", "*/tests/*.c")):
        for path in (ROOT / folder).glob(pattern):
            found.update(re.findall(r'^KTEST(?:_EARLY)?\(\w+, "([^"]+)"', path.read_text(), re.M))
    for path in (ROOT / "labs").glob("*/lab.toml"):
        found.update(re.findall(r'^\[\[test\]\]\nname = "([^"]+)"', path.read_text(), re.M))
    found.update(path.stem for path in (ROOT / "user" / "tests").glob("*.c"))
    return found


def table(every: Sequence[Model]) -> list[str]:
    """The rows of the README's table."""
    return [
        f"| [{m.name}]({m.path.name}) | `{p.name}`: {p.text} | {', '.join(p.tests)} "
        f"| {', '.join(f'`{d}`' for d in p.defects)} |"
        for m in every
        for p in m.properties
    ]


def texts() -> Iterator[Result]:
    """Checks that the tests named by each property exist, and that the README has the same text."""
    every, tests = models(), known_tests()
    for model in every:
        for prop in model.properties:
            unknown = [test for test in prop.tests if test not in tests]
            detail = f"no such test: {', '.join(unknown)}"
            yield Result(f"model {model.name}: tests of {prop.name}", not unknown, detail)
    lines = (_FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if re.match(r"\| \[\w+\]\(\w+\.pml\)", line)]
    expected = table(every)
    yield Result("model table in README.md", rows == expected, "\n".join(["must be:", *expected]))


# --- Running --------------------------------------------------------------------------------------


def jobs(_build_root: Path) -> list[Job]:
    """The checks of all models. A student's tree has no models: they tell too much about the labs."""
    if not _FOLDER.is_dir():
        return []

    def job(model: Model, defect: str) -> Job:
        return Job(f"model {model.name} {defect or 'intact'}", lambda: check(model, defect), bool(defect))

    found = [job(model, defect) for model in models() for defect in ("", *sorted(model.defects))]
    return [*found, Job("model texts", texts)]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="make models", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", metavar="REGEX", help="jobs whose name matches")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--table", action="store_true", help="print the README's table")
    parser.add_argument("--trail", metavar="MODEL.PROPERTY", help="print a counterexample")
    parser.add_argument("--defect", default="", metavar="BREAK_...", help="of the model, for --trail")
    options = parser.parse_args(arguments)

    every = models()
    if not every:
        parser.error("this tree has no models")
    if options.table:
        print("\n".join(table(every)))
        return 0
    if options.trail:
        wanted = {f"{m.name}.{p.name}": (m, p) for m in every for p in m.properties}
        if options.trail not in wanted:
            parser.error(f"--trail: one of: {' '.join(wanted)}")
        print("\n".join(trail(*wanted[options.trail], options.defect)))
        return 0
    chosen = matching(jobs(ROOT), options.only, parser)
    results = run_all("models", chosen, options.jobs)
    for result in results:
        if result.ok:
            print(f"{result.name}: {result.detail}" if "states" in result.detail else result.name)
    failed = sum(not result.ok for result in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    run_program("make models", main)
