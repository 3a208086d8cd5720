/*
 * Lab 04, step 3: wait queues. No wait here has a deadline; the tests give up after SOON.
 */
#include "waiters.h"

#define WAITERS	8

static struct wait_queue queue = WAIT_QUEUE_INIT(queue);
static _Atomic unsigned woken;		/* stored last, under queue.lock */
static unsigned order[WAITERS];		/* waiters in the order of return [queue.lock] */
static _Atomic int results[WAITERS];	/* what each wait returned */

static int wait_once(void *arg)
{
	struct wait_link link = { .shared = false };
	unsigned me = (u64)arg & 0xff;
	int err;

	link.shared = (u64)arg & 0x100;
	spin_lock(&queue.lock);
	err = wait_block_link(&queue, &link, DEADLINE_NEVER, 0);
	order[woken % WAITERS] = me;
	results[me] = err;
	woken++;
	spin_unlock(&queue.lock);
	return 0;
}

#define SHARED	0x100ul

static struct thread *threads[WAITERS];

/* Lets waiters 0 to @n - 1 come in this order; @shared is the mask of shared ones. */
static void line_up(unsigned n, unsigned shared)
{
	woken = 0;
	for (u64 i = 0; i < n; i++) {
		results[i] = 0;
		threads[i] = started(wait_once, (void *)(i | (shared & BIT(i) ? SHARED : 0)));
		REQUIRE(AWAIT(thread_state(threads[i]) == THREAD_BLOCKED), "P4.6", "a waiter is %s",
			thread_state_name(thread_state(threads[i])));
	}
}

static void join_waiters(unsigned n, const char *property)
{
	for (unsigned i = 0; i < n; i++) {
		REQUIRE(AWAIT(thread_state(threads[i]) == THREAD_DEAD), property,
			"waiter %u was woken but never returned", i);
		thread_join(threads[i], NULL, DEADLINE_NEVER);
	}
}

KTEST(wait_wake_one_locked, "wait.wake_one", "04.3", "P4.6")
{
	line_up(WAITERS, 0);
	for (unsigned i = 0; i < WAITERS; i++) {
		CHECK(wait_wake_one(&queue, 10 + i) == 1, "P4.6", "wake-up %u woke nobody",
		      i);
		REQUIRE(AWAIT(woken > i && results[i]), "P4.6",
			"after wake-up %u waiter %u still waits", i, i);
		CHECK(woken == i + 1, "P4.6", "%u waiters ran after %u wake-ups", woken, i + 1);
		CHECK(order[i] == i, "P4.6", "wake-up %u went to waiter %u", i, order[i]);
		CHECK(results[i] == 10 + (int)i, "P4.9", "waiter %u was woken with %u and got %d",
		      i, 10 + i, results[i]);
	}
	CHECK(wait_wake_one(&queue, 0) == 0, "P4.6",
	      "a wake-up found a waiter in an empty queue");
	join_waiters(WAITERS, "P4.6");
	CHECK(queue.nr == 0, "P4.6", "%u waiters are counted in an empty queue", queue.nr);
}

/* Waiters 0 and 2 are shared: they wake and leave the wake-up to the next waiter. */
KTEST(wait_shared, "wait.shared", "04.3", "P4.6")
{
	line_up(4, BIT(0) | BIT(2));
	CHECK(wait_wake_one(&queue, 5) == 1, "P4.6", "a wake-up woke nobody");
	REQUIRE(AWAIT(woken == 2), "P4.6",
		"of a shared waiter and the one behind it %u woke, not 2", woken);
	CHECK(results[0] == 5 && results[1] == 5, "P4.6",
	      "the two that woke were not the first two in the queue");
	CHECK(wait_wake_one(&queue, 6) == 1, "P4.6", "the second wake-up woke nobody");
	REQUIRE(AWAIT(woken == 4), "P4.6", "after two wake-ups %u of 4 have been woken", woken);
	join_waiters(4, "P4.6");
}

