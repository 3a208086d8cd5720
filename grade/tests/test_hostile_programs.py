"""Native code of a submission, which the explorer runs: what it may use, and when it ends."""

import json
import os
import resource
import select
import subprocess
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from tools import limits, qemu
from tools.explore import program
from tools.explore.program import ExploreError, NotStarted, _run, covered, explore, replay, scenarios

_HEAD = "".join(f"#include <{name}.h>\n" for name in ("signal", "stdio", "stdlib", "string", "unistd"))
_SECONDS = 60


class Programs(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="trellis-test-")
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)
        self.fences = [False] if qemu.why_no_bubblewrap() else [False, True]

    def stopped(self, body: str, *words: str) -> None:
        """A program with this @body of main() ends with one of @words, and takes none of our memory."""
        source, made = self.home / "x.c", self.home / "x"
        source.write_text(f"{_HEAD}int main(void) {{ {body} }}\n")
        subprocess.run(["gcc", "-w", "-o", made, source], check=True)
        for fenced in self.fences:
            mine = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            began = time.monotonic()
            with self.subTest(fenced=fenced), self.assertRaises(ExploreError) as caught:
                _run(made, [], fenced)
            self.assertTrue(any(word in str(caught.exception) for word in words), caught.exception)
            self.assertLess(time.monotonic() - began, _SECONDS)
            self.assertLess(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - mine, 256 << 10)

    def test_one_that_computes_or_sleeps_for_ever(self) -> None:
        with patch.object(program, "_CPU_SECONDS", 1):
            self.stopped("for (;;);", "SIGKILL", "SIGXCPU")
            self.stopped("for (;;) pause();", "SIGKILL")
            deaf = "sigset_t all; sigfillset(&all); sigprocmask(0, &all, 0);"
            self.stopped(deaf + "for (;;) pause();", "SIGKILL")

    def test_a_machine_that_cannot_start_it(self) -> None:
        cannot = ["sh", "-c", "echo 'timeout: fork system call failed' >&2; exit 125"]
        with patch("tools.explore.program.limits.ended_after", return_value=cannot):
            with self.assertRaisesRegex(NotStarted, "fork system call failed"):
                _run(self.home / "x", [], False)

    def test_all_memory(self) -> None:
        with patch.object(program, "_MEMORY_MIB", 64):
            self.stopped("for (;;) memset(malloc(1 << 20), 1, 1 << 20);", "SIGSEGV")

    def test_a_flood(self) -> None:
        with patch.object(program, "_SAID_MAX", 1 << 20):
            self.stopped('for (;;) puts("{}");', "more than 1 MiB")
            self.stopped("for (;;) putchar(97);", "printed something else")
        with patch.object(program, "_FILE_MIB", 1):
            self.stopped('for (;;) fputs("xxxxxxx\\n", stderr);', "x", "SIGXFSZ")
        self.stopped('puts("[1]");', "no object")
        self.stopped("for (int i = 0; i < 300000; i++) putchar('['); puts(\"\");", "printed something else")

    def test_a_line_like_its_own(self) -> None:
        made = self.home / "x"
        made.write_text(f"#!/bin/sh\necho '{json.dumps({'a': 1})}'\n")
        made.chmod(0o755)
        self.assertEqual(_run(made, [], False), [{"a": 1}])

    def test_a_line_that_it_never_prints(self) -> None:
        """After a wild write the explorer may print another verb's line, or half of one."""
        made = self.home / "x"
        right: dict[str, object] = {}
        right |= {"scenario": "a", "outcome": "wrong", "bound": 0, "executions": 1, "states": 1, "steps": 1}
        right |= {"longest": 1, "verdict": "it fails", "schedule": "x:1/0"}
        race: dict[str, object] = {"first": 1, "second": 2, "address": 3, "schedule": "x:"}
        wrong: list[tuple[str, object]] = [
            *(("verdict", 7), ("schedule", "-1"), ("bound", -1), ("steps", 1 << 64), ("outcome", "won")),
            *(("executions", True), ("states", 1.5), ("full", "yes")),
            *(("races", [race | {"schedule": 5}]), ("races", [race | {"address": None}])),
            *(("races", [1]), ("races", {"a": 1})),
        ]
        strange = [right | {name: value} for name, value in wrong]
        for line in ({"scenario": "a", "ran": [1]}, {"races": 1}, {"races": [{"x": 1}]}, {}, *strange):
            made.write_text(f"#!/bin/sh\necho '{json.dumps(line)}'\n")
            made.chmod(0o755)
            asks: dict[str, Callable[[], object]] = {
                "explore": lambda: explore(made, "a", 1, 1),
                "covered": lambda: covered(made, "a", 1, 1),
                "replay": lambda: replay(made, "a", "x:1"),
                "scenarios": lambda: scenarios(made),
            }
            for name, ask in asks.items():
                with self.subTest(name, line=line), self.assertRaisesRegex(ExploreError, "something else"):
                    ask()

    @unittest.skipIf(qemu.why_no_bubblewrap(), "needs bubblewrap")
    def test_what_it_leaves_running_ends_with_it(self) -> None:
        name = f"trellis-left-{os.getpid()}"
        body = 'if (!fork()) { setsid(); execl("/usr/bin/sleep", "NAME", "1000000", NULL); } exit(9);'
        self.fences = [True]
        self.stopped(body.replace("NAME", name), "ended with 9")
        left = [p for p in Path("/proc").glob("[0-9]*/cmdline") if name.encode() in _bytes(p)]
        self.assertEqual(left, [])

    @unittest.skipIf(qemu.why_no_bubblewrap() or not limits.alone(), "needs bubblewrap and a known machine")
    def test_one_that_starts_processes(self) -> None:
        self.fences = [True]
        for call in ("fork()", "vfork()", "syscall(435, 0, 0)", 'popen("true", "r") ? 0 : -1'):
            with self.subTest(call):
                self.stopped(f"exit(({call}) == -1 ? 9 : 0 * puts(\"[]\"));", "ended with 9")
        self.stopped("syscall(0x40000039);", "SIGSYS")  # fork, as a program of the x32 kind has it


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


class Limits(unittest.TestCase):
    def test_it_ends_with_us(self) -> None:
        """A program ends with the one that waits for it."""
        argv = limits.ended_after(["sh", "-c", "echo $$; exec sleep 1000000"], 1000)
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            child = int(running.stdout.readline())
            gone = select.poll()
            gone.register(pidfd := os.pidfd_open(child), select.POLLIN)
            running.kill()
        self.assertTrue(gone.poll(1000 * _SECONDS))
        os.close(pidfd)


if __name__ == "__main__":
    unittest.main()
