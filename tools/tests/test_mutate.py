"""The mutation engine: each operator on a small text, what is mutated, equal code."""

from __future__ import annotations

import tempfile
import unittest
from collections import Counter
from pathlib import Path

from tools.mutate import assembly, roles, sharing, work
from tools.mutate.edits import applied
from tools.mutate.errors import MutateError
from tools.mutate.mutants import Mutant, code_lines, of_target
from tools.mutate.objects import Compiler
from tools.mutate.operators import ASSEMBLY, MEANINGS, OPERATORS, ROLES
from tools.mutate.report import Fate
from tools.mutate.scope import Part, Target, of_file, of_files
from tools.mutate.store import Store
from tools.mutate.tree import Source, parse
from tools.programs import ROOT
from tools.progress import Silent
from tools.tests.support import BUILD_ROOT

_COMPILER = Compiler(ROOT, BUILD_ROOT)
_PRELUDE = """\
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#define ECHILD 10
#define EBUSY 16
#define assert(x) do { if (!(x)) panic(); } while (0)
enum why { ARMED, EVENT, TIMEOUT };
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;
typedef long s64;
struct node { struct node *next, *prev; };
struct thing { int a, b, refs; _Atomic unsigned count; struct node link; enum why why; };
void panic(void);
void lock(struct thing *t);
void unlock(struct thing *t);
void push_front(struct node *head, struct node *n);
void push_back(struct node *head, struct node *n);
int wake_one(struct thing *t, int status);
int wake_all(struct thing *t, int status);
int wait_for(struct thing *t);
struct thing *thing_get(struct thing *t);
"""

