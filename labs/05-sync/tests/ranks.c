/*
 * The model of inheritance, and the steps that compare the kernel with it (ranks.h).
 */
#include "ranks.h"

#include "sync/test_sync.h"

struct ranks_actor ranks_actors[ACTORS];
int ranks_holder[LOCKS];
const int ranks_scene[ACTORS] = { 4, 17, 20, 20, 24, 28 };

static const struct ranks_locks *locks;
static unsigned steps;

void ranks_set_up(const struct ranks_locks *how, const int *priorities)
{
	locks = how;
	steps = 0;
	test_stay(ONE_CPU);
	for (unsigned l = 0; l < LOCKS; l++) {
		locks->init(l);
		ranks_holder[l] = NOBODY;
	}
	for (int i = 0; i < ACTORS; i++) {
		struct thread *t = locks->create(i, priorities[i]);

		ranks_actors[i] = (struct ranks_actor){ .thread = t, .waits_for = NOBODY };
		ranks_actors[i].base = (int)t->se.base.level;
	}
}

/* --- The model: computes each rank from all actors -------------------------------------------- */

static int model_rank(int actor);

/* Returns the highest rank of the actors that wait for locks of @actor. */
static int model_due(int actor)
{
	int most = 0;

	for (int b = 0; b < ACTORS; b++) {
		int l = ranks_actors[b].waits_for;

		if (l != NOBODY && ranks_holder[l] == actor)
			most = MAX(most, model_rank(b));
	}
	return most;
}

static int model_rank(int actor)
{
	return MAX(ranks_actors[actor].base, model_due(actor));
}

/* Places each waiter whose rank has changed anew, behind its equals. */
static void model_settle(void)
{
	for (int i = 0; i < ACTORS; i++) {
		struct ranks_actor *a = &ranks_actors[i];
		int rank = model_rank(i);

		if (a->waits_for != NOBODY && a->placed_at != rank) {
			a->placed_at = rank;
			a->since = ++steps;
		}
	}
}

static bool model_before(const struct ranks_actor *a, const struct ranks_actor *b)
{
	if (a->placed_at != b->placed_at)
		return a->placed_at > b->placed_at;
	return a->since < b->since;
}

static int model_next(unsigned lock)
{
	int best = NOBODY;

	for (int i = 0; i < ACTORS; i++)
		if (ranks_actors[i].waits_for == (int)lock &&
		    (best == NOBODY || model_before(&ranks_actors[i], &ranks_actors[best])))
			best = i;
	return best;
}

bool ranks_circle(int actor, unsigned lock)
{
	int l = (int)lock;

	while (l != NOBODY && ranks_holder[l] != NOBODY) {
		if (ranks_holder[l] == actor)
			return true;
		l = ranks_actors[ranks_holder[l]].waits_for;
	}
	return false;
}

/* --- Checks ----------------------------------------------------------------------------------- */

int ranks_of(int actor)
{
	return (int)thread_rank(ranks_actors[actor].thread).level;
}

/* PI1 */
static void check_ranks(const char *after)
{
	for (int i = 0; i < ACTORS; i++) {
		int is = ranks_of(i), should = model_rank(i);
		int inherits = (int)ranks_actors[i].thread->se.inherited.level;

		CHECK(is == should, "P5.6", "after %s actor %d has rank %d, due is %d", after, i,
		      is, should);
		CHECK(inherits == model_due(i), "P5.6", "after %s actor %d inherits %d, not %d",
		      after, i, inherits, model_due(i));
	}
}

static int actor_of(const struct thread *t)
{
	int i = 0;

	while (i < ACTORS - 1 && ranks_actors[i].thread != t)
		i++;
	return i;
}

