/*
 * Names of thread states, the panic at an illegal transition (thread_state.h), and references to
 * threads.
 */
#include "sched/thread_state.h"

#define X(id, name) [id] = name,
static const char *const state_names[] = { THREAD_STATES(X) };
#undef X

const char *thread_state_name(enum thread_state s)
{
	return s < ARRAY_SIZE(state_names) ? state_names[s] : "?";
}

noreturn void thread_state_illegal(struct thread *t, enum thread_state to, const char *reason)
{
	panic("thread %d (%s): %s -> %s is not a transition (%s)", t->tid, t->name,
	      thread_state_name(thread_state(t)), thread_state_name(to), reason);
}

noreturn void thread_corrupt(const struct thread *t)
{
	if (t->magic != THREAD_MAGIC)
		panic("thread %p is none: magic %x", t, t->magic);
	panic("thread %d (%s): the end of its stack was overwritten", t->tid, t->name);
}

struct thread *thread_get(struct thread *t)
{
	u32 before = atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);

	assert(before > 0 && t->magic == THREAD_MAGIC);
	return t;
}

void thread_put(struct thread *t)
{
	u32 before = atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel);

	assert(before > 0);
	if (before == 1)
		thread_release(t);
}