# For each operator a function, and the lines that its mutants have in the place of others, with " | "
# between them; a mutant that only removes lines is "-" with these.
_CASES: dict[str, tuple[str, list[str]]] = {
    "drop": (
        "void f(struct thing *t) { int n = t->a;\n\tt->b = 1;\n\tif (n)\n\t\tpanic();\n\tassert(n);\n}",
        [
            "void f(struct thing *t) { int n = 0;",
            "-t->b = 1;",
            "t->b = 0;",
            "-if (n) | panic();",
            "{ }",
        ],
    ),
    "swap": (
        "void f(struct thing *t) {\n\tt->a = 1;\n\tt->b = 2;\n\tpanic();\n}",
        ["t->b = 2; | t->a = 1;", "panic(); | t->b = 2;"],
    ),
    "return": (
        "int f(struct thing *t) {\n\tif (t->a)\n\t\treturn -ECHILD;\n\treturn t->b;\n}",
        [
            "return 0; | if (t->a)",
            "return -ECHILD; | if (t->a)",
            "return 0;",
            "return 0; | return t->b;",
            "return -ECHILD; | return t->b;",
        ],
    ),
    "unlock-early": (
        "void f(struct thing *t) {\n\tlock(t);\n\tt->a = 1;\n\tunlock(t);\n\tpanic();\n}",
        ["unlock(t); | t->a = 1;"],
    ),
    "lock-late": (
        "void f(struct thing *t) {\n\tlock(t);\n\tt->a = 1;\n\tunlock(t);\n\tpanic();\n}",
        ["t->a = 1; | lock(t);"],
    ),
    "no-lock": (
        "void f(struct thing *t) {\n\tlock(t);\n\tt->a = 1;\n\tunlock(t);\n\tpanic();\n}",
        ["t->a = 1;"],
    ),
    "lock-wide": (
        "void f(struct thing *t) {\n\tt->b = 1;\n\tlock(t);\n\tt->a = 1;\n\tunlock(t);\n\tpanic();\n}",
        ["lock(t); | t->b = 1;", "panic(); | unlock(t);"],
    ),
    "negate": (
        "void f(struct thing *t) {\n\tif (t->a && !t->b)\n\t\tpanic();\n\twhile (!t->a)\n\t\tpanic();\n}",
        ["if (!(t->a && !t->b))", "while (t->a)"],
    ),
    "always": (
        "void f(struct thing *t) {\n\tif (t->a)\n\t\tpanic();\n}",
        ["if ((t->a) || true)"],
    ),
    "operand": (
        "int f(struct thing *t) {\n\treturn t->a && t->b == 1;\n}",
        ["return t->b == 1;"],
    ),
    "key": (
        "int f(struct thing *t) {\n\treturn t->a == 1 && t->b == 2;\n}",
        ["return t->b == 2;", "return t->a == 1;"],
    ),
    "relation": (
        "int f(struct thing *t) {\n\tassert(t->a < 1);\n\treturn t->a < 1 || t->b == 2;\n}",
        ["return t->a <= 1 || t->b == 2;", "return t->a < 1 || t->b != 2;"],
    ),
    "one-turn": (
        "void f(struct thing *t) {\n\tfor (int i = 0; i < 3; i++)\n\t\tpanic();\n}",
        ["{ panic(); break; }"],
    ),
    "skip-first": (
        "void f(struct thing *t) {\n\twhile (t->a) {\n\t\tpanic();\n\t}\n}",
        [
            "bool first_turn = true; | "
            "while (t->a) { if (first_turn) { first_turn = false; continue; }"
        ],
    ),
    "no-recheck": (
        "void f(struct thing *t) {\n\twhile (!t->a)\n\t\twait_for(t);\n\twhile (t->b)\n\t\tpanic();\n}",
        ["if (!t->a)"],
    ),
    "constant": (
        "void f(struct thing *t) {\n\tt->a = 3;\n\tt->why = EVENT;\n\tbool b = true;\n"
        "\t(void)atomic_load_explicit(&t->count, memory_order_relaxed);\n}",
        [
            "t->a = 4;",
            "t->a = 2;",
            "t->a = 0;",
            "t->a = 0x7fffffff;",
            "t->a = (-0x7fffffff - 1);",
            "t->why = TIMEOUT;",
            "t->why = ARMED;",
            "bool b = false;",
        ],
    ),
    "arithmetic": (
        "int f(struct thing *t) {\n\tt->a++;\n\tt->b += 2;\n\treturn t->a + t->b;\n}",
        [
            "t->a--;",
            "t->b -= 2;",
            "return t->a - t->b;",
            "return (t->a + t->b + 1);",
            "return (t->a + t->b - 1);",
        ],
    ),
    "errno": (
        "int f(struct thing *t) {\n\treturn t->a ? -ECHILD : -EBUSY;\n}",
        [
            "return t->a ? -EBUSY : -EBUSY;",
            "return t->a ? -EINVAL : -EBUSY;",
            "return t->a ? -0 : -EBUSY;",
            "return t->a ? -ECHILD : -ECHILD;",
            "return t->a ? -ECHILD : -EINVAL;",
            "return t->a ? -ECHILD : -0;",
        ],
    ),
    "narrow": (
        "void f(struct thing *t) {\n\tu32 n = 1;\n\tt->a = (int)n;\n}",
        ["u16 n = 1;", "u8 n = 1;", "s32 n = 1;", "t->a = (s16)n;", "t->a = (s8)n;", "t->a = (u32)n;"],
    ),
    "arguments": (
        "void f(struct thing *t, struct node *m) {\n\tpush_back(&t->link, m);\n}",
        ["push_back(m, &t->link);", "push_back(NULL, m);", "push_back(&t->link, NULL);"],
    ),
    "neighbour": (
        "void f(struct thing *t) {\n\twake_one(t, 0);\n}",
        ["wake_all(t, 0);"],
    ),
    "other-end": (
        "void f(struct thing *t, struct node *m) {\n\tpush_back(&t->link, m->next);\n}",
        ["push_front(&t->link, m->next);", "push_back(&t->link, m->prev);"],
    ),
    "twice": (
        "void f(struct thing *t) {\n\tunlock(t);\n\tif (t->a)\n\t\tpanic();\n}",
        ["unlock(t); | if (t->a)", "{ panic(); panic(); }"],
    ),
    "no-reference": (
        "void f(struct thing *t) {\n\tstruct thing *u = thing_get(t);\n\tunlock(u);\n}",
        ["struct thing *u = (t);"],
    ),
    "torn": (
        "void f(struct thing *t) {\n\tatomic_fetch_sub(&t->count, 1);\n\tt->count++;\n}",
        [
            "({ __auto_type torn = &t->count; __auto_type was = atomic_load(torn); "
            "atomic_store(torn, was - (1)); was; });",
            "({ __auto_type torn = &(t->count); __auto_type was = atomic_load(torn); "
            "atomic_store(torn, was + 1); was; });",
        ],
    ),
    "torn-irqs-off": (
        "void f(struct thing *t) {\n\tatomic_exchange(&t->count, 1);\n}",
        [
            "({ irq_off(); __auto_type torn = &t->count; __auto_type was = atomic_load(torn); "
            "atomic_store(torn, 1); irq_on(); was; });",
        ],
    ),
    "order": (
        "int f(struct thing *t) {\n\tatomic_store_explicit(&t->count, 1, memory_order_release);\n"
        "\tif (atomic_compare_exchange_strong(&t->count, &t->a, 1))\n\t\treturn 1;\n"
        "\treturn atomic_load(&t->count);\n}",
        [
            *(
                "if (atomic_compare_exchange_strong_explicit(&t->count, &t->a, 1, "
                f"memory_order_{order}, memory_order_{failure}))"
                for order, failure in (
                    ("acq_rel", "acquire"),
                    ("acquire", "acquire"),
                    ("release", "relaxed"),
                    ("relaxed", "relaxed"),
                )
            ),
            "atomic_store_explicit(&t->count, 1, memory_order_relaxed);",
            "return atomic_load_explicit(&t->count, memory_order_acquire);",
            "return atomic_load_explicit(&t->count, memory_order_relaxed);",
        ],
    ),
}

