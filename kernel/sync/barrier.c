/*
 * Barriers: nobody passes before as many threads have come as it needs.
 *
 * Rounds are numbered, so a thread that is slow to wake does not take the next round for its own,
 * and a wait whose deadline comes while the round is passed has passed it: the others counted on
 * it.
 *
 *  B1  arrived < needed between two calls, and counts exactly those who wait in this round.
 */
#include "errno.h"
#include "sync.h"

void barrier_init(struct barrier *b, unsigned needed)
{
	assert(needed > 0);
	wait_queue_init(&b->q);
	b->needed = needed;
	b->arrived = 0;
	b->round = 0;
}

void barrier_destroy(struct barrier *b)
{
	wait_queue_destroy(&b->q);
}

int barrier_wait(struct barrier *b, struct deadline d)
{
	int err = 0;
	u64 round;

	spin_lock(&b->q.lock);
	round = b->round;
	if (++b->arrived == b->needed) {
		b->arrived = 0;
		b->round++;
		wait_wake_all(&b->q, 0);
	} else {
		err = wait_block(&b->q, d, 0);
		if (b->round != round)
			err = 0;
		else
			b->arrived--;
	}
	spin_unlock(&b->q.lock);
	return err;
}
