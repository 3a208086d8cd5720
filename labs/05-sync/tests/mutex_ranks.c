/*
 * Lab 05, step 5: inheritance through mutexes. The actors' threads lock and unlock what the test
 * tells them, one step at a time: ranks.h.
 */
#include "base/string.h"
#include "ranks.h"
#include "sync/test_sync.h"

enum op { OP_LOCK, OP_UNLOCK, OP_END };

static struct actor {
	struct semaphore go;
	enum op op;
	unsigned lock;
	_Atomic bool done;
	int err;
} actors[ACTORS];

static struct mutex mutexes[LOCKS];
static bool with_deadline;		/* the actors' waits; a long time off */

static int act(void *arg)
{
	struct actor *a = arg;

	for (;;) {
		if (semaphore_wait(&a->go, DEADLINE_NEVER))
			return 1;
		if (a->op == OP_END)
			return 0;
		a->err = 0;
		if (a->op == OP_UNLOCK)
			mutex_unlock(&mutexes[a->lock]);
		else if (with_deadline)
			a->err = mutex_lock_timed(&mutexes[a->lock], deadline_in(LONG));
		else
			a->err = mutex_lock_interruptible(&mutexes[a->lock]);
		a->done = true;
	}
}

static struct thread *thread_of(int actor)
{
	return ranks_actors[actor].thread;
}

static bool waiting(int actor)
{
	return thread_state(thread_of(actor)) == THREAD_BLOCKED && thread_of(actor)->blocked_on;
}

static void tell(int actor, enum op op, unsigned lock)
{
	struct actor *a = &actors[actor];

	a->op = op;
	a->lock = lock;
	a->done = false;
	semaphore_post(&a->go);
	REQUIRE(AWAIT(a->done || waiting(actor)), ktest_property(), "actor %d is %s", actor,
		thread_state_name(thread_state(thread_of(actor))));
}

static void init(unsigned lock)
{
	mutex_init_named(&mutexes[lock], "actors'");	/* one class: their order is not judged */
}

static struct pi_queue *queue(unsigned lock)
{
	return &mutexes[lock].pi;
}

static struct thread *create(int actor, int priority)
{
	actors[actor] = (struct actor){ .op = OP_END };
	semaphore_init(&actors[actor].go, 0);
	return test_thread(ONE_CPU, act, &actors[actor], priority);
}

static void lock_free(int actor, unsigned lock)
{
	struct actor *a = &actors[actor];

	tell(actor, OP_LOCK, lock);
	REQUIRE(a->done && a->err == 0, "P5.10", "actor %d did not get a free mutex: %d", actor,
		a->err);
}

static void wait(int actor, unsigned lock)
{
	tell(actor, OP_LOCK, lock);
	REQUIRE(waiting(actor), "P5.8", "actor %d got a taken mutex", actor);
}

static void circle(int actor, unsigned lock)
{
	struct actor *a = &actors[actor];

	tell(actor, OP_LOCK, lock);
	CHECK(a->done && a->err == -EDEADLK, "P5.10", "a wait of actor %d for itself: %s, %d",
	      actor, a->done ? "returned" : "blocks", a->err);
}

static void unlock(int actor, unsigned lock, int next)
{
	tell(actor, OP_UNLOCK, lock);
	if (next == NOBODY)
		return;
	REQUIRE(AWAIT(actors[next].done), "P5.9", "actor %d did not get the mutex", next);
	CHECK(actors[next].err == 0, "P5.9", "actor %d was handed the mutex, and got %d", next,
	      actors[next].err);
}

static void expire(int actor, unsigned lock)
{
	(void)lock;
	spin_lock(&pi_lock);
	CHECK(waiter_claim(&thread_of(actor)->blocked_on->waiter, WAIT_TIMEOUT, 0), "P5.10",
	      "actor %d does not wait", actor);
	spin_unlock(&pi_lock);
	REQUIRE(AWAIT(actors[actor].done), "P5.10", "a wait whose deadline has come does not end");
	CHECK(actors[actor].err == -ETIMEDOUT, "P5.10", "a wait that timed out returned %d",
	      actors[actor].err);
}

static void end(int actor)
{
	actors[actor].op = OP_END;
	semaphore_post(&actors[actor].go);
	test_join(thread_of(actor), "actor");
}

static const struct ranks_locks by_mutex = {
	.init = init,
	.queue = queue,
	.create = create,
	.lock = lock_free,
	.wait = wait,
	.circle = circle,
	.unlock = unlock,
	.expire = expire,
	.end = end,
};

/* The most urgent is handed the mutex, and inherits from those who go on waiting. */
KTEST(mutex_urgent, "mutex.urgent", "05.5", "P5.9")
{
	static const int came[] = { MID, LOW2, HIGH, MID2, HIGH2 };

	ranks_set_up(&by_mutex, ranks_scene);
	ranks_lock(LOW, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(came); i++)
		ranks_lock(came[i], 0);
	ranks_unlock(LOW, 0);
	ranks_lock(LOW, 0);
	ranks_expire(MID2);
	ranks_wind_up();
}

