"""Similar submissions: right solutions are not alike, copies are, and nothing that students write is more
than text."""

import contextlib
import io
import json
import re
import shutil
import subprocess
import tempfile
import unittest
from collections.abc import Mapping, Sequence
from pathlib import Path
from unittest.mock import patch

from grade import cli
from grade.course import records
from grade.course.entries import read as read_entry
from grade.course.roster import Student
from grade.course.store import opened
from grade.lab import choose, load_all
from grade.similar import pages, sources, tool
from grade.similar.sources import Entry
from grade.similar.tool import Compared, Fragment, Pair, Place
from grade.tests.disguise import disguised, padded
from grade.tests.fake import ROOT
from grade.tests.markup import Checker
from labs import contents
from labs.stage import starter_files

_LAB = choose(ROOT, ["06-kill"])[0]
_EVIL = "</pre><script>alert('x')</script>\"&amp;"
Files = Mapping[str, str]


def kernels(lab_name: str = _LAB.name) -> list[Files]:
    """The reference of a lab, and its variants."""
    return tool.controls(ROOT, choose(ROOT, [lab_name])[0])


def starter() -> dict[str, str]:
    return sources.texts(starter_files(ROOT, _LAB))


def compared(cohort: Sequence[Files], earlier: Sequence[Files] = (), threshold: int = 1) -> Compared:
    return tool.compare(ROOT, _LAB, cohort, earlier, threshold)


def scores(found: Compared) -> dict[tuple[int, int], float]:
    return {(pair.left, pair.right): pair.score for pair in found.pairs}


class EveryLab(unittest.TestCase):
    rest = True

    def test_right_solutions_are_not_alike_but_copies_are(self) -> None:
        for lab in load_all(ROOT):
            right = kernels(lab.name)
            found = tool.compare(ROOT, lab, [*right, *map(disguised, right)], [], tool.THRESHOLD)
            score = scores(found)
            for (a, b), value in score.items():
                if a % len(right) != b % len(right):
                    self.assertLess(100 * value, tool.THRESHOLD, (lab.name, a, b))
            for i in range(len(right)):
                with self.subTest(lab=lab.name, kernel=i):
                    self.assertEqual(score.get((i, i + len(right))), 1)
            self.assertLess(100 * found.controls, tool.THRESHOLD)


class Scores(unittest.TestCase):
    def test_idle_statements_do_not_hide_a_copy(self) -> None:
        """As far as it has something that the reference has not."""
        own = kernels()[3]
        found = compared([own, disguised(padded(own, 20))])
        self.assertGreater(found.pairs[0].score, tool.THRESHOLD / 100)
        self.assertLess(found.pairs[0].score, 1)

    def test_starters_have_nothing_in_common(self) -> None:
        found = compared([starter(), starter()])
        self.assertEqual((found.pairs, found.sizes, found.items), ((), (0, 0), ((), ())))

    def test_code_of_the_starter_does_not_count(self) -> None:
        """Two who have written one function each, in files that are otherwise the starter's."""
        mine = "\nint one(void)\n{\n\tfor (int i = 0; i < 9; i++)\n\t\tg(i, i + 1, h(i));\n\treturn 7;\n}\n"
        theirs = "\nvoid two(int *p)\n{\n\twhile (*p > 0)\n\t\tif (k(*p--) == 3)\n\t\t\t*p = -*p;\n}\n"
        path = _LAB.files[0]
        found = compared([{**starter(), path: starter()[path] + more} for more in (mine, theirs, mine)])
        self.assertEqual(scores(found), {(0, 2): 1})
        first = starter()[path].count("\n") + 1
        self.assertEqual(found.items[0], (Place(path, first, first + 5),))

    def test_a_function_that_others_call_keeps_its_name(self) -> None:
        path = _LAB.files[0]
        pop = "list_pop(x); "
        text = f"\nvoid a(struct list *x)\n{{\n\t{pop}NAME(x); {3 * pop}\n}}\n"
        cohort = [{**starter(), path: starter()[path] + text.replace("NAME", name)}
                  for name in ("mine", "yours", "list_remove")]  # fmt: skip
        score = scores(compared(cohort))
        self.assertEqual(score[0, 1], 1)
        self.assertLess(score.get((0, 2), 0), 1)

    def test_an_earlier_cohort_is_compared_with_this_one_alone(self) -> None:
        right = kernels()
        found = compared([right[1]], [disguised(right[1]), right[1], right[2]])
        self.assertEqual({(p.left, p.right) for p in found.pairs if p.score == 1}, {(0, 1), (0, 2)})
        self.assertFalse([p for p in found.pairs if p.left > 0])

    def test_without_a_fence_it_says_so(self) -> None:
        right, said = kernels()[0], io.StringIO()
        with patch("grade.similar.tool.qemu.why_no_bubblewrap", return_value="no bwrap"):
            with contextlib.redirect_stderr(said):
                compared([right, right])
        self.assertIn("is not fenced in: no bwrap", said.getvalue())

    def test_a_threshold_chooses_the_pairs_with_fragments(self) -> None:
        right = kernels()
        found = compared([right[1], right[2], disguised(right[1])], threshold=90)
        self.assertEqual([p.fragments is not None for p in found.pairs], [True, False, False])

    def test_fragments_are_where_the_files_are_the_same(self) -> None:
        own = kernels()[3]
        pair = compared([own, own]).pairs[0]
        assert pair.fragments
        for fragment in pair.fragments:
            self.assertEqual(fragment.left, fragment.right)
        longest = pair.fragments[0]
        self.assertEqual(longest.tokens, max(f.tokens for f in pair.fragments))
        self.assertGreater(longest.left.lines, 10)
        self.assertEqual({f.known for f in pair.fragments}, {True, False})

    def test_the_part_that_the_reference_has(self) -> None:
        right = kernels()
        known = compared([right[0], right[1]]).known
        self.assertEqual(known[0], 1)
        self.assertTrue(0.4 < known[1] < 0.9, known)


