/*
 * Lab 05, step 2: what a signal does to waits for an event that begin or end at the same time.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "mm/mm.h"
#include "process/process.h"
#include "sync/sync.h"

static struct actor first, second;
static struct event event;

static int event_take(void)
{
	return event_wait(&event, DEADLINE_NEVER);
}

static int event_take_timed(void)
{
	return event_wait(&event, deadline_in(1000));
}

static const char *event_passed(void)
{
	if (first.result || second.result)
		return wrong("the waits returned %d and %d", first.result, second.result);
	return event.q.nr ? "a waiter is still in the queue" : NULL;
}

static bool waited_for(struct event *e)
{
	bool waits;

	spin_lock(&e->q.lock);
	waits = e->q.nr;
	spin_unlock(&e->q.lock);
	return waits;
}

/* A thread that waits when the signal comes passes, even if event_unsignal() follows at once. */
SCENARIO(event_pulse, "event.unsignal", "05.2", "P5.4", .cpus = 2, .after = event_passed,
	 .keeps = true)
{
	bool waits;

	event_init(&event, false, false);
	act_on(1, &first, event_take);
	waits = waited_for(&event);
	event_signal(&event);
	if (waits)
		event_unsignal(&event);
	end_here();
}

/* The gate was open for one that waited then. It is shut for one that comes before that has run. */
SCENARIO(event_newcomer, "event.newcomer", "05.2", "P5.4", .cpus = 2, .after = event_passed,
	 .keeps = true)
{
	bool waits;
	int err;

	event_init(&event, false, false);
	act_on(1, &first, event_take);
	expect(!thread_sleep(1000), "a sleep failed");
	waits = waited_for(&event);
	event_signal(&event);
	if (waits) {
		event_unsignal(&event);
		err = event_take_timed();
		expect(err == -ETIMEDOUT, "the gate is shut, and a wait returned %d", err);
	}
	end_here();
}

/* Those that wait pass, and those that come later, whether these have run since or not. */
SCENARIO(event_manual, "event.manual_two", "05.2", "P5.4", .cpus = 2, .after = event_passed,
	 .keeps = true)
{
	int err;

	event_init(&event, false, false);
	act_on(1, &first, event_take);
	act_on(1, &second, event_take);
	event_signal(&event);
	for (unsigned i = 0; i < 2; i++) {
		err = event_wait(&event, DEADLINE_POLL);
		expect(!err, "nobody has shut the gate, and poll %u returned %d", i, err);
	}
	end_here();
}

static int signal(void)
{
	event_signal(&event);
	return 0;
}

/* A wait has seen the one signal; after event_unsignal() the next wait is in vain. */
SCENARIO(event_shut, "event.shut_again", "05.2", "P5.4", .cpus = 2, .keeps = true)
{
	int err;

	event_init(&event, false, false);
	act_on(1, &second, signal);
	expect(!event_take(), "a wait for a signal failed");
	event_unsignal(&event);
	err = event_take_timed();
	expect(err == -ETIMEDOUT, "the gate is shut, and a wait returned %d", err);
	end_here();
}

static const char *event_used_once(void)
{
	if (first.result && first.result != -ETIMEDOUT)
		return wrong("the wait returned %d", first.result);
	if (!first.result == event.signaled)
		return wrong("the wait returned %d, and the event is %s", first.result,
			     event.signaled ? "signaled" : "not signaled");
	return NULL;
}

/* A signal lets one wait pass, or sets the flag. */
SCENARIO(event_timed, "event.timeout", "05.2", "P5.3", .cpus = 2, .after = event_used_once,
	 .keeps = true)
{
	event_init(&event, false, true);
	act_on(1, &first, event_take_timed);
	event_signal(&event);
	end_here();
}

static const char *event_used_or_killed(void)
{
	if (first.result && first.result != -EINTR)
		return wrong("the wait returned %d", first.result);
	if (!first.result == event.signaled)
		return wrong("the wait returned %d, and the event is %s", first.result,
			     event.signaled ? "signaled" : "not signaled");
	return NULL;
}

SCENARIO(event_killed, "event.kill", "05.2", "P5.3", .cpus = 2, .after = event_used_or_killed,
	 .keeps = true)
{
	event_init(&event, false, true);
	act_on(1, &first, event_take);
	act_on(1, &second, signal);
	thread_kill(first.thread);
	end_here();
}

static const char *taken_once(void)
{
	if (!first.result + !second.result != 1)
		return wrong("one signal, and the waits returned %d and %d", first.result,
			     second.result);
	return event.signaled ? "the signal has ended a wait, and the flag is set" : NULL;
}

static int event_poll_or_wait(void)
{
	int err = event_wait(&event, DEADLINE_POLL);

	return err == -ETIMEDOUT ? event_wait(&event, deadline_in(1000)) : err;
}

/* One signal, two CPUs that look for it: one of them gets it. The other waits in vain. */
SCENARIO(event_one, "event.one_of_two", "05.2", "P5.3", .cpus = 2, .after = taken_once,
	 .keeps = true)
{
	event_init(&event, true, true);
	act_on(0, &first, event_poll_or_wait);
	act_on(1, &second, event_poll_or_wait);
	end_here();
}

static const char *signals_add_up(void)
{
	if (!first.result + !second.result + event.signaled != 1)
		return wrong("one signal: the waits returned %d and %d, and the event is %s",
			     first.result, second.result,
			     event.signaled ? "signaled" : "not signaled");
	return NULL;
}

/* Two wait, and the signal is for one of them. */
SCENARIO(event_for_one, "event.for_one", "05.2", "P5.3", .cpus = 2, .after = signals_add_up,
	 .keeps = true)
{
	event_init(&event, false, true);
	act_on(1, &first, event_take_timed);
	act_on(1, &second, event_take_timed);
	event_signal(&event);
	end_here();
}

/* --- An event that is destroyed: its memory is gone then -------------------------------------- */

static struct event *brief;

static int brief_wait(void)
{
	return event_wait(brief, deadline_in(1000));
}

static const char *removed_or_timeout(void)
{
	return first.result == -EIDRM || first.result == -ETIMEDOUT
		       ? NULL
		       : wrong("the wait returned %d", first.result);
}

/* Whether the thread waits already is seen under the queue's lock; else it needs the memory. */
static void destroy_under_wait(bool auto_reset)
{
	bool waits;

	brief = kmalloc(sizeof(*brief));
	event_init(brief, false, auto_reset);
	act_on(1, &first, brief_wait);
	expect(!thread_sleep(1000), "a sleep failed");
	waits = waited_for(brief);
	event_destroy(brief);
	if (waits)
		kfree(brief);
	end_here();
}

SCENARIO(event_brief, "event.destroy_or_timeout", "05.2", "P5.3", .cpus = 2,
	 .after = removed_or_timeout, .keeps = true)
{
	destroy_under_wait(true);
}

SCENARIO(event_brief_manual, "event.destroy_manual", "05.2", "P5.4", .cpus = 2,
	 .after = removed_or_timeout, .keeps = true)
{
	destroy_under_wait(false);
}
