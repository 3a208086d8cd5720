"""The commands: statuses, and one clear line for what is wrong."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from typing import NoReturn
from unittest import mock

from grade.cli import main
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
