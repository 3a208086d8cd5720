/*
 * Lab 05: waits without a deadline, and objects that are gone as soon as they have done their part.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "mm/mm.h"
#include "sync/sync.h"

static struct actor first;

static const char *passed(void)
{
	return first.result ? wrong("the wait returned %d", first.result) : NULL;
}

/* --- Events that let one wait pass ------------------------------------------------------------ */

static struct event event;

static int pass(void)
{
	return event_wait(&event, DEADLINE_NEVER);
}

/* Nothing but the signal ends the wait, whether it comes before or after it, or in its midst. */
SCENARIO(event_one, "event.one_for_ever", "05.2", "P5.3", .cpus = 2, .after = passed,
	 .keeps = true)
{
	event_init(&event, false, true);
	act_on(1, &first, pass);
	event_signal(&event);
	end_here();
}

/* --- Destroyed at once ------------------------------------------------------------------------ */

static struct semaphore *semaphore;

static int take(void)
{
	return semaphore_wait(semaphore, DEADLINE_NEVER);
}

/* The post has ended the wait, though its thread has not run when the semaphore goes. */
SCENARIO(posted_last, "semaphore.posted_and_destroyed", "05.1", "P5.1", .cpus = 2,
	 .after = passed, .keeps = true)
{
	semaphore = kmalloc(sizeof(*semaphore));
	semaphore_init(semaphore, 0);
	act_on(1, &first, take);
	await_blocked(&first);
	semaphore_post(semaphore);
	semaphore_destroy(semaphore);
	kfree(semaphore);
	end_here();
}

static struct event *gate;

static int pass_gate(void)
{
	return event_wait(gate, DEADLINE_NEVER);
}

SCENARIO(signaled_last, "event.signaled_and_destroyed", "05.2", "P5.3", .cpus = 2,
	 .after = passed, .keeps = true)
{
	gate = kmalloc(sizeof(*gate));
	event_init(gate, false, true);
	act_on(1, &first, pass_gate);
	await_blocked(&first);
	event_signal(gate);
	event_destroy(gate);
	kfree(gate);
	end_here();
}

static struct mutex mutex = MUTEX_INIT(mutex);
static struct condvar *condvar;

static int wait_for_signal(void)
{
	int err;

	mutex_lock(&mutex);
	err = condvar_wait(condvar, &mutex, DEADLINE_NEVER);
	mutex_unlock(&mutex);
	return err;
}

/* The waiter has left the queue and waits for the mutex, whose owner frees the condition. */
SCENARIO(condition_gone, "condvar.gone_at_once", "05.6", "P5.11", .cpus = 2, .after = passed,
	 .keeps = true)
{
	condvar = kmalloc(sizeof(*condvar));
	condvar_init(condvar);
	act_on(1, &first, wait_for_signal);
	await_blocked(&first);
	mutex_lock(&mutex);
	condvar_signal(condvar);
	condvar_destroy(condvar);
	kfree(condvar);
	mutex_unlock(&mutex);
	end_here();
}
