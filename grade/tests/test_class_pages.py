"""Tables and pages of a class: what students wrote stays text, and everything is in them."""

import csv
import io
import unittest
from dataclasses import replace

from grade.course import gradebook, pages, plot, records
from grade.course.records import Override
from grade.course.roster import Student
from grade.course.store import opened
from grade.formats.page import POLICY
from grade.lab import EXPLORER
from grade.results import Report
from grade.tests import fake_class
from grade.tests.fake import AtHome
from grade.tests.fake_class import FakeGrader, hand_in
from grade.tests.markup import Checker
from grade.verdict import Kind

_EVIL = "\"><script>alert('x')</script>\n&amp;"


class EvilGrader(FakeGrader):
    """Its reports are full of markup."""

    def grade(self, *arguments: object) -> Report:
        failure = fake_class.failure(like=_EVIL, happened=_EVIL)
        failure = replace(failure, test=_EVIL, expected=_EVIL, where=_EVIL, trace=(_EVIL,), details=(_EVIL,),
                          replay=_EVIL, kind="forged")  # fmt: skip
        return fake_class.report(11, (failure,))


class Case(AtHome):
    def setUp(self) -> None:
        super().setUp()
        self.out = self.home / "book"

    def book(self, students: tuple[Student, ...] = (), grader: FakeGrader | None = None,
             overrides: tuple[Override, ...] = (), **texts: str) -> dict[str, str]:  # fmt: skip
        """The files of a graded class of the hand-ins @texts."""
        folder = self.home / "handins"
        folder.mkdir()
        for name, text in texts.items():
            hand_in(folder, name, text)
        with opened(self.home / "class.db", create=True) as store:
            fake_class.grade(store, self.lab, folder, grader or FakeGrader(), students=students)
            for new in overrides:
                records.override(store, self.lab.name, new)
            written = gradebook.write(store, self.lab.name, self.out)
        return {path.name: path.read_bytes().decode() for path in written}


class Pages(Case):
    def test_a_students_page_says_everything(self) -> None:
        files = self.book((Student("ann", "Ann Lee", "a@x"),), ann="11",
                          overrides=(Override("ann", "+", 2, "an appeal", "prof"),))  # fmt: skip
        text = " ".join(Checker(files["student-ann.html"]).text.split())
        for words in ("Ann Lee", "13 of 15 points", "graded: 11 points", "plus 2 points by prof: an appeal",
                      "P4.2: All who are due wake.", "all wake", "they left", "It forgets. (mistake 4.4)",
                      "why 2", "2 more runs", "> 1 a", "said <b>", "grade/trellis-grade replay"):  # fmt: skip
            self.assertIn(words, text)

    def test_pages_of_those_who_have_left_go(self) -> None:
        self.out.mkdir()
        for name in ("student-gone.html", "notes.html"):
            (self.out / name).write_text("old")
        self.book(ann="11")
        self.assertEqual(
            sorted(path.name for path in self.out.glob("*.html")),
            ["index.html", "notes.html", "student-ann.html"],
        )

    def test_the_moment_of_a_failure_is_as_the_report_shows_it(self) -> None:
        lines = ("          µs  CPU 0", "     1.0  2 -> 3", "> 2.5  3 is <late>", "     9.0  idle")

        class Late(FakeGrader):
            def grade(self, *arguments: object) -> Report:
                late = replace(fake_class.failure(), trace=lines)
                steps = replace(late, test="sleep.race", arch=EXPLORER, where="x:1/2", trace=())
                return fake_class.report(10, (late, replace(late, test="sleep.b"), steps))

        page = self.book(grader=Late(), ann="11")["student-ann.html"]
        found = Checker(page)
        self.assertEqual(found.text.count("\n".join(lines)), 2)
        self.assertIn("<mark>&gt; 2.5  3 is &lt;late&gt;</mark>", page)
        self.assertEqual(page.count("<mark>"), 2)
        opened = [name for tag, name, _ in found.attributes if tag == "details"]
        self.assertEqual(opened, ["open"], "the first one alone")
        self.assertIn("sleep.due (riscv, 1 CPU, seed 1)", found.text)
        self.assertIn("sleep.race (explorer, 1 CPU)", found.text)
        self.assertIn("The steps", found.text)
        self.assertLess(len(page), 8 << 10)

    def test_the_class_page_says_everything(self) -> None:
        students = tuple(Student(i, "", "") for i in ("ann", "bob", "eve", "zoe"))
        files = self.book(students, ann="11", bob="11", eve="15", mallory="3")
        page = Checker(files["index.html"])
        text = " ".join(page.text.split())
        for words in ("5 students: 4 graded, 1 missing", "mean 10 of 15", "All who are due wake.",
                      "3It forgets. (mistake 4.4)", "same filesann, bob",
                      "not on the rostermallory"):  # fmt: skip
            self.assertIn(words, text)
        self.assertIn("svg", page.tags)
        linked = {value for tag, name, value in page.attributes if (tag, name) == ("a", "href")}
        self.assertEqual(linked, {name for name in files if name.startswith("student-")})

    def test_a_stub_is_told_once_and_is_no_known_mistake(self) -> None:
        class Stubs(FakeGrader):
            def grade(self, *arguments: object) -> Report:
                stub = fake_class.failure(kind=Kind.UNWRITTEN.value, happened="not written yet: claim")
                return fake_class.report(0, (stub, replace(stub, test="sleep.early"), replace(stub, cpus=2)))

        files = self.book(grader=Stubs(), ann="0")
        page = Checker(files["student-ann.html"]).text
        self.assertEqual(page.count("not written yet: claim"), 1)
        self.assertIn("sleep.due, sleep.early", page)
        self.assertNotIn("mistake 4.4", Checker(files["index.html"]).text)

    def test_a_page_of_what_does_not_compile_says_why_and_no_more(self) -> None:
        class Broken(FakeGrader):
            def grade(self, *arguments: object) -> Report:
                failure = fake_class.failure(None, "a.c:1: error", Kind.BUILD.value)
                return fake_class.report(0, (replace(failure, details=("a.c:1: error: <;>",)),))

        page = Checker(self.book(grader=Broken(), ann="0")["student-ann.html"]).text
        self.assertIn("build error on riscv: no test of this lab could run", page)
        self.assertIn("a.c:1: error: <;>", page)
        for words in ("why 2", "sleep.due", "all wake"):
            self.assertNotIn(words, page)

    def test_what_students_write_is_no_markup(self) -> None:
        folder = "x<script>alert(1)<"
        students = (Student(folder, _EVIL, _EVIL),)
        overrides = (Override(folder, "=", 1, _EVIL, _EVIL),)
        files = self.book(students, EvilGrader(), overrides, **{folder: "1"})
        pages_found = [name for name in files if name.endswith(".html")]
        self.assertEqual(len(pages_found), 2)
        for name in pages_found:
            page = Checker(files[name])
            self.assertNotIn("script", page.tags)
            self.assertNotIn("<script", files[name])
            self.assertIn("alert", page.text)
            self.assertIn(("meta", "content", POLICY), page.attributes)

    def test_pages_need_no_network(self) -> None:
        files = self.book(ann="11")
        for name, content in files.items():
            self.assertNotIn("http:", content, name)
            self.assertNotIn("https:", content, name)
            for _, attribute, _ in Checker(content).attributes if name.endswith(".html") else ():
                self.assertNotIn(attribute, ("src", "onload", "onclick"))

    def test_each_student_has_a_page_of_a_harmless_name(self) -> None:
        ids = ["ann", "Ann", "../../etc/passwd", "a/b", "index", "é" * 300, "a b", "a_b", "con.txt", ""]
        names = [pages.page_name(i) for i in ids]
        self.assertEqual(len({n.casefold() for n in names}), len(ids))
        for name in names:
            self.assertRegex(name, r"^student-[a-z0-9_-]{0,90}\.html$")

    def test_a_class_in_which_nobody_was_graded(self) -> None:
        files = self.book((Student("ann", "", ""),))
        self.assertIn("1 missing", Checker(files["index.html"]).text)