_ASSEMBLY = "\tsd\ts0, 0(sp)\n\tsd\ts1, 8(sp)\n\tld\tsp, 16(a1)\n\taddi\tsp, sp, 32\n\tret\n"
_ASSEMBLY_CASES: dict[str, list[str]] = {
    "drop": ["-sd s0, 0(sp)", "-sd s1, 8(sp)", "-ld sp, 16(a1)", "-addi sp, sp, 32", "-ret"],
    "swap": ["ld sp, 16(a1) | sd s1, 8(sp)", "addi sp, sp, 32 | ld sp, 16(a1)"],
    "register": ["sd s1, 0(sp)", "sd s2, 8(sp)", "ld sp, 16(a2)"],
    "offset": [
        "sd s0, 0 + 8(sp)",
        "sd s1, 8 + 8(sp)",
        "ld sp, 16 + 8(a1)",
        "addi sp, sp, 32 + 16",
        "addi sp, sp, 32 - 8",
    ],
}


def mutant(number: int, *, original: str = "a\nb\nc\n", text: str = "a\nx\nc\n", path: str = "k.c") -> Mutant:
    return Mutant(path, "f", 2, "drop", number, "drop b", original, text, ("riscv",))


def parsed(function: str) -> Source:
    return parse(ROOT, "small.c", ["-ffreestanding"], _PRELUDE + function + "\n")


def changed(old: str, new: str) -> str:
    """The lines that are new; or after a "-" those that are gone."""
    m = mutant(1, original=old, text=new)
    return m.added or f"-{m.removed}"


