/*
 * Lab 05, hidden: more waits than a number of 16 bits counts, one after the other; more than a
 * thousand at once; and deadlines at 0.
 */
#include "sync/pi.h"
#include "sync/sync.h"

#include "sync/test_sync.h"

#define TIMES	66000			/* and one number is used twice if it has 16 bits */

static struct semaphore semaphore;
static struct event event;
static struct condvar condvar;
static struct mutex mutex;

/* --- The objects ------------------------------------------------------------------------------ */

static int wait_for_post(struct deadline d)
{
	return semaphore_wait(&semaphore, d);
}

static void post(void)
{
	semaphore_post(&semaphore);
}

static int wait_for_event(struct deadline d)
{
	return event_wait(&event, d);
}

static void signal_event(void)
{
	event_signal(&event);
}

static int wait_for_condition(struct deadline d)
{
	int err;

	mutex_lock(&mutex);
	err = condvar_wait(&condvar, &mutex, d);
	mutex_unlock(&mutex);
	return err;
}

static void signal_condition(void)
{
	condvar_signal(&condvar);
}

static const struct kind {
	const char *name;
	const char *property, *ends;	/* of a pass, and of a deadline */
	int (*wait)(struct deadline d);
	void (*pass)(void);
	bool keeps;			/* a pass that comes before the wait */
} kinds[] = {
	{ "semaphore", "P5.1", "P5.2", wait_for_post, post, true },
	{ "event", "P5.3", "P5.3", wait_for_event, signal_event, true },
	{ "condvar", "P5.11", "P5.11", wait_for_condition, signal_condition, false },
};

static void init(void)
{
	semaphore_init(&semaphore, 0);
	event_init(&event, false, true);
	condvar_init(&condvar);
	mutex_init(&mutex);
}

static void destroy(void)
{
	semaphore_destroy(&semaphore);
	event_destroy(&event);
	condvar_destroy(&condvar);
}

static _Atomic unsigned passed;

static int wait_once(void *kind)
{
	int err = ((const struct kind *)kind)->wait(DEADLINE_NEVER);

	passed += !err;
	return err;
}

/* --- Used for long ---------------------------------------------------------------------------- */

/* One waits all the time, others come and go; the pass is for the one. */
static void wear_out(const struct kind *k)
{
	struct thread *t = test_thread(ONE_CPU, wait_once, (void *)k, PRIORITY_DEFAULT);
	unsigned wrong = 0;

	passed = 0;
	test_blocked(t, k->name);
	for (unsigned i = 0; i < TIMES; i++)
		wrong += k->wait(DEADLINE_POLL) != -ETIMEDOUT;
	k->pass();
	CHECK(AWAIT(passed == 1) && !wrong, k->property,
	      "%s: one waits, %u others came and went, %u of them not by -ETIMEDOUT, and then "
	      "a pass let %u through",
	      k->name, TIMES, wrong, passed);
	test_join(t, k->name);
	wrong = 0;
	for (unsigned i = 0; i < TIMES && k->keeps; i++) {
		k->pass();
		wrong += k->wait(DEADLINE_POLL) != 0;
	}
	CHECK(!wrong, k->property, "%s: of %u passes, each kept for one wait, %u were lost",
	      k->name, TIMES, wrong);
	CHECK(k->wait(DEADLINE_POLL) == -ETIMEDOUT, k->property, "%s: one wait more has passed",
	      k->name);
}

static void enter(struct pi_waiter *w, struct thread *t, struct pi_queue *q, struct thread *owner)
{
	*w = (struct pi_waiter){ .cyclic = false };
	waiter_init(&w->waiter, WAIT_UNKILLABLE);
	w->waiter.thread = t;
	spin_lock(&pi_lock);
	pi_wait(q, owner, w);
	spin_unlock(&pi_lock);
}

static void leave(struct pi_waiter *w)
{
	spin_lock(&pi_lock);
	waiter_swap(&w->waiter, WAIT_TIMEOUT, 0);
	pi_leave(w);
	spin_unlock(&pi_lock);
}

/* The first one waits all the time. Its equals come later, and are behind it. */
static void wear_out_graph(void)
{
	struct pi_waiter first, other;
	struct thread *t[2];
	struct pi_queue q;
	unsigned wrong = 0;

	pi_queue_init(&q);
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++)
		t[i] = test_figure(PRIORITY_HIGH);
	enter(&first, t[0], &q, current_thread());
	for (unsigned i = 0; i < TIMES; i++) {
		enter(&other, t[1], &q, current_thread());
		wrong += list_first(&q.waiters, struct pi_waiter, node) != &first;
		leave(&other);
	}
	leave(&first);
	CHECK(!wrong, "P5.5", "one waits, and its equal came %u times: %u times before it", TIMES,
	      wrong);
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++)
		test_figure_end(t[i]);
}

/* --- Many, and none --------------------------------------------------------------------------- */

#define CROWD	1100		/* one could take a thousand for a bound that none reaches */

/* Their waits are entered by hand. The gate is open no longer than for one signal. */
static void open_for_a_crowd(void)
{
	static struct wait_link links[CROWD];
	static struct waiter crowd[CROWD];
	unsigned woken = 0;

	event_init(&event, false, false);
	spin_lock(&event.q.lock);
	for (unsigned i = 0; i < CROWD; i++) {
		waiter_init(&crowd[i], WAIT_UNKILLABLE);
		REQUIRE(!wait_link(&event.q, &links[i], &crowd[i]), "P5.4", "a wait failed");
	}
	spin_unlock(&event.q.lock);
	event_signal(&event);
	event_unsignal(&event);
	for (unsigned i = 0; i < CROWD; i++)
		woken += atomic_load(&crowd[i].why) == WAIT_EVENT;
	CHECK(woken == CROWD, "P5.4", "a signal and event_unsignal(): %u of %u waits passed", woken,
	      CROWD);
	spin_lock(&event.q.lock);
	for (unsigned i = 0; i < CROWD; i++)
		wait_unlink(&event.q, &links[i]);
	spin_unlock(&event.q.lock);
	event_destroy(&event);
}

static int wait_until_zero(void *kind)
{
	return ((const struct kind *)kind)->wait(deadline_at(0));
}

static int lock_until_zero(void *unused)
{
	(void)unused;
	return mutex_lock_timed(&mutex, deadline_at(0));
}

/* 0 is a time as any other, and past. */
static void expect_timeout(thread_fn fn, const struct kind *k, const char *name,
			   const char *property)
{
	struct thread *t = test_thread(ONE_CPU, fn, (void *)k, PRIORITY_DEFAULT);
	bool in_time = AWAIT(thread_state(t) == THREAD_DEAD);
	int err;

	if (!in_time)
		thread_kill(t);
	err = test_join(t, name);
	CHECK(in_time && err == -ETIMEDOUT, property, "%s: a deadline at 0, and a wait %s %d", name,
	      in_time ? "returned" : "went on until a kill, and returned", err);
}

static void wait_until_the_clock_was_zero(void)
{
	init();
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		expect_timeout(wait_until_zero, &kinds[i], kinds[i].name, kinds[i].ends);
	destroy();
	mutex_lock(&mutex);
	expect_timeout(lock_until_zero, NULL, "mutex", "P5.10");
	mutex_unlock(&mutex);
}

KTEST(sync_worn, "sync.worn", "05.h", "P5.5")
{
	test_stay(ONE_CPU);
	init();
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
		wear_out(&kinds[i]);
	destroy();
	wear_out_graph();
	open_for_a_crowd();
	wait_until_the_clock_was_zero();
	test_stay(ALL_CPUS);
	audit();
}
