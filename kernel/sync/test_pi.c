/*
 * Tests of priority inheritance. Actors of different urgency lock and unlock what the test tells
 * them, one step at a time; after each step every rank must be the one that a simple model of the
 * same steps computes.
 */
#include "base/string.h"
#include "test_sync.h"

#define ACTORS	6
#define LOCKS	4
#define NOBODY	-1

enum op { OP_LOCK, OP_UNLOCK, OP_END };

static struct actor {
	struct thread *thread;
	int base;			/* its own rank; 0 if the policy gives it none */
	struct semaphore go;
	enum op op;
	unsigned lock;
	_Atomic bool done;
	int err;
	/* The model */
	int waits_for;			/* lock, NOBODY */
	unsigned since;			/* the step that gave it its place there */
	int placed_at;			/* its rank then */
} actors[ACTORS];

static struct mutex locks[LOCKS];
static int holder[LOCKS];		/* actor, NOBODY */
static unsigned steps;

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
			mutex_unlock(&locks[a->lock]);
		else
			a->err = mutex_lock_interruptible(&locks[a->lock]);
		a->done = true;
	}
}

static bool waiting(const struct actor *a)
{
	return thread_state(a->thread) == THREAD_BLOCKED && a->thread->blocked_on;
}

static void set_up(const int *priorities)
{
	test_stay(ONE_CPU);
	steps = 0;
	for (unsigned i = 0; i < LOCKS; i++) {
		mutex_init(&locks[i]);
		holder[i] = NOBODY;
	}
	for (unsigned i = 0; i < ACTORS; i++) {
		struct actor *a = &actors[i];

		*a = (struct actor){ .waits_for = NOBODY };
		semaphore_init(&a->go, 0);
		a->thread = test_thread(ONE_CPU, act, a, priorities[i]);
		a->base = a->thread->se.base.level;
	}
}

/* --- The model: computes each rank from all actors -------------------------------------------- */

static int model_rank(int actor);

/* Returns the highest rank of the actors that wait for locks of @actor. */
static int model_due(int actor)
{
	int most = 0;

	for (int b = 0; b < ACTORS; b++) {
		int l = actors[b].waits_for;

		if (l != NOBODY && holder[l] == actor)
			most = MAX(most, model_rank(b));
	}
	return most;
}

static int model_rank(int actor)
{
	return MAX(actors[actor].base, model_due(actor));
}

/* Places each waiter whose rank has changed anew, behind its equals. */
static void model_settle(void)
{
	for (int i = 0; i < ACTORS; i++) {
		struct actor *a = &actors[i];
		int rank = model_rank(i);

		if (a->waits_for != NOBODY && a->placed_at != rank) {
			a->placed_at = rank;
			a->since = ++steps;
		}
	}
}

static int model_next(unsigned lock)
{
	int best = NOBODY;

	for (int i = 0; i < ACTORS; i++) {
		struct actor *a = &actors[i];

		if (a->waits_for == (int)lock &&
		    (best == NOBODY || a->placed_at > actors[best].placed_at ||
		     (a->placed_at == actors[best].placed_at && a->since < actors[best].since)))
			best = i;
	}
	return best;
}

/* Checks whether @actor, if it waited for @lock, would wait for itself. */
static bool model_circle(int actor, int lock)
{
	while (lock != NOBODY && holder[lock] != NOBODY) {
		if (holder[lock] == actor)
			return true;
		lock = actors[holder[lock]].waits_for;
	}
	return false;
}

static int rank_of(int actor)
{
	return thread_rank(actors[actor].thread).level;
}

/* PI1 */
static void check_ranks(const char *after)
{
	for (int i = 0; i < ACTORS; i++) {
		int is = rank_of(i), should = model_rank(i);
		int inherits = actors[i].thread->se.inherited.level;

		CHECK(is == should, "pi.rank", "after %s actor %d has rank %d, due is %d", after, i,
		      is, should);
		CHECK(inherits == model_due(i), "pi.rank", "after %s actor %d inherits %d, not %d",
		      after, i, inherits, model_due(i));
	}
}

/* --- Steps ------------------------------------------------------------------------------------ */

static void tell(int actor, enum op op, unsigned lock)
{
	struct actor *a = &actors[actor];

	a->op = op;
	a->lock = lock;
	a->done = false;
	semaphore_post(&a->go);
	REQUIRE(AWAIT(a->done || waiting(a)), "pi", "actor %d is %s", actor,
		thread_state_name(thread_state(a->thread)));
}

