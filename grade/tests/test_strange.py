"""Escape sequences of kernels, compilers, explorers and names do not come as far as a report."""

import contextlib
import io
import json
import re
import subprocess
import unittest
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from grade.cli import main
from grade.elf import Elf
from grade.making import make
from grade.protocol import parse, split
from grade.replay import said
from grade.report import text
from grade.results import VERSION, Report, from_json, lab_result
from grade.score import Outcome, Run, score
from grade.submission import Rejected
from grade.tests.fake import LAYOUT, NONCE, AtHome, elf, evidence, messages
from grade.verdict import Kind, build_error, judge
from labs import check, handout
from tools.boot import End, Outcome as Booted, Transcript
from tools.explore.program import ExploreError, _lines
from tools.explore.table import source_of
from tools.places import Place, places

_PAINT = "\x1b[2J\x1b[H\x9b1m100/100\u202e\u2066\x07"
_OBEYED = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class _Case(AtHome):
    def harmless(self, shown: str) -> None:
        self.assertIn("100/100", shown)
        self.assertIsNone(_OBEYED.search(shown), repr(shown))

    def reported(self, kernel: bytes, status: int) -> None:
        """Everything that a report says of a run in which the kernel has printed this."""
        test = self.lab.tests[0]
        verdict = judge(self.lab, test, evidence(kernel, status))
        self.assertIsNot(verdict.kind, Kind.PASS)
        outcome = Outcome(Run("riscv", test.name, 1, 1), verdict)
        result = lab_result(score(self.lab, [outcome]), LAYOUT, None)
        whole = Report(VERSION, None, ("riscv",), (result,))
        self.harmless(text(whole))
        self.harmless(whole.to_json())
        self.harmless("".join(map(str, json.loads(whole.to_json())["labs"])))


class Guests(_Case):
    def test_a_panic(self) -> None:
        self.reported(f"Trellis on riscv\r\npanic: {_PAINT}\r\n  at {_PAINT}\r\n".encode(), 35)

    def test_a_failed_check(self) -> None:
        self.reported(messages("begin 1", "test sleep.early", f"fail P4.1 a.c:1 5 {_PAINT}"), 33)

    def test_a_user_program(self) -> None:
        wire = b"Trellis on riscv\n\x10uFAIL P4.1 " + _PAINT.encode() + b"\r\n\x10x01"
        program = replace(self.lab.tests[0], program="/tests/x")
        verdict = judge(self.lab, program, evidence(wire, 33))
        self.harmless("".join(f.happened for f in verdict.findings))

    def test_a_replay(self) -> None:
        seen = evidence(f"{_PAINT}\r\n".encode() + b"\x10u" + _PAINT.encode() + b"\r\xff")
        self.harmless(said(seen))

    def test_messages_are_read_as_before(self) -> None:
        m = parse(split(messages("begin 1", "test größe")).kernel, NONCE)
        self.assertEqual((m.started, m.broken), (["größe"], None))

    def test_a_checkpoint(self) -> None:
        seen = Transcript(Booted(End.PANIC, None), f"Trellis on x\r\n{_PAINT}\r\n".encode(), b"")
        point = handout.Checkpoint(1, "make run TESTS=1 BOOTARGS='x'", ("ok   4.1 x",))
        with patch("labs.handout.transcript", return_value=seen):
            self.harmless(point.fault("riscv", Path("kernel")) or "")


class Programs(_Case):
    def test_a_compiler(self) -> None:
        (self.home / "Makefile").write_text("all:\n\t@cat said; false\n")
        (self.home / "said").write_text(f"kernel/sched/sleep.c:1:2: error: #error {_PAINT}\n")
        output = make(self.home, "riscv", ["all"], 1, False)
        self.harmless(output or "")

    def test_a_checks_compiler(self) -> None:
        done = subprocess.CompletedProcess([], 2, b"", _PAINT.encode())
        err = io.StringIO()
        with patch("labs.check.subprocess.run", return_value=done), contextlib.redirect_stderr(err):
            self.assertIsNone(check._kernel(self.home, "riscv"))
        self.harmless(err.getvalue())

    def test_an_explorer(self) -> None:
        program = self.home / "explore"
        program.write_text(f"#!/bin/sh\ncat {self.home / 'says'}\n")
        program.chmod(0o755)
        (self.home / "says").write_text(json.dumps({"verdict": f"panic: {_PAINT}"}) + "\n")
        self.harmless(str(list(_lines(program, [], False))[0]["verdict"]))
        program.write_text(f"#!/bin/sh\nprintf 'explore: %s' '{_PAINT}' >&2; exit 9\n")
        with self.assertRaises(ExploreError) as caught:
            list(_lines(program, [], False))
        self.harmless(str(caught.exception))

    def test_a_line_of_a_source(self) -> None:
        (self.home / "a.c").write_text(f"int x; // {_PAINT}\n")
        self.harmless(source_of(self.home, None, Place("f", "a.c", 1)))

    def test_a_file_that_the_source_names(self) -> None:
        said = f"0x0000000000000001\nf\n{_PAINT}:7\n".encode() + b"0x2\nf\xff\n"
        with patch("tools.places.subprocess.run", return_value=subprocess.CompletedProcess([], 0, said)):
            found = places(Path("x"), [2, 3])
        self.harmless(found[2][0].file)
        self.assertEqual(found[3][0].function, "f\\xff")

    def test_a_symbol(self) -> None:
        path = self.home / "kernel.elf"
        elf(path, 0x1000, 0, b"x", [("100/100\x1b[2J", 0x1000, 1)])
        self.harmless("".join(Elf(path).symbols))


class Names(_Case):
    def test_a_reason(self) -> None:
        said = str(Rejected(f"{_PAINT}\n\r: not taken"))
        self.harmless(said)
        self.assertNotIn("\n", said)

    def test_a_name_that_is_not_there(self) -> None:
        err = io.StringIO()
        with contextlib.redirect_stderr(err), self.assertRaises(SystemExit):
            main(["run", "--submission", f"/{_PAINT}\n/\udcff"])
        self.harmless(err.getvalue())
        self.assertEqual(err.getvalue().count("\n"), 1)

    def test_a_report_that_is_shown_again(self) -> None:
        test = self.lab.tests[0]
        outcome = Outcome(Run("riscv", test.name, 1, 1), build_error(test, (f"a.c:1: {_PAINT}",)))
        result = lab_result(score(self.lab, [outcome]), LAYOUT, None)
        path = self.home / "r.json"
        path.write_text(Report(VERSION, _PAINT, ("riscv",), (result,)).to_json())
        self.harmless(text(from_json(path)))


if __name__ == "__main__":
    unittest.main()