/* @n actors; the one that closes the circle is refused, and goes on. */
static void close_circle(unsigned n)
{
	ranks_set_up(&by_mutex, ranks_scene);
	for (unsigned i = 0; i < n; i++)
		ranks_lock((int)i, i);
	for (unsigned i = 0; i + 1 < n; i++)
		ranks_lock((int)i, i + 1);
	ranks_lock((int)n - 1, 0);
	ranks_lock(HIGH, 0);
	ranks_wind_up();
}

/* Two, three and four mutexes. That a deadline would end it some time makes it no less a circle. */
KTEST(mutex_circle, "mutex.circle", "05.5", "P5.10")
{
	for (unsigned n = 2; n <= 4; n++) {
		with_deadline = true;
		close_circle(n);
		with_deadline = false;
		close_circle(n);
	}
}

/* A kill ends the wait at the top of a chain. */
KTEST(mutex_chain_killed, "mutex.chain_killed", "05.5", "P5.10")
{
	ranks_set_up(&by_mutex, ranks_scene);
	ranks_lock(LOW, 0);
	ranks_lock(MID, 1);
	ranks_lock(MID, 0);
	ranks_lock(HIGH, 1);
	thread_kill(thread_of(HIGH));
	REQUIRE(AWAIT(actors[HIGH].done), "P5.10", "a killed wait does not end");
	CHECK(actors[HIGH].err == -EINTR, "P5.10", "a killed wait returned %d", actors[HIGH].err);
	ranks_left(HIGH, "a kill");
	ranks_wind_up();
}

/*
 * The mutex is gone as soon as it is destroyed: its waiter must not touch it any more (PI4). There
 * may be another there by then, which is free.
 */
KTEST(mutex_untouched, "mutex.untouched", "05.5", "P5.10")
{
	struct thread *self = current_thread();
	struct mutex *m = &mutexes[3];
	u8 gone[sizeof(*m)];

	memset(gone, 0x5a, sizeof(gone));
	memset(gone + offsetof(struct mutex, word), 0, sizeof(m->word));
	ranks_set_up(&by_mutex, ranks_scene);
	mutex_lock(m);
	tell(HIGH, OP_LOCK, 3);
	CHECK((int)self->se.inherited.level == ranks_actors[HIGH].base, "P5.6",
	      "an urgent thread waits, and its rank is not inherited");
	preempt_off();
	mutex_destroy(m);
	memcpy(m, gone, sizeof(gone));
	preempt_on();
	CHECK(self->se.inherited.level == 0, "P5.6", "a destroyed mutex leaves rank %u",
	      self->se.inherited.level);
	CHECK(AWAIT(actors[HIGH].done) && actors[HIGH].err == -EIDRM, "P5.10",
	      "the mutex was destroyed, and the wait returned %d", actors[HIGH].err);
	CHECK(!memcmp(m, gone, sizeof(gone)), "P5.10", "the waiter touched a destroyed mutex");
	init(3);
	ranks_wind_up();
}

KTEST(mutex_model, "mutex.model", "05.5", "P5.6")
{
	int priorities[ACTORS];

	for (unsigned i = 0; i < ACTORS; i++)
		priorities[i] = ranks_random_priority();
	ranks_set_up(&by_mutex, priorities);
	for (unsigned n = 0; n < 150; n++)
		ranks_random_step();
	ranks_wind_up();
}

/* --- The inversion itself --------------------------------------------------------------------- */

static struct mutex wanted;
static _Atomic bool locked, hog_enough;

static void work_for(u64 ns)
{
	u64 end = time_now() + ns;

	while (time_before(time_now(), end) && !hog_enough)
		arch_spin_hint();
}

static int low_owner(void *unused)
{
	(void)unused;
	mutex_lock(&wanted);
	locked = true;
	work_for(2 * MS);
	mutex_unlock(&wanted);
	return 0;
}

static int hog(void *unused)
{
	(void)unused;
	work_for(100 * MS);
	return 0;
}

/* A thread of middle urgency that keeps the CPU does not keep an urgent one from a mutex. */
KTEST(mutex_inversion, "mutex.inversion", "05.5", "P5.6")
{
	struct thread *low, *mid;
	u64 from, took;

	mutex_init(&wanted);
	locked = false;
	hog_enough = false;
	test_priority(PRIORITY_HIGHEST);
	test_stay(ONE_CPU);
	low = test_thread(ONE_CPU, low_owner, NULL, PRIORITY_LOW);
	REQUIRE(AWAIT(locked), "P5.6", "the owner does not run");
	mid = test_thread(ONE_CPU, hog, NULL, ranks_scene[MID]);
	thread_sleep(NSEC_PER_MSEC / 2);
	from = time_now();
	mutex_lock(&wanted);
	took = time_now() - from;
	hog_enough = true;
	mutex_unlock(&wanted);
	CHECK(took < 50 * MS, "P5.6", "an urgent thread waited %lu us", took / 1000);
	ktest_figure("waited_us", took / 1000);
	test_join(low, "owner");
	test_join(mid, "hog");
	test_priority(PRIORITY_DEFAULT);
	test_stay(ALL_CPUS);
}
