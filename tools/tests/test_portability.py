"""make portability without machines: archives, verdicts compared, the table."""

import json
import tempfile
import unittest
from pathlib import Path
from typing import Any

from tools.portability import table
from tools.portability.__main__ import parse
from tools.portability.distributions import DISTRIBUTIONS, archives_of

_DEBIAN_12, _DEBIAN_13 = DISTRIBUTIONS[:2]


def _report(earned: float = 100, passed: int = 2, figure: int = 7) -> dict[str, Any]:
    test = {"arch": "riscv", "name": "a.b", "passed": passed, "runs": 2, "figures": {"steps": figure}}
    return {
        "labs": [
            {"name": "04-sleep", "points": 100, "earned": earned, "unjudged": [], "failures": [],
             "properties": [{"id": "P4.1", "points": 100, "earned": earned}], "tests": [test]},
        ]
    }  # fmt: skip


class ArchivesTest(unittest.TestCase):
    def test_are_this_machines(self) -> None:
        sources = ["http://one/debian-security/ stable-security", "http://one/debian/ stable",
                   "http://two/debian/ stable"]  # fmt: skip
        found = archives_of(sources, ['Acquire::Check-Date "false";', 'APT::Colour "1";',
                                      'Acquire::http::Proxy "http://p";'])  # fmt: skip
        self.assertEqual(found.addresses, {"debian": "http://one/debian/"})
        self.assertEqual(found.options, ['Acquire::Check-Date "false"', 'Acquire::http::Proxy "http://p"'])

    def test_options_name_parts_that_there_are(self) -> None:
        self.assertEqual(parse(["--only", "debian-13", "--parts", "grade"]).only, ("debian-13",))
        for wrong in (["--only", "slackware"], ["--parts", "dance"], ["--archive", "ubuntu"]):
            with self.assertRaises(SystemExit):
                parse(wrong)


class TableTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="trellis-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def graded(self, name: str, *reports: dict[str, Any]) -> None:
        (self.folder / name).mkdir()
        for number, report in enumerate(reports):
            (self.folder / name / f"root-{number}.json").write_text(json.dumps(report))

    def wrong(self, distribution: str, **solutions: dict[str, Any]) -> None:
        folder = self.folder / distribution / "wrong"
        folder.mkdir(parents=True)
        for name, report in solutions.items():
            (folder / f"{name}.json").write_text(json.dumps(report))

    def test_within_a_distribution_every_byte_counts(self) -> None:
        self.graded("debian-12", _report(), _report(figure=8))
        self.graded("debian-13", _report(), _report())
        self.assertFalse(all(r.ok for r in table.within(_DEBIAN_12, self.folder / "debian-12")))
        self.assertTrue(all(r.ok for r in table.within(_DEBIAN_13, self.folder / "debian-13")))

    def test_between_them_verdicts_do(self) -> None:
        self.graded("debian-12", _report())
        self.graded("debian-13", _report(figure=8))
        (same,) = table.between(self.folder, (_DEBIAN_12, _DEBIAN_13))
        self.assertTrue(same.ok, same.detail)

    def test_other_points_or_another_test_are_seen(self) -> None:
        self.graded("debian-12", _report())
        self.graded("debian-13", _report(earned=99))
        self.graded("debian-unstable", _report(passed=1))
        points, test = table.between(self.folder, DISTRIBUTIONS)
        self.assertFalse(points.ok)
        self.assertFalse(test.ok)

    def test_the_table_says_what_a_wrong_solution_loses_where(self) -> None:
        self.wrong("debian-12", early=_report(earned=60), late=_report(earned=70))
        self.wrong("debian-13", early=_report(earned=60), late=_report(earned=70))
        self.wrong("debian-unstable", early=_report(earned=60), late=_report(earned=71))
        self.wrong("ubuntu-24.04", early=_report(earned=60))
        rows = list(table._table_of_wrong(self.folder))[2:]
        self.assertEqual(rows, ["| early | P4.1 | 60 | 60 | 60 | 60 |", "| late | P4.1 | 70 | 70 | 71 | - |"])

    def test_the_table_has_a_row_for_each_that_was_only_tested(self) -> None:
        self.assertEqual(table.table(self.folder), "nothing has been graded or tested")
        (self.folder / "ubuntu-24.04").mkdir()
        (self.folder / "ubuntu-24.04" / "test").write_text("7 passed, 0 failed")
        row = "| Ubuntu 24.04 | - | -, - | - | - | 7 passed, 0 failed |"
        self.assertEqual(table.table(self.folder).splitlines()[2:], [row])
        self.graded("debian-13", _report())
        self.assertEqual(table.table(self.folder).splitlines()[3:], [row])

    def test_the_table_has_a_row_for_each_that_was_graded(self) -> None:
        self.graded("debian-13", _report(), _report())
        versions = "QEMU 10.0\nGCC for RISC-V 14.2\nGCC for x86_64 14.1\n"
        (self.folder / "debian-13" / "versions").write_text(versions)
        lines = table.table(self.folder).splitlines()
        self.assertEqual(lines[2:], ["| Debian 13 | 10.0 | 14.2, 14.1 | 2 of 2 | 100 | - |"])


if __name__ == "__main__":
    unittest.main()
