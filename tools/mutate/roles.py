"""Operators that make a mistake in one role only: for a real-time thread, for init, at the 17th of many.

A test that notices a missing statement may still miss that it is missing for some. Each role is a condition
on a variable that the statement can see, or on the thread that runs it. A function in front of the mutated
one tests it; the explorer does not watch that function, so what it reads is no data race.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.mutate.conditions import conditions
from tools.mutate.edits import (
    LOOPS,
    Change,
    Edit,
    Statement,
    in_assertion,
    is_written,
    short,
    statements,
    text_of,
)
from tools.mutate.tree import Node, Source

NAME = "in_role"
_TURN = "++turns"
_JUMPS = ("RETURN_STMT", "BREAK_STMT", "CONTINUE_STMT", "GOTO_STMT", "LABEL_STMT", "NULL_STMT")
_HEADERS = ("mm/mm.h", "mm/vm.h", "process/process.h", "sched/cpu.h", "sched/time.h", "sync/pi.h",
            "thread/thread.h")  # fmt: skip
_LOCKS = ("lock", "irq_off", "irq_on", "irq_restore", "preempt_")


@dataclass(frozen=True)
class Role:
    what: str
    test: str  # C, of x


@dataclass(frozen=True)
class Part:
    """A role of something that is called @value where the mistake is made."""

    role: Role
    type: str
    value: str

    @property
    def what(self) -> str:
        return self.role.what.replace("{x}", self.value)

    @property
    def use(self) -> str:
        return f"{NAME}({self.value})"

    @property
    def helper(self) -> str:
        """The function that tests the role, with the headers that it needs."""
        headers = "".join(f'#include "{header}"\n' for header in _HEADERS)
        kind, test = f"{self.type} ", self.role.test
        if self.type.endswith("*"):
            kind, test = self.type, f"x && ({test})"
        unseen = "__attribute__((__noinline__, no_sanitize_thread))"
        return f"{headers}static bool {unseen} {NAME}({kind}x)\n{{\n\treturn {test};\n}}\n\n"


def _roles(*pairs: tuple[str, str]) -> tuple[Role, ...]:
    return tuple(Role(what, test) for what, test in pairs)


# "of" is the process in question: x itself, or x->process.
_PROCESS = (
    ("{x} is init's", "{of} == init_process"),
    ("{x} is not init's", "{of} != init_process"),
    ("{x} is the kernel's", "{of} == &kernel_process"),
    ("{x} belongs to a process in an exec", "{of}->execing"),
    ("{x} belongs to a process whose parent waits in vfork()", "{of}->vfork_done"),
    ("{x} belongs to a stopped process", "{of}->stopped"),
    ("{x} belongs to a child of init", "{of}->parent == init_process"),
    ("{x} belongs to a process with children", "!list_empty(&{of}->children)"),
    ("{x} belongs to a process with two threads or more", "{of}->nr_threads > 1"),
    ("{x} belongs to a process with more than 16 threads", "{of}->nr_threads > 16"),
    ("{x} belongs to a process with more than 255 threads", "{of}->nr_threads > 255"),
    ("{x} belongs to a process that somebody else holds", "{of}->holds > {of}->nr_threads"),
    ("{x} belongs to a process that is dying", "LIFE_STATE({of}->life) == PROCESS_DYING"),
    ("{x} belongs to a process with a status of 0", "LIFE_STATUS({of}->life) == 0"),
    ("{x} belongs to a process with a signal", "{of}->sigpending"),
    ("{x} belongs to a process without a memory of its own", "!{of}->as"),
)


def _of(name: str) -> tuple[tuple[str, str], ...]:
    return tuple((what, test.replace("{of}", name)) for what, test in _PROCESS)


def _itself() -> tuple[tuple[str, str], ...]:
    """The roles of a process, in words for itself."""
    return tuple((what.replace("belongs to", "is").removesuffix("'s"), test) for what, test in _of("x"))


# Of any thread, the current one, too.
_ANY_THREAD = (
    ("{x} is a real-time thread", "x->se.rt & RT_RANK"),
    ("{x} has a deadline", "x->se.params.class == SCHED_DEADLINE"),
    ("{x} is nice", "x->se.params.nice > 0"),
    ("{x} runs with a rank that it inherits", "x->se.inherited.level"),
    ("{x} is detached", "x->detached"),
    ("{x} is to suspend itself", "x->work & WORK_SUSPEND"),
    ("{x} is to be killed", "x->work & WORK_KILL"),
    ("{x} has a signal", "x->work & WORK_SIGNAL"),
    ("{x} is to give way", "x->work & WORK_RESCHED"),
    ("{x} is its process's first thread", "x->process->leader == x"),
    ("{x} is not its process's first thread", "x->process->leader != x"),
    ("{x} may run on one CPU only", "!(x->affinity & (x->affinity - 1))"),
    ("{x} may run on several CPUs", "x->affinity & (x->affinity - 1)"),
    ("{x} owns a lock for which others wait", "!list_empty(&x->contended)"),
    ("{x} has a joiner", "x->joiner"),
    ("{x} is joined with a code below 0", "x->exit_code < 0"),
    ("{x} has migrated", "x->stats.migrations"),
    ("{x} has been preempted", "x->stats.preempted"),
    *_of("x->process"),
)
_CURRENT = (
    ("this is CPU 0", "x->cpu->id == 0"),
    ("this is not CPU 0", "x->cpu->id"),
    ("this is a CPU above 1", "x->cpu->id > 1"),
    ("this is in an interrupt", "x->cpu->irq_nesting"),
    ("this is the idle thread", "x == &x->cpu->idle"),
    ("other threads wait for this CPU", "x->cpu->runq.q.nr"),
    ("more than 16 threads wait for this CPU", "x->cpu->runq.q.nr > 16"),
    ("the clock is beyond 2^32 ns", "time_now() - clock_start > 1UL << 32"),
)
_THREAD = (
    ("{x} is the current thread", "x == current_thread()"),
    ("{x} is another thread", "x != current_thread()"),
    ("{x} is a thread of another process", "x->process != current_thread()->process"),
    ("{x} is on another CPU", "x->cpu != current_thread()->cpu"),
    ("{x} has never run", "!x->stats.switches_in"),
    ("{x} is suspended", "x->state == THREAD_SUSPENDED"),
    ("{x} is ready", "x->state == THREAD_READY"),
    ("{x} is blocked", "x->state == THREAD_BLOCKED"),
    ("{x} is asleep", "x->state == THREAD_SLEEPING"),
    ("{x} is running", "x->state == THREAD_RUNNING"),
    ("{x} waits with a deadline", "x->waiter && x->waiter->sq"),
    ("{x} waits for a mutex", "x->blocked_on"),
    ("{x} waits, and no signal ends that", "x->waiter && !(x->waiter->breaks & WORK_SIGNAL)"),
    ("{x} is woken, and has not run", "x->waiter && x->waiter->why != WAIT_ARMED"),
)
_WAITER = (
    ("{x} has a deadline", "x->sq"),
    ("{x} has no deadline", "!x->sq"),
    ("{x} has a deadline on another CPU", "x->sq && x->sq != &current_thread()->cpu->sleepq"),
    ("{x} is not ended by a signal", "!(x->breaks & WORK_SIGNAL)"),
    ("{x} is not ended by a kill", "!(x->breaks & WORK_KILL)"),
    ("{x} is claimed", "x->why != WAIT_ARMED"),
    ("the status of {x} is below 0", "x->status < 0"),
    ("{x} is the current thread's", "x->thread == current_thread()"),
    ("the thread of {x} is real-time", "x->thread->se.rt & RT_RANK"),
    ("the thread of {x} is on another CPU", "x->thread->cpu != current_thread()->cpu"),
    ("the thread of {x} is to suspend itself", "x->thread->work & WORK_SUSPEND"),
    ("the thread of {x} is to be killed", "x->thread->work & WORK_KILL"),
    ("the thread of {x} is the kernel's", "x->thread->process == &kernel_process"),
)
_QUEUE = (
    ("one waits at {x}", "x->nr == 1"),
    ("two or more wait at {x}", "x->nr > 1"),
    ("more than 16 wait at {x}", "x->nr > 16"),
    ("more than 255 wait at {x}", "x->nr > 255"),
    ("nobody waits at {x}", "!x->nr"),
    ("{x} is destroyed", "x->destroyed"),
)
_RUNQ = (
    ("{x} is another CPU's", "x != &current_thread()->cpu->runq"),
    ("{x} is this CPU's", "x == &current_thread()->cpu->runq"),
    ("{x} is CPU 0's", "x->cpu_bit & 1"),
    ("{x} is not CPU 0's", "!(x->cpu_bit & 1)"),
    ("{x} is of a CPU above 1", "x->cpu_bit > 2"),
    ("{x} is empty", "!x->q.nr"),
    ("{x} has one thread", "x->q.nr == 1"),
    ("{x} has more than 16 threads", "x->q.nr > 16"),
    ("{x} has a real-time thread", "x->q.nr_urgent"),
    ("{x}'s CPU runs a real-time thread", "x->current && x->current->se.rt & RT_RANK"),
    ("{x}'s CPU is idle", "!x->q.current"),
)
_SPACE = (
    ("{x} is loaded on several CPUs", "x->cpus & (x->cpus - 1)"),
    ("{x} is loaded on a CPU above 1", "x->cpus > 3"),
    ("{x} is not the current one", "x != current_thread()->as"),
    ("{x} has more than 16 regions", "x->nr_regions > 16"),
    ("{x} has more than 255 pages", "x->resident > 255"),
    ("{x} is shared by two processes", "x->refs > 1"),
)
_REGION = (
    ("{x} is shared", "x->flags & REGION_SHARED"),
    ("{x} is a stack", "x->flags & REGION_STACK"),
    ("{x} is the heap", "x->flags & REGION_HEAP"),
    ("{x} is locked in memory", "x->flags & REGION_LOCKED"),
    ("{x} is anonymous", "!x->inode"),
    ("{x} is a private file's", "x->inode && !(x->flags & REGION_SHARED)"),
    ("{x} may not be written", "!(x->prot & VM_WRITE)"),
    ("{x} may not be read", "!(x->prot & VM_READ)"),
    ("{x} may be executed", "x->prot & VM_EXEC"),
    ("{x} is one page", "x->end - x->start == PAGE_SIZE"),
    ("{x} has more than 512 pages", "x->end - x->start > 512 * PAGE_SIZE"),
    ("{x} ends in the middle of a page of its file", "x->file_size & (PAGE_SIZE - 1)"),
    ("{x} is longer than its file", "x->file_size < x->end - x->start"),
)
_PAGE = (
    ("{x} has one user", "x->refs == 1"),
    ("{x} has two users", "x->refs == 2"),
    ("{x} has more than two users", "x->refs > 2"),
    ("{x} is a file's", "page_is_file(x)"),
)
_ENTITY = (
    ("{x} is real-time", "x->rt & RT_RANK"),
    ("{x} has a deadline", "x->params.class == SCHED_DEADLINE"),
    ("{x} is nice", "x->params.nice > 0"),
    ("{x} has a nice value below 0", "x->params.nice < 0"),
    ("{x} has the lowest level", "x->base.level == 1"),
    ("{x} has a level of 16 or more", "x->base.level >= 16"),
    ("{x} runs with a rank that it inherits", "x->inherited.level"),
    ("{x} may run on one CPU only", "!(x->affinity & (x->affinity - 1))"),
    ("{x} is in debt", "x->budget < 0"),
    ("{x} has slept", "x->since"),
)
_POLICY_QUEUE = (
    ("{x} is empty", "!x->nr"),
    ("{x} has one entity", "x->nr == 1"),
    ("{x} has more than 16 entities", "x->nr > 16"),
    ("{x} is not CPU 0's", "x->cpu"),
    ("{x} is idle", "!x->current"),
)
_MUTEX = (
    ("{x} has two waiters or more", "x->pi.waiters.next != x->pi.waiters.prev"),
    ("{x} belongs to the current thread", "x->pi.owner == current_thread()"),
)
_SIGNED = (
    ("{x} is 0", "x == 0"),
    ("{x} is below 0", "x < 0"),
    ("{x} is above 255", "x > 255"),
    ("{x} is above 65535", "x > 65535"),
    ("{x} is odd", "x & 1"),
)
_UNSIGNED = (
    ("{x} is 0", "x == 0"),
    ("{x} is 1", "x == 1"),
    ("{x} is above 16", "x > 16"),
    ("{x} is above 255", "x > 255"),
    ("{x} is above 2^31", "x > 0x80000000u"),
    ("{x} is odd", "x & 1"),
)
_LONG = (
    *_UNSIGNED,
    ("{x} is above 2^32", "x >> 32"),
    ("{x} is above 2^62", "x >> 62"),
    ("{x} has no low half", "x && !(x & 0xffffffff)"),
)

_OF_TYPE = {
    "struct thread *": _roles(*_THREAD, *_ANY_THREAD),
    "struct process *": _roles(
        ("{x} is the current process", "x == current_thread()->process"),
        ("{x} is another process", "x != current_thread()->process"),
        *_itself(),
    ),
    "struct waiter *": _roles(*_WAITER),
    "struct wait_queue *": _roles(*_QUEUE),
    "struct runq *": _roles(*_RUNQ),
    "struct addr_space *": _roles(*_SPACE),
    "struct region *": _roles(*_REGION),
    "struct page *": _roles(*_PAGE),
    "struct sched_entity *": _roles(*_ENTITY),
    "struct policy_queue *": _roles(*_POLICY_QUEUE),
    "struct mutex *": _roles(*_MUTEX),
    "int": _roles(*_SIGNED),
    "unsigned int": _roles(*_UNSIGNED),
    "unsigned long": _roles(*_LONG),
}  # fmt: skip
_OF_CURRENT = _roles(*_CURRENT, *((what.format(x="the current thread"), test) for what, test in _ANY_THREAD))
_OF_TURN = _roles(
    ("this is not the loop's first turn", "x > 1"),
    ("this is behind the loop's 16th turn", "x > 16"),
    ("this is behind the loop's 255th turn", "x > 255"),
)


def every() -> Iterator[Part]:
    """A part of each role, for a test."""
    for type, found in _OF_TYPE.items():
        for role in found:
            yield Part(role, f"const {type}", "x")
    for role in _OF_CURRENT:
        yield Part(role, "const struct thread *", "x")


def _plain_type(type: str) -> str:
    return type.replace("const ", "").replace(" const", "").replace("*const", "*")


def _variables(node: Node) -> dict[str, str]:
    """The variables that a statement or an expression can see, with their types."""
    found: dict[str, str] = {}
    inner, outer = node, node.parent
    while outer is not None:
        for child in outer.children:
            if child.start >= inner.start and child is not inner and outer.kind != "FUNCTION_DECL":
                break
            declared = child.children if child.kind == "DECL_STMT" and child is not inner else [child]
            for one in declared:
                if one.kind in ("VAR_DECL", "PARM_DECL") and one.name:
                    found.setdefault(one.name, _plain_type(one.type))
        inner, outer = outer, outer.parent
    return found


def _loop(source: Source, node: Node) -> Node | None:
    """The loop whose body @node is in."""
    inner, outer = node, node.parent
    while outer is not None:
        if outer.kind in LOOPS and is_written(source, outer) and inner is not outer.children[0]:
            return outer
        inner, outer = outer, outer.parent
    return None


def _parts(source: Source, node: Node) -> Iterator[Part]:
    for name, type in _variables(node).items():
        shown = type if not type.endswith("*") else f"const {type}"
        for role in _OF_TYPE.get(type, ()):
            yield Part(role, shown, name)
    for role in _OF_CURRENT:
        yield Part(role, "const struct thread *", "current_thread()")
    if _loop(source, node) is not None:
        for role in _OF_TURN:
            yield Part(role, "unsigned", _TURN)


def _change(source: Source, function: Node, part: Part, what: str, edit: Edit) -> Change:
    begin = source.text.rfind("\n", 0, function.start) + 1
    around = [Edit(begin, begin, part.helper)]
    if part.value == _TURN:
        body = function.children[-1].start + 1
        around.append(Edit(body, body, "\n\tunsigned turns = 0;\n"))
    return Change(edit.start, f"{what} where {part.what}", (edit,), tuple(around))


def _is_call_of(source: Source, s: Statement, names: tuple[str, ...]) -> bool:
    text = text_of(source, s).split("(")[0]
    return any(name in text for name in names)


def drop(source: Source, function: Node) -> Iterator[Change]:
    """A statement is missing."""
    for s in statements(source, function):
        if s.is_declaration or s.node.kind in (*_JUMPS, "IF_STMT", "SWITCH_STMT", "COMPOUND_STMT"):
            continue
        if in_assertion(source, s.node) or _is_call_of(source, s, (*_LOCKS, "trace", "assert")):
            continue
        text = text_of(source, s)
        for part in _parts(source, s.node):
            guarded = f"if (!{part.use}) {text}" if "\n" not in text else f"if (!{part.use}) {{\n{text}\n}}"
            edit = Edit(s.start, s.end, guarded if s.listed else f"{{ {guarded} }}")
            yield _change(source, function, part, f"no {short(text)}", edit)


def never(source: Source, function: Node) -> Iterator[Change]:
    """A condition is false."""
    for _, condition in conditions(source, function):
        text = source.of(condition)
        for part in _parts(source, condition):
            edit = Edit(condition.start, condition.end, f"({text}) && !{part.use}")
            yield _change(source, function, part, f"not {short(text)}", edit)


def always(source: Source, function: Node) -> Iterator[Change]:
    """A condition is true. No loop's: it would not end."""
    for node, condition in conditions(source, function):
        if node.kind not in LOOPS:
            text = source.of(condition)
            for part in _parts(source, condition):
                edit = Edit(condition.start, condition.end, f"({text}) || {part.use}")
                yield _change(source, function, part, f"as if {short(text)}", edit)
