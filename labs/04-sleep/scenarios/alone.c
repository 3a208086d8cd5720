/*
 * Lab 04, steps 3 to 5: wait queues without a race, where each call has one right result.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "process/process.h"
#include "sched/wait.h"

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static struct actor other, another, destroyer, watcher;

/* --- Many waiters ----------------------------------------------------------------------------- */

/* More than any batch has places. None of them blocks: all are the scenario's own thread. */
static struct waiter waiters[1100];
static struct wait_link links[ARRAY_SIZE(waiters)];

static void link_all(void)
{
	spin_lock(&q.lock);
	for (unsigned i = 0; i < ARRAY_SIZE(waiters); i++) {
		waiter_init(&waiters[i], 0);
		expect(!wait_link(&q, &links[i], &waiters[i]), "the queue is destroyed");
	}
	spin_unlock(&q.lock);
}

/* Those from @first on are armed, and those before have got @status. */
static void expect_armed(unsigned first, int status)
{
	for (unsigned i = 0; i < ARRAY_SIZE(waiters); i++) {
		enum wait_why why = atomic_load(&waiters[i].why);

		expect(why == (i < first ? WAIT_EVENT : WAIT_ARMED), "waiter %u has ended with %d",
		       i, why);
		expect(i >= first || waiters[i].status == status, "waiter %u has got status %d", i,
		       waiters[i].status);
	}
}

static void unlink_all(void)
{
	spin_lock(&q.lock);
	for (unsigned i = 0; i < ARRAY_SIZE(waiters); i++)
		wait_unlink(&q, &links[i]);
	expect(!q.nr && list_empty(&q.links), "all waiters have left, and the queue has %u", q.nr);
	spin_unlock(&q.lock);
}

SCENARIO(many, "event.many", "04.3", "P4.7", .cpus = 1)
{
	const unsigned rest = ARRAY_SIZE(waiters) - 2;
	unsigned woken;

	link_all();
	for (unsigned i = 0; i < 2; i++) {
		expect_armed(i, 5);
		expect(wait_wake_one(&q, 5), "a wake-up found none of the waiters");
	}
	expect_armed(2, 5);
	woken = wait_wake_all(&q, 5);
	expect(woken == rest, "of %u waiters %u were woken", rest, woken);
	expect_armed(ARRAY_SIZE(waiters), 5);
	expect(!wait_wake_one(&q, 6), "a wake-up found a waiter that has been woken");
	unlink_all();
}

/* --- Many waiters, and the queue's lock ------------------------------------------------------- */

static bool half_done;			/* [q.lock] */

/*
 * More urgent than the waker, but on the same CPU, which runs nobody else while its thread holds a
 * spin lock: this one comes as soon as the lock is let go, however short the gap is.
 */
static int watch(void)
{
	expect(!half_done, "a wake-up let the queue's lock go, which its caller holds");
	return 0;
}

static void begin_watched(void)
{
	struct thread *t = create_among(BIT(0), act, &watcher);

	watcher.run = watch;
	watcher.urgent = true;
	spin_lock(&q.lock);
	half_done = true;
	start_actor(&watcher, t);
}

static void end_watched(void)
{
	half_done = false;
	spin_unlock(&q.lock);
}

/* All but the last have timed out, so that the wake-up passes them. */
SCENARIO(one_many_keeps, "event.one_of_many_keeps_lock", "04.3", "P4.6", .cpus = 1, .keeps = true)
{
	const unsigned last = ARRAY_SIZE(waiters) - 1;

	link_all();
	for (unsigned i = 0; i < last; i++)
		expect(waiter_swap(&waiters[i], WAIT_TIMEOUT, 0), "an armed wait was not claimed");
	begin_watched();
	expect(wait_wake_one_locked(&q, 5), "a wake-up did not find the last waiter");
	end_watched();
	unlink_all();
	end_here();
}

SCENARIO(all_many_keep, "event.all_of_many_keep_lock", "04.3", "P4.7", .cpus = 1, .keeps = true)
{
	link_all();
	begin_watched();
	wait_wake_all_locked(&q, 5);
	end_watched();
	expect_armed(ARRAY_SIZE(waiters), 5);
	unlink_all();
	end_here();
}

/* --- States ----------------------------------------------------------------------------------- */

static int wait(void)
{
	return wait_block(&q, DEADLINE_NEVER);
}

static const char *got_5(void)
{
	return other.result == 5 ? NULL : wrong("the wait returned %d", other.result);
}