class Operators(unittest.TestCase):
    maxDiff = None

    def test_instructions_that_do_the_same_in_either_order_are_not_swapped(self) -> None:
        for first, second, swapped in (
            ("csrr t1, sepc", "csrr t2, scause", False),
            ("csrr t1, sstatus", "csrrw t2, sscratch, zero", False),
            ("li s0, 0", "mv a0, sp", False),
            ("sd t0, 8(sp)", "csrr t1, stval", False),
            ("csrw sepc, t1", "ld ra, 8(sp)", False),
            ("csrw sepc, t1", "ld t1, 8(sp)", True),  # the value that is written
            ("csrr t0, stval", "sd t0, 8(sp)", True),  # the value that is stored
            ("csrrw t1, sscratch, zero", "csrr t2, sscratch", True),
            ("csrw sepc, t0", "csrw sepc, t1", True),
            ("csrr t0, sepc", "li t0, 1", True),  # the same register
            ("csrw sstatus, t0", "csrr t1, sepc", True),  # an interrupt may come in between
            ("csrrc t0, sstatus, t0", "sd t1, 8(sp)", True),  # user memory may be closed
            ("csrr t0, satp", "csrr t1, sepc", True),  # not known
            ("li a0, 0", "sw t0, 0(a3)", True),  # which may be a fault, and set a0
            ("li t0, 8", "beq t4, t0, 1f", True),
            ("li t0, 8\n1:", "mv a0, sp", True),  # others may jump there
            ("li t0, 8\n\tSAVE", "mv a0, sp", True),
            ("li t1, 8", "mv t2, \\is", True),  # which may be t1
        ):
            with self.subTest(first=first, second=second):
                text = f"\t{first}\n\t{second}\n"
                changes = list(assembly.swap(text, assembly.instructions(text)))
                self.assertEqual(len(changes), int(swapped))

    def test_each_makes_exactly_its_mutants(self) -> None:
        for entry in OPERATORS:
            with self.subTest(operator=entry.name):
                function, expected = _CASES[entry.name]
                source = parsed(function)
                found = [
                    changed(source.text, applied(source.text, change.edits))
                    for change in entry.apply(source, source.functions[0])
                ]
                self.assertEqual(Counter(found), Counter(expected))

    def test_each_operator_of_assembly_makes_exactly_its_mutants(self) -> None:
        for entry in ASSEMBLY:
            with self.subTest(operator=entry.name):
                found = [
                    changed(_ASSEMBLY, applied(_ASSEMBLY, change.edits))
                    for change in entry.apply(_ASSEMBLY, assembly.instructions(_ASSEMBLY))
                ]
                self.assertEqual(Counter(found), Counter(_ASSEMBLY_CASES[entry.name]))

    def test_the_document_has_a_row_for_each(self) -> None:
        text = (ROOT / "docs" / "mutation.md").read_text()
        for name, what in MEANINGS.items():
            self.assertIn(f"| `{name}` | {what} |", text)


