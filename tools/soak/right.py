"""Right kernels by machine in the long run: of each lab, and with each seed another choice of places."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tools.programs import ROOT, last_lines, run_module
from tools.test.model import Job, Result

_SAMPLE = 5


def jobs(build_root: Path, seeds: int) -> list[Job]:
    """One job for each lab and seed. They share a file of verdicts, so what a seed does not choose is
    judged once."""
    labs = sorted(path.parent.name for path in (ROOT / "labs").glob("*/lab.toml"))
    return [_job(lab, seed, build_root) for seed in range(1, seeds + 1) for lab in labs]


def _job(lab: str, seed: int, build_root: Path) -> Job:
    name = f"right kernels {lab} seed {seed}"

    def check() -> Iterator[Result]:
        words = ["--lab", lab, "--sample", str(_SAMPLE), "--seed", str(seed), "--jobs", "1"]
        done = run_module("tools.mutate.right", *words, "--build-root", str(build_root))
        again = f"again: make mutate KEEP=1 LAB={lab} SAMPLE={_SAMPLE} SEED={seed}"
        yield Result(name, done.returncode == 0, f"{last_lines(done.stdout, 40)}\n{again}")

    return Job(name, check)
