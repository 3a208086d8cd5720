"""The pages of similar submissions: a click on a part shows it on the other side."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from grade.similar import pages
from grade.similar.sources import Entry
from grade.similar.tool import Compared, Fragment, Pair, Place
from tools.browser.driver import Browser

_LONG = "".join(f"\tline({n});\n" for n in range(500))


class SimilarTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="trellis-test-")
        self.addCleanup(folder.cleanup)
        parts = (Fragment(Place("a.c", 10, 20), Place("a.c", 400, 410), 90, False),
                 Fragment(Place("a.c", 30, 31), Place("a.c", 300, 301), 20, True))  # fmt: skip
        items = ((Place("a.c", 0, 499),),) * 2
        found = Compared(0.1, (9, 9), (False,) * 2, (0.5,) * 2, items, (Pair(0, 1, 0.8, parts),))
        entries = [Entry(name, {"a.c": _LONG}, digest=name) for name in ("ann", "bob")]
        self.pages = pages.write(pages.Report("06-kill", entries, 2, (), found, 50), Path(folder.name))

    def test_the_report_leads_to_the_pair(self) -> None:
        with Browser() as browser:
            browser.load(self.pages[0])
            link = browser.run("document.querySelector('td a').href")
            self.assertTrue(link.endswith("/pair-001.html"), link)
            self.assertEqual(browser.run("document.querySelectorAll('svg rect').length"), 2)
            self.assertEqual(browser.errors, [])

    def test_a_click_shows_the_part_on_the_other_side(self) -> None:
        below = ("(() => { const box = document.querySelectorAll('.sides > div')[1].getBoundingClientRect();"
                 "const part = document.getElementById('r0').getBoundingClientRect();"
                 "return part.top >= box.top && part.bottom <= box.bottom; })()")  # fmt: skip
        with Browser() as browser:
            browser.load(self.pages[1])
            self.assertFalse(browser.run(below))
            browser.run("document.getElementById('l0').click()")
            browser.settle()
            self.assertTrue(browser.run(below))
            self.assertLessEqual(browser.run("document.documentElement.scrollWidth"), 1440)
            self.assertEqual(browser.errors, [])
