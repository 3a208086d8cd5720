/*
 * Lab 04, steps 4 and 5: what does not come of a wait: no wake-up of another waiter when it ends,
 * nothing that another expiry has in hand, and no end by the clock where there is no deadline.
 */
#include "base/irq.h"
#include "errno.h"
#include "explore/scenario.h"
#include "mm/mm.h"
#include "process/signal_impl.h"
#include "sched/cpu.h"

static struct wait_queue q;

static void expire_until(u64 now)
{
	irq_off();
	sleepq_expire(&this_cpu()->sleepq, now);
	irq_on();
}

static void let_it_wait(struct thread *t)
{
	while (thread_state(t) != THREAD_SLEEPING && thread_state(t) != THREAD_BLOCKED)
		expect(!thread_sleep(1), "a sleep failed");
}

/* --- One wake-up, and how the waits that it meets end ----------------------------------------- */

#define WAITERS		4
#define DEADLINE(i)	((1000 + (u64)(i)) * NSEC_PER_SEC)

enum end { NONE, TIMEOUT, KILL, SIGNAL, ENDS };

static const char *const names[ENDS] = { "nothing", "a timeout", "a kill", "a signal" };
static const int results[ENDS] = { 7, -ETIMEDOUT, -EINTR, -EINTR };

static int wait_long(void *number)
{
	return wait_block(&q, deadline_at(DEADLINE(number)));
}

/* The deadlines of those before waiter @i have passed, too. */
static void come(enum end end, struct thread *t, unsigned i)
{
	if (end == TIMEOUT)
		expire_until(DEADLINE(i));
	else if (end == KILL)
		thread_kill(t);
	else if (end == SIGNAL)
		signal_tell(t);
}

/* The thread of the scenario is urgent: no waiter runs before it is joined. */
static void wake_between(enum end before, enum end after)
{
	unsigned woken = before == NONE ? 0 : 1, others;
	struct thread *t[WAITERS];

	wait_queue_init(&q);
	for (unsigned i = 0; i < WAITERS; i++) {
		t[i] = start(wait_long, (void *)(u64)i);
		let_it_wait(t[i]);
	}
	come(before, t[0], 0);
	expect(wait_wake_one(&q, 7), "a wake-up found nobody");
	come(after, t[woken], woken);
	for (unsigned i = 0; i <= woken; i++) {
		int got = join(t[i]), wanted = i == woken ? 7 : results[before];

		expect(got == wanted, "%s, a wake-up, %s: waiter %u got %d instead of %d",
		       names[before], names[after], i, got, wanted);
	}
	for (unsigned i = woken + 1; i < WAITERS; i++)
		expect(thread_state(t[i]) == THREAD_BLOCKED,
		       "%s, a wake-up, %s: it was for waiter %u, and waiter %u does not wait on",
		       names[before], names[after], woken, i);
	others = wait_wake_all(&q, 8);
	expect(others == WAITERS - 1 - woken, "a wake-up for all the others woke %u", others);
	for (unsigned i = woken + 1; i < WAITERS; i++)
		expect(join(t[i]) == 8, "a wake-up for all had another status");
}

SCENARIO(no_other, "event.and_no_other", "04.4", "P4.6", .cpus = 1, .no_costume = true)
{
	be_urgent();
	for (enum end before = NONE; before < ENDS; before++)
		for (enum end after = NONE; after < ENDS; after++)
			wake_between(before, after);
}

/* --- Two expiries of one queue ---------------------------------------------------------------- */

static struct actor other;
static struct waiter *armed[2];

static int expire_there(void)
{
	irq_off();
	sleepq_expire(&cpus[0].sleepq, 1000);
	irq_on();
	return 0;
}

/* Either may have one of the waiters, whose memory is given back after its cancellation. */
SCENARIO(two_expire, "sleepq.two_expire", "04.4", "P4.12", .cpus = 2, .sets_up = true,
	 .keeps = true)
{
	irq_off();
	for (unsigned i = 0; i < ARRAY_SIZE(armed); i++) {
		armed[i] = kmalloc(sizeof(*armed[i]));
		waiter_init(armed[i], 0);
		sleepq_arm(armed[i], 1000);
	}
	explore_from_here();
	act_on(1, &other, expire_there);
	sleepq_expire(&this_cpu()->sleepq, 1000);
	for (unsigned i = 0; i < ARRAY_SIZE(armed); i++) {
		waiter_swap(armed[i], WAIT_EVENT, 0);
		sleepq_cancel(armed[i]);
		kfree(armed[i]);
	}
	irq_on();
	end_here();
}

/* --- No deadline ------------------------------------------------------------------------------ */

static int sleep_on(void *unused)
{
	(void)unused;
	return thread_sleep_until(DEADLINE_NEVER);
}

static int wait_on(void *unused)
{
	(void)unused;
	return wait_block(&q, DEADLINE_NEVER);
}

/* However late the time is that an expiry is told. */
SCENARIO(no_deadline, "wait.no_deadline", "04.5", "P4.14", .cpus = 1, .quiet = true)
{
	static const u64 spans[] = { 0, BIT(62), S64_MAX };
	struct thread *sleeper, *waiter;
	int got;

	wait_queue_init(&q);
	sleeper = start(sleep_on, NULL);
	waiter = start(wait_on, NULL);
	await_state(sleeper, THREAD_SLEEPING);
	await_state(waiter, THREAD_BLOCKED);
	for (unsigned i = 0; i < ARRAY_SIZE(spans); i++) {
		expire_until(time_now() + spans[i]);
		expect(thread_state(sleeper) == THREAD_SLEEPING,
		       "the clock ended a sleep without a deadline");
		expect(thread_state(waiter) == THREAD_BLOCKED,
		       "the clock ended a wait without a deadline");
	}
	thread_kill(sleeper);
	got = join(sleeper);
	expect(got == -EINTR, "a sleep without a deadline returned %d", got);
	expect(wait_wake_one(&q, 7), "a wait without a deadline was over before its event");
	got = join(waiter);
	expect(got == 7, "the event was 7, and the wait returned %d", got);
}