class Roles(unittest.TestCase):
    def test_a_role_of_each_variable_that_the_place_can_see(self) -> None:
        source = parsed("void f(int n) {\n\tpanic();\n\tint later = 1;\n\tif (later > n)\n\t\tn = 2;\n}")
        found = {e.name: [*e.apply(source, source.functions[0])] for e in ROLES}
        with_changes = {name for name, changes in found.items() if changes}
        self.assertEqual(with_changes, {"drop-if", "never-if", "always-if", "shared-local"})
        first = [c for c in found["drop-if"] if "no panic();" in c.what]
        self.assertIn("no panic(); where n is below 0", [c.what for c in first])
        self.assertFalse([c.what for c in first if "later" in c.what])
        self.assertIn("not later > n where later is odd", [c.what for c in found["never-if"]])
        edit = next(c for c in first if c.what.endswith("n is below 0")).edits[0]
        self.assertEqual(edit.text, "if (!in_role(n)) panic();")

    def test_the_turns_of_a_loop_are_counted(self) -> None:
        source = parsed("void f(void) {\n\tfor (int i = 0; i < 9; i++)\n\t\tpanic();\n}")
        found = [c for c in roles.drop(source, source.functions[0]) if "16th turn" in c.what]
        self.assertEqual([c.edits[0].text for c in found], ["{ if (!in_role(++turns)) panic(); }"])
        self.assertIn("unsigned turns = 0;", applied(source.text, found[0].around))

    def test_a_lock_is_let_go_between_two_statements(self) -> None:
        body = "panic();\n\tif (n)\n\t\tpanic();"
        locks = f"void f(struct thing *t, int n) {{\n\tlock(t);\n\t{body}\n\tunlock(t);\n}}"
        holds = f"#define HOLDS(lock)\nvoid f(struct thing *t, int n) HOLDS(t->b) {{\n\t{body}\n}}"
        gaps = ("unlock(t); lock(t);", "spin_unlock(&t->b); spin_lock(&t->b);")
        for function, gap in zip((locks, holds), gaps, strict=True):
            source = parsed(function)
            found = [*sharing.lock_gap(source, source.functions[0])]
            said = "the lock is let go for a moment before if (n) panic();"
            self.assertEqual([c.what for c in found], [said])
            text = applied(source.text, found[0].edits)
            self.assertIn(f"\tpanic();\n\t{gap}\n\tif (n)\n", text)

    def test_a_local_variable_becomes_static(self) -> None:
        declared = {
            "int a;": "static int a;",
            "int a = n + 1;": "static int a; a = n + 1;",
            "struct thing t = { .a = n };": "static struct thing t; t = (struct thing){ .a = n };",
            "const int *p = &n;": "static const int *p; p = &n;",
            "int a[3];": "static int a[3];",
            "static int s;": None,
            "const int c = n;": None,
            "int a[1] = { n };": None,
            "int a, b;": None,
        }
        for before, after in declared.items():
            source = parsed(f"int f(int n) {{\n\t{before}\n\treturn n;\n}}")
            found = [c.edits[0].text for c in sharing.shared_local(source, source.functions[0])]
            self.assertEqual(found, [after] if after else [], before)

    def test_each_role_is_c_of_the_core(self) -> None:
        path = "kernel/process/kill.c"
        text = (ROOT / path).read_text()
        helpers = (
            part.helper.replace("in_role(", f"__attribute__((unused)) in_role_{i}(")
            for i, part in enumerate(roles.every())
        )
        self.assertIsNotNone(_COMPILER.digest(path, "riscv", text, text + "\n" + "".join(helpers)))


