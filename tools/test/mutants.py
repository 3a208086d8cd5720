"""A sample of the mutation engine's mutants of each lab, the same one every time: the explorer must notice
each, or a test under QEMU, or labs/NN-name/equivalent.toml must say why nobody could. `make soak` judges
all of them.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from grade.lab import choose
from tools.mutate import equivalent
from tools.mutate.report import KILLED, LEFT, Fate
from tools.programs import ROOT, last_lines, run_module
from tools.test.model import Job, Result

_SAMPLE = 200  # of all labs together
_RIGHT = {fate.value for fate in (*KILLED, Fate.EQUAL)}
_JUDGED = _RIGHT | {fate.value for fate in LEFT}


def jobs(build_root: Path) -> list[Job]:
    """A sample of each lab that lists its equal mutants: in the others not all have been looked at yet."""
    labs = [lab for lab in choose(ROOT, []) if equivalent.is_whole(lab.folder / equivalent.NAME)]
    each = str(_SAMPLE // len(labs))
    return [_job(lab.name, build_root, "--sample", each) for lab in labs]


def every(build_root: Path) -> list[Job]:
    """All mutants of all labs, also those that are listed as equal, shown to all tests: hours."""
    return [_job(lab.name, build_root, "--listed") for lab in choose(ROOT, [])]


def _job(lab: str, build_root: Path, *options: str) -> Job:
    name = f"mutants of {lab}"
    again = " ".join(("again: python3 -m tools.mutate --lab", lab, *options))

    def check() -> Iterator[Result]:
        with tempfile.TemporaryDirectory(prefix="trellis-mutants-") as folder:
            out = Path(folder, "result.json")
            words = ["--lab", lab, "--json", str(out), "--build-root", str(build_root), "--jobs", "1"]
            done = run_module("tools.mutate", *words, *options)
            if not out.exists():
                yield Result(name, False, last_lines(done.stdout))
                return
            told = json.loads(out.read_text(encoding="utf-8"))
        for mutant in told["mutants"]:
            if mutant["fate"] in _JUDGED:
                why = f"{mutant['fate']}: {mutant['what']}\n{mutant['diff']}{again}"
                yield Result(f"{name}: {mutant['id']}", mutant["fate"] in _RIGHT, why)
        if told["missed"] or told["stale"]:
            yield Result(f"{name}: every line, no stale entry", False, last_lines(done.stdout))

    return Job(name, check, rest="--sample" in options)
