/*
 * Lab 04: sleeping and waking. The trace is judged too (lab.toml): what a check here cannot see, such
 * as a wait that is claimed twice, is seen there.
 */
#include "instrument.h"
#include "ktest.h"
#include "thread.h"
#include "time.h"
#include "wait.h"

#define SLEEPERS	8

static struct sleeper {
	struct thread *thread;
	u64 ns;			/* how long to sleep */
	u64 woke;		/* when it ran again */
	unsigned place;		/* how many woke before it */
} sleepers[SLEEPERS];

static _Atomic unsigned woken;

static int sleep_once(void *arg)
{
	struct sleeper *s = arg;
	u64 due = time_now() + s->ns;

	if (thread_sleep(s->ns))
		return 1;
	s->woke = time_now();
	s->place = atomic_fetch_add(&woken, 1);
	CHECK(!time_before(s->woke, due), "P4.1", "asked for %lu ns, woke %lu ns early", s->ns,
	      due - s->woke);
	return 0;
}

static void start(struct sleeper *s, u64 ns)
{
	s->ns = ns;
	s->thread = thread_create("sleeper", sleep_once, s, PRIORITY_DEFAULT);
	REQUIRE(s->thread, "P4.1", "no memory for a thread");
	thread_resume(s->thread);
}

static void join_all(void)
{
	for (unsigned i = 0; i < SLEEPERS; i++)
		REQUIRE(thread_join(sleepers[i].thread, NULL, DEADLINE_NEVER) == 0, "P4.1",
			"sleeper %u cannot be joined", i);
}

KTEST(sleep_never_early, "sleep.never_early", "04.1", "P4.1")
{
	woken = 0;
	for (unsigned i = 0; i < SLEEPERS; i++)
		start(&sleepers[i], 1 + test_random() % (3 * NSEC_PER_MSEC));
	join_all();
	CHECK(woken == SLEEPERS, "P4.1", "%u of %u sleepers woke", woken, SLEEPERS);
}

KTEST(sleep_order, "sleep.order", "04.1", "P4.2")
{
	u64 first, last;

	woken = 0;
	for (unsigned i = 0; i < SLEEPERS / 2; i++)	/* longest first */
		start(&sleepers[i], (20 - i) * NSEC_PER_MSEC);
	for (unsigned i = SLEEPERS / 2; i < SLEEPERS; i++)
		start(&sleepers[i], 5 * NSEC_PER_MSEC);
	join_all();
	for (unsigned i = 0; i < SLEEPERS / 2; i++)
		CHECK(sleepers[i].place == SLEEPERS - 1 - i, "P4.2", "sleeper of %lu ns woke as number %u",
		      sleepers[i].ns, sleepers[i].place);
	first = last = sleepers[SLEEPERS / 2].woke;
	for (unsigned i = SLEEPERS / 2; i < SLEEPERS; i++) {
		first = MIN(first, sleepers[i].woke);
		last = MAX(last, sleepers[i].woke);
	}
	CHECK(last - first < NSEC_PER_MSEC, "P4.2", "sleepers with one deadline woke %lu ns apart",
	      last - first);
}

static struct wait_queue queue = WAIT_QUEUE_INIT(queue);
static unsigned waiting;	/* [queue.lock] */
static unsigned order[SLEEPERS];	/* who was woken, in order [queue.lock] */

static int wait_once(void *arg)
{
	unsigned me = (struct sleeper *)arg - sleepers;

	spin_lock(&queue.lock);
	waiting++;
	if (wait_block(&queue, DEADLINE_NEVER, 0) == 0)
		order[woken++] = me;
	spin_unlock(&queue.lock);
	return 0;
}

static unsigned count_waiting(void)
{
	unsigned n;

	spin_lock(&queue.lock);
	n = waiting;
	spin_unlock(&queue.lock);
	return n;
}

KTEST(wait_wake_one, "wait.wake_one", "04.3", "P4.3")
{
	woken = 0;
	for (unsigned i = 0; i < SLEEPERS; i++) {
		sleepers[i].thread = thread_create("waiter", wait_once, &sleepers[i], PRIORITY_DEFAULT);
		REQUIRE(sleepers[i].thread, "P4.3", "no memory for a thread");
		thread_resume(sleepers[i].thread);
		while (count_waiting() != i + 1)
			thread_yield();
	}
	for (unsigned i = 0; i < SLEEPERS; i++) {
		CHECK(wait_queue_wake_one(&queue, 0) == 1, "P4.3", "wake %u woke nobody", i);
		REQUIRE(thread_join(sleepers[i].thread, NULL, deadline_in(100 * NSEC_PER_MSEC)) == 0, "P4.3",
			"waiter %u is still waiting", i);
		CHECK(woken == i + 1, "P4.3", "%u waiters ran after %u wake-ups", woken, i + 1);
		CHECK(order[i] == i, "P4.3", "wake-up %u went to waiter %u", i, order[i]);
	}
	CHECK(wait_queue_wake_one(&queue, 0) == 0, "P4.3", "somebody was woken twice");
}
