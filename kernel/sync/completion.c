/*
 * Completions: "it is done", said by one thread (or handler) to others.
 *
 * complete() lets one wait pass, now or later; complete_all() all of them, for good. The waiter may
 * free the object right after completion_destroy(), which waits until the one who completed it has
 * let go of it.
 */
#include "errno.h"
#include "sync/sync.h"

void completion_init(struct completion *c)
{
	wait_queue_init(&c->q);
	c->done = 0;
	c->for_all = false;
}

void completion_destroy(struct completion *c)
{
	wait_queue_destroy(&c->q);
}

int completion_wait(struct completion *c, struct deadline d, unsigned flags)
{
	int err = -EAGAIN;

	spin_lock(&c->q.lock);
	if (!c->done && !c->for_all)
		err = wait_block_locked(&c->q, d, flags);
	/* Done before, or after the deadline had claimed the wait. */
	if (err && err != -EIDRM && (c->done || c->for_all)) {
		c->done -= c->done > 0;
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

void complete_all(struct completion *c)
{
	spin_lock(&c->q.lock);
	c->for_all = true;
	wait_wake_all_locked(&c->q, 0);
	spin_unlock(&c->q.lock);
}
