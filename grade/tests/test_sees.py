"""The page that shows which test sees which mutant."""

import unittest
from pathlib import Path

from grade import sees
from grade.lab import load_all

ROOT = Path(__file__).resolve().parent.parent.parent


class Page(unittest.TestCase):
    def setUp(self) -> None:
        self.lab = next(lab for lab in load_all(ROOT) if lab.name == "04-sleep")
        self.tests = [test.name for test in self.lab.tests]
        self.all_seen = sees.Seen("everything-wrong", "P4.1", tuple(self.tests))

    def test_a_test_that_sees_nothing_is_unneeded(self) -> None:
        most = sees.Seen("half-wrong", "P4.1", tuple(self.tests[1:]))
        self.assertEqual(sees.unneeded(self.lab, [most]), [self.tests[0]])
        self.assertEqual(sees.unneeded(self.lab, [most, self.all_seen]), [])

    def test_counts_what_one_test_alone_sees(self) -> None:
        one = sees.Seen("slightly-wrong", "P4.1", (self.tests[2],))
        page = sees.section(self.lab, [self.all_seen, one])
        self.assertIn(f"| 3 | `{self.tests[2]}` | 2 | 1 |", page)
        self.assertIn("slightly-wrong    P4.1   ··x·", page)

    def test_a_page_is_read_again(self) -> None:
        part = sees.section(self.lab, [self.all_seen])
        self.assertEqual(sees.sections(f"# Title\n\n{part}\n## other\n\ntext\n"),
                         {"04-sleep": part, "other": "## other\n\ntext\n"})  # fmt: skip


if __name__ == "__main__":
    unittest.main()
