/*
 * Lab 02, steps 1 and 2: the first frame and the switch. These tests run on the idle thread of
 * CPU 0, before any other thread exists, so that they need nothing of the later steps.
 */
#include "base/string.h"
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

#define BESIDE	KSTACK_SIZE	/* bytes on each side of a brought stack that are not its */
#define OTHERS	0x3c

static _Alignas(16) char area[BESIDE + KSTACK_SIZE + PAGE_SIZE + BESIDE];

static bool is_as_it_was(const char *from, const char *to)
{
	while (from < to)
		if (*from++ != OTHERS)
			return false;
	return true;
}

/* A stack that begins @skew bytes behind a multiple of 16. */
static void check_brought(size_t skew, size_t size)
{
	char *stack = area + BESIDE + skew;

	memset(area, OTHERS, sizeof(area));
	check_frame(stack, size);
	CHECK(*(u64 *)stack == STACK_CANARY, "P2.1",
	      "the pattern at the end of a stack of %lu bytes was overwritten", size);
	CHECK(is_as_it_was(area, stack) && is_as_it_was(stack + size, area + sizeof(area)), "P2.1",
	      "memory beside a stack of %lu bytes at %p was overwritten", size, stack);
}

/* A thread's creator may bring a stack of any size: smaller, larger, or with odd ends. */
KTEST_EARLY(frame_layout, "frame.layout", "02.1", "P2.1")
{
	check_frame(NULL, 0);
	check_brought(0, PAGE_SIZE);
	check_brought(0, KSTACK_SIZE + PAGE_SIZE);
	check_brought(0, 2 * PAGE_SIZE + 40);
	for (size_t skew = 8; skew < 64; skew += 8) {
		check_brought(skew, PAGE_SIZE);
		check_brought(skew, PAGE_SIZE + 8);
	}
}

static struct wait_queue *hop_queue;
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
		wait_block(hop_queue, DEADLINE_NEVER);	/* back to the idle thread */
	}
	return 0;
}

/* To a new thread, three times. @stack: NULL for one that the kernel allocates. */
static void check_hops(void *stack, size_t size)
{
	struct thread *self = current_thread();
	struct thread *t = thread_create_etc(NULL, "helper", hop, &hops, PRIORITY_DEFAULT, stack,
					     size);
	static struct wait_queue queues[2];	/* each helper waits in its own for ever */
	struct wait_queue *queue = &queues[stack != NULL];
	struct trapframe before;

	REQUIRE(t, "P2.2", "no thread was made");
	arch_user_init(t, 0, 0);
	before = *arch_trapframe(t);
	hops = 0;
	wait_queue_init(queue);
	hop_queue = queue;
	for (unsigned i = 1; i <= 3; i++) {
		if (i == 1)
			thread_resume(t);
		else
			wait_wake_one(queue, 0);
		sched_yield();
		CHECK(hops == i, "P2.2", "after %u switches the helper has run %u times", i, hops);
		CHECK(current_thread() == self, "P2.2", "back from the switch, but as thread %d",
		      current_thread()->tid);
	}
	CHECK(hop_thread == t, "P2.2", "the helper ran as another thread than itself");
	CHECK(hop_arg == &hops, "P2.1", "the helper's argument was %p", hop_arg);
	CHECK(hop_sp >= (u64)t->stack && hop_sp < (u64)t->stack + t->stack_size, "P2.1",
	      "the helper ran on another stack than its own");
	CHECK(memcmp(arch_trapframe(t), &before, sizeof(before)) == 0, "P2.1",
	      "the helper's calls overwrite the trap frame at the top of its stack");
}

KTEST_EARLY(switch_hop, "switch.hop", "02.2", "P2.2")
{
	check_hops(NULL, 0);
	check_hops(area + BESIDE + 8, KSTACK_SIZE);
}
