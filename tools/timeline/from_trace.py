"""A kernel's trace as a model.

A thread's lane consists of its changes of state. The records around each change explain it: the thread on
the CPU caused it, the claim says why a thread woke, the block says what it waits for and until when, and
the system call says what the causing thread was doing. Release kernels may leave out changes to and from
RUNNING; switches say the same. A number that is used again is another thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from grade.elf import Elf
from grade.errors import GraderError
from grade.timeline import say
from grade.trace import Layout, Record, Trace
from tools.timeline import numbers
from tools.timeline.model import NOBODY, Arrow, Call, Entry, Mark, Model, Span, Thread
from tools.timeline.sources import Sources

_IDLE = 0  # the number that the idle threads of all CPUs share
_KERNEL = 0  # the kernel's own process
_INIT = 1
_MASK = (1 << 64) - 1


@dataclass
class _Life:
    """One thread while the trace is gone through."""

    id: int
    tid: int
    name: str
    process: int = _KERNEL
    state: str = ""
    since: int = 0
    cpu: int = NOBODY
    why: str = ""
    by: str = ""
    where: str = ""
    guessed: bool = False  # the state of a thread that left the CPU for a reason that is not recorded
    gone: bool = False  # freed: its number may be used again


@dataclass
class _Process:
    pid: int
    name: str = ""
    zombie: Record | None = None
    reaped: bool = False


def from_trace(
    trace: Trace,
    layout: Layout,
    elf: Elf,
    root: Path,
    arch: str,
    title: str = "trace",
    subtitle: str = "",
) -> Model:
    """@elf is the kernel that wrote @trace, @root the tree that it was built from."""
    return _Reader(trace, layout, elf, Sources(root), arch).model(title, subtitle)


def status_text(status: int) -> str:
    """A wait status in words."""
    return f"signal {status & 0x7F}" if status & 0x7F else f"exit status {status >> 8 & 0xFF}"


class _Reader:
    def __init__(
        self, trace: Trace, layout: Layout, elf: Elf, sources: Sources, arch: str
    ) -> None:
        self._trace = trace
        self._layout = layout
        self._elf = elf
        self._sources = sources
        self._syscalls = sources.syscalls(arch)
        self._begin = trace.records[0].time if trace.records else 0
        self._end = trace.records[-1].time if trace.records else 0
        self._focus = NOBODY
        self._lives: list[_Life] = []
        self._by_tid: dict[int, _Life] = {}
        self._processes: dict[int, _Process] = {}
        self._texts: dict[int, str] = {}
        self._unnamed: dict[int, _Life] = {}  # created by that thread, its name comes next
        self._claims: dict[int, Record] = {}
        self._blocks: dict[int, Record] = {}
        self._in_call: dict[int, tuple[str, int]] = {}
        self._left: dict[int, Record] = {}
        self._ipis: dict[int, list[Record]] = {}
        self._to_land: dict[int, list[int]] = {}  # arrows whose effect is the next run, by life
        self._to_die: dict[int, list[int]] = {}  # or the end
        self._asked: dict[tuple[int, int], Record] = {}  # kills that have begun, by (killer, process)
        self._spans: list[Span] = []
        self._calls: list[Call] = []
        self._arrows: list[Arrow] = []
        self._marks: list[Mark] = []
        self._records: list[Entry] = []

    def model(self, title: str, subtitle: str) -> Model:
        for r in self._trace.records:
            if r.event == "state" and r.a == _IDLE:
                continue  # an idle CPU that looks for work writes no other record
            text = self._record(r)
            who = self._life(r.tid) if r.tid != _IDLE else None
            where = self._sources.reason(self._reason(r)) if r.reason else ""
            self._records.append(
                Entry(r.time, text, who.id if who else NOBODY, r.cpu,
                      where or self._sources.event(r.event))  # fmt: skip
            )
        for life in self._lives:
            self._close(life, self._end)
        for tid, (name, since) in self._in_call.items():
            self._call(tid, name, since, self._end, "not returned")
        notes = () if self._trace.complete else (
            "The oldest records are lost: a ring keeps the newest of its CPU.",
        )  # fmt: skip
        return Model(
            title=title,
            subtitle=subtitle,
            begin=self._begin,
            end=self._end,
            focus_begin=self._focus,
            focus_end=self._end if self._focus != NOBODY else NOBODY,
            threads=self._threads(),
            spans=tuple(self._spans),
            calls=tuple(self._calls),
            arrows=tuple(self._arrows),
            marks=tuple(sorted(self._marks, key=lambda m: m.time)),
            records=tuple(self._records),
            notes=notes,
        )

    def _threads(self) -> tuple[Thread, ...]:
        """By process in order of appearance; the kernel's own last."""
        order = {pid: i for i, pid in enumerate(dict.fromkeys(x.process for x in self._lives))}
        order[_KERNEL] = len(order)
        lives = sorted(self._lives, key=lambda x: (order[x.process], x.id))
        return tuple(
            Thread(x.id, x.name or "?", x.tid, x.process, self._process_name(x.process))
            for x in lives
        )

    def _process_name(self, pid: int) -> str:
        if pid == _KERNEL:
            return "kernel"
        first = next((x.name for x in self._lives if x.tid == pid and x.process == pid), "")
        return first or self._process(pid).name

    # --- Names of threads -----------------------------------------------------------------------

    def _life(self, tid: int) -> _Life:
        """The thread that has this number now."""
        life = self._by_tid.get(tid)
        if life is None:
            life = self._new(tid)
            life.since = self._begin
            if tid == _INIT:
                life.process = _INIT
        return life

    def _new(self, tid: int) -> _Life:
        life = _Life(len(self._lives), tid, "")
        self._lives.append(life)
        self._by_tid[tid] = life
        return life

    def _process(self, pid: int) -> _Process:
        return self._processes.setdefault(pid, _Process(pid))

    def _label(self, tid: int, cpu: int) -> str:
        if tid == _IDLE:
            return f"an interrupt on idle CPU {cpu}"
        return f"{self._life(tid).name or 'thread'} {tid}"

    def _on_cpu(self, tid: int, cpu: int) -> str:
        return "idle" if tid == _IDLE else self._label(tid, cpu)

    def _actor(self, r: Record) -> str:
        call = self._in_call.get(r.tid)
        return self._label(r.tid, r.cpu) + (f" in {call[0]}()" if call else "")

    def _reason(self, r: Record) -> str:
        return self._text(r.reason) if r.reason else ""

    def _text(self, address: int) -> str:
        """The string at an address of the kernel's image; "" if it is no such address."""
        if address not in self._texts:
            try:
                self._texts[address] = self._elf.text(address)
            except (GraderError, ValueError):
                self._texts[address] = ""
        return self._texts[address]

    def _event_at(self, r: Record) -> str:
        return self._sources.event(r.event)

    # --- States ---------------------------------------------------------------------------------

    def _close(self, life: _Life, time: int) -> None:
        if life.state and not life.gone:
            begin = min(life.since, time)
            self._spans.append(
                Span(life.id, life.state, begin, time, life.cpu, life.why, life.by, life.where)
            )

    def _enter(self, life: _Life, state: str, time: int, cpu: int) -> None:
        self._close(life, time)
        life.state, life.since, life.cpu = state, time, cpu
        life.why = life.by = life.where = ""
        life.guessed = False
        if state == "running":
            self._land(life, time, cpu)

    def _land(self, life: _Life, time: int, cpu: int) -> None:
        for i in self._to_land.pop(life.id, []):
            self._arrows[i] = replace(self._arrows[i], lands=time, to_cpu=cpu)

    def _arrow(self, kind: str, r: Record, to: _Life, text: str, where: str = "") -> None:
        who = NOBODY if r.tid == _IDLE else self._life(r.tid).id
        self._arrows.append(
            Arrow(kind, r.time, r.time, who, r.cpu, to.id, to.cpu, NOBODY, text,
                  where or self._event_at(r))  # fmt: skip
        )

    def _mark(self, r: Record, kind: str, text: str, tid: int | None = None) -> None:
        tid = r.tid if tid is None else tid
        who = NOBODY if tid == _IDLE else self._life(tid).id
        self._marks.append(Mark(r.time, kind, text, who, r.cpu, self._event_at(r)))

    # --- Records --------------------------------------------------------------------------------

    def _record(self, r: Record) -> str:
        """Applies record @r to the model. Returns its text."""
        known: dict[str, Callable[[Record], str | None]] = {
            "state": self._state,
            "switch": self._switch,
            "claim": self._claim,
            "block": self._block,
            "create": self._create,
            "name": self._name,
            "free": self._free,
            "left": self._has_left,
            "join": self._join,
            "exit": self._exit,
            "process": self._begin_process,
            "kill": self._ask,
            "killed": self._killed,
            "killthread": self._kill_thread,
            "zombie": self._zombie,
            "reaped": self._reaped,
            "syscall": self._syscall,
            "sysret": self._sysret,
            "ipi": self._ipi,
            "ipi_in": self._ipi_in,
            "preempt": self._preempt,
            "slice": self._slice,
            "migrate": self._migrate,
            "mark": self._failed,
            "panic": self._panic,
        }
        handler = known.get(r.event)
        return (handler(r) if handler else None) or self._say(r)

    def _say(self, r: Record) -> str:
        """Describes records that change no state."""
        match r.event:
            case "switch":
                return f"{self._on_cpu(r.b, r.cpu)} -> {self._on_cpu(r.a, r.cpu)}"
            case "claim":
                return f"{self._label(r.a, r.cpu)} is claimed: {self._layout.why(r.b)}"
            case "wake":
                return f"{self._label(r.a, r.cpu)} is queued on CPU {r.b}"
            case "block":
                return f"{self._label(r.tid, r.cpu)} is in a queue, {r.a:#x}"
            case "create":
                return f"{r.a} is created in process {r.b}"
            case "process":
                return f"process {r.a} is created by {r.b}"
            case "exit":
                return f"{self._label(r.tid, r.cpu)} exits: {r.a:#x}"
            case "left":
                return f"{self._label(r.a, r.cpu)} has left its stack"
            case "free":
                return f"{self._label(r.a, r.cpu)} is freed"
            case "killthread":
                return f"{self._label(r.a, r.cpu)} tells itself to die"
            case "teardown":
                return f"process {r.a} is torn down"
            case "idle":
                return f"CPU {r.cpu} waits for an interrupt"
            case "timer":
                return "timer interrupt"
            case "irq":
                return f"interrupt {r.a}"
            case _:
                return say(r, self._layout)

    def _state(self, r: Record) -> str | None:
        old, new = (self._layout.state(n) for n in (r.b >> 8 & 0xFF, r.b & 0xFF))
        life = self._life(r.a)
        if not life.state or life.guessed:
            life.state = old
        reason = self._reason(r)
        text = reason
        if new == "ready" and old in ("blocked", "sleeping"):
            text = self._woken(r, life, reason)
        elif new in ("blocked", "sleeping"):
            text = self._waits(r, reason)
        self._enter(life, new, r.time, r.cpu if new == "running" or life.cpu < 0 else life.cpu)
        life.why, life.where = text, self._sources.reason(reason)
        life.by = "itself" if r.tid == r.a else self._actor(r)
        if new == "dead":
            self._died(r, life)
        return f"{self._label(r.a, r.cpu)}: {old} > {new}" + (f" ({text})" if text else "")

    def _woken(self, r: Record, life: _Life, reason: str) -> str:
        claim = self._claims.pop(r.a, None)
        why = self._layout.why(claim.b) if claim else ""
        text = f"{reason} ({why})" if why and why != reason else reason or why
        if r.tid != r.a:
            self._to_land.setdefault(life.id, []).append(len(self._arrows))
            said = f"{self._actor(r)} wakes {self._label(r.a, r.cpu)}: {why or reason}"
            self._arrow("wake", r, life, said, self._sources.reason(reason))
        return text

    def _waits(self, r: Record, reason: str) -> str:
        block = self._blocks.pop(r.a, None)
        call = self._in_call.get(r.a)
        text = f"in {call[0]}()" if call else reason
        if block is not None and block.b:
            until = block.b - self._trace.clock & _MASK
            text += f", at most until {until / 1e6:.3f} ms"
        return text

    def _died(self, r: Record, life: _Life) -> None:
        for i in self._to_die.pop(life.id, []):
            self._arrows[i] = replace(self._arrows[i], lands=r.time, to_cpu=r.cpu)
        call = self._in_call.pop(life.tid, None)
        if call is not None:
            self._call(life.tid, *call, r.time, "never returned")

    def _switch(self, r: Record) -> str | None:
        """Applies a switch like changes of state, for kernels that leave those out."""
        if r.b != _IDLE:
            prev = self._life(r.b)
            if prev.state in ("", "running"):
                prev.state = prev.state or "running"
                self._enter(prev, "ready", r.time, r.cpu)
                prev.guessed = True  # the next change of state says what it was
        if r.a != _IDLE:
            following = self._life(r.a)
            if following.state != "running":
                self._enter(following, "running", r.time, r.cpu)
        return None

    def _claim(self, r: Record) -> str | None:
        self._claims[r.a] = r
        return None

    def _block(self, r: Record) -> str | None:
        self._blocks[r.tid] = r
        return None

    # --- Lives ----------------------------------------------------------------------------------

    def _create(self, r: Record) -> str | None:
        life = self._new(r.a)
        life.process = r.b
        life.state, life.since, life.cpu = "suspended", r.time, r.cpu
        life.why, life.by, life.where = "created", self._actor(r), self._event_at(r)
        self._unnamed[r.tid or -1 - r.cpu] = life
        if r.tid != _IDLE:
            self._arrow("create", r, life, f"{self._actor(r)} creates {r.a}")
        return None

    def _name(self, r: Record) -> str:
        name = (r.a | r.b << 64).to_bytes(16, "little").split(b"\0")[0].decode("utf-8", "replace")
        life = self._unnamed.pop(r.tid or -1 - r.cpu, None)
        if life is None:
            life = self._life(r.tid)
            if life.name and life.name != name:
                self._mark(r, "name", f"{life.name} {r.tid} becomes {name}")
        life.name = name
        return f"{life.tid} is named {name}"

    def _free(self, r: Record) -> str | None:
        life = self._life(r.a)
        process = self._process(life.process)
        if process.zombie and not process.reaped and r.a == life.process:
            self._become_zombie(life, r)
            return None
        self._close(life, r.time)
        life.gone = True
        return None

    def _become_zombie(self, life: _Life, r: Record) -> None:
        self._enter(life, "zombie", r.time, NOBODY)
        life.why = "its parent has not asked for its status yet"
        life.where = self._sources.event("zombie")

    def _has_left(self, r: Record) -> str | None:
        self._left[r.a] = r
        return None

    def _join(self, r: Record) -> str | None:
        left = self._left.pop(r.a, None)
        text = f"{self._actor(r)} joins {self._label(r.a, r.cpu)}"
        self._take(r, self._life(r.a), left, text)
        return text

    def _take(self, r: Record, ended: _Life, end: Record | None, text: str) -> None:
        """The current thread takes what is left of one that ended."""
        if end is not None:
            text += f", {(r.time - end.time) / 1000:.1f} µs after its end"
        taker = NOBODY if r.tid == _IDLE else self._life(r.tid).id
        cpu = end.cpu if end is not None else r.cpu
        self._arrows.append(
            Arrow("join", r.time, r.time, ended.id, cpu, taker, r.cpu, r.time, text,
                  self._event_at(r))  # fmt: skip
        )

    def _exit(self, r: Record) -> str | None:
        self._mark(r, "exit", f"{self._label(r.tid, r.cpu)} exits")
        life = self._life(r.tid)
        for i in self._to_die.pop(life.id, []):
            self._arrows[i] = replace(self._arrows[i], lands=r.time, to_cpu=r.cpu)
        return None

    def _begin_process(self, r: Record) -> str | None:
        self._processes[r.a] = _Process(r.a)
        if r.b == _INIT and self._focus == NOBODY:
            self._focus = r.time
        return None

    def _ask(self, r: Record) -> str:
        self._asked[r.tid, r.a] = r
        return f"a kill of process {r.a} ({self._process_name(r.a)}) begins: {status_text(r.b)}"

    def _killed(self, r: Record) -> str:
        """A kill has succeeded; it is shown where it began, before what it did to the threads."""
        process = self._process_name(r.a)
        own = r.tid != _IDLE and self._life(r.tid).process == r.a
        began = self._asked.pop((r.tid, r.a), r)
        verb = "ends" if own else "is killed"
        text = f"process {r.a} ({process}) {verb}: {status_text(r.b)}"
        if not own:
            text += f", by {self._actor(r)}"
        self._mark(began, "end" if own else "kill", text)
        return text

    def _kill_thread(self, r: Record) -> str | None:
        if r.a == r.tid:
            return None
        life = self._life(r.a)
        self._to_die.setdefault(life.id, []).append(len(self._arrows))
        state = self._layout.state(r.b & 0xFF)
        text = f"{self._actor(r)} tells {self._label(r.a, r.cpu)} to die (it is {state})"
        self._arrow("kill", r, life, text)
        return text

    def _zombie(self, r: Record) -> str | None:
        process = self._process(r.a)
        process.zombie, process.reaped = r, False
        leader = self._by_tid.get(r.a)
        if leader is not None and leader.gone:
            leader.gone, leader.state = False, ""
            self._become_zombie(leader, r)
        return f"process {r.a} is a zombie: {status_text(r.b)}"

    def _reaped(self, r: Record) -> str | None:
        process, leader = self._process(r.a), self._by_tid.get(r.a)
        process.reaped = True
        if leader is None:
            return None
        text = f"{self._actor(r)} takes the status of {self._label(r.a, r.cpu)}: {status_text(r.b)}"
        self._take(r, leader, process.zombie, text)
        if leader.state == "zombie":
            self._close(leader, r.time)
            leader.gone = True
        return text

    # --- Calls, CPUs, trouble -------------------------------------------------------------------

    def _call(self, tid: int, name: str, begin: int, end: int, result: str) -> None:
        self._calls.append(Call(self._life(tid).id, name, begin, end, result))

    def _syscall(self, r: Record) -> str:
        name = self._syscalls.get(r.a, f"call {r.a}")
        self._in_call[r.tid] = name, r.time
        return f"{name}({numbers.first_argument(name, r.b)}, …)"

    def _sysret(self, r: Record) -> str:
        name, since = self._in_call.pop(r.tid, (self._syscalls.get(r.a, f"call {r.a}"), self._begin))
        text = numbers.result(r.b)
        self._call(r.tid, name, since, r.time, text)
        return f"{name}() = {text}"

    def _ipi(self, r: Record) -> str | None:
        self._ipis.setdefault(r.a, []).append(r)
        return None

    def _ipi_in(self, r: Record) -> str:
        for sent in self._ipis.pop(r.cpu, []):
            who = NOBODY if sent.tid == _IDLE else self._life(sent.tid).id
            text = f"{self._label(sent.tid, sent.cpu)} interrupts CPU {r.cpu}"
            self._arrows.append(
                Arrow("ipi", sent.time, r.time, who, sent.cpu, NOBODY, r.cpu, r.time, text,
                      self._sources.event("ipi"))  # fmt: skip
            )
        return "IPI taken"

    def _preempt(self, r: Record) -> str:
        if r.a == _IDLE:
            return f"idle CPU {r.cpu} looks for work, {r.b} ready"
        text = f"{self._label(r.a, r.cpu)} is preempted, {r.b} ready"
        self._mark(r, "preempt", text, r.a)
        return text

    def _slice(self, r: Record) -> str:
        text = f"the slice of {self._label(r.a, r.cpu)} is over, {r.b} ready"
        self._mark(r, "slice", text, r.a)
        return text

    def _migrate(self, r: Record) -> str:
        text = f"{self._label(r.a, r.cpu)} moves from CPU {r.b >> 8} to CPU {r.b & 0xFF}"
        self._mark(r, "migrate", text, r.a)
        return text

    def _failed(self, r: Record) -> str:
        text = f"a check of {self._text(r.b) or 'something'} failed"
        self._mark(r, "failure", text)
        return text

    def _panic(self, r: Record) -> str:
        self._mark(r, "failure", "panic")
        return "panic"