class Tables(Case):
    def rows(self, text: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def test_who_has_what(self) -> None:
        students = (Student("ann", "Ann", "a@x"), Student("zoe", "Zoe", "z@x"))
        files = self.book(students, ann="11", bob="15")
        rows = {row["id"]: row for row in self.rows(files["gradebook.csv"])}
        self.assertEqual((rows["ann"]["points"], rows["ann"]["possible"]), ("11", "15"))
        self.assertEqual((rows["zoe"]["points"], rows["zoe"]["state"]), ("", "missing"))
        self.assertEqual(rows["bob"]["remark"], "not on the roster")
        moodle = self.rows(files["moodle.csv"])
        self.assertEqual([(r["ID number"], r["Grade"]) for r in moodle], [("ann", "11")],
                         "of a table with a stranger Moodle imports nothing")  # fmt: skip

    def test_no_cell_is_a_formula(self) -> None:
        evil = '=HYPERLINK("http://x","y")'
        students = (Student("@sum", evil, "+1"), Student("-2", "\t=1", " =1"))
        files = self.book(students, overrides=(Override("@sum", "=", 1, "=cmd()", "-x"),))
        for name in ("gradebook.csv", "moodle.csv"):
            for row in csv.reader(io.StringIO(files[name], newline="")):
                for cell in row:
                    self.assertFalse(cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")), cell)
        self.assertEqual(self.rows(files["gradebook.csv"])[1]["name"], f"'{evil}")
        # As a spreadsheet splits a row whose separator is set to the semicolon.
        self.assertEqual(gradebook.safe("Ann;=cmd();x; +1"), "Ann;'=cmd();x; '+1")


class Plots(unittest.TestCase):
    def test_every_value_is_in_one_bar(self) -> None:
        bars = plot.distribution([0, 0.5, 14.9, 15, 1.5, 20], 15)
        self.assertEqual([n for _, n in bars], [2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2])
        self.assertEqual((bars[0][0], bars[10][0]), ("0–", "15"))

    def test_a_tenth_begins_exactly_at_its_edge(self) -> None:
        for i in range(11):
            # 3.69 is a little less than 3 tenths of 12.3, to a computer.
            bars = plot.distribution([round(12.3 * i / 10, 4)], 12.3)
            self.assertEqual([n for _, n in bars].index(1), i)

    def test_labels_are_text(self) -> None:
        for drawn in (plot.upright("<b>", [("<i>", 1)]), plot.lying("<b>", [("<i>", 0)])):
            self.assertNotIn("<b>", drawn)
            self.assertNotIn("<i>", drawn)
            Checker(drawn)


if __name__ == "__main__":
    unittest.main()
