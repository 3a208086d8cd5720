"""One checkpoint of a lab, on both ports: the handout's commands, the same tests as the grader runs
them (on every number of CPUs, with its seeds and instants), and the scenarios of the step under every
interleaving.

    python3 -m labs.check --lab 02-threads --step 5         make check LAB=02-threads STEP=5

The commands and the lines that they must print are those of the handout.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from grade import engine, report
from grade.build import Product
from grade.errors import GraderError
from grade.lab import ARCHES, Lab, choose
from grade.results import lab_result
from grade.score import score
from labs import handout
from tools.explore import __main__ as explorer
from tools.options import STATUS_USAGE, Parser, counted, run_program
from tools.programs import ROOT, clean_environment
from tools.progress import shown
from tools.visible import visible


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(prog="make check", description=__doc__)
    parser.add_argument("--lab", required=True)
    parser.add_argument("--step", type=int, required=True, metavar="K")
    parser.add_argument("--arch", choices=(*ARCHES, "all"), default="all")
    parser.add_argument("--build-root", type=Path, default=ROOT / "build", metavar="DIR")
    return parser.parse_args(arguments)


def _kernel(build_root: Path, arch: str) -> Path | None:
    """The test kernel of @arch; None if it does not build, which make has then told."""
    argv = ["make", f"O={build_root}", f"ARCH={arch}", "TESTS=1", "kernel"]
    environment = clean_environment()
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, check=False)
    print(visible(done.stderr), end="", file=sys.stderr, flush=True)
    return None if done.returncode else build_root / arch / "debug-test" / "kernel.elf"


def _checkpoints(lab: Lab, step: int) -> list[handout.Checkpoint]:
    found = [c for c in handout.checkpoints(lab.folder) if c.step == step]
    if not found:
        steps = sorted({c.step for c in handout.checkpoints(lab.folder)})
        raise GraderError(f"{lab.name} has no step {step}; its steps are {', '.join(map(str, steps))}")
    return found


def _boots(lab: Lab, step: int, arches: Sequence[str], build_root: Path) -> Iterator[bool]:
    """Runs the checkpoints on each port; says how each ended."""
    for arch in arches:
        kernel = _kernel(build_root, arch)
        if kernel is None:
            print(f"FAIL  {arch}: it does not build")
            yield False
            continue
        for checkpoint in _checkpoints(lab, step):
            fault = checkpoint.fault(arch, kernel)
            for line in [f"FAIL  {arch}: {fault}"] if fault else checkpoint.lines:
                print(line if fault else f"{line}  ({arch})", flush=True)
            yield fault is None


def _graded(lab: Lab, step: int, arches: Sequence[str], build_root: Path) -> bool:
    """Makes the grader's runs of the step's tests, and tells what fails."""
    named = {name for c in _checkpoints(lab, step) for name in c.tests}
    mine = replace(lab, tests=tuple(t for t in lab.tests if t.name in named))
    products = {arch: Product(build_root / arch / "debug-test" / "kernel.elf", None) for arch in arches}
    bench = engine.set_up(ROOT, build_root, arches, None)
    try:
        with shown() as progress:
            runs = engine.runs_of(mine, arches, None)
            outcomes = engine.run_all(bench, mine, products, runs, progress)
    finally:
        bench.close()
    result = lab_result(score(mine, outcomes), bench.layout, None)
    if result.failures:
        print(report.one_run(result), end="")
    elif result.unjudged:
        print(f"this machine was too slow for {counted(len(result.unjudged), 'run')}; try again")
    else:
        print(f"ok   {lab.name[:2]}.{step} as it is graded: {counted(len(runs), 'run')}")
    return not result.failures and not result.unjudged


def _scenarios(lab: Lab, step: int) -> bool:
    """Whether @lab has scenarios of this step."""
    number = f'"{lab.name[:2]}.{step}"'
    return any(number in path.read_text(encoding="utf-8") for path in (lab.folder / "scenarios").glob("*.c"))


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    try:
        lab = choose(ROOT, [options.lab])[0]
        _checkpoints(lab, options.step)
    except GraderError as e:
        print(f"make check: {e}", file=sys.stderr)
        return STATUS_USAGE
    build_root = options.build_root.resolve()
    arches = ARCHES if options.arch == "all" else (options.arch,)
    booted = list(_boots(lab, options.step, arches, build_root))
    if not all(booted):
        return 1
    passed = _graded(lab, options.step, arches, build_root)
    status = 0
    if _scenarios(lab, options.step):
        explored = ["--lab", lab.name, "--step", str(options.step), "--build-root", str(build_root)]
        status = explorer.main(explored)
    return status if passed else status or 1


if __name__ == "__main__":
    run_program("make check", main)
