"""The contents of a student's repository: which files a branch holds, and how they are changed.

Of the labs before the branch's own, students have the files already, so they are starters here too, which
a merge leaves alone. Of the later ones there is no source at all: they are linked as objects (make/given.mk).
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from pathlib import Path

from grade.home import MARK
from grade.lab import Lab
from labs.course import Course
from labs.stage import starter_files, without_hidden
from tools.imports import closure

_SHIPPED = re.compile(
    r"""Makefile | LICENSE | \.gitignore | \.clang-format | \.vscode/.* | \.devcontainer/.* | \.github/.*
    | make/(?!instructor\.mk).*
    | (kernel|arch)/.* | user/(?!tests/).*
    | user/tests/.*\.h | user/tests/(suite|thread|mutex|cond|semaphore|fork|family|signal|stop|interrupt)\.c
    | user/tests/kill(spin)?\.c | user/tests/(float|context)/.*
    | docs/(README|boot|bootargs|explorer|files|kill|memory|platforms|scheduling|threads|timeline|traps)\.md
    | docs/timeline\.png
    | grade/trellis-grade
    | tools/(setup\.sh|packages.*\.txt|probe\.c|run|gdb/.*|host/rename\.h) | tools/timeline/.*
    | tools/explore/[^/]*(?<!survey\.py) | tools/explore/scenarios/tree\.c
    """,
    re.X,
)
# Tests in the kernel are for those who work on it, but lab 05's use test_waits.c; a port's test_*.S
# and test_lines.c belong to the instruments.
_LEFT_OUT = re.compile(r"(kernel|arch)/(.*/)?test_(?!(waits|lines)\.)[^/]*\.c|.*/__pycache__/.*|labs/.*")
_OF_A_LAB = re.compile(r"labs/[^/]+/(README\.md|lab\.toml|tests/(?!hidden_).*|scenarios/(?!mine/|hidden_).*)")
# Programs that students run, or that a build runs. With what they import, these are the Python files
# that ship.
_PROGRAMS = (
    *("tools/run", "tools/cpio.py", "tools/ksyms.py", "tools/syscalls.py", "tools/compdb.py"),
    *("tools/probe.py", "tools/explore/__main__.py", "tools/timeline/__main__.py", "grade/__main__.py"),
    *("labs/check.py", "labs/handin.py", "labs/next_lab.py"),
)


def programs(root: Path) -> set[str]:
    """The Python files that a student needs."""
    return closure(root, _PROGRAMS)


class Contents:
    """The branches of the repository of @course, made of @names, the files of the tree at @root."""

    def __init__(self, root: Path, names: Sequence[str], labs: Sequence[Lab], course: Course) -> None:
        self._root = root
        self._course = course
        self._all = {lab.name: lab for lab in labs}
        self._labs = [self._all[name] for name in course.labs]
        self._of_labs = {file: lab.name for lab in labs for file in lab.files}
        python = programs(root)
        self._names = [
            name
            for name in names
            if (name in python or _SHIPPED.fullmatch(name) and not name.endswith(".py"))
            and not (_LEFT_OUT.fullmatch(name) and name not in python)
            or name.endswith(".py") and re.match(r"tools/(gdb|timeline)/", name)
        ]
        self._tree = frozenset(names)

    def files_given(self, at: int) -> list[str]:
        """The files that the branch of lab number @at of the course (-1: main) has as objects."""
        given = [lab for name, lab in self._all.items() if name not in self._course.labs[: at + 1]]
        if self._course.mode == "cumulative" and at >= 0:
            given += [lab for lab in self._labs[:at] if lab.name in self._course.reference]
        return sorted(file for lab in given for file in lab.files)

    def branch(self, at: int, objects: Mapping[str, bytes]) -> dict[str, bytes]:
        """All files of that branch; @objects are those of given/, by path."""
        present = self._labs[: at + 1]
        out = {name: (self._root / name).read_bytes() for name in self._names}
        for name, owner in self._of_labs.items():
            if owner not in (lab.name for lab in present):
                out.pop(name, None)
        for i, lab in enumerate(present):
            if i == at or self._course.mode == "cumulative":
                out |= starter_files(self._root, lab)
            out |= self._folder(lab)
        out |= self._given(at, objects)
        if at >= 0:
            out["lab.mk"] = _lab_mk(present[-1].name)
        out["README.md"] = self._readme(present[-1] if present else None)
        out["Containerfile"] = (self._root / "labs/student.Containerfile").read_bytes()
        for name in [name for name in out if name.endswith(".md")]:
            text = _PARTS.sub("", out[name].decode())
            out[name] = _without_links(name, text, out, self._tree).encode()
        out["tools/packages.txt"] = _needed_packages(out["tools/packages.txt"].decode()).encode()
        return out

    def _folder(self, lab: Lab) -> dict[str, bytes]:
        """labs/NN-name as students have it, and the sources of the programs that its tests run."""
        out = {}
        programs = {f"user{test.program}.c" for test in lab.tests if test.program and not test.hidden}
        for name in self._tree:
            own = name.startswith(f"labs/{lab.name}/") and _OF_A_LAB.fullmatch(name)
            if own or name in programs:
                out[name] = (self._root / name).read_bytes()
        toml = f"labs/{lab.name}/lab.toml"
        out[toml] = without_hidden(out[toml].decode()).encode()
        return out

    def _given(self, at: int, objects: Mapping[str, bytes]) -> dict[str, bytes]:
        """given/: the objects of this branch, and make's list of labs."""
        files = set(self.files_given(at))
        out = {
            f"given/{path}": content
            for path, content in objects.items()
            if path.split("/", 2 if not path.startswith("host/") else 1)[-1].removesuffix(".o") in files
        }
        lines = ["# The labs of this course, and the files of each lab."]
        lines += [f"given_labs := {' '.join(self._course.labs)}", f"given_mode := {self._course.mode}"]
        lines += [f"files_{name} := {' '.join(lab.files)}" for name, lab in self._all.items()]
        return out | {MARK: ("\n".join(lines) + "\n").encode()}

    def _readme(self, lab: Lab | None) -> bytes:
        """README.md, from labs/student.md."""
        text = (self._root / "labs/student.md").read_text(encoding="utf-8")
        rows = "\n".join(f"| `lab/{other.name}` | {other.title} | {hours(other)} |" for other in self._labs)
        first = self._labs[0].name
        here = lab or self._labs[0]
        words = {
            "TITLE": self._course.title,
            "LABS": rows,
            "NOTE": f"{self._course.note.strip()}\n\n" if self._course.note else "",
            "FIRST": first,
            "LAB": here.name,
        }
        text = _PART.sub(lambda m: m[2] if m[1] == self._course.mode else "", text)
        return re.sub(r"@(\w+)@", lambda m: words[m[1]], text).encode()


