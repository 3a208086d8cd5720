"""The differential suite: this machine's Linux and both ports must give the answers recorded from Linux.

tools/diff/README.md says how it works. A difference that tools/diff/open.txt lists is known and does not
fail. A listed difference that is gone does fail, so that the list stays true. `make test` runs one port
on 4 CPUs and the other on 1; `make matrix` exchanges them, and runs as many more random sequences.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools import qemu
from tools.diff import answers, machines, shadow
from tools.test.model import Job, Result, in_turn

CPUS = (1, 4)
_SEQUENCES, _STEPS = 150, 40


def host_jobs(build_root: Path) -> list[Job]:
    """Compares this machine with the record; if it is no plain Linux, differences are only reported."""

    def check() -> Iterator[Result]:
        try:
            program = machines.compile_for_host("calls", build_root)
            got = answers.parse(machines.run_on_host(program, ()))
        except machines.DiffError as error:
            yield Result("diff host", False, str(error))
            return
        allowed = answers.listed("host.txt")
        found = [d for d in answers.differences(answers.recorded("x86_64"), got) if d.case not in allowed]
        odd = machines.host_is_odd()
        if odd and found:
            print(f"diff host: {odd}: {len(found)} of its answers differ from the record", file=sys.stderr)
        again = "again: python3 -m tools.diff --host CASE, and compare with tools/diff/record"
        detail = "\n".join([*map(str, found), again])
        yield Result(f"diff host: {len(got)} cases", bool(odd) or not found, detail)

    return [Job("diff host", check)]


def jobs(build_root: Path) -> list[Job]:
    found: list[Job] = []
    for turn, cpus in enumerate(reversed(CPUS)):
        for arch in qemu.ARCHES:
            found.append(_job(machines.Guest(arch, cpus, build_root), not in_turn(arch, turn)))
    for first in (0, _SEQUENCES):
        trial = shadow.Trial(1, first, _SEQUENCES, _STEPS)
        found += [follow(machines.Guest(arch, 1, build_root), trial, first > 0) for arch in qemu.ARCHES]
    return found


def _job(guest: machines.Guest, rest: bool) -> Job:
    return Job(guest.title, lambda: ask(guest), rest)


def follow(guest: machines.Guest, trial: shadow.Trial, rest: bool = False) -> Job:
    """Runs random sequences on Trellis and on this machine; left out if this machine is no plain Linux."""
    which = f" from {trial.first} on" if trial.first else ""
    name = f"{guest.title}: {trial.count} sequences at random{which}, seed {trial.seed}"

    def check() -> Iterator[Result]:
        odd = machines.host_is_odd()
        if odd:
            print(f"{name}: left out: {odd}", file=sys.stderr)
            yield Result(name, True)
            return
        try:
            found = shadow.judge(guest, trial, lambda text: None)
        except machines.DiffError as error:
            found = str(error)
        yield Result(name, found is None, found or "")

    return Job(name, check, rest)


def ask(guest: machines.Guest) -> Iterator[Result]:
    try:
        got = answers.parse(guest.run(machines.CALLS))
    except machines.DiffError as error:
        yield Result(guest.title, False, str(error))
        return
    linux = answers.recorded(guest.arch)
    found = {difference.case: difference for difference in answers.differences(linux, got)}
    known = answers.listed("open.txt")
    still = [case for case in known if case in found]
    if still:
        print(f"{guest.title}: {len(still)} differences are known (tools/diff/open.txt)", file=sys.stderr)
    for case in dict.fromkeys([*linux, *got, *known]):
        yield _judge(guest, case, found, known)


def _judge(
    guest: machines.Guest, case: str, found: Mapping[str, answers.Difference], known: Mapping[str, str]
) -> Result:
    name = f"{guest.title}: {case}"
    again = f"again: python3 -m tools.diff --arch {guest.arch} --cpus {guest.cpus} {case}"
    gone = case in known and case not in found and not known[case].startswith("at times")
    if gone and not (answers.is_old(case) and guest.arch == "riscv"):
        return Result(name, False, f"agrees with Linux now: remove it from tools/diff/open.txt\n{again}")
    if case in found and case not in known:
        return Result(name, False, f"{found[case]}\n{again}")
    return Result(name, True)
