"""Goes on to the next lab of the course, in a student's repository.

    python3 -m labs.next_lab                             make next-lab
    python3 -m labs.next_lab --reference 02-threads      make next-lab REFERENCE=02-threads

Merges the next lab's branch into the present one: your own files stay as they are, and the new lab's
starter comes in beside them. With --reference the course's objects take the place of what you wrote in
those labs. Goes on to the next lab only if the present one is among them; "" goes back to your own files.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence

from grade.errors import GraderError
from grade.home import CHOICE, MARK, git, present_lab
from tools.options import Parser, run_program
from tools.programs import ROOT

_BEGUN_ANEW = "begins with the course's solutions of the labs before it"


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(prog="make next-lab", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--reference", metavar="LAB...", help="labs whose files are taken from the course")
    return parser.parse_args(arguments)


def _make_list(name: str) -> list[str]:
    """The value of a variable of given/labs.mk."""
    found = re.search(rf"^{name} := (.*)$", (ROOT / MARK).read_text(encoding="utf-8"), re.M)
    return found[1].split() if found else []


def _git(*words: str) -> str:
    """Says what it does, and does it. Raises GraderError."""
    print(f"git {' '.join(words)}", flush=True)
    done = git(ROOT, *words)
    if done is None:
        raise GraderError(f"git {words[0]} failed; git status says more")
    return done.decode(errors="replace")


def _branch(lab: str) -> str | None:
    """The branch that the course has published for @lab, as it is known here."""
    places = (f"refs/remotes/*/lab/{lab}", f"refs/heads/lab/{lab}")
    listed = git(ROOT, "for-each-ref", "--format=%(refname:short)", *places)
    names = (listed or b"").decode().split()
    return names[0] if names else None


def _check_saved() -> None:
    state = git(ROOT, "status", "--porcelain", "-uno")
    if state is None:
        raise GraderError("this is no git repository: the labs are branches of one, so clone it")
    if state:
        raise GraderError("first commit what you have changed: git commit -am 'what it is'")


def _take_reference(labs: Sequence[str]) -> None:
    """Notes in reference.mk which labs' files are taken from the course."""
    known = _make_list("given_labs")
    for lab in labs:
        if lab not in known:
            raise GraderError(f"no lab {lab}; there are {', '.join(known)}")
        given = [ROOT / f"given/riscv/debug/{file}.o" for file in _make_list(f"files_{lab}")]
        if not any(path.exists() for path in given):
            raise GraderError(f"no objects of {lab} are here: not given by the course, or your present lab")
    if labs:
        (ROOT / CHOICE).write_text(f"REFERENCE := {' '.join(labs)}\n", encoding="utf-8")
        _git("add", CHOICE)
    elif (ROOT / CHOICE).exists():
        _git("rm", "-q", "-f", CHOICE)
    if git(ROOT, "diff", "--cached", "--quiet") is None:
        _git("commit", "-q", "-m", f"Take from the course: {' '.join(labs) or 'nothing'}")


def _merge(lab: str) -> None:
    branch = _branch(lab)
    if branch is None:
        raise GraderError(f"{lab} has not been published yet: there is no branch lab/{lab} in your clone")
    print(f"{lab} comes from {branch}; what you wrote stays")
    if git(ROOT, "merge-base", "--is-ancestor", branch, "HEAD") is None:
        try:
            _git("merge", "-q", "--no-edit", branch)
        except GraderError:
            files = (git(ROOT, "diff", "--name-only", "--diff-filter=U") or b"").decode().split()
            print("both you and the course have changed:", *files, sep="\n  ", file=sys.stderr)
            print("edit these, then git add and git commit; or git merge --abort", file=sys.stderr)
            raise


def _begin(lab: str) -> None:
    """A new branch, for a course in which no lab goes on from the student's own work."""
    branch = _branch(lab)
    if branch is None:
        raise GraderError(f"{lab} has not been published yet: there is no branch lab/{lab} in your clone")
    print(f"{lab} {_BEGUN_ANEW}; what you wrote stays on its branch")
    _git("switch", "-q", "--no-track", "-c", f"mine-{lab}", branch)


def _next(options: argparse.Namespace) -> int:
    present = present_lab(ROOT)
    _check_saved()
    labs = _make_list("given_labs")
    after = labs[labs.index(present) + 1 :] if present in labs else labs
    wanted = None if options.reference is None else options.reference.split()
    if wanted is None or present in wanted:
        if not after:
            raise GraderError(f"{present} is the last lab of this course")
        if git(ROOT, "remote"):
            git(ROOT, "fetch", "-q", "--all")  # without a network, what is known here will do
        (_merge if _make_list("given_mode") == ["cumulative"] else _begin)(after[0])
    if wanted is not None:
        _take_reference(wanted)
    lab = present_lab(ROOT)
    print(f"now {lab}: read labs/{lab}/README.md, then make check STEP=1")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    try:
        return _next(options)
    except GraderError as e:
        print(f"make next-lab: {e}", file=sys.stderr)
    except OSError as e:
        print(f"make next-lab: {e.filename}: {e.strerror}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    run_program("make next-lab", main)
