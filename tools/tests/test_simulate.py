"""The simulator as a program, and its agreement with the kernel."""

from __future__ import annotations

import json
import subprocess
import tempfile
import unittest
from itertools import cycle, groupby
from pathlib import Path

from tools import qemu
from tools.boot import PATIENCE_S, End, transcript, with_command
from tools.simulate import page
from tools.simulate.build import ROOT, build
from tools.test.policies import policies
from tools.test.builds import Build
from tools.timeline.model import from_json
from tools.tests.support import BUILD_ROOT

_TASKS = ROOT / "tools" / "simulate" / "agree.tasks"
_COMPARED_NS = 380_000_000  # the processes end at 400 ms, one after the other


def simulate(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [build(BUILD_ROOT), *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def order(text: str) -> list[tuple[str, int]]:
    """The tasks that ran one after the other, and when each began, in ns."""
    rows = [line.split() for line in text.splitlines()]
    runs = groupby(((row[2], int(row[0])) for row in rows if len(row) == 3), key=lambda r: r[0])
    return [run for run in (next(iter(run)) for _, run in runs) if run[1] < _COMPARED_NS]


class Simulate(unittest.TestCase):
    def test_a_wrong_set_is_named_with_its_line(self) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".tasks") as tasks:
            tasks.write("cpus 2\ntask a : run 5 parsecs\n")
            tasks.flush()
            done = simulate(tasks.name, "", "-")
        self.assertEqual(done.returncode, 2)
        self.assertIn(":2: parsecs: must be run T, sleep T", done.stderr)

    def test_a_wrong_policy_names_the_right_ones(self) -> None:
        done = simulate(_TASKS, "sched=best", "-")
        self.assertEqual(done.returncode, 2)
        self.assertIn("sched=best: must be rr, prio, mlfq, edf, rm, fair or pct", done.stderr)

    def test_the_model_accounts_for_every_moment_of_a_cpu(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "m.model.json")
            self.assertEqual(simulate(_TASKS, "sched=edf", out).returncode, 0)
            model = json.loads(out.read_text())
        running = sorted((s["begin"], s["end"]) for s in model["spans"] if s["state"] == "running")
        self.assertEqual(running[0][0], 0)
        self.assertEqual(running[-1][1], model["end"])
        for (_, end), (begin, _) in zip(running, running[1:]):
            self.assertEqual(end, begin)


class Page(unittest.TestCase):
    """The page that OUT=page.html writes, for a set in which one task asks for more than it reserved."""

    SET = (
        "until 60ms\n"
        "task <a>\tclass=deadline runtime=2ms period=10ms : run 2ms wait repeat\n"
        "task late\tclass=deadline runtime=4ms deadline=12ms period=16ms : run 6ms wait repeat\n"
        "task calm\tat=3ms : run 2ms sleep 9ms repeat\n"
        "task big\tclass=deadline runtime=9ms period=10ms : run 1ms wait repeat\n"
    )

    def drawn(self, text: str) -> tuple[str, list[page.Task]]:
        with tempfile.TemporaryDirectory() as folder:
            tasks, out = Path(folder, "set.tasks"), Path(folder, "m.model.json")
            tasks.write_text(text)
            self.assertEqual(simulate(tasks, "sched=edf", out).returncode, 0)
            model = from_json(out.read_text())
        return page.page(model, text), page.tasks_of(model, text)

    def test_jobs_have_their_release_deadline_and_response(self) -> None:
        tasks = {task.name: task for task in self.drawn(self.SET)[1]}
        ms = 1_000_000
        self.assertEqual([job.release for job in tasks["<a>"].jobs], [n * 10 * ms for n in range(6)])
        for job in tasks["<a>"].jobs:
            assert job.deadline is not None
            self.assertEqual(job.deadline - job.release, 10 * ms)
        self.assertEqual(tasks["<a>"].missed, [])
        late = tasks["late"]
        for job in late.jobs:
            assert job.deadline is not None
            ended_late = job.done is None or job.done > job.deadline
            self.assertEqual(ended_late, job.deadline in late.missed, job)
        self.assertTrue(late.missed)
        self.assertEqual(tasks["calm"].jobs[0].release, 3 * ms)
        self.assertTrue(tasks["big"].refused)

    def test_the_page_has_every_lane_and_no_markup_from_names(self) -> None:
        html, tasks = self.drawn("cpus 2\n" + self.SET)
        for label in ("CPU 0", "CPU 1", "&lt;a&gt;", "late", "calm", "missed", "Response times"):
            self.assertIn(label, html)
        self.assertNotIn("<a>", html)
        self.assertEqual(len({task.colour for task in tasks}), len(tasks))


class Agreement(unittest.TestCase):
    """One set of tasks, simulated and done by processes: the same order, at about the same times."""

    def check(self, arch: str, policy: str) -> None:
        expected = order(simulate(_TASKS, f"sched={policy}", "-").stdout)
        folder = Build(arch).directory(BUILD_ROOT)
        with tempfile.TemporaryDirectory() as scratch:
            command = "tasks <<'END'\n" + _TASKS.read_text() + "END\n"
            initrd = with_command(
                folder / "initramfs.cpio", Path(scratch, "initrd"), command.encode()
            )
            machine = qemu.Machine(
                arch=arch,
                kernel=folder / "kernel.elf",
                initrd=initrd,
                bootargs=(f"sched={policy}",),
                icount=qemu.Icount(shift=1),
            )
            seen = transcript(machine, PATIENCE_S)
        self.assertIs(seen.outcome.end, End.OFF)
        real = order(seen.user.decode())
        self.assertEqual([who for who, _ in real], [who for who, _ in expected])
        for (who, at), (_, due) in zip(real, expected):
            self.assertLess(abs(at - due), 2_000_000, f"{who} at {at} ns, not {due}")

    def test_kernel_and_simulator_agree(self) -> None:
        """Every policy on one of the ports, in turn. (pct's order is by chance.)"""
        for policy, arch in zip((p for p in policies() if p != "pct"), cycle(qemu.ARCHES)):
            with self.subTest(policy=policy, arch=arch):
                self.check(arch, policy)


if __name__ == "__main__":
    unittest.main()
