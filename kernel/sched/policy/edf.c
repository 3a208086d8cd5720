/*
 * Earliest deadline first, each reservation a hard constant-bandwidth server (Abeni, Buttazzo
 * 1998).
 *
 * A thread with a reservation may run `runtime` ns in each `period` and has its deadline `deadline`
 * ns after the period's start. One CPU promises it that: the sum of runtime / deadline over the
 * reservations there is at most 1. For deadline = period this test is exact (a set that uses all of
 * the CPU is admitted and meets every deadline); for shorter deadlines it is safe.
 *
 *  EDF1  Budget is spent by running. A thread without budget waits for its next period; then
 *        deadline and budget advance together. Yielding gives up the rest of the period.
 *  EDF2  A thread that wakes keeps deadline and budget if it can spend the budget by the deadline
 *        without exceeding its bandwidth; otherwise a period starts now. So a thread that sleeps at
 *        a bad time, or lies about its runtime, makes no other thread late.
 *  EDF3  Deadlines are compared by signed difference; of equal ones the first to come runs first.
 */
#include "reserve.h"

#include "base/panic.h"

static void new_period(struct sched_entity *e, u64 start)
{
	/* LAB 09-policy: give it a deadline, a full budget and a new slice */
	e->deadline = start + e->params.deadline;
	e->budget = e->params.runtime;
	e->slice_left = 0;
	/* END LAB */
}

/*
 * EDF2. A deadline that a debt has put off by whole periods is far enough for any budget. Of the
 * others, with a budget above 0, both products are below 2^64, as no factor reaches 2^32.
 */
static void wake(struct sched_entity *e, u64 now)
{
	/* LAB 09-policy: begin a period, unless it can use its old budget by the old deadline */
	if (!time_before(now, e->deadline) ||
	    (e->budget > 0 && e->deadline - now < e->params.deadline &&
	     (u64)e->budget * e->params.deadline > (e->deadline - now) * e->params.runtime))
		new_period(e, now);
	/* END LAB */
}

static void edf_start(struct sched_entity *e, u64 now)
{
	e->base = (struct sched_rank){ 0 };	/* RESERVE3 */
	if (!is_reserved(e))
		return;
	/* The current period goes on: setting parameters again brings no new budget. */
	e->budget = MIN(e->budget, (s64)e->params.runtime);
	wake(e, now);
	e->base = (struct sched_rank){ .level = LEVEL_KEYED, .key = e->deadline };
}

/* EDF1 */
static void replenish(struct sched_entity *e, u64 now)
{
	/* LAB 09-policy: go on to the first period in which it has a budget */
	while (e->budget <= 0) {
		e->deadline += e->params.period;
		e->budget += e->params.runtime;
	}
	e->slice_left = 0;
	if (time_before(e->deadline, now))
		new_period(e, now);
	/* END LAB */
}

static bool edf_enqueue(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
			u64 now)
{
	if (!is_reserved(e))
		return reserve_enqueue(q, e, why);
	/* LAB 09-policy: bring budget and deadline up to date, and order it by its deadline */
	if (why == ENQUEUE_WAKE)
		wake(e, now);
	else if (why == ENQUEUE_YIELD)
		e->budget = MIN(e->budget, 0);
	e->replenish_at = e->deadline - e->params.deadline + e->params.period;
	if (e->budget <= 0 && !time_before(now, e->replenish_at))
		replenish(e, now);
	e->base.key = e->deadline;
	/* END LAB */
	return reserve_enqueue(q, e, why);
}

static bool edf_charge(struct policy_queue *q, struct sched_entity *e, u64 ran, u64 now)
{
	(void)q;
	(void)now;
	/* LAB 09-policy: charge it; say whether its budget is spent */
	if (is_reserved(e))
		e->budget -= ran;
	return reserve_is_spent(e);
	/* END LAB */
}

static bool edf_timer(struct policy_queue *q, u64 now)
{
	return reserve_timer(q, now, edf_enqueue, ENQUEUE_CHANGED);
}

/* Returns the next 32 bits of the fraction *rest / @of, which is at most 1, and updates *rest. */
static s64 next_digits(u64 *rest, u64 of)
{
	u64 n = *rest << 32;

	*rest = n % of;
	return n / of;
}

/* Checks exactly whether the shares runtime / deadline add up to at most 1. */
static bool edf_fits(struct policy_queue *q, const struct sched_entity *e,
		     const struct sched_params *p)
{
	/* LAB 09-policy: add up the shares exactly; do they exceed 1? */
	/*
	 * Long division of all shares at once, with digits of 32 bits. @left is 1 minus the digits
	 * so far, in units of the last digit; all remainders together are less than @n such units.
	 * A sum that is not 1 differs from 1 by at least 1 / (product of the deadlines), so n + 2
	 * digits are enough.
	 */
	u64 rest = p->runtime;
	s64 left = 1, n = 1;

	list_for_each(o, &q->reserved, struct sched_entity, reserved) {
		o->rest = o->params.runtime;
		n++;
	}
	for (s64 digit = 0; digit < n + 2; digit++) {
		left = (left << 32) - next_digits(&rest, p->deadline);
		list_for_each(o, &q->reserved, struct sched_entity, reserved)
			if (o != e)
				left -= next_digits(&o->rest, o->params.deadline);
		if (left < 0)
			return false;
		if (left >= n)
			return true;
	}
	return true;
	/* END LAB */
}

const struct sched_policy sched_edf = {
	.name = "edf",
	.classes = CLASSES_NORMAL | BIT(SCHED_DEADLINE),
	.start = edf_start,
	.fits = edf_fits,
	.charge = edf_charge,
	.timer = edf_timer,
	.enqueue = edf_enqueue,
	.dequeue = reserve_dequeue,
	.pick = reserve_pick,
	.find = level_find,		/* RESERVE2 */
	.slice = reserve_slice,
};
