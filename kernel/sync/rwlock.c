/*
 * Reader-writer locks, strictly first come, first served: nobody starves.
 *
 * A thread that finds somebody waiting waits behind, even a reader that could share with those that
 * are in. An opening of the way (a release, or a waiter that leaves without the lock and so no
 * longer stands before others) grants it to the front of the queue: one writer, or all readers up
 * to the next writer.
 *
 *  R1  writer is set, or readers > 0, or the lock is free: never two of them.
 *  R2  Between two calls nobody who could be let in waits at the front.
 *  R3  Who is granted the lock has it before it runs: a reader is counted by its granter.
 */
#include "config.h"
#include "errno.h"
#include "lockcheck.h"
#include "sync.h"
#include "thread.h"

#define WRITER	1u		/* a link's key */

#define THE_LOCK	NO_LOCK_ANALYSIS("what locking is is written here")

void rwlock_init_named(struct rwlock *l, const char *name)
{
	wait_queue_init(&l->q);
	l->readers = 0;
	l->writer = NULL;
	l->name = name;
}

void rwlock_destroy(struct rwlock *l)
{
	assert(!l->writer || l->writer == current_thread());
	if (DEBUG_BUILD)
		held_remove(&current_thread()->locks, l);
	wait_queue_destroy(&l->q);
}

/* May one more come in now, whoever waits? q.lock held. */
static bool is_open(const struct rwlock *l, bool to_writer)
{
	return !l->writer && (!to_writer || !l->readers);
}

static void enter(struct rwlock *l, struct thread *t, bool writer)
{
	if (writer)
		l->writer = t;
	else
		l->readers++;
}

/* Lets in the front of the queue, R2. q.lock held, so who is claimed cannot leave yet. */
static void grant(struct rwlock *l)
{
	list_for_each_safe(link, &l->q.links, struct wait_link, node) {
		if (!is_open(l, link->key == WRITER))
			return;
		list_remove(&link->node);
		if (waiter_claim(link->waiter, WAIT_EVENT, 0))
			enter(l, link->waiter->thread, link->key == WRITER);
	}
}

static int lock(struct rwlock *l, struct deadline d, bool writer, const void *site)
{
	struct wait_link link = { .key = writer ? WRITER : 0 };
	int err = 0;

	assert_may_block();
	if (DEBUG_BUILD)
		lockcheck_wanted(l, l->name);
	spin_lock(&l->q.lock);
	assert(l->writer != current_thread());
	if (is_open(l, writer) && list_empty(&l->q.links)) {
		enter(l, current_thread(), writer);
	} else {
		err = wait_block_link(&l->q, &link, d, 0);
		/* It may have come free after the deadline had claimed the wait. */
		if (err && err != -EIDRM && is_open(l, writer) && list_empty(&l->q.links)) {
			enter(l, current_thread(), writer);
			err = 0;
		}
		if (err && err != -EIDRM)
			grant(l);	/* R2 for those behind us */
	}
	spin_unlock(&l->q.lock);
	if (DEBUG_BUILD && !err)
		lockcheck_taken(l, l->name, site);
	return err;
}

int rwlock_read_lock(struct rwlock *l, struct deadline d) THE_LOCK
{
	return lock(l, d, false, __builtin_return_address(0));
}

int rwlock_write_lock(struct rwlock *l, struct deadline d) THE_LOCK
{
	return lock(l, d, true, __builtin_return_address(0));
}

void rwlock_read_unlock(struct rwlock *l) THE_LOCK
{
	if (DEBUG_BUILD)
		lockcheck_released(l, l->name);
	spin_lock(&l->q.lock);
	assert(l->readers > 0);
	l->readers--;
	grant(l);
	spin_unlock(&l->q.lock);
}

void rwlock_write_unlock(struct rwlock *l) THE_LOCK
{
	if (DEBUG_BUILD)
		lockcheck_released(l, l->name);
	spin_lock(&l->q.lock);
	assert(l->writer == current_thread());
	l->writer = NULL;
	grant(l);
	spin_unlock(&l->q.lock);
}
