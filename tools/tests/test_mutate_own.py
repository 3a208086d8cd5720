"""The mutation engine and files outside the labs: which tests run a line, their order, their failures."""

from __future__ import annotations

import tempfile
import unittest
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from unittest import mock

from grade import machine
from grade.build import Product
from grade.machine import Boot, Ended, Evidence, Runner
from grade.tests.fake import LAYOUT, evidence, passing
from tools import qemu
from tools.mutate import cases, coverage
from tools.mutate.cases import Case, KernelCase, Measured, UserCase
from tools.mutate.host_tests import HostTests
from tools.mutate.killers import Order
from tools.mutate.objects import made_by
from tools.mutate.own_tests import UNSEEN, OwnTests
from tools.mutate.store import Store
from tools.programs import ROOT
from tools.tests.support import BUILD_ROOT
from tools.tests.test_mutate import mutant

_FILE = "kernel/sync/mutex.c"
_LINES = {_FILE: frozenset({2})}
_OWN = KernelCase("riscv", 1, "mutex.one", "kernel/sync", "a")
_CHEAP = KernelCase("riscv", 1, "pipe.one", "kernel/fs", "b")
_ELSEWHERE = KernelCase("riscv", 1, "pipe.two", "kernel/fs", "b")
_USER = UserCase("riscv", 1, "/tests/a", "user/tests", "c")
_OTHER_USER = UserCase("riscv", 1, "/tests/b", "user/tests", "d")


def _measured(seconds: float, said: str = "", lines: Mapping[str, frozenset[int]] = _LINES) -> Measured:
    return Measured(seconds, int(seconds * 50_000_000), said, lines)


_ALL: dict[Case, Measured] = {
    _USER: _measured(1.0, "== /tests/a\nx\n== 0\n"),
    _OWN: _measured(4.0),
    _CHEAP: _measured(0.1),
    _ELSEWHERE: _measured(0.1, lines={_FILE: frozenset({3}), "kernel/fs/pipe.c": frozenset({2})}),
    _OTHER_USER: _measured(0.5, "== /tests/b\n== 0\n"),
}


def _say(said: str, status: int = qemu.STATUS_OFF) -> Evidence:
    seen = evidence(b"", status=status)
    return replace(seen, streams=replace(seen.streams, user=said.encode(), init_status=0))