static void do_lock(int actor, unsigned lock)
{
	struct actor *a = &actors[actor];
	bool circle = model_circle(actor, lock);

	tell(actor, OP_LOCK, lock);
	if (circle) {		/* PI3 */
		CHECK(a->done && a->err == -EDEADLK, "pi.circle",
		      "a wait of actor %d for itself: %s, %d", actor,
		      a->done ? "returned" : "blocks", a->err);
	} else if (holder[lock] == NOBODY) {
		REQUIRE(a->done && a->err == 0, "pi", "a free lock was not given: %d", a->err);
		holder[lock] = actor;
	} else {
		REQUIRE(waiting(a), "pi", "a taken lock was given");
		a->waits_for = lock;
		a->placed_at = model_rank(actor);
		a->since = ++steps;
		model_settle();
	}
	check_ranks("lock");
}

static void do_unlock(int actor, unsigned lock)
{
	int next = model_next(lock);

	tell(actor, OP_UNLOCK, lock);
	holder[lock] = next;
	if (next != NOBODY) {
		struct actor *a = &actors[next];

		/* PI2 */
		REQUIRE(AWAIT(a->done), "pi.order", "actor %d did not get the lock", next);
		CHECK(a->err == 0, "pi.order", "a lock that was handed over: %d", a->err);
		a->waits_for = NOBODY;
	}
	model_settle();
	check_ranks("unlock");
}

/* Ends the wait of @actor as its deadline would. */
static void do_expire(int actor)
{
	struct actor *a = &actors[actor];

	spin_lock(&pi_lock);
	CHECK(waiter_claim(&a->thread->blocked_on->waiter, WAIT_TIMEOUT, 0), "pi", "not waiting");
	spin_unlock(&pi_lock);
	REQUIRE(AWAIT(a->done), "pi", "a wait whose deadline has passed does not end");
	CHECK(a->err == -ETIMEDOUT, "pi", "a wait that timed out: %d", a->err);
	a->waits_for = NOBODY;
	model_settle();
	check_ranks("timeout");
}

/* Changes an actor's own rank, whether it waits or not. */
static void do_change(int actor, int priority)
{
	struct sched_params p = params_of_level(priority);

	int err = sched_set_params(actors[actor].thread, &p);

	REQUIRE(err == 0 || err == -EINVAL, "pi", "setting a priority: %d", err);
	actors[actor].base = actors[actor].thread->se.base.level;
	model_settle();
	check_ranks("a change of priority");
}

/* Unlocks every lock, each as soon as its holder does not wait; then ends all actors. */
static void wind_up(void)
{
	for (unsigned l = 0; l < LOCKS; l++)
		for (int i = 0; i < ACTORS; i++)
			for (unsigned k = 0; k < LOCKS; k++)
				if (holder[k] != NOBODY && actors[holder[k]].waits_for == NOBODY)
					do_unlock(holder[k], k);
	for (int i = 0; i < ACTORS; i++) {
		struct actor *a = &actors[i];

		CHECK(a->thread->se.inherited.level == 0 && list_empty(&a->thread->contended),
		      "pi.rank", "actor %d ends with what it inherited", i);
		a->op = OP_END;
		semaphore_post(&a->go);
		test_join(a->thread, "actor");
	}
	test_stay(ALL_CPUS);
	audit();
}

enum { LOW, LOW2, MID, MID2, HIGH, HIGH2 };
static const int scene[ACTORS] = { 4, 5, 12, 12, 20, 24 };

KTEST(pi_two_locks, "pi.two_locks", "", "pi.rank")
{
	for (unsigned first = 0; first < 2; first++) {
		set_up(scene);
		do_lock(LOW, 0);
		do_lock(LOW, 1);
		do_lock(MID, 0);
		do_lock(HIGH, 1);
		do_unlock(LOW, first);
		do_unlock(LOW, !first);
		wind_up();
	}
}

/* An inherited rank is not taken for the thread's own. */
KTEST(pi_own_rank, "pi.own_rank", "", "pi.rank")
{
	set_up(scene);
	do_lock(LOW, 0);
	do_lock(HIGH, 0);
	do_lock(LOW, 1);
	do_unlock(LOW, 0);
	do_unlock(LOW, 1);
	wind_up();
}

/* Through a chain of three: up when the wait begins, down when it ends; the middle one moves. */
KTEST(pi_chain, "pi.chain", "", "pi.rank")
{
	set_up(scene);
	do_lock(LOW, 0);
	do_lock(LOW2, 1);
	do_lock(MID, 2);
	do_lock(MID2, 1);
	do_lock(LOW2, 0);
	do_lock(MID, 1);
	do_lock(HIGH, 2);		/* now MID is before MID2 */
	CHECK(rank_of(LOW) == actors[HIGH].base, "pi.rank", "the end of the chain is not told");
	do_expire(HIGH);
	CHECK(rank_of(LOW) == actors[MID].base, "pi.rank", "it stays boosted");
	wind_up();
}

