"""The kernel's GDB commands on both ports, at breakpoints and at the end of a run.

While `ps` lists /proc its ancestors surely wait: the last sleep ended long after they began to wait.
"""

import os
import socket
import subprocess
import tempfile
import unittest
from collections.abc import Sequence
from pathlib import Path

from tools import qemu
from tools.boot import PATIENCE_S
from tools.programs import ROOT, clean_environment
from tools.tests.support import BUILD_ROOT

_COMMANDS = (
    *("timeline too-early.html", "threads", "runq"),
    *("break vfs_init", "continue", "threads", "procs", "tbt 1"),
    *("break wait_link", "continue", "locks", "delete"),
    *("break sys_getdents64", "continue", "tbt 1", "waiters", "deadlock", "delete"),
    *("break arch_machine_end", "continue", "threads", "cpus", "runq", "locks", "trace 200"),
    *("tbt 999", "kill"),
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Riscv(unittest.TestCase):
    ARCH = "riscv"

    def command_under_gdb(self, commands: Sequence[str]) -> str:
        build, port = BUILD_ROOT / self.ARCH / "debug", free_port()
        server = subprocess.Popen(
            [
                *(ROOT / "tools/run", "--arch", self.ARCH, "--build-dir", build),
                *("--gdb-server", "--gdb-port", str(port)),
            ],
            env=clean_environment() | {"TRELLIS_CMD": "sleep 0.1; ps"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return self.gdb(build / "kernel.elf", port, commands)
        finally:
            server.terminate()
            server.wait(timeout=PATIENCE_S)

    def kernel_test_under_gdb(self, name: str, commands: Sequence[str]) -> str:
        """An in-kernel test."""
        port = free_port()
        machine = qemu.Machine(
            self.ARCH,
            BUILD_ROOT / self.ARCH / "debug-test" / "kernel.elf",
            cpus=2,
            bootargs=(f"test={name}",),
            serial="null",
            gdb_port=port,
        )
        with qemu.start(machine.argv(), stdout=subprocess.DEVNULL):
            return self.gdb(machine.kernel, port, commands)

    def gdb(self, kernel: Path, port: int, commands: Sequence[str]) -> str:
        argv = ["gdb-multiarch", "-q", "-nx", "-batch", "-x", str(ROOT / "tools/gdb/trellis.py")]
        argv += ["-ex", "set tcp auto-retry on", "-ex", f"target remote 127.0.0.1:{port}"]
        for command in commands:
            argv += ["-ex", command]
        done = subprocess.run(
            [*argv, str(kernel)],
            cwd=ROOT,
            env=dict(os.environ, LC_ALL="C"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        self.assertNotIn("Traceback", done.stdout)
        self.assertNotIn("Python Exception", done.stdout)
        return done.stdout

    def test_commands(self) -> None:
        text = self.command_under_gdb(_COMMANDS)
        for expected in (
            *("vfs_init", "init_main", "reaper", "init_main", "cpu0: runs"),
            *("waiter_block", "sys_wait4", "teardown"),
            *("ready > running (picked)", "no thread 999", "no deadlock", "there is no trace yet"),
            "before it has booted, say: break init_main, continue",
        ):
            self.assertIn(expected, text)
        self.assertRegex(text, r"(?m)^1 \(init\) +- +0x\w+ +process_wait\+")
        self.assertRegex(text, r"holds spin lock wait queue 0x\w+, taken in \w+\+")

    def test_a_deadlock_and_its_timeline(self) -> None:
        """thread_kill() is called when both threads wait for each other."""
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.html"
            commands = ("break thread_kill", "continue", "waiters", "locks", "deadlock", f"timeline {page}")
            text = self.kernel_test_under_gdb("deadlock.ends_by_kill", (*commands, "kill"))
            self.assertIn("forwards", page.read_text(encoding="utf-8"))
        self.assertIn("deadlock of 2 threads:", text)
        who = r"  thread \d+ \(%s\) waits for mutex 0x\w+, held by \d+ \(%s\), in lock_%s\+"
        for one, other in (("forwards", "backwards"), ("backwards", "forwards")):
            self.assertRegex(text, who % (one, other, one))
            self.assertRegex(text, rf"\({one}\) +- +0x\w+ .* for mutex 0x\w+, held by")
            self.assertRegex(text, rf"\({one}\) holds lock \w+ 0x\w+, taken in lock_{one}\+")


class X86(Riscv):
    ARCH = "x86_64"
