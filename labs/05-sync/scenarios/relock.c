/*
 * Lab 05, step 6: a wait for a condition is over. It returns with the mutex, whatever would end a
 * wait for that, and with what has ended it, whatever has ended another one at the same time.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "sync/sync.h"

static struct mutex mutex = MUTEX_INIT(mutex), outer = MUTEX_INIT(outer);
static struct condvar condvar = { WAIT_QUEUE_INIT(condvar.q) };
static struct actor waits, holds;

static int wait_inside(void)
{
	int err;

	mutex_lock(&outer);
	mutex_lock(&mutex);
	err = condvar_wait(&condvar, &mutex, DEADLINE_NEVER);
	expect(mutex_held(&mutex), "a wait returned %d without the mutex", err);
	mutex_unlock(&mutex);
	mutex_unlock(&outer);
	return err;
}

static const char *passed(void)
{
	return waits.result ? wrong("it was signaled, and the wait returned %d", waits.result)
			    : NULL;
}

/* Waits for a mutex of the other one, and then gives up. */
static int lock_in_vain(void)
{
	int err;

	mutex_lock(&mutex);
	err = mutex_lock_timed(&outer, deadline_in(1000));
	expect(err == -ETIMEDOUT, "nobody has unlocked the outer one, and a lock returned %d", err);
	mutex_unlock(&mutex);
	return 0;
}

/* Locking the mutex again closes a circle of two, which opens when the other one gives up. */
SCENARIO(circle, "condvar.relocks_in_a_circle", "05.6", "P5.11", .cpus = 1, .after = passed,
	 .keeps = true, .sets_up = true)
{
	act_on(0, &waits, wait_inside);
	await_blocked(&waits);
	act_on(0, &holds, lock_in_vain);
	await_blocked(&holds);
	explore_from_here();
	condvar_signal(&condvar);
	end_here();
}

static const char *interrupted(void)
{
	return waits.result == -EINTR ? NULL : wrong("the wait returned %d", waits.result);
}

/* A signal with a handler has ended the wait, and would end one for the mutex. */
SCENARIO(handler, "condvar.relocks_interrupted", "05.6", "P5.11", .cpus = 2, .after = interrupted,
	 .keeps = true, .sets_up = true)
{
	act_on(1, &waits, wait_inside);
	await_blocked(&waits);
	mutex_lock(&mutex);
	explore_from_here();
	atomic_fetch_or(&waits.thread->work, WORK_SIGNAL);
	spin_lock(&condvar.q.lock);
	waiter_claim(list_first(&condvar.q.links, struct wait_link, node)->waiter, WAIT_SIGNAL, 0);
	spin_unlock(&condvar.q.lock);
	expect(!thread_sleep(1000), "a sleep failed");
	mutex_unlock(&mutex);
	end_here();
}

/* --- Two conditions, each with a mutex of its own --------------------------------------------- */

static struct pair {
	struct mutex mutex;
	struct condvar condvar;
} a, b;

static int wait_with(struct pair *p, struct deadline d)
{
	int err;

	mutex_lock(&p->mutex);
	err = condvar_wait(&p->condvar, &p->mutex, d);
	expect(mutex_held(&p->mutex), "a wait returned %d without the mutex", err);
	mutex_unlock(&p->mutex);
	return err;
}

static int wait_for_a(void)
{
	return wait_with(&a, DEADLINE_NEVER);
}

static int poll_b(void)
{
	return wait_with(&b, DEADLINE_POLL);
}

static const char *each_its_own(void)
{
	if (waits.result || holds.result != -ETIMEDOUT)
		return wrong("one condition was signaled and another one polled, and the waits "
			     "returned %d and %d",
			     waits.result, holds.result);
	return NULL;
}

SCENARIO(conditions, "condvar.two_objects", "05.6", "P5.11", .cpus = 2, .after = each_its_own,
	 .keeps = true, .sets_up = true)
{
	mutex_init(&a.mutex);
	condvar_init(&a.condvar);
	mutex_init(&b.mutex);
	condvar_init(&b.condvar);
	act_on(1, &waits, wait_for_a);
	await_blocked(&waits);
	explore_from_here();
	act_on(0, &holds, poll_b);
	condvar_signal(&a.condvar);
	end_here();
}
