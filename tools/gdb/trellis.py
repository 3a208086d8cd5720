"""GDB commands that know Trellis: threads, waiters, deadlock, timeline, ... Try `help trellis`.

GDB loads this file (gdb -x tools/gdb/trellis.py kernel.elf). Everything is read from the kernel's own
structures while it is stopped, so no lock is needed and nothing in the kernel changes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gdb  # exists only inside GDB

Value = Any  # gdb.Value

_ROOT = Path(__file__).resolve().parent.parent.parent  # known only while GDB loads us
_NS_PER_US = 1000
_MAX_FRAMES = 64
_MAX_LIST = 100_000


# --- Reading the kernel -------------------------------------------------------------------------


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
    """The objects on a kernel list, as `struct @struct` values; see kernel/include/list.h."""
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
    """Of one that waits: "armed" until somebody has claimed the wait, and the deadline."""
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
            return  # the first frame was made by hand: nobody called it
        yield pc
        following = word(fp + port.next_at)
        if following <= fp:
            return
        fp = following


# --- Who waits for what -------------------------------------------------------------------------

# A wait is asked for by the first caller that is not in one of these.
_WAITING = ("kernel/sched/", "kernel/sync/", "kernel/thread/wait.c", "kernel/thread/sleep.c", "arch/")


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
        return "/test_" in source or not source.startswith(_WAITING)

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


# --- Commands -----------------------------------------------------------------------------------


class Command(gdb.Command):
    """A command whose help is its docstring and whose work is run(arguments)."""

    NAME = ""

    def __init__(self) -> None:
        super().__init__(self.NAME, gdb.COMMAND_STATUS)

    def invoke(self, argument: str, _from_tty: bool) -> None:
        self.run(gdb.string_to_argv(argument))

    def run(self, arguments: list[str]) -> None:
        raise NotImplementedError


class Threads(Command):
    """threads [PID]: every thread, or those of a process, with its state and who has its wait."""

    NAME = "threads"

    def run(self, arguments: list[str]) -> None:
        wanted = int(arguments[0]) if arguments else None
        print("  tid   pid cpu state     pri      ran us  name             its wait")
        for t in all_threads():
            pid = int(t["process"]["pid"]) if int(t["process"]) else 0
            if wanted is not None and pid != wanted:
                continue
            dying = " (dying)" if int(t["work"]) & 2 else ""
            print(
                f"{int(t['tid']):5} {pid:5} {cpu_of(t):>3} {state_of(t):9} {int(t['se']['base']['level']):3} "
                f"{int(t['stats']['run_ns']) // _NS_PER_US:11}  {text(t['name']):16} {wait_of(t)}{dying}"
            )


class Procs(Command):
    """procs: every process, zombies included."""

    NAME = "procs"

    def run(self, arguments: list[str]) -> None:
        print("  pid  ppid state   threads  refs holds  status name")
        for p in sorted(all_processes(), key=lambda p: int(p["pid"])):
            parent = int(p["parent"]["pid"]) if int(p["parent"]) else 0
            life = int(p["life"])
            state = enum_name(life >> 32, "process_state", "PROCESS_")
            print(
                f"{int(p['pid']):5} {parent:5} {state:7} {int(p['nr_threads']):7} "
                f"{int(p['refs']):5} {int(p['holds']):5} {life & 0xFFFFFFFF:#7x} {text(p['name'])}"
            )


class Cpus(Command):
    """cpus: what each CPU runs, its nesting, and its next timer."""

    NAME = "cpus"

    def run(self, arguments: list[str]) -> None:
        print("cpu hwid online  runs                   irqs  ready  switches  timer at (ns)")
        for c in all_cpus():
            current = c["runq"]["current"]
            runs = f"{int(current['tid'])} {text(current['name'])}" if int(current) else "-"
            timer = str(int(c["timer_at"])) if bool(c["timer_armed"]) else "off"
            print(
                f"{int(c['id']):3} {int(c['hwid']):4} {'yes' if bool(c['online']) else 'no':6}  "
                f"{runs:22} {int(c['irq_nesting']):4} {int(c['runq']['q']['nr']):6} "
                f"{int(c['stats']['switches']):9}  {timer}"
            )


class Runq(Command):
    """runq: each CPU's current thread, and who is ready there."""

    NAME = "runq"

    def run(self, arguments: list[str]) -> None:
        ready: dict[str, list[str]] = {}
        for t in all_threads():
            if state_of(t) == "ready":
                entry = f"{int(t['tid'])} ({text(t['name'])}, {int(t['se']['base']['level'])})"
                ready.setdefault(cpu_of(t), []).append(entry)
        for c in all_cpus():
            current, number = c["runq"]["current"], int(c["id"])
            runs = f"{int(current['tid'])} ({text(current['name'])})" if int(current) else "nobody"
            waiting = ", ".join(ready.get(str(number), [])) or "nobody"
            print(f"cpu{number}: runs {runs}; ready: {waiting}")


