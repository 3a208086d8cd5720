/*
 * Lab 09, step 2: aging, case by case.
 */
#include "aging.h"

static void check_rise(unsigned rounds, unsigned above, bool inherits)
{
	unsigned gained = rounds ? rounds - 1 : 0;

	begin();
	if (inherits)
		e[0].inherited = (struct sched_rank){ .level = 3 };
	put_at(0, inherits ? 1 : 3);
	for (unsigned i = 0; i < rounds; i++)
		a_round();
	put_at(1, 3 + above);
	q.current = NULL;
	pick();
	CHECK(running() == (gained >= above ? 0 : 1), "P9.3",
	      "level %s waits %u rounds, then level %u comes: entity %d is picked",
	      inherits ? "1 that has inherited 3" : "3", rounds, 3 + above, running());
}

/* It has waited for no round, and rises in the next one: after none, or after some. */
static void check_preempted(unsigned rounds)
{
	begin();
	put_at(1, 0);
	for (unsigned i = 0; i < rounds; i++)
		a_round();
	put_at(0, 9);
	expect_next(0, "P9.3", "level 9, above all others");
	q.current = NULL;
	enqueue(0, ENQUEUE_PREEMPTED);
	a_round();
	put_at(2, 10);
	expect_next(0, "P9.3", "level 9, preempted before a round, and level 10, come after it");
}

/* And each of the two is picked once. */
static void check_rise_of_both(unsigned rounds, unsigned above, bool inherits)
{
	check_rise(rounds, above, inherits);
	expect_next(running() == 0 ? 1 : 0, "P9.3", "then the other one");
	expect_next(-1, "P9.3", "both were picked");
}

/*
 * The first round that it waits through raises no thread, but one that was preempted, and each
 * later one does, by one level: from the one that counts.
 */
KTEST_EARLY(aging_rises, "aging.rises", "09.2", "P9.3")
{
	for (unsigned rounds = 0; rounds < 6; rounds++)
		for (unsigned above = 1; above < 6; above++)
			check_rise(rounds, above, false);
	for (unsigned rounds = 0; rounds < 6; rounds++)
		for (unsigned above = 1; above < 6; above++) {
			check_rise_of_both(rounds, above, false);
			check_rise_of_both(rounds, above, true);
		}
	check_preempted(0);
	check_preempted(3);
}

/* A crowd of one level: no round leaves any of them behind. */
static void check_crowd(void)
{
	static struct sched_entity crowd[300];
	unsigned behind = 0;

	begin();
	for (unsigned i = 0; i < ARRAY_SIZE(crowd); i++) {
		policy_entity_init(&crowd[i], ~0u, now);
		crowd[i].params = params_of_level(2);
		p->start(&crowd[i], now);
		p->enqueue(&q, &crowd[i], ENQUEUE_WAKE, now);
	}
	for (unsigned i = 0; i < 3; i++)
		a_round();
	put_at(0, 3);
	for (unsigned i = 0; i < ARRAY_SIZE(crowd); i++)
		behind += p->pick(&q, now) != &crowd[i];
	REQUIRE(!behind, "P9.3",
		"300 of level 2 waited three rounds, then level 3 came: %u of them are not in turn",
		behind);
	expect_next(0, "P9.3", "level 3, after 300 that have risen above it");
}

/* Not only the first of a level rises, and all of them keep their order. */
KTEST_EARLY(aging_all, "aging.all", "09.2", "P9.3")
{
	begin();
	for (unsigned i = 0; i < 4; i++)
		put_at(i, 2);
	for (unsigned i = 0; i < 3; i++)
		a_round();
	put_at(4, 3);
	put_at(5, 4);
	/* at level 4 are 0, 1, 2, 3, then 5 that has come; at level 3 is 4 */
	for (int i = 0; i < 4; i++)
		expect_next(i, "P9.3", "four of level 2 waited three rounds");
	expect_next(5, "P9.3", "level 4 that came later");
	expect_next(4, "P9.3", "level 3");
	check_crowd();
}

/* Those that rise go behind those that have been there. */
KTEST_EARLY(aging_behind, "aging.behind", "09.2", "P9.3")
{
	begin();
	put_at(0, 6);
	a_round();
	put_at(1, 7);
	a_round();			/* 0 rises to level 7, where 1 waits */
	expect_next(1, "P9.3", "level 6 has risen to level 7");
	expect_next(0, "P9.3", "it has risen");
}

/* One that is preempted goes before all its equals, also before those that have risen. */
KTEST_EARLY(aging_before, "aging.before", "09.2", "P9.1")
{
	begin();
	put_at(0, 6);
	put_at(1, 7);
	expect_next(1, "P9.1", "level 7");
	a_round();
	a_round();			/* 0 has risen to level 7 */
	put_at(2, 7);
	q.current = NULL;
	enqueue(1, ENQUEUE_PREEMPTED);
	expect_next(1, "P9.1", "preempted, beside one that has risen");
	expect_next(0, "P9.1", "it has risen");
	expect_next(2, "P9.1", "it came last");
}

