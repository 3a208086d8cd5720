/*
 * Lab 05, hidden: a pass meets a kill and a deadline, of one wait or of two.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "sync/sync.h"

static struct actor first, second;
static struct semaphore semaphore;
static struct mutex mutex = MUTEX_INIT(mutex);
static struct condvar condvar = { WAIT_QUEUE_INIT(condvar.q) };
static unsigned items;			/* [mutex] */

static int wait_timed(void)
{
	return semaphore_wait(&semaphore, deadline_in(1000));
}

static const char *one_post(void)
{
	unsigned passed = !first.result + !second.result;

	if (first.result && first.result != -EINTR && first.result != -ETIMEDOUT)
		return wrong("the killed wait returned %d", first.result);
	if (second.result && second.result != -ETIMEDOUT)
		return wrong("the other wait returned %d", second.result);
	if (passed > 1 || semaphore.count != 1 - passed)
		return wrong("of one post %u waits have passed, and the count is %u", passed,
			     semaphore.count);
	return semaphore.q.nr ? "a waiter is still in the queue" : NULL;
}

/* Two deadlines come with the post, and a kill. */
SCENARIO(post, "semaphore.three_meet", "05.h", "P5.2", .cpus = 2, .after = one_post,
	 .keeps = true)
{
	semaphore_init(&semaphore, 0);
	act_on(1, &first, wait_timed);
	act_on(1, &second, wait_timed);
	thread_kill(first.thread);
	semaphore_post(&semaphore);
	end_here();
}

static bool inside;			/* [mutex] */

static int lock(struct deadline d)
{
	int err = mutex_lock_timed(&mutex, d);

	if (err)
		return err;
	expect(!inside, "two threads hold the mutex");
	inside = true;
	thread_yield();
	inside = false;
	mutex_unlock(&mutex);
	return 0;
}

static int lock_timed(void)
{
	return lock(deadline_in(1000));
}

static int lock_it(void)
{
	return lock(DEADLINE_NEVER);
}

static const char *all_free(void)
{
	if (first.result && first.result != -EINTR && first.result != -ETIMEDOUT)
		return wrong("the killed wait returned %d", first.result);
	if (second.result)
		return wrong("the other wait returned %d", second.result);
	if (atomic_load(&mutex.word))
		return wrong("the word of the mutex is %lx", atomic_load(&mutex.word));
	return pi_has_waiters(&mutex.pi) ? "a waiter is left" : NULL;
}

/* The kill and the deadline of one wait meet the unlock: the other one gets the mutex. */
SCENARIO(unlock, "mutex.three_meet", "05.h", "P5.10", .cpus = 2, .after = all_free,
	 .keeps = true)
{
	mutex_lock(&mutex);
	act_on(1, &first, lock_timed);
	act_on(1, &second, lock_it);
	thread_kill(first.thread);
	mutex_unlock(&mutex);
	end_here();
}

static void produce(void)
{
	mutex_lock(&mutex);
	items++;
	condvar_signal(&condvar);
	mutex_unlock(&mutex);
}

static int consume(void)
{
	int err = 0;

	mutex_lock(&mutex);
	while (!items && !err)
		err = condvar_wait(&condvar, &mutex, DEADLINE_NEVER);
	expect(mutex_held(&mutex), "a wait returned %d without the mutex", err);
	items -= !err;
	mutex_unlock(&mutex);
	return err;
}

/* An item that this one gets is for the other one in the end. */
static int consume_and_produce(void)
{
	int err = consume();

	if (!err)
		produce();
	return err;
}

static const char *second_consumed(void)
{
	if (second.result || items || (first.result && first.result != -EINTR))
		return wrong("the waits returned %d and %d, %u items are left", first.result,
			     second.result, items);
	return condvar.q.nr ? "a waiter is still in the queue" : NULL;
}

/* The kill of the first waiter meets the signal: that is for the other one then. */
SCENARIO(signal, "condvar.behind_killed", "05.h", "P5.11", .cpus = 2, .after = second_consumed,
	 .keeps = true)
{
	act_on(1, &first, consume_and_produce);
	act_on(1, &second, consume);
	thread_kill(first.thread);
	produce();
	end_here();
}
