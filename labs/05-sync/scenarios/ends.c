/*
 * Lab 05: ends of waits that few callers see: an object that is destroyed, a signal by a thread
 * that does not hold the mutex, a second signal before the first waiter runs.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "sync/sync.h"

static struct actor waiter;
static struct mutex mutex = MUTEX_INIT(mutex);
static struct condvar condvar = { WAIT_QUEUE_INIT(condvar.q) };
static struct event event;
static struct semaphore semaphore;

static int wait_with_mutex(struct deadline d)
{
	int err;

	mutex_lock(&mutex);
	err = condvar_wait(&condvar, &mutex, d);
	expect(mutex_held(&mutex), "a wait returned %d without the mutex", err);
	mutex_unlock(&mutex);
	return err;
}

static int wait_for_condition(void)
{
	return wait_with_mutex(deadline_in(1000));
}

static const char *waited_or_missed_it(void)
{
	if (waiter.result && waiter.result != -ETIMEDOUT)
		return wrong("the wait returned %d", waiter.result);
	return condvar.q.nr ? "a waiter is still in the queue" : NULL;
}

SCENARIO(unlocked, "condvar.signal_without_mutex", "05.6", "P5.11", .cpus = 2,
	 .after = waited_or_missed_it, .keeps = true)
{
	act_on(1, &waiter, wait_for_condition);
	condvar_signal(&condvar);
	end_here();
}

SCENARIO(gone, "condvar.destroyed", "05.6", "P5.11", .cpus = 1, .keeps = true)
{
	int err;

	condvar_destroy(&condvar);
	err = wait_with_mutex(DEADLINE_NEVER);
	expect(err == -EIDRM, "destroyed, and then a wait returned %d", err);
	expect(!spin_held(&condvar.q.lock), "destroyed, and a wait returned with the queue locked");
	end_here();
}

static int wait_for_event(void)
{
	return event_wait(&event, DEADLINE_NEVER);
}

static const char *killed(void)
{
	return waiter.result == -EINTR ? NULL : wrong("the wait returned %d", waiter.result);
}

/* No thread signals. */
SCENARIO(event_only_killed, "event.only_killed", "05.2", "P5.3", .cpus = 2, .after = killed,
	 .keeps = true)
{
	event_init(&event, false, true);
	act_on(1, &waiter, wait_for_event);
	thread_kill(waiter.thread);
	end_here();
}

static bool is_waited_for(struct wait_queue *q)
{
	bool waits;

	spin_lock(&q->lock);
	waits = q->nr;
	spin_unlock(&q->lock);
	return waits;
}

static const char *flag_is_left(void)
{
	if (waiter.result)
		return wrong("the wait returned %d", waiter.result);
	return event.signaled ? NULL : "a thread that a signal let pass took the flag as well";
}

/* One signal lets the thread pass, the other one sets the flag. */
SCENARIO(event_twice, "event.second_signal", "05.2", "P5.3", .cpus = 2, .after = flag_is_left,
	 .keeps = true)
{
	event_init(&event, false, true);
	act_on(1, &waiter, wait_for_event);
	while (!is_waited_for(&event.q))
		let_others_run();
	event_signal(&event);
	event_signal(&event);
	end_here();
}

static const char *told_of_the_end(void)
{
	if (waiter.result != -EIDRM)
		return wrong("destroyed, but the wait returned %d", waiter.result);
	return NULL;
}

/* The flag is set in the memory of an event that is being destroyed. */
SCENARIO(event_gone, "event.destroyed", "05.2", "P5.3", .cpus = 2, .after = told_of_the_end,
	 .keeps = true)
{
	event_init(&event, false, true);
	act_on(1, &waiter, wait_for_event);
	while (!is_waited_for(&event.q))
		let_others_run();
	event.signaled = true;
	event_destroy(&event);
	end_here();
}

static int wait_for_post(void)
{
	return semaphore_wait(&semaphore, DEADLINE_NEVER);
}

/* The same with a count. */
SCENARIO(semaphore_gone, "semaphore.destroyed", "05.1", "P5.2", .cpus = 2,
	 .after = told_of_the_end, .keeps = true)
{
	semaphore_init(&semaphore, 0);
	act_on(1, &waiter, wait_for_post);
	while (!is_waited_for(&semaphore.q))
		let_others_run();
	semaphore.count = 1;
	semaphore_destroy(&semaphore);
	end_here();
}
