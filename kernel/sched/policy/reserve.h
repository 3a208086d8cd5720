/*
 * Reservations, for edf and rm: SCHED_DEADLINE threads run in order of their keys, before all
 * others, and never longer than their budget. The others get what is left, real-time threads first.
 *
 *  RESERVE1  A thread with a reservation and no budget waits aside until replenish_at, even if the
 *            CPU would idle. Only if a more urgent thread waits for it (inherited rank) does it run
 *            on, into debt.
 *  RESERVE2  A thread with a reservation stays on the CPU that promised it.
 *  RESERVE3  All others share level 0 and differ by their quanta, so none starves another. q->tree
 *            holds only reservations and threads that one waits for: realtime.c relies on it.
 */
#pragma once

#include "sched/policy/policy.h"

static inline bool is_reserved(const struct sched_entity *e)
{
	return e->params.class == SCHED_DEADLINE;
}

/* Queues @e, or sets it aside. The policy has updated e->budget, base and replenish_at. */
bool reserve_enqueue(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why);

typedef bool (*enqueue_hook)(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
			     u64 now);

/* The timer hook: calls @enqueue for each thread aside whose replenish_at has come. */
bool reserve_timer(struct policy_queue *q, u64 now, enqueue_hook enqueue, enum enqueue_why why);

/* Returns whether @e must wait aside (RESERVE1). */
bool reserve_is_spent(const struct sched_entity *e);

void reserve_dequeue(struct policy_queue *q, struct sched_entity *e);
struct sched_entity *reserve_pick(struct policy_queue *q, u64 now);
u64 reserve_slice(struct policy_queue *q, struct sched_entity *e);
