"""A sample of the mutation engine's mutants of each lab, the same one every time: the explorer must notice
each, or labs/NN-name/equivalent.toml must say why nobody could. `make soak` judges all of them, with QEMU.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grade.lab import choose
from tools.mutate.report import KILLED, Fate
from tools.test.builds import ROOT, clean_environment
from tools.test.model import Job, Result, last_lines

_SAMPLE = 67  # of each lab
_RIGHT = {fate.value for fate in (*KILLED, Fate.EQUAL)}
_JUDGED = {*_RIGHT, Fate.SURVIVED.value, Fate.UNASKED.value}


@dataclass(frozen=True)
class Mutants:
    """Mutants of a lab: @sample of them, shown to the explorer, or None: all, shown to all tests."""

    lab: str
    sample: int | None
    build_root: Path

    @property
    def title(self) -> str:
        return f"mutants of {self.lab}"

    @property
    def again(self) -> str:
        """The command for a person."""
        return f"make mutate LAB={self.lab}" + f" KILLERS=explorer SAMPLE={self.sample}" * bool(self.sample)

    def results(self) -> Iterator[Result]:
        with tempfile.TemporaryDirectory(prefix="trellis-mutants-") as folder:
            out = Path(folder, "result.json")
            argv = [sys.executable, "-m", "tools.mutate", "--lab", self.lab, "--json", str(out)]
            argv += ["--build-root", str(self.build_root), "--jobs", "1"]
            argv += ["--killers", "explorer", "--sample", str(self.sample)] if self.sample else []
            done = subprocess.run(argv, cwd=ROOT, env=clean_environment(), capture_output=True, text=True)
            if not out.exists():
                yield Result(self.title, False, last_lines(done.stderr))
                return
            told = json.loads(out.read_text(encoding="utf-8"))
        for mutant in told["mutants"]:
            if mutant["fate"] in _JUDGED:
                why = f"{mutant['fate']}: {mutant['what']}\n{mutant['diff']}again: {self.again}"
                yield Result(f"{self.title}: {mutant['id']}", mutant["fate"] in _RIGHT, why)
        if told["missed"] or told["stale"]:
            yield Result(f"{self.title}: all lines, no stale entry", False, f"{last_lines(done.stdout)}")


def jobs(build_root: Path) -> list[Job]:
    labs = [lab for lab in choose(ROOT, []) if lab.has_scenarios()]
    found = [Mutants(lab.name, _SAMPLE, build_root) for lab in labs]
    return [Job(m.title, m.results, rest=True) for m in found]


def every(build_root: Path) -> list[Job]:
    """All mutants of all labs: hours."""
    found = [Mutants(lab.name, None, build_root) for lab in choose(ROOT, [])]
    return [Job(m.title, m.results) for m in found]