class Hostile(unittest.TestCase):
    """Files that are no C, or that ask for too much work."""

    def with_text(self, text: str) -> dict[str, str]:
        return {**starter(), _LAB.files[0]: text}

    def test_texts_that_are_no_c(self) -> None:
        size = sources.MAX_SIZE // 16
        texts = ["(" * size, "{" * size, "f(" * size, "/*" * size, '"' * size, "a<" * size, "#if 1\n" * size,
                 "\0\ufffd\r\n" * size, "void f(){" + "if(x)" * size, ""]  # fmt: skip
        found = compared([self.with_text(text) for text in texts])
        self.assertEqual(len(found.sizes), len(texts))

    def test_more_tokens_than_anybody_writes(self) -> None:
        found = compared([self.with_text("int f(void) { return 1; }\n" * 5000), kernels()[1]])
        self.assertEqual(found.refused, (True, False))
        self.assertEqual(found.pairs, ())

    def test_a_function_that_repeats_itself(self) -> None:
        text = "void f(void)\n{\n" + "\ta = b;\n" * 3000 + "}\n"
        found = compared([self.with_text(text), self.with_text(text + "\n")])
        self.assertEqual(found.pairs[0].score, 1)
        self.assertEqual([f.left for f in found.pairs[0].fragments or ()], [Place(_LAB.files[0], 0, 3002)])

    def test_a_file_that_is_too_long(self) -> None:
        entry = sources.entry("ann", {"a.c": b"x" * (sources.MAX_SIZE + 1)}, None)
        self.assertEqual((entry.files, entry.why), (None, "a.c: larger than 256 KiB"))


