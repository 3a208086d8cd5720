"""trellis-grade classroom50: the autograder of a Classroom 50 assignment, as a folder of two files.

Copied to CLASSROOM/autograders/ASSIGNMENT/ of the organization's classroom50 repository, it grades each
submission in the student's own repository. Classroom 50 publishes these files on the classroom's site, where
students can read them. So the tree in trellis.tar.gz is what a student's repository of that lab holds:
objects instead of solutions, and no hidden tests. autograder.py says how it works.

https://github.com/foundation50/classroom50/wiki/Advanced-Autograding, as of 2026-11.
"""

import argparse
from pathlib import Path

from grade import autograder
from grade.errors import GraderError
from grade.lab import ARCHES, choose
from labs.handin import archive
from labs.repository import EXECUTABLE, branch_files
from tools.options import file
from tools.progress import Progress, shown

SUMMARY = "write the autograder of a Classroom 50 assignment"
FILES = ("autograder.py", f"{autograder.TREE}.tar.gz")
LARGEST = 10 << 20  # bytes of the assignment's archive: its runner fetches no more
_ARCH = 'ARCH = "all"'


def add_options(parser: argparse.ArgumentParser, root: Path) -> None:
    parser.add_argument("--lab", required=True)
    parser.add_argument("--arch", choices=(*ARCHES, "all"), default="all")
    parser.add_argument("--course", type=file, metavar="FILE", help="the file that make labs was given")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="such as autograders/06-kill")
    parser.add_argument("--build-root", type=Path, default=root / "build", metavar="DIR")


def student_tree(lab: str, course: Path | None, build_root: Path, progress: Progress) -> bytes:
    """The tree of a student's repository on the branch of @lab, as a tar.gz."""
    return archive(autograder.TREE, branch_files(lab, course, build_root, progress), EXECUTABLE)


def write(tree: bytes, arch: str, out: Path) -> int:
    """Writes the files for @tree into the folder @out. Returns their size. Raises GraderError."""
    script = Path(autograder.__file__).read_text(encoding="utf-8")
    assert script.count(_ARCH) == 1
    contents = (script.replace(_ARCH, f'ARCH = "{arch}"').encode(), tree)
    if (size := sum(map(len, contents))) > LARGEST:
        raise GraderError(f"classroom50: {size >> 20} MiB; its runner fetches at most {LARGEST >> 20}")
    out.mkdir(parents=True, exist_ok=True)
    for name, content in zip(FILES, contents, strict=True):
        (out / name).write_bytes(content)
    return size


def run(root: Path, options: argparse.Namespace) -> int:
    lab = choose(root, [options.lab])[0]
    with shown() as progress:
        tree = student_tree(lab.name, options.course, options.build_root, progress)
    size = write(tree, options.arch, options.out)
    print(f"{options.out}: {' and '.join(FILES)}, {size / (1 << 20):.1f} MiB. Copy both to\n"
          f"CLASSROOM/autograders/ASSIGNMENT/ of your organization's classroom50 repository.")  # fmt: skip
    return 0
