"""Every mutant of every lab on both ports; and of those that one test alone is to see: do all others
miss them? `make matrix` grades a mutant of shared C on one port, and does not ask the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grade.lab import choose
from tools.programs import ROOT, last_lines, run_module
from tools.test.model import Job, Result


def jobs(build_root: Path) -> list[Job]:
    return [_job(lab.name, build_root) for lab in choose(ROOT, [])]


def _job(lab: str, build_root: Path) -> Job:
    name = f"tests that miss a mutant {lab}"
    words = ["--lab", lab, "--only", "mutant", "--jobs", "1", "--build-root", str(build_root)]

    def check() -> Iterator[Result]:
        done = run_module("grade", "matrix", *words)
        wrong = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
        again = f"again: make matrix LAB={lab} ONLY=mutant"
        yield Result(name, done.returncode == 0, "\n".join([*wrong, last_lines(done.stdout, 1), again]))

    return Job(name, check)
