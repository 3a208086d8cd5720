"""Replays one run of a report: the same instructions again, on demand under GDB.

Under GDB a run on several CPUs stays the same only until the first stop. So the first stop is the
interesting one: the first failing check, a panic (the limit and an unwritten function also end in a
panic), or else the end, where the trace can be read.
"""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grade.build import Product
from grade.engine import Bench, boot_of
from grade.errors import GraderError
from grade.lab import Lab
from grade.machine import Ended, Evidence, nonce_of, scratch_folder
from grade.results import LabResult, lab_result
from grade.score import Outcome, Run, score
from grade.verdict import judge
from tools import qemu

# Each is called once, at the moment in question, and never in a run that goes well.
STOPS = ("ktest_failing", "panic", "panic_trap", "arch_machine_end")
_GDBS = {
    "riscv": ("gdb-multiarch", "riscv64-unknown-elf-gdb"),
    "x86_64": ("gdb", "gdb-multiarch"),
}


def replay(
    bench: Bench, lab: Lab, run: Run, product: Product, submission: str | None, branch: str | None
) -> tuple[LabResult, Evidence]:
    """Boots @run again: its verdict, and everything it said."""
    test = lab.test(run.test)
    evidence = bench.runner.boot(boot_of(test, run, product))
    if evidence.ended is Ended.SLOW:
        raise GraderError("this machine is too slow for the run; try again when it is idle")
    outcome = Outcome(run, judge(lab, test, evidence))
    return lab_result(score(lab, [outcome]), bench.layout, submission, branch), evidence


def said(evidence: Evidence) -> str:
    """The guest's output, without the messages to the grader."""
    kernel = evidence.streams.kernel.decode("utf-8", "replace").replace("\r", "")
    lines = [line for line in kernel.splitlines(keepends=True) if not line.startswith("@@")]
    return "".join(lines) + evidence.streams.user.decode("utf-8", "replace")


def gdb_commands(
    root: Path, own: Path | None, port: int, stops: Sequence[str]
) -> list[str]:
    """The commands for GDB: load the kernel's own commands, find the sources, set the stops, continue."""
    sources = [root] if own is None else [own, root]
    return [
        "set pagination off",
        f"source {root / 'tools' / 'gdb' / 'trellis.py'}",
        f"directory {':'.join(map(str, sources))}",
        f"target remote 127.0.0.1:{port}",
        *(f"break {name}" for name in stops),
        "continue",
        "backtrace",
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def replay_gdb(
    bench: Bench,
    lab: Lab,
    run: Run,
    product: Product,
    own: Path | None,
    stops: Sequence[str],
) -> int:
    """Runs @run under GDB until it comes to one of @stops (functions); GDB's exit status. @own: where the
    submission's files are."""
    boot = boot_of(lab.test(run.test), run, product)
    gdb = next((g for g in _GDBS[run.arch] if shutil.which(g)), None)
    if gdb is None:
        raise GraderError("there is no GDB for this port: apt install gdb-multiarch")
    port = _free_port()
    with scratch_folder() as name:
        folder = Path(name)
        machine = replace(
            boot.machine(nonce_of(os.urandom(16), boot)),
            serial=f"file:{folder / 'serial'}",
            gdb_port=port,
        )
        commands = gdb_commands(bench.root, own, port, stops)
        with qemu.start(machine.argv(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            return _run_gdb(gdb, commands, boot.kernel)


def _run_gdb(gdb: str, commands: Sequence[str], kernel: Path) -> int:
    argv = [gdb, "-q"]
    for command in commands:
        argv += ["-ex", command]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is GDB's: it stops the guest
    try:
        done = subprocess.run([*argv, str(kernel)], check=False, preexec_fn=_default_sigint)
    finally:
        signal.signal(signal.SIGINT, before)
    return done.returncode


def _default_sigint() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
