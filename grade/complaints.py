"""The compiler's messages about the files that a student wrote.

The compiler names the file. The linker names only the callers of a missing function, with one message
for each. Both print paths inside our temporary copies, which mean nothing to the student.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from grade.errors import GraderError

_LINES = 12  # of complaints
_FULL = "No space left on device"
_UNDEFINED = re.compile(r"^(?:\S*ld: )?(?:\S+\.o:)?(\S+?): undefined reference to [`'](\S+)'$", re.M)
_TWICE = re.compile(
    r"^(?:\S*ld: )?(?:\S+\.o:)?(?:in function \S+ )?(\S+?): multiple definition of [`'](\S+)';"
    r" (?:\S+\.o:)?(\S+?): first defined here$",
    re.M,
)
_LINKER = re.compile(r"^\S*ld: (.*)$", re.M)
_CONTEXT = re.compile(r": in function [`']\S+':$|^warning: ")


def complaints(
    output: str, files: Sequence[str], copies: Sequence[Path], homes: Mapping[str, str]
) -> tuple[str, ...]:
    """The lines about @files in the @output of a build, in the files' order.

    @copies are folders with copies of the tree; their names are removed. @homes tells which of @files
    defines a function in the reference. Raises GraderError if the machine is at fault (disk full).
    """
    if _FULL in output:
        raise GraderError("the disk is full: make room where build/ and the temporary files are")
    for copy in copies:
        output = output.replace(f"{copy}/", "")
    out: list[str] = []
    for file in files:
        place = re.compile(rf"{re.escape(file)}:(\d+:)?(\d+:)? (fatal error|error|warning): ")
        out += sorted({line for line in output.splitlines() if place.match(line)}, key=_line_number)
    out += _linker(output, homes)
    return tuple(out[:_LINES])


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
    return (telling or lines or ["make said nothing"])[0].strip()