/* A round looks whether one that has risen is above the thread that runs. */
KTEST_EARLY(aging_takes_cpu, "aging.takes_cpu", "09.2", "P9.3")
{
	begin();
	put_at(0, 8);
	expect_next(0, "P9.3", "it is alone");
	put_at(1, 6);
	for (unsigned i = 0; i < 3; i++)
		CHECK(!a_round(), "P9.3", "after %u rounds level 6 takes the CPU from level 8",
		      i + 1);
	CHECK(a_round(), "P9.3", "after 4 rounds level 6 does not take the CPU from level 8");
	give_way(ENQUEUE_PREEMPTED);
	CHECK(running() == 1, "P9.3", "level 6 has risen above 8, and %d is picked", running());
}

/* At the top no thread rises any more, nor above a thread that runs with a more urgent rank. */
KTEST_EARLY(aging_top, "aging.top", "09.2", "P9.3")
{
	unsigned taken = 0;

	begin();
	put_at(0, TOP);
	expect_next(0, "P9.3", "it is alone");
	put_at(1, 0);
	put_at(2, TOP);
	for (unsigned i = 0; i < 260; i++)	/* more than fit into 8 bits */
		taken += a_round();
	CHECK(!taken, "P9.3", "in 260 rounds one takes the CPU from level 15 %u times", taken);
	put_at(3, TOP);
	expect_next(2, "P9.3", "level 15, come first");
	expect_next(1, "P9.3", "level 0 that has risen to the top");
	expect_next(3, "P9.3", "level 15, come last");
	e[3].inherited = (struct sched_rank){ .level = LEVEL_REAL_TIME };
	put_at(4, TOP);
	for (unsigned i = 0; i < 5; i++)
		CHECK(!a_round(), "P9.3", "level 15 takes the CPU from level 16 that is inherited");
}

/* An empty queue has no rounds; the first one that waits has them again, with the whole time. */
KTEST_EARLY(aging_begins, "aging.begins", "09.2", "P9.3")
{
	u64 time;

	begin();
	put_at(0, 4);
	time = q.timer_at - now;
	a_round();
	CHECK(q.timer_set && q.timer_at - now == time, "P9.3", "a round comes in %lu ns, not %lu",
	      q.timer_at - now, time);
	expect_next(0, "P9.3", "it is alone");
	for (unsigned i = 0; i < 10 && q.timer_set; i++)
		a_round();
	CHECK(!q.timer_set, "P9.3", "no thread waits, and rounds go on");
	now += 7 * time + 1;
	put_at(1, 1);
	CHECK(q.timer_set && q.timer_at - now <= time, "P9.3", "one waits, and no round comes");
	a_round();
	put_at(2, 2);
	expect_next(2, "P9.3", "level 1 waited one round, then level 2 came");
}

/* Level 4 waits for four rounds, and runs as level 7. */
static void gain_three(bool inherits)
{
	begin();
	if (inherits)
		e[0].inherited = (struct sched_rank){ .level = 4 };
	put_at(0, inherits ? 2 : 4);
	for (unsigned i = 0; i < 4; i++)
		a_round();
	expect_next(0, "P9.4", "it is alone");
	set(2, params_of_level(7));
	CHECK(!enqueue(2, ENQUEUE_WAKE), "P9.4",
	      "level %s has gained 3 and runs, and one of level 7 takes the CPU",
	      inherits ? "2 that has inherited 4" : "4");
	p->dequeue(&q, &e[2]);
}

/* A gain is kept or lost, depending on how the thread comes back to the queue. */
KTEST_EARLY(aging_kept, "aging.kept", "09.2", "P9.4")
{
	static const struct {
		enum enqueue_why why;
		bool keeps;
		const char *when;
	} ways[] = {
		{ ENQUEUE_PREEMPTED, true, "preempted" },
		{ ENQUEUE_EXPIRED, false, "has had its whole slice" },
		{ ENQUEUE_YIELD, false, "yielded" },
		{ ENQUEUE_WAKE, false, "was blocked" },
	};

	for (unsigned n = 0; n < ARRAY_SIZE(ways); n++) {
		gain_three(false);
		put_at(1, 6);
		q.current = NULL;
		enqueue(0, ways[n].why);
		pick();
		CHECK(running() == (ways[n].keeps ? 0 : 1), "P9.4",
		      "level 4 has gained 3 and %s: entity %d is picked", ways[n].when, running());
	}
	gain_three(true);
	/* no other waits when it yields, and then one of level 6 comes */
	gain_three(false);
	give_way(ENQUEUE_YIELD);
	CHECK(running() == 0, "P9.4", "it is alone, yields, and %d runs", running());
	set(1, params_of_level(6));
	CHECK(enqueue(1, ENQUEUE_WAKE), "P9.4",
	      "level 4 has gained 3 and yielded, and one of level 6 does not take the CPU");
}

