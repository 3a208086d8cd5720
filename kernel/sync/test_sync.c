/*
 * Properties of every primitive that threads wait with, tested on each: deadlines, polls, kills,
 * destruction, order, and that no pass is spent on a waiter that has left.
 */
#include "test_sync.h"

/* One kind of object, made so that a wait blocks until pass(). */
struct kind {
	const char *name;
	void (*init)(void);
	int (*wait)(struct deadline d);
	void (*leave)(void);		/* after a successful wait; NULL: nothing to give back */
	void (*pass)(void);		/* lets one waiter pass, or all of them if `all` is set */
	void (*destroy)(void);
	bool all;
};

static struct mutex mutex, outer;
static struct semaphore semaphore;
static struct event event;
static struct completion completion;
static struct condvar condvar;

#define WAITERS		4

static void mutex_start(void)
{
	mutex_init(&mutex);
	mutex_lock(&mutex);
}

static int mutex_wait(struct deadline d)
{
	return mutex_lock_timed(&mutex, d);
}

static void mutex_leave(void)
{
	mutex_unlock(&mutex);
}

static void mutex_end(void)
{
	mutex_destroy(&mutex);
}

static void semaphore_start(void)
{
	semaphore_init(&semaphore, 0);
}

static int semaphore_get(struct deadline d)
{
	return semaphore_wait(&semaphore, d);
}

static void semaphore_put(void)
{
	semaphore_post(&semaphore);
}

static void semaphore_end(void)
{
	semaphore_destroy(&semaphore);
}

static void auto_start(void)
{
	event_init(&event, false, true);
}

static void manual_start(void)
{
	event_init(&event, false, false);
}

static int event_get(struct deadline d)
{
	return event_wait(&event, d);
}

static void event_put(void)
{
	event_signal(&event);
}

static void event_end(void)
{
	event_destroy(&event);
}

static void completion_start(void)
{
	completion_init(&completion);
}

static int completion_get(struct deadline d)
{
	return completion_wait(&completion, d, 0);
}

static void completion_put(void)
{
	complete(&completion);
}

static void completion_end(void)
{
	wait_queue_destroy(&completion.q);
}

static void condvar_start(void)
{
	condvar_init(&condvar);
	mutex_init(&outer);
}

static int condvar_get(struct deadline d)
{
	int err;

	mutex_lock(&outer);
	err = condvar_wait(&condvar, &outer, d);
	CHECK(mutex_held(&outer), "sync.mutex_back", "a wait that returned %d: no mutex", err);
	mutex_unlock(&outer);
	return err;
}

static void condvar_put(void)
{
	condvar_signal(&condvar);
}

static void condvar_end(void)
{
	condvar_destroy(&condvar);
}

static const struct kind kinds[] = {
	{ "mutex", mutex_start, mutex_wait, mutex_leave, mutex_leave, mutex_end, false },
	{ "semaphore", semaphore_start, semaphore_get, NULL, semaphore_put, semaphore_end, false },
	{ "auto event", auto_start, event_get, NULL, event_put, event_end, false },
	{ "manual event", manual_start, event_get, NULL, event_put, event_end, true },
	{ "completion", completion_start, completion_get, NULL, completion_put, completion_end,
	  false },
	{ "condvar", condvar_start, condvar_get, NULL, condvar_put, condvar_end, false },
};

#define FOR_EACH_KIND(k) \
	for (const struct kind *k = kinds; k < kinds + ARRAY_SIZE(kinds); k++)

static struct waiting {
	const struct kind *kind;
	struct deadline d;
	struct thread *thread;
	unsigned came_out;		/* how many came out before it */
} waits[WAITERS];

static _Atomic unsigned out;

static int wait_once(void *arg)
{
	struct waiting *w = arg;
	int err = w->kind->wait(w->d);

	w->came_out = out++;
	if (!err && w->kind->leave)
		w->kind->leave();
	return err;
}

static void start_waits(const struct kind *k, unsigned n, struct deadline first)
{
	out = 0;
	for (unsigned i = 0; i < n; i++) {
		waits[i] = (struct waiting){ .kind = k, .d = i ? DEADLINE_NEVER : first };
		waits[i].thread = test_thread(ONE_CPU, wait_once, &waits[i], PRIORITY_DEFAULT);
		test_blocked(waits[i].thread, k->name);
	}
}

static int result(unsigned i)
{
	return test_join(waits[i].thread, waits[i].kind->name);
}

KTEST(sync_deadline, "sync.deadline", "", "sync.deadline")
{
	FOR_EACH_KIND(k) {
		u64 due = time_now() + 2 * MS;
		int err;

		k->init();
		start_waits(k, 1, deadline_at(due));
		err = result(0);
		CHECK(err == -ETIMEDOUT, "sync.deadline", "%s: %d", k->name, err);
		CHECK(!time_before(time_now(), due), "sync.deadline", "%s: early", k->name);
		start_waits(k, 1, deadline_in(SOON));
		k->pass();
		err = result(0);
		CHECK(err == 0, "sync.deadline", "%s: in time, but %d", k->name, err);
		k->destroy();
	}
	audit();
}