/* Only a thread that sleeps is SLEEPING. */
SCENARIO(blocked, "event.blocked", "04.3", "P4.3", .cpus = 1, .after = got_5, .keeps = true)
{
	act_on(0, &other, wait);
	thread_yield();
	expect(thread_state(other.thread) == THREAD_BLOCKED, "a waiting thread is %s",
	       thread_state_name(thread_state(other.thread)));
	expect(wait_wake_one(&q, 5), "a wake-up did not find the waiter");
	end_here();
}

static const char *got_destroyed(void)
{
	return other.result == -EIDRM && (!another.thread || another.result == -EIDRM)
		       ? NULL
		       : wrong("the waits returned %d and %d", other.result, another.result);
}

SCENARIO(waits, "destroy.waits", "04.5", "P4.15", .cpus = 1, .after = got_destroyed, .keeps = true)
{
	act_on(0, &other, wait);
	thread_yield();
	wait_queue_destroy(&q);
	expect(!q.nr, "a destruction returned, and %u waiters have not left", q.nr);
	expect(wait_block(&q, DEADLINE_NEVER) == -EIDRM, "a destroyed queue can be waited in");
	expect(wait_block(&q, DEADLINE_POLL) == -EIDRM, "a poll of a destroyed queue is a timeout");
	end_here();
}

static int destroy(void)
{
	wait_queue_destroy(&q);
	expect(!q.nr, "a destruction returned, and %u waiters have not left", q.nr);
	return 0;
}

static struct wait_queue q2 = WAIT_QUEUE_INIT(q2);

static int wait_in_2(void)
{
	return wait_block(&q2, DEADLINE_NEVER);
}

static int destroy_both(void)
{
	u64 from;

	destroy();
	thread_kill(current_thread());
	from = time_now();
	wait_queue_destroy(&q2);
	expect(!q2.nr, "a destruction returned, and %u waiters have not left", q2.nr);
	expect(time_now() - from < sched_quantum,
	       "a destroyer that was killed kept the CPU for %lu ns from the waiter",
	       time_now() - from);
	return 0;
}

/*
 * The waiters can leave only while the destroyer, which is more urgent, does not run. It has been
 * killed when it destroys the second queue, so no sleep of its own lets them run before real-time
 * threads have had all of their share.
 */
SCENARIO(urgent, "destroy.urgent", "04.5", "P4.15", .cpus = 1, .after = got_destroyed,
	 .keeps = true)
{
	act_on(0, &other, wait);
	act_on(0, &another, wait_in_2);
	await_blocked(&another);
	destroyer.urgent = true;
	act_on(0, &destroyer, destroy_both);
	end_here();
}

static bool some_armed(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(waiters); i++)
		if (atomic_load(&waiters[i].why) == WAIT_ARMED)
			return true;
	return false;
}

/* The destroyer, if it goes on, gets the CPU whenever the lower bits of the count are 0. */
static void leave_one_by_one(void)
{
	for (unsigned i = 0, nr; i < ARRAY_SIZE(waiters); i++) {
		spin_lock(&q.lock);
		wait_unlink(&q, &links[i]);
		nr = q.nr;
		spin_unlock(&q.lock);
		if (nr % 128 == 0)
			thread_yield();
	}
}

/*
 * However many wait, all are woken, in any order, and the destroyer waits for each of them, however
 * long. It may let the lock go between two of them, and its slice may end there.
 */
SCENARIO(many_destroyed, "destroy.many", "04.5", "P4.15", .cpus = 1, .keeps = true)
{
	link_all();
	act_on(0, &destroyer, destroy);
	thread_yield();
	while (thread_state(destroyer.thread) == THREAD_READY && some_armed())
		thread_yield();
	for (unsigned i = 0; i < ARRAY_SIZE(waiters); i++)
		expect(atomic_load(&waiters[i].why) == WAIT_DESTROYED,
		       "a queue with %zu waiters is destroyed, and waiter %u was not woken",
		       ARRAY_SIZE(waiters), i);
	for (u64 hour = 1; hour <= 24; hour++) {
		host_clock_to(hour * 3600 * NSEC_PER_SEC);
		thread_yield();
	}
	leave_one_by_one();
	end_here();
}

/* A kill ends a wait, but no destruction. */
SCENARIO(killed, "destroy.while_killed", "04.5", "P4.15", .cpus = 2, .after = got_destroyed,
	 .keeps = true)
{
	act_on(1, &other, wait);
	thread_kill(current_thread());
	wait_queue_destroy(&q);
	expect(!q.nr, "a destruction returned, and %u waiters have not left", q.nr);
	end_here();
}
