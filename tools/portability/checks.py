"""The trials on one distribution. Each try is a Result; gradings leave their JSON in a folder."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grade.lab import ARCHES, Lab, choose
from grade.mutants import Mutant, lay_out, mutants, spread
from tools.portability import table
from tools.portability.distributions import Distribution
from tools.portability.roots import Done, Machine, Say
from tools.programs import ROOT, last_lines
from tools.test.model import Result

PARTS = ("refusal", "container", "hour", "grade", "wrong", "test")
_WRONG = 5  # wrong solutions of each lab
_CONTAINER = "debian-13"  # whose image the Containerfile begins with
_PROGRAMS = {
    "QEMU": "qemu-system-riscv64",
    "GCC for RISC-V": "riscv64-unknown-elf-gcc",
    "GCC for x86_64": "x86_64-linux-gnu-gcc",
}
# Commands of a newcomer's first hour, and what must be in the answers. A lab's first step is not written
# yet, and the answer must say so.
_SHELL = (  # typed as soon as the prompt is there
    "{ for i in $(seq 600); do grep -aq '^/ [$#]' said && break; sleep 1; done; "
    "printf 'echo $((6 * 7))\\npoweroff\\n'; } 2>/dev/null | script -qefc 'make qemu' said"
)
_HOUR = (
    ("a command", "make run CMD='echo hi | wc -c'", "^3$"),
    ("a shell", _SHELL, "^42$"),
    ("the other port", "make run CMD='ps' ARCH=x86_64 CPUS=4", " ps$"),
    ("a timeline", "make timeline CMD='yes > /dev/null & sleep 0.002; kill $!; wait' OUT=kill.html && "
                   "head -c 15 kill.html", "<!doctype html>"),
    ("a schedule", "make simulate SCHED=edf TASKS=tools/simulate/example.tasks OUT=edf.html", "^sound "),
    ("a lab's starter", "make starter LAB=02-threads OUT=mine", "^mine: starter of 02-threads"),
    ("its first step", "make -C mine run TESTS=1 ICOUNT=1 CPUS=1 BOOTARGS=selftest=02.1",
                       "^panic: not written yet: 02-threads"),
    ("its grading", "make grade LAB=02-threads ARCH=riscv SUBMISSION=mine", " 0 / 100$"),
)  # fmt: skip
_COMMAND = re.compile(r"^sudo sh -c '(apt-get update && apt-get install -y [^']+)'$", re.M)
_COUNT = re.compile(r"^\d+ passed, \d+ failed$", re.M)


@dataclass(frozen=True)
class Options:
    parts: Sequence[str]
    rounds: int
    lab: str | None  # None: all
    arch: str | None  # None: both

    @property
    def settings(self) -> str:
        """Those of make grade."""
        return " ".join([f"LAB={self.lab}"] * bool(self.lab) + [f"ARCH={self.arch}"] * bool(self.arch))


@dataclass
class Try:
    """One distribution's machines."""

    which: Distribution
    tar: Path
    folder: Path  # logs and gradings
    options: Options
    say: Say

    def results(self) -> Iterator[Result]:
        self.folder.mkdir(parents=True, exist_ok=True)
        machine = Machine(self.tar.parent / "root", "root", self.say)
        student = Machine(self.tar.parent / "root", "student", self.say)
        try:
            if "refusal" in self.options.parts:
                student.unpack(self.tar)
                yield from self.without_root(student)
            if "container" in self.options.parts and self.which.name == _CONTAINER:
                machine.unpack(self.tar)
                yield from self.container(machine)
            if {"hour", "grade", "wrong", "test"} & set(self.options.parts):
                machine.unpack(self.tar)
            if "hour" in self.options.parts:
                yield from self.first_hour(machine)
            if "grade" in self.options.parts:
                yield from self.gradings(machine)
            if "wrong" in self.options.parts:
                yield from self.wrong(machine)
            if "test" in self.options.parts:
                yield self.tests(machine)
        finally:
            shutil.rmtree(machine.root, ignore_errors=True)

    def _result(self, what: str, ok: bool, done: Done, log: Path) -> Result:
        detail = f"status {done.status}, the whole of it in {log}\n{last_lines(done.output, 30)}"
        return Result(f"{self.which.title}: {what}", ok, detail)

    def without_root(self, machine: Machine) -> Iterator[Result]:
        """Both commands name one command and do nothing; when that has been run, they work."""
        before = sorted(machine.tree.rglob("*"))
        for goal in ("grade", "test"):
            log = self.folder / f"refused-{goal}.log"
            done = machine.run(f"make {goal}", log)
            found = _COMMAND.findall(done.output)
            nothing = sorted(machine.tree.rglob("*")) == before
            refused = done.status == 2 and len(found) == 1 and nothing
            yield self._result(f"make {goal} without root names one command", refused, done, log)
            if not refused:
                return
            log = self.folder / f"install-{goal}.log"
            done = machine.run(found[0], log, root=True)
            yield self._result(f"that command, for make {goal}", done.status == 0, done, log)
            if done.status:
                return
            if goal == "grade":
                yield self._graded(machine, "without root", "user")
            before = sorted(machine.tree.rglob("*"))
        done = machine.run("make doctor", log := self.folder / "doctor.log")
        yield self._result("make doctor finds all there", done.status == 0, done, log)

    def container(self, machine: Machine) -> Iterator[Result]:
        """Runs the steps that build the Containerfile's machine, then the first of its commands."""
        steps = [line.removeprefix("RUN ") for line in (ROOT / "Containerfile").read_text().splitlines()
                 if line.startswith("RUN ")]  # fmt: skip
        for number, step in enumerate(steps, 1):
            log = self.folder / f"container-{number}.log"
            done = machine.run(step, log)
            yield self._result(f"the Containerfile's step {number}", done.status == 0, done, log)
        yield self._graded(machine, "in the Containerfile's machine", "container")

    def first_hour(self, machine: Machine) -> Iterator[Result]:
        for what, command, answer in _HOUR:
            log = self.folder / f"hour-{what.replace(' ', '-')}.log"
            done = machine.run(command, log)
            told = re.search(answer, done.output.replace("\r", ""), re.M | re.I) is not None
            yield self._result(f"the first hour: {what}", told, done, log)

    def gradings(self, machine: Machine) -> Iterator[Result]:
        for number in range(1, self.options.rounds + 1):
            yield self._graded(machine, f"as root, {number}", f"root-{number}")

    def wrong(self, machine: Machine) -> Iterator[Result]:
        """Wrong solutions from each lab's whole list lose the property that they break. The machine's
        tree says which: the one here may have changed since."""
        labs = choose(machine.tree, [self.options.lab] if self.options.lab else [])
        for lab in labs:
            for mutant in spread(mutants(machine.tree, lab), ARCHES, _WRONG):
                yield self._loses(machine, lab, mutant)

    def _loses(self, machine: Machine, lab: Lab, mutant: Mutant) -> Result:
        submission = f"wrong/{mutant.name}"
        lay_out(machine.tree, lab, mutant.files, machine.tree / submission)
        name = f"{lab.name} {mutant.name}"
        kept = self.folder / "wrong" / f"{name}.json"
        kept.parent.mkdir(exist_ok=True)
        log = self.folder / f"grade-{lab.name}-{mutant.name}.log"
        arch = f"ARCH={self.options.arch}" if self.options.arch else ""
        done = self._grade(machine, f"LAB={lab.name} {arch} SUBMISSION={submission}", log, kept)
        report = json.loads(kept.read_bytes()) if kept.exists() else {"labs": []}
        judged = not any(of_lab["unjudged"] for of_lab in report["labs"])
        caught = judged and mutant.property in table.lost(report)
        return self._result(f"{name} loses {mutant.property}", caught, done, log)

    def _graded(self, machine: Machine, how: str, name: str) -> Result:
        log = self.folder / f"grade-{name}.log"
        done = self._grade(machine, self.options.settings, log, self.folder / f"{name}.json")
        self.note_versions(machine)
        return self._result(f"make grade {how}", done.status == 0, done, log)

    def _grade(self, machine: Machine, settings: str, log: Path, kept: Path) -> Done:
        """Leaves the grading's JSON in @kept."""
        kept.unlink(missing_ok=True)
        done = machine.run(" ".join(filter(None, ("make grade", settings, "JSON=portability.json"))), log)
        written = machine.tree / "portability.json"
        if written.exists():
            shutil.move(written, kept)
        return done

    def note_versions(self, machine: Machine) -> None:
        log = self.folder / "versions.log"
        lines = []
        for title, program in _PROGRAMS.items():
            done = machine.run(f"{program} --version", log)
            found = re.search(r"\d+(\.\d+)+", re.sub(r"\(.*?\)", "", done.output))
            lines.append(f"{title} {found[0] if found else '?'}\n")
        (self.folder / "versions").write_text("".join(lines))

    def tests(self, machine: Machine) -> Result:
        log = self.folder / "test.log"
        done = machine.run("make test", log)
        (self.folder / "test").write_text("".join(_COUNT.findall(done.output)[-1:]))
        self.note_versions(machine)
        return self._result("make test", done.status == 0, done, log)
