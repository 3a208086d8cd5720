/*
 * Tests of the queues of mutexes and PI futexes: a lock that comes free wakes one waiter, which
 * inherits from the others once it has taken it.
 */
#include "sched/sched.h"
#include "sched/time.h"
#include "sync/pi.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define WAITERS	3

static struct pi_queue queue = PI_QUEUE_INIT(queue);
static _Atomic bool may_take = true;
static struct sched_rank taker;		/* what the last thread that took the lock has then */

/* Waits for the lock, and hands it on. */
static int waits(void *owner)
{
	struct pi_waiter w = { 0 };

	waiter_init(&w.waiter, 0);
	spin_lock(&pi_lock);
	pi_wait(&queue, owner, &w);
	spin_unlock(&pi_lock);
	CHECK(waiter_block(&w.waiter, DEADLINE_NEVER) == 0, "pi.offer", "the wait fails");
	while (!atomic_load(&may_take))
		thread_yield();
	spin_lock(&pi_lock);
	if (pi_is_waiting(&w)) {
		pi_take(&w);		/* it was offered, not handed over */
		taker = thread_rank(current_thread());
	}
	pi_hand_over(&queue);
	spin_unlock(&pi_lock);
	return 0;
}

/* Returns how many threads wait, and of these how many are still to be woken. */
static unsigned count(unsigned *armed) HOLDS(pi_lock)
{
	unsigned n = 0;

	*armed = 0;
	list_for_each(w, &queue.waiters, struct pi_waiter, node) {
		n++;
		*armed += atomic_load(&w->waiter.why) == WAIT_ARMED;
	}
	return n;
}

/* Starts thread number @i, and waits until it waits. */
static struct thread *start_waiter(unsigned i)
{
	struct thread *t = thread_create("waits", waits, current_thread(), PRIORITY_DEFAULT);
	unsigned n, armed;

	REQUIRE(t, "pi.offer", "no memory for a thread");
	thread_resume(t);
	do {
		thread_yield();
		spin_lock(&pi_lock);
		n = count(&armed);
		spin_unlock(&pi_lock);
	} while (n <= i);
	return t;
}

KTEST(pi_offers_to_one, "pi.offers_to_one", "", "pi.offer")
{
	struct thread *t[WAITERS];
	unsigned n, armed;

	for (unsigned i = 0; i < WAITERS; i++)
		t[i] = start_waiter(i);
	spin_lock(&pi_lock);
	pi_abandon(&queue);
	n = count(&armed);
	spin_unlock(&pi_lock);
	CHECK(n == WAITERS && armed == WAITERS - 1, "pi.offer", "of %u, %u still wait", n, armed);
	for (unsigned i = 0; i < WAITERS; i++)
		thread_join(t[i], NULL, DEADLINE_NEVER);
}

/* A lock was offered to a waiter; before that takes it, another waiter becomes more urgent. */
KTEST(pi_take_inherits, "pi.take_inherits", "", "pi.take")
{
	struct sched_params urgent = params_of_level(20);
	struct sched_rank rank;
	struct thread *t[2];

	atomic_store(&may_take, false);
	for (unsigned i = 0; i < 2; i++)
		t[i] = start_waiter(i);
	spin_lock(&pi_lock);
	pi_abandon(&queue);
	spin_unlock(&pi_lock);
	CHECK(sched_set_params(t[1], &urgent) == 0, "pi.take", "a real-time class is refused");
	rank = thread_rank(t[1]);
	atomic_store(&may_take, true);
	for (unsigned i = 0; i < 2; i++)
		thread_join(t[i], NULL, DEADLINE_NEVER);
	CHECK(!rank_above(rank, taker), "pi.take", "of level %u, it has a waiter of level %u",
	      taker.level, rank.level);
}
