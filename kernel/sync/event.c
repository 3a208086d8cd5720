/*
 * Events: a flag to wait for. Auto-reset: each signal lets exactly one wait pass, before or after
 * it; signals without a waiter set one flag, they are not counted. Manual: all waits pass until
 * event_unsignal(); threads that wait when the signal comes pass even if that follows at once.
 */
#include "errno.h"
#include "sync/sync.h"

void event_init(struct event *e, bool signaled, bool auto_reset)
{
	wait_queue_init(&e->q);
	e->signaled = signaled;
	e->auto_reset = auto_reset;
}

void event_destroy(struct event *e)
{
	wait_queue_destroy(&e->q);
}

int event_wait(struct event *e, struct deadline d)
{
	int err = -EAGAIN;

	spin_lock(&e->q.lock);
	/* LAB 05-sync: pass if the flag is set, or wait for a signal */
	if (!e->signaled)
		err = wait_block_locked(&e->q, d, 0);
	/* Signaled before, or after the deadline had claimed the wait. */
	if (err && err != -EIDRM && e->signaled) {
		e->signaled = !e->auto_reset;
		err = 0;
	}
	/* END LAB */
	spin_unlock(&e->q.lock);
	return err;
}

void event_signal(struct event *e)
{
	spin_lock(&e->q.lock);
	/* LAB 05-sync: let one waiter pass or all, and set the flag where that is due */
	if (!e->auto_reset)
		wait_wake_all_locked(&e->q, 0);
	/* An auto-reset signal either wakes a waiter or sets the flag, never both. */
	if (!e->auto_reset || !wait_wake_one_locked(&e->q, 0))
		e->signaled = true;
	/* END LAB */
	spin_unlock(&e->q.lock);
}

void event_unsignal(struct event *e)
{
	spin_lock(&e->q.lock);
	e->signaled = false;
	spin_unlock(&e->q.lock);
}
