"""The kernel's pure logic as a program for this machine, under AddressSanitizer and UBSan.

These units need no machine: their tests, which also run in the kernel, are linked with
tools/host/main.c instead of the test runner.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools import hostcc
from tools.programs import ROOT, last_lines
from tools.simulate.build import POLICIES
from tools.test.model import Job, Result

_UNITS: dict[str, tuple[str, ...]] = {
    "string": ("kernel/base/test_string.c",),
    "printf": ("kernel/base/test_printf.c",),
    "rbtree": ("kernel/base/rbtree.c", "kernel/base/test_rbtree.c"),
    "fdt": ("kernel/dev/fdt.c", "kernel/dev/test_fdt.c"),
    "line": ("kernel/tty/line.c", "kernel/tty/test_line.c"),
    "policies": (
        *POLICIES,
        *(f"tools/simulate/test_{name}.c" for name in ("policies", "rr", "prio", "mlfq", "reserve")),
        *(f"tools/simulate/test_{name}.c" for name in ("fair", "pct")),
    ),
    "ram": ("kernel/mm/ram.c", "kernel/base/machine.c", "tools/host/test_ram.c"),
    "mm": (
        *(f"kernel/mm/{name}.c" for name in ("ram", "page", "page_cache", "test_page")),
        *(f"kernel/mm/{name}.c" for name in ("slab", "slab_debug", "kmalloc", "test_slab")),
        *(f"kernel/mm/{name}.c" for name in ("region", "map", "protect", "remap", "test_map")),
        *(f"kernel/mm/{name}.c" for name in ("space", "fork", "cow", "fault", "test_space")),
        *(f"kernel/mm/{name}.c" for name in ("walk", "zap", "rmap", "shootdown", "kvm", "audit", "numa")),
        *("kernel/mm/lock.c", "kernel/mm/advise.c", "kernel/mm/test_kvm.c"),
        *("kernel/fs/inode.c", "kernel/fs/pagetree.c", "kernel/fs/ramfs.c", "kernel/fs/ramfs_file.c"),
        *("kernel/base/rbtree.c", "kernel/base/counters.c", "kernel/base/machine.c", "kernel/test/inject.c"),
        *("kernel/test/audit.c", "tools/host/machine.c"),
    ),
}
_ALWAYS = ("kernel/base/string.c", "kernel/base/printf.c", "tools/host/main.c")
# The parts of user space that need no kernel, with this machine's C library and a main() of their own.
_SHELL_UNITS: dict[str, tuple[str, ...]] = {
    "edit": (
        "tools/host/test_edit.c",
        *(f"user/bin/sh/{name}.c" for name in ("edit", "history", "complete", "arena")),
    ),
    "regex": ("tools/host/test_regex.c", "tools/host/regex_ours.c"),
}
_VERDICT = re.compile(r"^(ok|FAIL) (\S+)$", re.M)


def jobs(build_root: Path) -> list[Job]:
    def job(unit: str) -> Job:
        return Job(f"host {unit}", lambda: check(unit, build_root))

    return [job(unit) for unit in (*_UNITS, *_SHELL_UNITS)]


def check(unit: str, build_root: Path) -> Iterator[Result]:
    program = build_root / "host" / "units" / unit
    program.parent.mkdir(parents=True, exist_ok=True)
    error = compile_unit(unit, program)
    if error:
        yield Result(f"host {unit}", False, error)
        return
    done = subprocess.run(
        [program], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    verdicts = _VERDICT.findall(done.stdout)
    for verdict, name in verdicts:
        ok = verdict == "ok"
        yield Result(f"host {name}", ok, "" if ok else last_lines(done.stdout, 30))
    if not verdicts or (done.returncode and all(verdict == "ok" for verdict, _ in verdicts)):
        yield Result(f"host {unit}: the end", False, last_lines(done.stdout + done.stderr, 40))


def compile_unit(unit: str, program: Path) -> str:
    """Builds the unit. Returns the compiler's messages."""
    if unit in _SHELL_UNITS:
        argv = ["gcc", *hostcc.SHELL_CFLAGS, "-o", str(program), *_SHELL_UNITS[unit]]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
        return last_lines(done.stderr, 20) if done.returncode else ""
    for source in sources_of(unit):
        if error := compile_source((source,), object_of(program, source)):
            return error
    return link([str(object_of(program, source)) for source in sources_of(unit)], program)


def units_with(source: str) -> list[str]:
    """The units of the kernel that have this file."""
    return [unit for unit in _UNITS if source in sources_of(unit)]


def sources_of(unit: str) -> tuple[str, ...]:
    """The files of a unit of the kernel."""
    return *_ALWAYS, *_UNITS[unit]


def object_of(program: Path, source: str) -> Path:
    return program.with_name(f"{program.name}-{source.replace('/', '-')}.o")


def compile_source(source: Sequence[str], out: Path, text: str = "", flags: Sequence[str] = ()) -> str:
    """Compiles what the arguments @source name, or @text if they name standard input. Returns the compiler's
    messages."""
    # A section that the linker gives symbols to must have an identifier for a name.
    steps = (
        ["gcc", *hostcc.CFLAGS, *flags, "-c", "-o", str(out), *source],
        ["objcopy", "--rename-section", ".ktests=ktests", str(out)],
    )
    for argv in steps:
        done = subprocess.run(argv, cwd=ROOT, input=text, capture_output=True, text=True, check=False)
        if done.returncode:
            return last_lines(done.stderr, 20)
    return ""


def link(objects: Sequence[str], program: Path) -> str:
    argv = ["gcc", "-fsanitize=address,undefined", "-o", str(program), *objects]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return last_lines(done.stderr, 20) if done.returncode else ""
