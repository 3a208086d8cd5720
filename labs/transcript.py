"""A term on Trellis as it appears in a terminal: docs/term.md.

    python3 -m labs.transcript --out docs/term.md [--lab 04-sleep]

Publishes a course in a temporary folder, and then does what a student does. The student's work is the
reference's: before each checkpoint the solutions of one more step are there. All commands run; the page
has their output, shortened where "..." stands.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from grade.lab import Lab, choose, load_all
from labs.handout import checkpoints
from labs.stage import starter_files
from tools.options import Parser, run_program, to_write
from tools.progress import Progress, shown
from tools.programs import ROOT, clean_environment

_PERSON = {"NAME": "A Student", "EMAIL": "student@localhost"}
_HEAD, _TAIL = 12, 6  # lines of a long output that are shown

_TITLE = """\
# A term, as the terminal shows it

A course and its student at their terminals: the repository is published, `{lab}` is done step by
step and handed in, and the labs behind it follow. The student writes what the reference has. Each
command was run; `...` stands for lines that are left out. This page is made by

	python3 -m labs.transcript --out docs/term.md
"""


@dataclass
class Transcript:
    """The page as it grows, and the folder in which its commands run."""

    folder: Path
    progress: Progress
    parts: list[str] = field(default_factory=list)

    def say(self, words: str) -> None:
        self.parts.append(f"\n{words}\n")

    def run(self, where: str, *commands: str) -> None:
        """Shows @commands, and what they print, as one block. "~" is the folder."""
        lines: list[str] = []
        for command in commands:
            self.progress.doing(command)
            lines += [f"$ {command}", *_shortened(self._output(where, command))]
            self.progress.step(command)
        self.parts.append("\n".join(("\n```", *lines, "```\n")))

    def _output(self, where: str, command: str) -> list[str]:
        roles = ("AUTHOR", "COMMITTER")
        names = {f"GIT_{role}_{key}": word for role in roles for key, word in _PERSON.items()}
        environment = clean_environment() | names | {"HOME": str(self.folder)}
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder / where if where else ROOT, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", check=False,
        )  # fmt: skip
        return [line.replace(str(self.folder), "~") for line in done.stdout.splitlines()]


def _shortened(lines: list[str]) -> list[str]:
    """Without the lines that only show progress, and without the middle."""
    told = [line.rstrip() for line in lines if not _is_progress(line)]
    if len(told) <= _HEAD + _TAIL + 1:
        return told
    return [*told[:_HEAD], "...", *told[-_TAIL:]]


def _is_progress(line: str) -> bool:
    made = re.match(r"  [A-Z]+\t|(\d+ of \d+.*: )?(building|objects of) ", line)
    return made is not None or " left: " in line


def _do_lab(page: Transcript, lab: Lab) -> None:
    """Writes @lab's solutions step by step, with the handout's checkpoint after each."""
    page.say(f"## {lab.name}, from its handout")
    page.run("trellis", f"head -n 1 labs/{lab.name}/README.md")
    for step in lab.steps:
        for path, content in starter_files(ROOT, lab, step).items():
            (page.folder / "trellis" / path).write_bytes(content)
        written = ", ".join(f"`{name}()`" for name in lab.steps[step])
        page.say(f"Step {step} writes {written or 'nothing; it measures'}.")
        page.run("trellis", f"make check STEP={step}", f"git commit -qam 'Step {step}' --allow-empty")
    page.say("All of it, graded on one port; then packed.")
    page.run("trellis", "make grade ARCH=riscv")
    page.run("trellis", "make handin")


def _next(page: Transcript, lab: Lab) -> None:
    page.run("trellis", "make next-lab")
    for path in lab.files:
        (page.folder / "trellis" / path).write_bytes((ROOT / path).read_bytes())
    last = list(checkpoints(lab.folder))[-1].command
    page.run("trellis", f"{last} ARCH=riscv", f"git commit -qam '{lab.name}'")


def write(page: Transcript, first: Lab) -> None:
    labs = load_all(ROOT)
    page.parts.append(_TITLE.format(lab=first.name))
    page.say("## The course publishes its labs")
    page.run("", "make labs OUT=~/os-labs")
    page.run(".", "git -C os-labs branch")
    page.say("## A student begins")
    start = f"git switch -q -c mine origin/lab/{first.name}"
    page.run(".", "git clone -q os-labs trellis")
    page.run("trellis", start)
    page.run("trellis", "make run CMD='echo hello'")
    _do_lab(page, first)
    page.say("## The labs behind it")
    page.say("Each merge brings the next starter; what was written before goes on working.")
    for lab in labs[labs.index(first) + 1 :]:
        _next(page, lab)


def _steps(first: Lab) -> Iterator[str]:
    """One word for each command, for the progress bar."""
    labs = load_all(ROOT)
    yield from ("publish", "branch", "clone", "switch", "run", "handout", "grade", "handin")
    yield from (word for step in first.steps for word in ("check", f"commit {step}"))
    yield from (word for lab in labs[labs.index(first) + 1 :] for word in ("merge", "check", lab.name))


def main() -> int:
    parser = Parser(prog="python3 -m labs.transcript", description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--out", type=to_write, metavar="FILE", help="write the page there")
    parser.add_argument("--lab", default="04-sleep", help="the lab that is done step by step")
    options = parser.parse_args()
    first = choose(ROOT, [options.lab])[0]
    with tempfile.TemporaryDirectory(prefix="trellis-term-") as name, shown("term") as progress:
        progress.expect(len(list(_steps(first))))
        page = Transcript(Path(name), progress)
        write(page, first)
    text = "".join(page.parts)
    if options.out is None:
        print(text, end="")
    else:
        options.out.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    run_program(sys.argv[0], main)
