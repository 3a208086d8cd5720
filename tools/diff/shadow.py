"""Random sequences of calls, run by Trellis and by this machine's Linux as its shadow. If the answers
differ, the sequence is shortened as far as possible, and shown with both answers."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.diff import answers, machines
from tools.diff.answers import Answers

_CHUNKS = 40  # candidates tried in one boot

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Trial:
    """@count sequences from number @first on, with @steps steps each, drawn by @seed."""

    seed: int
    first: int
    count: int
    steps: int

    @property
    def words(self) -> list[str]:
        return ["--random", str(self.seed), str(self.steps)]

    @property
    def numbers(self) -> range:
        return range(self.first, self.first + self.count)


@dataclass(frozen=True)
class Run:
    """A sequence of a trial, and the numbers of the steps to run; empty: all."""

    sequence: int
    steps: tuple[int, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, (self.sequence, *self.steps)))


@dataclass(frozen=True)
class Shadow:
    """Both sides of a comparison."""

    guest: machines.Guest
    program: Path  # on this machine

    def sums(self, trial: Trial) -> tuple[Answers, Answers]:
        """Linux's and Trellis' number for each sequence."""
        words = [*trial.words, str(trial.first), str(trial.count)]
        linux = answers.parse(machines.run_on_host(self.program, words))
        return linux, answers.parse(self.guest.run(" ".join([machines.CALLS, *words])))

    def texts(self, trial: Trial, runs: Sequence[Run]) -> list[tuple[str, str]]:
        """The answers of both in each of @runs."""
        with tempfile.TemporaryDirectory(prefix="trellis-diff-") as folder:
            lines = Path(folder, "runs")
            lines.write_text("".join(f"{run}\n" for run in runs), encoding="utf-8")
            linux = machines.run_on_host(self.program, [*trial.words, str(lines)])
            command = " ".join([machines.CALLS, *trial.words, "/runs"])
            trellis = self.guest.run(command, Path(folder))
        return list(zip(_parts(linux), _parts(trellis), strict=True))


def _parts(text: str) -> list[str]:
    return [part.partition("\n")[2] for part in ("\n" + text).split("\n== ")[1:]]


def find(shadow: Shadow, trial: Trial) -> int | None:
    """The first sequence in which they differ."""
    linux, trellis = shadow.sums(trial)
    for number in trial.numbers:
        name = f"random.{number}"
        if linux.get(name) != trellis.get(name):
            return number
    return None


def shrink(shadow: Shadow, trial: Trial, sequence: int, say: Progress) -> tuple[Run, str]:
    """The shortest run found in which they still differ, and its listing."""
    run = Run(sequence, tuple(range(trial.steps)))
    size = trial.steps // 2
    while size:
        say(f"sequence {sequence}: {len(run.steps)} steps differ, leaving out {size} at a time")
        shorter = _without(run, size)
        texts = shadow.texts(trial, shorter)
        differing = [kept for kept, (linux, trellis) in zip(shorter, texts) if linux != trellis]
        if differing:
            run = min(differing, key=lambda kept: len(kept.steps))
            size = min(size, len(run.steps) // 2 or 1)
            if len(run.steps) == 1:
                break
        else:
            size //= 2
    ((linux, trellis),) = shadow.texts(trial, [run])
    return run, listing(linux, trellis)


def _without(run: Run, size: int) -> list[Run]:
    """@run without @size consecutive steps, for each place."""
    starts = range(0, len(run.steps), max(size, -(-len(run.steps) // _CHUNKS)))
    cut = [run.steps[:start] + run.steps[start + size :] for start in starts]
    return [Run(run.sequence, steps) for steps in cut if steps]


def listing(linux: str, trellis: str) -> str:
    """Both answers as one text: equal lines appear once, different ones twice."""
    ours, lines = trellis.splitlines(), []
    for number, line in enumerate(linux.splitlines()):
        got = ours[number] if number < len(ours) else "(nothing more)"
        if line == got:
            lines.append(f"    {line}")
        else:
            lines += [f"    {line}\t\t// Linux", f"    {got}\t\t// Trellis"]
            break
    return "\n".join(lines)


def judge(guest: machines.Guest, trial: Trial, say: Progress) -> str | None:
    """The differences in @trial, as text with the command that shows it again; None: nothing does."""
    shadow = Shadow(guest, machines.compile_for_host("calls", guest.build_root))
    sequence = find(shadow, trial)
    if sequence is None:
        return None
    run, text = shrink(shadow, trial, sequence, say)
    options = f"--arch {guest.arch} --cpus {guest.cpus} --seed {trial.seed} --steps {trial.steps}"
    again = f"again: python3 -m tools.diff --random {options} --run {shlex.quote(str(run))}"
    return f"seed {trial.seed}, sequence {sequence}:\n{text}\n{again}"


def replay(guest: machines.Guest, trial: Trial, text: str) -> bool:
    """One run again, as judge() names it: prints it, and says whether the answers differ."""
    try:
        words = [int(word) for word in text.split()]
    except ValueError as error:
        raise machines.DiffError(f"--run {text}: must be numbers") from error
    shadow = Shadow(guest, machines.compile_for_host("calls", guest.build_root))
    ((linux, trellis),) = shadow.texts(trial, [Run(words[0], tuple(words[1:]))])
    print(listing(linux, trellis))
    return linux != trellis
