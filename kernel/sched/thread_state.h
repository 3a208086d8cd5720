/*
 * The state machine of threads: one table, one setter, inline because every switch is two changes.
 *
 *	from		to		event		rq->lock of t->cpu held by
 *	SUSPENDED	READY		resume		the resumer
 *	SUSPENDED	DEAD		kill		the killer, if @t has no kernel work in hand
 *	READY		RUNNING		pick		the CPU that dispatches it
 *	READY		SUSPENDED	suspend		the suspender, under the same condition
 *	READY		DEAD		kill		the killer, under the same condition
 *	RUNNING		READY		preempt, yield	itself
 *	RUNNING		BLOCKED		wait		itself
 *	RUNNING		SLEEPING	sleep		itself
 *	RUNNING		SUSPENDED	suspend		itself
 *	RUNNING		DEAD		exit		itself
 *	BLOCKED		READY		wake		the claimer of its waiter
 *	SLEEPING	READY		wake		the claimer of its waiter
 */
#pragma once

#include "base/panic.h"
#include "base/trace.h"
#include "config.h"
#include "sched/cpu.h"
#include "thread/thread.h"

noreturn void thread_state_illegal(struct thread *t, enum thread_state to, const char *reason);

/* Changes @t's state; nothing else writes t->state. */
static inline void thread_set_state(struct thread *t, enum thread_state to, const char *reason)
{
	/* The states from which each may be entered; RUNNING only from READY. */
	static const u8 legal_from[] = {
		[THREAD_SUSPENDED]	= BIT(THREAD_READY) | BIT(THREAD_RUNNING),
		[THREAD_READY]		= BIT(THREAD_SUSPENDED) | BIT(THREAD_RUNNING) |
					  BIT(THREAD_BLOCKED) | BIT(THREAD_SLEEPING),
		[THREAD_BLOCKED]	= BIT(THREAD_RUNNING),
		[THREAD_SLEEPING]	= BIT(THREAD_RUNNING),
		[THREAD_DEAD]		= BIT(THREAD_SUSPENDED) | BIT(THREAD_READY) |
					  BIT(THREAD_RUNNING),
	};
	enum thread_state from = thread_state(t);
	/* RUNNING apart: it is in every switch, and this saves a shift */
	bool legal = to == THREAD_RUNNING ? from == THREAD_READY : legal_from[to] & BIT(from);

	assert_held(&thread_cpu(t)->runq.lock);
	if (unlikely(!legal))
		thread_state_illegal(t, to, reason);
	if (DEBUG_BUILD)
		thread_check(t);
	assert(from == THREAD_RUNNING ? t == current_thread() : t->magic == THREAD_MAGIC);
	atomic_store_explicit(&t->state, to, memory_order_relaxed);
	trace(from == THREAD_RUNNING || to == THREAD_RUNNING ? TRACE_STATE : TRACE_SCHED,
	      TRACE_EV_STATE, t->tid, (u64)reason << 16 | from << 8 | to);
}
