"""Debian's busybox, unmodified: what it makes of /proc. On x86_64, for which it comes ready made; the
same figures are read by our own tools on both ports (user/tests/tools.sh)."""

from __future__ import annotations

import re
import shutil
import tempfile
import unittest
from pathlib import Path

from tools.tests.support import run

_TOOLS = ("free", "uptime", "ps -o pid,ppid,stat,comm", "top -b -n 1", "taskset -p 1")


class Busybox(unittest.TestCase):
    def test_it_reads_proc(self) -> None:
        busybox = shutil.which("busybox")
        assert busybox, "tools/packages.txt has it"
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(busybox, Path(folder, "busybox"))
            command = "; echo ==; ".join(f"/busybox {tool}" for tool in _TOOLS)
            done = run("x86_64", "--cpus", "2", "--extra", folder, cmd=f"exec 2>&1; {command}")
        self.assertEqual(done.returncode, 0, done.stdout)
        free, uptime, ps, top, taskset = done.stdout.decode().split("==\n")
        memory = re.search(r"^Mem: +(\d+) +(\d+) +(\d+)", free, re.M)
        assert memory, free
        total, used, unused = map(int, memory.groups())
        self.assertGreater(used, 0)
        self.assertLess(used + unused, total + 1)
        self.assertRegex(uptime, r"up 0 min, .*load average: 0\.\d\d, 0\.\d\d, 0\.\d\d")
        self.assertRegex(ps, r"(?m)^ +1 +0 S +init$")
        self.assertRegex(ps, r"(?m)^ +\d+ +\d+ R +busybox$")
        self.assertRegex(top, r"(?m)^Mem: [1-9]\d*K used, [1-9]\d*K free")
        idle = re.search(r"^CPU: +\d+% usr .* (\d+)% idle", top, re.M)
        assert idle and int(idle[1]) <= 100, top
        self.assertRegex(top, r"(?m)^Load average: 0\.\d\d 0\.\d\d 0\.\d\d \d+/\d+ \d+$")
        self.assertRegex(top, r"(?m) R +\d+ +\d+% +\d+% /busybox top -b -n 1$")
        self.assertEqual(taskset.strip(), "pid 1's current affinity mask: 3")


if __name__ == "__main__":
    unittest.main()
