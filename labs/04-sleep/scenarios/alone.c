/*
 * Lab 04, steps 3 to 5: wait queues without a race, where each call has one right result.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "sched/wait.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static struct actor other;

/* --- Many waiters ----------------------------------------------------------------------------- */

/* More than any batch has places. None of them blocks: all are the scenario's own thread. */
static struct waiter waiters[1100];
static struct wait_link links[ARRAY_SIZE(waiters)];

static void link_all(void)
{
	spin_lock(&q.lock);
	for (unsigned i = 0; i < ARRAY_SIZE(waiters); i++) {
		waiter_init(&waiters[i], 0);
		expect(!wait_link(&q, &links[i], &waiters[i]), "the queue is destroyed");
	}
	spin_unlock(&q.lock);
}

/* Those from @first on are armed, and those before have got @status. */
static void expect_armed(unsigned first, int status)
{
	for (unsigned i = 0; i < ARRAY_SIZE(waiters); i++) {
		enum wait_why why = atomic_load(&waiters[i].why);

		expect(why == (i < first ? WAIT_EVENT : WAIT_ARMED), "waiter %u has ended with %d",
		       i, why);
		expect(i >= first || waiters[i].status == status, "waiter %u has got status %d", i,
		       waiters[i].status);
	}
}

static void unlink_all(void)
{
	spin_lock(&q.lock);
	for (unsigned i = 0; i < ARRAY_SIZE(waiters); i++)
		wait_unlink(&q, &links[i]);
	expect(!q.nr && list_empty(&q.links), "all waiters have left, and the queue has %u", q.nr);
	spin_unlock(&q.lock);
}

SCENARIO(many, "event.many", "04.3", "P4.7", .cpus = 1)
{
	const unsigned rest = ARRAY_SIZE(waiters) - 2;
	unsigned woken;

	link_all();
	for (unsigned i = 0; i < 2; i++) {
		expect_armed(i, 5);
		expect(wait_wake_one(&q, 5), "a wake-up found none of the waiters");
	}
	expect_armed(2, 5);
	woken = wait_wake_all(&q, 5);
	expect(woken == rest, "of %u waiters %u were woken", rest, woken);
	expect_armed(ARRAY_SIZE(waiters), 5);
	expect(!wait_wake_one(&q, 6), "a wake-up found a waiter that has been woken");
	unlink_all();
}

/* --- States ----------------------------------------------------------------------------------- */

static int wait(void)
{
	return wait_block(&q, DEADLINE_NEVER);
}

static const char *got_5(void)
{
	return other.result == 5 ? NULL : wrong("the wait returned %d", other.result);
}

/* Only a thread that sleeps is SLEEPING. */
SCENARIO(blocked, "event.blocked", "04.3", "P4.3", .cpus = 1, .after = got_5, .keeps = true)
{
	act_on(0, &other, wait);
	thread_yield();
	expect(thread_state(other.thread) == THREAD_BLOCKED, "a waiting thread is %s",
	       thread_state_name(thread_state(other.thread)));
	expect(wait_wake_one(&q, 5), "a wake-up did not find the waiter");
	end_here();
}

static const char *got_destroyed(void)
{
	return other.result == -EIDRM ? NULL : wrong("the wait returned %d", other.result);
}

SCENARIO(waits, "destroy.waits", "04.5", "P4.15", .cpus = 1, .after = got_destroyed, .keeps = true)
{
	act_on(0, &other, wait);
	thread_yield();
	wait_queue_destroy(&q);
	expect(!q.nr, "a destruction returned, and %u waiters have not left", q.nr);
	expect(wait_block(&q, DEADLINE_NEVER) == -EIDRM, "a destroyed queue can be waited in");
	end_here();
}

static struct actor destroyer;

static int destroy(void)
{
	wait_queue_destroy(&q);
	expect(!q.nr, "a destruction returned, and %u waiters have not left", q.nr);
	return 0;
}

/* The waiter can leave only while the destroyer, which is more urgent, does not run. */
SCENARIO(urgent, "destroy.urgent", "04.5", "P4.15", .cpus = 1, .after = got_destroyed,
	 .keeps = true)
{
	act_on(0, &other, wait);
	thread_yield();
	destroyer.urgent = true;
	act_on(0, &destroyer, destroy);
	end_here();
}

/* A kill ends a wait, but no destruction. */
SCENARIO(killed, "destroy.while_killed", "04.5", "P4.15", .cpus = 2, .after = got_destroyed,
	 .keeps = true)
{
	act_on(1, &other, wait);
	thread_kill(current_thread());
	wait_queue_destroy(&q);
	expect(!q.nr, "a destruction returned, and %u waiters have not left", q.nr);
	end_here();
}
