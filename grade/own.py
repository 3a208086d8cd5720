"""Scores a student's own tests: the scenarios in labs/NN-name/scenarios/mine.

The explorer runs each of them on kernels that the student does not see. On the right ones, the reference
and the lab's variants, a scenario must find nothing: one that accuses a right kernel does not count, nor
does one that was only copied (copies.py). The others are shown the wrong kernels that lab.toml names in
`own_tests`, each of which stands for a wrong idea. The score is how many of these at least one scenario
notices: by a counterexample, or by a data race in the lab's files. Budgets are counted in steps, so it
is the same on every machine.
"""

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from grade.build import BuildFailed, Product, Reference
from grade.copies import copies
from grade.errors import GraderError
from grade.intake import take_own
from grade.lab import Lab, choose
from grade.mutants import mutants, variants
from grade.submission import Rejected
from tools import qemu
from tools.explore import races
from tools.explore.program import BOUND, ExploreError, NotStarted, explore, scenarios
from tools.options import add_submission, counted, to_write
from tools.progress import Progress, shown

SUMMARY = "score a student's own tests on wrong and right kernels"
_STEPS = 500_000  # of one scenario on one kernel
_SCENARIOS_MAX = 40
_GOALS = ("explorer",)


@dataclass(frozen=True)
class Kernel:
    """One that the scenarios are shown. @property: the sentence that a wrong one breaks; "": it is right."""

    name: str
    property: str
    what: str
    files: dict[str, bytes]


@dataclass(frozen=True)
class Accused:
    """A scenario that finds fault with a right kernel."""

    scenario: str
    kernel: str
    verdict: str


@dataclass(frozen=True)
class Shown:
    """A wrong kernel. @noticed: the first scenario that found fault with it; "": none did."""

    kernel: str
    property: str
    what: str
    noticed: str


@dataclass(frozen=True)
class OwnScore:
    lab: str
    scenarios: tuple[str, ...]
    accused: tuple[Accused, ...]
    shown: tuple[Shown, ...]
    copies: tuple[tuple[str, str], ...] = ()  # scenarios, and those that they are copies of

    @property
    def noticed(self) -> int:
        return sum(bool(s.noticed) for s in self.shown)


def kernels(root: Path, lab: Lab) -> list[Kernel]:
    """The right ones first."""
    if not lab.own_tests:
        raise GraderError(f"{lab.name} asks for no tests of one's own")
    right = [Kernel("reference", "", "the reference", {})]
    right += [Kernel(v.name, "", f"variant {v.name}", dict(v.files)) for v in variants(root, lab)]
    known = {m.name: m for m in mutants(root, lab)}
    if unknown := [name for name in lab.own_tests if name not in known]:
        raise GraderError(f"labs/{lab.name}/lab.toml: own_tests: there is no mutant {unknown[0]}")
    wrong = [known[name] for name in lab.own_tests]
    return right + [Kernel(m.name, m.property, m.what, dict(m.files)) for m in wrong]


def fault(program: Path, name: str, lab: Lab, fenced: bool) -> str:
    """Returns the fault that scenario @name finds with the kernel in @program; "": none."""
    try:
        result = explore(program, name, BOUND, _STEPS, fenced, costume=False)
        if result.outcome == "wrong":
            return result.verdict
        own = races.touching(program, name, result.races, lab.files, fenced)
    except NotStarted as e:
        raise GraderError(str(e)) from e
    except ExploreError as e:
        return f"the explorer was stopped: {e}"
    return "a data race" if own else ""


class _Trial:
    """The scenarios of one submission, on one kernel after the other."""

    def __init__(self, reference: Reference, lab: Lab, own: dict[str, bytes], fenced: bool) -> None:
        self._reference, self._lab, self._own, self._fenced = reference, lab, own, fenced

    def names(self, honest: Product) -> tuple[str, ...]:
        """The scenarios that the submission adds. Raises GraderError if it does not compile."""
        try:
            product = self._reference.build_with(self._own, honest, _GOALS)
        except BuildFailed as e:
            raise GraderError("the tests do not compile:\n" + "\n".join(f"  {x}" for x in e.lines)) from e
        assert product.explorer is not None and honest.explorer is not None
        shipped = {s.scenario for s in scenarios(honest.explorer, self._fenced)}
        own = [s.scenario for s in scenarios(product.explorer, self._fenced)]
        if taken := [name for name in own if name in shipped and own.count(name) > 1]:
            raise GraderError(f"there are two scenarios with the name {taken[0]}")
        names = tuple(name for name in own if name not in shipped)
        if len(names) > _SCENARIOS_MAX:
            raise GraderError(f"{len(names)} scenarios; at most {_SCENARIOS_MAX} are run")
        return names

    def faults(self, kernel: Kernel, honest: Product, names: Sequence[str], first: bool) -> dict[str, str]:
        """Returns the faults of @kernel by scenario; with @first only one of them."""
        product = self._reference.build_with({**kernel.files, **self._own}, honest, _GOALS)
        assert product.explorer is not None
        found: dict[str, str] = {}
        for name in names:
            if said := fault(product.explorer, name, self._lab, self._fenced):
                found[name] = said
                if first:
                    break
        return found


