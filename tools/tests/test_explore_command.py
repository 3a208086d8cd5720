"""The explorer as a person calls it: its command line, and scenarios of a student's own."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from grade.lab import choose, load_all
from grade.mutants import lay_out, mutants
from tools.explore import table
from tools.explore.program import explore, replay, scenarios
from tools.programs import ROOT, clean_environment
from tools.tests.support import BUILD_ROOT, Explorer


class CommandLine(Explorer):
    rest = True

    def explorer(self, *options: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "tools.explore", "--build-root", str(BUILD_ROOT), *options]
        return subprocess.run(argv, cwd=ROOT, env=clean_environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)  # fmt: skip

    def test_a_right_kernel(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "found.json"
            done = self.explorer("--lab", "02-threads", "--step", "5", "--bound", "1", "--json", str(out))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(out.read_text())[0]["outcome"], "bounded")
        self.assertIn("join.one", done.stdout)
        self.assertTrue(done.stdout.endswith("scenarios, 0 with a counterexample\n"), done.stdout)

    def test_a_wrong_one(self) -> None:
        done = self.explorer("--scenario", "litmus.torn")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("an addition was lost", done.stdout)
        self.assertIn("run it again with REPLAY=x:", done.stdout)

    def test_what_the_bound_leaves_out_is_found_at_random(self) -> None:
        options = ("--scenario", "litmus.two_steps", "--bound", "0")
        done = self.explorer(*options)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.explorer(*options, "--random", "500", "--seed", "4")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stdout, r"without a preemption, then \d+ at random \(seed 4\)")
        self.assertIn("run it again with REPLAY=x:", done.stdout)

    def test_ctrl_c_prints_what_is_known(self) -> None:
        argv = [sys.executable, "-m", "tools.explore", "--build-root", str(BUILD_ROOT)]
        argv += ["--scenario", "join.one", "--bound", "1", "--seconds", "100"]
        with subprocess.Popen(
            argv, cwd=ROOT, env=clean_environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as running:  # fmt: skip
            assert running.stderr is not None
            for line in running.stderr:
                if "executions a second" in line:
                    break
            running.send_signal(signal.SIGINT)
            out, _ = running.communicate(timeout=60)
        self.assertEqual(running.returncode, 130)
        self.assertRegex(out, r"ok +02\.5 +join\.one +[0-9,]+ executions, all with at most")

    def test_a_submission(self) -> None:
        """The files are the student's, and the table shows their lines."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("arch/riscv", "arch/x86_64", "kernel/thread"):
                (Path(folder) / name).mkdir(parents=True)
            for name in ("riscv/frame.c", "riscv/switch.S", "x86_64/frame.c", "x86_64/switch.S"):
                Path(folder, "arch", name).write_bytes((ROOT / "arch" / name).read_bytes())
            for name in ("exit.c", "join.c"):
                text = (ROOT / "kernel/thread" / name).read_text()
                changed = text.replace("reap = t->left;", "reap = t->exit_code == 99;")
                Path(folder, "kernel/thread", name).write_text(changed)
            drawn = Path(folder, "drawn.html")
            options = ("--lab", "02-threads", "--scenario", "detach.one", "--html", str(drawn))
            done = self.explorer(*options, "--submission", folder)
            picture = drawn.read_text(encoding="utf-8")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("reap = t-&gt;exit_code == 99;", picture)
        self.assertIn("stacks: 1 before, 2 after", done.stdout)
        self.assertIn("reap = t->exit_code == 99;", done.stdout)

    def test_a_data_race_of_a_submission_fails(self) -> None:
        """No execution goes wrong, but the teardown is not ordered behind the other thread's exit."""
        lab = choose(ROOT, ["02-threads"])[0]
        with tempfile.TemporaryDirectory() as folder:
            for name in lab.files:
                text = (ROOT / name).read_text()
                if name == "kernel/thread/exit.c":
                    call = "atomic_fetch_sub(&p->holds, 1)"
                    self.assertIn(call, text)
                    weaker = "atomic_fetch_sub_explicit(&p->holds, 1, memory_order_relaxed)"
                    text = text.replace(call, weaker)
                Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
                Path(folder, name).write_text(text)
            options = ("--lab", lab.name, "--scenario", "last.two_leave", "--submission", folder)
            done = self.explorer(*options)
            schedule = re.findall("REPLAY=(x:[^ \n]*)", done.stdout)[0]
            again = self.explorer(*options, "--replay", schedule)
        self.assertEqual((done.returncode, again.returncode), (1, 1), done.stderr + again.stderr)
        self.assertRegex(done.stdout, r"FAIL  02\.8  last\.two_leave ")
        self.assertIn("1 scenario, 0 with a counterexample, 1 with a data race", done.stdout)
        for said in (done.stdout, again.stdout):
            self.assertRegex(said, r"kernel/thread/exit\.c:\d+ .*\n +stores, not atomic; holds no spin lock")

    def test_bad_options(self) -> None:
        for options, said in (
            (("--scenario", "nope"), "no scenario is like that"),
            (("--lab", "99"), "no lab 99"),
            (("--submission", "/nowhere", "--lab", "02-threads"), "no such directory"),
            (("--submission", "/tmp"), "--submission needs --lab"),
            (("--replay", "zz"), "a schedule reads like"),
            (("--replay", "x:"), "a schedule belongs to one scenario"),
            (("--gdb",), "--gdb needs --replay"),
            (("--random", "0"), "must be a number from 1 up"),
            (("--random", "5", "--seconds", "5"), "not allowed with"),
        ):
            with self.subTest(options):
                done = self.explorer(*options)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertIn(said, done.stderr)