class Locks(Command):
    """locks: which thread holds which lock, and where it took it (debug builds)."""

    NAME = "locks"

    def run(self, arguments: list[str]) -> None:
        none = True
        for t in all_threads():
            for i in range(int(t["nr_held"])):
                none = False
                lock = t["held"][i].dereference()
                kind = enum_name(lock["class"], "lock_class", "LOCK_")
                print(
                    f"thread {int(t['tid'])} ({text(t['name'])}) holds {kind} lock "
                    f"{int(lock.address):#x}, taken in {place(int(lock['site']))}"
                )
            for i in range(int(t["nr_mutexes"])):
                none = False
                mutex = t["mutexes"][i].dereference()
                print(
                    f"thread {int(t['tid'])} ({text(t['name'])}) holds mutex {text(mutex['name'])} "
                    f"{int(mutex.address):#x}, taken in {place(int(mutex['site']))}"
                )
        if none:
            print("no lock is held")


class Waiters(Command):
    """waiters: every thread that waits: in which queues, until when, for whom, and where it asked."""

    NAME = "waiters"

    def run(self, arguments: list[str]) -> None:
        print("thread                   until (ns)       queue                waits in")
        for wait in all_waits():
            queues = [f"{int(q.address):#x}" for q in wait.queues()] or ["(sleeps)"]
            held_up = wait.held_up_by()
            whom = f", for {held_up[0]} {named(held_up[1])}" if held_up is not None else ""
            where = asked_at(wait.calls)
            print(f"{named(wait.thread):24} {wait.until():16} {queues[0]:20} {where}{whom}")
            for queue in queues[1:]:
                print(f"{'':24} {'':16} {queue}")


class Deadlock(Command):
    """deadlock: threads that wait for each other in a circle, for mutexes or to join."""

    NAME = "deadlock"

    def run(self, arguments: list[str]) -> None:
        waits = {int(w.thread.address): w for w in all_waits()}
        needs = {address: w.held_up_by() for address, w in waits.items()}
        reported: set[int] = set()
        for start in waits:
            circle = self._circle(start, needs)
            if circle and not reported.intersection(circle):
                reported.update(circle)
                print(f"deadlock of {len(circle)} threads:")
                for address in circle:
                    need = needs[address]
                    assert need is not None
                    print(
                        f"  thread {named(waits[address].thread)} waits for {need[0]} "
                        f"{named(need[1])}, in {asked_at(waits[address].calls)}"
                    )
        if not reported:
            print("no deadlock: no circle of threads that wait for mutexes or join")

    @staticmethod
    def _circle(start: int, needs: dict[int, tuple[str, Value] | None]) -> list[int]:
        """The threads from @start until it comes up again; none if it does not."""
        path, at = [], start
        while at not in path:
            path.append(at)
            need = needs.get(at)
            if need is None:
                return []
            at = int(need[1].address)
        return path if at == start else []


class KernelMemory:
    """Memory by the kernel's addresses."""

    def __len__(self) -> int:
        return 1 << 64

    def __getitem__(self, index: slice) -> bytes:
        size = index.stop - index.start
        return bytes(gdb.selected_inferior().read_memory(index.start, size))


class Timeline(Command):
    """timeline FILE: draws the trace so far as a page (FILE.html), or for Perfetto (FILE.json)."""

    NAME = "timeline"

    def run(self, arguments: list[str]) -> None:
        if len(arguments) != 1 or not arguments[0].endswith((".html", ".json")):
            raise gdb.GdbError("timeline needs the name of a file, .html or .json")
        if str(_ROOT) not in sys.path:
            sys.path.insert(0, str(_ROOT))
        from grade.elf import Elf
        from grade.trace import Layout, VirtualRingReader
        from tools.timeline.from_trace import from_trace
        from tools.timeline.output import write

        riscv = "riscv" in gdb.selected_inferior().architecture().name()
        arch = "riscv" if riscv else "x86_64"
        elf, layout = Elf(Path(str(gdb.objfiles()[0].filename))), Layout.read(_ROOT)
        try:
            trace = VirtualRingReader(elf, layout, arch).read(KernelMemory())
        except gdb.MemoryError:
            raise gdb.GdbError("there is no trace yet: the kernel has no page table") from None
        if not trace.records:
            raise gdb.GdbError("there is no trace yet")
        model = from_trace(trace, layout, elf, _ROOT, arch, "the machine as it stands in GDB", arch)
        write(model, Path(arguments[0]))
        print(f"{len(trace.records)} records: {arguments[0]}")


