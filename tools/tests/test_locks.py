"""The lock checker's reports on kernels that break the rules, and of threads that wait for each other."""

import re

from tools import qemu
from tools.boot import PATIENCE_S, transcript
from tools.tests.support import BUILD_ROOT
from tools.tests.test_panic import Reports


class Riscv(Reports):
    ARCH = "riscv"

    def said(self, test: str) -> str:
        kernel = BUILD_ROOT / self.ARCH / "debug-test" / "kernel.elf"
        machine = qemu.Machine(arch=self.ARCH, kernel=kernel, cpus=1, bootargs=(f"test={test}",))
        return transcript(machine, PATIENCE_S).kernel.decode("utf-8", "replace").replace("\r", "")

    def test_circle_names_every_chain(self) -> None:
        self.report("lock.circle", r"^lock order: taking lock first \S+ closes a circle$")
        text = self.said("lock.circle")
        for taken, held in (("first", "third"), ("third", "second"), ("second", "first")):
            chain = rf"{taken} was taken holding {held}:\n +.*take_in_order\+\S+ ktest_lock_circle\+"
            self.assertRegex(text, chain)
        self.assertRegex(text, r"holds lock third \S+, taken at take_in_order\+")

    def test_recursion(self) -> None:
        self.report("lock.recursion", r"^lock order: recursion: taking lock first ")
        self.assertRegex(self.said("lock.recursion"), r"holds lock first \S+, taken at ktest_lock_rec")

    def test_release_by_another(self) -> None:
        self.report("lock.foreign", r"^lock first \S+ is released by thread \d+ \(tester\), which ")

    def test_held_at_the_end(self) -> None:
        said = r"^thread \d+ \(tester\) exits with 1 locks and 0 spin locks held$"
        report = self.report("lock.kept", said)
        self.assertRegex(report, r"holds lock first \S+, taken at keep_it\+")

    def test_held_on_the_way_to_user_mode(self) -> None:
        said = r"^thread \d+ \(\w+\) returns to user mode with 1 locks and 0 spin locks held$"
        self.assertIn("syscall_entry", self.chain(self.report("lock.to_user", said)))

    def test_where_nobody_may_wait(self) -> None:
        for test in ("lock.under_spin", "lock.in_interrupt"):
            report = self.report(test, r"^assertion failed: .*, kernel/lock/spinlock\.c:\d+$")
            self.assertIn("assert_may_block", self.chain(report))

    def test_spin_locks(self) -> None:
        site = r"at ktest_lock_spin_\w+\+\S+, holding \S+ lock \S+ taken at ktest_lock_spin_\w+\+\S+$"
        self.report("lock.spin_order", rf"^lock order: wrong order: taking object lock \S+ {site}")
        self.report("lock.spin_recursion", rf"^lock order: recursion: taking object lock \S+ {site}")

    def test_deadlock_is_told_once(self) -> None:
        text = self.said("deadlock.ends_by_kill")
        self.assertIn("ok    deadlock.ends_by_kill", text)
        wait = r"  thread \d+ \(%s\) waits for mutex crossed \S+ of thread \d+ \(%s\), "
        wait += r"taken at lock_%s\+\S+\n"
        told = re.findall(
            r"^deadlock: these threads wait for each other:\n"
            + wait % ("backwards", "forwards", "forwards")
            + wait % ("forwards", "backwards", "backwards"),
            text,
            re.M,
        )
        self.assertEqual(len(told), 1, text)


class X86(Riscv):
    ARCH = "x86_64"
