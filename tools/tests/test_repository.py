"""Tests of make labs and of what students do in the repository that it writes: labs/repository.py."""

from __future__ import annotations

import io
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from grade.lab import Lab, load_all
from grade.mutants import variants
from labs import handout
from labs.stage import check, starter_files, tracked
from tools.programs import ROOT, clean_environment, run_module

_LINK = re.compile(r"\]\(([^)#:]+)[#)]")
_TEXT = (".c", ".h", ".S", ".md", ".mk", ".py", ".toml", ".txt", ".def")


def _run(folder: Path, *argv: str) -> str:
    """The output of a program that has to succeed."""
    done = subprocess.run(
        argv, cwd=folder, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"{' '.join(argv)}: {done.returncode}: {done.stdout[-3000:]}")
    return done.stdout


def _environment() -> dict[str, str]:
    person = {"NAME": "A Student", "EMAIL": "student@localhost"}
    names = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in person.items()}
    return clean_environment() | names


def _written(folder: Path, *options: str) -> Path:
    done = run_module("labs.repository", "--out", str(folder), *options)
    if done.returncode:
        raise AssertionError(done.stdout)
    return folder


def _pairs(text: str) -> set[tuple[str, str]]:
    """Each line of code with the next one."""
    lines = [" ".join(line.split()) for line in text.split("\n")]
    lines = [line for line in lines if len(line) > 8 and line[0] not in "/*#"]
    return set(zip(lines, lines[1:]))


class Branches(unittest.TestCase):
    """The repository: what is in it, and what is not."""

    rest = True

    folder: Path
    repository: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(tempfile.mkdtemp(prefix="trellis-labs-"))
        cls.repository = _written(cls.folder / "labs")

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.folder)

    def git(self, *words: str) -> str:
        return _run(self.repository, "git", *words)

    def test_no_blob_has_a_solution(self) -> None:
        """In none of the branches, nor in the history."""
        labs = load_all(ROOT)
        starters = {path: text for lab in labs for path, text in starter_files(ROOT, lab).items()}
        elsewhere = set()
        for name in tracked(ROOT):
            if name.startswith(("kernel/", "arch/", "user/")) and name.endswith(_TEXT):
                elsewhere |= _pairs(starters.get(name, (ROOT / name).read_bytes()).decode())
        there = _pairs("\n".join(self._blobs()))
        seen = 0
        for path, regions in check(ROOT, labs).items():
            lines = (ROOT / path).read_text(encoding="utf-8").split("\n")
            for region in regions:
                solution = _pairs("\n".join(lines[region.first + 1 : region.last])) - elsewhere
                seen += len(solution)
                self.assertFalse(solution & there, f"{path}: {region.function}")
        self.assertGreater(seen, 100)

    def _blobs(self) -> list[str]:
        """The texts of all commits, each once."""
        listed = self.git("rev-list", "--objects", "--all").splitlines()
        named = [line.split(" ", 1) for line in listed if " " in line]
        asked = "".join(f"{sha}\n" for sha, name in named if name.endswith(_TEXT)).encode()
        argv = ["git", "-C", str(self.repository), "cat-file", "--batch"]
        told = io.BytesIO(subprocess.run(argv, input=asked, capture_output=True, check=True).stdout)
        # A line that ends with the size, the text, and a line feed.
        return [told.read(int(head.split()[2]) + 1).decode()[:-1] for head in iter(told.readline, b"")]

    def test_a_later_lab_has_no_source(self) -> None:
        labs = load_all(ROOT)
        files = set(self.git("ls-tree", "-r", "--name-only", f"lab/{labs[0].name}").split())
        for lab in labs[1:]:
            self.assertFalse(files & set(lab.files), lab.name)
            self.assertFalse([f for f in files if f.startswith(f"labs/{lab.name}/")], lab.name)
        for word in ("mutants", "variants", "equivalent", "instructor", "tests/hidden_", "grade/course"):
            self.assertFalse([f for f in files if word in f], word)

    def test_a_program_that_is_graded_can_be_built(self) -> None:
        for lab in load_all(ROOT):
            there = self.git("ls-tree", "-r", "--name-only", f"lab/{lab.name}").splitlines()
            for path in (f"user{test.program}" for test in lab.tests if test.program):
                with self.subTest(lab=lab.name, program=path):
                    self.assertTrue(any(name.startswith((f"{path}.c", f"{path}/")) for name in there))

    def test_links_lead_somewhere(self) -> None:
        branch = f"lab/{load_all(ROOT)[-1].name}"
        names = self.git("ls-tree", "-r", "--name-only", branch).split()
        folders = {str(parent) for name in names for parent in Path(name).parents}
        for name in (name for name in names if name.endswith(".md")):
            text = self.git("show", f"{branch}:{name}")
            if name.startswith(("docs/", "labs/")):
                self.assertNotRegex(text, r"make (matrix|soak|simulate|mutate|bench|lint)|instructors:", name)
            for target in _LINK.findall(text):
                path = (ROOT / name).parent.joinpath(target).resolve().relative_to(ROOT)
                self.assertIn(str(path), {*names, *folders}, f"{name}: {target}")

    def test_help_has_no_word_for_instructors(self) -> None:
        clone = self.folder / "help"
        _run(self.folder, "git", "clone", "-q", str(self.repository), str(clone))
        said = _run(clone, "make", "help")
        for word in ("mutate", "matrix", "make labs", "make test", "instructor", "soak", "bench-grade"):
            self.assertNotIn(word, said)
        self.assertIn("make handin", said)

    def test_the_container_needs_only_what_is_there(self) -> None:
        steps = self.git("show", "main:Containerfile")
        there = self.git("ls-tree", "-r", "--name-only", "main").split()
        groups = {line.split("\t")[0] for line in self.git("show", "main:tools/packages.txt").split("\n")}
        run = re.findall(r"^COPY \. (\S+)\nRUN sh \1/(\S+) (.+)$", steps, re.M)
        self.assertEqual(len(run), 1, steps)
        self.assertIn(run[0][1], there)
        self.assertLessEqual(set(run[0][2].split()), groups)

    def test_the_same_tree_gives_the_same_commits(self) -> None:
        again = _written(self.folder / "again")
        refs = _run(again, "git", "for-each-ref")
        self.assertEqual(refs, self.git("for-each-ref"))
        said = run_module("labs.repository", "--out", str(again)).stdout
        self.assertIn("as before", said)
        self.assertNotRegex(said, r"\b(new|changed)\b")
        self.assertEqual(refs, _run(again, "git", "for-each-ref"))

    def test_a_fix_is_a_commit_on_top(self) -> None:
        old = _written(self.folder / "fixed", "--upto", load_all(ROOT)[0].name)
        before = _run(old, "git", "rev-parse", "main").strip()
        course = self.folder / "course.toml"
        course.write_text('title = "Another title"\n', encoding="utf-8")
        said = run_module("labs.repository", "--out", str(old), "--course", str(course)).stdout
        self.assertIn("main                changed", said)
        self.assertEqual(_run(old, "git", "rev-parse", "main^").strip(), before)

    def test_wrong_words(self) -> None:
        course = self.folder / "wrong.toml"
        for text, why in (
            ("x = 1", "x is not a key"),
            ('labs = ["99-none"]', "no lab 99-none"),
            ('mode = "other"', "must be one of cumulative, independent"),
            ("labs = []", "at least one lab"),
            ("title = [", "cannot be read"),
        ):
            course.write_text(text, encoding="utf-8")
            done = run_module("labs.repository", "--out", str(self.folder / "no"), "--course", str(course))
            self.assertEqual(done.returncode, 2, text)
            self.assertIn(why, done.stdout)
        for out, why in ((self.folder, "not empty, and no repository"), (ROOT, "make labs has not written")):
            done = run_module("labs.repository", "--out", str(out))
            self.assertEqual(done.returncode, 2, out)
            self.assertIn(why, done.stdout)


