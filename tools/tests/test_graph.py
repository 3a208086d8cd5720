"""The graph of the kernel's folders, as tools.lint.graph reads and judges it."""

from __future__ import annotations

import unittest

from tools.lint import graph
from tools.lint.graph import Arrow

_SYMBOLS = """\
build/riscv/debug/obj/kernel/lock/spinlock.c.o:0000000000000000 T spin_lock
build/riscv/debug/obj/kernel/lock/spinlock.c.o:                 U panic
build/riscv/debug/obj/kernel/lock/spinlock.c.o:0000000000000010 t local
build/riscv/debug/obj/kernel/console/panic.c.o:0000000000000000 T panic
build/riscv/debug/obj/kernel/console/panic.c.o:                 U spin_lock
build/riscv/debug-common/obj/kernel/fs/pipe.c.o:                 U spin_lock
build/riscv/debug-common/obj/kernel/fs/pipe.c.o:                 U process_kill
build/riscv/debug-common/obj/kernel/main.c.o:                 U local
build/riscv/debug-common/obj/kernel/process/kill.c.o:0000000000000000 T process_kill
build/riscv/debug/obj/arch/riscv/trap.c.o:                 U spin_lock
"""
_PANIC = {"panic": "base/panic.h"}
_DECLARED = {"base/panic.h": "/* A hook. */\nnoreturn void panic(const char *fmt, ...);\n"}


class Graph(unittest.TestCase):
    def setUp(self) -> None:
        self.found = graph.arrows(_SYMBOLS)

    def told(self, hooks: dict[str, str], declared: dict[str, str] = _DECLARED) -> list[str]:
        return [str(fault) for fault in graph.faults(self.found, hooks, declared)]

    def test_arrows_are_names_that_cross_files(self) -> None:
        self.assertEqual(
            self.found,
            {
                Arrow("lock/spinlock.c", "console/panic.c", "panic"),
                Arrow("console/panic.c", "lock/spinlock.c", "spin_lock"),
                Arrow("fs/pipe.c", "lock/spinlock.c", "spin_lock"),
                Arrow("fs/pipe.c", "process/kill.c", "process_kill"),
            },
        )

    def test_upward_call(self) -> None:
        self.assertEqual(
            self.told(_PANIC),
            ["kernel/fs/pipe.c:1: calls process_kill() of kernel/process/kill.c, which is above"],
        )

    def test_hook_that_nobody_calls(self) -> None:
        hooks = {**_PANIC, "process_kill": "fs/vfs.h", "thread_left": "fs/vfs.h"}
        declared = {**_DECLARED, "fs/vfs.h": "/* A hook. */ int process_kill(struct process *p);"}
        self.assertEqual(
            self.told(hooks, declared),
            ["tools/lint/graph.py:1: thread_left is no hook: nobody calls it upward"],
        )

    def test_hook_that_is_not_declared_below(self) -> None:
        hooks = {"panic": "console/panic.h", "process_kill": "fs/vfs.h"}
        declared = {"console/panic.h": "/* A hook. */ void panic(void);"}
        declared["fs/vfs.h"] = "int process_kill(void);"
        self.assertEqual(
            self.told(hooks, declared),
            [
                "kernel/console/panic.h:1: is above lock/spinlock.c, which calls its hook panic()",
                "kernel/fs/vfs.h:1: does not declare process_kill() as a hook",
            ],
        )

    def test_too_many_hooks(self) -> None:
        hooks = {f"hook{i}": "base/panic.h" for i in range(graph.MAX_HOOKS + 1)}
        self.assertIn("tools/lint/graph.py:1: 11 hooks, over 10", self.told(hooks))

    def test_drawing(self) -> None:
        lines = graph.drawing(self.found).splitlines()
        self.assertIn("fs            uses lock 1", lines)
        self.assertIn("              hooks process_kill (process)", lines)
        self.assertIn("lock          uses nothing", lines)


if __name__ == "__main__":
    unittest.main()
