"""From evidence to verdict: what one run of one test shows.

There are several kinds because the student must do something different for each: "unwritten" names
the function that is missing, "deadlock" says that all threads wait, "livelock" that threads run
without progress. Everything in a verdict is a fact about the guest; nothing depends on the host.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from grade.lab import Lab, Test
from grade.machine import Ended, Evidence
from grade.properties import BLOCKED, IDLE, JUDGES, READY, SLEEPING, ms
from grade.protocol import Failure
from grade.trace import Trace
from tools import qemu

_IDLE_WAIT = "arch_idle_wait"  # where a CPU without a thread waits for an interrupt
_LIVELOCK_SWITCHES = 50  # in the last tenth of the time
_FRAME = re.compile(r"\s*[0-9a-f]{16}  (\w+)\S*\+0x")  # of a call chain
_CHAIN = re.compile(r"^call chain:\n((?:  [0-9a-f]+  .*\n)+)", re.M)
_SAID_LINES = 40  # of a panic
UNWRITTEN = "not written yet: "
_LIMIT = "limit: "
_FLOOD = 256 << 10  # characters that a kernel printed which did not come to its end
_SHOWN = 4  # violations of one judge


class Kind(Enum):
    PASS = "pass"
    FAIL = "fail"  # a property does not hold
    UNWRITTEN = "unwritten"  # a lab function is still a stub
    HANG = "hang"
    DEADLOCK = "deadlock"
    LIVELOCK = "livelock"
    RACE = "data race"  # of the submission's own code: what it does has no meaning in C
    PANIC = "panic"
    REBOOT = "reboot"
    FLOOD = "flood"
    STOPPED = "stopped"  # ended without having finished its tests
    PATCHED = "patched"  # the code of the kernel changed while it ran
    GARBLED = "garbled"  # messages that did not arrive whole
    FORGED = "forged"  # messages that contradict each other
    BUILD = "build error"
    SLOW = "machine too slow"  # no verdict: costs no points, and the grader's exit status is 2


@dataclass(frozen=True)
class Finding:
    """One thing that went wrong. @time is None if it has no certain moment."""

    properties: tuple[str, ...]
    expected: str
    happened: str
    where: str = ""
    time: int | None = None
    cpu: int | None = None


@dataclass(frozen=True)
class Verdict:
    kind: Kind
    findings: tuple[Finding, ...]
    figures: dict[str, int]
    trace: Trace
    details: tuple[str, ...] = ()  # backtrace, compiler's lines

    @property
    def broken(self) -> frozenset[str]:
        """The properties that this run shows not to hold."""
        return frozenset(p for f in self.findings for p in f.properties)


def judge(lab: Lab, test: Test, evidence: Evidence) -> Verdict:
    """The verdict on a run of @test, from its @evidence."""
    kind, findings, details = _judge(lab, test, evidence)
    if kind is Kind.PASS and findings:
        kind = Kind.FAIL
    verdict = Verdict(kind, tuple(findings), _figures(test, evidence), evidence.trace, details)
    return _last_words(test, verdict, evidence) if test.panics else verdict


def _last_words(test: Test, verdict: Verdict, evidence: Evidence) -> Verdict:
    """The verdict on a test in which the kernel must panic, made from the usual @verdict."""
    if verdict.kind not in (Kind.PANIC, Kind.PASS):
        return verdict
    kernel = evidence.streams.kernel.decode("utf-8", "replace").replace("\r", "")
    reason, _, report = kernel.partition("\npanic: ")[2].partition("\n")
    last = next((r for r in reversed(evidence.trace.records) if r.event == "panic"), None)
    wrong = ""
    if not re.search(test.panics, reason):
        silent = "no panic" if verdict.kind is Kind.PASS else "it stops without a word"
        wrong = f"panic: {reason}" if reason else silent
    elif not report.endswith("\nend of panic\n") or not _CHAIN.search(report):
        wrong = "the report of the panic is not whole"
    elif last is None or any(r.time > last.time for r in evidence.trace.records):
        wrong = "somebody goes on after the panic"
    findings = [Finding(test.properties, f"panic: {test.panics}", wrong)] if wrong else []
    return replace(verdict, kind=Kind.FAIL if wrong else Kind.PASS, findings=tuple(findings))


def _figures(test: Test, evidence: Evidence) -> dict[str, int]:
    return dict(sorted(evidence.messages.figures.get(test.name, {}).items()))


def passed_together(test: Test, evidence: Evidence) -> Verdict | None:
    """The verdict on @test from the @evidence of a boot that it shared with others, if it has passed and
    nothing else is strange. None: only a boot of its own can tell."""
    m = evidence.messages
    kernel = evidence.streams.kernel.decode("utf-8", "replace")
    if (
        evidence.ended is not Ended.EXITED
        or evidence.status != qemu.STATUS_OFF
        or not m.ended
        or m.broken is not None
        or evidence.changed
        or _boots(kernel) != 1
        or m.finished.count(test.name) != 1
        or not m.made[test.name]
        or test.name in m.wrong
    ):
        return None
    return Verdict(Kind.PASS, (), _figures(test, evidence), evidence.trace)


_Result = tuple[Kind, list[Finding], tuple[str, ...]]


def _judge(lab: Lab, test: Test, evidence: Evidence) -> _Result:
    m = evidence.messages
    whole = test.properties
    kernel = evidence.streams.kernel.decode("utf-8", "replace")
    if evidence.ended is Ended.SLOW:
        return Kind.SLOW, [], ()
    if evidence.ended is Ended.FLOODED:
        return Kind.FLOOD, [_flood(test)], ()
    boots = _boots(kernel)
    if boots > 1:
        happened = f"the kernel started {boots} times"
        return Kind.REBOOT, [Finding(whole, "the kernel boots once", happened)], ()
    seen = list(_property_findings(lab, test, evidence))
    stopped = _stopped(test, evidence, kernel)
    if stopped is not None:
        kind, finding = stopped
        return kind, [*seen, finding], _report_of_panic(kernel)
    if evidence.changed:
        happened = f"the kernel's code in memory is not what was built, from {evidence.changed} on"
        return Kind.PATCHED, [*seen, Finding(whole, "nothing writes to code or constants", happened)], ()
    if m.broken is not None:
        kind = Kind.GARBLED if m.garbled else Kind.FORGED
        return kind, [Finding(whole, "all of the test runner's own messages, once", m.broken)], ()
    if evidence.status == 0 and not m.ended:
        happened = "the machine was reset (triple fault, or a reset by the kernel)"
        return Kind.REBOOT, [*seen, Finding(whole, "the kernel keeps running", happened)], ()
    if not _finished(test, evidence):
        happened = "the machine stopped before the test had ended"
        return Kind.STOPPED, [*seen, Finding(whole, "the test runs to its end", happened)], ()
    return Kind.PASS, seen, ()


def _boots(kernel: str) -> int:
    return len(re.findall(r"^Trellis on ", kernel, re.M))


def _flood(test: Test) -> Finding:
    happened = "the console was flooded: it printed on and on, and did not come to its end"
    return Finding(test.properties, "the test comes to its end", happened)


def _finished(test: Test, evidence: Evidence) -> bool:
    """Whether the machine powered off by itself, after all tests that it was asked to run."""
    m = evidence.messages
    if evidence.status != qemu.STATUS_OFF:
        return False
    if test.program:
        return evidence.streams.init_status is not None
    return m.ended and m.finished == [test.name] and m.checks.total() > 0


def _property_findings(lab: Lab, test: Test, evidence: Evidence) -> Iterator[Finding]:
    """The failures: checks in the guest, then judges of the trace, each in order of time."""
    m = evidence.messages
    for failure in sorted(m.failures, key=lambda f: f.time):
        yield _from_failure(lab, test, failure, evidence.trace.clock)
    if test.program and evidence.streams.init_status:
        yield from _from_program(lab, test, evidence)
    for property_id in test.properties:
        p = lab.property(property_id)
        for name in p.judges:
            violations = sorted(JUDGES[name](evidence.trace), key=lambda v: (v.time, v.cpu, v.text))
            for v in violations[:_SHOWN]:
                yield Finding((p.id,), v.expected, v.text, "", v.time, v.cpu)


def _blamed(test: Test, property_id: str) -> tuple[str, ...]:
    """A failed check of a property that the test does not list counts against all that it lists."""
    return (property_id,) if property_id in test.properties else test.properties


def _from_failure(lab: Lab, test: Test, failure: Failure, clock: int) -> Finding:
    known = [p.text for p in lab.properties if p.id == failure.property]
    return Finding(
        properties=_blamed(test, failure.property),
        expected=known[0] if known else "the check holds",
        happened=failure.text,
        where=failure.where,
        time=(failure.time - clock) & ((1 << 64) - 1),
    )


def _from_program(lab: Lab, test: Test, evidence: Evidence) -> Iterator[Finding]:
    """The failures that a user program printed as "FAIL [P6.3] words"; without one, its exit status."""
    said = evidence.streams.user.decode("utf-8", "replace")
    failures = re.findall(r"^FAIL (?:(P\d\S*) )?(.*?)\r?$", said, re.M)
    for property_id, text in failures[:_SHOWN]:
        yield replace(_from_failure(lab, test, Failure(property_id, "", 0, text), 0), time=None)
    if not failures:
        status = evidence.streams.init_status
        happened = f"{test.program} ended with status {status}"
        yield Finding(test.properties, f"{test.program} ends with status 0", happened)


def _stopped(test: Test, evidence: Evidence, kernel: str) -> tuple[Kind, Finding] | None:
    """The verdict if the run was stopped, by the guest or by the grader; None if it was not."""
    whole = test.properties
    within = f"the test ends within {test.limit} million instructions"
    if evidence.ended is Ended.HUNG:
        happened = "it ran on beyond its limit with interrupts off, so nothing in it could stop it"
        happened += _last_event(evidence.trace, test.limit * 1_000_000)
        return Kind.HANG, Finding(whole, within, happened)
    if evidence.status != qemu.STATUS_PANIC:
        return None
    time = evidence.trace.records[-1].time if evidence.trace.records else None
    reason = _reason(kernel)
    if reason.startswith(UNWRITTEN):
        return Kind.UNWRITTEN, Finding(whole, "the function is written", reason, time=time)
    if reason.startswith(_LIMIT) and len(kernel) > _FLOOD:
        return Kind.FLOOD, _flood(test)
    if reason.startswith(_LIMIT):
        kind, happened = at_limit(evidence.trace)
        return kind, Finding(whole, within, happened + _in_function(kernel, kind), time=time)
    return Kind.PANIC, Finding(whole, "no panic", f"panic: {reason}", time=time)


def _last_event(trace: Trace, limit_ns: int) -> str:
    """Where the trace ends, if that is before the limit: a later end depends on when QEMU was stopped."""
    if not trace.records or trace.records[-1].time >= limit_ns:
        return ""
    last = trace.records[-1]
    return f"; the last event is {last.event}, by thread {last.tid} on CPU {last.cpu}, at {ms(last.time)}"


def _reason(kernel: str) -> str:
    """The reason that the kernel printed for its stop."""
    found = re.search(r"^panic: (.*?)\r?$", kernel, re.M)
    if found:
        return found.group(1)
    lines = [line.strip() for line in kernel.splitlines() if line.strip()]
    return lines[-1] if lines else "without a word"


def _in_function(kernel: str, kind: Kind) -> str:
    """Where the CPU that reached the limit was, if it was running a thread."""
    found = re.search(r"^call chain:\r?\n\s+[0-9a-f]+\s+(\w+)\+", kernel, re.M)
    if not found or found.group(1) == _IDLE_WAIT or kind not in (Kind.HANG, Kind.LIVELOCK):
        return ""
    return f"; it was in {found.group(1)}()"


def _deadlines(trace: Trace) -> dict[int, int]:
    """The deadline of each thread's present wait in a queue, in ns; 0 is none. Not every wait is recorded."""
    until: dict[int, int] = {}
    for r in trace.of("block", "claim", "wake"):
        if r.event == "block":
            until[r.tid] = r.b
        else:
            until.pop(r.a, None)
    return until