class Pages(unittest.TestCase):
    def setUp(self) -> None:
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.out = Path(home.name)

    def written(self, names: Sequence[str], pairs: Sequence[Pair], text: str = "", own: int = 0,
                threshold: int = 50, controls: float = 0.1) -> dict[str, str]:  # fmt: skip
        count = len(names)
        found = Compared(controls, (9,) * count, (False,) * count, (0.5,) * count,
                         ((Place("a.c", 0, 2),),) * count, tuple(pairs))  # fmt: skip
        text = text or "one\ntwo\nthree\nfour\n"
        entries = [Entry(name, {"a.c": text}, digest=name) for name in names]
        left_out = [Entry(_EVIL, None, _EVIL)]
        report = pages.Report("04-sleep", entries, own or count, left_out, found, threshold)
        return {path.name: path.read_text("utf-8") for path in pages.write(report, self.out)}

    @staticmethod
    def fragment(left: tuple[int, int], right: tuple[int, int], known: bool = False) -> Fragment:
        return Fragment(Place("a.c", *left), Place("a.c", *right), 20, known)

    def test_all_that_students_write_is_text(self) -> None:
        pair = Pair(0, 1, 0.9, (self.fragment((0, 1), (1, 2)),))
        files = self.written([_EVIL, "bob"], [pair], f"{_EVIL}\n\u202e{_EVIL}\n\x1b[2J\r\nfour\n")
        self.assertEqual(set(files), {"index.html", "pair-001.html"})
        for page in files.values():
            read = Checker(page)
            self.assertNotIn("script", read.tags)
            self.assertIn(_EVIL, read.text)
            self.assertNotRegex(page, "[\x1b\u202e]")
            for tag, name, value in read.attributes:
                self.assertFalse(name.startswith("on") or name == "src", (tag, name, value))
                if name == "href":
                    self.assertRegex(value, r"^(index\.html|pair-\d+\.html|#[lr]\d+)$")

    def test_each_part_leads_to_the_same_one_of_the_other_side(self) -> None:
        fragments = (self.fragment((0, 1), (2, 3)), self.fragment((3, 3), (0, 0), known=True))
        page = self.written(["ann", "bob"], [Pair(0, 1, 0.9, fragments)])["pair-001.html"]
        blocks = dict(re.findall(r'id="([lr]\d)" class="[^"]*" href="#([lr]\d)"', page))
        self.assertEqual(blocks, {"l0": "r0", "l1": "r1", "r0": "l0", "r1": "l1"})
        self.assertEqual(len(re.findall(r'class="f1 known"', page)), 2)
        parts = {name: re.sub("<[^>]*>", "", text).split() for name, text in
                 re.findall(r'id="([lr]\d)"[^>]*>(.*?)</a>', page, re.S)}  # fmt: skip
        self.assertEqual(parts, {"l0": ["1", "one", "2", "two"], "l1": ["4", "four"],
                                 "r0": ["3", "three", "4", "four"], "r1": ["1", "one"]})  # fmt: skip

    def test_a_part_inside_of_another_one_has_no_link(self) -> None:
        places = (((0, 2), (0, 2)), ((1, 1), (3, 3)), ((3, 3), (1, 1)), ((3, 3), (3, 3)))
        fragments = tuple(self.fragment(*both) for both in places)
        page = self.written(["ann", "bob"], [Pair(0, 1, 0.9, fragments)])["pair-001.html"]
        ids = set(re.findall(r' id="(\w+)"', page))
        self.assertEqual(ids, {"l0", "l1", "r0", "r1"})
        self.assertEqual(set(re.findall(r'href="#(\w+)"', page)), ids)

    def test_lines_of_the_starter_are_pale(self) -> None:
        page = self.written(["ann", "bob"], [Pair(0, 1, 0.9, ())])["pair-001.html"]
        self.assertEqual(re.findall(r'class="given">(\w+)<', page), ["four", "four"])

    def test_pairs_and_clusters(self) -> None:
        pairs = [Pair(0, 1, 1.0, (self.fragment((0, 2), (0, 2)), self.fragment((2, 3), (2, 3), True))),
                 Pair(1, 2, 0.7, ()), Pair(3, 4, 0.5, ()), Pair(0, 3, 0.499)]  # fmt: skip
        files = self.written(["ann", "bob", "cy", "di", "ed"], pairs)
        self.assertEqual(len(files), 4)
        text = re.sub(r"<[^>]+>", "|", files["index.html"])
        self.assertIn("||100 %|||ann||bob||3||4||3|", text)
        self.assertIn("|3||ann, bob, cy|", text)
        self.assertIn("|2||di, ed|", text)
        self.assertIn("|ann||9||50 %||100 %||bob|", text)

    def test_all_pairs_are_in_the_distribution(self) -> None:
        """Two of this year and three earlier ones: 1 + 2 * 3 pairs, of which five have nothing in common."""
        found = [Pair(0, 2, 0.95), Pair(0, 1, 0.31)]
        page = self.written(["ann", "bob", "x", "y", "z"], found, own=2)["index.html"]
        pairs = page.split("how many pairs")[1].split("</svg>")[0]
        self.assertEqual(re.findall(r"<title>([^<]*)", pairs), ["0–: 5", "30–: 1", "90–: 1"])

    def test_a_threshold_that_right_solutions_reach(self) -> None:
        self.assertNotIn("too low", self.written(["ann"], [], threshold=11)["index.html"])
        self.assertIn("too low", self.written(["ann"], [], threshold=10)["index.html"])

    def test_pairs_without_a_page(self) -> None:
        page = self.written(["ann", "bob", "cy"], [Pair(0, 1, 0.9, ()), Pair(0, 2, 0.8)])["index.html"]
        self.assertIn("The last 1 have no page.", page)


