/*
 * The names of thread states, and the panic at a change that must not be: thread_state.h.
 */
#include "thread_state.h"

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
