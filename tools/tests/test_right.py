"""Right kernels by machine: each operator on a small text, meanings that stay, losses that are seen."""

from __future__ import annotations

import subprocess
import tempfile
import unittest
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from unittest import mock

from grade import engine
from grade.build import Product, Reference
from grade.lab import EXPLORER, choose
from grade.score import Run
from grade.trace import Trace
from grade.verdict import Finding, Kind, Verdict
from tools.mutate import conditions, right, statements
from tools.mutate.edits import Change, applied
from tools.mutate.keepers import KEEPERS, Entry, Kernel, Place, changed, changes, together
from tools.mutate.keeping import Inside
from tools.mutate.right import Judge, Judged
from tools.mutate.store import Store
from tools.mutate.tree import Node, Source, parse
from tools.programs import ROOT
from tools.progress import Silent
from tools.tests import test_mutate

# A program for this machine: the kernel's functions, as far as the operators use them.
_PROGRAM = """\
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
typedef unsigned long u64;
typedef long s64;
int printf(const char *format, ...);
static int depth;
static char out[4096];
static int at;
static void say(int what) { out[at++] = (char)('a' + (what & 15)); }
static void kprintf(const char *text) { (void)text; }
static void irq_off(void) { depth++; }
static void irq_on(void) { depth--; }
static void lock(int *l) { say(++*l); }
static void unlock(int *l) { say(--*l); }
struct list_node { struct list_node *next, *prev; };
static bool list_empty(const struct list_node *h) { return h->next == h; }
static void list_insert_before(struct list_node *p, struct list_node *n)
{ n->next = p; n->prev = p->prev; p->prev->next = n; p->prev = n; }
static void list_push_back(struct list_node *h, struct list_node *n) { list_insert_before(h, n); }
static void list_remove(struct list_node *n)
{ n->prev->next = n->next; n->next->prev = n->prev; n->next = n->prev = n; }
static struct list_node *list_pop_node(struct list_node *h)
{ struct list_node *n = h->next; if (n == h) return NULL; list_remove(n); return n; }
static bool time_before(u64 a, u64 b) { return (s64)(a - b) < 0; }
struct thing { int a, b; bool done; int l; _Atomic unsigned count; struct list_node link; };
static int twice(const struct thing *t) { return t->a * 2; }
static void mark(struct thing *t, int by)
{
\tt->b += by;
\tsay(t->b);
}
"""
_FUNCTIONS = """\
static int work(struct thing *t, int n)
{
\tint left = n;
\tint turns = 0;
\tbool first;

\tif (t->done)
\t\treturn -1;
\tif (n > 3 && t->a < 9)
\t\tt->a += 1;
\telse
\t\tsay(n);
\tt->b = n;
\tfirst = t->done;
\twhile (left && turns < 8) {
\t\tturns++;
\t\tif (left == 2) {
\t\t\t--left;
\t\t\tcontinue;
\t\t}
\t\tmark(t, left);
\t\tleft -= 1;
\t}
\tfor (int i = 0; i < n; i++)
\t\tsay(i + twice(t));
\tdo {
\t\tsay(left++);
\t} while (left < 3);
\tlock(&t->l);
\tt->a = n;
\tunlock(&t->l);
\tt->b = 2;
\tt->done = n == 5;
\tif (atomic_fetch_sub_explicit(&t->count, 1, memory_order_relaxed) == 1)
\t\tsay(9);
\tatomic_fetch_add(&t->count, 3);
\tleft = twice(t);
\tif (first)
\t\tsay(left);
\treturn left;
}

static void queue(struct thing *t, u64 now)
{
\tstruct list_node head = { &head, &head }, *n;
\tunsigned old = atomic_load(&t->count);

\twhile (!atomic_compare_exchange_weak(&t->count, &old, old + 2)) {
\t}
\tlist_push_back(&head, &t->link);
\twhile ((n = list_pop_node(&head)))
\t\tsay(7);
\tif (time_before(now, now + (u64)t->a)) {
\t\tsay(t->a);
\t\tmark(t, 1);
\t}
}
"""
_MAIN = """\
int main(void)
{
\tfor (int n = 0; n < 12; n++) {
\t\tstruct thing t = { .a = n / 2, .done = n == 11, .count = (unsigned)(n % 3) };
\t\tint r = work(&t, n);

\t\tqueue(&t, ~0ul - (u64)(n / 2));
\t\tprintf("%d %d %d %d %u %d %d %s\\n", n, r, t.a, t.b, t.count, t.done, depth, out);
\t}
}
"""

