"""Judges of the trace: each looks for one kind of violation in the records of a run.

A judge is a pure function from a trace to violations. It must never accuse a correct kernel, so it
reports nothing where the records leave a doubt (equal times on two CPUs, a ring that lost its
oldest records). Time on RISC-V moves in steps of 100 ns: records of two CPUs have an order only if
their times differ.

lab.toml says which judge speaks for which property.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from grade.trace import Record, Trace

_NO_DEADLINE = (0, (1 << 64) - 1)
_HALF = 1 << 63
_MASK = (1 << 64) - 1

(SUSPENDED, READY, RUNNING, BLOCKED, SLEEPING, DEAD) = range(6)
STATE_NAMES = ("suspended", "ready", "running", "blocked", "sleeping", "dead")
_WHY_TIMEOUT = 2
IDLE = 0  # the number that the idle threads of all CPUs share

_LEGAL = frozenset(
    {
        (SUSPENDED, READY),
        (SUSPENDED, DEAD),
        (READY, SUSPENDED),
        (READY, RUNNING),
        (READY, DEAD),
        (RUNNING, READY),
        (RUNNING, BLOCKED),
        (RUNNING, SLEEPING),
        (RUNNING, SUSPENDED),
        (RUNNING, DEAD),
        (BLOCKED, READY),
        (SLEEPING, READY),
    }
)


@dataclass(frozen=True)
class Violation:
    """A violation: what went wrong, when, on which CPU. @expected is the rule that was broken."""

    time: int
    cpu: int
    text: str
    expected: str


Judge = Callable[[Trace], Iterator[Violation]]


def ms(ns: int) -> str:
    """A time as text: milliseconds, to the microsecond."""
    return f"{ns // 1_000_000}.{ns // 1000 % 1000:03d} ms"


def _state(number: int) -> str:
    return STATE_NAMES[number] if number < len(STATE_NAMES) else f"state {number}"


def _chained(records: list[Record], state: int | None) -> list[Record]:
    """Puts records of one thread, from two CPUs at the same time, in the order that makes sense."""
    rest, out = list(records), []
    while rest:
        fit = next((r for r in rest if r.b >> 8 == state), rest[0])
        rest.remove(fit)
        out.append(fit)
        state = fit.b & 0xFF
    return out


def states_legal(trace: Trace) -> Iterator[Violation]:
    """Every transition is an arrow of the state diagram and starts where the last one ended."""
    expected = "a thread changes state only along the arrows of the state diagram (thread.h)"
    current: dict[int, int] = {}
    by_thread: dict[int, list[Record]] = defaultdict(list)
    for r in trace.of("state"):
        if r.a != IDLE:
            by_thread[r.a].append(r)
    for tid, records in by_thread.items():
        for _, group in groupby(records, key=lambda r: r.time):
            for r in _chained(list(group), current.get(tid)):
                old, new = r.b >> 8, r.b & 0xFF
                known = current.get(tid)
                current[tid] = new
                if (old, new) not in _LEGAL:
                    text = f"thread {tid} went from {_state(old)} to {_state(new)}"
                    yield Violation(r.time, r.cpu, text, expected)
                elif known is not None and known != old:
                    text = f"thread {tid} left {_state(old)}, but it was {_state(known)}"
                    yield Violation(r.time, r.cpu, text, expected)


def _stays(trace: Trace) -> dict[int, list[tuple[int, int, int]]]:
    """When each thread was on a CPU: (from, to, cpu), in order of time. Idle threads aside."""
    since: dict[int, tuple[int, int]] = {}  # cpu -> (thread, from when)
    out: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for r in trace.records:
        tid, begin = since.setdefault(r.cpu, (r.tid, trace.records[0].time))
        if r.event == "switch":
            out[tid].append((begin, r.time, r.cpu))
            since[r.cpu] = (r.a, r.time)
    for cpu, (tid, begin) in since.items():
        out[tid].append((begin, trace.records[-1].time, cpu))
    out.pop(IDLE, None)
    return {tid: sorted(spans) for tid, spans in out.items()}


def one_cpu(trace: Trace) -> Iterator[Violation]:
    """No thread is on two CPUs at once."""
    expected = "a thread is on one CPU at a time: it is picked only after it has left the other"
    for tid, spans in _stays(trace).items():
        for (_, to, on), (start, _, cpu) in zip(spans, spans[1:]):
            if cpu != on and start < to:
                text = f"thread {tid} was started on CPU {cpu} while CPU {on} still ran it"
                yield Violation(start, cpu, text, expected)


def dead_not_dispatched(trace: Trace) -> Iterator[Violation]:
    """A thread that is DEAD never gets a CPU again."""
    expected = "a dead thread never runs again"
    died: dict[int, int] = {}
    for r in trace.of("state", "switch", "create"):
        if r.event == "create":
            died.pop(r.a, None)  # the number is in use again
        elif r.event == "state" and r.b & 0xFF == DEAD:
            died[r.a] = r.time
        elif r.event == "switch" and r.a in died and r.time > died[r.a]:
            text = f"thread {r.a} was dispatched {ms(r.time - died[r.a])} after it died"
            yield Violation(r.time, r.cpu, text, expected)


def freed_after_left(trace: Trace) -> Iterator[Violation]:
    """A stack is freed once, and after its thread has left it, or was killed while not on it."""
    expected = "a thread's stack is freed once, after the thread has left it for good"
    on_stack: set[int] = set()  # has run and not left
    freed: set[int] = set()
    for r in trace.of("create", "switch", "state", "left", "free"):
        if r.event == "create":
            on_stack.discard(r.a)
            freed.discard(r.a)
        elif r.event == "switch":
            on_stack.add(r.a)
        elif r.event == "state":
            if r.b & 0xFF == DEAD and r.b >> 8 != RUNNING:
                on_stack.discard(r.a)
        elif r.event == "left":
            on_stack.discard(r.a)
        elif r.a in freed:
            yield Violation(r.time, r.cpu, f"thread {r.a} was freed twice", expected)
        else:
            freed.add(r.a)
            if r.a in on_stack:
                text = f"thread {r.a} was freed before it had left its stack"
                yield Violation(r.time, r.cpu, text, expected)


def claimed_once(trace: Trace) -> Iterator[Violation]:
    """Exactly one of event, timeout, kill and destruction claims a wait.

    A thread must run before it can wait again. So two claims between which the thread was on no CPU
    are two claims of one wait.
    """
    expected = "one waker claims a wait, all others leave the thread alone"
    stays = _stays(trace)
    last: dict[int, Record] = {}
    for r in trace.of("claim"):
        first = last.get(r.a)
        last[r.a] = r
        if first is not None and not _ran_between(stays.get(r.a, []), first.time, r.time):
            apart = ms(r.time - first.time)
            text = f"the wait of thread {r.a} was claimed twice, {apart} apart"
            yield Violation(r.time, r.cpu, text, expected)


def _ran_between(spans: Sequence[tuple[int, int, int]], start: int, end: int) -> bool:
    """Whether one of @spans, which are in order, has a moment in common with [start, end]."""
    before = bisect_right(spans, (end, _MASK, 0)) - 1
    return before >= 0 and spans[before][1] >= start


def _timeouts(trace: Trace) -> Iterator[tuple[Record, int]]:
    """Each claim by timeout with the deadline of its wait.

    Sleeps and poll() leave no record of their deadline. So a wait's record is forgotten at its claim,
    whichever claim it is, and is not used if a claim at the same time may have come after it.
    """
    waits: dict[int, Record] = {}
    claimed: dict[int, int] = {}  # thread -> when it was last claimed
    for r in trace.of("block", "claim"):
        if r.event == "block":
            if claimed.get(r.tid) != r.time:
                waits[r.tid] = r
            continue
        claimed[r.a] = r.time
        block = waits.pop(r.a, None)
        if block and r.b == _WHY_TIMEOUT and block.b not in _NO_DEADLINE:
            yield r, block.b


def timeout_not_early(trace: Trace) -> Iterator[Violation]:
    """No wait times out before its deadline."""
    expected = "a wait times out at its deadline or later, never before"
    for r, deadline in _timeouts(trace):
        ahead = (deadline - trace.clock - r.time) & _MASK
        if 0 < ahead < _HALF:
            text = f"thread {r.a} was woken {ms(ahead)} before its deadline"
            yield Violation(r.time, r.cpu, text, expected)


def dispatch_after_kill(trace: Trace) -> Iterator[Violation]:
    """No thread is dispatched that was told to die while it was ready or suspended, with no kernel work.

    The record of the kill and those of switches are written with the thread's run queue locked. A
    thread that is dead is forgotten: exec gives its number to another thread of the process.
    """
    expected = "a ready or suspended victim without work in the kernel never runs again"
    killed: dict[int, int] = {}
    for r in trace.of("create", "killthread", "state", "switch"):
        if r.event == "killthread":
            if r.b & _AT_REST:
                killed.setdefault(r.a, r.time)
        elif r.event == "switch":
            since = killed.pop(r.a, r.time)
            if r.time > since:
                text = f"thread {r.a} was dispatched {ms(r.time - since)} after it was killed"
                yield Violation(r.time, r.cpu, text, expected)
        elif r.event == "create" or r.b & 0xFF == DEAD:
            killed.pop(r.a, None)


_AT_REST = 0x100  # TOLD_AT_REST of kernel/base/trace.h
_SOON = 5_000_000  # ns: an interrupt and the way out of the kernel, well below a quantum
_RUNNING = STATE_NAMES.index("running")


def running_victims_stop(trace: Trace) -> Iterator[Violation]:
    """A thread that runs when it is killed begins its exit soon, not when its quantum is over."""
    expected = "a victim that runs on a CPU stops within the time of an interrupt"
    since: dict[int, int] = {}
    for r in trace.of("killthread", "exit"):
        if r.event == "killthread" and r.b & 0xFF == _RUNNING and r.a != r.tid:
            since.setdefault(r.a, r.time)
        elif r.event == "exit" and r.tid in since:
            late = r.time - since.pop(r.tid)
            if late > _SOON:
                text = f"thread {r.tid} ran on for {ms(late)} after it was killed"
                yield Violation(r.time, r.cpu, text, expected)


def ends_once(trace: Trace) -> Iterator[Violation]:
    """A process is torn down once, becomes a zombie once, is reaped once, in this order."""
    expected = "teardown, zombie and reaping happen once for a process, in this order"
    order = ("teardown", "zombie", "reaped")
    seen: dict[int, dict[str, int]] = defaultdict(dict)
    for r in trace.of("process", *order):
        if r.event == "process":
            seen.pop(r.a, None)
            continue
        steps = seen[r.a]
        if r.event in steps:
            yield Violation(r.time, r.cpu, f"second {r.event} of process {r.a}", expected)
        for later in order[order.index(r.event) + 1 :]:
            if later in steps and steps[later] < r.time:
                text = f"{r.event} of process {r.a} came after {later}"
                yield Violation(r.time, r.cpu, text, expected)
        steps.setdefault(r.event, r.time)


def first_status_wins(trace: Trace) -> Iterator[Violation]:
    """One kill of a process succeeds; the zombie and its reaping have the status of that kill.

    A kill is recorded when it begins and, if it succeeded, when it ends. The zombie may be recorded
    before that end. A kill that began before the record of its process says nothing here: the
    number may have been another process's.
    """
    expected = "one kill of a process succeeds, and its status stands"
    asked: dict[int, set[tuple[int, int]]] = defaultdict(set)
    status: dict[int, int] = {}
    killed: set[int] = set()
    for r in trace.of("process", "kill", "killed", "zombie", "reaped"):
        if r.event == "process":
            asked.pop(r.a, None)
            status.pop(r.a, None)
            killed.discard(r.a)
            continue
        if r.event == "kill":
            asked[r.a].add((r.tid, r.b))
            continue
        if r.event == "killed":
            if (r.tid, r.b) not in asked[r.a]:
                continue
            if r.a in killed:
                text = f"a second kill of process {r.a} succeeded, with status {r.b:#x}"
                yield Violation(r.time, r.cpu, text, expected)
            killed.add(r.a)
        if r.b != status.setdefault(r.a, r.b):
            text = f"process {r.a} had status {status[r.a]:#x}, at {r.event} it was {r.b:#x}"
            yield Violation(r.time, r.cpu, text, expected)


def children_moved(trace: Trace) -> Iterator[Violation]:
    """When a process becomes a zombie its children have been moved to another parent."""
    expected = "children move to init before their parent can be reaped"
    for r in trace.of("left_behind"):
        text = f"process {r.b} became a zombie while {r.a} was still its child"
        yield Violation(r.time, r.cpu, text, expected)


def joined_once(trace: Trace) -> Iterator[Violation]:
    """An exit code is delivered once, and it is the one the thread ended with."""
    expected = "a join gets the code its thread ended with, once, after the thread has left"
    code: dict[int, int] = {}
    joined: set[int] = set()
    for r in trace.of("create", "exit", "join"):
        if r.event == "create":
            code.pop(r.a, None)
            joined.discard(r.a)
        elif r.event == "exit":
            code[r.tid] = r.a
        elif r.a in joined:
            yield Violation(r.time, r.cpu, f"thread {r.a} was joined twice", expected)
        else:
            joined.add(r.a)
            want = code.get(r.a)
            if want is not None and (want ^ r.b) & 0xFFFFFFFF:
                text = f"thread {r.a} ended with {want:#x}, its joiner got {r.b:#x}"
                yield Violation(r.time, r.cpu, text, expected)


def idle_only_if_nothing_ready(trace: Trace) -> Iterator[Violation]:
    """With one CPU: it does not go idle while a thread is READY."""
    expected = "the CPU idles only if no thread is ready"
    if {r.cpu for r in trace.records} != {0}:
        return
    state: dict[int, int] = {}
    for r in trace.of("state", "idle"):
        if r.event == "state":
            state[r.a] = r.b & 0xFF
            continue
        ready = sorted(t for t, s in state.items() if s == READY and t != IDLE)
        if ready:
            yield Violation(r.time, r.cpu, f"idle while thread {ready[0]} was ready", expected)


JUDGES: dict[str, Judge] = {
    judge.__name__: judge
    for judge in (
        states_legal,
        one_cpu,
        dead_not_dispatched,
        freed_after_left,
        claimed_once,
        timeout_not_early,
        dispatch_after_kill,
        running_victims_stop,
        ends_once,
        first_status_wins,
        children_moved,
        joined_once,
        idle_only_if_nothing_ready,
    )
}
