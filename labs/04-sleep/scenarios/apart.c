/*
 * Lab 04, steps 1, 3 and 5: two CPUs, each with queues and waiters of its own. Neither has
 * anything to do with the other, so a variable that both use, as a static one, is a mistake.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"
#include "sched/cpu.h"

#define PLACES	3

static struct side {
	struct wait_queue q;
	struct waiter waiters[PLACES];
	struct wait_link links[PLACES];
} sides[] = { { .q = WAIT_QUEUE_INIT(sides[0].q) }, { .q = WAIT_QUEUE_INIT(sides[1].q) } };

static struct actor other, waits[2];

/* --- By hand: none of these waiters blocks ---------------------------------------------------- */

static void expect_ended(const struct waiter *w, enum wait_why wanted)
{
	enum wait_why why = atomic_load(&w->why);

	expect(why == wanted, "a wait has ended with %d", why);
}

static void expire(struct side *s)
{
	irq_off();
	for (unsigned i = 0; i < PLACES; i++) {
		waiter_init(&s->waiters[i], 0);
		sleepq_arm(&s->waiters[i], 1000 - i);
	}
	sleepq_expire(&this_cpu()->sleepq, 1000);
	for (unsigned i = 0; i < PLACES; i++) {
		expect_ended(&s->waiters[i], WAIT_TIMEOUT);
		sleepq_cancel(&s->waiters[i]);
	}
	irq_on();
}

static int expire_there(void)
{
	expire(&sides[1]);
	return 0;
}

SCENARIO(expire_apart, "sleepq.apart", "04.1", "P4.2", .cpus = 2, .keeps = true)
{
	act_on(1, &other, expire_there);
	expire(&sides[0]);
	end_here();
}

/* The first is woken alone, the others together. */
static void wake(struct side *s, int status)
{
	spin_lock(&s->q.lock);
	for (unsigned i = 0; i < PLACES; i++) {
		waiter_init(&s->waiters[i], 0);
		expect(!wait_link(&s->q, &s->links[i], &s->waiters[i]), "the queue is destroyed");
	}
	expect(wait_wake_one_locked(&s->q, status), "a wake-up woke nobody");
	expect(wait_wake_all_locked(&s->q, status) == PLACES - 1,
	       "a wake-up for all did not count %u", PLACES - 1);
	for (unsigned i = 0; i < PLACES; i++) {
		expect_ended(&s->waiters[i], WAIT_EVENT);
		expect(s->waiters[i].status == status, "a waiter has the status %d",
		       s->waiters[i].status);
		wait_unlink(&s->q, &s->links[i]);
	}
	spin_unlock(&s->q.lock);
}

static int wake_there(void)
{
	wake(&sides[1], 6);
	return 0;
}

SCENARIO(wake_apart, "event.apart", "04.3", "P4.7", .cpus = 2, .keeps = true)
{
	act_on(1, &other, wake_there);
	wake(&sides[0], 5);
	end_here();
}

/* --- Destruction ------------------------------------------------------------------------------ */

static void destroy(struct side *s)
{
	wait_queue_destroy(&s->q);
	expect(!s->q.nr, "a destruction returned, and %u waiters have not left", s->q.nr);
}

static int destroy_there(void)
{
	destroy(&sides[1]);
	return 0;
}

static int wait_here(void)
{
	return wait_block(&sides[0].q, DEADLINE_NEVER);
}

static int wait_there(void)
{
	return wait_block(&sides[1].q, DEADLINE_NEVER);
}

static const char *both_destroyed(void)
{
	return waits[0].result == -EIDRM && waits[1].result == -EIDRM
		       ? NULL
		       : wrong("the waits in destroyed queues returned %d and %d", waits[0].result,
			       waits[1].result);
}

SCENARIO(destroy_apart, "destroy.apart", "04.5", "P4.15", .cpus = 2, .sets_up = true,
	 .after = both_destroyed, .keeps = true)
{
	act_on(0, &waits[0], wait_here);
	act_on(1, &waits[1], wait_there);
	await_blocked(&waits[0]);
	await_blocked(&waits[1]);
	explore_from_here();
	act_on(1, &other, destroy_there);
	destroy(&sides[0]);
	end_here();
}
