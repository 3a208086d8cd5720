/*
 * Condition variables with Mesa semantics (Lampson, Redell 1980): a wake-up is a hint, the caller
 * tests its predicate again. The waiter queues itself before it unlocks the mutex, so a thread that
 * then locks the mutex and signals finds it.
 */
#include "sync/sync.h"

void condvar_init(struct condvar *c)
{
	wait_queue_init(&c->q);
}

void condvar_destroy(struct condvar *c)
{
	wait_queue_destroy(&c->q);
}

int condvar_wait(struct condvar *c, struct mutex *m, struct deadline d)
{
	struct wait_link link = { .shared = false };
	struct waiter w;
	int err;

	waiter_init(&w, 0);
	/* LAB 05-sync: wait without the mutex, miss no signal, and return with it */
	spin_lock(&c->q.lock);
	err = wait_link(&c->q, &link, &w);
	spin_unlock(&c->q.lock);
	if (err)
		return err;
	mutex_unlock(m);
	err = waiter_block(&w, d);
	spin_lock(&c->q.lock);
	wait_unlink(&c->q, &link);
	spin_unlock(&c->q.lock);
	mutex_lock(m);
	/* END LAB */
	return err;
}

void condvar_signal(struct condvar *c)
{
	wait_wake_one(&c->q, 0);
}

void condvar_broadcast(struct condvar *c)
{
	wait_wake_all(&c->q, 0);
}
