/*
 * Kernels that panic, for tools/tests/test_panic.py, which reads the reports: each "test" here ends
 * in a panic, and belongs to the step "panic", so that it runs only when it is asked for by name.
 */
#include "base/printf.h"
#include "base/trace.h"
#include "console/console.h"
#include "lock/spinlock.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/thread_state.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define STEP	"panic"

/* Prints as fast as it can on another CPU: once the report begins, none of it may come out. */
static int talk(void *unused)
{
	(void)unused;
	while (nr_cpus > 1)
		kprintf("noise\n");
	return 0;
}

/* Runs on without printing: the trace shows whether it still runs. */
static int run_on(void *unused)
{
	(void)unused;
	while (nr_cpus > 1)
		trace(TRACE_TEST, TRACE_EV_MARK, (u64)__func__, (u64)"");
	return 0;
}

static void occupy_others(int (*fn)(void *))
{
	for (unsigned i = 1; i < nr_cpus; i++) {
		struct thread *t = thread_create("other", fn, NULL, PRIORITY_DEFAULT);

		REQUIRE(t, "", "no memory for a thread");
		thread_resume(t);
	}
	thread_sleep(NSEC_PER_MSEC);
}

static noinline u64 eat_stack(u64 n)
{
	volatile u64 room[32];

	room[n % 32] = n;
	return n ? room[n % 32] + eat_stack(n - 1) + room[(n + 1) % 32] : 0;
}

KTEST(panic_overflow, "panic.overflow", STEP, "")
{
	occupy_others(talk);
	ktest_figure("not reached", eat_stack(1UL << 20));
}

KTEST(panic_write, "panic.write", STEP, "")
{
	occupy_others(talk);
	*(volatile u32 *)(ARCH_USER_END - 16) = 1;
}

/* When the report begins, the other CPUs have stopped. */
KTEST(panic_others, "panic.others", STEP, "")
{
	occupy_others(run_on);
	panic("others run");
}

static atomic_bool armed;

static int write_once(void *unused)
{
	static const char line[] = "the end of a line\n";

	(void)unused;
	park_arm(0, "spin_lock", AT_EXIT, current_thread(), 100 * NSEC_PER_MSEC);
	armed = true;
	console_write_all(STREAM_KERNEL, line, sizeof(line) - 1);
	return 0;
}

/* Another CPU is held where it has taken the console's lock: the report waits for its line. */
KTEST(panic_writing, "panic.writing", STEP, "")
{
	struct thread *t = thread_create("writer", write_once, NULL, PRIORITY_DEFAULT);

	REQUIRE(t && nr_cpus > 1, "", "needs memory for a thread, and a second CPU");
	sched_set_affinity(current_thread(), BIT(0));
	sched_set_affinity(t, BIT(1));
	thread_resume(t);
	while (!armed)
		arch_spin_hint();
	REQUIRE(park_wait(0, NSEC_PER_SEC), "", "the writer did not come");
	panic("while another CPU writes");
}

/* W^X: text cannot be written, data cannot be executed. */
KTEST(panic_text, "panic.text", STEP, "")
{
	*(volatile u8 *)(u64)eat_stack = 0;
}

KTEST(panic_data, "panic.data", STEP, "")
{
	static u8 code[16];

	((void (*)(void))(u64)code)();
	ktest_figure("not reached", 0);
}

/* The report names the locks that are held. */
KTEST(panic_held, "panic.held", STEP, "")
{
	static struct spinlock lock = SPINLOCK_INIT(LOCK_OBJECT);

	spin_lock(&lock);
	assert(thread_state(current_thread()) == THREAD_DEAD);
}

/* Writes below its stack: the report names the thread. */
static int scribble(void *unused)
{
	(void)unused;
	*(volatile u64 *)current_thread()->stack = 0;
	thread_yield();
	thread_sleep(NSEC_PER_SEC);
	return 0;
}

KTEST(panic_canary, "panic.canary", STEP, "")
{
	struct thread *t = thread_create("scribbler", scribble, NULL, PRIORITY_DEFAULT);

	thread_resume(t);
	thread_join(t, NULL, DEADLINE_NEVER);
}

/* The fault comes while the console's lock is held; the report does not wait for it. */
KTEST(panic_printing, "panic.printing", STEP, "")
{
	console_write_all(STREAM_KERNEL, (const char *)(ARCH_USER_END - 16), 8);
}

static int wait_for_ever(void *unused)
{
	static struct wait_queue never = WAIT_QUEUE_INIT(never);

	(void)unused;
	return wait_block(&never, DEADLINE_NEVER);
}

/* The report names the states, where from and where to. */
KTEST(panic_transition, "panic.transition", STEP, "")
{
	struct thread *t = thread_create("waiter", wait_for_ever, NULL, PRIORITY_DEFAULT);

	REQUIRE(t, "", "no memory for a thread");
	thread_resume(t);
	while (thread_state(t) != THREAD_BLOCKED)
		thread_yield();
	thread_runq_lock(t);
	thread_set_state(t, THREAD_RUNNING, "tested");
}

KTEST(panic_magic, "panic.magic", STEP, "")
{
	current_thread()->magic = 7;
	thread_sleep(NSEC_PER_SEC);
}

/* At limit= the report says where every thread stands: here they wait, the one for the other. */
KTEST(panic_stuck, "panic.stuck", STEP, "")
{
	struct thread *t = thread_create("waiter", wait_for_ever, NULL, PRIORITY_DEFAULT);

	thread_resume(t);
	thread_join(t, NULL, DEADLINE_NEVER);
}

/* Here one runs on another CPU. */
KTEST(panic_endless, "panic.endless", STEP, "")
{
	occupy_others(run_on);
	for (;;)
		thread_yield();
}

/* Not even limit= ends it: tools/boot.py says where it was. */
KTEST(panic_silent, "panic.silent", STEP, "")
{
	arch_irqs_disable();
	for (;;)
		arch_spin_hint();
}
