"""Packs what a student hands in of a lab, after a check of the files and a build on both ports.

    python3 -m labs.handin --lab 04-sleep                make handin [OUT=file.tar.gz]

The archive has the lab's files, the student's own scenarios, and handin.json, which says what they are.
The same files give the same archive.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import re
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from grade import engine
from grade.build import BuildFailed
from grade.errors import GraderError
from grade.home import Home, home, present_lab, told
from grade.lab import ARCHES, Lab, choose
from grade.submission import Rejected, own_scenarios, take
from tools.options import Parser, counted, run_program
from tools.programs import ROOT
from tools.progress import Progress, shown

_STUB = re.compile(rb"^\s*(?:lab_todo|LAB_TODO)\(", re.M)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(prog="make handin", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--lab", required=True)
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: handin-NN-name.tar.gz")
    parser.add_argument("--build-root", type=Path, default=ROOT / "build", metavar="DIR")
    return parser.parse_args(arguments)


def faults(lab: Lab, at_home: Home, build_root: Path) -> list[str]:
    """The compiler's lines about what would be handed in: the kernel on both ports, then the student's own
    scenarios."""
    bench = engine.set_up(ROOT, build_root, ARCHES, None, at_home)
    try:
        with shown() as progress:
            built = engine.build_for_boot(bench, lab, ROOT, progress)
            failed = {arch: made for arch, made in built.items() if isinstance(made, BuildFailed)}
            if failed:
                return [f"{arch}: {line}" for arch, made in failed.items() for line in made.lines]
            own = own_scenarios(ROOT, lab)
            return own_faults(bench, lab, own, progress) if own else []
    finally:
        bench.close()


def own_faults(bench: engine.Bench, lab: Lab, own: Mapping[str, bytes], progress: Progress) -> list[str]:
    """The same about a student's scenarios @own, which are built as the instructor's grader does it."""
    reference = next(iter(bench.references.values()))
    honest = reference.build(lab.files, ("explorer",), progress)
    try:
        reference.build_with(own, honest, ("explorer",))
    except BuildFailed as e:
        return list(e.lines)
    return []


def archive(name: str, files: Mapping[str, bytes], programs: Sequence[str] = ()) -> bytes:
    """A tar.gz of @files in a folder @name, with nothing in it that depends on the day or the machine. Those
    that are @programs can be executed."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(content)
            entry.mode = 0o755 if path in programs else entry.mode
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(out.getvalue(), mtime=0)


def contents(lab: Lab) -> dict[str, bytes]:
    """The files of @lab that are handed in. Raises Rejected."""
    files = {**take(ROOT, lab).files, **own_scenarios(ROOT, lab)}
    about = {
        "lab": lab.name,
        "files": {path: hashlib.sha256(content).hexdigest() for path, content in sorted(files.items())},
    }
    return {**files, "handin.json": (json.dumps(about, indent=1) + "\n").encode()}


def _hand_in(options: argparse.Namespace) -> int:
    present_lab(ROOT)
    lab = choose(ROOT, [options.lab])[0]
    at_home = home(ROOT, lab)
    assert at_home is not None  # present_lab() has looked
    files = contents(lab)
    for line in told(at_home):
        print(line)
    if wrong := faults(lab, at_home, options.build_root.resolve()):
        print("\n".join(wrong), file=sys.stderr)
        print("make handin: it does not build, so nothing was packed", file=sys.stderr)
        return 1
    for path, content in files.items():
        if stubs := len(_STUB.findall(content)):
            print(f"{path}: {counted(stubs, 'function')} not written yet")
    name = f"handin-{lab.name}"
    out = options.out or ROOT / f"{name}.tar.gz"
    out.write_bytes(archive(name, files))
    print(f"{out}: {counted(len(files) - 1, 'file')} of {lab.name}, built on {' and '.join(ARCHES)}")
    print("this graded nothing: make grade does")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    try:
        return _hand_in(options)
    except (GraderError, Rejected) as e:
        print(f"make handin: {e}", file=sys.stderr)
    except OSError as e:
        print(f"make handin: {e.filename}: {e.strerror}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    run_program("make handin", main)
