/*
 * Lab 04, step 5: polls, deadlines that have passed, waits for ever, and the end of a queue.
 */
#include "base/string.h"
#include "mm/mm.h"
#include "waiters.h"

static struct wait_queue *queue;
static _Atomic unsigned returned;
static _Atomic int results[8];

static void make_queue(void)
{
	queue = kmalloc(sizeof(*queue));
	REQUIRE(queue, "P4.15", "no memory for a queue");
	wait_queue_init(queue);
	returned = 0;
}

/* Overwrites the queue before freeing it, so that a thread that still uses it fails. */
static void free_queue(void)
{
	memset(queue, 0xa5, sizeof(*queue));
	kfree(queue);
}

static int wait_once(void *arg)
{
	u64 me = (u64)arg;
	struct deadline d = me & 1 ? deadline_in(400 * MS) : DEADLINE_NEVER;

	results[me] = wait_block(queue, d);
	returned++;
	return 0;
}

static int wait_briefly(void *arg)
{
	results[(u64)arg] = wait_block(queue, deadline_in(MS));
	returned++;
	return 0;
}

static int sleep_for_ever(void *unused)
{
	int err = thread_sleep_until(DEADLINE_NEVER);

	(void)unused;
	returned++;
	return err;
}

static void poll_once(struct deadline d, const char *what)
{
	u64 from = time_now(), ran = current_thread()->stats.switches_in;
	int err = wait_block(queue, d);

	CHECK(err == -ETIMEDOUT, "P4.14", "a wait %s returned %d", what, err);
	CHECK(time_now() - from < LATE, "P4.14", "a wait %s took %lu us", what,
	      (time_now() - from) / 1000);
	if (d.kind == DEADLINE_KIND_POLL)
		CHECK(current_thread()->stats.switches_in == ran, "P4.14",
		      "a wait %s gave up the CPU", what);
	CHECK(queue->nr == 0, "P4.14", "a wait %s left %u places in the queue", what, queue->nr);
	CHECK(armed_deadlines() == 0, "P4.14", "a wait %s left a deadline", what);
}

KTEST(wait_poll, "wait.poll", "04.5", "P4.14")
{
	struct thread *s, *w;
	u64 from;
	int err;

	make_queue();
	poll_once(DEADLINE_POLL, "that may not wait");
	poll_once(deadline_at(time_now() - 1), "until 1 ns ago");
	poll_once(deadline_at(time_now()), "until now");
	poll_once(deadline_at(time_now() - 5 * NSEC_PER_SEC), "until 5 s ago");
	from = time_now();
	err = thread_sleep_until(deadline_at(from - MS));
	CHECK(err == 0 && time_now() - from < LATE, "P4.14",
	      "sleeping until 1 ms ago took %lu us, result %d", (time_now() - from) / 1000, err);
	s = started(sleep_for_ever, NULL);
	w = started(wait_once, (void *)0);
	thread_sleep(30 * MS);
	CHECK(thread_state(s) == THREAD_SLEEPING && thread_state(w) == THREAD_BLOCKED, "P4.14",
	      "one that sleeps for ever is %s, one that waits for ever %s",
	      thread_state_name(thread_state(s)), thread_state_name(thread_state(w)));
	CHECK(armed_deadlines() == 0, "P4.14", "\"never\" is armed as a deadline");
	thread_kill(s);
	wait_wake_all(queue, 0);
	REQUIRE(AWAIT(returned == 2), "P4.14", "%u of 2 returned", returned);
	thread_join(s, NULL, DEADLINE_NEVER);
	thread_join(w, NULL, DEADLINE_NEVER);
	free_queue();
}

KTEST(destroy_wakes, "destroy.wakes", "04.5", "P4.15")
{
	struct thread *t[6];

	make_queue();
	for (u64 i = 0; i < 6; i++) {
		t[i] = started(wait_once, (void *)i);
		REQUIRE(AWAIT(thread_state(t[i]) == THREAD_BLOCKED), "P4.15",
			"a waiter never blocked");
	}
	wait_queue_destroy(queue);
	CHECK(queue->nr == 0, "P4.15", "destroyed, and %u are still in the queue", queue->nr);
	CHECK(wait_block(queue, deadline_in(5 * MS)) == -EIDRM, "P4.15",
	      "a destroyed queue can be waited on");
	CHECK(wait_block(queue, DEADLINE_POLL) == -EIDRM, "P4.15",
	      "a poll does not say that the queue is destroyed");
	free_queue();
	REQUIRE(AWAIT(returned == 6), "P4.15", "%u of 6 waiters returned from a destroyed queue",
		returned);
	for (unsigned i = 0; i < 6; i++) {
		CHECK(results[i] == -EIDRM, "P4.15", "a waiter of a destroyed queue got %d",
		      results[i]);
		thread_join(t[i], NULL, DEADLINE_NEVER);
	}
	CHECK(armed_deadlines() == 0, "P4.15", "its waiters left %u deadlines armed",
	      armed_deadlines());
	audit();
}

/* WAIT4, on 2 CPUs: a waiter is parked on its way out; the queue must live until it has left. */
static void destroy_under(thread_fn fn, u64 me, const char *what)
{
	struct thread *t;

	make_queue();
	t = made_on(BIT(1), fn, (void *)me);
	park_arm(0, "sched_block", AT_EXIT, t, 4 * MS);
	thread_resume(t);
	REQUIRE(AWAIT(thread_state(t) == THREAD_BLOCKED), "P4.15", "the waiter never blocked");
	if (fn == wait_briefly)
		REQUIRE(park_wait(0, 20 * MS), "P4.15", "it never timed out");
	wait_queue_destroy(queue);
	CHECK(park_timed_out(0), "P4.15",
	      "destroy returned while a waiter that %s had not left yet", what);
	park_release(0);
	REQUIRE(AWAIT(returned == 1), "P4.15", "the waiter never returned");
	free_queue();
	thread_join(t, NULL, DEADLINE_NEVER);
}

KTEST(destroy_last, "destroy.last", "04.5", "P4.15")
{
	NEEDS_TWO_CPUS;
	sched_set_affinity(current_thread(), BIT(0));
	destroy_under(wait_once, 2, "it had woken");
	destroy_under(wait_briefly, 3, "had timed out");
	sched_set_affinity(current_thread(), ~0u);
}

/* On 2 CPUs: a waiter has a pointer to the queue, but is not in it yet when it is destroyed. */
KTEST(destroy_late, "destroy.late", "04.5", "P4.15")
{
	struct thread *t = made_on(BIT(1), wait_once, (void *)4);

	NEEDS_TWO_CPUS;
	make_queue();
	sched_set_affinity(current_thread(), BIT(0));
	park_arm(0, "wait_block", AT_ENTRY, t, 200 * MS);
	thread_resume(t);
	REQUIRE(park_wait(0, 100 * MS), "P4.15", "the waiter never came");
	wait_queue_destroy(queue);
	park_release(0);
	REQUIRE(AWAIT(returned == 1), "P4.15",
		"a thread that came just after the destruction waits for ever");
	CHECK(results[4] == -EIDRM, "P4.15", "a thread that came just after the destruction got %d",
	      results[4]);
	thread_join(t, NULL, DEADLINE_NEVER);
	free_queue();
	sched_set_affinity(current_thread(), ~0u);
}
