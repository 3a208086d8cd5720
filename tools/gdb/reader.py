"""The kernel's structures as GDB sees them: lists, threads, call chains, and what each thread waits for.

Everything is read while the kernel is stopped, so no lock is needed and nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gdb  # exists only inside GDB

Value = Any  # gdb.Value

_MAX_FRAMES = 64
_MAX_LIST = 100_000


def kernel(expression: str) -> Value:
    return gdb.parse_and_eval(expression)


def text(array: Value) -> str:
    """A char[] or char pointer, as far as its NUL."""
    if array.type.strip_typedefs().code == gdb.TYPE_CODE_PTR and int(array) == 0:
        return ""
    return str(array.string(errors="replace"))


def enum_name(value: Value, enum: str, prefix: str) -> str:
    """The name of @value in `enum @enum`, in lower case and without its prefix."""
    number = int(value)
    for field in gdb.lookup_type(f"enum {enum}").fields():
        if field.enumval == number:
            return str(field.name).removeprefix(prefix).lower()
    return str(number)


def list_entries(head: Value, struct: str, member: str) -> Iterator[Value]:
    """The objects on a kernel list, as `struct @struct` values; see kernel/base/list.h."""
    kind = gdb.lookup_type(f"struct {struct}")
    offset = next(f.bitpos // 8 for f in kind.fields() if f.name == member)
    node = head["next"]
    for _ in range(_MAX_LIST):
        if node == 0 or node == head.address:
            return
        yield gdb.Value(int(node) - offset).cast(kind.pointer()).dereference()
        node = node["next"]


def all_cpus() -> Iterator[Value]:
    for i in range(int(kernel("nr_cpus"))):
        yield kernel(f"cpus[{i}]")


def all_threads() -> Iterator[Value]:
    """Every thread: each CPU's idle one, and those on the kernel's list."""
    for cpu in all_cpus():
        yield cpu["idle"]
    yield from list_entries(kernel("all_threads"), "thread", "all_node")


def all_processes() -> Iterator[Value]:
    table = kernel("process_ids")
    first, last = table.type.range()
    for i in range(first, last + 1):
        yield from list_entries(table[i], "process", "pid_node")


def thread_by_id(tid: int) -> Value:
    for thread in all_threads():
        if int(thread["tid"]) == tid:
            return thread
    raise gdb.GdbError(f"no thread {tid}; `threads` lists them")


def cpu_of(thread: Value) -> str:
    return str(int(thread["cpu"]["id"])) if int(thread["cpu"]) else "-"


def state_of(thread: Value) -> str:
    return enum_name(thread["state"], "thread_state", "THREAD_")


def wait_of(thread: Value) -> str:
    """The wait of a waiting thread: "armed" until it is claimed, and its deadline."""
    if not int(thread["waiter"]):
        return ""
    waiter = thread["waiter"].dereference()
    until = f", until {int(waiter['deadline'])}" if int(waiter["sq"]) else ""
    return enum_name(waiter["why"], "wait_why", "WAIT_") + until


def is_current(thread: Value) -> bool:
    return any(cpu["runq"]["current"] == thread.address for cpu in all_cpus())


def starts_function(pc: int) -> bool:
    block = gdb.block_for_pc(pc)
    return block is not None and block.function is not None and block.start == pc


def place(pc: int) -> str:
    """Function, offset, file and line of a kernel address; not a function inlined there."""
    block = gdb.block_for_pc(pc)
    while block is not None and block.superblock is not None and not block.superblock.is_static:
        block = block.superblock
    function = block.function if block is not None else None
    line = gdb.find_pc_line(pc)
    where = f" at {line.symtab.filename}:{line.line}" if line.symtab is not None else ""
    if block is None or function is None:
        name = str(gdb.execute(f"info symbol {pc:#x}", to_string=True)).split(" in section")[0]
        return name.strip() + where
    return f"{function.print_name}+{pc - block.start:#x}{where}"


# --- Frames of threads that are off the CPU -----------------------------------------------------


@dataclass(frozen=True)
class Frames:
    """Where a port keeps things: words of what arch_switch() saved, and of a call's frame."""

    saved_pc: int  # index from the saved stack pointer
    saved_fp: int
    return_at: int  # bytes from the frame pointer
    next_at: int


def frames_of_port() -> Frames:
    if "riscv" in gdb.selected_inferior().architecture().name():
        return Frames(saved_pc=0, saved_fp=1, return_at=-8, next_at=-16)
    return Frames(saved_pc=6, saved_fp=5, return_at=8, next_at=0)


def word(address: int) -> int:
    return int(gdb.Value(address).cast(gdb.lookup_type("u64").pointer()).dereference())


