"""The grader's matrix, then the tests for which `make test` has no time; the last line is the count of
both. `make matrix` calls this; with LAB or ONLY it calls the grader's matrix alone: `grade/matrix.py`."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import qemu
from tools.options import STATUS_USAGE, WHOLE, Parser, run_program, share
from tools.programs import ROOT

_TOTAL = re.compile(r"(\d+) passed, (\d+) failed\n")


def counts(argv: Sequence[str]) -> tuple[int, int] | None:
    """Shows the output of @argv without its last line, the total, which it returns; None: it did not run."""
    total: tuple[int, int] | None = None
    command = [sys.executable, "-m", *argv]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        for line in program.stdout or ():
            if found := _TOTAL.fullmatch(line):
                total = int(found[1]), int(found[2])
            else:
                print(line, end="", flush=True)
    return total if program.returncode in (0, 1) else None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="make matrix", description=__doc__)
    parser.add_argument("--arch", choices=(*qemu.ARCHES, "all"), default="all")
    parser.add_argument("--build-root", type=Path, default=Path("build"), metavar="DIR")
    parser.add_argument("--share", type=share, default=WHOLE, metavar="K/N", help="of N shares the K-th")
    options = parser.parse_args(arguments)
    where = ("--build-root", str(options.build_root), "--share", str(options.share))
    others = [arch for arch in qemu.ARCHES if options.arch not in (arch, "all")]
    only = "".join(rf"^(?!.*\b{arch}\b)" for arch in others)
    totals = (
        counts(("grade", "matrix", "--brief", "--arch", options.arch, *where)),
        counts(("tools.test", "--rest", "--only", only, *where)),
    )
    done = [total for total in totals if total]
    if len(done) < len(totals):
        print("make matrix: not all of it could be done", file=sys.stderr)
        return STATUS_USAGE
    passed, failed = map(sum, zip(*done))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    run_program("make matrix", main)
