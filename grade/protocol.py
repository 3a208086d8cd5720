"""The guest's messages: two streams on one serial line, and the tagged lines of the test runner.

tools/mux.py describes how the streams share the line. On the kernel's stream the test runner
(kernel/test/ktest.c) writes each message as one line:

    @@<nonce> <number> <kind> <words...>

Messages are numbered from 1. A missing number means that the console lost a message, a repeated one that
a message was forged; in either case none of them counts. Lines without the run's nonce are not messages.
"""

from collections import Counter
from dataclasses import dataclass, field

from tools.mux import Demux, Stream
from tools.visible import visible_bytes


@dataclass(frozen=True)
class Streams:
    kernel: bytes
    user: bytes
    init_status: int | None


def split(wire: bytes) -> Streams:
    """Splits the two streams, made visible: all that a guest says comes this way. Everything before the
    first switch is the kernel's."""
    demux = Demux()
    out = {Stream.KERNEL: bytearray(), Stream.USER: bytearray()}
    for stream, piece in demux.feed(wire):
        out[stream] += piece
    kernel, user = (visible_bytes(bytes(out[s])) for s in (Stream.KERNEL, Stream.USER))
    return Streams(kernel, user, demux.exit_status)


@dataclass(frozen=True)
class Failure:
    """A check that failed inside the guest."""

    property: str
    where: str  # file:line
    time: int  # ns since boot
    text: str


@dataclass
class Messages:
    """Everything that the test runner reported."""

    begun: int = 0  # times
    started: list[str] = field(default_factory=list)  # names of tests
    finished: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    checks: Counter[str] = field(default_factory=Counter)  # property -> checks made
    failed: Counter[str] = field(default_factory=Counter)  # property -> checks failed
    figures: dict[str, dict[str, int]] = field(default_factory=dict)  # test -> name -> value
    made: Counter[str] = field(default_factory=Counter)  # test -> checks made
    wrong: set[str] = field(default_factory=set)  # tests with a check that failed
    listed: list[tuple[str, str, str]] = field(default_factory=list)  # name, step, property
    ended: bool = False  # the end marker came, and its counts agree
    broken: str | None = None  # why the messages cannot be trusted
    garbled: bool = False  # because they did not all arrive whole


def parse(kernel: bytes, nonce: str) -> Messages:
    """Reads the messages out of the kernel's stream. Never fails; sets `broken` if they are invalid."""
    messages = Messages()
    said: list[tuple[int, str]] = []
    tag = f"@@{nonce} "
    for line in kernel.decode("utf-8", "replace").split("\n"):
        if not line.startswith(tag):
            continue
        line = line.rstrip("\r")
        number, _, rest = line[len(tag) :].replace(nonce, "-").partition(" ")
        try:
            said.append((int(number), rest))
        except ValueError:
            _garbled(messages)
    for _, rest in sorted(said, key=lambda one: one[0]):  # CPUs may write in another order
        kind, _, words = rest.partition(" ")
        try:
            _take(messages, kind, words)
        except (ValueError, IndexError):
            _garbled(messages)
    numbers = [number for number, _ in said]
    if len(numbers) > len(set(numbers)):
        messages.broken, messages.garbled = "messages of the test runner are there twice", False
    elif messages.begun > 1:  # which explains it if others are missing
        messages.broken, messages.garbled = "the test runner began twice", False
    elif sorted(numbers) != list(range(1, len(numbers) + 1)):
        messages.broken, messages.garbled = "messages of the test runner have not reached the console", True
    return messages


def _garbled(m: Messages) -> None:
    m.broken = m.broken or "a message of the test runner is garbled"
    m.garbled = True


def _take(m: Messages, kind: str, words: str) -> None:
    if kind == "begin":
        m.begun += 1
    elif kind == "list":
        name, step, prop = words.split(" ", 2)
        m.listed.append((name, step, prop))
    elif kind == "test":
        m.started.append(words)
    elif kind == "fail":
        prop, where, time, text = words.split(" ", 3)
        m.failures.append(Failure(prop, where, int(time), text))
    elif kind == "sum":
        prop, checks, failed = words.split(" ")
        m.checks[prop] += int(checks)
        m.failed[prop] += int(failed)
        m.made[m.started[-1]] += int(checks)
        if int(failed):
            m.wrong.add(m.started[-1])
    elif kind == "figure":
        name, value = words.split(" ")
        m.figures.setdefault(m.started[-1], {})[name] = int(value)
    elif kind == "done":
        m.finished.append(words)
    elif kind == "end":
        _end(m, words)
    else:
        raise ValueError(kind)


def _end(m: Messages, words: str) -> None:
    tests, checks, failed = (int(w) for w in words.split(" "))
    m.ended = True
    if tests != len(m.finished) or checks != m.checks.total() or failed != m.failed.total():
        m.broken = "the test runner's counts disagree with its messages"
