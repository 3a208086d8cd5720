/*
 * Counting semaphores (Dijkstra 1965). A post with nobody waiting is kept in the count.
 */
#include "errno.h"
#include "mutex.h"

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
	int err = 0;

	spin_lock(&s->q.lock);
	while (!s->count && !err)
		err = wait_block(&s->q, d, 0);
	/*
	 * A post that raced with the deadline is ours: refusing it would leave its wake-up unused.
	 */
	if (s->count && err != -EIDRM) {
		s->count--;
		err = 0;
	}
	spin_unlock(&s->q.lock);
	return err;
}

void semaphore_post(struct semaphore *s)
{
	spin_lock(&s->q.lock);
	s->count++;
	wait_wake_one(&s->q, 0);
	spin_unlock(&s->q.lock);
}
