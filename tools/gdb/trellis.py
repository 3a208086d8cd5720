"""GDB commands that know Trellis: threads, waiters, deadlock, timeline, ... Try `help trellis`.

GDB loads this file (gdb -x tools/gdb/trellis.py kernel.elf).
"""

from __future__ import annotations

import sys
from pathlib import Path

import gdb  # exists only inside GDB

_ROOT = Path(__file__).resolve().parent.parent.parent  # known only while GDB loads us
sys.path.insert(0, str(_ROOT))

from tools.gdb.reader import (
    all_cpus,
    all_processes,
    all_threads,
    all_waits,
    asked_at,
    cpu_of,
    enum_name,
    is_current,
    kernel,
    named,
    place,
    saved_calls,
    starts_function,
    state_of,
    text,
    thread_by_id,
    Value,
    wait_of,
)

_NS_PER_US = 1000


class Command(gdb.Command):
    """A command whose help is its docstring and whose work is run(arguments)."""

    NAME = ""

    def __init__(self) -> None:
        super().__init__(self.NAME, gdb.COMMAND_STATUS)

    def invoke(self, argument: str, _from_tty: bool) -> None:
        try:
            self.run(gdb.string_to_argv(argument))
        except gdb.MemoryError as error:
            hint = "before it has booted, say: break init_main, continue"
            raise gdb.GdbError(f"the kernel cannot be read here ({error}); {hint}") from None

    def run(self, arguments: list[str]) -> None:
        raise NotImplementedError


class Threads(Command):
    """threads [PID]: every thread, or those of a process, with its state and who has claimed its wait."""

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
            for kind, locks in (("spin lock", t["spins"]), ("lock", t["locks"])):
                for i in range(int(locks["nr"])):
                    none = False
                    held = locks["at"][i]
                    print(
                        f"thread {int(t['tid'])} ({text(t['name'])}) holds {kind} "
                        f"{text(held['name'])} {int(held['lock']):#x}, "
                        f"taken in {place(int(held['site']))}"
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
        """The circle of threads that wait for each other, from @start back to it; empty if there is none."""
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
    runq           which threads run and are ready, by CPU
    locks          locks held, and where they were taken
    waiters        what each waiting thread waits for, until when
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
