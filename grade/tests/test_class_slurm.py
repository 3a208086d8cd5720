"""Grading a class by Slurm, with a real slurmctld and slurmd: the same results as here, whatever is lost."""

import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from grade.lab import load
from grade.tests.fake import ROOT
from grade.tests.one_node import Cluster, cluster, until, why_not
from tools.programs import clean_environment
from tools.tests.support import BUILD_ROOT

LAB = "01-boot"
_RESULTS = "SELECT lab, digest, judge, points, earned, report FROM results ORDER BY digest"


@unittest.skipIf(why_not(), why_not())
class ClassBySlurm(unittest.TestCase):
    """Four submissions; of the reference, and of three that do not compile, which cost little."""

    rest = True

    def setUp(self) -> None:
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = Path(home.name)
        self.cluster: Cluster = self.enterContext(cluster())
        for number, name in enumerate(("ann", "bob", "eve", "joe")):
            self._hand_in(name, f"/* {number} */\n" if number == 0 else f"wrong {number};\n")

    def _hand_in(self, name: str, more: str) -> None:
        for file in load(ROOT / "labs" / LAB).files:
            path = self.home / "handins" / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes((ROOT / file).read_bytes() + more.encode())

    def _argv(self, db: str, *more: str) -> list[str]:
        return [sys.executable, "-m", "grade", "class", str(self.home / "handins"), "--lab", LAB,
                "--arch", "riscv", "--seeds", "1", "--db", str(self.home / db),
                "--build-root", str(BUILD_ROOT), *more]  # fmt: skip

    @contextmanager
    def _called(self, db: str, *more: str) -> Iterator[subprocess.Popen[bytes]]:
        """A call that is ended if the test is."""
        environment = clean_environment() | self.cluster.environment
        with (self.home / f"{db}.said").open("ab") as said:
            with subprocess.Popen(self._argv(db, *more), cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                                  stdout=said, stderr=said) as process:  # fmt: skip
                try:
                    yield process
                finally:
                    process.kill()

    def _ends_well(self, db: str, process: subprocess.Popen[bytes]) -> None:
        self.assertEqual(process.wait(timeout=400), 0, (self.home / f"{db}.said").read_text())

    def _results(self, db: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.home / db)) as connection:
            return connection.execute(_RESULTS).fetchall()

    def _requeue(self, index: int) -> None:
        job = self.cluster.wait_for(index, "RUNNING")
        self.cluster.scontrol("requeue", job)
        self.cluster.wait_for(index, "PENDING")
        self.cluster.release(index)

    def _exceed_limit(self, index: int) -> None:
        """Slurm's limits are whole minutes, but a job's end can be moved to any second."""
        job = self.cluster.wait_for(index, "RUNNING")
        self.cluster.scontrol("update", f"JobId={job}", "EndTime=now+1seconds")
        until(lambda: (job, "TIMEOUT") in self.cluster.history(), "the time limit ends a task")
        self.cluster.release(index)

    def _lose_node(self, index: int) -> None:
        self.cluster.wait_for(index, "RUNNING")
        self.cluster.lose_node()
        self.cluster.wait_for(index, "PENDING")
        self.cluster.release(index)
        self.cluster.start_node()

    def test_what_slurm_loses_is_graded_all_the_same(self) -> None:
        for index in range(3):
            self.cluster.hold(index)
        with self._called("slurm.db", "--engine", "slurm") as process:
            until(lambda: set(self.cluster.tasks()) == {0, 1, 2, 3}, "four tasks")
            self._requeue(0)
            self._exceed_limit(1)
            self._lose_node(2)
            self._ends_well("slurm.db", process)
        with self._called("local.db") as process:
            self._ends_well("local.db", process)
        found = self._results("slurm.db")
        self.assertEqual(len(found), 4)
        self.assertEqual(found, self._results("local.db"))
        self.assertEqual(list((self.home / "slurm.db.slurm").iterdir()), [])

    def test_a_call_that_was_killed_finds_its_array_again(self) -> None:
        self.cluster.hold(3)
        (self.home / "handins" / "ann").rename(self.home / "right")
        self._hand_in("ann", "wrong;\n")
        with self._called("slurm.db", "--engine", "slurm") as process:
            self.cluster.wait_for(3, "RUNNING")
            process.send_signal(signal.SIGKILL)
        self.cluster.release(3)
        with self._called("slurm.db", "--engine", "slurm") as process:
            self._ends_well("slurm.db", process)
        self.assertEqual(len(self._results("slurm.db")), 4)
        self.assertEqual(len(self.cluster.history()), 4, "each submission has had one task")


if __name__ == "__main__":
    unittest.main()