static _Atomic bool enough;

static int others(void *unused)
{
	(void)unused;
	while (!enough)
		thread_yield();
	return 0;
}

/* A poll neither blocks nor yields. */
static int poll_once(void *arg)
{
	const struct kind *k = arg;
	struct thread_stats *s = &current_thread()->stats;
	u64 gave = s->switches_in - s->preempted;
	int err = k->wait(DEADLINE_POLL);

	gave = s->switches_in - s->preempted - gave;
	CHECK(err == -ETIMEDOUT, "sync.poll", "%s: %d", k->name, err);
	CHECK(gave == 0, "sync.poll", "%s: gave way %lu times", k->name, gave);
	return 0;
}

KTEST(sync_poll, "sync.poll", "", "sync.poll")
{
	struct thread *other;

	enough = false;
	test_stay(ONE_CPU);
	other = test_thread(ONE_CPU, others, NULL, PRIORITY_DEFAULT);
	FOR_EACH_KIND(k) {
		k->init();
		test_join(test_thread(ONE_CPU, poll_once, (void *)k, PRIORITY_DEFAULT), k->name);
		k->destroy();
	}
	enough = true;
	test_join(other, "poll");
	test_stay(ALL_CPUS);
}

/* A killed waiter leaves at once; the pass goes to the one that still waits. */
KTEST(sync_killed, "sync.killed", "", "sync.killed")
{
	FOR_EACH_KIND(k) {
		int err;

		k->init();
		start_waits(k, 2, DEADLINE_NEVER);
		thread_kill(waits[0].thread);
		err = result(0);
		CHECK(err == -EINTR, "sync.killed", "%s: %d", k->name, err);
		k->pass();
		err = result(1);
		CHECK(err == 0, "sync.killed", "%s: behind one that was killed %d", k->name, err);
		k->destroy();
	}
	audit();
}

KTEST(sync_destroyed, "sync.destroyed", "", "sync.destroyed")
{
	FOR_EACH_KIND(k) {
		int err;

		k->init();
		start_waits(k, 3, deadline_in(SOON));
		k->destroy();
		for (unsigned i = 0; i < 3; i++) {
			err = result(i);
			CHECK(err == -EIDRM, "sync.destroyed", "%s: waiter %u: %d", k->name, i,
			      err);
		}
		waits[0].thread = test_thread(ONE_CPU, wait_once, &waits[0], PRIORITY_DEFAULT);
		err = result(0);
		CHECK(err == -EIDRM, "sync.destroyed", "%s: too late, but %d", k->name, err);
	}
	audit();
}

/* Waiters come out in the order in which they came. */
KTEST(sync_order, "sync.order", "", "sync.order")
{
	test_stay(ONE_CPU);
	FOR_EACH_KIND(k) {
		if (k->all)
			continue;
		k->init();
		start_waits(k, WAITERS, DEADLINE_NEVER);
		k->pass();
		for (unsigned i = 1; i < WAITERS && !k->leave; i++) {
			CHECK(AWAIT(out == i), "sync.order", "%s: %u are out", k->name, out);
			k->pass();
		}
		for (unsigned i = 0; i < WAITERS; i++) {
			int err = result(i);

			CHECK(err == 0, "sync.order", "%s: waiter %u: %d", k->name, i, err);
			CHECK(waits[i].came_out == i, "sync.order", "%s: waiter %u comes out as %u",
			      k->name, i, waits[i].came_out);
		}
		k->destroy();
	}
	test_stay(ALL_CPUS);
	audit();
}

/*
 * The first waiter's deadline claims its wait, as in the timer's interrupt, and before it has run
 * the pass comes.
 */
static void expire_then_pass(const struct kind *k)
{
	preempt_off();
	sleepq_expire(&this_cpu()->sleepq, waits[0].d.at);
	CHECK(thread_state(waits[0].thread) == THREAD_READY, "sync", "%s: did not expire", k->name);
	k->pass();
	preempt_on();
}

#define FAR	deadline_at(time_now() + 1000 * NSEC_PER_SEC)

/* The pass must reach the second one. */
KTEST(sync_not_eaten, "sync.not_eaten", "", "sync.not_eaten")
{
	test_stay(ONE_CPU);
	FOR_EACH_KIND(k) {
		int first, second;

		if (k->all)
			continue;
		k->init();
		start_waits(k, 2, FAR);
		expire_then_pass(k);
		first = result(0);
		second = result(1);
		/* a mutex may be free again by the time the first one looks once more */
		CHECK(first == -ETIMEDOUT || (!first && k->leave), "sync.not_eaten", "%s: first %d",
		      k->name, first);
		CHECK(second == 0, "sync.not_eaten", "%s: second %d", k->name, second);
		k->destroy();
	}
	test_stay(ALL_CPUS);
	audit();
}