class Term(unittest.TestCase):
    """A student's way through all labs, with the reference's solutions as the student's work."""

    rest = True
    arch = "riscv"

    def solution(self, lab: Lab) -> dict[str, bytes]:
        return {file: (ROOT / file).read_bytes() for file in lab.files}

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="trellis-term-"))
        repository = _written(self.folder / "labs")
        self.work = self.folder / "mine"
        _run(self.folder, "git", "clone", "-q", str(repository), str(self.work))

    def tearDown(self) -> None:
        shutil.rmtree(self.folder)

    def test_every_lab(self) -> None:
        labs = load_all(ROOT)
        _run(self.work, "git", "switch", "-q", "-c", "mine", f"origin/lab/{labs[0].name}")
        for lab in labs:
            if lab is not labs[0]:
                self.assertIn(f"now {lab.name}", _run(self.work, "make", "next-lab"))
            self.assertIn("not written yet", self._step(lab.name))
            for file, content in self.solution(lab).items():
                (self.work / file).write_bytes(content)
            self.assertNotIn("not written yet", self._step(lab.name))
            _run(self.work, "git", "commit", "-q", "-a", "-m", lab.name)
        argv = ["make", "next-lab"]
        done = subprocess.run(
            argv, cwd=self.work, env=_environment(), capture_output=True, text=True, check=False
        )
        self.assertIn("is the last lab of this course", done.stderr)
        self.assertIn("hi", _run(self.work, "make", "run", f"ARCH={self.arch}", "CMD=echo hi | cat"))
        self._hands_in(labs[-1].name)

    def _step(self, lab: str) -> str:
        """The output of the lab's first checkpoint."""
        words = shlex.split(next(iter(handout.checkpoints(ROOT / "labs" / lab))).command)
        words.append(f"ARCH={self.arch}")
        done = subprocess.run(
            words, cwd=self.work, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", check=False,
        )  # fmt: skip
        return done.stdout

    def _hands_in(self, lab: str) -> None:
        """A change that is not the lab's is told, and does no harm."""
        with (self.work / "kernel/main.c").open("a", encoding="utf-8") as file:
            file.write("#error mine\n")
        said = _run(self.work, "make", "handin")
        self.assertIn("kernel/main.c", said)
        self.assertIn(f"handin-{lab}.tar.gz", said)
        packed = _run(self.work, "tar", "tzf", f"handin-{lab}.tar.gz").split()
        self.assertIn(f"handin-{lab}/handin.json", packed)
        self.assertNotIn(f"handin-{lab}/kernel/main.c", packed)
        mine = self.work / "labs" / lab / "scenarios" / "mine" / "bad.c"
        mine.parent.mkdir(parents=True, exist_ok=True)
        mine.write_text("#error not ready\n", encoding="utf-8")
        done = subprocess.run(
            ["make", "handin"], cwd=self.work, env=_environment(), capture_output=True, text=True, check=False
        )
        self.assertIn("bad.c:1:2: error: #error not ready", done.stderr)
        self.assertIn("nothing was packed", done.stderr)


class TermOfOthers(Term):
    """The same on the other port, with another right solution of each lab."""

    arch = "x86_64"

    def solution(self, lab: Lab) -> dict[str, bytes]:
        quiet = [v for v in variants(ROOT, lab) if v.name != "loud-and-slow"]
        return super().solution(lab) | dict(quiet[0].files)


if __name__ == "__main__":
    unittest.main()
