/*
 * Counting semaphores (Dijkstra 1965). A post is handed to the first waiter; without one it is kept
 * in the count. So `count` plus the number of waits that have passed is the number of posts.
 */
#include "errno.h"
#include "sync/sync.h"

void semaphore_init(struct semaphore *s, unsigned count)
{
	wait_queue_init(&s->q);
	s->count = count;
}

void semaphore_destroy(struct semaphore *s)
{
	wait_queue_destroy(&s->q);
}

int semaphore_wait(struct semaphore *s, struct deadline d)
{
	int err = -EAGAIN;

	spin_lock(&s->q.lock);
	/* LAB 05-sync: take a kept post, or wait for one */
	if (!s->count)
		err = wait_block_locked(&s->q, d, 0);
	/* A post may have come after the deadline had claimed the wait. */
	if (err && err != -EIDRM && s->count) {
		s->count--;
		err = 0;
	}
	/* END LAB */
	spin_unlock(&s->q.lock);
	return err;
}

void semaphore_post(struct semaphore *s)
{
	spin_lock(&s->q.lock);
	/* LAB 05-sync: give the post to a waiter, or keep it */
	if (!wait_wake_one_locked(&s->q, 0))
		s->count++;
	/* END LAB */
	spin_unlock(&s->q.lock);
}
