"""Runs the same cases on Trellis and on this machine's Linux, and compares the answers line by line with
the recorded answers of Linux. CASE is a case (pipe.read_empty) or a file of them (pipe)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import qemu
from tools.diff import answers, machines, shadow
from tools.options import Parser, counted, run_program
from tools.programs import ROOT, clean_environment


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="python3 -m tools.diff", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--build-root", type=Path, default=ROOT / "build", metavar="DIR")
    parser.add_argument("--arch", choices=qemu.ARCHES, action="append", help="both, if not given")
    parser.add_argument("--cpus", type=int, default=1, metavar="N")
    parser.add_argument("--host", action="store_true", help="only this machine: prints its answers")
    parser.add_argument("--record", action="store_true", help="makes this machine's answers the record")
    parser.add_argument("--random", action="store_true", help="sequences of calls at random, see below")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first sequence's number")
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="how many sequences")
    parser.add_argument("--steps", type=int, default=40, metavar="N", help="of each sequence")
    parser.add_argument("--run", default="", metavar="'N STEP...'", help="one sequence, these steps of it")
    options = parser.parse_args(arguments)
    build_root = options.build_root.resolve()
    try:
        if options.random:
            trial = shadow.Trial(options.seed, options.first, options.count, options.steps)
            guests = [
                machines.Guest(arch, options.cpus, build_root) for arch in options.arch or qemu.ARCHES
            ]
            return 1 if any([_shadow(guest, trial, options.run) for guest in guests]) else 0
        host = answers.parse(
            machines.run_on_host(machines.compile_for_host("calls", build_root), options.cases)
        )
        if not host:
            print(f"no such case: {' '.join(options.cases)}", file=sys.stderr)
            return 2
        if options.record:
            return _record(host, options.cases)
        if options.host:
            print(answers.format_answers(host), end="")
            return 0
        faults = _tell("this machine", answers.recorded("x86_64"), host, options.cases)
        for arch in options.arch or qemu.ARCHES:
            faults += _ask(machines.Guest(arch, options.cpus, build_root), options.cases)
    except machines.DiffError as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if faults else 0


def _record(host: answers.Answers, cases: Sequence[str]) -> int:
    odd = machines.host_is_odd()
    if odd:
        print(f"{odd}: its answers are not what the record holds", file=sys.stderr)
        return 2
    old = answers.recorded("x86_64") if cases else {}
    answers.record(old | host)
    print(f"{counted(len(host), 'case')} recorded")
    return 0


def _shadow(guest: machines.Guest, trial: shadow.Trial, run: str) -> bool:
    """Whether the answers of Trellis and Linux differ."""
    _build(guest)
    if run:
        return shadow.replay(guest, trial, run)
    print(f"{guest.title}: seed {trial.seed}, {counted(trial.count, 'sequence')}", file=sys.stderr)
    found = shadow.judge(guest, trial, lambda text: print(text, file=sys.stderr))
    print(found or f"{guest.title}: {counted(trial.count, 'sequence')}, none differs")
    return found is not None


def _build(guest: machines.Guest) -> None:
    argv = ["make", f"ARCH={guest.arch}", f"O={guest.build_root}", "soak-programs"]
    if subprocess.run(argv, cwd=ROOT, env=clean_environment(), stdout=sys.stderr).returncode:
        raise machines.DiffError("the tree does not build")


def _ask(guest: machines.Guest, cases: Sequence[str]) -> int:
    _build(guest)
    got = answers.parse(guest.run(" ".join([machines.CALLS, *cases])))
    return _tell(guest.title, answers.recorded(guest.arch), got, cases)


def _tell(
    where: str, linux: answers.Answers, got: answers.Answers, cases: Sequence[str]
) -> int:
    if cases:
        linux = {case: lines for case, lines in linux.items() if case in got}
    found = list(answers.differences(linux, got))
    for difference in found:
        print(difference)
    print(f"{where}: {counted(len(got), 'case')}, {len(found)} differ")
    return len(found)


if __name__ == "__main__":
    run_program("tools.diff", main)
