/*
 * Events: a flag to wait for. Auto-reset: each signal lets exactly one wait pass, whether it comes
 * before or after; manual: all waits pass until event_unsignal().
 */
#include "errno.h"
#include "mutex.h"

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
	int err = 0;

	spin_lock(&e->q.lock);
	while (!e->signaled && !err)
		err = wait_block(&e->q, d, 0);
	if (e->signaled && err != -EIDRM) {
		e->signaled = !e->auto_reset;
		err = 0;
	}
	spin_unlock(&e->q.lock);
	return err;
}

void event_signal(struct event *e)
{
	spin_lock(&e->q.lock);
	e->signaled = true;
	if (e->auto_reset)
		wait_wake_one(&e->q, 0);
	else
		wait_wake_all(&e->q, 0);
	spin_unlock(&e->q.lock);
}

void event_unsignal(struct event *e)
{
	spin_lock(&e->q.lock);
	e->signaled = false;
	spin_unlock(&e->q.lock);
}