def saved_calls(thread: Value) -> Iterator[int]:
    """The program counters of @thread, which has been switched away, innermost first."""
    port = frames_of_port()
    sp = int(thread["arch"]["sp"])
    low, high = int(thread["stack"]), int(thread["stack"]) + int(thread["stack_size"])
    yield word(sp + 8 * port.saved_pc)
    fp = word(sp + 8 * port.saved_fp)
    for _ in range(_MAX_FRAMES):
        if not low < fp <= high - 8 or fp % 8:
            return
        pc = word(fp + port.return_at)
        if pc == 0 or starts_function(pc):
            return  # the first frame was made by hand: it has no caller
        yield pc
        following = word(fp + port.next_at)
        if following <= fp:
            return
        fp = following


# --- What each thread waits for -----------------------------------------------------------------

# The caller that wants to wait is the first one that is not in one of these.
_WAITING = ("kernel/sched/", "kernel/sync/", "kernel/lock/", "arch/")

_TESTS = ("kernel/sched/test_", "kernel/sync/test_", "kernel/lock/test_")


def source_of(pc: int) -> str:
    """The file that the code at @pc comes from, as the compiler was given it."""
    symtab = gdb.find_pc_line(pc).symtab
    return str(symtab.filename) if symtab is not None else ""


def calls_of(thread: Value) -> list[int]:
    """One address in each of its calls, innermost first: return addresses belong before them."""
    return [pc if starts_function(pc) else pc - 1 for pc in saved_calls(thread)]


def asked_at(calls: list[int]) -> str:
    """Where in the kernel the wait was asked for."""
    def is_caller(pc: int) -> bool:
        source = source_of(pc)
        return source.startswith(_TESTS) or not source.startswith(_WAITING)

    pc = next(filter(is_caller, calls), calls[-1] if calls else 0)
    return place(pc) if pc else "?"


def container(address: int, struct: str, member: str) -> Value:
    """The `struct @struct` whose @member lies at @address."""
    kind = gdb.lookup_type(f"struct {struct}")
    offset = next(f.bitpos // 8 for f in kind.fields() if f.name == member)
    return gdb.Value(address - offset).cast(kind.pointer()).dereference()


@dataclass(frozen=True)
class Wait:
    """One blocked or sleeping thread. It says what it waits for on its own stack."""

    thread: Value
    calls: list[int]

    def queues(self) -> list[Value]:
        """The queues it stands in: several for poll, none for a sleep."""
        if int(self.thread["blocked_on"]):
            return [self.thread["blocked_on"]["queue"].dereference()]
        waiter = int(self.thread["waiter"])
        found = []
        for address in self._words_equal(waiter):
            link = container(address, "wait_link", "waiter")
            try:
                if link["q"] and self._stands_in(link):
                    found.append(link["q"].dereference())
            except gdb.MemoryError:
                continue
        return found

    def _words_equal(self, wanted: int) -> Iterator[int]:
        low = int(self.thread["arch"]["sp"])
        high = int(self.thread["stack"]) + int(self.thread["stack_size"])
        memory = bytes(gdb.selected_inferior().read_memory(low, high - low))
        needle = wanted.to_bytes(8, "little")
        at = memory.find(needle)
        while at >= 0:
            if at % 8 == 0:
                yield low + at
            at = memory.find(needle, at + 1)

    @staticmethod
    def _stands_in(link: Value) -> bool:
        listed = list_entries(link["q"]["links"], "wait_link", "node")
        return any(entry.address == link.address for entry in listed)

    def until(self) -> str:
        waiter = self.thread["waiter"]
        return str(int(waiter["deadline"])) if int(waiter["sq"]) else "-"

    def held_up_by(self) -> tuple[str, Value] | None:
        """In words what it needs of a thread, and that thread; None if no thread is known."""
        if int(self.thread["blocked_on"]):
            queue = self.thread["blocked_on"]["queue"]
            if int(queue["owner"]):
                return f"{self._lock(queue)}, held by", queue["owner"].dereference()
        for other in all_threads():
            if other["joiner"] == self.thread.address:
                return "the end of", other
        return None

    def _lock(self, queue: Value) -> str:
        if any(source_of(pc).endswith("kernel/sync/mutex.c") for pc in self.calls):
            return f"mutex {int(container(int(queue), 'mutex', 'pi').address):#x}"
        return f"PI futex {int(queue):#x}"


def all_waits() -> Iterator[Wait]:
    for thread in all_threads():
        if state_of(thread) in ("blocked", "sleeping") and int(thread["waiter"]):
            yield Wait(thread, calls_of(thread))


def named(thread: Value) -> str:
    return f"{int(thread['tid'])} ({text(thread['name'])})"