# For each operator a function, and the lines that it gets, as in test_mutate.py; N is the place.
_CASES: dict[str, tuple[str, list[str]]] = {
    "reorder": (
        "void f(struct thing *t, int n) {\n\tt->a = n;\n\tt->b = 2;\n\tpanic();\n\tn = t->b;\n\tt->b = 1;\n}",
        ["t->b = 2; | t->a = n;"],
    ),
    "invert-if": (
        "void f(struct thing *t) {\n\tif (t->a)\n\t\tpanic();\n\telse\n\t\tt->a = 1;\n}",
        ["if (!(t->a)) | { t->a = 1; } | else | { panic(); }"],
    ),
    "loop": (
        "void f(struct thing *t) {\n\twhile (t->a)\n\t\tpanic();\n"
        "\tdo {\n\t\tif (t->b)\n\t\t\tcontinue;\n\t} while (t->a);\n}",
        ["for (;;) { if (!(t->a)) break; | panic(); }"],
    ),
    "local": (
        "int f(struct thing *t) {\n\treturn t->a + 1;\n}",
        ["{ __auto_type result_N = t->a + 1; return result_N; }"],
    ),
    "nesting": (
        "void f(struct thing *t) {\n\tif (t->a)\n\t\tpanic();\n\tif (t->b)\n\t\treturn;\n\tpanic();\n}",
        ["{ return; } else { panic(); }"],
    ),
    "nested-and": (
        "void f(struct thing *t) {\n\tif (t->a && t->b)\n\t\tpanic();\n"
        "\tif (t->a && t->b) { } else panic();\n}",
        ["if (t->a) { if (t->b) | panic(); }"],
    ),
    "equal": (
        "int f(int a, int b) {\n\tif (a < b)\n\t\treturn !a;\n\treturn --b;\n}",
        ["if ((!((a) >= (b))))", "return ((a) ? false : true);", "return ((b) -= 1);"],
    ),
    "recheck": (
        "void f(struct thing *t) {\n\tif (t->a > 1)\n\t\tpanic();\n\tif (t->count)\n\t\tpanic();\n"
        "\tif (wait_for(t))\n\t\tpanic();\n\tif (t->a++)\n\t\tpanic();\n}",
        ["if ((t->a > 1) && (t->a > 1))"],
    ),
    "split": (
        "int f(struct thing *t) {\n\tint n = t->a;\n\tstruct node m = { };\n\n\treturn n + !m.next;\n}",
        ["int n; n = t->a;"],
    ),
    "wide": (
        "int f(struct thing *t) {\n\tint n = wait_for(t);\n\tunsigned m = 0;\n\n\treturn n < m;\n}",
        [],
    ),
    "widen": (
        "void f(struct thing *t) {\n\tt->b = 1;\n\tlock(t);\n\tt->a = 1;\n\tunlock(t);\n\tpanic();\n}",
        ["lock(t); | t->b = 1;"],
    ),
    "outline": (
        "int f(struct thing *t) {\n\tint n = 1;\n\n\tt->a = n;\n\tn = 2;\n\treturn n;\n}",
        [
            "static void outlined_N(struct thing *t, int *n) | { | t->a = (*n); | (*n) = 2; | } |  | "
            "int f(struct thing *t) { | int n = 1; |  | outlined_N(t, &n);"
        ],
    ),
    "inline": (
        "int f(struct thing *t) {\n\treturn half(t->a);\n}",
        ["return ({ int n_N = (t->a); (int)(n_N / 2); });"],
    ),
    "by-hand": (
        "bool f(u64 a, u64 b) {\n\treturn time_before(a, b);\n}",
        ["return ((s64)((a) - (b)) < 0);"],
    ),
    "stronger": (
        "int f(struct thing *t) {\n\treturn atomic_load_explicit(&t->count, memory_order_relaxed);\n}",
        ["return atomic_load_explicit(&t->count, memory_order_seq_cst);"],
    ),
    "update": (
        "void f(struct thing *t) {\n\tatomic_fetch_add(&t->count, 2);\n}",
        [
            "({ __auto_type target_N = &t->count; __auto_type by_N = 2; __auto_type old_N = "
            "atomic_load(target_N); while (!atomic_compare_exchange_weak(target_N, &old_N, old_N + by_N)) "
            "{ } old_N; });"
        ],
    ),
    "fence": (
        "void f(void) {\n\tpanic();\n}",
        ["__atomic_thread_fence(__ATOMIC_SEQ_CST); panic();"],
    ),
    "irqs-off": (
        "void f(struct thing *t) {\n\tt->a = 1;\n\twait_for(t);\n\tif (t->b)\n\t\treturn;\n}",
        ["irq_off(); t->a = 1; | irq_on();"],
    ),
    "work": (
        "void f(void) {\n\tpanic();\n}",
        [
            "for (volatile unsigned busy_N = 0; busy_N < 300; busy_N++) { } panic();",
            "for (volatile unsigned busy_N = 0; busy_N < 300; busy_N++) { } | }",
        ],
    ),
    "work-always": (
        "void f(void) {\n\tpanic();\n}",
        ["for (volatile unsigned busy_N = 0; busy_N < 60; busy_N++) { } panic();"],
    ),
    "print": (
        "void f(void) {\n\tpanic();\n}",
        ['kprintf("f at work\\n"); panic();'],
    ),
}
_MORE = """\
void irq_off(void);
void irq_on(void);
bool time_before(u64 a, u64 b);
static int half(int n)
{
\treturn n / 2;	/* rounded down */
}
"""


