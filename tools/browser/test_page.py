"""The page of a timeline as people use it: pointer, wheel, fingers, keys, and its texts."""

from __future__ import annotations

import re
import tempfile
import unittest
from pathlib import Path

from tools.browser.driver import Browser
from tools.timeline.model import Arrow, Call, Entry, Mark, Model, Span, Thread
from tools.timeline.page import write_page

_US = 1000
_MIDDLE = 640.0, 300.0  # in the lanes
# From view.js: where lanes are below the canvas' upper edge.
_AXIS, _CPU_LANE, _GAP, _THREAD_LANE, _BETWEEN = 32, 30, 14, 24, 5
_DRAW_MS = 33  # far more than it takes, for busy hosts


def small() -> Model:
    """CPU 0 runs "eats" for 400 µs while "waits" is blocked, then wakes it on CPU 1; a check fails."""
    eats, waits = 0, 1
    source = "kernel/sched/sched.c"
    return Model(
        title="eats and waits",
        end=1000 * _US,
        threads=(Thread(eats, "eats", 11, 11, "eats"), Thread(waits, "waits", 12, 12, "waits")),
        spans=(
            Span(eats, "running", 0, 1000 * _US, 0, "picked", "", f"{source}:119"),
            Span(waits, "blocked", 0, 400 * _US, 1, "in read()", "itself", f"{source}:144"),
            Span(waits, "ready", 400 * _US, 500 * _US, 1, "woken (event)", "eats 11", f"{source}:187"),
            Span(waits, "running", 500 * _US, 1000 * _US, 1, "picked", "", f"{source}:119"),
        ),
        calls=(Call(waits, "read", 0, 600 * _US, "1"),),
        arrows=(
            Arrow("wake", 400 * _US, 400 * _US, eats, 0, waits, 1, 500 * _US, "eats 11 wakes waits 12"),
        ),
        marks=(Mark(700 * _US, "failure", "a check failed", waits, 1, "kernel/x.c:7"),),
        records=tuple(Entry(i * 10 * _US, f"record {i}", i % 2, i % 2) for i in range(100)),
    )


