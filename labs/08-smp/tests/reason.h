/*
 * A function before the policy's own notes why, and when, a thread is said to come into a queue.
 */
#pragma once

#include "crew.h"

static struct policy_queue *watched;
static enum enqueue_why watched_why;
static u64 watched_at;
static bool (*unwatched)(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
			 u64 now);

static bool watch_enqueue(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
			  u64 now)
{
	if (q == watched) {
		watched_why = why;
		watched_at = now;
	}
	return unwatched(q, e, why, now);
}

/* Until the watch ends only the caller queues there: it is its CPU, and nothing preempts it. */
static inline void watch_begin(struct runq *rq)
{
	watched = &rq->q;
	watched_why = ENQUEUE_WAKE;
	watched_at = 0;
	unwatched = policy.enqueue;
	policy.enqueue = watch_enqueue;
}

static inline void watch_end(void)
{
	policy.enqueue = unwatched;
	watched = NULL;
}