class Own(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.store = Store(Path(folder.name, "verdicts"))
        self.tests = OwnTests.__new__(OwnTests)
        self.tests._order = Order()
        self.tests._host = mock.Mock(**{"fault.return_value": None})
        self.tests._store = self.store
        self.tests._kernel = "kernel"
        self.tests._cases = dict(_ALL)
        self.tests._code = {"riscv": {_FILE: frozenset({1, 2, 3, 8, 9})}}
        self.tests._honest = {"riscv": Product(Path("honest"), None)}
        self.mutant = replace(mutant(1), path=_FILE)
        self.booted: list[list[str]] = []

    def failed(self, *wrong: Case, crowds: bool = True) -> mock.Mock:
        """In place of boots: mutants fail the tests @wrong. Unless @crowds, no kernel passes two at once."""

        def boot(group: Sequence[Case], product: Product) -> tuple[Case, str] | None:
            honest = product.kernel == Path("honest")
            if not honest:
                self.booted.append([case.name for case in group])
            if len(group) > 1 and not crowds:
                return group[0], "crowded"
            return next(((case, "wrong") for case in group if case in wrong and not honest), None)

        return mock.Mock(side_effect=boot)

    def judge(self, failed: mock.Mock) -> tuple[bool | None, str, str]:
        product = Product(Path(tempfile.mkdtemp(), "kernel.elf"), None)
        with mock.patch.object(OwnTests, "_failed", failed), mock.patch.object(
            OwnTests, "build", return_value=product
        ):
            verdict = self.tests.judge(self.mutant)
        assert verdict is not None
        return verdict.killed, verdict.killer, verdict.evidence

    def test_only_tests_that_run_the_line_are_asked_those_of_the_folder_first(self) -> None:
        self.assertEqual(self.tests.asked(self.mutant), [_OWN, _CHEAP, _OTHER_USER, _USER])

    def test_a_line_without_code_stands_for_the_next_that_has_some(self) -> None:
        code = {_FILE: frozenset({1, 2, 3, 8, 9})}
        far = replace(self.mutant, line=5, text=self.mutant.original)
        self.assertEqual(coverage.lines_of(self.mutant, code), {2})
        self.assertEqual(coverage.lines_of(far, code), {8})
        self.assertEqual(coverage.lines_of(far, {}), frozenset())

    def test_a_line_that_no_test_runs_boots_nothing(self) -> None:
        self.tests._cases = {_ELSEWHERE: _ALL[_ELSEWHERE]}
        self.assertEqual(self.judge(self.failed()), (False, "QEMU", UNSEEN))
        self.assertEqual(self.booted, [])

    def test_one_that_is_too_dear_leaves_time_for_those_behind_it(self) -> None:
        self.tests._cases[_OWN] = _measured(100.0)
        self.assertEqual(self.tests.asked(self.mutant), [_CHEAP, _OTHER_USER, _USER])
        self.tests._cases = {_OWN: _measured(100.0)}
        self.assertEqual(self.tests.asked(self.mutant), [_OWN])

    def test_mates_share_a_machine(self) -> None:
        self.assertEqual(self.judge(self.failed()), (False, "QEMU", "4 runs of tests pass"))
        self.assertEqual(self.booted, [["mutex.one", "pipe.one"], ["/tests/b", "/tests/a"]])

    def test_what_is_known_is_not_asked_again(self) -> None:
        self.judge(self.failed())
        self.booted.clear()
        new = replace(_CHEAP, name="pipe.new")
        self.tests._cases[new] = _ALL[_CHEAP]
        self.assertEqual(self.judge(self.failed(new)), (True, "pipe.new, riscv, 1 CPU", "wrong"))
        self.assertEqual(self.booted, [["pipe.new"]])
        self.booted.clear()
        self.assertEqual(self.judge(self.failed()), (True, "pipe.new, riscv, 1 CPU", "wrong"))
        self.assertEqual(self.booted, [])

    def test_what_has_killed_comes_first(self) -> None:
        self.tests._order.killed(self.mutant, str(_USER))
        self.assertTrue(self.judge(self.failed(_USER))[0])
        self.assertEqual(self.booted, [["/tests/a", "/tests/b"]])

    def test_tests_that_cannot_share_a_machine_are_asked_alone(self) -> None:
        killed, killer, _ = self.judge(self.failed(_CHEAP, crowds=False))
        self.assertEqual((killed, killer), (True, str(_CHEAP)))
        self.assertEqual(self.booted, [["mutex.one", "pipe.one"], ["mutex.one"], ["pipe.one"]])

    def test_a_boot_runs_all_names_with_a_tight_limit(self) -> None:
        boots: list[Boot] = []

        def boot(boot: Boot, cost: float) -> tuple[Evidence, str]:
            boots.append(boot)
            return evidence(passing(), status=qemu.STATUS_OFF), ""

        with mock.patch.object(self.tests, "_boot", boot):
            self.assertIsNone(self.tests._failed([_OWN, _CHEAP], Product(Path("k"), None)))
        self.assertEqual(boots[0].test, "mutex.one,pipe.one")
        instructions = _ALL[_OWN].instructions + _ALL[_CHEAP].instructions
        self.assertEqual(boots[0].limit, cases.limit_of(instructions))


class Faults(unittest.TestCase):
    def test_user_tests_must_say_what_they_say_on_the_kernel_itself(self) -> None:
        names = [_USER.name, _OTHER_USER.name]
        said = [_ALL[_USER].said, _ALL[_OTHER_USER].said]
        self.assertIsNone(_USER.fault(names, said, _say("".join(said))))
        wrong = _say(said[0] + said[1].replace("== 0", "== 1"))
        self.assertIn("line 5", _USER.fault(names, said, wrong) or "")
        self.assertEqual(_USER.blamed(names, said, wrong), 1)
        self.assertEqual(_USER.blamed(names, said, _say("".join(said).replace("x", "y"))), 0)
        self.assertIsNotNone(_USER.fault(names, said, _say("".join(said), status=35)))

    def test_on_the_kernel_itself_a_user_test_must_succeed(self) -> None:
        self.assertIsNone(_USER.fault([_USER.name], [], _say("== /tests/a\n== 0\n")))
        self.assertEqual(_USER.fault([_USER.name], [], _say("== /tests/a\n== 1\n")), "it fails")

    def test_a_test_in_the_kernel_must_end(self) -> None:
        names = ["mutex.one"]
        self.assertIsNone(_OWN.fault(names, [], evidence(passing(), status=qemu.STATUS_OFF)))
        panic = _OWN.fault(names, [], evidence(b"panic: assertion failed: q\n", status=35))
        self.assertEqual(panic, "boot: panic: assertion failed: q")
        self.assertIn("flooded", _OWN.fault(names, [], evidence(b"", ended=Ended.FLOODED)) or "")

    def test_the_test_in_the_kernel_that_fails_is_blamed(self) -> None:
        text = "@@- 1 begin\n@@- 2 test a\n@@- 3 done a\n@@- 4 test b\n@@- 5 fail P f.c:1 9 no\n"
        text += "@@- 6 test c\n"
        seen = evidence(b"")
        seen = replace(seen, streams=replace(seen.streams, kernel=text.encode()))
        self.assertEqual(_OWN.blamed(["a", "b", "c"], [], seen), 1)

    def test_every_kind_of_test_is_found(self) -> None:
        found = cases.of_arch(ROOT, "x86_64")
        kinds = Counter(type(case).__name__ for case in found)
        self.assertEqual(kinds.pop("RobustCase"), 3)
        self.assertEqual(kinds.keys(), {"KernelCase", "UserCase", "LabCase"})
        self.assertTrue(all(number > 50 for number in kinds.values()), kinds)
        self.assertEqual(len({(case.home, str(case)) for case in found}), len(found))


class Costs(unittest.TestCase):
    def test_a_busy_machine_makes_no_test_dear(self) -> None:
        quiet, busy = (Measured(seconds, 10_000_000, "", {}) for seconds in (0.5, 30.0))
        self.assertEqual(quiet.cost, busy.cost)

    def test_time_that_a_test_sleeps_is_free(self) -> None:
        self.assertEqual(Measured(2.0, 10**12, "", {}).cost, 2.0)


class OnThisMachine(unittest.TestCase):
    """Units of pure logic."""

    def setUp(self) -> None:
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.tests = HostTests(ROOT, BUILD_ROOT, Store(Path(folder, "verdicts")))
        self.path = "kernel/dev/fdt.c"
        self.text = (ROOT / self.path).read_text(encoding="utf-8")

    def test_a_wrong_file_is_noticed(self) -> None:
        wrong = self.text.replace("0xd00dfeedu", "0xd00dfeecu")
        fault = self.tests.fault(mutant(1, original=self.text, text=wrong, path=self.path))
        self.assertEqual(fault, ("the host's unit fdt", "FAIL fdt.read"))

    def test_the_file_itself_passes(self) -> None:
        self.assertIsNone(self.tests.fault(mutant(1, original=self.text, text=self.text, path=self.path)))

    def test_what_does_not_compile_is_no_answer(self) -> None:
        self.assertIsNone(self.tests.fault(mutant(1, original=self.text, text="int", path=self.path)))

    def test_a_file_of_no_unit_is_not_asked_about(self) -> None:
        self.assertIsNone(self.tests.fault(mutant(1, path="kernel/process/kill.c")))


class Machines(unittest.TestCase):
    def test_one_that_needs_more_cpu_time_than_it_may_have_is_stopped(self) -> None:
        kernel = BUILD_ROOT / "riscv" / "debug-test" / "kernel.elf"
        boot = Boot("riscv", kernel, None, 1, 1, 50_000_000, test="list")
        for most, stopped in ((0.0, True), (60.0, False)):
            runner = Runner(LAYOUT, b"s", False, most)
            with mock.patch.object(machine, "_POLL_MS", 1):  # else a quick host may be done before it is seen
                ended = runner.boot(boot).ended
            self.assertEqual((ended is Ended.SLOW, runner.stopped), (stopped, stopped))


class Coverage(unittest.TestCase):
    rest = True

    def test_lines_are_kept_as_ranges(self) -> None:
        lines = {"k.c": frozenset({3, 4, 5, 9}), "m.c": frozenset({1})}
        self.assertEqual(coverage.packed(lines), {"k.c": "3-5 9", "m.c": "1"})
        self.assertEqual(coverage.unpacked(coverage.packed(lines)), lines)

    def test_the_plugin_sees_the_lines_that_run(self) -> None:
        plugin = BUILD_ROOT / "host" / "ran.so"
        made_by(ROOT, BUILD_ROOT, "ran-plugin")
        for arch in qemu.ARCHES:
            kernel = BUILD_ROOT / arch / "debug-test" / "kernel.elf"
            watch = coverage.Watch(plugin, arch, kernel)
            case = KernelCase(arch, 1, "fdt.read", "kernel/dev", "")
            with tempfile.TemporaryDirectory() as name:
                out = Path(name, "ran")
                boot = case.boot([case.name], Product(kernel, None), case.longest, Path(name))
                seen = Runner(LAYOUT, b"s", False).boot(watch.watched(boot, out))
                ran = watch.ran(out)
            self.assertIsNone(case.fault([case.name], [], seen))
            code = watch.code
            for file, text, runs in (
                ("kernel/base/bootargs.c", "*bootarg(", True),
                (f"arch/{arch}/boot.c", "boot_main(", True),
                ("kernel/process/futex_pi.c", "futex_lock_pi(", False),
            ):
                line = _line_of(file, text, code[file])
                self.assertEqual(line in ran.get(file, frozenset()), runs, f"{file}:{line}")


def _line_of(file: str, text: str, code: frozenset[int]) -> int:
    """The first line with code at the definition that has @text."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    at = next(n for n, line in enumerate(lines, 1) if text in line and not line.startswith("\t"))
    return min(line for line in code if line >= at)


if __name__ == "__main__":
    unittest.main()
