"""Progress on a pipe: from the first second, with counts."""

import contextlib
import io
import unittest

from tools.progress import Lines, spoken


class Progress(unittest.TestCase):
    def test_the_first_line_comes_at_once(self) -> None:
        with contextlib.redirect_stderr(io.StringIO()) as said:
            lines = Lines("tests", every=3600)
            lines.doing("building")
            lines.expect(3)
            lines.step("pipe")
            lines.close()
        self.assertEqual(said.getvalue(), "tests: building\n")
        self.assertRegex(lines.line(), r"^tests: 1 of 3, about \d+ s left: pipe$")

    def test_fewer_than_expected(self) -> None:
        lines = Lines("", every=3600)
        lines.expect(9)
        lines.step("a")
        lines.expect(-8)
        lines.close()
        self.assertEqual(lines.line(), "1 of 1, about 0 s left: a")

    def test_times_are_told_as_exactly_as_they_are_known(self) -> None:
        self.assertEqual([spoken(s) for s in (0, 89, 100, 7200)], ["0 s", "89 s", "2 min", "2 h"])


if __name__ == "__main__":
    unittest.main()
