/*
 * Lab 04, challenge: what a deadline costs does not depend on how many others are armed. Deadlines
 * are armed, cancelled and expired by hand with interrupts off. Each waiter was claimed before, so
 * that an expiry takes it out and does nothing else for it.
 */
#include "waiters.h"

#define MANY		1000u
#define FEW		10u
#define FAR		(1000 * MS)	/* the first deadline that may come */
#define SPREAD		(1000 * MS)	/* the last one is so much later */
#define CHANGES		500u
#define HOUR		(3600 * NSEC_PER_SEC)
#define MORE_PERCENT	10u

static struct waiter waiters[MANY], first;
static u64 start; /* deadlines are after it */

static void claimed(struct waiter *w)
{
	waiter_init(w, 0);
	waiter_swap(w, WAIT_EVENT, 0);
}

static u64 within(u64 spread)
{
	return start + FAR + test_random() % spread;
}

static void begin(void)
{
	irq_off();
	start = time_now();
	claimed(&first);
	for (unsigned i = 0; i < MANY; i++)
		claimed(&waiters[i]);
	sleepq_arm(&first, start + FAR / 2); /* for it the timer is set */
}

static void end(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		sleepq_cancel(&waiters[i]);
	sleepq_cancel(&first);
	irq_on();
}

/* With @n deadlines armed, cancels one and arms it for another time, again and again. */
static u64 cost_of_change(unsigned n)
{
	u64 took = 0;

	begin();
	for (unsigned i = 0; i < n; i++)
		sleepq_arm(&waiters[i], within(SPREAD));
	for (unsigned k = 0; k < CHANGES; k++) {
		struct waiter *w = &waiters[test_random() % n];
		u64 at = within(SPREAD), from = time_now();

		sleepq_cancel(w);
		sleepq_arm(w, at);
		took += time_now() - from;
	}
	end(n);
	return took / CHANGES;
}

static void no_more_with_many(u64 few, u64 many, const char *what)
{
	CHECK(many * 100 <= few * (100 + MORE_PERCENT), ktest_property(),
	      "%s takes %lu instructions with %u deadlines, and %lu with %u", what, few, FEW, many,
	      MANY);
}

KTEST(challenge_change, "challenge.change", "04.c", "C4.1")
{
	u64 few, many;

	NEEDS_ONE_CPU;
	few = cost_of_change(FEW);
	many = cost_of_change(MANY);
	ktest_figure("instructions_per_change_10", few);
	ktest_figure("instructions_per_change_1000", many);
	no_more_with_many(few, many, "to cancel a deadline and to arm another");
}

static unsigned expired(unsigned n)
{
	unsigned gone = 0;

	for (unsigned i = 0; i < n; i++)
		gone += !waiters[i].timer.linked;
	return gone;
}

/* Arms @n deadlines up to @spread after the first that may come, and lets them come. */
static u64 cost_of_timeout(unsigned n, u64 spread)
{
	unsigned interrupts = 0;
	struct sleepq *sq;
	u64 from, took, next;

	begin();
	sq = &this_cpu()->sleepq;
	from = time_now();
	for (unsigned i = 0; i < n; i++)
		sleepq_arm(&waiters[i], within(spread));
	for (; sleepq_next(sq, &next) && interrupts < 4 * n; interrupts++)
		sleepq_expire(sq, next);
	took = time_now() - from;
	CHECK(expired(n) == n, "C4.2", "after %u interrupts, %u of %u deadlines are timed out",
	      interrupts, expired(n), n);
	end(n);
	return took / n;
}

KTEST(challenge_timeout, "challenge.timeout", "04.c", "C4.2")
{
	u64 few, many, late;

	NEEDS_ONE_CPU;
	few = cost_of_timeout(FEW, SPREAD);
	many = cost_of_timeout(MANY, SPREAD);
	late = cost_of_timeout(FEW, HOUR);
	ktest_figure("instructions_per_timeout_10", few);
	ktest_figure("instructions_per_timeout_1000", many);
	ktest_figure("instructions_per_timeout_in_an_hour", late);
	no_more_with_many(few, many, "to arm a deadline and to time it out");
	CHECK(late <= 3 * few, "C4.2",
	      "a deadline within a second takes %lu instructions, and one within an hour %lu", few,
	      late);
}
