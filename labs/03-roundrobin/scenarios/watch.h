/*
 * Lab 03: how often a thread is queued, and as what.
 */
#pragma once

#include "explore/scenario.h"

static const struct sched_entity *watched;
static bool (*enqueue)(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
		       u64 now);
static unsigned queued;
static enum enqueue_why queued_as;

/* Stands before the policy's hook, so it does not see real-time threads. */
static bool note_why(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why, u64 now)
{
	if (e == watched) {
		queued++;
		queued_as = why;
	}
	return enqueue(q, e, why, now);
}

static inline void watch_queue(const struct thread *t)
{
	watched = &t->se;
	enqueue = policy.enqueue;
	policy.enqueue = note_why;
}