KTEST(pi_kill, "pi.kill", "", "pi.rank")
{
	set_up(scene);
	do_lock(LOW, 0);
	do_lock(MID, 1);
	do_lock(MID, 0);
	do_lock(HIGH, 1);
	CHECK(rank_of(LOW) == actors[HIGH].base, "pi.rank", "no boost");
	thread_kill(actors[HIGH].thread);
	REQUIRE(AWAIT(actors[HIGH].done), "pi", "it does not die");
	CHECK(actors[HIGH].err == -EINTR, "pi", "a killed wait: %d", actors[HIGH].err);
	actors[HIGH].waits_for = NOBODY;
	check_ranks("kill");
	wind_up();
}

/* The mutex is gone as soon as it is destroyed: its waiter must not touch it any more (PI4). */
KTEST(pi_destroy, "pi.destroy", "", "pi.rank")
{
	struct thread *self = current_thread();
	u8 gone[sizeof(locks[3])];

	memset(gone, 0x5a, sizeof(gone));
	set_up(scene);
	mutex_init(&locks[3]);
	mutex_lock(&locks[3]);
	tell(HIGH, OP_LOCK, 3);
	CHECK((int)self->se.inherited.level == actors[HIGH].base, "pi.rank", "no boost");
	preempt_off();
	mutex_destroy(&locks[3]);
	memcpy(&locks[3], gone, sizeof(gone));
	preempt_on();
	CHECK(self->se.inherited.level == 0 && AWAIT(actors[HIGH].done) &&
	      actors[HIGH].err == -EIDRM, "pi.rank", "destroyed: rank %u, result %d",
	      self->se.inherited.level, actors[HIGH].err);
	CHECK(!memcmp(&locks[3], gone, sizeof(gone)), "pi.rank", "the waiter touched it");
	wind_up();
}

/* PI2: the most urgent first, equals as they came; each new owner inherits from the rest. */
KTEST(pi_order, "pi.order", "", "pi.order")
{
	static const int came[] = { MID, LOW2, HIGH, MID2, HIGH2 };

	set_up(scene);
	do_lock(LOW, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(came); i++)
		do_lock(came[i], 0);
	wind_up();
}

/* Own ranks change: of a waiter, up and down, and of an owner, which keeps what it inherits. */
KTEST(pi_change, "pi.change", "", "pi.rank")
{
	set_up(scene);
	do_lock(LOW, 0);
	do_lock(LOW2, 1);
	do_lock(LOW2, 0);
	do_lock(MID, 0);
	do_lock(MID2, 1);
	do_change(MID2, 24);
	CHECK(rank_of(LOW) == actors[MID2].base, "pi.rank", "the chain is not told");
	do_change(MID2, 3);
	do_change(LOW, 1);
	do_change(LOW2, 22);
	do_change(LOW, 30);
	wind_up();
}

/* Random steps. */
KTEST(pi_model, "pi.model", "", "pi.rank")
{
	int priorities[ACTORS];

	for (unsigned i = 0; i < ACTORS; i++)
		priorities[i] = test_random() % 6 * 4;
	set_up(priorities);
	for (unsigned n = 0; n < 300; n++) {
		int i = test_random() % ACTORS;
		unsigned l = test_random() % LOCKS;

		if (test_random() % 8 == 0) {
			do_change(i, test_random() % 6 * 4);
		} else if (actors[i].waits_for != NOBODY) {
			if (test_random() % 4 == 0)
				do_expire(i);
		} else if (holder[l] == i) {
			do_unlock(i, l);
		} else {
			do_lock(i, l);
		}
	}
	wind_up();
}

/*
 * --- The inversion itself -----------------------------------------------------------------------
 */

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

/* A thread of middle urgency that keeps the CPU does not keep an urgent one from a lock. */
KTEST(pi_inversion, "pi.inversion", "", "pi.inversion")
{
	struct thread *low, *mid;
	u64 from, took;

	mutex_init(&wanted);
	locked = false;
	hog_enough = false;
	test_priority(PRIORITY_HIGHEST);
	test_stay(ONE_CPU);
	low = test_thread(ONE_CPU, low_owner, NULL, PRIORITY_LOW);
	REQUIRE(AWAIT(locked), "pi", "the owner does not run");
	mid = test_thread(ONE_CPU, hog, NULL, PRIORITY_DEFAULT);
	thread_sleep(NSEC_PER_MSEC / 2);
	from = time_now();
	mutex_lock(&wanted);
	took = time_now() - from;
	hog_enough = true;
	mutex_unlock(&wanted);
	CHECK(took < 50 * MS, "pi.inversion", "an urgent thread waited %lu us", took / 1000);
	ktest_figure("waited_us", took / 1000);
	test_join(low, "owner");
	test_join(mid, "hog");
	test_priority(PRIORITY_DEFAULT);
	test_stay(ALL_CPUS);
}
