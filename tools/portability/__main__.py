"""`make portability`: fresh systems of other distributions run the README's two commands. On each, with
and without root, missing packages are installed or named, a newcomer's first commands are typed, all labs
are graded again and again, some wrong solutions of each lab are graded once, and all tests are run. The
JSON of all gradings must be the same within a distribution, verdicts and points must be the same on all. A
wrong solution must lose the property that it breaks; the table says what else it loses.

Needs root here, to build and enter root file systems; they are kept in build/portability. Ends with a
table (Markdown) and the count."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tools.options import Parser, run_program
from tools.portability import table
from tools.portability.checks import PARTS, Options, Try
from tools.portability.distributions import DISTRIBUTIONS, Archives, Distribution, archives
from tools.portability.roots import CannotBuild, base
from tools.test.model import Result
from tools.test.pool import show_failures


def _some(allowed: Sequence[str], text: str) -> tuple[str, ...]:
    chosen = tuple(text.split(","))
    if unknown := [name for name in chosen if name not in allowed]:
        raise argparse.ArgumentTypeError(f"{unknown[0]}: must be some of {', '.join(allowed)}")
    return chosen


def _archive(text: str) -> tuple[str, str]:
    family, equals, address = text.partition("=")
    if not (family and equals and address):
        raise argparse.ArgumentTypeError(f"{text}: must be FAMILY=ADDRESS, as ubuntu=http://...")
    return family, address


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    names = [which.name for which in DISTRIBUTIONS]
    parser = Parser(prog="make portability", description=__doc__)
    parser.add_argument("--build-root", type=Path, default=Path("build"), metavar="DIR")
    parser.add_argument("--only", type=lambda t: _some(names, t), default=names,
                        metavar="NAME,...", help=f"default: {','.join(names)}")  # fmt: skip
    parser.add_argument("--parts", type=lambda t: _some(PARTS, t), default=PARTS,
                        metavar="PART,...", help=f"default: {','.join(PARTS)}")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="gradings; default: 10")
    parser.add_argument("--lab", help="default: all")
    parser.add_argument("--arch", help="default: both")
    parser.add_argument("--archive", type=_archive, action="append", default=[],
                        metavar="FAMILY=ADDRESS", help="default: what this machine's apt has")  # fmt: skip
    parser.add_argument("--table", action="store_true", help="print what earlier runs came to")
    return parser.parse_args(arguments)


def _try(which: Distribution, folder: Path, found: Archives, options: Options) -> list[Result]:
    """All results of one distribution; a failure is shown as soon as it is known."""
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {which.name}: {what}", file=sys.stderr, flush=True)

    say(f"{', '.join(options.parts)}; {options.rounds} rounds")
    results: list[Result] = []
    try:
        tar = base(folder, which, found, say)
    except CannotBuild as error:
        print(f"skipped: {which.title}: {error}", flush=True)
        return []
    for result in Try(which, tar, folder / which.name, options, say).results():
        show_failures([result])
        say(f"{'ok' if result.ok else 'FAILED'}: {result.name}")
        results.append(result)
    return results


def _interrupted(signum: int, _: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    given = parse(arguments)
    folder = given.build_root.resolve() / "portability"
    if given.table:
        print(table.table(folder))
        return 0
    if os.geteuid() != 0:
        print("portability: only root may enter root file systems: sudo make portability", file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, _interrupted)
    options = Options(given.parts, given.rounds, given.lab, given.arch)
    tried = [which for which in DISTRIBUTIONS if which.name in given.only]
    found = archives(dict(given.archive))
    results = [result for which in tried for result in _try(which, folder, found, options)]
    compared = [result for which in tried for result in table.within(which, folder / which.name)]
    compared += table.between(folder, tried)
    show_failures(compared)
    results += compared
    print(table.table(folder))
    failed = sum(not result.ok for result in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    run_program("make portability", main)