_PART = re.compile(r"<!-- (\w+) -->\n(.*?)<!-- end -->\n", re.S)


def hours(lab: Lab) -> str:
    """The hours that @lab takes, as a range."""
    return f"{lab.hours[0]}–{lab.hours[1]}"


def _lab_mk(name: str) -> bytes:
    return (
        "# Which lab this is. Stubs leave things unused, which is no error here.\n"
        f"STARTER := 1\nLAB ?= {name}\n"
    ).encode()


def _needed_packages(text: str) -> str:
    """tools/packages.txt without the packages that only instructors need."""
    return re.sub(r"^(test|browser|portability)\t.*\n", "", text, flags=re.M)


# Of a document: for those who work on the project, with tools that students do not have.
_PARTS = re.compile(r"^<!-- instructors: -->\n.*?^<!-- :instructors -->\n+", re.M | re.S)
_LINK = re.compile(r"\[([^\]]*)\]\(([^)#:]+)(#[^)]*)?\)")
_PATH = re.compile(r"`([a-z]\w*/[\w./-]*|[\w-]+\.md)`")


def _without_links(name: str, text: str, there: Container[str], tree: Container[str]) -> str:
    """@text without links to files that are not there; a row of a table that is about such a file goes."""
    folder = name.rpartition("/")[0]

    def gone(target: str) -> bool:
        parts: list[str] = []
        for part in f"{folder}/{target}".split("/"):
            if part == "..":
                parts = parts[:-1]
            elif part not in ("", "."):
                parts.append(part)
        path = "/".join(parts)
        return path in tree and path not in there

    def about_others(line: str) -> bool:
        links = any(gone(m[2]) for m in _LINK.finditer(line))
        return links or any(m[1] in tree and m[1] not in there for m in _PATH.finditer(line))

    kept = [line for line in text.split("\n") if not (line.startswith("|") and about_others(line))]
    return _LINK.sub(lambda m: m[1] if gone(m[2]) else m[0], "\n".join(kept))