class Own(Explorer):
    """Scenarios of a student's own."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="trellis-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.lab = next(lab for lab in load_all(ROOT) if lab.name == "04-sleep")
        lay_out(ROOT, self.lab, {}, self.folder)

    def explored(self, packed: bool = False, **files: str) -> subprocess.CompletedProcess[str]:
        """Explores what these files define; each has the name of its keyword. @packed: in an archive."""
        mine = self.folder / "labs/04-sleep/scenarios/mine"
        mine.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (mine / f"{name}.c").write_text(text)
        argv = [sys.executable, "-m", "tools.explore", "--build-root", str(BUILD_ROOT), "--lab", "04-sleep"]
        submission = self.folder
        if packed:
            submission = self.folder / "handed-in.tar.gz"
            tar = ["tar", "-czf", str(submission), "-C", str(self.folder), "kernel", "labs"]
            subprocess.run(tar, check=True)
        argv += ["--scenario", "mine", "--submission", str(submission)]
        return subprocess.run(argv, cwd=ROOT, env=clean_environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)  # fmt: skip

    def example(self) -> str:
        """The program in the document."""
        found = re.search(r"^```c\n(.*?)^```", (ROOT / "docs/explorer.md").read_text(), re.M | re.S)
        assert found is not None
        return found[1]

    def test_the_example_of_the_document_is_right(self) -> None:
        done = self.explored(deadline=self.example())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"ok    04\.4  mine\.deadline +[0-9,]+ executions, all with at most 2")

    def test_it_finds_a_mistake(self) -> None:
        wrong = next(m for m in mutants(ROOT, self.lab) if m.name == "last-claim-wins")
        lay_out(ROOT, self.lab, wrong.files, self.folder)
        done = self.explored(deadline=self.example())
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("mine.deadline: it got -110, not 7", done.stdout)
        packed = self.explored(packed=True, deadline=self.example())
        self.assertIn("mine.deadline: it got -110, not 7", packed.stdout, packed.stderr)
        self.assertRegex(done.stdout, r"deadline\.c:\d+  act_on\(1, &waiter, wait_with_deadline\);")

    def test_it_needs_no_step(self) -> None:
        text = self.example().replace('"04.4", "P4.10"', '"", ""')
        self.assertIn("mine.deadline", self.explored(deadline=text).stdout)

    def test_one_that_does_not_compile_is_an_error_with_its_line(self) -> None:
        text = self.example().replace("end_here();", "end_here()")
        done = self.explored(deadline=text)
        line = text[: text.index("end_here()")].count("\n") + 1
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("it does not compile", done.stderr)
        self.assertRegex(done.stderr, rf"scenarios/mine/deadline\.c:{line}:\d+: error: expected")

    def test_one_that_prints_what_the_explorer_prints_is_stopped(self) -> None:
        forged = json.dumps({"scenario": "mine.deadline", "outcome": "complete", "bound": 2} |
                            dict.fromkeys(("executions", "states", "steps", "longest"), 1))  # fmt: skip
        call = f"puts({json.dumps(forged)}), exit(0)"
        text = self.example().replace("end_here();", f"int puts(const char *); void exit(int); {call};")
        done = self.explored(deadline=text)
        self.assertNotIn("ok ", done.stdout)
        self.assertIn("an access at address (nil)", done.stdout)

    def test_a_name_that_is_taken_is_an_error(self) -> None:
        done = self.explored(deadline=self.example(), again=self.example())
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("there are two scenarios with the name mine.deadline", done.stderr)

    def test_a_link_is_not_followed(self) -> None:
        mine = self.folder / "labs/04-sleep/scenarios/mine"
        mine.mkdir(parents=True)
        (mine / "deadline.c").symlink_to("/etc/passwd")
        done = self.explored()
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertIn("must be a plain file", done.stderr)
