/*
 * Kernels that break, for tools/tests/test_panic.py to read what they say: each "test" here ends in
 * a panic, and belongs to the step "panic", so that it runs when it is asked for by name only.
 */
#include "cpu.h"
#include "ktest.h"
#include "printf.h"
#include "spinlock.h"
#include "thread.h"

#define STEP	"panic"

/* Other CPUs talk as fast as they can: after the report begins nothing of theirs may come out. */
static int talk(void *unused)
{
	(void)unused;
	while (nr_cpus > 1)
		kprintf("noise\n");
	return 0;
}

static void make_noise(void)
{
	for (unsigned i = 1; i < nr_cpus; i++) {
		struct thread *t = thread_create("talker", talk, NULL, PRIORITY_DEFAULT);

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
	make_noise();
	ktest_figure("not reached", eat_stack(1UL << 20));
}

KTEST(panic_write, "panic.write", STEP, "")
{
	make_noise();
	*(volatile u32 *)(ARCH_USER_END - 16) = 1;
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

KTEST(panic_magic, "panic.magic", STEP, "")
{
	current_thread()->magic = 7;
	thread_sleep(NSEC_PER_SEC);
}
