"""tools/run, on both ports: its output goes where its help says, and so do the exit statuses."""

import os
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from tools.boot import with_limit
from tools.programs import ROOT, clean_environment
from tools.tests.support import BUILD_ROOT, run

_EVERY_BYTE = bytes(range(256)) * 64 + b"\x10" * 100 + b"\x10u\x10k\x10x00\r\n\n"


class Riscv(unittest.TestCase):
    ARCH = "riscv"

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="trellis-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_output_and_status(self) -> None:
        done = run(self.ARCH, cmd="echo out; echo err >&2; exit 3")
        self.assertEqual((done.stdout, done.returncode), (b"out\nerr\n", 3))
        self.assertIn(b"Trellis on", done.stderr)
        self.assertNotIn(b"\x10", done.stderr)

    def test_the_firmware_is_quiet_unless_asked(self) -> None:
        self.assertTrue(run(self.ARCH, cmd="true").stderr.startswith(b"Trellis on"))
        loud = run(self.ARCH, "--firmware", cmd="true").stderr
        self.assertEqual(b"OpenSBI" in loud, self.ARCH == "riscv")

    def test_every_byte_arrives(self) -> None:
        (self.folder / "data").write_bytes(_EVERY_BYTE)
        done = run(self.ARCH, "--extra", str(self.folder), cmd="cat /data")
        self.assertEqual(done.stdout, _EVERY_BYTE)

    def test_much_output_arrives(self) -> None:
        done = run(self.ARCH, cmd="seq 1 20000; exit 1")
        self.assertEqual(done.stdout.split(), [b"%d" % n for n in range(1, 20001)])
        self.assertEqual(done.returncode, 1)

    def test_status_of_a_killed_command(self) -> None:
        self.assertEqual(run(self.ARCH, cmd="kill -9 $$").returncode, 128 + 9)

    def test_status_of_a_killed_init(self) -> None:
        init = bytearray((BUILD_ROOT / self.ARCH / "user" / "bin" / "true").read_bytes())
        init[24:32] = bytes(8)  # the entry point: nothing is at address 0
        (self.folder / "broken").write_bytes(init)
        (self.folder / "broken").chmod(0o755)
        done = run(self.ARCH, "--extra", str(self.folder), "--bootargs", "init=/broken", cmd="true")
        self.assertEqual(done.returncode, 128 + 11)

    def test_extra_tree_is_added(self) -> None:
        (self.folder / "bin").mkdir()
        script = self.folder / "bin" / "hello"
        script.write_text("#!/bin/sh\necho hello $1\nexit 5\n")
        script.chmod(0o755)
        os.symlink("hello", self.folder / "bin" / "alias")
        done = run(self.ARCH, "--extra", str(self.folder), cmd="hello you; alias me")
        self.assertEqual((done.stdout, done.returncode), (b"hello you\nhello me\n", 5))

    def test_timeout(self) -> None:
        self.assertEqual(run(self.ARCH, "--timeout", "2", cmd="sleep 1000000").returncode, 124)

    def test_nothing_is_left_running(self) -> None:
        run(self.ARCH, "--timeout", "2", cmd="sleep 1000", env={"TMPDIR": str(self.folder)})
        self.assertEqual(list(self.folder.iterdir()), [])
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                self.assertNotIn(os.fsencode(self.folder), process.read_bytes())
            except OSError:
                pass  # it has ended meanwhile

    def test_panic(self) -> None:
        done = run(self.ARCH, "--bootargs", "limit=1ms", cmd="sleep 1000")
        self.assertEqual(done.returncode, 125)
        self.assertIn(b"panic", done.stderr)

    def test_wrong_boot_argument(self) -> None:
        done = run(self.ARCH, "--sched", "nonsense", cmd="true")
        self.assertEqual(done.returncode, 125)
        self.assertIn(b"sched=nonsense", done.stderr)

    def test_affinity_can_be_switched_off(self) -> None:
        done = run(self.ARCH, "--bootargs", "affinity=off", cmd="/tests/sched affinity_is_kept")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"errno 38", done.stdout)  # ENOSYS, from the very first call

    def test_no_qemu(self) -> None:
        for mode in (), ("--interactive",), ("--gdb-server",), ("--gdb",):
            with self.subTest(mode=mode):
                build = BUILD_ROOT / self.ARCH / "debug"
                argv = ["tools/run", "--arch", self.ARCH, "--build-dir", str(build), *mode]
                path = {"PATH": str(self.folder)} | ({} if mode else {"TRELLIS_CMD": "true"})
                done = subprocess.run(
                    argv,
                    cwd=ROOT,
                    env=clean_environment() | path,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    check=False,
                )
                self.assertEqual((done.returncode, done.stdout), (126, b""))
                self.assertEqual(done.stderr.count(b"\n"), 1, done.stderr)
                self.assertIn(b"is not installed (make setup installs it)", done.stderr)
                self.assertIn(b"qemu-system-", done.stderr)

    def test_every_number_of_cpus(self) -> None:
        for cpus in range(1, 9):
            with self.subTest(cpus=cpus):
                done = run(self.ARCH, "--cpus", str(cpus), cmd="echo $((6 * 7))")
                self.assertEqual((done.stdout, done.returncode), (b"42\n", 0))
                self.assertIn(b"boot: %d CPU" % cpus, done.stderr)

    def test_icount_repeats_exactly(self) -> None:
        cmd = "for i in 1 2 3; do ps & done; wait; date; ls -l /proc | wc -l"
        for cpus in ("1", "3", "4"):
            with self.subTest(cpus=cpus):
                runs = [run(self.ARCH, "--icount", "--cpus", cpus, cmd=cmd) for _ in range(2)]
                self.assertEqual(runs[0].returncode, 0)
                self.assertEqual(runs[0].stdout, runs[1].stdout)
                self.assertEqual(runs[0].stderr, runs[1].stderr)

    def test_time_of_day(self) -> None:
        before = int(time.time())
        done = run(self.ARCH, cmd="grep btime /proc/stat")
        word, booted = done.stdout.split()
        self.assertEqual(word, b"btime")
        self.assertTrue(before <= int(booted) <= time.time(), booted)
        done = run(self.ARCH, "--icount", cmd="grep btime /proc/stat")
        self.assertEqual(done.stdout, b"btime 0\n")

    def test_no_task_is_counted_that_has_been_waited_for(self) -> None:
        seen = run(self.ARCH, "--cpus", "4", cmd="cat /proc/loadavg; " * 5 + "true").stdout.decode()
        self.assertEqual({line.split()[3].split("/")[1] for line in seen.splitlines()}, {"3"})

    def test_wrong_options(self) -> None:
        for options in (["--cpus", "9"], ["--cpus", "x"], ["--timeout", "-1"], ["--extra", "/no"],
                        ["--memory", "1"], ["--bogus"]):  # fmt: skip
            with self.subTest(options=options):
                done = run(self.ARCH, *options, cmd="true")
                self.assertEqual(done.returncode, 2)
                self.assertEqual(len(done.stderr.splitlines()), 1)


class X86(Riscv):
    ARCH = "x86_64"


class Limits(unittest.TestCase):
    def test_a_test_that_is_named_has_one(self) -> None:
        self.assertEqual(with_limit(["selftest=02.3"], True), ("limit=3s", "selftest=02.3"))
        self.assertEqual(with_limit(["test=a.b", "limit=1s"], True), ("limit=10s", "test=a.b", "limit=1s"))
        self.assertEqual(with_limit(["quantum=1ms"], True), ("quantum=1ms",))

    def test_none_where_time_passes_by_itself(self) -> None:
        self.assertEqual(with_limit(["test=a.b"], False), ("test=a.b",))
