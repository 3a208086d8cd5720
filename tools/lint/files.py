"""Which files there are, and what is asked of each as a text."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from io import StringIO
from pathlib import Path
from tokenize import COMMENT, generate_tokens

from tools.portable import code_alone, machine_words

ROOT = Path(__file__).resolve().parent.parent.parent

MAX_COLUMNS = 100  # of C and assembly
MAX_SCRIPT_COLUMNS = 110
TAB = 8
# The size before the user-visible edge was made exact, plus the most that this may add: docs/size.md.
MAX_KERNEL_LINES = 22_132 + 10_884
MAX_CORE_LINES = 3_300
MAX_MAKEFILE_LINES = 300
MAX_C_FILE_LINES = 500
ABOUT = 0.03  # a size in docs/size.md may be off by so much

_SKIPPED = frozenset({".git", "build", "out", "__pycache__", ".mypy_cache", ".cache", "node_modules"})
_CODE = (".c", ".h", ".S", ".def", ".ld", ".pml")
_SCRIPTS = (".py", ".sh", ".mk", ".js", ".mjs", ".css")
_TEXT = (*_CODE, *_SCRIPTS, ".md", ".toml", ".txt", "")
_CORE = ("kernel/thread/", "kernel/sched/", "kernel/sync/")
_NOT_CORE = ("kernel/sched/policy/",)  # optional: a first reading can leave them out
_UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
_LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
# A document named in a text or a comment by its path, from the root or beside; NN-name is any lab.
_DOCUMENT = re.compile(r"(?<![\w./~-])(?!\S*NN-)((?:[\w.-]+/)+[\w.-]+\.md)\b")
_PROGRAM = re.compile(r"(?<![\w.*])(\w+\.py)\b")  # a file named in prose
_PORT_HEADER = re.compile(r'#\s*include\s+[<"](\S*arch/\S*|asm\.h|port\.h|csr\.h|sbi\.h)[>"]')

# A statement of what always holds, in a comment: its label and the text, two blanks between them.
_LABEL = re.compile(r"^ \*\s+([A-Z]{2,}\d+)  +\S")
_WORD = re.compile(r"\b[A-Z]{2,}\d+\b")
_ASSERTION = re.compile(r"\b(\w*assert\w*|panic|CHECK|audit\w*)\(")

_BLOCK = re.compile(r"/\*.*?\*/", re.S)
_COMMENT_EDGE = re.compile(r"^[ \t]*(?:/\*+|\*/?)?[ \t]*|[ \t]*\*/$", re.M)
# A sentence, at the start of a text, a paragraph or an item, or behind another one, up to its end.
_RELATIVE = re.compile(
    r"(?:\A\s*|\n\s*\n\s*|\n\s*[-*] |[.!]\**\s+)(?:[-*] )?\**"
    r"((?:Who|Whom|Whose|What)(?:ever)?\s(?:[^.?!]|\.\b)*[.?!]?)"
)


@dataclass(frozen=True, order=True)
class Fault:
    """Something to mend, in the form that editors jump to."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@cache
def all_files() -> tuple[str, ...]:
    """Every file of the tree, relative to its root, without what is generated."""
    found: list[str] = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in sorted(names)]
    return tuple(found)


def c_files() -> list[str]:
    return [path for path in all_files() if path.endswith((".c", ".h"))]


def python_files() -> list[str]:
    return [path for path in all_files() if path.endswith(".py")]


@cache
def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


@cache
def test_kernels_own() -> tuple[str, ...]:
    """Patterns of the sources that only test kernels are linked from, as make/kernel.mk has them."""
    makefile = read("make/kernel.mk").replace("\\\n", " ")
    lists = re.findall(r"^(?:tests|instruments) := \$\(wildcard (.*)\)$", makefile, re.M)
    return tuple(word.replace("$(ARCH)", "*") for text in lists for word in text.split())


def is_test(path: str) -> bool:
    """Tests, what they share, and what only they are linked with: no part of a kernel that boots."""
    return (
        Path(path).name.startswith("test_")
        or path.startswith(("labs/", "user/tests/", "arch/host/"))
        or any(fnmatch(path, pattern) for pattern in test_kernels_own())
    )


# --- Checks: each yields faults ---------------------------------------------------------------------


def texts() -> Iterator[Fault]:
    """Blanks at the ends of lines, long lines, a last line without its end, unfinished business."""
    for path in all_files():
        suffix = Path(path).suffix
        if suffix not in _TEXT or (ROOT / path).is_symlink():
            continue
        text = read(path)
        if text and not text.endswith("\n"):
            yield Fault(path, text.count("\n") + 1, "the last line has no end")
        for number, line in enumerate(text.splitlines(), start=1):
            if line != line.rstrip() and suffix != ".md":
                yield Fault(path, number, "blanks at the end of the line")
            most = MAX_COLUMNS if suffix in _CODE else MAX_SCRIPT_COLUMNS
            if suffix in (*_CODE, *_SCRIPTS) and len(line.expandtabs(TAB)) > most:
                yield Fault(path, number, f"longer than {most} columns")
            if _UNFINISHED.search(line) and not path.startswith("tools/lint/"):
                yield Fault(path, number, "unfinished: do it or say in docs/ why not")