class Trace(Command):
    """trace [N]: the newest N trace records of all CPUs in order of time; 30 if not said."""

    NAME = "trace"

    def run(self, arguments: list[str]) -> None:
        wanted = int(arguments[0]) if arguments else 30
        names = {
            f.enumval: str(f.name).removeprefix("TRACE_EV_").lower()
            for f in gdb.lookup_type("enum trace_event").fields()
        }
        newest: list[Value] = []
        for i in range(int(kernel("nr_cpus"))):
            newest += self._newest(kernel(f"trace_rings[{i}]"), wanted)
        newest.sort(key=lambda r: int(r["time"]))
        print("        time ns  cpu    tid  event")
        for r in newest[-wanted:]:
            event = names.get(int(r["event"]), "?")
            says = self._state(r) if event == "state" else f"{int(r['a']):#x} {int(r['b']):#x}"
            print(f"{int(r['time']):15} {int(r['cpu']):4} {int(r['tid']):6}  {event:12} {says}")

    @staticmethod
    def _state(r: Value) -> str:
        """The address of the reason lies above the two states, without its upper 16 bits."""
        b = int(r["b"])
        old, new = (
            enum_name(gdb.Value(n), "thread_state", "THREAD_") for n in (b >> 8 & 0xFF, b & 0xFF)
        )
        reason = gdb.Value(b >> 16 | 0xFFFF << 48).cast(gdb.lookup_type("char").pointer())
        return f"{int(r['a'])}: {old} > {new} ({text(reason)})"

    @staticmethod
    def _newest(ring: Value, count: int) -> list[Value]:
        head, size = int(ring["head"]), int(ring["size"])
        first = max(0, head - min(count, size))
        return [ring["records"][i % size] for i in range(first, head)] if size else []


class ThreadBacktrace(Command):
    """tbt TID: the call chain of a thread, whether it is on a CPU or not."""

    NAME = "tbt"

    def run(self, arguments: list[str]) -> None:
        if len(arguments) != 1 or not arguments[0].isdecimal():
            raise gdb.GdbError("tbt needs the number of a thread; `threads` lists them")
        thread = thread_by_id(int(arguments[0]))
        if is_current(thread):
            self._on_cpu(int(thread["cpu"]["hwid"]))
            return
        for number, pc in enumerate(saved_calls(thread)):
            # A return address belongs to the call before it; a thread that never ran has none.
            print(f"#{number:<3}{pc:#x} in {place(pc if starts_function(pc) else pc - 1)}")

    @staticmethod
    def _on_cpu(hwid: int) -> None:
        """QEMU shows CPUs as threads, numbered from 1 in the order of their ids."""
        before = gdb.selected_thread()
        gdb.execute(f"thread {hwid + 1}", to_string=True)
        try:
            gdb.execute("backtrace")
        finally:
            before.switch()


class Trellis(Command):
    """Commands for Trellis:
    threads [PID]  every thread, its state, and who has claimed its wait
    procs          every process
    cpus           what each CPU is doing
    runq           who runs and who is ready, by CPU
    locks          locks held, and where they were taken
    waiters        who waits for what, until when
    deadlock       threads that wait for each other in a circle
    trace [N]      the newest trace records
    timeline FILE  the trace as a page to look at, or as JSON for Perfetto
    tbt TID        the call chain of any thread
    Good places to stop: kernel_main, panic, thread_set_state, syscall_entry."""

    NAME = "trellis"

    def run(self, arguments: list[str]) -> None:
        print(self.__doc__)


_COMMANDS: tuple[type[Command], ...] = (
    *(Threads, Procs, Cpus, Runq, Locks, Waiters, Deadlock, Trace, Timeline),
    *(ThreadBacktrace, Trellis),
)


def load() -> None:
    """Registers the commands."""
    for setting in ("pagination off", "print pretty on", "confirm off"):
        gdb.execute(f"set {setting}")
    for command in _COMMANDS:
        command()
    print("Trellis: `help trellis` lists commands that know the kernel")


load()
