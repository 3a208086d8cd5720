/*
 * The state machine of threads: one table, one setter.
 *
 *	from		to		who		rq->lock of t->cpu held by
 *	SUSPENDED	READY		resume		the resumer
 *	SUSPENDED	DEAD		kill		the killer, if it has nothing in hand
 *	READY		RUNNING		pick		the CPU that dispatches it
 *	READY		SUSPENDED	suspend		the suspender, if it has nothing in hand
 *	READY		DEAD		kill		the killer, if it has nothing in hand
 *	RUNNING		READY		preempt, yield	itself
 *	RUNNING		BLOCKED		wait		itself
 *	RUNNING		SLEEPING	sleep		itself
 *	RUNNING		SUSPENDED	suspend		itself
 *	RUNNING		DEAD		exit		itself
 *	BLOCKED		READY		wake		the one that claimed its waiter
 *	SLEEPING	READY		wake		the one that claimed its waiter
 */
#include "cpu.h"
#include "panic.h"
#include "sched.h"
#include "thread.h"
#include "trace.h"

#define X(id, name) [id] = name,
static const char *const state_names[] = { THREAD_STATES(X) };
#undef X

static const u8 legal[] = {
	[THREAD_SUSPENDED]	= BIT(THREAD_READY) | BIT(THREAD_DEAD),
	[THREAD_READY]		= BIT(THREAD_RUNNING) | BIT(THREAD_SUSPENDED) | BIT(THREAD_DEAD),
	[THREAD_RUNNING]	= BIT(THREAD_READY) | BIT(THREAD_BLOCKED) | BIT(THREAD_SLEEPING) |
				  BIT(THREAD_SUSPENDED) | BIT(THREAD_DEAD),
	[THREAD_BLOCKED]	= BIT(THREAD_READY),
	[THREAD_SLEEPING]	= BIT(THREAD_READY),
	[THREAD_DEAD]		= 0,
};

const char *thread_state_name(enum thread_state s)
{
	return s < ARRAY_SIZE(state_names) ? state_names[s] : "?";
}

void thread_set_state(struct thread *t, enum thread_state to, const char *reason)
{
	enum thread_state from = thread_state(t);

	assert(t->magic == THREAD_MAGIC);
	assert_held(&thread_cpu(t)->runq.lock);
	if (!(legal[from] & BIT(to)))
		panic("thread %d (%s): %s -> %s is not a transition (%s)", t->tid, t->name,
		      thread_state_name(from), thread_state_name(to), reason);
	assert(from != THREAD_RUNNING || t == current_thread());
	atomic_store_explicit(&t->state, to, memory_order_relaxed);
	trace(from == THREAD_RUNNING || to == THREAD_RUNNING ? TRACE_STATE : TRACE_SCHED,
	      TRACE_EV_STATE, t->tid, from << 8 | to);
}
