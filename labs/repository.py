"""Writes the repository that the students of a course clone: a branch `main`, and one for each lab.

    python3 -m labs.repository --out DIR                 make labs OUT=DIR
    python3 -m labs.repository --out DIR --upto 04       without the labs behind 04-sleep
    python3 -m labs.repository --out DIR --course FILE   a choice of labs, and rules: labs/course.py

Each lab's branch goes on from the one before it (with MODE=independent from main), and students merge it
into their own. No branch has the source of a solution of its own lab or of a later one: what is still to
come is linked from object files. The same tree gives the same commits. Where the repository is there
already, what has changed becomes new commits on its branches, which reach students by an ordinary merge.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from grade.errors import GraderError
from grade.home import TRAILER, git
from grade.lab import ARCHES, load_all
from labs import course
from labs.contents import Contents
from labs.stage import StageError, check, tracked
from tools.options import Parser, run_program
from tools.programs import ROOT, clean_environment
from tools.progress import Progress, shown

_AUTHOR = "Trellis <trellis@localhost>"
EXECUTABLE = ("tools/run", "tools/setup.sh", "grade/trellis-grade")


def _make(build_root: Path, *words: str) -> None:
    argv = ["make", f"O={build_root}", *words]
    done = subprocess.run(
        argv, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        raise GraderError(f"the tree does not build: {' '.join(argv)}: {done.stderr.strip()[-2000:]}")


def objects(build_root: Path, files: Sequence[str], progress: Progress) -> dict[str, bytes]:
    """The objects of @files of the reference, by path below given/."""
    progress.expect(2 * len(ARCHES) + 1)
    with tempfile.TemporaryDirectory(prefix="trellis-given-") as name:
        for arch in ARCHES:
            others = tuple(f"arch/{other}/" for other in ARCHES if other != arch)
            own = [file for file in files if not file.startswith(others)]
            for tests in (0, 1):
                progress.doing(f"objects of {arch}")
                settings = (f"ARCH={arch}", f"TESTS={tests}", f"OUT={name}")
                _make(build_root, *settings, f"GIVEN={' '.join(own)}", "given-objects")
                progress.step(f"objects of {arch}")
        _make(build_root, f"OUT={name}", f"GIVEN={' '.join(files)}", "given-explorer")
        progress.step("objects of the explorer")
        made = sorted(path for path in Path(name).rglob("*.o"))
        return {str(path.relative_to(name)): path.read_bytes() for path in made}


class Repository:
    """The git repository at @folder; its commits have the date of the tree's own last one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        dated = git(ROOT, "log", "-1", "--format=%ct")
        self._date = f"{int(dated) if dated else 0} +0000"

    def prepare(self) -> None:
        """Makes it if it is not there. Raises GraderError if something else is."""
        folder = self._folder
        if not folder.exists() or not any(folder.iterdir()):
            folder.mkdir(parents=True, exist_ok=True)
            self._git("init", "-q", "-b", "main")
        elif git(folder, "rev-parse", "--show-prefix") != b"\n":
            raise GraderError(f"{folder}: not empty, and no repository that make labs has written")
        elif not git(folder, "log", "-1", f"--grep=^{TRAILER}: ", "--format=%h", "main"):
            raise GraderError(f"{folder}: a repository that make labs has not written")
        elif git(folder, "status", "--porcelain", "-uno") != b"":
            raise GraderError(f"{folder}: has changes that are not committed")

    def tip(self, branch: str) -> str | None:
        found = git(self._folder, "rev-parse", "-q", "--verify", f"refs/heads/{branch}")
        return found.decode().strip() if found else None

    def commit(self, branch: str, below: str | None, files: Mapping[str, bytes], text: str) -> bool:
        """Makes @files the next commit of @branch, which also has @below, the branch under it, as a parent.
        Returns whether anything has changed."""
        old = self.tip(branch)
        under = self.tip(below) if below else None
        has_under = under is None or (old is not None and self._contains(old, under))
        parents = [p for p in (old, None if has_under else under) if p]
        new = self._import(files, parents, text)
        if old and has_under and self._tree(new) == self._tree(old):
            return False
        self._git("update-ref", f"refs/heads/{branch}", new)
        return True

    def _import(self, files: Mapping[str, bytes], parents: Sequence[str], text: str) -> str:
        message = text.encode()
        who = f"{_AUTHOR} {self._date}"
        head = f"commit refs/trellis/new\nauthor {who}\ncommitter {who}\ndata {len(message)}\n"
        lines = [head.encode(), message]
        lines += [f"\n{'merge' if i else 'from'} {p}".encode() for i, p in enumerate(parents)]
        lines.append(b"\ndeleteall\n")
        for name, content in sorted(files.items()):
            mode = "100755" if name in EXECUTABLE else "100644"
            lines.append(f'M {mode} inline "{name}"\ndata {len(content)}\n'.encode() + content + b"\n")
        self._git("update-ref", "-d", "refs/trellis/new")
        self._git("fast-import", "--quiet", "--force", stdin=b"".join(lines))
        made = self._git("rev-parse", "refs/trellis/new").decode().strip()
        self._git("update-ref", "-d", "refs/trellis/new")
        return made

    def show(self, branch: str) -> None:
        """Makes @branch the one that is checked out."""
        self._git("checkout", "-q", "-f", branch)
        self._git("reset", "-q", "--hard", branch)

    def _contains(self, commit: str, older: str) -> bool:
        return git(self._folder, "merge-base", "--is-ancestor", older, commit) is not None

    def _tree(self, commit: str) -> bytes:
        return self._git("rev-parse", f"{commit}^{{tree}}")

    def _git(self, *words: str, stdin: bytes = b"") -> bytes:
        argv = ["git", "-C", str(self._folder), *words]
        done = subprocess.run(argv, input=stdin, capture_output=True, check=False)
        if done.returncode:
            raise GraderError(f"git {words[0]}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(prog="make labs", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="new, empty, or ours")
    parser.add_argument("--mode", choices=course.MODES, help="default: the course's, else cumulative")
    parser.add_argument("--upto", metavar="NN", help="the last lab; default: the course's last")
    parser.add_argument("--course", type=Path, metavar="FILE", help="a TOML file: see labs/course.py")
    parser.add_argument("--build-root", type=Path, default=ROOT / "build", metavar="DIR")
    return parser.parse_args(arguments)


def write(options: argparse.Namespace, progress: Progress) -> list[str]:
    """Writes the repository. Returns what has changed, a line for each branch."""
    labs = load_all(ROOT)
    check(ROOT, labs)
    plan = course.course(options.course, labs, options.mode)
    plan = plan.up_to(options.upto) if options.upto else plan
    repository = Repository(options.out)
    repository.prepare()
    contents = Contents(ROOT, tracked(ROOT), labs, plan)
    given = sorted({file for at in range(-1, len(plan.labs)) for file in contents.files_given(at)})
    made = objects(options.build_root.resolve(), given, progress)
    said = []
    progress.expect(1 + len(plan.labs))
    for at, branch in enumerate(["main", *(f"lab/{name}" for name in plan.labs)], -1):
        progress.doing(branch)
        name = plan.labs[at] if at >= 0 else "none"
        below = None if at < 0 else "main"
        if at > 0 and plan.mode == "cumulative":
            below = f"lab/{plan.labs[at - 1]}"
        fresh = repository.tip(branch) is None
        title = f"{plan.title}: {name if at >= 0 else 'the kernel'}"
        text = f"{title}\n\n{TRAILER}: {name}\n"
        changed = repository.commit(branch, below, contents.branch(at, made), text)
        said.append(f"{branch:<20}{'new' if fresh else 'changed' if changed else 'as before'}")
        progress.step(branch)
    repository.show("main")
    return said


def branch_files(
    lab: str, course_file: Path | None, build_root: Path, progress: Progress
) -> dict[str, bytes]:
    """The files of @lab's branch alone, as write() makes it. Raises GraderError."""
    labs = load_all(ROOT)
    try:
        check(ROOT, labs)
    except StageError as e:
        raise GraderError(str(e)) from e
    plan = course.course(course_file, labs, None)
    if lab not in plan.labs:
        raise GraderError(f"{course_file}: the course has no lab {lab}; it has {', '.join(plan.labs)}")
    contents = Contents(ROOT, tracked(ROOT), labs, plan)
    at = plan.labs.index(lab)
    return contents.branch(at, objects(build_root.resolve(), contents.files_given(at), progress))


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    try:
        with shown() as progress:
            said = write(options, progress)
        print("\n".join(said))
        print(f"{options.out}: publish it with git push --all; students clone it, see its README.md")
        return 0
    except (GraderError, StageError) as e:
        print(f"make labs: {e}", file=sys.stderr)
    except OSError as e:
        print(f"make labs: {e.filename}: {e.strerror}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    run_program("make labs", main)
