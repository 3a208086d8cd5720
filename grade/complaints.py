"""The compiler's messages about the files that a student wrote.

The compiler names the file. The linker names only the callers of a missing function, with one message
for each. Both print paths inside our temporary copies, which mean nothing to the student.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from grade import making

_LINES = 12  # of complaints
_COLUMNS = 1000  # of one
_UNDEFINED = re.compile(r"^(?:\S*ld: )?(?:\S+\.o:)?(\S+?): undefined reference to [`'](\S+)'$", re.M)
_TWICE = re.compile(
    r"^(?:\S*ld: )?(?:\S+\.o:)?(?:in function \S+ )?(\S+?): multiple definition of [`'](\S+)';"
    r" (?:\S+\.o:)?(\S+?): first defined here$",
    re.M,
)
_LINKER = re.compile(r"^\S*ld: (.*)$", re.M)
# make's line after the messages of one object. Compilers hand the assembler a temporary file.
_GAVE_UP = re.compile(r"^make(?:\[\d+\])?: \*\*\* \[\S+: \S*?/obj/(\S+)\.o\] ", re.M)
_TEMPORARY = re.compile(r"(?:/[\w.-]+)*/cc\w{6}\.s(?::\d+)?(?=:)|\{standard input\}(?::\d+)?(?=:)")
_ANY_TEMPORARY = re.compile(r"(?:/[\w.-]+)*/cc\w{6}(\.[\w.]+)?")
_TOO_MUCH = (
    (
        re.compile(r"out of memory|memory exhausted|Cannot allocate memory|cannot allocate|bad_alloc"),
        f"the compiler needs more than {making.MEMORY_MIB} MiB of memory for it",
    ),
    (
        re.compile(r"File size limit exceeded|File too large|file too big"),
        f"what the compiler makes of it is larger than {making.FILE_MIB} MiB",
    ),
    (
        re.compile(r"CPU time limit exceeded|Killed signal"),
        f"the compiler needs more than {making.CPU_SECONDS} seconds for it",
    ),
    (
        re.compile(r"No space left on device"),
        "the compiler's temporary files for it are too large",
    ),
    (
        re.compile(r"internal compiler error|Segmentation fault"),
        "the compiler itself fails at it: is something nested very deeply?",
    ),
)
_CONTEXT = re.compile(r": in function [`']\S+':$|^warning: ")


def complaints(
    output: str, files: Sequence[str], copies: Sequence[Path], homes: Mapping[str, str]
) -> tuple[str, ...]:
    """The lines about @files in the @output of a build, in the files' order.

    @copies are folders with copies of the tree; their names are removed. @homes tells which of @files
    defines a function in the reference.
    """
    for copy in copies:
        output = output.replace(f"{copy}/", "")
    blocks = _by_object(output)
    out: list[str] = []
    for file in files:
        place = re.compile(rf"{re.escape(file)}:(\d+:)?(\d+:)? (fatal error|[Ee]rror|[Ww]arning): ")
        own = sorted({line for line in output.splitlines() if place.match(line)}, key=_line_number)
        own += [line for line in _assembler(file, blocks.get(file, "")) if line not in own]
        out += own or _too_much(file, blocks.get(file, ""))
    out += _linker(output, homes)
    return tuple(line[:_COLUMNS] for line in out[:_LINES])


def _by_object(output: str) -> dict[str, str]:
    """The complaints about each source whose compilation failed: the lines up to make's own."""
    blocks: dict[str, str] = {}
    start = 0
    for found in _GAVE_UP.finditer(output):
        said = output[start : found.start()]
        start = output.find("\n", found.end()) + 1 or len(output)
        blocks[found[1]] = blocks.get(found[1], "") + said + found[0] + "\n"
    return blocks


def _assembler(file: str, block: str) -> list[str]:
    """The assembler's messages about what the compiler made of @file. Their lines are not the source's."""
    named = (_TEMPORARY.sub(file, line) for line in block.splitlines() if _TEMPORARY.match(line))
    return sorted({line for line in named if " Error: " in line})


def _too_much(file: str, block: str) -> list[str]:
    """Why the compiler gave up at @file without a word about a line of it."""
    known = [f"{file}: {why}" for said, why in _TOO_MUCH if said.search(block)]
    return known[:1] or [f"{file}: {last_line(block)}"] * bool(block)


def _line_number(line: str) -> tuple[int, str]:
    found = re.search(r":(\d+):", line)
    return (int(found.group(1)) if found else 0, line)


def _linker(output: str, homes: Mapping[str, str]) -> Iterator[str]:
    callers: dict[str, list[str]] = {}
    for place, name in _UNDEFINED.findall(output):
        callers.setdefault(name, []).append(place)
    for name, places in callers.items():
        more = len(places) - 1
        others = f", and {f'{more} others do' if more > 1 else 'one other does'}" if more else ""
        if name in homes:
            yield f"{homes[name]}: {name}() is missing; {places[0]} uses it{others}"
        else:
            yield f"{places[0]}: uses {name}, which is defined nowhere"
    twice = _TWICE.findall(output)
    for place, name, first in twice:
        yield f"{place}: {name} is defined a second time; the first is at {first}"
    if not callers and not twice:
        found = (line for line in _LINKER.findall(output) if not _CONTEXT.search(line))
        yield from dict.fromkeys(found)


def last_line(output: str) -> str:
    """The most useful line of a failed build."""
    lines = [line for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "***" in line]
    line = (telling or lines or ["make said nothing"])[0].strip()
    return _ANY_TEMPORARY.sub(lambda found: f"a temporary file{found[1] or ''}", line)[:_COLUMNS]