/* The same for one that is taken out of the queue: to another CPU's, or for a new priority. */
KTEST_EARLY(aging_moved, "aging.moved", "09.2", "P9.4")
{
	for (unsigned n = 0; n < 2; n++) {
		bool changes = n == 1;

		begin();
		put_at(0, 4);
		for (unsigned i = 0; i < 4; i++)
			a_round();
		p->dequeue(&q, &e[0]);
		if (changes)
			set(0, params_of_level(5));
		enqueue(0, changes ? ENQUEUE_CHANGED : ENQUEUE_MIGRATED);
		a_round();
		put_at(1, 6);
		q.current = NULL;
		pick();
		CHECK(running() == (changes ? 1 : 0), "P9.4",
		      "level 4 has gained 3 and was %s: entity %d is picked",
		      changes ? "given level 5" : "moved to another CPU", running());
	}
}

/* It comes from a CPU whose rounds are not this one's: there were none here, or many more. */
KTEST_EARLY(aging_elsewhere, "aging.elsewhere", "09.2", "P9.4")
{
	static struct policy_queue other;

	for (unsigned rounds = 0; rounds < 12; rounds++) {
		begin();
		policy_queue_init(&other, 1);
		set(0, params_of_level(4));
		p->enqueue(&other, &e[0], ENQUEUE_WAKE, now);
		put_at(7, 0);
		for (unsigned i = 0; i < rounds; i++)
			a_round();
		p->dequeue(&q, &e[7]);
		for (unsigned i = 0; i < 4; i++)
			p->timer(&other, now);
		p->dequeue(&other, &e[0]);
		enqueue(0, ENQUEUE_MIGRATED);
		put_at(1, 8);
		put_at(2, 6);
		expect_next(1, "P9.4", "level 4 gained 3 on another CPU, and level 8");
		expect_next(0, "P9.4", "level 4 gained 3 on another CPU, and level 6");
		CHECK(q.nr == 1 && other.nr == 0, "P9.4",
		      "one waits, and the queues count %u and %u", q.nr, other.nr);
	}
}

/* Gained, preempted, gained again: it adds up, until it has had its whole slice. */
KTEST_EARLY(aging_adds_up, "aging.adds_up", "09.2", "P9.4")
{
	begin();
	put_at(0, 2);
	for (unsigned i = 0; i < 3; i++)
		a_round();		/* level 4 */
	expect_next(0, "P9.4", "it is alone");
	put_at(1, 9);
	give_way(ENQUEUE_PREEMPTED);
	REQUIRE(running() == 1, "P9.2", "level 9 waits, and %d runs", running());
	for (unsigned i = 0; i < 6; i++)
		CHECK(a_round() == (i == 5), "P9.4",
		      "level 2 has gained 2, was preempted and waits %u more rounds", i + 1);
	give_way(ENQUEUE_PREEMPTED);
	CHECK(running() == 0, "P9.4", "level 2 has gained 8, and %d runs beside level 9",
	      running());
	set(3, params_of_level(10));
	CHECK(!enqueue(3, ENQUEUE_WAKE), "P9.4",
	      "level 2 has gained 2 and then 6, and one of level 10 takes the CPU");
	p->dequeue(&q, &e[3]);
	give_way(ENQUEUE_EXPIRED);
	CHECK(running() == 1, "P9.4", "it has had its whole slice, and %d runs beside level 9",
	      running());
}

/* The bound holds for every thread, not only for the first of its level. */
KTEST_EARLY(aging_bound, "aging.bound", "09.2", "P9.4")
{
	static const int nice[][ENTITIES] = {
		{ -20, -20, 0, 0, 0, 19, 19, 19 },
		{ -20, 19, 19, 19, 19, 19, 19, 19 },
		{ -20, -15, -10, -5, 0, 5, 10, 19 },
	};

	for (unsigned n = 0; n < ARRAY_SIZE(nice); n++) {
		u64 quanta = 0, aging;

		use(&sched_prio, 0);
		for (unsigned i = 0; i < ENTITIES; i++) {
			set(i, (struct sched_params){ .class = SCHED_OTHER, .nice = nice[n][i] });
			wake(i);
			quanta += quantum_of(&e[i]);
		}
		aging = q.timer_at - now;
		run(400 * aging);
		for (unsigned i = 0; i < ENTITIES; i++) {
			u64 bound = (16 - level_of_params(&e[i].params)) * aging + quanta -
				    quantum_of(&e[i]);

			CHECK(worst_wait(i) <= bound, "P9.4",
			      "nice %d, number %u: waits %lu us, the bound is %lu us", nice[n][i],
			      i, worst_wait(i) / 1000, bound / 1000);
			CHECK(got[i] >= quantum_of(&e[i]), "P9.4",
			      "nice %d, number %u: runs %lu us in all", nice[n][i], i,
			      got[i] / 1000);
		}
	}
}
