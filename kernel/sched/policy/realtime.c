/*
 * Real-time threads, SCHED_FIFO and SCHED_RR: a class in front of whatever policy runs, as on
 * Linux.
 *
 * The mechanism calls queue_enqueue() and the like (policy.h), not the policy's hooks. These check
 * whether the entity is urgent: it is a real-time thread, or a real-time thread waits for it (its
 * inherited rank). Urgent entities wait in q->urgent, the highest of 99 priorities first, equals in
 * order of arrival; the policy sees none of them. Only reservations (edf, rm) go before them.
 *
 *  REALTIME1  RT_RANK says that an entity's rank is a real-time one; it changes with the rank,
 *             while the entity is in no queue (POLICY3). RT_SIDE says that the entity is this
 *             file's and not the policy's, from an enqueue to the next enqueue or leave. If the two
 *             differ, the entity changes sides at its next enqueue: leave() tells the policy that
 *             it goes, enqueue(ENQUEUE_WAKE) that it comes.
 *  REALTIME2  A SCHED_RR thread has a slice and goes behind its equals when that is over. A
 *             SCHED_FIFO thread, and a normal one while it is urgent, runs until it blocks or
 *             yields. A preempted thread stays in front of its equals.
 *  REALTIME3  A ready thread whose rank changes goes in front of its new equals if it has become
 *             less urgent, and behind them otherwise (as on Linux): RT_TO_FRONT, RT_TO_BACK.
 *  REALTIME4  The throttle: in each realtime_period urgent threads get at most realtime_limit while
 *             others wait. No timer is needed: slices end where the throttle begins or ends. Time
 *             for which no other thread waited is not counted.
 */
#include "sched/policy/policy.h"

#include "errno.h"

#define RT_MOVED	(RT_TO_FRONT | RT_TO_BACK)

u64 realtime_limit = 950 * NSEC_PER_MSEC, realtime_period = NSEC_PER_SEC;
u64 realtime_slice;

/* Counts current's time on the CPU since it was picked, or since the last call. */
static void account(struct policy_queue *q, u64 now)
{
	q->urgent_ran += now - q->urgent_since;
	q->urgent_since = now;
}

/* REALTIME4 */
static bool is_throttled(struct policy_queue *q, u64 now)
{
	if (now - q->urgent_period >= realtime_period) {
		q->urgent_period = now;
		q->urgent_ran = 0;
	}
	return q->urgent_ran >= realtime_limit;
}

static void push(struct policy_queue *q, struct sched_entity *e, bool front)
{
	if (front)
		e->arrival = --q->fronts;
	tree_push(q, &q->urgent, e, LEVEL_KEYED - entity_rank(e).level, front);
	e->rt = RT_RANK | RT_SIDE;
	atomic_fetch_add_explicit(&q->nr_urgent, 1, memory_order_relaxed);
	queue_count(q, 1);
}

static bool was_current(enum enqueue_why why)
{
	return why == ENQUEUE_PREEMPTED || why == ENQUEUE_EXPIRED || why == ENQUEUE_YIELD;
}

bool realtime_enqueue(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why, u64 now)
{
	bool front = why == ENQUEUE_PREEMPTED ||
		     (why == ENQUEUE_EXPIRED && e->params.class != SCHED_RR);

	if (why != ENQUEUE_WAKE && e->rt & RT_MOVED)
		front = e->rt & RT_TO_FRONT;	/* REALTIME3 */
	if (was_current(why))
		realtime_leave(q, e, now);
	if (!(e->rt & RT_RANK)) {
		e->rt = 0;
		e->since = why == ENQUEUE_WAKE ? e->since : now;	/* now: it was not away */
		return policy.enqueue(q, e, ENQUEUE_WAKE, now);
	}
	push(q, e, front);
	if (q->current && !rank_above(entity_rank(e), entity_rank(q->current)))
		return false;
	q->promised |= !was_current(why);
	return q->current;
}

void realtime_leave(struct policy_queue *q, struct sched_entity *e, u64 now)
{
	if (e->rt & RT_SIDE)
		account(q, now);
	else if (policy.leave)
		policy.leave(q, e, now);
	e->rt &= ~RT_SIDE;
	e->since = now;
}

void realtime_dequeue(struct policy_queue *q, struct sched_entity *e)
{
	tree_remove(e);
	atomic_fetch_sub_explicit(&q->nr_urgent, 1, memory_order_relaxed);
	queue_count(q, -1);
}

struct sched_entity *realtime_pick(struct policy_queue *q, u64 now)
{
	struct sched_entity *e = tree_first(&q->urgent);

	if (policy.classes & BIT(SCHED_DEADLINE) && tree_first(&q->tree))
		return policy.pick(q, now);	/* a reservation, or a thread that it waits for */
	if (q->nr > q->nr_urgent && is_throttled(q, now)) {
		e = policy.pick(q, now);
		e->slice_left = MIN(e->slice_left, q->urgent_period + realtime_period - now);
		return e;
	}
	realtime_dequeue(q, e);
	q->urgent_since = now;
	return e;
}

u64 realtime_slice_of(struct policy_queue *q, struct sched_entity *e, u64 now)
{
	u64 slice = e->params.class == SCHED_RR ? realtime_slice : SLICE_NEVER;

	if (q->current == e && e->rt & RT_SIDE)
		account(q, now);
	if (is_throttled(q, now)) {
		if (q->nr > q->nr_urgent)
			return 1;	/* ends at once: the next pick is another's */
		q->urgent_period = now;
		q->urgent_ran = 0;	/* runs on: no other thread waits */
	}
	/* Signed, as another CPU may have just lowered the limit below what has run. */
	return MIN(slice, (u64)MAX((s64)(realtime_limit - q->urgent_ran), 1));
}

int realtime_set_limit(u64 limit, u64 period)
{
	if (!period || (limit != SLICE_NEVER && limit > period))
		return -EINVAL;
	realtime_limit = limit;
	realtime_period = period;
	return 0;
}
