"""The kernel's GDB commands on both ports, at breakpoints and at the end of a run.

While `ps` lists /proc its ancestors surely wait: the last sleep ended long after they began to.
"""

import os
import socket
import subprocess
import unittest

from tools.test.builds import ROOT, clean_environment
from tools.tests.support import BUILD_ROOT

_COMMANDS = (
    *("break vfs_init", "continue", "threads", "procs", "tbt 1"),
    *("break sys_getdents64", "continue", "tbt 1", "delete"),
    *("break arch_machine_end", "continue", "threads", "cpus", "runq", "locks", "trace 200"),
    *("tbt 999", "kill"),
)


class Riscv(unittest.TestCase):
    ARCH = "riscv"

    def gdb(self, commands: tuple[str, ...]) -> str:
        build = BUILD_ROOT / self.ARCH / "debug"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
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
            argv = ["gdb-multiarch", "-q", "-nx", "-batch", "-x", str(ROOT / "tools/gdb/trellis.py")]
            argv += ["-ex", "set tcp auto-retry on", "-ex", f"target remote 127.0.0.1:{port}"]
            for command in commands:
                argv += ["-ex", command]
            argv.append(str(build / "kernel.elf"))
            done = subprocess.run(
                argv,
                cwd=ROOT,
                env=dict(os.environ, LC_ALL="C"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=120,
                check=False,
            )
            return done.stdout
        finally:
            server.terminate()
            server.wait(timeout=30)

    def test_commands(self) -> None:
        text = self.gdb(_COMMANDS)
        self.assertNotIn("Traceback", text)
        self.assertNotIn("Python Exception", text)
        for expected in (
            *("vfs_init", "init_main", "reaper", "init_main", "cpu0: runs"),
            *("waiter_block", "sys_wait4", "teardown"),
            "no thread 999",
        ):
            self.assertIn(expected, text)


class X86(Riscv):
    ARCH = "x86_64"
