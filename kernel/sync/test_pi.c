/* Tests of the queues of mutexes and PI futexes: a lock that comes free wakes one waiter. */
#include "sched/sched.h"
#include "sched/time.h"
#include "sync/pi.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define WAITERS	3

static struct pi_queue queue = PI_QUEUE_INIT(queue);

/* Waits for the lock, and hands it on. */
static int waits(void *owner)
{
	struct pi_waiter w = { 0 };

	waiter_init(&w.waiter, 0);
	spin_lock(&pi_lock);
	pi_wait(&queue, owner, &w);
	spin_unlock(&pi_lock);
	CHECK(waiter_block(&w.waiter, DEADLINE_NEVER) == 0, "pi.offer", "the wait fails");
	spin_lock(&pi_lock);
	if (pi_is_waiting(&w))
		pi_take(&w);		/* it was offered, not handed over */
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

KTEST(pi_offers_to_one, "pi.offers_to_one", "", "pi.offer")
{
	struct thread *t[WAITERS];
	unsigned n, armed;

	for (unsigned i = 0; i < WAITERS; i++) {
		t[i] = thread_create("waits", waits, current_thread(), PRIORITY_DEFAULT);
		REQUIRE(t[i], "pi.offer", "no memory for a thread");
		thread_resume(t[i]);
	}
	do {
		thread_yield();
		spin_lock(&pi_lock);
		n = count(&armed);
		spin_unlock(&pi_lock);
	} while (n < WAITERS);
	spin_lock(&pi_lock);
	pi_abandon(&queue);
	n = count(&armed);
	spin_unlock(&pi_lock);
	CHECK(n == WAITERS && armed == WAITERS - 1, "pi.offer", "of %u, %u still wait", n, armed);
	for (unsigned i = 0; i < WAITERS; i++)
		thread_join(t[i], NULL, DEADLINE_NEVER);
}
