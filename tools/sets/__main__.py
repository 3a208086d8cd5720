"""Runs random sets of tasks in the kernel under one policy and judges their trace.

The order of the tasks must also be the simulator's, as far as it follows from the set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tools import qemu
from tools.options import Parser, run_program
from tools.programs import ROOT
from tools.sets.generate import POLICIES, generate
from tools.sets.run import Boot, complaints


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="python3 -m tools.sets", description=__doc__)
    parser.add_argument("--arch", choices=qemu.ARCHES, default=qemu.ARCHES[0])
    parser.add_argument("--policy", choices=POLICIES, required=True)
    parser.add_argument("--build-root", type=Path, default=ROOT / "build", metavar="DIR")
    parser.add_argument("--seeds", type=int, nargs="+", required=True, metavar="N", help="first, last")
    parser.add_argument("--show", action="store_true", help="print the sets, do nothing")
    options = parser.parse_args(arguments)
    seeds = tuple(range(options.seeds[0], options.seeds[-1] + 1))
    if options.show:
        print("\n".join(generate(options.policy, seed).text() for seed in seeds), end="")
        return 0
    failed = 0
    for history in Boot(options.arch, options.policy, seeds, options.build_root).histories():
        wrong = complaints(history, options.build_root)
        failed += bool(wrong)
        for complaint in wrong:
            print(f"seed {history.set.seed}: {complaint}")
    print(f"{len(seeds) - failed} sets as promised, {failed} not")
    return 1 if failed else 0


if __name__ == "__main__":
    run_program("tools.sets", main)
