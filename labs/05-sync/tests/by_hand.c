/*
 * Locks of steps 3 and 4 (ranks.h). The test enters each wait in the graph, and takes it out again;
 * the threads have not begun to run. So nothing is needed of mutexes, nor of pi_hand_over().
 */
#include "ranks.h"

#include "sync/test_sync.h"

struct pi_waiter by_hand_waiters[ACTORS];

static struct pi_queue queues[LOCKS];

static void init(unsigned lock)
{
	pi_queue_init(&queues[lock]);
}

static struct pi_queue *queue(unsigned lock)
{
	return &queues[lock];
}

static struct thread *create(int actor, int priority)
{
	(void)actor;
	return test_figure(priority);
}

static void lock_free(int actor, unsigned lock)
{
	(void)actor;
	(void)lock;	/* that a lock without waiters is taken is known to the model only */
}

static void enter(struct pi_waiter *w, int actor, unsigned lock)
{
	struct thread *owner = ranks_actors[ranks_holder[lock]].thread;

	waiter_init(&w->waiter, WAIT_UNKILLABLE);
	w->waiter.thread = ranks_actors[actor].thread;
	spin_lock(&pi_lock);
	pi_wait(&queues[lock], owner, w);
	spin_unlock(&pi_lock);
}

static void wait(int actor, unsigned lock)
{
	by_hand_waiters[actor] = (struct pi_waiter){ .cyclic = false };
	enter(&by_hand_waiters[actor], actor, lock);
}

void by_hand_close(struct pi_waiter *w, int actor, unsigned lock)
{
	*w = (struct pi_waiter){ .cyclic = true };
	enter(w, actor, lock);
}

void by_hand_open(struct pi_waiter *w)
{
	spin_lock(&pi_lock);
	pi_leave(w);
	spin_unlock(&pi_lock);
}

/* A circle is for mutexes to refuse. */
static void circle(int actor, unsigned lock)
{
	(void)actor;
	(void)lock;
}

static void claim(int actor, enum wait_why why)
{
	CHECK(waiter_swap(&by_hand_waiters[actor].waiter, why, 0), ktest_property(),
	      "actor %d does not wait", actor);
}

static void unlock(int actor, unsigned lock, int next)
{
	(void)actor;
	(void)lock;
	if (next == NOBODY)
		return;
	spin_lock(&pi_lock);
	claim(next, WAIT_EVENT);
	pi_pass(&by_hand_waiters[next]);
	spin_unlock(&pi_lock);
}

static void expire(int actor, unsigned lock)
{
	(void)lock;
	spin_lock(&pi_lock);
	claim(actor, WAIT_TIMEOUT);
	CHECK(pi_leave(&by_hand_waiters[actor]), ktest_property(), "actor %d is in no list", actor);
	spin_unlock(&pi_lock);
}

static void end(int actor)
{
	test_figure_end(ranks_actors[actor].thread);
}

const struct ranks_locks by_hand = {
	.init = init,
	.queue = queue,
	.create = create,
	.lock = lock_free,
	.wait = wait,
	.circle = circle,
	.unlock = unlock,
	.expire = expire,
	.end = end,
};