class Scope(unittest.TestCase):
    FUNCTION = "int f(struct thing *t) {\n\tint n;\n\n\tn = t->a;\n\treturn n;\n}"

    def target(self, first: str, last: str) -> Target:
        text = _PRELUDE + self.FUNCTION + "\n"
        part = Part(text.index(first), text.index(last) + len(last), "f")
        return Target("small.c", text, (part,))

    def test_only_the_text_of_the_scope_changes(self) -> None:
        target = self.target("\treturn n;", "return n;\n")
        found = of_target(ROOT, target, ["-ffreestanding"])
        self.assertTrue(found)
        self.assertEqual({m.text[: target.parts[0].start] for m in found},
                         {target.text[: target.parts[0].start]})  # fmt: skip
        self.assertEqual(len({m.id for m in found}), len(found))

    def test_plain_declarations_need_no_mutant(self) -> None:
        target = self.target("\tint n;", "return n;\n")
        lines = code_lines(parsed(self.FUNCTION), target)
        words = [target.text.splitlines()[line - 1].strip() for line in sorted(lines)]
        self.assertEqual(words, ["n = t->a;", "return n;"])

    def test_a_wrong_file_is_told(self) -> None:
        for name, why in (
            ("kernel/nothing.c", "no such file"),
            ("kernel/sched/test_sched.c", "is a test"),
            ("Makefile", "only .c and .S files"),
        ):
            with self.assertRaisesRegex(MutateError, why):
                of_file(ROOT, name, [])

    def test_a_folder_stands_for_its_files(self) -> None:
        names = "kernel/sync/ ./kernel/lock/spinlock.c kernel/sync/mutex.c"
        found = [t.path for t in of_files(ROOT, names, [])]
        self.assertIn("kernel/sync/semaphore.c", found)
        self.assertEqual(found[-1], "kernel/lock/spinlock.c")
        self.assertEqual(len(found), len(set(found)))
        self.assertFalse([path for path in found if "/test_" in path])
        self.assertFalse([t.path for t in of_files(ROOT, "kernel/sched", []) if "audit" in t.path])
        with self.assertRaisesRegex(MutateError, "has no .c or .S file"):
            of_files(ROOT, "kernel/include", [])

    def test_of_a_folder_the_regions_of_labs_are_left_out(self) -> None:
        path = "kernel/sync/semaphore.c"
        whole = of_file(ROOT, path, [])
        inside = whole.text.index("/* LAB ")
        self.assertIsNotNone(whole.holds(inside, inside + 1))
        found = {t.path: t for t in of_files(ROOT, "kernel/sync", [])}[path]
        self.assertIsNone(found.holds(inside, inside + 1))
        self.assertIsNotNone(found.holds(inside - 2, inside - 1))
        self.assertIsNotNone(found.holds(len(whole.text) - 1, len(whole.text)))

    def test_a_wrong_function_names_the_right_ones(self) -> None:
        with self.assertRaisesRegex(MutateError, "no function g; it defines f"):
            of_target(ROOT, self.target("\treturn n;", "return n;\n"), ["-ffreestanding"], ["g"])


class Code(unittest.TestCase):
    """Machine code is compared as the linker sees it."""

    PATH = "kernel/sync/semaphore.c"

    def test_a_comment_and_a_moved_line_are_the_same_code(self) -> None:
        text = (ROOT / self.PATH).read_bytes().decode("latin-1")
        plain = _COMPILER.digest(self.PATH, "riscv", text, text)
        self.assertIsNotNone(plain)
        comment = text.replace("int err = -EAGAIN;", "int err = -EAGAIN;\t/* one more\n\t */")
        self.assertEqual(_COMPILER.digest(self.PATH, "riscv", text, comment), plain)
        other = text.replace("int err = -EAGAIN;", "int err = 0;")
        self.assertNotEqual(_COMPILER.digest(self.PATH, "riscv", text, other), plain)
        broken = text.replace("int err = -EAGAIN;", "")
        self.assertIsNone(_COMPILER.digest(self.PATH, "riscv", text, broken))

    def test_assembly_that_the_assembler_refuses_does_not_compile(self) -> None:
        path = "arch/riscv/switch.S"
        text = (ROOT / path).read_bytes().decode("latin-1")
        broken = text.replace("SWITCH_RA(sp)", "SWITCH_RA(nothing)")
        self.assertIsNotNone(_COMPILER.digest(path, "riscv", text, text))
        self.assertIsNone(_COMPILER.digest(path, "riscv", text, broken))

    def test_same_code_and_twins_are_not_judged(self) -> None:
        text = (ROOT / self.PATH).read_bytes().decode("latin-1")
        steps = ("++s->count", "s->count--", "s->count -= 1", "(")
        texts = [text.replace("s->count++", step) for step in steps]
        mutants = [mutant(number, original=text, text=t, path=self.PATH) for number, t in enumerate(texts)]
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder, "verdicts.jsonl"))
            found = work.compiled(_COMPILER, mutants, store, 2, Silent())
        self.assertEqual([r.fate for r in found], [Fate.SAME, Fate.WAITING, Fate.TWIN, Fate.BROKEN])
        self.assertEqual(found[2].like, mutants[1].id)


if __name__ == "__main__":
    unittest.main()
