"""trellis-grade gradescope: the zip file that Gradescope wants of a programming assignment.

It holds this tree and two scripts. setup.sh installs what is missing, builds, and grades the reference:
if that does not get full marks there, the set-up fails, and no student is graded by a machine that cannot
be trusted. run_autograder grades what was handed in and writes results.json.

https://gradescope-autograders.readthedocs.io/en/latest/specs/, as of 2026-11.
"""

import argparse
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

from grade.errors import GraderError
from grade.lab import choose
from tools.options import to_write

SUMMARY = "write the zip file of a Gradescope assignment"
TREE = "trellis"  # the folder in the zip

_LEFT_OUT = {".git", "build", "__pycache__", ".mypy_cache", ".ruff_cache", "node_modules"}
_OLDEST = (1980, 1, 1, 0, 0, 0)  # of a zip file: so that equal trees make equal bytes
_EXECUTABLE = 0o100755
_PLAIN = 0o100644

_SETUP = """#!/bin/sh
# Called by Gradescope once, when the assignment is made.
set -e
cd "${AUTOGRADER:-/autograder}/source/%(tree)s"
apt-get update
apt-get install -y --no-install-recommends make python3
make setup
grade/trellis-grade run --lab %(lab)s --arch %(arch)s
"""

_RUN = """#!/bin/sh
# Called by Gradescope for each submission; its output is shown to instructors alone.
set -e
home=${AUTOGRADER:-/autograder}
cd "$home/source/%(tree)s"
submission=$home/submission
set -- "$submission"/*
[ $# -eq 1 ] && [ -f "$1" ] && submission=$1	# an archive, which Gradescope has not unpacked
# 1: points are lost, as the report says. Any other status has no report.
grade/trellis-grade run --lab %(lab)s --arch %(arch)s --submission "$submission" \\
	--json "$home/report.json" || [ $? -eq 1 ]
grade/trellis-grade report --as gradescope "$home/report.json" > "$home/results/results.json"
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lab", required=True)
    parser.add_argument("--arch", choices=("riscv", "x86_64", "all"), default="all")
    parser.add_argument("--out", type=to_write, required=True, metavar="FILE", help="such as 06-kill.zip")


def files_of(root: Path) -> Iterator[Path]:
    """The tree as a clean clone has it, with anything that was added; symbolic links are left out."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT)
        paths = [Path(folder) / name for name in sorted(names)]
        yield from (path for path in paths if path.is_file() and not path.is_symlink())


def write(root: Path, lab: str, arch: str, out: Path) -> int:
    """Writes the zip file @out; the number of its files."""
    words = {"tree": TREE, "lab": lab, "arch": arch}
    count = 2
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        _put(archive, "setup.sh", (_SETUP % words).encode(), _EXECUTABLE)
        _put(archive, "run_autograder", (_RUN % words).encode(), _EXECUTABLE)
        for path in files_of(root):
            if path != out:
                mode = _EXECUTABLE if os.access(path, os.X_OK) else _PLAIN
                _put(archive, f"{TREE}/{path.relative_to(root)}", path.read_bytes(), mode)
                count += 1
    return count


def _put(archive: zipfile.ZipFile, name: str, contents: bytes, mode: int) -> None:
    info = zipfile.ZipInfo(name, _OLDEST)
    info.external_attr = mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, contents)


def run(root: Path, options: argparse.Namespace) -> int:
    lab = choose(root, [options.lab])[0]
    try:
        count = write(root, lab.name, options.arch, options.out.resolve())
    except OSError as e:
        raise GraderError(f"{options.out}: {e.strerror}") from e
    size = options.out.stat().st_size / (1 << 20)
    print(f"{options.out}: {count:,} files, {size:.1f} MiB. Upload it as the autograder of an assignment;\n"
          f"students hand in {', '.join(lab.files)}, in their folders or as one archive.")  # fmt: skip
    return 0
