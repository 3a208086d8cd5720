"""Writes build/compile_commands.json, which tells clangd how each C file and header is compiled.

    python3 -m tools.compdb --output FILE --kernel PORT=FLAGS... --user PORT=FLAGS... --libc PORT=FLAGS...

make calls it with each build. The file lists every C file of the tree, whatever was built so far: a
port's own files with the flags of that port, files that both ports share with the flags of riscv, tests
and labs as in a test kernel, and programs for this machine with the flags that the tests use for them.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from tools import hostcc
from tools.options import Parser

_FOLDERS = ("arch", "kernel", "user", "labs", "tools", "bench")
_PORT = re.compile(r"^(?:arch|user/libc)/(riscv|x86_64)/")
_GNU = ("-std=gnu11", "-D_GNU_SOURCE")
# As make/explore.mk has them.
_EXPLORED = (
    *("-std=gnu11", "-ffreestanding", "-fno-builtin"),
    *("-Ikernel/include", "-Ikernel", "-Iarch/host", "-Itools"),
    *("-DTRELLIS_DEBUG=0", "-DTRELLIS_TESTS=0", "-include", "tools/host/rename.h"),
)
_EXPLORER = (*_GNU, "-Iarch/host")
# The first entry with which a path begins says how it is compiled: a group of flags, or the flags.
_KINDS: tuple[tuple[str, str | tuple[str, ...]], ...] = (
    ("user/libc/", "libc"),
    ("user/", "user"),
    ("bench/meter/", (*_GNU, "-DPLUGIN_VERSION=1")),
    ("tools/mutate/ran.c", (*_GNU, "-DPLUGIN_VERSION=1", "-Ibench/meter")),
    ("bench/", "user"),
    ("tools/soak/", "user"),
    ("tools/diff/", "user"),
    ("tools/simulate/test_", hostcc.CFLAGS),
    ("tools/simulate/", hostcc.SIMULATOR_CFLAGS),
    ("tools/host/test_", hostcc.SHELL_CFLAGS),
    ("tools/host/regex_", hostcc.SHELL_CFLAGS),
    ("tools/host/", hostcc.CFLAGS),
    ("tools/explore/scenario", _EXPLORED),
    ("tools/explore/tree.h", _EXPLORED),
    ("tools/explore/", _EXPLORER),
    ("arch/host/absent.c", _EXPLORER),
    ("arch/host/host.h", _EXPLORER),
    ("arch/host/", _EXPLORED),
    ("tools/tests/example_lab/", "kernel"),
    ("tools/tests/", _GNU),
    ("", "kernel"),
)
# Flags that only GCC knows, and those that make warnings errors: an editor shows them as warnings.
_NOT_FOR_CLANGD = ("-Werror", "-fno-tree-loop-distribute-patterns")


def arguments(path: str, flags: dict[tuple[str, str], list[str]]) -> list[str]:
    """The command that compiles @path, in the form that clangd reads."""
    found = _PORT.match(path)
    port = found[1] if found else "riscv"
    # A lab's scenarios are compiled like the explorer's own.
    known = re.sub(r"^labs/[^/]+/scenarios/", "tools/explore/scenarios/", path)
    kind = next(kind for start, kind in _KINDS if known.startswith(start))
    target = [f"--target={'riscv64' if port == 'riscv' else port}-unknown-elf"]
    own = [*target, *flags[kind, port]] if isinstance(kind, str) else list(kind)
    own = [word for word in own if word not in _NOT_FOR_CLANGD]
    language = ["-x", "c-header"] if path.endswith(".h") else []
    return ["clang", *own, "-Wno-unused-function", *language, "-c", path]


def sources() -> Iterator[str]:
    for top in _FOLDERS:
        for folder, folders, names in os.walk(top):
            folders.sort()
            yield from (f"{folder}/{name}" for name in sorted(names) if name.endswith((".c", ".h")))


def main() -> None:
    parser = Parser(prog="tools.compdb", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, metavar="FILE")
    for kind in ("kernel", "user", "libc"):
        parser.add_argument(f"--{kind}", action="append", default=[], metavar="PORT=FLAGS")
    options = parser.parse_args()

    flags: dict[tuple[str, str], list[str]] = {}
    for kind in ("kernel", "user", "libc"):
        for port, _, words in (given.partition("=") for given in getattr(options, kind)):
            flags[kind, port] = shlex.split(words)
    here = str(Path.cwd())
    entries = [
        {"directory": here, "file": path, "arguments": arguments(path, flags)} for path in sources()
    ]
    new = options.output.with_suffix(f".{os.getpid()}")  # another program may be writing or reading it
    new.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    new.replace(options.output)


if __name__ == "__main__":
    main()