def handed_in_for(lab: Lab, submission: Path, branch: str | None) -> dict[str, bytes]:
    """The tests in @submission, of whatever kind it is. Raises GraderError, also if there are none."""
    try:
        own = take_own(submission, lab, branch)
    except Rejected as e:
        raise GraderError(f"{submission}: {e}") from e
    except OSError as e:
        raise GraderError(f"{submission}: {e.strerror}") from e
    if not own:
        raise GraderError(f"{submission} has no tests: labs/{lab.name}/scenarios/mine/*.c")
    return own


def score(
    root: Path, lab: Lab, own: dict[str, bytes], reference: Reference, jobs: int, progress: Progress
) -> OwnScore:
    """Runs the scenarios in the files @own for @lab. Raises GraderError."""
    every = kernels(root, lab)
    honest = reference.build(lab.files, _GOALS, progress)
    trial = _Trial(reference, lab, own, not qemu.why_no_bubblewrap())
    names = trial.names(honest)
    copied = copies(root, own)
    written = [name for name in names if name not in copied]
    right = [k for k in every if not k.property]
    progress.expect(len(every))

    def tried(kernel: Kernel, asked: Sequence[str]) -> dict[str, str]:
        found = trial.faults(kernel, honest, asked, bool(kernel.property))
        progress.step(f"own tests of {lab.name}: {kernel.name}" if not kernel.property else lab.name)
        return found

    with ThreadPoolExecutor(jobs) as pool:
        accused = [
            Accused(name, kernel.what, said)
            for kernel, found in zip(right, pool.map(lambda k: tried(k, written), right))
            for name, said in found.items()
        ]
        counting = [name for name in written if name not in {a.scenario for a in accused}]
        wrong = [k for k in every if k.property]
        found = pool.map(lambda k: tried(k, counting), wrong)
        seen = [Shown(k.name, k.property, k.what, next(iter(f), "")) for k, f in zip(wrong, found)]
    return OwnScore(lab.name, names, tuple(accused), tuple(seen), tuple(copied.items()))


def text(result: OwnScore) -> str:
    """The report: what does not count, and which sentences are looked at by no test."""
    lines = [f"{result.lab}: {counted(len(result.scenarios), 'test')} of one's own", ""]
    for name, original in result.copies:
        lines += [f"does not count: {name} is {original} under another name", ""]
    for name in dict.fromkeys(a.scenario for a in result.accused):
        every = [a for a in result.accused if a.scenario == name]
        more = f" and {counted(len(every) - 1, 'other')}" if len(every) > 1 else ""
        lines += [f"does not count: {name} finds fault with a right kernel, {every[0].kernel}{more}:"]
        lines += [f"  {every[0].verdict}", ""]
    for s in result.shown:
        how = f"noticed by {s.noticed}" if s.noticed else "not noticed"
        lines.append(f"  {s.property:<6} {s.what}: {how}")
    lines += ["", f"{result.noticed} of {len(result.shown)} wrong kernels noticed"]
    return "\n".join(lines) + "\n"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lab", required=True)
    add_submission(parser)
    parser.add_argument("--json", type=to_write, metavar="FILE", help="write the result as data")
    parser.add_argument("--build-root", type=Path, default=Path("build"), metavar="DIR")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="kernels at once")


def run(root: Path, options: argparse.Namespace) -> int:
    lab = choose(root, [options.lab])[0]
    own = handed_in_for(lab, options.submission or root, options.branch)
    fenced = not qemu.why_no_bubblewrap()
    reference = Reference(root, options.build_root, "riscv", fenced, options.jobs)
    try:
        with shown() as progress:
            result = score(root, lab, own, reference, options.jobs, progress)
    finally:
        reference.close()
    print(text(result), end="")
    if options.json is not None:
        options.json.write_text(json.dumps(asdict(result), indent=1) + "\n", encoding="utf-8")
    return 0 if result.noticed == len(result.shown) and not result.accused and not result.copies else 1