/* The same without a second waiter: the first looks once more, and gets the pass. */
KTEST(sync_not_lost, "sync.not_lost", "", "sync.not_lost")
{
	test_stay(ONE_CPU);
	FOR_EACH_KIND(k) {
		int first, next;

		if (k->wait == condvar_get)
			continue;	/* a signal without a waiter is lost by design */
		k->init();
		start_waits(k, 1, FAR);
		expire_then_pass(k);
		first = result(0);
		next = k->wait(DEADLINE_POLL);
		CHECK(first == 0, "sync.not_lost", "%s: %d, though it was there to take", k->name,
		      first);
		CHECK((next == 0) == (k->leave || k->all),
		      "sync.not_lost", "%s: the next one gets %d", k->name, next);
		if (!next && k->leave)
			k->leave();
		k->destroy();
	}
	test_stay(ALL_CPUS);
	audit();
}

/* Returns false if this thread's slice ended in between, so that the waiter ran. */
static bool try_to_steal(const struct kind *k)
{
	u64 switches;
	int thief, first;
	bool stayed;

	k->init();
	start_waits(k, 1, DEADLINE_NEVER);
	switches = current_thread()->stats.switches_in;
	k->pass();
	thief = k->wait(DEADLINE_POLL);
	stayed = current_thread()->stats.switches_in == switches;
	CHECK(thief == -ETIMEDOUT || !stayed, "sync.not_stolen", "%s: who came later gets %d",
	      k->name, thief);
	if (!thief && k->leave)
		k->leave();
	first = result(0);
	CHECK(first == 0, "sync.not_stolen", "%s: the waiter gets %d", k->name, first);
	k->destroy();
	return stayed;
}

/* A pass given to a waiter that has not run yet belongs to it: a newcomer waits, or fails. */
KTEST(sync_not_stolen, "sync.not_stolen", "", "sync.not_stolen")
{
	test_stay(ONE_CPU);
	FOR_EACH_KIND(k) {
		unsigned tries = 0;

		while (!k->all && !try_to_steal(k))
			REQUIRE(++tries < 20, "sync.not_stolen", "%s: always preempted", k->name);
	}
	test_stay(ALL_CPUS);
	audit();
}

/*
 * --- Storms: on all CPUs, with random deadlines --------------------------------------------------
 */

#define STORMERS	4
#define ROUNDS		40

static _Atomic int inside;
static _Atomic unsigned got, storming;

static struct deadline some_deadline(void)
{
	u64 r = test_random();

	return r % 4 == 0 ? DEADLINE_POLL : deadline_in(1 + r % 50000);
}

static int storm_exclusive(void *arg)
{
	const struct kind *k = arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		int err = k->wait(some_deadline());

		if (err) {
			CHECK(err == -ETIMEDOUT, "sync.exclusion", "%s: %d", k->name, err);
			continue;
		}
		CHECK(inside++ == 0, "sync.exclusion", "%s: two are in", k->name);
		if (i % 3 == 0)
			thread_yield();
		inside--;
		got++;
		k->leave();
	}
	return 0;
}

KTEST(sync_exclusion, "sync.exclusion", "", "sync.exclusion")
{
	struct thread *t[STORMERS];

	FOR_EACH_KIND(k) {
		if (!k->leave || k->all)
			continue;
		k->init();
		got = 0;
		for (unsigned i = 0; i < STORMERS; i++)
			t[i] = test_thread(ALL_CPUS, storm_exclusive, (void *)k, PRIORITY_DEFAULT);
		k->pass();
		for (unsigned i = 0; i < STORMERS; i++)
			test_join(t[i], k->name);
		CHECK(got > 0, "sync.exclusion", "%s: nobody ever got it", k->name);
		CHECK(k->wait(DEADLINE_POLL) == 0, "sync.exclusion", "%s: not free", k->name);
		k->leave();
		k->destroy();
	}
	audit();
}

static int storm_waiter(void *arg)
{
	const struct kind *k = arg;

	for (unsigned i = 0; i < ROUNDS; i++)
		got += k->wait(some_deadline()) == 0;
	storming--;
	return 0;
}

/* Every post lets exactly one wait pass, or is still there. */
KTEST(sync_conserved, "sync.conserved", "", "sync.conserved")
{
	struct thread *t[STORMERS];

	FOR_EACH_KIND(k) {
		unsigned posted = 0, left = 0;

		if (k->wait != semaphore_get && k->wait != completion_get)
			continue;
		k->init();
		got = 0;
		storming = STORMERS;
		for (unsigned i = 0; i < STORMERS; i++)
			t[i] = test_thread(ALL_CPUS, storm_waiter, (void *)k, PRIORITY_DEFAULT);
		for (; storming; posted++) {
			u64 until = time_now() + test_random() % 20000;

			k->pass();
			while (time_before(time_now(), until))
				thread_yield();
		}
		for (unsigned i = 0; i < STORMERS; i++)
			test_join(t[i], k->name);
		while (k->wait(DEADLINE_POLL) == 0)
			left++;
		CHECK(got > 0 && got + left == posted, "sync.conserved",
		      "%s: %u posts, %u waits passed, %u are left", k->name, posted, got, left);
		k->destroy();
	}
	audit();
}
