"""A person at the console: job control, looking at the machine, ending a fork bomb."""

from __future__ import annotations

import re
import time
import unittest
from collections.abc import Callable

from tools import qemu
from tools.boot import PATIENCE_S, End, transcript
from tools.tests.support import BUILD_ROOT
from tools.tests.terminal import Terminal

_CTRL_C, _CTRL_BACKSLASH, _CTRL_Z, _DUMP = "\x03", "\x1c", "\x1a", "\x1d"
_GOES_ON = r"^\[\d+\] \d+ goes on "
_BOMB = "bomb() { bomb & bomb & wait; }"
_LIMIT = 80


def _tasks(t: Terminal) -> int:
    """Threads there are, those that look left out."""
    return int(t.run("cat /proc/loadavg").split()[3].split("/")[1])


class Riscv(unittest.TestCase):
    ARCH = "riscv"

    def test_jobs_in_the_background(self) -> None:
        with Terminal(self.ARCH) as t:
            self.assertRegex(t.run("sleep 1000 &"), r"^\[1\] \d+\n$")
            self.assertRegex(t.run("sleep 2000 | cat &"), r"^\[2\] \d+\n$")
            self.assertRegex(t.run("jobs"), r"\[1\] \d+ running +sleep 1000\n\[2\] \d+ running +")
            t.run("kill %2")
            # A prompt reports jobs that have ended by then; both processes of this one have to end first.
            self._await(lambda: "[2]" not in t.run("jobs"), "job 2 does not end")
            self.assertRegex(t.run("jobs"), r"\A\[1\] \d+ running +sleep 1000\n\Z")

    def test_stop_and_go_on(self) -> None:
        with Terminal(self.ARCH) as t:
            self._type_when_it_runs(t, "sleep 1000", _CTRL_Z)
            self.assertRegex(t.run("jobs"), r"\[1\] \d+ stopped .*sleep 1000")
            t.run("bg %1")
            self.assertRegex(t.run("jobs"), r"\[1\] \d+ running .*sleep 1000")
            self._type_when_it_runs(t, "fg %1", _CTRL_C, _GOES_ON)
            self.assertEqual(t.run("jobs"), "")
            self.assertEqual(t.run("echo still $((40 + 2))"), "still 42\n")

    def test_keys_and_room_are_told_by_a_signal(self) -> None:
        with Terminal(self.ARCH) as t:
            t.type("KEYS=1 /tests/async keys\r")
            t.expect(r"^type a line\r\n")
            t.type("ab\r")
            t.expect(r"^told of 3 bytes\r\ntype a key\r\n")
            t.type("c")
            t.expect(r"^told of 1 bytes\r\n\.+\r\ntold of room\r\nok async.keys\r\n/ \$ ")
            self.assertEqual(t.run("echo still $((40 + 2))"), "still 42\n")

    def test_reads_end_by_time_and_flushes_drop_keys(self) -> None:
        with Terminal(self.ARCH) as t:
            t.type("KEYS=1 /tests/terminal keys\r")
            t.expect(r"^type four keys\r\n")
            t.type("abcd")
            t.expect(r"^4 came in time\r\ntype five keys\r\n")
            t.type("abcde")
            t.expect(r"^5 are enough\r\ntype two keys\r\n")
            t.type("ab")
            t.expect(r"^2 are kept\r\n0 are left\r\nok terminal.keys\r\n/ \$ ")

    def test_keys_end_a_loop_of_builtins(self) -> None:
        with Terminal(self.ARCH, cpus=2) as t:
            for key, status in ((_CTRL_C, 130), (_CTRL_BACKSLASH, 131)):
                self._type_when_it_runs(t, "while true; do :; done", key)
                self.assertEqual(t.run("echo $?"), f"{status}\n")
            t.run("f() { while :; do until false; do eval true; done; done; }; i=0")
            self._type_when_it_runs(t, "f; echo never", _CTRL_C)
            self._type_when_it_runs(t, "read line", _CTRL_C)
            self._type_when_it_runs(t, "sleep 1000 & wait", _CTRL_C)
            t.run("kill %1")
            self._type_when_it_runs(t, "while true; do sleep 1000; done", _CTRL_BACKSLASH)
            self.assertIn("still 42\n", t.run("echo still $((40 + 2))"))

    def test_a_loop_of_builtins_is_stopped_and_goes_on(self) -> None:
        """Ctrl-Z makes a job of a copy of the shell, in the middle of the loop."""
        with Terminal(self.ARCH, cpus=2) as t:
            t.run("i=0")
            self._type_when_it_runs(t, "while [ $i != end ]; do i=$((i + 1)); done", _CTRL_Z)
            self.assertEqual(t.run("echo $?"), "148\n")
            self.assertRegex(t.run("jobs"), r"\[1\] \d+ stopped +echo go; while \[ [$]i != end \]; do \(")
            self.assertRegex(t.run("bg"), r"running")
            self.assertRegex(t.run("jobs"), r"\[1\] \d+ running")
            self._type_when_it_runs(t, "fg", _CTRL_Z, _GOES_ON)
            self._type_when_it_runs(t, "fg", _CTRL_C, _GOES_ON)
            self.assertEqual(t.run("jobs"), "")
            # The copy ends with its line and does not read the terminal as a second shell.
            self._type_when_it_runs(t, "until [ -e /tmp/go ]; do :; done; echo copied", _CTRL_Z)
            t.run("echo >/tmp/go")
            self.assertRegex(t.run("fg"), r"goes on .*; until .*\ncopied\n\Z")
            self.assertEqual(t.run("echo still $((40 + 2))"), "still 42\n")

    def test_line_editing(self) -> None:
        """The keys' meanings are tools/host/test_edit.c's; here they come through a terminal."""
        with Terminal(self.ARCH, cpus=2) as t:
            t.type("echo one two\x1b[D\x1b[D\x1b[DX\x01\x1b[C\x7f\x0b")
            t.type(f"\x15echo ab\x02{_CTRL_Z}{_CTRL_BACKSLASH}c\r")
            t.expect(r"^acb\r\n/ \$ ")
            t.type("\x1b[A\x1b[D\x7fd\r")
            t.expect(r"^adb\r\n/ \$ ")
            t.type("\x12acb\x05 found\r")
            t.expect(r"^acb found\r\n/ \$ ")
            self.assertRegex(t.run("history 3"), r" 2  echo adb\n +3  echo acb found\n +4  history 3\n")
            t.run("mkdir /tmp/folder")
            t.type("cd /tmp/fo\t\r")
            t.expect(r"^/tmp/folder \$ ")
            t.type("hist\t -c; ech\tof\b\bdone\r")
            t.expect(r"^done\r\n/tmp/folder \$ ")
            # Ctrl-C at the prompt that asks for more drops the whole command.
            t.type("if true; then\r")
            t.expect(r"^> ")
            t.type("echo never")
            t.expect("echo never")
            t.type(_CTRL_C)
            t.expect(r"\^C\r\n/tmp/folder \$ ")
            self.assertEqual(t.run("echo $?"), "130\n")
            t.type("\x04")
            t.expect(r"/ \$ ")
            self.assertEqual(t.run("pwd"), "/\n", "init starts the next shell")

    def _type_when_it_runs(self, t: Terminal, line: str, key: str, sign: str = "") -> None:
        """Types @key once @sign has come; then again until there is a prompt.

        The key may be the last line's rest (Ctrl-C: of "echo go" and not of what follows it).
        """
        t.type(f"{line}\r" if sign else f"echo go; {line}\r")
        t.expect(sign or r"^go\r\n")

        def prompts() -> bool:
            t.type(key)
            try:
                t.expect_soon(r"[$#] ")
                return True
            except TimeoutError:
                return False

        self._await(prompts, "the key has no effect")
        # On a slow machine the key was typed once more than needed, and there is another prompt.
        t.type("s=$?; echo in  step; (exit $s)\r")
        t.expect(r"^in step\r\n(?s:.*)^/ \$ \Z")  # between them the jobs that have ended meanwhile

    def _await(self, condition: Callable[[], object], otherwise: str) -> None:
        """Asks until it is so: how often, the machine's speed decides."""
        end = time.monotonic() + PATIENCE_S
        while not condition():
            self.assertLess(time.monotonic(), end, otherwise)

    def test_looking_at_the_machine(self) -> None:
        with Terminal(self.ARCH, cpus=3) as t:
            t.run("sleep 1000 &")
            sleeps = r"(?m)^ +\d+ +\d+ S .*sleep_for +sleep$"
            self._await(lambda: re.search(sleeps, t.run("schedtop -b -n 1")), "it does not sleep")
            top = t.run("top -b -n 1")
            self.assertRegex(top, r"\Aup \d+ s, 4 processes, load ")
            self.assertEqual(len(re.findall(r"^cpu\d +[\d.]+% user", top, re.M)), 3)
            self.assertRegex(top, r"(?m)^ +\d+ +3 S .* sleep$")
            tree = t.run("pstree")
            self.assertRegex(tree, r"\Ainit\(1\)\n`-sh\(3\)\n  [|]-sleep\(\d+\)\n  `-pstree\(\d+\)\n\Z")
            threads = t.run("schedtop -b -n 1")
            self.assertRegex(threads, r"\A\d+ switches, \d+ interrupts, \d+ threads made, \d+ run")
            self.assertRegex(threads, sleeps)
            self.assertRegex(threads, r"(?m)^ +\d+ +\d+ R .* - +schedtop$")

    def test_dump_keys(self) -> None:
        with Terminal(self.ARCH, cpus=2) as t:
            # By then init waits: a dump looks at no tree that somebody has locked.
            t.run("until read a b s rest </proc/1/stat; [ $s = S ]; do :; done")
            t.type("echo one wo")
            t.expect("echo one wo")
            t.type(f"{_DUMP}t")
            t.expect(r"^ +tid +pid on +state +pri +ran\r\n")
            t.expect(r"^ +1 +1 cpu[01] blocked +\d+ +\d+ us  init\r\n")
            t.expect(r"^ +3 +3 cpu[01] \w+ +\d+ +\d+ us  -?sh\r\n")
            t.type(f"{_DUMP}p")
            t.expect(r"^ +pid +ppid group state\r\n")
            t.expect(r"^ +3 +1 +3 alive +1 threads +\d+ holds  -?sh\r\n")
            t.type(f"{_DUMP}l{_DUMP}r")
            # by nobody but who is interrupted here, with the terminal's; maybe while it writes
            reading = r"spin lock [\w ]+ 0x\w+, taken at (?:tty_input|thread_for_each)"
            writing = r"lock &tty\.write_lock 0x\w+, taken at tty_write"
            own = rf"  thread \d+ \(.+\) holds (?:{reading}|{writing})\+0x\w+\r\n"
            # or by a CPU that finds itself idle just then
            idle = r"  thread 0 \(idle\) holds spin lock run queue 0x\w+, taken at \w+\+0x\w+\r\n"
            t.expect(rf"^locks held \(debug builds know\):\r\n(?:{own}|{idle})*(?=cpu0)")
            for cpu in range(2):
                figures = r"\d+ deadlines, \d+ switches, \d+ preemptions, \d+ steals, idle \d+ us"
                t.expect(rf"^cpu{cpu}: runs \d+ \(.+\), \d+ ready, {figures}\r\n")
            t.type(f"{_DUMP}h")
            t.expect(r"^dump keys: t threads, p processes, l locks, r run queues\r\n")
            # The line goes on; pressed twice, the key is sent; Ctrl-V makes a character of it.
            t.type(f"rd '\x16{_DUMP * 2}' | wc\r")
            t.expect(r"^ +1 +3 +11\r\n")

    def test_dump_of_locks(self) -> None:
        kernel = BUILD_ROOT / self.ARCH / "debug-test" / "kernel.elf"
        machine = qemu.Machine(arch=self.ARCH, kernel=kernel, cpus=2, bootargs=("test=dump.keys",))
        seen = transcript(machine, PATIENCE_S)
        said = seen.kernel.decode("utf-8", "replace").replace("\r", "")
        self.assertEqual(seen.outcome.end, End.OFF, said)
        holds = r"(?m)^  thread (\d+) \((.+)\) holds lock wanted 0x[0-9a-f]+, taken at ktest_dump_keys"
        owner = re.search(holds, said)
        assert owner, said
        whose = re.escape(f"{owner[1]} ({owner[2]})")
        self.assertRegex(said, rf"(?m)^  thread \d+ \(wanter\) waits for a lock of thread {whose}$")

    def _bombed(self) -> Terminal:
        return Terminal(self.ARCH, bootargs=(f"threads={_LIMIT}",))

    def _all_gone(self, t: Terminal) -> None:
        self._await(lambda: _tasks(t) <= 4, "the bomb goes on")
        t.run("wait")  # for its last process, which the shell tells of before the next prompt
        self.assertEqual(t.run("echo still $((40 + 2)) | cat"), "still 42\n")

    def test_bomb_in_the_foreground(self) -> None:
        with self._bombed() as t:
            t.run(_BOMB)
            self._type_when_it_runs(t, "bomb 2>/dev/null", _CTRL_C)
            self._all_gone(t)

    def test_bomb_in_the_background(self) -> None:
        with self._bombed() as t:
            t.run(_BOMB)
            t.run("bomb 2>/dev/null &")
            # The shell at the terminal may start programs, and see that the limit is kept.
            self._await(lambda: _tasks(t) > _LIMIT // 4, "the bomb does not grow")
            self.assertLessEqual(max(_tasks(t) for _ in range(30)), _LIMIT)
            self.assertRegex(t.run("ls /"), r"\bbin\b")
            t.run("kill -9 %1")
            self._all_gone(t)


class X86(Riscv):
    ARCH = "x86_64"
