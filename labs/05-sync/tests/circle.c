/*
 * Lab 05, step 4: which waits would close a circle. No thread waits here: ranks.h.
 */
#include "ranks.h"

#include "sync/test_sync.h"

static struct thread *holder_of(unsigned lock)
{
	int holder = ranks_holder[lock];

	return holder == NOBODY ? NULL : ranks_actors[holder].thread;
}

static void expect_circle(int actor, unsigned lock, bool wanted, const char *when)
{
	bool found;

	spin_lock(&pi_lock);
	found = pi_would_deadlock(ranks_actors[actor].thread, holder_of(lock));
	spin_unlock(&pi_lock);
	CHECK(found == wanted, "P5.7", "%s: if actor %d waited for lock %u, %s", when, actor, lock,
	      wanted ? "a circle would be closed, and none is found"
		     : "no circle would be closed, and one is found");
}

/* Actor i holds lock i, and those before the last wait for the next one's. */
static void make_chain(unsigned n)
{
	ranks_set_up(&by_hand, ranks_scene);
	for (unsigned i = 0; i < n; i++)
		ranks_lock((int)i, i);
	for (unsigned i = 0; i + 1 < n; i++)
		ranks_lock((int)i, i + 1);
}

KTEST(circle_lengths, "circle.lengths", "05.4", "P5.7")
{
	for (unsigned n = 1; n <= LOCKS; n++) {
		make_chain(n);
		for (unsigned l = 0; l < n; l++) {
			expect_circle((int)n - 1, l, true, "a chain that ends with the actor");
			expect_circle(HIGH2, l, false, "a chain of others");
		}
		ranks_wind_up();
	}
}

KTEST(circle_free, "circle.free", "05.4", "P5.7")
{
	make_chain(3);
	for (int i = 0; i < ACTORS; i++)
		expect_circle(i, 3, false, "the lock is free");
	ranks_lock(HIGH2, 3);
	expect_circle(2, 3, false, "its owner waits for no lock");
	expect_circle(HIGH2, 0, false, "the chain ends with a thread that waits for no lock");
	ranks_wind_up();
}

/* The wait of the middle one has been ended, but its thread has not left the list yet. */
KTEST(circle_claimed, "circle.claimed", "05.4", "P5.7")
{
	static const enum wait_why ended[] = { WAIT_TIMEOUT, WAIT_KILLED, WAIT_SIGNAL };

	for (unsigned i = 0; i < 3 * ARRAY_SIZE(ended); i++) {
		unsigned link = i % 3;		/* the last one is a wait for a lock of actor 3 */
		struct pi_waiter *w = &by_hand_waiters[link];

		make_chain(4);
		expect_circle(3, 0, true, "all wait");
		atomic_store(&w->waiter.why, ended[i / 3]);
		expect_circle(3, 0, false, "a wait of the chain has been ended");
		if (link < 2)
			expect_circle(3, 2, true, "a wait that is not in the chain has been ended");
		atomic_store(&w->waiter.why, WAIT_ARMED);
		ranks_wind_up();
	}
}

/* PI3: a circle that could not be refused is marked where it was closed; no search goes round. */
KTEST(circle_marked, "circle.marked", "05.4", "P5.7")
{
	struct pi_waiter w;

	make_chain(3);
	ranks_lock(HIGH, 3);
	by_hand_close(&w, 2, 0);
	for (unsigned l = 0; l < 3; l++) {
		expect_circle(HIGH2, l, false, "three others wait for each other");
		by_hand.wait(HIGH, l);
		expect_circle(HIGH2, 3, false, "another waits for three that wait for each other");
		by_hand.expire(HIGH, l);
	}
	by_hand_open(&w);
	ranks_wind_up();
}

/* Random chains; each wait that could begin is asked about. */
KTEST(circle_model, "circle.model", "05.4", "P5.7")
{
	unsigned circles = 0;

	ranks_set_up(&by_hand, ranks_scene);
	for (unsigned n = 0; n < 200; n++) {
		ranks_random_step();
		for (int i = 0; i < ACTORS; i++) {
			for (unsigned l = 0; l < LOCKS; l++) {
				bool circle = ranks_circle(i, l);

				if (ranks_actors[i].waits_for != NOBODY)
					continue;
				circles += circle && ranks_holder[l] != i;
				expect_circle(i, l, circle, "random steps");
			}
		}
	}
	CHECK(circles > 100, "P5.7", "only %u circles were asked about", circles);
	ranks_wind_up();
}
