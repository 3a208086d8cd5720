/*
 * Reservations, for edf and rm: SCHED_DEADLINE threads run by key, above everybody else, and never
 * more than their budget says; the others get what is left, real-time threads first.
 *
 *  RESERVE1  A thread with a reservation and no budget waits aside until replenish_at, even if the
 *            CPU would idle. Only who holds up a more urgent one (inherited rank) runs on, into
 *            debt.
 *  RESERVE2  A thread with a reservation stays on the CPU that promised it.
 *  RESERVE3  All others share level 0 and differ by their quanta, so none starves another. q->tree
 *            holds reservations, and threads that hold one up, alone: realtime.c relies on it.
 */
#pragma once

#include "sched/policy/policy.h"

static inline bool is_reserved(const struct sched_entity *e)
{
	return e->params.class == SCHED_DEADLINE;
}

/* The policy has brought e->budget, base and replenish_at up to date. */
bool reserve_enqueue(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why);

typedef bool (*enqueue_hook)(struct policy_queue *q, struct sched_entity *e, enum enqueue_why why,
			     u64 now);

/* The timer hook: who waits aside and need not any more goes to @enqueue. */
bool reserve_timer(struct policy_queue *q, u64 now, enqueue_hook enqueue, enum enqueue_why why);

/* RESERVE1: it must wait aside. */
bool reserve_is_spent(const struct sched_entity *e);

void reserve_dequeue(struct policy_queue *q, struct sched_entity *e);
struct sched_entity *reserve_pick(struct policy_queue *q, u64 now);
u64 reserve_slice(struct policy_queue *q, struct sched_entity *e);