def _parsed(function: str) -> Source:
    text = test_mutate._PRELUDE + _MORE + function + "\n"
    return parse(ROOT, "small.c", ["-ffreestanding"], text)


def _new_lines(source: Source, change: Change) -> str:
    """The lines that the change makes, without those of an #include far above; N for each place."""
    edits = [e for e in change.edits if not e.text.startswith("#include")]
    text = test_mutate.changed(source.text, applied(source.text, edits))
    for n in range(len(source.text), 99, -1):
        text = text.replace(f"_{n}", "_N")
    return text


class Operators(unittest.TestCase):
    maxDiff = None

    def test_each_changes_exactly_its_places(self) -> None:
        for entry in KEEPERS:
            with self.subTest(operator=entry.name):
                function, expected = _CASES[entry.name]
                source = _parsed(function)
                f = source.functions[-1]

                def inside(start: int, end: int, f: Node = f) -> bool:
                    return f.children[-1].start < start and end < f.end

                found = [_new_lines(source, change) for change in entry.apply(source, f, inside)]
                self.assertEqual(Counter(found), Counter(expected))

    def test_the_document_has_a_row_for_each(self) -> None:
        text = (ROOT / "docs" / "mutation.md").read_text()
        for entry in KEEPERS:
            self.assertIn(f"| `{entry.name}` | {entry.what} |", text)


