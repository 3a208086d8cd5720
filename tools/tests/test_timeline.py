"""Timelines: models and their JSON, a kernel's trace as a model, the page, and one real run."""

import json
import re
import tempfile
import unittest
from pathlib import Path
from typing import Any

from grade.elf import Elf
from grade.tests.fake import LAYOUT, STATES, elf
from grade.trace import Record, Trace
from tools.programs import ROOT
from tools.tests.support import make
from tools.timeline import perfetto
from tools.timeline import numbers
from tools.timeline.from_trace import from_trace
from tools.timeline.model import (
    Arrow,
    BadModel,
    Call,
    Entry,
    Mark,
    Model,
    Span,
    Thread,
    from_json,
    to_json,
)
from tools.timeline.output import write
from tools.timeline.page import page
from tools.timeline.sources import Sources

_BASE = 0xFFFFFFFF80200000
_WOKEN = _BASE
_WAITS = _BASE + 8

MODEL = Model(
    title="two </script> tasks",
    end=3000,
    threads=(Thread(7, "a", 70, 1, "p"), Thread(9, "b", 90, 1, "p")),
    spans=(
        Span(7, "running", 0, 1000, 0, "picked", "", "kernel/x.c:3"),
        Span(9, "ready", 0, 1000),
        Span(9, "running", 1000, 3000, 1),
    ),
    calls=(Call(7, "write", 100, 200, "5"),),
    arrows=(Arrow("wake", 500, 500, 7, 0, 9, 1, 1000, "a wakes b"),),
    marks=(Mark(2000, "failure", "a check failed", 9, 1),),
    records=(Entry(500, "woken", 7, 0),),
)


class Json(unittest.TestCase):
    def test_a_model_comes_back_as_it_was(self) -> None:
        self.assertEqual(from_json(to_json(MODEL)), MODEL)

    def test_what_has_a_default_may_be_left_out(self) -> None:
        data = {"format": "trellis-timeline 1", "title": "t", "end": 5, "threads": [], "spans": []}
        self.assertEqual(from_json(json.dumps(data)), Model("t", 5, (), ()))

    def refused(self, words: str, **changes: Any) -> None:
        data = json.loads(to_json(MODEL)) | changes
        with self.assertRaisesRegex(BadModel, words):
            from_json(json.dumps(data))

    def test_wrong_ones_are_refused_with_the_place(self) -> None:
        thread, span = {"id": 7, "name": "a"}, {"thread": 7, "state": "ready", "begin": 0, "end": 9}
        only = {"calls": [], "arrows": [], "marks": [], "records": [], "threads": [thread]}
        self.refused("format", format="trellis-timeline 2")
        self.refused(r"threads\[0\]: no name", threads=[{"id": 1}])
        self.refused(r"threads\[0\].id: must be of type int", threads=[{"id": "1", "name": "a"}])
        self.refused(r"spans\[0\]: no field stat; there are thread, state", spans=[{"stat": 1}])
        self.refused("same id", threads=[thread, thread])
        self.refused(r"spans\[0\]: no thread 3", **only, spans=[span | {"thread": 3}])
        self.refused("ends before", **only, spans=[span | {"begin": 10}])
        self.refused(r"spans\[1\]: thread 7 is still", **only, spans=[span, span | {"begin": 8}])
        self.refused("must be a list", spans={})
        arrow = {"kind": "pokes", "begin": 1, "end": 1}
        self.refused(r"arrows\[0\].kind: must be one of wake", arrows=[arrow])
        with self.assertRaisesRegex(BadModel, "not JSON"):
            from_json("{")


