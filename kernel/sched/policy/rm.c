/*
 * Rate monotonic: of all reservations the one with the shortest period runs first.
 *
 * A set is admitted on a CPU if the exact response-time analysis (Joseph, Pandya 1986) says that
 * every thread of it, all released at once, finishes `runtime` ns within its `deadline`. So no
 * admitted thread ever misses a deadline, provided that none runs more than its reservation says.
 * Budgets see to that, as sporadic servers (Sprunt, Sha, Lehoczky 1989):
 *
 *  RM1  What is spent comes back one period after the moment from which it could be spent: when the
 *       thread woke, or got a refund, whichever is later. So in any k periods a thread runs at most
 *       k times its runtime.
 *  RM2  budget + refund[0].amount + refund[1].amount = runtime. refund[0] comes back first;
 *       refund[open] is the one that grows. A thread that wakes while two refunds are still to come
 *       waits for the first.
 *  RM3  Equal periods take turns in order of arrival, and count against each other in the analysis.
 */
#include "reserve.h"

static void spend(struct sched_entity *e, s64 amount)
{
	e->budget -= amount;
	e->refund[e->open].amount += amount;
}

/* Opens a refund for what @e spends from @now on. */
static void open_refund(struct sched_entity *e, u64 now)
{
	e->open = e->refund[0].amount != 0;
	e->refund[e->open].at = now + e->params.period;
}

/* Returns due refunds to the budget. Each could be spent from when it was due, not from @now. */
static void settle(struct sched_entity *e, u64 now)
{
	while (e->refund[0].amount && !time_before(now, e->refund[0].at)) {
		u64 came = e->refund[0].at;

		e->budget += e->refund[0].amount;
		e->refund[0] = e->refund[1];
		e->refund[1].amount = 0;
		e->slice_left = 0;
		open_refund(e, came);
	}
}

static void wake(struct sched_entity *e, u64 now)
{
	settle(e, now);
	if (!e->refund[1].amount)
		open_refund(e, now);
	else if (e->budget > 0)
		spend(e, e->budget);
}

static void rm_start(struct sched_entity *e, u64 now)
{
	e->base = (struct sched_rank){ 0 };	/* RESERVE3 */
	if (!is_reserved(e))
		return;
	e->base = (struct sched_rank){ .level = LEVEL_KEYED, .key = e->params.period };
	wake(e, now);
	e->budget = e->params.runtime - e->refund[0].amount - e->refund[1].amount;	/* RM2 */
}

static bool rm_enqueue(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
		       u64 now)
{
	if (is_reserved(e)) {
		if (why == ENQUEUE_WAKE)
			wake(e, now);
		else
			settle(e, now);
		if (why == ENQUEUE_YIELD && e->budget > 0)
			spend(e, e->budget);
		e->replenish_at = e->refund[0].at;
	}
	return reserve_enqueue(q, e, why);
}

static bool rm_charge(struct policy_queue *q, struct sched_entity *e, u64 ran, u64 now)
{
	(void)q;
	if (!is_reserved(e))
		return false;
	/* Time spent after a refund is due belongs to the next refund. */
	for (u64 from = now - ran, until; from != now; from = until) {
		u64 *comes;

		settle(e, from);
		comes = &e->refund[e->open].at;
		if (!time_before(from, *comes))
			*comes = from + e->params.period;
		until = time_before(*comes, now) ? *comes : now;
		spend(e, until - from);
	}
	settle(e, now);
	return reserve_is_spent(e);
}

static bool rm_timer(struct policy_queue *q, u64 now)
{
	return reserve_timer(q, now, rm_enqueue, ENQUEUE_WAKE);
}

/*
 * Checks whether @of, one of @q's reservations or the candidate @p of @e, always finishes in time.
 * Its response time is the least r with r = runtime + what all equally or more urgent threads need
 * within r.
 */
static bool finishes(const struct policy_queue *q, const struct sched_entity *e,
		     const struct sched_params *p, const struct sched_params *of)
{
	u64 r, need = of->runtime;

	do {
		r = need;
		need = of->runtime;
		if (p != of && p->period <= of->period)
			need += (r + p->period - 1) / p->period * p->runtime;
		list_for_each(o, &q->reserved, struct sched_entity, reserved)
			if (o != e && &o->params != of && o->params.period <= of->period)
				need += (r + o->params.period - 1) / o->params.period *
					o->params.runtime;
	} while (need != r && need <= of->deadline);
	return need <= of->deadline;
}

static bool rm_fits(struct policy_queue *q, const struct sched_entity *e,
		    const struct sched_params *p)
{
	list_for_each(o, &q->reserved, struct sched_entity, reserved)
		if (o != e && !finishes(q, e, p, &o->params))
			return false;
	return finishes(q, e, p, p);
}

const struct sched_policy sched_rm = {
	.name = "rm",
	.classes = CLASSES_NORMAL | BIT(SCHED_DEADLINE),
	.start = rm_start,
	.fits = rm_fits,
	.charge = rm_charge,
	.timer = rm_timer,
	.enqueue = rm_enqueue,
	.dequeue = reserve_dequeue,
	.pick = reserve_pick,
	.find = level_find,		/* RESERVE2 */
	.slice = reserve_slice,
};