def large(records: int) -> Model:
    """As many records as asked for, of 300 threads on 4 CPUs."""
    threads = tuple(Thread(i, f"worker{i}", 10 + i, 10 + i // 3, f"job{i // 3}") for i in range(300))
    spans, arrows, entries = [], [], []
    until = [0] * len(threads)
    for i in range(records // 2):
        who, begin = i * 7 % 300, i * 500
        spans.append(Span(who, "blocked", until[who], begin, i % 4, "waits", "itself"))
        spans.append(Span(who, "running", begin, begin + 450, i % 4, "picked"))
        until[who] = begin + 450
        arrows.append(Arrow("wake", begin, begin, who, i % 4, (who + 1) % 300, (i + 1) % 4))
        entries += [Entry(begin, "woken", who, i % 4), Entry(begin, "picked", who, i % 4)]
    end = records * 250 + 1000
    return Model("many", end, threads, tuple(spans), 0, "", arrows=tuple(arrows), records=tuple(entries))


class Page(unittest.TestCase):
    browser: Browser
    folder: Path

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.browser = Browser(1280, 800)
        cls.addClassCleanup(cls.browser.__exit__, None, None, None)

    def load(self, model: Model) -> Browser:
        path = self.folder / "page.html"
        write_page(model, path)
        self.browser.errors.clear()
        self.browser.load(path)
        return self.browser

    def tearDown(self) -> None:
        self.assertEqual(self.browser.errors, [])

    def in_view(self) -> int:
        """How many records the list has."""
        found = re.search(r"of ([\d,]+)", self.browser.text("count"))
        return int(found[1].replace(",", "")) if found else 0

    def cpu_lane(self, cpu: int) -> float:
        top: float = self.browser.run("document.getElementById('canvas').getBoundingClientRect().top")
        return top + _AXIS + (cpu + 0.5) * _CPU_LANE

    def thread_lane(self, number: int, cpus: int = 2) -> float:
        """Of threads that are one in each process."""
        gap = _GAP if cpus else 0
        return self.cpu_lane(0) + (cpus - 0.5) * _CPU_LANE + gap + _THREAD_LANE / 2 + number * (
            _THREAD_LANE + _BETWEEN)  # fmt: skip

    def pixel(self, x: float, y: float) -> list[int]:
        script = f"""(() => {{
            const c = document.getElementById("canvas"), box = c.getBoundingClientRect();
            return [...c.getContext("2d").getImageData({x} - box.left, {y} - box.top, 1, 1).data];
        }})()"""
        found: list[int] = self.browser.run(script)
        return found


class Small(Page):
    def setUp(self) -> None:
        self.load(small())
        self.browser.key("Escape")  # it begins at the failure
        self.browser.key("0")

    def test_it_begins_at_the_failure(self) -> None:
        self.load(small())
        self.assertIn("a check failed", self.browser.text("detail-title"))
        self.assertIn("kernel/x.c:7", self.browser.text("detail"))
        self.assertFalse(self.browser.run("document.getElementById('failure').hidden"))

    def test_pointing_says_what_it_is_why_and_where(self) -> None:
        self.browser.move(300, self.thread_lane(1))
        tip = self.browser.text("tip")
        for words in ("waits 12: blocked", "for 400.0 µs", "why in read()", "by itself",
                      "call read()", "kernel/sched/sched.c:144"):  # fmt: skip
            self.assertIn(words, tip)
        self.browser.move(300, self.thread_lane(0))
        self.assertIn("eats 11: running", self.browser.text("tip"))

    def test_a_click_pins(self) -> None:
        self.browser.click(300, self.thread_lane(1))
        self.browser.move(300, 700)
        self.assertTrue(self.browser.run("document.getElementById('tip').hidden"))
        self.assertIn("waits 12: blocked", self.browser.text("detail-title"))
        self.browser.key("Escape")
        self.assertIn("Nothing", self.browser.text("detail-title"))

    def test_the_wheel_zooms_and_dragging_moves(self) -> None:
        self.assertEqual(self.in_view(), 100)
        for _ in range(4):
            self.browser.wheel(*_MIDDLE, -200)
        zoomed = self.in_view()
        self.assertTrue(10 < zoomed < 60, zoomed)
        first = self.browser.text("rows")[:8]
        self.browser.mouse("mousePressed", 640, 300, button="left", clickCount=1)
        for x in range(640, 300, -40):
            self.browser.mouse("mouseMoved", x, 300, button="left", buttons=1)
        self.browser.mouse("mouseReleased", 300, 300, button="left", clickCount=1)
        self.browser.settle()
        self.assertNotEqual(self.browser.text("rows")[:8], first)
        self.assertAlmostEqual(self.in_view(), zoomed, delta=2)

    def test_two_fingers_zoom(self) -> None:
        self.browser.send("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)
        self.browser.touch("touchStart", (500, 300), (600, 300))
        for apart in range(10, 130, 10):
            self.browser.touch("touchMove", (500 - apart, 300), (600 + apart, 300))
        self.browser.touch("touchEnd")
        self.browser.settle()
        self.browser.send("Emulation.setTouchEmulationEnabled", enabled=False)
        self.assertTrue(10 < self.in_view() < 60, self.in_view())

    def test_keys_alone_will_do(self) -> None:
        self.browser.run("document.getElementById('chart').focus()")
        for key, expected in (
            *(("ArrowUp", "eats 11: running"), ("ArrowDown", "waits 12: running")),
            *(("ArrowLeft", "waits 12: ready"), ("ArrowLeft", "waits 12: blocked")),
            *(("ArrowLeft", "waits 12: blocked"), ("ArrowRight", "waits 12: ready")),
        ):
            self.browser.key(key)
            self.assertEqual(self.browser.text("status").split(",")[0], expected)
        self.browser.key("+")
        self.assertLess(self.in_view(), 100)
        self.browser.key("0")
        self.assertEqual(self.in_view(), 100)

    def test_g_goes_to_the_cause(self) -> None:
        self.browser.click(860, self.thread_lane(1))
        self.assertIn("waits 12: running", self.browser.text("status"))
        self.browser.key("g")
        self.assertIn("eats 11 wakes waits 12", self.browser.text("status"))
        self.browser.key("g")
        self.assertIn("eats 11: running", self.browser.text("status"))

    def test_an_arrow_leads_to_both_ends(self) -> None:
        self.browser.click(860, self.thread_lane(1))
        self.browser.key("g")
        for n, expected in ((0, "eats 11: running"), (1, "waits 12: ready")):
            self.browser.run(f"document.querySelectorAll('#detail button')[{n}].click()")
            self.assertIn(expected, self.browser.text("status"))
            self.browser.click(860, self.thread_lane(1))
            self.browser.key("g")

    def test_the_search_leaves_only_what_matches(self) -> None:
        self.browser.key("/")
        for letter in "waits":
            self.browser.key(letter)
        self.assertEqual(self.in_view(), 50)
        self.browser.move(300, self.thread_lane(0))
        self.assertIn("waits 12", self.browser.text("tip"))

    def test_a_record_leads_to_its_place(self) -> None:
        self.browser.run("document.querySelectorAll('#rows button')[45].click()")
        self.browser.settle()
        self.assertIn("waits 12: ready", self.browser.text("detail-title"))
        self.assertIn("record 45", self.browser.run("document.querySelector('tr.now').textContent"))

    def test_light_and_dark(self) -> None:
        light = self.pixel(300, self.thread_lane(0))
        self.assertEqual(light[:3], [0x00, 0x87, 0x5F])
        paper = self.pixel(640, 640)
        self.browser.key("l")
        self.assertNotEqual(self.pixel(300, self.thread_lane(0)), light)
        self.assertLess(sum(self.pixel(640, 640)[:3]), sum(paper[:3]) / 4)

    def test_lanes_by_choice(self) -> None:
        self.browser.key("t")
        self.browser.move(300, self.thread_lane(0, cpus=0))
        self.assertIn("eats 11", self.browser.text("tip"))
        self.browser.key("c")
        self.browser.move(860, self.cpu_lane(1))
        self.assertIn("waits 12: running", self.browser.text("tip"))


class Large(Page):
    def test_a_hundred_thousand_records_stay_smooth(self) -> None:
        self.load(large(100_000))
        self.assertEqual(self.in_view(), 100_000)
        took = self.browser.run("""(async () => {
            const later = window.requestAnimationFrame.bind(window), took = [];
            window.requestAnimationFrame = (f) => later((t) => {
                const begin = performance.now();
                f(t);
                took.push(performance.now() - begin);
            });
            for (let i = 0; i < 30; i++) {
                document.getElementById("canvas").dispatchEvent(new WheelEvent("wheel",
                    { deltaY: i < 15 ? -60 : 60, clientX: 640, clientY: 300, cancelable: true }));
                await new Promise(later);
                await new Promise(later);
            }
            return took;
        })()""")
        self.assertGreaterEqual(len(took), 30)
        self.assertLess(sorted(took)[len(took) // 2], _DRAW_MS)