/* PI2, of one lock. */
static void check_order(const char *after, unsigned lock)
{
	int order[ACTORS], n = 0, waiting = 0;

	for (int i = 0; i < ACTORS; i++)
		waiting += ranks_actors[i].waits_for == (int)lock;
	spin_lock(&pi_lock);
	list_for_each(w, &locks->queue(lock)->waiters, struct pi_waiter, node)
		if (n < ACTORS)
			order[n++] = actor_of(w->waiter.thread);
	spin_unlock(&pi_lock);
	CHECK(n == waiting, "P5.5", "after %s %d actors are in the list of lock %u, %d wait for it",
	      after, n, lock, waiting);
	for (int i = 1; i < n; i++) {
		const struct ranks_actor *a = &ranks_actors[order[i - 1]];
		const struct ranks_actor *b = &ranks_actors[order[i]];

		CHECK(model_before(a, b), "P5.5",
		      "after %s actor %d of rank %d waits before actor %d of rank %d", after,
		      order[i - 1], a->placed_at, order[i], b->placed_at);
	}
}

static void settle(const char *after)
{
	model_settle();
	check_ranks(after);
	for (unsigned l = 0; l < LOCKS; l++)
		check_order(after, l);
}

/* --- Steps ------------------------------------------------------------------------------------ */

void ranks_lock(int actor, unsigned lock)
{
	struct ranks_actor *a = &ranks_actors[actor];

	if (ranks_circle(actor, lock)) {
		locks->circle(actor, lock);
	} else if (ranks_holder[lock] == NOBODY) {
		locks->lock(actor, lock);
		ranks_holder[lock] = actor;
	} else {
		locks->wait(actor, lock);
		a->waits_for = (int)lock;
		a->placed_at = model_rank(actor);
		a->since = ++steps;
	}
	settle("a lock");
}

void ranks_unlock(int actor, unsigned lock)
{
	int next = model_next(lock);

	locks->unlock(actor, lock, next);
	ranks_holder[lock] = next;
	if (next != NOBODY)
		ranks_actors[next].waits_for = NOBODY;
	settle("an unlock");
}

void ranks_left(int actor, const char *how)
{
	ranks_actors[actor].waits_for = NOBODY;
	settle(how);
}

void ranks_expire(int actor)
{
	locks->expire(actor, (unsigned)ranks_actors[actor].waits_for);
	ranks_left(actor, "a timeout");
}

void ranks_change(int actor, int priority)
{
	struct sched_params p = params_of_level(priority);
	struct ranks_actor *a = &ranks_actors[actor];

	REQUIRE(sched_set_params(a->thread, &p) == 0, "P5.6", "priority %d is refused", priority);
	a->base = (int)a->thread->se.base.level;
	settle("a change of priority");
}

/* One in three is not urgent. */
int ranks_random_priority(void)
{
	u64 r = test_random() % 6;

	return r < 2 ? PRIORITY_LOW : 14 + (int)r * 2;
}

void ranks_random_step(void)
{
	int i = (int)(test_random() % ACTORS);
	unsigned l = test_random() % LOCKS;

	if (test_random() % 8 == 0) {
		ranks_change(i, ranks_random_priority());
	} else if (ranks_actors[i].waits_for != NOBODY) {
		if (test_random() % 4 == 0)
			ranks_expire(i);
	} else if (ranks_holder[l] == i) {
		ranks_unlock(i, l);
	} else {
		ranks_lock(i, l);
	}
}

/* Each round unlocks every lock whose holder does not wait. */
void ranks_wind_up(void)
{
	for (unsigned round = 0; round < LOCKS * ACTORS; round++)
		for (unsigned l = 0; l < LOCKS; l++)
			if (ranks_holder[l] != NOBODY &&
			    ranks_actors[ranks_holder[l]].waits_for == NOBODY)
				ranks_unlock(ranks_holder[l], l);
	for (int i = 0; i < ACTORS; i++) {
		struct thread *t = ranks_actors[i].thread;

		CHECK(t->se.inherited.level == 0 && list_empty(&t->contended), "P5.6",
		      "all locks are free, and actor %d ends with what it inherited", i);
		locks->end(i);
	}
	test_stay(ALL_CPUS);
	audit();
}
