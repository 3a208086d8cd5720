/*
 * Lab 02, steps 1 and 2: the first frame and the switch. These tests run on the idle thread of
 * CPU 0, before any other thread exists, so that they need nothing of the later steps.
 */
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/wait.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define FRAME_MAX	256	/* bytes in which the frame's return address is looked for */

static int never_runs(void *arg)
{
	(void)arg;
	return 0;
}

static bool holds_address(u64 from, u64 to, u64 address)
{
	for (u64 p = ALIGN_UP(from, 8); p < to; p += 8)
		if (*(u64 *)p == address)
			return true;
	return false;
}

/* @stack: NULL for one that the kernel allocates. */
static void check_frame(void *stack, size_t size)
{
	struct thread *t = thread_create_etc(NULL, "new", never_runs, NULL, PRIORITY_DEFAULT, stack,
					     size);
	u64 low, high, sp;

	REQUIRE(t, "P2.1", "no thread was made");
	low = (u64)t->stack;
	high = low + t->stack_size;
	sp = t->arch.sp;
	CHECK(sp >= low && sp < high, "P2.1",
	      "the saved stack pointer %lx is not on the stack %lx to %lx", sp, low, high);
	CHECK(IS_ALIGNED(sp, 8), "P2.1", "the saved stack pointer %lx is not aligned", sp);
	if (sp < low || sp >= high)
		return;
	REQUIRE(holds_address(sp, MIN(sp + FRAME_MAX, high), (u64)thread_start), "P2.1",
		"no word of the frame leads to thread_start()");
	/* As for a thread of a user process: the trap frame is filled before the thread runs. */
	arch_user_init(t, 0, 0);
	CHECK(holds_address(sp, MIN(sp + FRAME_MAX, high), (u64)thread_start), "P2.1",
	      "the frame shares memory with the trap frame at the top of the stack");
}

/* A thread's creator may bring a stack of any size: smaller, larger, or with an odd end. */
KTEST_EARLY(frame_layout, "frame.layout", "02.1", "P2.1")
{
	static _Alignas(16) char small[PAGE_SIZE], large[KSTACK_SIZE + PAGE_SIZE];
	static _Alignas(16) char odd[2 * PAGE_SIZE + 40];

	check_frame(NULL, 0);
	check_frame(small, sizeof(small));
	check_frame(large, sizeof(large));
	check_frame(odd, sizeof(odd));
}

static struct wait_queue hop_queue = WAIT_QUEUE_INIT(hop_queue);
static struct thread *hop_thread;
static unsigned hops;
static void *hop_arg;
static u64 hop_sp;

static int hop(void *arg)
{
	hop_arg = arg;
	hop_sp = arch_frame_pointer();
	hop_thread = current_thread();
	for (;;) {
		hops++;
		wait_block(&hop_queue, DEADLINE_NEVER);	/* back to the idle thread */
	}
	return 0;
}

KTEST_EARLY(switch_hop, "switch.hop", "02.2", "P2.2")
{
	struct thread *self = current_thread();
	struct thread *t = thread_create("helper", hop, &hops, PRIORITY_DEFAULT);

	REQUIRE(t, "P2.2", "no thread was made");
	hops = 0;
	for (unsigned i = 1; i <= 3; i++) {
		if (i == 1)
			thread_resume(t);
		else
			wait_wake_one(&hop_queue, 0);
		sched_yield();
		CHECK(hops == i, "P2.2", "after %u switches the helper has run %u times", i, hops);
		CHECK(current_thread() == self, "P2.2", "back from the switch, but as thread %d",
		      current_thread()->tid);
	}
	CHECK(hop_thread == t, "P2.2", "the helper ran as another thread than itself");
	CHECK(hop_arg == &hops, "P2.1", "the helper's argument was %p", hop_arg);
	CHECK(hop_sp >= (u64)t->stack && hop_sp < (u64)t->stack + t->stack_size, "P2.1",
	      "the helper ran on another stack than its own");
	CHECK(hop_sp <= (u64)arch_trapframe(t), "P2.1",
	      "the helper's calls overwrite the trap frame at the top of its stack");
}
