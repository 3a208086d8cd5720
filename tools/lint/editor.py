"""An editor marks nothing in a file that is in order. clangd reads files as it does in an editor.

    /usr/bin/python3 -m tools.lint.editor [FILE]...     all files, or these
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.lint.files import ROOT, Fault
from tools.options import Parser, run_program
from tools.programs import clean_environment, run_quietly

# "E[12:00:00.000] [no_member] Line 7: no member named 'x' in 'struct y'"
_ERROR = re.compile(r"^E\[[\d:.]+\] (?:\[(?P<kind>[\w-]+)\] Line (?P<line>\d+): )?(?P<text>.*)", re.M)


def listed(commands: Path) -> list[str]:
    """Every file that the database @commands has a command for."""
    entries = json.loads(commands.read_text(encoding="utf-8"))
    return [entry["file"] for entry in entries]


def one_of_each(paths: Sequence[str]) -> list[str]:
    """The first source and the first header of each folder."""
    first: dict[tuple[str, str], str] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        first.setdefault((folder, name[-2:]), path)
    return list(first.values())


def errors(path: str, commands: Path) -> list[Fault]:
    """The marks that clangd makes in @path."""
    argv = ["clangd", f"--compile-commands-dir={commands.parent}", f"--check={path}"]
    done = run_quietly([*argv, "--check-lines=1", "--log=info"], ROOT)
    found = [Fault(path, int(m["line"] or 1), m["text"]) for m in _ERROR.finditer(done.stdout)]
    return found or [Fault(path, 1, "clangd --check fails")] * bool(done.returncode)


def complaints(only: Sequence[str] = (), sample_only: bool = False) -> Iterator[Fault]:
    with tempfile.TemporaryDirectory(prefix="trellis-lint-") as out:
        commands = Path(out, "compile_commands.json")
        argv = ["make", "-s", f"O={out}", str(commands)]
        subprocess.run(argv, cwd=ROOT, env=clean_environment(), check=True, capture_output=True)
        paths = only or listed(commands)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            chosen = one_of_each(paths) if sample_only else paths
            for faults in pool.map(lambda path: errors(path, commands), chosen):
                yield from faults


def sample() -> Iterator[Fault]:
    """One source and one header of each folder: seconds, not minutes."""
    yield from complaints(sample_only=True)


def main() -> int:
    parser = Parser(prog="tools.lint.editor", description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE", help="instead of all")
    faults = list(complaints(parser.parse_args().files))
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    run_program(sys.argv[0], main)