KTEST(wait_wake_all_locked, "wait.wake_all", "04.3", "P4.7")
{
	line_up(WAITERS, BIT(3));
	CHECK(wait_wake_all(&queue, -EAGAIN) == WAITERS, "P4.7", "not all of %u were woken",
	      WAITERS);
	join_waiters(WAITERS, "P4.7");
	for (unsigned i = 0; i < WAITERS; i++) {
		CHECK(results[i] == -EAGAIN, "P4.9", "waiter %u was woken with %d and got %d", i,
		      -EAGAIN, results[i]);
		if (nr_cpus == 1)
			CHECK(order[i] == i, "P4.7", "waiter %u came back as number %u", order[i],
			      i);
	}
	CHECK(wait_wake_all(&queue, 0) == 0, "P4.7", "a waiter was woken twice");
	CHECK(queue.nr == 0, "P4.7", "%u waiters are counted in an empty queue", queue.nr);
}

/* --- Between test and block ------------------------------------------------------------------- */

static struct {
	struct thread *waiter;
	unsigned step;
	bool blocked;			/* it had blocked when the wake-up came */
	_Atomic unsigned rounds;
	_Atomic bool finished;
} swept;

/* Runs in the timer interrupt that the sweep forces. */
static void wake_now(void *unused)
{
	(void)unused;
	swept.blocked = thread_state(swept.waiter) == THREAD_BLOCKED;
	wait_wake_one(&queue, swept.step + 1);
}

static int wait_swept(void *unused)
{
	(void)unused;
	for (swept.step = ktest_seed() % STRIDE; !swept.blocked; swept.step += STRIDE) {
		int err;

		spin_lock(&queue.lock);
		sweep_arm("wait_block_locked", current_thread(), swept.step);
		err = wait_block_locked(&queue, DEADLINE_NEVER, 0);
		spin_unlock(&queue.lock);
		CHECK(err == (int)swept.step + 1, "P4.9",
		      "woken with %u, wait_block_locked() returned %d", swept.step + 1, err);
		swept.rounds++;
	}
	swept.finished = true;
	return 0;
}

/* On 1 CPU: a wake-up comes after each instruction of wait_block_locked(), until it has blocked. */
KTEST(wait_swept_, "wait.swept", "04.3", "P4.8")
{
	unsigned before;

	NEEDS_ONE_CPU;
	swept.blocked = false;
	swept.finished = false;
	sweep_action = wake_now;
	swept.waiter = made_on(~0u, wait_swept, NULL);
	thread_resume(swept.waiter);
	do {
		before = swept.rounds;
		REQUIRE(AWAIT(swept.finished || swept.rounds != before), "P4.8",
			"a wake-up that came %u instructions into wait_block_locked() was lost",
			swept.step);
	} while (!swept.finished);
	sweep_action = NULL;
	ktest_figure("wait_steps", swept.step);
	CHECK(swept.rounds > 10, "P4.8", "it blocked after %u steps", swept.rounds);
	thread_join(swept.waiter, NULL, DEADLINE_NEVER);
}

/* On 2 CPUs: parks first a waiter just before it blocks, then a waker just after its wake-up. */
KTEST(wait_parked, "wait.parked", "04.3", "P4.8")
{
	struct thread *self = current_thread();
	int woke;

	NEEDS_TWO_CPUS;
	sched_set_affinity(self, BIT(0));
	results[0] = 0;
	threads[0] = made_on(BIT(1), wait_once, (void *)0);
	park_arm(0, "sched_block", AT_ENTRY, threads[0], 200 * MS);
	thread_resume(threads[0]);
	REQUIRE(park_wait(0, 100 * MS), "P4.8", "the waiter never came to sched_block()");
	CHECK(wait_wake_one(&queue, 7) == 1, "P4.8",
	      "a waiter about to block could not be woken");
	park_release(0);
	REQUIRE(AWAIT(results[0] != 0), "P4.8", "it was woken just before it blocked, and blocked");
	CHECK(results[0] == 7, "P4.9", "woken with 7 it got %d", results[0]);
	join_waiters(1, "P4.8");

	results[0] = 99;
	threads[0] = started_on(BIT(1), wait_once, (void *)0);
	REQUIRE(AWAIT(thread_state(threads[0]) == THREAD_BLOCKED), "P4.8",
		"the waiter never blocked");
	park_arm(0, "sched_wake", AT_EXIT, self, 2 * MS);
	woke = wait_wake_one(&queue, 8);
	CHECK(woke == 1, "P4.8", "a waiter could not be woken");
	REQUIRE(AWAIT(results[0] != 99), "P4.8", "it never returned");
	CHECK(results[0] == 8, "P4.9",
	      "it ran before its waker went on, and got %d instead of 8", results[0]);
	join_waiters(1, "P4.8");
	sched_set_affinity(self, ~0u);
}
