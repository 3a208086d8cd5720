/*
 * Completions: a thread or interrupt handler tells another thread that something is done.
 *
 * complete() lets one wait pass, now or later. A wait takes the queue's lock again before it
 * returns 0, so complete() is through with the object by then, and the waiter may free it.
 */
#include "errno.h"
#include "sync/sync.h"

void completion_init(struct completion *c)
{
	wait_queue_init(&c->q);
	c->done = 0;
}

int completion_wait(struct completion *c, struct deadline d, unsigned flags)
{
	int err = -EAGAIN;

	spin_lock(&c->q.lock);
	if (!c->done)
		err = wait_block_locked(&c->q, d, flags);
	/* Done before, or after the deadline had claimed the wait. */
	if (err && err != -EIDRM && c->done) {
		c->done--;
		err = 0;
	}
	spin_unlock(&c->q.lock);
	return err;
}

void complete(struct completion *c)
{
	spin_lock(&c->q.lock);
	if (!wait_wake_one_locked(&c->q, 0))
		c->done++;
	spin_unlock(&c->q.lock);
}