class FromTrace(unittest.TestCase):
    """Made-up records: (time, event, cpu, current thread, a, b, reason)."""

    def model(self, *records: tuple[int, ...] | tuple[Any, ...]) -> Model:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "kernel.elf"
            elf(path, _BASE, 0x80200000, b"woken\0\0\0waits\0\0\0", [("x", _BASE, 16)])
            trace = Trace(tuple(Record(*r) for r in records), True)
            return from_trace(trace, LAYOUT, Elf(path), ROOT, "riscv")

    @staticmethod
    def state(time: int, cpu: int, by: int, tid: int, old: str, new: str, reason: int = 0) -> Any:
        return (time, "state", cpu, by, tid, STATES[old] << 8 | STATES[new], reason)

    def test_states_become_spans_with_reasons_and_places(self) -> None:
        model = self.model(
            self.state(100, 0, 5, 5, "running", "blocked", _WAITS),
            (150, "claim", 1, 6, 5, 1),
            self.state(150, 1, 6, 5, "blocked", "ready", _WOKEN),
            self.state(180, 0, 0, 5, "ready", "running"),
            (200, "idle", 0, 0, 0, 0),
        )
        lane = {t.tid: t.id for t in model.threads}
        spans = [(s.state, s.begin, s.end) for s in model.spans if s.thread == lane[5]]
        expected = [("running", 100, 100), ("blocked", 100, 150), ("ready", 150, 180)]
        self.assertEqual(spans, [*expected, ("running", 180, 200)])
        blocked, ready, running = (s for s in model.spans if s.thread == lane[5] and s.begin < s.end)
        self.assertEqual((blocked.why, blocked.by), ("waits", "itself"))
        self.assertEqual((ready.why, ready.by), ("woken (event)", "thread 6"))
        self.assertRegex(blocked.where, r"^kernel/sched/sched\.c:\d+$")
        self.assertEqual(running.cpu, 0)
        wake = model.arrows[0]
        self.assertEqual((wake.kind, wake.begin, wake.lands), ("wake", 150, 180))
        self.assertEqual((wake.from_thread, wake.to_thread), (lane[6], lane[5]))

    def test_switches_say_what_a_release_kernel_leaves_out(self) -> None:
        model = self.model((10, "switch", 2, 4, 5, 4), (30, "switch", 2, 5, 4, 5))
        four = next(t.id for t in model.threads if t.tid == 4)
        spans = [(s.state, s.begin, s.end) for s in model.spans if s.thread == four]
        self.assertEqual(spans[1:], [("ready", 10, 30), ("running", 30, 30)])

    def test_what_a_thread_was_is_learnt_when_it_is_woken(self) -> None:
        model = self.model(
            (10, "switch", 0, 4, 5, 4),
            self.state(30, 1, 6, 4, "sleeping", "ready"),
            (40, "switch", 0, 5, 4, 5),
        )
        four = next(t.id for t in model.threads if t.tid == 4)
        states = [s.state for s in model.spans if s.thread == four and s.begin < s.end]
        self.assertEqual(states, ["sleeping", "ready"])

    def test_names_come_to_whom_they_belong(self) -> None:
        def name(time: int, tid: int, text: bytes) -> tuple[Any, ...]:
            padded = text.ljust(16, b"\0")
            a, b = (int.from_bytes(padded[i : i + 8], "little") for i in (0, 8))
            return (time, "name", 0, tid, a, b)

        model = self.model(
            (1, "create", 0, 0, 2, 0), name(2, 0, b"reaper"),
            (3, "create", 0, 2, 3, 3), name(4, 2, b"sh"), name(5, 3, b"a name of 15 ch"),
        )  # fmt: skip
        self.assertEqual({t.tid: t.name for t in model.threads}, {2: "reaper", 3: "a name of 15 ch"})

    def test_a_number_that_is_used_again_is_another_thread(self) -> None:
        model = self.model(
            (1, "create", 0, 1, 8, 8),
            self.state(2, 0, 1, 8, "suspended", "dead"),
            (3, "free", 0, 1, 8, 0),
            (9, "create", 0, 1, 8, 8),
            (10, "idle", 0, 0, 0, 0),
        )
        lanes = [t.id for t in model.threads if t.tid == 8]
        self.assertEqual(len(lanes), 2)
        first = [s for s in model.spans if s.thread == lanes[0]]
        self.assertEqual([s.state for s in first], ["suspended", "dead"])
        self.assertEqual(first[-1].end, 3)

    def test_a_zombie_lasts_until_it_is_reaped(self) -> None:
        model = self.model(
            (1, "create", 0, 1, 8, 8),
            (5, "zombie", 0, 8, 8, 9),
            self.state(6, 0, 8, 8, "suspended", "dead"),
            (7, "free", 1, 2, 8, 0),
            (20, "reaped", 1, 1, 8, 9),
        )
        zombie = next(s for s in model.spans if s.state == "zombie")
        self.assertEqual((zombie.begin, zombie.end), (7, 20))
        wait = next(a for a in model.arrows if a.kind == "join")
        self.assertEqual((wait.begin, wait.end), (20, 20))
        self.assertIn("signal 9", wait.text)

    def test_a_kill_points_at_its_victim_and_at_its_end(self) -> None:
        model = self.model(
            (1, "create", 0, 1, 8, 8),
            (10, "syscall", 0, 1, 129, 8),
            (11, "kill", 0, 1, 8, 9),
            (11, "killthread", 0, 1, 8, 2),
            (13, "killed", 0, 1, 8, 9),
            (40, "exit", 3, 8, 0, 8),
            (41, "kill", 3, 8, 8, 0),
        )
        self.assertEqual([m.time for m in model.marks if m.kind == "kill"], [11])  # one has succeeded
        kill = next(a for a in model.arrows if a.kind == "kill")
        self.assertEqual((kill.begin, kill.lands, kill.to_cpu), (11, 40, 3))
        self.assertIn("in kill()", kill.text)
        self.assertTrue(kill.where.startswith("kernel/process/kill.c:"), kill.where)

    def test_an_ipi_ends_where_it_is_taken(self) -> None:
        model = self.model((5, "ipi", 0, 3, 2, 1), (9, "ipi_in", 2, 0, 1, 0))
        ipi = model.arrows[0]
        self.assertEqual((ipi.kind, ipi.from_cpu, ipi.to_cpu, ipi.lands), ("ipi", 0, 2, 9))

    def test_a_failed_check_names_its_property(self) -> None:
        model = self.model((5, "mark", 1, 3, 0, _WOKEN), (6, "mark", 1, 3, 0, 0x1234))
        marks = [(m.kind, m.text) for m in model.marks]
        self.assertEqual(marks[0], ("failure", "a check of woken failed"))
        self.assertEqual(marks[1], ("failure", "a check of something failed"))

    def test_numbers_are_told_as_a_reader_knows_them(self) -> None:
        for value in (0xFFFF_FF9C, 0xFFFF_FFFF_FFFF_FF9C):
            self.assertEqual(numbers.first_argument("openat", value), "AT_FDCWD")
            self.assertEqual(numbers.first_argument("kill", value), "-100")
        self.assertEqual(numbers.first_argument("wait4", 0xFFFF_FFFF), "-1")
        self.assertEqual(numbers.first_argument("close", 3), "3")
        self.assertEqual(numbers.first_argument("munmap", 0x3F_F7A0_0000), "0x3ff7a00000")
        self.assertEqual(numbers.result((1 << 64) - 2), "-ENOENT")
        self.assertEqual(numbers.result((1 << 64) - 4000), "-4000")
        self.assertEqual(numbers.result(5), "5")

    def test_calls_have_names_and_results(self) -> None:
        model = self.model((5, "syscall", 0, 3, 64, 1), (9, "sysret", 0, 3, 64, (1 << 64) - 32))
        self.assertEqual([(c.name, c.result) for c in model.calls], [("write", "-EPIPE")])

    def test_an_empty_trace_is_an_empty_model(self) -> None:
        self.assertEqual(self.model().threads, ())


