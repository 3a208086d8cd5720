"""A program of ours that is interrupted prints one line and leaves nothing running."""

import argparse
import os
import pty
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from tools.options import Share, share
from tools.programs import ROOT

_PROGRAM = """
import subprocess, sys
from concurrent.futures import ThreadPoolExecutor
from tools.options import run_program
def child():
    for _ in range(2):      # a second one must not come to life either
        subprocess.run(["sh", "-c", "echo $$ >>" + sys.argv[1] + "; exec sleep 1000000"],
                       start_new_session=True)
def main():
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(child)
        while not open(sys.argv[1]).read():
            pass
        print("ready", flush=True)
        work.result()
    return 0
run_program("thing", main)
"""

_CHANGED_ON_THE_WAY = """
import signal
from tools.options import run_program
def main():
    try:
        print("ready", flush=True)
        signal.pause()
    except KeyboardInterrupt:
        raise RuntimeError("cannot release un-acquired lock")
run_program("thing", main)
"""


class Shares(unittest.TestCase):
    def test_each_name_is_in_one(self) -> None:
        for name in map(str, range(100)):
            self.assertEqual([Share(n, 8).has(name) for n in range(1, 9)].count(True), 1, name)
        self.assertTrue(Share(1, 1).has("any"))

    def test_as_an_option(self) -> None:
        self.assertEqual((share("2/8"), str(share("2/8"))), (Share(2, 8), "2/8"))
        for wrong in ("", "2", "0/8", "9/8", "/8", "2/", "-1/8", "2/8/1", "two/8"):
            with self.assertRaises(argparse.ArgumentTypeError, msg=wrong):
                share(wrong)


class Interrupted(unittest.TestCase):
    def test_one_line_and_nothing_left(self) -> None:
        with tempfile.NamedTemporaryFile() as pids:
            terminal, theirs = pty.openpty()
            with subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, pids.name],
                cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=theirs,
                start_new_session=True, text=True,
            ) as program:  # fmt: skip
                assert program.stdout is not None
                self.assertEqual(program.stdout.readline(), "ready\n")
                os.killpg(program.pid, 2)
                _, said = program.communicate()
            os.close(terminal)
            os.close(theirs)
            self.assertEqual((said, program.returncode), ("thing: interrupted\n", 130))
            for pid in Path(pids.name).read_text().split():
                self.assertFalse(Path("/proc", pid).exists(), pid)

    def test_whatever_it_has_become(self) -> None:
        argv = [sys.executable, "-c", _CHANGED_ON_THE_WAY]
        with subprocess.Popen(
            argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as program:
            assert program.stdout is not None
            self.assertEqual(program.stdout.readline(), "ready\n")
            program.send_signal(2)
            _, said = program.communicate()
        self.assertEqual((said, program.returncode), ("thing: interrupted\n", 130))


if __name__ == "__main__":
    unittest.main()
