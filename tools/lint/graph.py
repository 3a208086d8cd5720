"""Which folder of the kernel calls which: each only those below it, upward only through hooks.

A name that one folder's objects leave undefined and another folder's define is an arrow. A hook is a
name declared in a header below and defined above; HOOKS lists them all, docs/README.md says why.

`python3 -m tools.lint.graph` draws the graph.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tools.lint.files import ROOT, Fault
from tools.qemu import ARCHES

# Lowest first. include/ has no code, and test/ is linked into test kernels only.
FOLDERS = (
    *("base", "lock", "console", "sched/policy", "sched", "sync", "mm", "thread", "fs", "process"),
    *("dev", "tty", "procfs", "abi"),
)
_TOP = "main.c"
_APART = frozenset({"include", "test"})
MAX_HOOKS = 10
# Each with the header that declares it.
HOOKS = {
    "panic": "base/panic.h",
    "sched_preempt": "lock/spinlock.h",
    "as_switch": "sched/sched.h",
    "thread_left": "sched/sched.h",
    "thread_release": "sched/sched.h",
    "process_check_cpu_limit": "sched/usage.h",
    "process_adopt": "thread/thread.h",
    "process_forget_thread": "thread/thread.h",
    "process_teardown": "thread/thread.h",
    "signal_raise": "fs/vfs.h",
}
# "build/riscv/debug/obj/kernel/fs/pipe.c.o:                 U spin_lock"
_SYMBOL = re.compile(r"^\S*/obj/kernel/(\S+)\.o:[0-9a-f]*\s+(\w) (\S+)$", re.M)


@dataclass(frozen=True, order=True)
class Arrow:
    """@source calls @name, which @target defines; both are files of kernel/."""

    source: str
    target: str
    name: str


def folder_of(source: str) -> str:
    return source.rpartition("/")[0] or _TOP


def _rank(folder: str) -> int:
    order = (*FOLDERS, _TOP)
    return order.index(folder) if folder in order else -1


def arrows(symbols: str) -> set[Arrow]:
    """The calls from file to file that nm's output @symbols tells of."""
    defined: dict[str, str] = {}
    wanted: list[tuple[str, str]] = []
    for source, kind, name in _SYMBOL.findall(symbols):
        if kind == "U":
            wanted.append((source, name))
        elif kind.isupper():
            defined[name] = source
    return {Arrow(source, defined[name], name) for source, name in wanted if name in defined}


def _upward(found: set[Arrow]) -> set[Arrow]:
    return {a for a in found if _rank(folder_of(a.target)) > _rank(folder_of(a.source))}


def faults(found: set[Arrow], hooks: Mapping[str, str], declares: Mapping[str, str]) -> Iterator[Fault]:
    """Of calls from file to file; @declares has the text of each header that @hooks name."""
    upward = _upward(found)
    for arrow in sorted(upward):
        if arrow.name not in hooks:
            yield Fault(
                f"kernel/{arrow.source}", 1, f"calls {arrow.name}() of kernel/{arrow.target}, which is above"
            )
    called = {arrow.name for arrow in upward}
    for name, header in hooks.items():
        if name not in called:
            yield Fault("tools/lint/graph.py", 1, f"{name} is no hook: nobody calls it upward")
        elif not re.search(rf"\b{name}\(", declares[header]) or "hook" not in declares[header].lower():
            yield Fault(f"kernel/{header}", 1, f"does not declare {name}() as a hook")
        for arrow in upward:
            if arrow.name == name and _rank(folder_of(header)) > _rank(folder_of(arrow.source)):
                yield Fault(f"kernel/{header}", 1, f"is above {arrow.source}, which calls its hook {name}()")
    if len(hooks) > MAX_HOOKS:
        yield Fault("tools/lint/graph.py", 1, f"{len(hooks)} hooks, over {MAX_HOOKS}")


def _unknown_folders() -> Iterator[Fault]:
    known = {*FOLDERS, *_APART}
    for file in sorted((ROOT / "kernel").rglob("*.[ch]")):
        folder = str(file.parent.relative_to(ROOT / "kernel"))
        if folder not in known and folder != ".":
            yield Fault(str(file.relative_to(ROOT)), 1, f"kernel/{folder} has no place in FOLDERS")


def _symbols() -> str:
    return "".join(
        subprocess.run(
            ["make", "-s", f"ARCH={arch}", "kernel-names"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for arch in ARCHES
    )


def downward() -> Iterator[Fault]:
    """The kernel's folders call downward."""
    yield from _unknown_folders()
    declares = {header: (ROOT / "kernel" / header).read_text() for header in HOOKS.values()}
    yield from faults(arrows(_symbols()), HOOKS, declares)


def drawing(found: set[Arrow]) -> str:
    """Each folder, the highest first, with how many names of which folders it uses."""
    used: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for arrow in found:
        used[folder_of(arrow.source)][folder_of(arrow.target)].add(arrow.name)
    lines = []
    for folder in reversed((*FOLDERS, _TOP)):
        below = [f for f in (*FOLDERS, _TOP) if f in used[folder] and _rank(f) < _rank(folder)]
        uses = ", ".join(f"{f} {len(used[folder][f])}" for f in reversed(below))
        lines.append(f"{folder:<13} uses {uses or 'nothing'}")
        mine = (arrow for arrow in _upward(found) if folder_of(arrow.source) == folder)
        above = sorted(f"{arrow.name} ({folder_of(arrow.target)})" for arrow in mine)
        if above:
            lines.append(f"{'':<13} hooks {', '.join(dict.fromkeys(above))}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(drawing(arrows(_symbols())) + "\n")