class Places(unittest.TestCase):
    def test_every_reason_and_event_of_the_kernel_is_found(self) -> None:
        sources = Sources(ROOT)
        for reason in ("picked", "waits", "woken", "killed", "gives way", "exits"):
            for place in sources.reason(reason).split(", "):
                path, line = place.split(":")
                self.assertIn(f'"{reason}"', (ROOT / path).read_text().splitlines()[int(line) - 1])
        for event in LAYOUT.events[1:]:
            if event not in ("state", "user", "lock", "unlock"):
                self.assertRegex(sources.event(event), r"\.c:\d+", event)


class Forms(unittest.TestCase):
    def test_the_page_needs_nothing_else_and_no_text_ends_it(self) -> None:
        text = page(MODEL)
        self.assertNotRegex(text, r"(src|href)=|https?://|@@|import ")
        self.assertEqual(text.count("</script>"), 2)
        data = re.search(r'<script id="data"[^>]*>(.*?)</script>', text, re.S)
        assert data is not None
        self.assertEqual(json.loads(data[1])["title"], MODEL.title)

    def test_perfetto_gets_slices_flows_and_marks(self) -> None:
        seen = perfetto.events(MODEL)["traceEvents"]
        count = {p: sum(e["ph"] == p for e in seen) for p in "XsfiM"}
        self.assertEqual(len({(e["pid"], e["tid"]) for e in seen if e["ph"] == "X"}), 5)
        self.assertEqual(count, {"X": 6, "s": 1, "f": 1, "i": 1, "M": 8})

    def test_the_name_says_the_form(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, begin in (("a.html", "<!doc"), ("a.json", "{"), ("a.model.json", '{"format"')):
                write(MODEL, Path(folder) / name)
                self.assertTrue((Path(folder) / name).read_text().startswith(begin))
            with self.assertRaises(ValueError):
                write(MODEL, Path(folder) / "a.png")


class Run(unittest.TestCase):
    def test_no_page_without_a_trace(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "page.html"
            done = make("timeline", "CMD=true", "SCHED=none-such", f"OUT={path}")
            self.assertEqual(done.returncode, 2)
            self.assertIn("sched=none-such: must be", done.stderr)
            self.assertIn("no trace to draw", done.stderr)
            self.assertFalse(path.exists())

    def test_wrong_names_are_told_before_anything_runs(self) -> None:
        for out, words in (("x.png", "must end with .html"), ("/no/such/x.html", "no such directory")):
            done = make("timeline", "CMD=true", f"OUT={out}")
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr)
            self.assertNotIn("Trellis on", done.stderr)

    def test_the_same_command_gives_the_same_timeline(self) -> None:
        command = "yes > /dev/null & sleep 0.002; kill $!; wait; echo done"
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / name for name in ("1.model.json", "2.model.json")]
            for path in paths:
                done = make("timeline", f"CMD={command}", "ARCH=x86_64", f"OUT={path}")
                self.assertEqual((done.returncode, done.stdout), (0, "done\n"), done.stderr)
            self.assertEqual(*(path.read_bytes() for path in paths))
            model = from_json(paths[0].read_text(encoding="utf-8"))
        killed = next(t for t in model.threads if t.name == "yes")
        kill = next(a for a in model.arrows if a.kind == "kill" and a.to_thread == killed.id)
        end = next(m for m in model.marks if m.kind == "kill")
        self.assertIn("kill()", kill.text)
        self.assertIn("signal 15", end.text)
        self.assertIn("yes", {t.process_name for t in model.threads})
        self.assertTrue({"sh", "init", "reaper"} <= {t.name for t in model.threads})
        self.assertEqual(model.cpus, 4)
        self.assertEqual(model.notes, ())

    def test_unknown_calls_are_counted_and_traced(self) -> None:
        count = "grep unknown_syscalls /proc/counters"
        command = f"CMD={count}; /tests/libc unknown_calls; {count}"
        said = "unknown_syscalls 0\nok libc.unknown_calls\nunknown_syscalls 3\n"
        for arch in ("riscv", "x86_64"):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "calls.model.json"
                words = (f"ARCH={arch}", "CPUS=1", "BOOTARGS=trace=syscall", f"OUT={path}")
                done = make("timeline", command, *words)
                self.assertEqual((done.returncode, done.stdout), (0, said), done.stderr)
                model = from_json(path.read_text(encoding="utf-8"))
            traced = [r.text.split()[1] for r in model.records if r.text.startswith("enosys ")]
            self.assertEqual(traced, [f"{n % 2**64:#x}" for n in (100000, 390, -1)])
            self.assertEqual([c.result for c in model.calls].count("-ENOSYS"), 3)


if __name__ == "__main__":
    unittest.main()