def at_limit(trace: Trace) -> tuple[Kind, str]:
    """Why a guest ran until its limit, from the last records of each CPU and thread."""
    busy = {r.cpu: r.event == "switch" and r.a != IDLE for r in trace.of("switch", "idle")}
    state = {r.a: r.b & 0xFF for r in trace.of("state") if r.a != IDLE}
    until = _deadlines(trace)
    end = trace.records[-1].time if trace.records else 0
    if busy and not any(busy.values()):
        ready = [t for t, s in state.items() if s == READY]
        timed = [t for t, s in state.items() if s == SLEEPING or (s == BLOCKED and until.get(t))]
        if ready:
            return Kind.DEADLOCK, f"every CPU is idle, although thread {ready[0]} is ready"
        if timed:
            waits = f"thread {timed[0]} waits for a time beyond the limit"
            return Kind.HANG, f"every CPU is idle: {waits}"
        return Kind.DEADLOCK, "every thread waits, and nothing is left that could wake one"
    late = [r.a for r in trace.of("switch") if r.time > end - end // 10 and r.a != IDLE]
    if len(late) >= _LIVELOCK_SWITCHES:
        threads = ", ".join(str(t) for t in sorted(set(late))[:6])
        return Kind.LIVELOCK, f"threads {threads} take turns without the test getting anywhere"
    last = max((r.time for r in trace.of("switch", "state", "block", "claim")), default=0)
    return Kind.HANG, f"a thread keeps the CPU: the last event before the limit is at {ms(last)}"


def call_chain(details: Sequence[str]) -> list[str]:
    """The functions of a panic's call chain, the innermost first; "f.part.0" is f."""
    return [m[1] for line in details if (m := _FRAME.match(line))]


def _report_of_panic(kernel: str) -> tuple[str, ...]:
    """The kernel's report of a panic, without its copy of the trace."""
    lines = [line.rstrip() for line in kernel.split("\n")]
    start = next((i for i, line in enumerate(lines) if line.startswith("panic: ")), None)
    if start is None:
        return ()
    said = lines[start + 1 :]
    end = next((i for i, line in enumerate(said) if line.startswith("last trace")), len(said))
    return tuple(line for line in said[:end] if line and not line.startswith("@@"))[:_SAID_LINES]


def build_error(test: Test, lines: tuple[str, ...]) -> Verdict:
    """The verdict of every test of a lab whose files do not compile."""
    finding = Finding(test.properties, "the files compile", lines[0])
    return Verdict(Kind.BUILD, (finding,), {}, Trace((), False), lines)