class Command(unittest.TestCase):
    def setUp(self) -> None:
        home = tempfile.TemporaryDirectory()
        self.addCleanup(home.cleanup)
        self.home = Path(home.name)
        self.folder = self.home / "handins"
        self.folder.mkdir()

    def hand_in(self, name: str, files: Files, folder: Path | None = None) -> None:
        for path, text in files.items():
            target = (folder or self.folder) / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)

    def grade(self, *words: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.main(["similar", "--lab", _LAB.name, "--out", str(self.home / "out"), *words])
        return status, out.getvalue(), err.getvalue()

    def index(self) -> str:
        return re.sub(r"<[^>]+>", "|", (self.home / "out/index.html").read_text())

    def test_folders_of_two_years(self) -> None:
        right = kernels()
        self.hand_in("ann", right[1])
        self.hand_in("bob_123", disguised(right[2]))
        (self.folder / "cy.zip").write_bytes(b"no archive")
        (self.home / "old").mkdir()
        self.hand_in("zoe", right[2], self.home / "old")
        (self.home / "roster.csv").write_text("id,name\nann,Ann\nbob,Bob\n")
        status, out, err = self.grade(str(self.folder), "--earlier", str(self.home / "old"), "--roster",
                                      str(self.home / "roster.csv"))  # fmt: skip
        self.assertEqual((status, err), (0, ""))
        self.assertIn("2 submissions and 1 of earlier years: 1 pair at 50 % or more; 2 files in", out)
        self.assertIn(f"100 %|||bob||zoe ({self.home}/old)|", self.index())
        self.assertIn("|cy||not taken: it is no archive", self.index())

    def test_a_class_that_is_stored(self) -> None:
        right = kernels()
        self.hand_in("ann", right[1])
        self.hand_in("bob", right[1])
        with opened(self.home / "class.db", create=True) as store:
            records.assign(store, records.Assignment(_LAB.name, self.folder, ("riscv",), None, "judge"))
            for name in ("ann", "bob"):
                known = Student(name, "", "")
                records.hand_in(store, _LAB.name, read_entry(name, self.folder / name, _LAB, known), None)
        shutil.rmtree(self.folder)
        status, out, err = self.grade(str(self.home / "class.db"))
        self.assertEqual((status, err), (0, ""))
        self.assertIn("|100 %|||ann||bob|", self.index())
        self.assertIn("same files to the byte", self.index())

    def test_nothing_to_compare(self) -> None:
        status, _, err = self.grade(str(self.folder))
        self.assertEqual(status, 2)
        self.assertIn(f"{self.folder}: has no submission of 06-kill that can be compared", err)

    def test_without_node(self) -> None:
        self.hand_in("ann", starter())
        with patch.dict("os.environ", PATH=str(self.home)):
            status, _, err = self.grade(str(self.folder))
        self.assertEqual(status, 2)
        self.assertIn("apt-get install -y --no-install-recommends nodejs npm", err)
        self.assertIn("npm ci --prefix grade/similar", err)


class Installed(unittest.TestCase):
    def checked(self, lock: str | None) -> tuple[int, str]:
        """Status and words of check.mjs if npm has left @lock."""
        with tempfile.TemporaryDirectory() as name:
            for file in ("check.mjs", "package-lock.json"):
                shutil.copy(ROOT / "grade/similar" / file, name)
            if lock is not None:
                Path(name, "node_modules").mkdir()
                Path(name, "node_modules/.package-lock.json").write_text(lock)
            argv = ["node", f"{name}/check.mjs"]
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            return done.returncode, done.stdout

    def test_packages_that_are_missing_or_others(self) -> None:
        lock = (ROOT / "grade/similar/package-lock.json").read_text()
        self.assertEqual(self.checked(lock), (0, ""))
        self.assertEqual(self.checked(None), (1, "npm packages are missing\n"))
        self.assertEqual(self.checked(lock.replace("sha512-l", "sha512-m")),
                         (1, "npm packages are of another version\n"))  # fmt: skip

    def test_the_lock_file_pins_every_package_and_names_no_registry(self) -> None:
        lock = json.loads((ROOT / "grade/similar/package-lock.json").read_text())
        wanted = json.loads((ROOT / "grade/similar/package.json").read_text())["dependencies"]
        for name, version in wanted.items():
            self.assertEqual(lock["packages"][f"node_modules/{name}"]["version"], version)
        for name, about in lock["packages"].items():
            self.assertNotIn("resolved", about)
            self.assertTrue(not name or about["integrity"].startswith("sha512-"), name)

    def test_students_do_not_get_it(self) -> None:
        names = [str(path.relative_to(ROOT)) for path in (ROOT / "grade/similar").iterdir()]
        self.assertFalse(contents.programs(ROOT) & set(names))
        self.assertFalse([name for name in names if contents._SHIPPED.fullmatch(name)])
