"""The commands: statuses, and one clear line for what is wrong."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from typing import NoReturn
from unittest import mock

from grade.cli import ROOT, main
from grade.errors import GraderError
from grade.home import Home
from grade.replay import STOPS, gdb_commands, said
from grade.results import VERSION, Report
from grade.tests.fake import evidence, messages


def _call(*arguments: str) -> tuple[int, str, str]:
    """Status, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(list(arguments))
        except SystemExit as e:
            status = int(str(e.code))
    return status, out.getvalue(), err.getvalue()


class Commands(unittest.TestCase):
    def trouble(self, *arguments: str) -> str:
        status, out, err = _call(*arguments)
        self.assertEqual((status, out), (2, ""))
        self.assertEqual(err.count("\n"), 1, err)
        return err

    def test_what_is_wrong_with_a_call(self) -> None:
        self.assertIn("no lab 99-none", self.trouble("list", "--lab", "99-none"))
        self.assertIn("no lab 99-none", self.trouble("run", "--lab", "99-none"))
        self.assertIn("must be one of", self.trouble("run", "--arch", "vax"))
        self.assertIn("no such directory", self.trouble("run", "--submission", "/nonexistent"))
        self.assertIn("1 or more", self.trouble("run", "--seeds", "0"))
        self.assertIn("No such file", self.trouble("report", "/nonexistent.json"))
        self.assertIn("challenges carry none", self.trouble("run", "--challenges", "--report", "/tmp/page"))
        self.assertIn("COMMAND", self.trouble())

    def test_a_report_that_cannot_be_written_is_said_before_anything_runs(self) -> None:
        def never(*_: object) -> NoReturn:
            self.fail("a machine was set up")

        with (
            tempfile.TemporaryDirectory() as folder,
            mock.patch("grade.engine.set_up", never),
        ):
            there, beside = Path(folder, "there"), Path(folder, "beside.json")
            there.write_text("kept")
            for option in ("--json", "--report"):
                said = self.trouble("run", option, f"{there}/x")
                self.assertIn(f"{option}: {there}/x: Not a directory", said)
            self.assertIn("No such file", self.trouble("run", "--json", f"{folder}/none/x"))
            self.assertIn("Is a directory", self.trouble("run", "--json", folder))
            Path(folder, "report.txt").mkdir()
            self.assertIn("report.txt", self.trouble("run", "--report", folder))
            # Trying leaves what is there as it was, and nothing else behind.
            for path in (there, beside):
                self.trouble("run", "--json", str(path), "--lab", "99-none")
            self.assertEqual(there.read_text(), "kept")
            self.assertFalse(beside.exists())

    def test_help_teaches(self) -> None:
        status, out, _ = _call("--help")
        self.assertEqual(status, 0)
        self.assertIn("trellis-grade run --lab 04-sleep", out)
        self.assertIn("Exit status: 0 full marks", out)

    def started(self, *arguments: str) -> tuple[mock.Mock, mock.Mock, str]:
        """A run that ends before anything is built: how the bench was set up, what was to be graded on it,
        and standard error."""
        with (
            mock.patch("grade.engine.set_up") as set_up,
            mock.patch("grade.engine.grade", side_effect=GraderError("enough")) as graded,
        ):
            _, _, err = _call("run", "--lab", "06-kill", *arguments)
        return set_up, graded, err

    def test_a_branch_of_what_was_handed_in(self) -> None:
        _, graded, _ = self.started("--submission", "/", "--branch", "submit")
        self.assertEqual((graded.call_args.args[2], graded.call_args.args[-1]), (Path("/"), "submit"))
        _, graded, _ = self.started("--submission", "/")
        self.assertIsNone(graded.call_args.args[-1])
        again = ("replay", "--lab", "06-kill", "--arch", "riscv", "--test", "kill.storm")
        for call in (("run",), again):
            self.assertIn("--branch needs --submission", self.trouble(*call, "--branch", "submit"))

    def test_in_a_students_repository_the_rest_of_a_submission_is_the_courses(self) -> None:
        there = Home("06-kill", {"kernel/main.c": b""}, ("kernel/main.c",))
        with mock.patch("grade.cli.home", return_value=there):
            set_up, graded, err = self.started("--submission", "/")
            self.assertEqual((set_up.call_args.args[-1], graded.call_args.args[2]), (there, Path("/")))
            self.assertNotIn("kernel/main.c", err, "a file of the repository, not of what was handed in")
            _, graded, err = self.started()
            self.assertEqual(graded.call_args.args[2], ROOT)
            self.assertIn("kernel/main.c", err)

    def test_a_report_is_shown_again_with_its_status(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "r.json"
            path.write_text(Report(VERSION, None, ("riscv",), ()).to_json())
            self.assertEqual(_call("report", str(path))[0], 0)


class Replay(unittest.TestCase):
    def test_what_was_said_without_the_messages(self) -> None:
        seen = evidence(b"boot\r\n" + messages("begin 1") + b"more\n\x10uuser\n")
        self.assertEqual(said(seen), "boot\nmore\nuser\n")

    def test_gdb_stops_where_it_fails(self) -> None:
        commands = gdb_commands(Path("/t"), Path("/s"), 1234, ("schedule", *STOPS))
        self.assertIn("break schedule", commands)
        self.assertIn("break ktest_failing", commands)
        self.assertIn("break panic", commands)
        self.assertIn("directory /s:/t", commands)

    def test_a_stop_needs_gdb(self) -> None:
        options = ("--lab", "04-sleep", "--test", "sleep.late", "--arch", "riscv")
        status, _, err = _call("replay", *options, "--break", "schedule")
        self.assertEqual((status, "--break needs --gdb" in err), (2, True), err)


if __name__ == "__main__":
    unittest.main()