def _negated(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    """An operator that does not keep the meaning."""
    yield from conditions.negate(source, function)


def _dropped(source: Source, function: Node, _: Inside) -> Iterator[Change]:
    """Another one."""
    yield from statements.drop(source, function)


def _run(text: str) -> str:
    """The output of the program."""
    with tempfile.TemporaryDirectory(prefix="trellis-right-") as folder:
        program = Path(folder, "program")
        argv = ["gcc", "-std=gnu11", "-O1", "-w", "-x", "c", "-o", str(program), "-"]
        subprocess.run(argv, input=text, text=True, check=True)
        return subprocess.run([program], capture_output=True, text=True, check=True, timeout=20).stdout


def _applied_everywhere(text: str, entry: Entry) -> tuple[str, int]:
    """@text with @entry at all places of its two functions, and how many these are."""
    source = parse(ROOT, "small.c", ["-ffreestanding"], text)
    functions = [f for f in source.functions if f.name in ("work", "queue")]

    def inside(start: int, end: int) -> bool:
        return any(f.children[-1].start < start and end < f.end for f in functions)

    found = [
        Place("small.c", f.name, 1, change)
        for f in functions
        for change in changes(source, f, entry, inside)
    ]
    chosen = together(found)
    return changed(text, chosen).replace('#include "base/printf.h"\n', ""), len(chosen)


class Meaning(unittest.TestCase):
    WHOLE = _PROGRAM + _FUNCTIONS + _MAIN

    def test_no_operator_changes_what_a_program_does(self) -> None:
        expected = _run(self.WHOLE)
        for entry in KEEPERS:
            with self.subTest(operator=entry.name):
                text, places = _applied_everywhere(self.WHOLE, entry)
                self.assertGreater(places, 0)
                self.assertEqual(_run(text), expected)

    def test_all_of_them_one_after_the_other_change_nothing(self) -> None:
        for order in (KEEPERS, KEEPERS[::-1]):
            text = self.WHOLE
            for entry in order:
                text, _ = _applied_everywhere(text, entry)
            self.assertEqual(_run(text), _run(self.WHOLE))

    def test_one_that_changes_the_meaning_is_noticed(self) -> None:
        for wrong in (_negated, _dropped):
            text, places = _applied_everywhere(self.WHOLE, Entry("wrong", "", wrong))
            self.assertGreater(places, 0)
            with self.assertRaises((AssertionError, subprocess.SubprocessError)):
                self.assertEqual(_run(text), _run(self.WHOLE))


class Losses(unittest.TestCase):
    KERNEL = Kernel("wrong", "wrong everywhere", 1, {"kernel/sched/sleep.c": "x"})

    def _judged(self, store: Store, kind: Kind) -> tuple[Judged, int]:
        """The result of grading KERNEL if one scenario ends with @kind, and how many scenarios were run."""
        lab = choose(ROOT, ["04-sleep"])[0]
        product = Product(Path("/nowhere/kernel.elf"), None, Path("/nowhere/explore"))
        reference = mock.Mock(spec=Reference)
        reference.build_with.return_value = reference.build.return_value = product
        bench = cast(engine.Bench, SimpleNamespace(root=ROOT, references={"riscv": reference}))
        asked: list[Run] = []

        def judge_run(_bench: object, _lab: object, run: Run, _product: object) -> Verdict:
            asked.append(run)
            found = (Finding(("P4.1",), "never early", "it woke early", "x:4c4/1"),)
            bad = len(asked) == 3 and kind is not Kind.PASS
            return Verdict(kind if bad else Kind.PASS, found if bad else (), {}, Trace((), False))

        judged = Judged(self.KERNEL)
        with mock.patch.object(engine, "judge_run", judge_run), mock.patch("shutil.rmtree"):
            judging = Judge(bench, lab, [EXPLORER], store, Silent())
            judging.prepare()
            judging.judge(judged)
        return judged, len(asked)

    def test_a_lost_point_is_told_and_known_later(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            judged, asked = self._judged(Store(Path(folder, "v")), Kind.FAIL)
            self.assertGreater(asked, 10)  # one loss does not end it
            self.assertEqual([loss.why for loss in judged.losses], ["fail: P4.1 it woke early x:4c4/1"])
            self.assertIn("wrong everywhere loses explorer ", right.table([judged], {}))
            self.assertIn("1 right kernels, 1 lost something", right.table([judged], {}))
            again, asked = self._judged(Store(Path(folder, "v")), Kind.PASS)
            self.assertEqual((again.losses, asked), (judged.losses, 0))

    def test_a_machine_that_is_too_slow_is_asked_again(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            judged, _ = self._judged(Store(Path(folder, "v")), Kind.SLOW)
            self.assertEqual(len(judged.losses), 1)
            again, asked = self._judged(Store(Path(folder, "v")), Kind.PASS)
            self.assertEqual(again.losses, [])
            self.assertGreater(asked, 10)


if __name__ == "__main__":
    unittest.main()