def code_lines(text: str) -> int:
    """Lines that hold more than blanks and comments."""
    return sum(1 for line in code_alone(text).splitlines() if line.strip())


def independence() -> Iterator[Fault]:
    """kernel/ knows no architecture."""
    for path in all_files():
        if not path.startswith("kernel/") or not path.endswith((".c", ".h", ".S")):
            continue
        if path.endswith(".S"):
            yield Fault(path, 1, "assembly belongs to a port, below arch/")
        raw = read(path)
        yield from (Fault(path, number, why) for number, why in machine_words(raw))
        for number, line in enumerate(raw.splitlines(), start=1):
            if _PORT_HEADER.match(line):
                yield Fault(path, number, "a port's own header; kernel/ sees arch.h")


def prologues() -> Iterator[Fault]:
    """Every .c of the kernel opens with what it is for; every header is included once."""
    for path in all_files():
        if not path.startswith(("kernel/", "arch/")):
            continue
        text = read(path)
        if path.endswith(".c") and not text.startswith("/*"):
            yield Fault(path, 1, "no prologue: purpose, locks, invariants")
        if path.endswith(".h") and "#pragma once" not in text and not path.endswith("asm.h"):
            yield Fault(path, 1, "no #pragma once")
    yield from maps()


def maps() -> Iterator[Fault]:
    """Every folder of the kernel and of a port has a README.md, and it names every file that is no test."""
    for folder in sorted([*(ROOT / "kernel").iterdir(), *(ROOT / "arch").iterdir()]):
        if not folder.is_dir() or folder.name == "include":
            continue
        readme = f"{folder.relative_to(ROOT)}/README.md"
        if not (ROOT / readme).exists():
            yield Fault(readme, 1, "does not exist")
            continue
        named = set(re.findall(r"`([\w.]+)`", read(readme)))
        for path in sorted(folder.glob("*.[chS]")):
            if not path.name.startswith("test_") and path.name not in named:
                yield Fault(readme, 1, f"does not name {path.name}")


@cache
def sizes_of_sources() -> dict[str, int]:
    """Lines of code of every source that is no test."""
    sources = [path for path in all_files() if path.endswith(_CODE) and not is_test(path)]
    return {path: code_lines(read(path)) for path in sources}


def sizes() -> Iterator[Fault]:
    """Small is a promise."""
    lines = sizes_of_sources()
    kernel = sum(n for p, n in lines.items() if p.startswith(("kernel/", "arch/")))
    core = sum(n for p, n in lines.items() if p.startswith(_CORE) and not p.startswith(_NOT_CORE))
    if kernel > MAX_KERNEL_LINES:
        yield Fault("kernel", 1, f"kernel and ports have {kernel} lines, over {MAX_KERNEL_LINES}")
    if core > MAX_CORE_LINES:
        yield Fault("kernel", 1, f"thread, sched and sync have {core} lines, over {MAX_CORE_LINES}")
    for path in lines:
        count = read(path).count("\n")
        if path.endswith(".c") and count > MAX_C_FILE_LINES and not is_test(path):
            yield Fault(path, 1, f"{count} lines: look for the second subject")
    yield from told_sizes(lines)
    if read("Makefile").count("\n") > MAX_MAKEFILE_LINES:
        yield Fault("Makefile", 1, f"more than {MAX_MAKEFILE_LINES} lines")


def labels() -> Iterator[Fault]:
    """An invariant's label is unique, says its file (WAIT1: wait.h), and a test or an assertion cites it."""
    defined: dict[str, str] = {}
    for path in all_files():
        if not path.startswith(("kernel/", "arch/", "user/")) or not path.endswith((".c", ".h", ".S")):
            continue
        for number, line in enumerate(read(path).splitlines(), start=1):
            if (m := _LABEL.match(line)) is None:
                continue
            if m[1] in defined:
                yield Fault(path, number, f"{m[1]} is also in {defined[m[1]]}")
            defined[m[1]] = f"{path}:{number}"
            if not m[1].rstrip("0123456789").endswith(Path(path).stem.upper().replace("_", "")):
                yield Fault(path, number, f"{m[1]} does not say its file")
    cited = {word for path in all_files() for line in _citing(path) for word in _WORD.findall(line)}
    for label in sorted(defined.keys() - cited):
        where, at = defined[label].split(":")
        yield Fault(where, int(at), f"no test and no assertion cites {label}")


