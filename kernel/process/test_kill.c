/*
 * The record of a kill in the trace, the code of a thread that ends its process, and one victim at
 * a time when memory is short.
 */
#include "base/trace.h"
#include "errno.h"
#include "process/oom.h"
#include "process/process.h"
#include "process/signal.h"
#include "sched/cpu.h"
#include "sched/wait.h"
#include "test/ktest.h"
#include "thread/thread.h"

static struct wait_queue never = WAIT_QUEUE_INIT(never);

static int waits_for_ever(void *unused)
{
	(void)unused;
	return wait_block(&never, DEADLINE_NEVER);
}

/* Kills @t and returns the record of it, which is in this CPU's ring, as interrupts are off. */
static struct trace_record kill_and_look(struct thread *t)
{
	struct trace_record r = { .event = TRACE_EVENT_COUNT };
	struct trace_ring *ring;
	u64 head;

	irq_off();
	ring = this_cpu()->trace;
	head = atomic_load(&ring->head);
	thread_kill(t);
	for (u64 i = head; i < atomic_load(&ring->head); i++) {
		r = ring->records[i & (ring->size - 1)];
		if (r.event == TRACE_EV_KILLTHREAD)
			break;
	}
	irq_on();
	return r;
}

static void expect_record(struct thread *t, u64 state)
{
	struct trace_record r = kill_and_look(t);

	CHECK(r.event == TRACE_EV_KILLTHREAD && r.a == (u64)t->tid && r.b == state, "kill.told",
	      "event %u of thread %lu in state 0x%lx; it is thread %u in state 0x%lx", r.event, r.a,
	      r.b, t->tid, state);
}

static _Atomic bool ran;

static int yields_for_ever(void *unused)
{
	(void)unused;
	atomic_store(&ran, true);
	while (!thread_is_dying(current_thread()))
		thread_yield();
	return 0;
}

/* A thread for CPU 0, where we are, that is not started yet. */
static struct thread *create_here(const char *name, thread_fn entry)
{
	struct thread *t = thread_create(name, entry, NULL, PRIORITY_DEFAULT);

	REQUIRE(t, "kill.told", "no memory for a thread");
	sched_set_affinity(t, BIT(0));
	return t;
}

/* A thread that is ready: before its first turn, and in the middle of its work. */
static void tell_ready_threads(void)
{
	struct thread *working = create_here("working", yields_for_ever);
	struct thread *fresh = create_here("fresh", waits_for_ever);
	int code;

	thread_resume(working);
	while (!atomic_load(&ran))
		thread_yield();
	preempt_off();			/* a tick would give @fresh its first turn */
	thread_resume(fresh);
	if (trace_mask & TRACE_LIFE) {
		expect_record(fresh, THREAD_READY | TOLD_AT_REST);
		expect_record(working, THREAD_READY);
	}
	preempt_on();
	thread_join(working, &code, DEADLINE_NEVER);
	thread_get(fresh);
	thread_join(fresh, &code, DEADLINE_NEVER);
	if (trace_mask & TRACE_LIFE)
		expect_record(fresh, THREAD_DEAD);
	thread_put(fresh);
}

/* The record says who was told, and in which state. */
KTEST(kill_told, "kill.told", "", "kill.told")
{
	u32 affinity = current_thread()->affinity;
	struct thread *blocked = thread_create("blocked", waits_for_ever, NULL, PRIORITY_DEFAULT);
	struct thread *unborn = thread_create("unborn", waits_for_ever, NULL, PRIORITY_DEFAULT);
	int code;

	REQUIRE(blocked && unborn, "kill.told", "no memory for threads");
	thread_resume(blocked);
	while (thread_state(blocked) != THREAD_BLOCKED)
		thread_yield();
	if (trace_mask & TRACE_LIFE) {
		expect_record(blocked, THREAD_BLOCKED);
		expect_record(unborn, THREAD_SUSPENDED | TOLD_AT_REST);
	}
	thread_resume(unborn); /* ends it */
	thread_join(blocked, &code, DEADLINE_NEVER);
	thread_join(unborn, &code, DEADLINE_NEVER);
	sched_set_affinity(current_thread(), BIT(0));
	tell_ready_threads();
	sched_set_affinity(current_thread(), affinity);
}

static int ends_its_process(void *unused)
{
	(void)unused;
	process_exit(STATUS_EXIT(5));
}

/*
 * The status is the process's; the thread that ended it has no code of its own. A signal that does
 * not exist changes nothing.
 */
KTEST(kill_exit, "kill.exit", "", "kill.exit")
{
	struct wait_result res = { 0 };
	struct process *p;
	struct thread *t;
	int err;

	REQUIRE(process_create(current_process(), &p) == 0, "kill.exit", "no process");
	CHECK(signal_send_process(p, NSIG + 1) == -EINVAL, "kill.exit", "signal 65 is sent");
	REQUIRE(thread_create_in(p, "ender", ends_its_process, NULL, PRIORITY_DEFAULT, &t) == 0,
		"kill.exit", "no thread");
	thread_get(t);
	thread_resume(t);
	err = process_wait(p->pid, WEXITED, &res);
	CHECK(err == 0 && res.status == STATUS_EXIT(5), "kill.exit", "error %d, status 0x%x", err,
	      res.status);
	CHECK(t->exit_code == 0, "kill.exit", "the thread's code is %d", t->exit_code);
	thread_put(t);
}

/*
 * OOM1: while a process is dying there is no other victim, not even the caller. The search counts
 * stacks of threads, and gives back each process that it looks at.
 */
KTEST(kill_one_victim, "kill.one_victim", "", "kill.one_victim")
{
	u32 refs = init_process->refs;
	struct wait_result res = { 0 };
	struct process *p;
	struct thread *t;
	u64 bytes;
	int err;

	REQUIRE(process_create(current_process(), &p) == 0, "kill.one_victim", "no process");
	bytes = process_kernel_bytes(p);
	REQUIRE(thread_create_in(p, "unborn", waits_for_ever, NULL, PRIORITY_DEFAULT, &t) == 0,
		"kill.one_victim", "no thread");
	bytes = process_kernel_bytes(p) - bytes;
	CHECK(bytes == KSTACK_SIZE, "kill.one_victim", "a thread counts %lu bytes", bytes);
	process_kill(p, 9);		/* it is dying until its thread is started */
	oom_kill();
	CHECK(init_process->refs == refs, "kill.one_victim", "init has %u references, had %u",
	      init_process->refs, refs);
	CHECK(process_state(current_process()) == PROCESS_ALIVE, "kill.one_victim",
	      "the caller is killed");
	thread_resume(t);
	err = process_wait(p->pid, WEXITED, &res);
	CHECK(err == 0 && res.status == 9, "kill.one_victim", "error %d, status 0x%x", err,
	      res.status);
}
