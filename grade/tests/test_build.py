"""The snapshot that submissions are built from."""

import os
import subprocess
import tempfile
import time
import unittest
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from unittest.mock import Mock, patch

from grade import engine, matrix
from grade.build import (
    BuildFailed,
    Product,
    Reference,
    _adopt,
    _blank,
    _changing,
    _copy,
    _put,
    _sync,
    sources,
)
from grade.errors import GraderError
from grade.lab import EXPLORER, Lab, load_all
from grade.making import environment, make
from grade.score import Run
from grade.tests.fake import ROOT
from grade.trace import Trace
from grade.verdict import Kind, Verdict
from tools import qemu
from tools.progress import Silent


class Environment(unittest.TestCase):
    def test_what_our_make_was_told_stays_here(self) -> None:
        told = {"PATH": "/bin", "SUBMISSION": "/gone", "LLVM": "1", "MAKEFLAGS": "n", "CPUS": "9"}
        with patch.dict(os.environ, told, clear=True):
            self.assertEqual(environment(), {"PATH": "/bin", "LC_ALL": "C"})


class Snapshot(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name, "tree")
        self.copy = Path(folder.name, "copy")
        self.built = Path(folder.name, "built")
        self.objects = self.copy / "build" / "objects"
        for source, at in (("kernel/old.c", 1000), ("kernel/new.c", 3000)):
            self._write(self.root / source, at)
        for made in ("old.o", "new.o"):
            self._write(self.built / made, 2000)
        self.copy.mkdir()

    def _write(self, path: Path, at: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{at}")
        os.utime(path, (at, at))

    def _is_made(self, name: str) -> bool:
        """Whether make would leave it as it is."""
        source, made = self.copy / "kernel" / f"{name}.c", self.objects / f"{name}.o"
        return made.exists() and source.stat().st_mtime < made.stat().st_mtime

    def test_a_new_one_begins_with_what_the_tree_has_built(self) -> None:
        _sync(self.root, self.copy, {})
        _adopt(self.built, self.objects)
        self.assertTrue(self._is_made("old"))
        self.assertFalse(self._is_made("new"))
        self._write(self.root / "kernel/old.c", 1500)
        _sync(self.root, self.copy, {})
        self.assertFalse(self._is_made("old"), "put back: older than its object, and yet another file")

    def test_what_changes_after_the_clock_was_put_back_is_built(self) -> None:
        """Else the tests of before are run in the name of those of now."""
        _sync(self.root, self.copy, {})
        self._write(self.objects / "old.o", 1 << 32)
        self._write(self.objects / "new.o", 4000)
        _sync(self.root, self.copy, {})
        self.assertTrue(self._is_made("old"), "nothing has changed")
        self._write(self.root / "kernel/old.c", 5000)
        _sync(self.root, self.copy, {})
        self.assertFalse(self._is_made("old"))

    def test_nothing_in_it_is_from_the_future(self) -> None:
        """Else each submission compiles such a source again, of which nothing is left, and has no points."""
        self._write(self.root / "kernel/old.c", 1 << 32)
        self._write(self.built / "new.o", 1 << 32)
        before = time.time()
        _sync(self.root, self.copy, {})
        _adopt(self.built, self.objects)
        self.assertLessEqual((self.copy / "kernel/old.c").stat().st_mtime, time.time())
        self.assertGreaterEqual((self.copy / "kernel/old.c").stat().st_mtime, before, "newer than any object")
        self.assertEqual((self.copy / "kernel/new.c").stat().st_mtime, 3000)
        self.assertFalse(self.objects.exists(), "make in the tree has taken these for newer than all sources")
        self._write(self.copy / "kernel/new.c", 1 << 32)
        self._write(self.objects / "new.o", 1 << 33)
        _sync(self.root, self.copy, {})
        self.assertFalse(self._is_made("new"))

    def test_it_has_no_scenarios_of_a_students_own(self) -> None:
        for name in ("labs/04-sleep/scenarios/event.c", "labs/04-sleep/scenarios/mine/my.c"):
            self._write(self.root / name, 1000)
        _sync(self.root, self.copy, {})
        self.assertTrue((self.copy / "labs/04-sleep/scenarios/event.c").exists())
        self.assertFalse((self.copy / "labs/04-sleep/scenarios/mine").exists())

    def test_it_has_nothing_that_editors_leave_beside_a_file(self) -> None:
        """Else a class is graded again when an editor that had a test open is closed."""
        for name in (".wait.c.swp", "wait.c~", "wait.c.orig", "wait.c.rej", "wait.c"):
            self._write(self.root / "labs/04-sleep/tests" / name, 1000)
        found = set(sources(self.root)) - {"kernel/old.c", "kernel/new.c"}
        self.assertEqual(found, {"labs/04-sleep/tests/wait.c"})

    def test_a_build_shares_sources_and_nobody_notices(self) -> None:
        _sync(self.root, self.copy, {})
        self._write(self.copy / "build/flags", 2000)
        tree = Path(self.root.parent, "a build", "tree")
        _copy(self.copy, tree, [])
        shared, mine = tree / "kernel/old.c", tree / "kernel/new.c"
        self.assertTrue(shared.samefile(self.copy / "kernel/old.c"))
        self._write(self.root / "kernel/old.c", 1500)
        _sync(self.root, self.copy, {})
        self.assertEqual(shared.read_text(), "1000")
        _put(mine, b"a student's")
        self.assertEqual((self.copy / "kernel/new.c").read_text(), "3000")

    def test_a_build_shares_objects_and_nothing_that_make_writes_in_place(self) -> None:
        _sync(self.root, self.copy, {})
        self._write(self.copy / "build/flags", 2000)
        objects = self.copy / "build/riscv/debug-test"
        for name in ("obj/old.c.o", "obj/old.c.d", "kernel.elf"):
            self._write(objects / name, 500)
        tree = Path(self.root.parent, "a build", "tree")
        _copy(self.copy, tree, [objects])
        made = tree / "build/riscv/debug-test"
        self.assertTrue((made / "obj/old.c.o").samefile(objects / "obj/old.c.o"))
        self.assertFalse((made / "obj/old.c.d").samefile(objects / "obj/old.c.d"))
        self.assertEqual((made / "obj/old.c.d").read_text(), "500")
        self.assertEqual((made / "obj/old.c.d").stat().st_mtime, 500)
        self.assertFalse((made / "kernel.elf").exists())

    def test_a_build_shows_no_source_of_the_reference(self) -> None:
        """Neither to a preprocessor nor to an assembler."""
        secrets = ("labs/06-kill/instructor.md", "labs/02-threads/tests/join.c", "kernel/old.c",
                   "labs/08-smp/scenarios/hidden_meet.h")  # fmt: skip
        shown = ("kernel/list.h", "labs/08-smp/scenarios/cpus.h")
        for name in (*secrets, *shown):
            self._write(self.root / name, 1000)
        (self.root / "kernel/new.c").write_text("if (TEST_BUILD) int secret; LAB_TODO TEST_BUILDS")
        _sync(self.root, self.copy, {})
        self._write(self.copy / "build/flags", 2000)
        tree = Path(self.root.parent, "a build", "tree")
        _copy(self.copy, tree, [])
        _blank(tree)
        for name in secrets:
            self.assertEqual((tree / name).read_text(), "", name)
            self.assertEqual((tree / name).stat().st_mtime, 1000, name)
            self.assertEqual((self.copy / name).read_text(), "1000", name)
        self.assertEqual((tree / "kernel/new.c").read_text(), "LAB_TODO\nTEST_BUILD", "make asks for these")
        for name in shown:
            self.assertEqual((tree / name).read_text(), "1000", name)

    @unittest.skipIf(qemu.why_no_bubblewrap(), "needs bubblewrap")
    def test_a_build_cannot_write_sources(self) -> None:
        self._write(self.root / "source", 1000)
        self.root.joinpath("Makefile").write_text("good:; echo made >build/made\nbad:; echo worse >source\n")
        self.assertIsNone(make(self.root, "riscv", ["good"], 1, True))
        self.assertIsNotNone(make(self.root, "riscv", ["bad"], 1, True))
        self.assertEqual((self.root / "source").read_text(), "1000")

    def test_a_build_has_copies_where_there_are_no_links(self) -> None:
        _sync(self.root, self.copy, {})
        self._write(self.copy / "build/flags", 2000)
        tree = Path(self.root.parent, "a build", "tree")
        run = subprocess.run

        def without_links(argv: list[str], **how: Any) -> Any:
            if "-al" in argv:
                raise subprocess.CalledProcessError(1, argv)
            return run(argv, **how)

        with patch("grade.build.subprocess.run", without_links):
            _copy(self.copy, tree, [])
        self.assertFalse((tree / "kernel/old.c").samefile(self.copy / "kernel/old.c"))
        self.assertEqual((tree / "kernel/old.c").read_text(), "1000")

    def test_one_that_has_objects_keeps_them(self) -> None:
        self._write(self.objects / "old.o", 500)
        _adopt(self.built, self.objects)
        self.assertEqual((self.objects / "old.o").read_text(), "500")

    def test_one_whose_build_was_ended_by_force_begins_anew(self) -> None:
        half = self.objects / "half.o"
        with self.assertRaises(KeyboardInterrupt), _changing(self.copy):
            self._write(half, 2000)
            raise KeyboardInterrupt
        with _changing(self.copy):
            self.assertFalse(half.exists())
            self._write(half, 2000)
        with _changing(self.copy):
            self.assertTrue(half.exists())

    def test_what_is_being_built_is_left(self) -> None:
        with patch("grade.build._times", side_effect=({}, {self.built / "more.o": 1})):
            _adopt(self.built, self.objects)
        self.assertFalse(self.objects.exists())
        with patch("grade.build._times", side_effect=({}, FileNotFoundError())):
            _adopt(self.built, self.objects)
        self.assertFalse(self.objects.exists())
        (self.built / "kernel.elf").touch()
        _adopt(self.built, self.objects)
        self.assertFalse(self.objects.exists())

    def test_what_cannot_be_copied_is_left(self) -> None:
        with patch("grade.build.subprocess.run", return_value=CompletedProcess([], 1)):
            _adopt(self.built, self.objects)
        self.assertFalse(self.objects.exists())


class _Recorder:
    """A reference that builds nothing, and notes what it was asked for."""

    def __init__(self, fails: str = "") -> None:
        self.asked: list[str] = []
        self._fails = fails

    def build_with(self, _: Mapping[str, bytes], honest: Product, goals: Sequence[str], __: bool) -> Product:
        self.asked += goals
        if self._fails in goals:
            raise BuildFailed(["a.c:1: error"])
        return honest


_HONEST = Product(Path("kernel"), None, Path("explore"))


class Shared(unittest.TestCase):
    """Two calls build in one place, and the tree changes between them."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for name in ("kernel/a.c", "labs/student.md"):
            _put(self.root / name, b"one")
        self.first, self.second = (Reference(self.root, self.root, "riscv", False, 1) for _ in range(2))
        for made in (self.first, self.second):
            self.addCleanup(made.close)
        for name in ("Reference._make", "_copy", "_blank"):
            self.enterContext(patch(f"grade.build.{name}", return_value=None))
        product = Product(self.root / "product" / "kernel", None)
        self.enterContext(patch("grade.build.Reference._keep", return_value=product))
        self.first.build([], ["explorer"], Silent())

    def test_no_submission_is_built_of_another_tree_than_the_reference(self) -> None:
        """Else it has other tests, and loses all points as one that changes the list of tests."""
        self.first.build_with({}, _HONEST, ["explorer"])
        _put(self.root / "kernel/a.c", b"another")
        self.first.build_with({}, _HONEST, ["explorer"])
        self.second.build([], ["explorer"], Silent())
        with self.assertRaisesRegex(GraderError, "was changed meanwhile.* call again"):
            self.first.build_with({}, _HONEST, ["explorer"])

    def test_a_folder_of_another_user_is_told_with_what_to_do(self) -> None:
        with patch("pathlib.Path.open", side_effect=PermissionError(13, "Permission denied", "riscv.lock")):
            with self.assertRaisesRegex(GraderError, "^riscv.lock: Permission denied: .*--build-root"):
                self.first.build([], ["explorer"], Silent())

    def test_a_page_for_readers_and_the_submissions_own_file_may_be_others(self) -> None:
        for name in ("labs/student.md", "kernel/a.c"):
            _put(self.root / name, b"another")
        self.second.build([], ["explorer"], Silent())
        self.first.build_with({"kernel/a.c": b"mine"}, _HONEST, ["explorer"])


class Goals(unittest.TestCase):
    """The explorer is built where a run needs it, and nowhere else."""

    lab: Lab

    @classmethod
    def setUpClass(cls) -> None:
        cls.lab = next(lab for lab in load_all(ROOT) if lab.has_scenarios())

    def decided(
        self, place: str, fails: str = "none", builds: bool = True
    ) -> tuple[list[str], matrix.Result]:
        """Decides a case by one run at @place; returns the goals that it asked for, too."""
        reference = _Recorder(fails)
        bench = Mock(references={"riscv": reference})

        def decide(_: matrix.Case, runs: Sequence[Run], judged: matrix.Judge) -> tuple[bool, str]:
            return judged(next(r for r in runs if r.arch == place)).kind is Kind.PASS, "decided"

        case = matrix.Case(self.lab, "mutant x", "riscv", {"a.c": b""}, decide, builds)
        passed = Verdict(Kind.PASS, (), {}, Trace((), False))
        with patch("grade.engine.judge_run", return_value=passed):
            result = matrix.decide(bench, case, {"riscv": _HONEST})
        return reference.asked, result

    def test_a_case_decided_in_qemu_needs_the_kernel_alone(self) -> None:
        self.assertEqual(self.decided("riscv")[0], ["kernel"])

    def test_a_case_decided_by_a_scenario_needs_the_explorer_alone(self) -> None:
        self.assertEqual(self.decided(EXPLORER)[0], ["explorer"])

    def test_the_other_port_uses_the_explorer_of_the_first(self) -> None:
        first, other = _Recorder("none"), _Recorder("none")
        bench = Mock(references={"riscv": first, "x86_64": other})
        honest = {"riscv": _HONEST, "x86_64": Product(Path("kernel"), None, None)}
        seen: list[set[str]] = []

        def decide(_: matrix.Case, runs: Sequence[Run], judged: matrix.Judge) -> tuple[bool, str]:
            seen.append({r.arch for r in runs})
            judged(next((r for r in runs if r.arch == EXPLORER), runs[0]))
            return True, "decided"

        with patch("grade.engine.judge_run"):
            for explored in (True, False):
                case = matrix.Case(self.lab, "x", "x86_64", {"a.c": b""}, decide, explored=explored)
                matrix.decide(bench, case, honest)
        self.assertEqual(seen, [{"x86_64", EXPLORER}, {"x86_64"}])
        self.assertEqual((first.asked, other.asked), (["explorer"], ["kernel"]))

    def test_an_explorer_that_does_not_compile_decides_no_mutant(self) -> None:
        _, result = self.decided(EXPLORER, fails="explorer")
        self.assertEqual((result.passed, result.says), (False, "does not build: a.c:1: error"))
        _, result = self.decided(EXPLORER, fails="explorer", builds=False)
        self.assertEqual(result.says, "decided")

    def test_a_lab_has_the_explorer_once_and_a_boot_never(self) -> None:
        asked: dict[str, Mock] = {arch: Mock() for arch in ("riscv", "x86_64")}
        bench = Mock(references=asked)
        bare = replace(self.lab, tests=tuple(t for t in self.lab.tests if t.bound is None and not t.program))

        def goals(lab: Lab, explores: bool = True) -> list[list[str]]:
            with patch("grade.recipe.check"):
                engine.build_reference(bench, [lab], False, Mock(), explores)
            return [list(made.build.call_args.args[1]) for made in asked.values()]

        self.assertEqual(goals(self.lab), [["kernel", "explorer", "user"], ["kernel", "user"]])
        self.assertEqual(goals(self.lab, explores=False), [["kernel", "user"], ["kernel", "user"]])
        self.assertEqual(goals(bare), [["kernel"], ["kernel"]])


if __name__ == "__main__":
    unittest.main()