def _citing(path: str) -> Iterator[str]:
    """The lines of @path whose labels count as cited: a test's, and those of and above an assertion."""
    if not path.endswith((".c", ".h", ".S", ".pml", ".py")):
        return
    lines = read(path).splitlines()
    if is_test(path) or path.startswith(("docs/models/", "tools/")):
        yield from lines
        return
    for above, line in zip(["", *lines], lines, strict=False):
        if _ASSERTION.search(line):
            yield above
            yield line


def named_programs() -> Iterator[Fault]:
    """A Python file that a docstring or a comment names is there."""
    there = {Path(path).name for path in python_files()}
    for path in python_files():
        for first, text in python_prose(read(path)):
            for m in _PROGRAM.finditer(text):
                if m[1] not in there:
                    line = first + text.count("\n", 0, m.start())
                    yield Fault(path, line, f"{m[1]} does not exist")


def python_prose(text: str) -> list[tuple[int, str]]:
    """Docstrings and comments with their lines; comments that stand below each other are one."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if words := ast.get_docstring(node, clean=False):
                found.append((node.body[0].lineno, words))
    lines = text.splitlines()
    end = -1  # of the last comment that stands alone
    for token in generate_tokens(StringIO(text).readline):
        if token.type == COMMENT:
            line, words = token.start[0], token.string.lstrip("#: ")
            alone = lines[line - 1].lstrip().startswith("#")
            if alone and end == line - 1:
                found[-1] = (found[-1][0], f"{found[-1][1]}\n{words}")
            else:
                found.append((line, words))
            end = line if alone else -1
    return found


def told_sizes(lines: dict[str, int]) -> Iterator[Fault]:
    """The sizes in docs/size.md are about right."""
    document = read("docs/size.md")
    for m in re.finditer(r"^\| `([\w/]+)` \| ([\d,]+) \|$", document, re.M):
        there = sum(n for path, n in lines.items() if path.startswith(f"{m[1]}/"))
        if abs(there - number(m[2])) > there * ABOUT:
            line = document.count("\n", 0, m.start()) + 1
            yield Fault("docs/size.md", line, f"{m[1]} has {there} lines, not about {m[2]}")
    kernel = sum(n for path, n in lines.items() if path.startswith(("kernel/", "arch/")))
    whole = re.search(r"The whole has about ([\d,]+) lines", document)
    if whole is None or abs(kernel - number(whole[1])) > kernel * ABOUT:
        yield Fault("docs/size.md", 1, f"kernel and ports have {kernel} lines: say so")


def number(text: str) -> int:
    """"1,234" as a document has it."""
    return int(text.replace(",", ""))


def subjects() -> Iterator[Fault]:
    """A sentence of a comment or a document begins with its subject, not with "What does it"."""
    for path in all_files():
        if path.endswith((".c", ".h", ".S", ".def")):
            blocks = _BLOCK.finditer(read(path))
            found = [(read(path).count("\n", 0, m.start()) + 1, m[0]) for m in blocks]
        elif path.endswith(".py"):
            found = python_prose(read(path))
        elif path.endswith(".md"):
            found = [(1, read(path))]
        else:
            continue
        for first, text in found:
            plain = text if path.endswith(".py") else _COMMENT_EDGE.sub("", text)
            for m in _RELATIVE.finditer(plain):
                if not m[1].endswith("?"):
                    line = first + plain.count("\n", 0, m.start(1))
                    yield Fault(path, line, f"begin with the subject: {' '.join(m[1].split()[:4])} ...")


def figures() -> Iterator[Fault]:
    """README.md has the same costs of operations as bench/README.md."""
    rows = re.findall(r"^([a-z].+?)  +[\d.,M -]+?  +([\d,.]+)!? +([\d,.]+)!? ", read("bench/README.md"), re.M)
    measured = {title: (riscv, x86) for title, riscv, x86 in rows}
    for number, line in enumerate(read("README.md").splitlines(), start=1):
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 8 and re.match(r"\d", cells[2]) and measured.get(cells[1]) != (*cells[2:4],):
            yield Fault("README.md", number, f"{cells[1]}: bench/README.md has {measured.get(cells[1])}")


def links() -> Iterator[Fault]:
    """Links of documents lead somewhere, and every document that a text or a comment names exists."""
    for path in all_files():
        if Path(path).suffix not in _TEXT:
            continue
        here = (ROOT / path).parent
        for number, line in enumerate(read(path).splitlines(), start=1):
            missing = {t for t in _DOCUMENT.findall(line) if not (ROOT / t).exists()}
            if path.endswith(".md"):
                missing |= set(_LINK.findall(line))
            for target in sorted(missing):
                if not (here / target).exists():
                    yield Fault(path, number, f"{target} does not exist")
    yield from named_programs()
