/*
 * The policies' promises, one hook at a time: the test drives a queue and entities by hand and sets
 * the time. So every policy is tested, whichever one the kernel runs, with the same result on any
 * machine. Properties over random sets of tasks: tools/simulate/test_policies.c.
 */
#include "errno.h"
#include "test/ktest.h"
#include "test_drive.h"

/* POLICY5, for policies that keep a bitmap. */
static void check_bitmap(const char *when)
{
	for (unsigned i = 0; i < LISTS; i++) {
		bool bit = q.bitmap & list_bit(i);

		CHECK(bit != list_empty(&q.lists[i]), "POLICY5", "%s, %s: bit of list %u lies",
		      p->name, when, i);
	}
}

/*
 * A thread whose slice is over goes behind those that wait, so all run in the order in which they
 * came. RESERVE3: normal threads under edf and rm do so too.
 */
KTEST(policies_turns, "policies.turns", "", "")
{
	static const struct sched_policy *const in_turn[] = {
		&sched_rr, &sched_prio, &sched_edf, &sched_rm,
	};

	for (unsigned n = 0; n < ARRAY_SIZE(in_turn); n++) {
		use(in_turn[n], 0);
		for (unsigned i = 0; i < 3; i++) {
			set(i, normal);
			wake(i);
		}
		for (unsigned turn = 0; turn < 6; turn++) {
			CHECK(running() == (int)turn % 3, "", "%s: turn %u is %d's", p->name, turn,
			      running());
			run(quantum_of(&e[0]));
		}
	}
}

/*
 * A thread preempted by a higher level is the next of its own level, with the rest of its slice.
 * Then its equal runs, for as long.
 */
KTEST(policies_preempted, "policies.preempted", "", "")
{
	static const struct sched_policy *const levels[] = { &sched_prio, &sched_edf };
	static const struct sched_params higher = { .class = SCHED_OTHER, .nice = NICE_HIGHEST };

	for (unsigned n = 0; n < ARRAY_SIZE(levels); n++) {
		u64 quantum;

		use(levels[n], 0);
		set(0, normal);
		set(1, normal);
		set(2, n ? reserved(10 * MS, 20 * MS) : higher);
		wake(0);
		wake(1);
		quantum = quantum_of(&e[0]);
		for (unsigned i = 1; i < 10; i++) {
			run(quantum / 10);
			wake(2);
			CHECK(running() == 2, "", "%s: a higher one waits", p->name);
			run(MS / 10);
			block();
			CHECK(running() == 0, "", "%s: its equal was let in", p->name);
		}
		run(quantum / 10);
		CHECK(running() == 1 && got[0] == quantum, "",
		      "%s: preempted from above, its slice was %lu ns", p->name, got[0]);
		run(quantum / 2);
		CHECK(got[1] == quantum / 2, "", "%s: its equal has %lu ns", p->name, got[1]);
	}
}

/* REALTIME4: a limit that is accepted holds from now on; one that is refused changes nothing. */
KTEST(policies_limit, "policies.limit", "", "")
{
	u64 limit = realtime_limit, period = realtime_period;

	CHECK(realtime_set_limit(600 * MS, 700 * MS) == 0, "", "600 of 700 ms are refused");
	CHECK(realtime_set_limit(701 * MS, 700 * MS) == -EINVAL, "", "701 of 700 ms");
	CHECK(realtime_set_limit(0, 0) == -EINVAL, "", "no period");
	CHECK(realtime_limit == 600 * MS && realtime_period == 700 * MS, "", "%lu of %lu ns",
	      realtime_limit, realtime_period);
	CHECK(realtime_set_limit(limit, period) == 0, "", "the old limit is refused");
}

/* A CPU that looks for a thread finds one that it may run behind one that it may not. */
KTEST(policies_found, "policies.found", "", "")
{
	static const struct sched_policy *const all[] = {
		&sched_rr, &sched_prio, &sched_mlfq, &sched_edf, &sched_rm, &sched_fair, &sched_pct,
	};

	for (unsigned n = 0; n < ARRAY_SIZE(all); n++) {
		use(all[n], 0);
		for (unsigned i = 0; i < 3; i++) {
			set(i, normal);
			e[i].affinity = BIT(i);
			enqueue(i, ENQUEUE_WAKE);
		}
		for (unsigned i = 0; i < 3; i++)
			CHECK(p->find(&q, i) == &e[i], "", "%s: CPU %u does not find its thread",
			      p->name, i);
		CHECK(!p->find(&q, 3), "", "%s: CPU 3 finds a thread", p->name);
	}
}

/*
 * --- prio ----------------------------------------------------------------------------------------
 */

/* A queued thread is found at every level, the lowest included. */
KTEST(policies_lowest, "policies.lowest", "", "")
{
	static const struct sched_policy *const leveled[] = { &sched_prio, &sched_mlfq };

	for (unsigned n = 0; n < ARRAY_SIZE(leveled); n++) {
		for (int nice = NICE_HIGHEST; nice <= NICE_LOWEST; nice++) {
			use(leveled[n], 0);
			set(0, (struct sched_params){ .class = SCHED_OTHER, .nice = nice });
			enqueue(0, ENQUEUE_WAKE);
			check_bitmap("one is queued");
			CHECK(level_first(&q) == &e[0], "POLICY5", "%s: nice %d is not found",
			      p->name, nice);
			p->dequeue(&q, &e[0]);		/* as if it was killed */
			check_bitmap("it was taken out");
			CHECK(p->pick(&q, now) == NULL, "POLICY5", "%s: an entity is found",
			      p->name);
		}
	}
}

/* prio.c's bound holds for every thread, not only for the first of its level. */
KTEST(policies_aging, "policies.aging", "", "")
{
	static const int nice[][ENTITIES] = {
		{ -20, -20, 0, 0, 0, 19, 19, 19 },
		{ -20, 19, 19, 19, 19, 19, 19, 19 },
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
		run(40 * LEVELS * aging);
		for (unsigned i = 0; i < ENTITIES; i++) {
			u64 bound = (16 - level_of_params(&e[i].params)) * aging + quanta;

			CHECK(worst_wait(i) <= bound, "", "nice %d, number %u: waits %lu ns",
			      nice[n][i], i, worst_wait(i));
		}
		check_bitmap("after a while");
	}
}

/*
 * --- mlfq ----------------------------------------------------------------------------------------
 */

/* Enough to sink to the bottom: the allotments are a quarter of a quantum, a half, ... */
#define SINK	(4 * sched_quantum)

/* Giving the CPU away just before the allotment is over does not keep the level. */
KTEST(policies_games, "policies.games", "", "")
{
	for (unsigned n = 0; n < 3; n++) {
		use(&sched_mlfq, 0);
		set(0, normal);
		wake(0);
		for (unsigned round = 0; round < 20; round++) {
			run(sched_quantum / 4 * 9 / 10);
			if (n == 0) {
				give_way(ENQUEUE_YIELD);
			} else if (n == 1) {
				block();
				now += MS / 10;
				wake(0);
			} else {
				give_way(ENQUEUE_PREEMPTED);
			}
		}
		CHECK(e[0].base.level < 3, "", "20 rounds of 90 %%: it is at level %u",
		      e[0].base.level);
	}
}

/*
 * MLFQ1: a boost reaches the running thread, the queued ones and the blocked one. All start afresh
 * at the top: level, list and allotment change together.
 */
KTEST(policies_boost, "policies.boost", "", "")
{
	u64 top, bottom;

	use(&sched_mlfq, 0);
	set(3, normal);
	wake(3);			/* sinks alone, and is blocked at the boost */
	top = e[3].slice_left;
	run(SINK);
	bottom = e[3].slice_left;
	CHECK(e[3].base.level == 0 && bottom > top, "", "it sank to level %u", e[3].base.level);
	block();
	for (unsigned i = 0; i < 3; i++) {
		set(i, normal);
		wake(i);
	}
	run(3 * SINK);
	for (unsigned i = 0; i < 3; i++)
		CHECK(e[i].base.level == 0, "", "spinner %u is at level %u", i, e[i].base.level);
	run(q.timer_at - now);		/* the boost */
	check_bitmap("after a boost");
	CHECK(q.current->base.level == 4 && q.current->used == 0, "",
	      "the running one is at level %u, %lu ns used", q.current->base.level,
	      q.current->used);
	for (unsigned i = 0; i < 4; i++)
		got[i] = 0;
	wake(3);
	CHECK(e[3].base.level == 4 && e[3].used == 0, "", "the blocked one wakes at level %u",
	      e[3].base.level);
	/* Each gets a whole allotment of the top level, in turn, before any sinks further. */
	run(4 * top);
	for (unsigned i = 0; i < 4; i++) {
		CHECK(e[i].base.level >= 3, "", "%u, boosted, is at level %u", i, e[i].base.level);
		CHECK(got[i] == top, "", "%u, boosted, gets %lu ns, not %lu", i, got[i], top);
	}
	for (unsigned i = 0; i < 4; i++) {
		if (running() == (int)i)
			continue;
		p->dequeue(&q, &e[i]);
		check_bitmap("taken out");
	}
	CHECK(q.nr == 0, "POLICY4", "none is queued, and %u are counted", q.nr);
}

/*
 * --- edf and rm ----------------------------------------------------------------------------------
 */

static const struct sched_policy *const reserving[] = { &sched_edf, &sched_rm };

/* EDF3: the earlier deadline goes first, on whichever side of the clock's wrap either is. */
KTEST(policies_wrap, "policies.wrap", "", "")
{
	for (unsigned n = 0; n < 2; n++) {
		use(&sched_edf, n ? 0 : -(5 * MS));
		set(0, reserved(MS, 10 * MS));
		set(1, reserved(MS, 4 * MS));
		wake(0);
		wake(1);
		CHECK(running() == 1, "", "a deadline behind the clock's wrap goes first");
		run(MS);
		CHECK(running() == 0, "", "then %d runs", running());
		run(99 * MS);		/* across the wrap, period after period */
		CHECK(got[0] == 10 * MS && got[1] == 25 * MS, "", "%lu and %lu ns", got[0], got[1]);
	}
}

/* EDF3, RM3: of equal deadlines, or periods, the first to come runs first, in every period. */
KTEST(policies_ties, "policies.ties", "", "")
{
	static const u8 order[] = { 2, 0, 1 };

	for (unsigned n = 0; n < ARRAY_SIZE(reserving); n++) {
		use(reserving[n], 0);
		for (unsigned i = 0; i < 3; i++) {
			set(order[i], reserved(2 * MS, 10 * MS));
			wake(order[i]);
		}
		for (unsigned turn = 0; turn < 30; turn++) {
			CHECK(running() == order[turn % 3], "", "%s: turn %u is %d's", p->name,
			      turn, running());
			run(2 * MS);
			if (turn % 3 == 2)
				run(4 * MS);
		}
		for (unsigned i = 0; i < 3; i++)
			CHECK(got[i] == 20 * MS, "", "%s: %u had %lu ns", p->name, i, got[i]);
	}
}

/*
 * EDF1, RESERVE1: a thread that declares 2 of 10 and spins gets 2 of 10, and makes no honest thread
 * late.
 */
KTEST(policies_budget, "policies.budget", "", "")
{
	for (unsigned n = 0; n < ARRAY_SIZE(reserving); n++) {
		use(reserving[n], 0);
		set(0, reserved(2 * MS, 10 * MS));
		set(1, reserved(5 * MS, 20 * MS));
		set(2, normal);
		wake(2);
		wake(0);
		for (unsigned round = 0; round < 10; round++) {
			u64 before = got[1];

			wake(1);
			run(5 * MS + 2 * MS);
			CHECK(got[1] - before == 5 * MS, "", "%s: round %u: the honest one has %lu",
			      p->name, round, got[1] - before);
			/* one job a period: it does not use what is left of its budget */
			if (running() == 1)
				block();
			else
				p->dequeue(&q, &e[1]);
			run(13 * MS);
			CHECK(got[0] == (round + 1) * 4 * MS, "", "%s: round %u: the liar has %lu",
			      p->name, round, got[0]);
		}
	}
}

/*
 * RM1: budget that was spent in two parts comes back in two parts, each one period after it could
 * be spent. RM2: budget and refunds always add up to the runtime.
 */
KTEST(policies_refunds, "policies.refunds", "", "")
{
	/* ms: how long it has run by each moment */
	static const u64 moments[] = { 6, 10, 11, 14, 15, 16, 20, 21, 24, 26, 30 };
	static const u64 expected[] = { 3, 3, 4, 4, 5, 6, 6, 7, 7, 9, 9 };

	use(&sched_rm, 0);
	set(0, reserved(3 * MS, 10 * MS));
	wake(0);
	run(MS);
	block();
	now = 4 * MS;
	wake(0);
	for (unsigned i = 0; i < ARRAY_SIZE(expected); i++) {
		run(moments[i] * MS - now);
		CHECK(got[0] == expected[i] * MS, "", "after %lu ms it has run %lu ns",
		      moments[i], got[0]);
		CHECK(e[0].budget + e[0].refund[0].amount + e[0].refund[1].amount == 3 * MS, "",
		      "after %lu ms budget and refunds are not the runtime", moments[i]);
	}
}

/* A throttled thread gets another reservation, and its next budget sooner: the CPU must look. */
KTEST(policies_sooner, "policies.sooner", "", "")
{
	struct sched_params rare = reserved(2 * MS, 10 * MS);
	bool look;

	rare.period = 100 * MS;
	use(&sched_edf, 0);
	set(0, rare);
	set(1, normal);
	wake(1);
	wake(0);
	run(3 * MS);
	CHECK(running() == 1 && q.timer_at == 100 * MS, "", "%d runs, for the other is time at %lu",
	      running(), q.timer_at);
	p->dequeue(&q, &e[0]);
	set(0, reserved(2 * MS, 10 * MS));
	look = enqueue(0, ENQUEUE_CHANGED);
	CHECK(look && q.timer_at == 10 * MS, "", "it %s for the budget that comes at %lu",
	      look ? "looks" : "does not look", q.timer_at);
}

/*
 * --- fair ----------------------------------------------------------------------------------------
 */

/* FAIR3: a long sleep earns no more credit than a short one. */
KTEST(policies_sleeper, "policies.sleeper", "", "")
{
	u64 slice, before;

	use(&sched_fair, 0);
	for (unsigned i = 0; i < 2; i++) {
		set(i, normal);
		wake(i);
	}
	CHECK(p->interval(&e[0]) == e[0].slice_left, "", "it would have %lu ns, not %lu",
	      p->interval(&e[0]), e[0].slice_left);
	run(10 * sched_quantum);
	while (running() != 1)
		run(MS / 10);
	block();
	slice = e[0].slice_left;
	slice = MAX(slice, sched_quantum / 4);
	run(1000 * slice);
	waited[0] = 0;
	before = got[1];
	wake(1);
	run(100 * slice);
	CHECK(waited[0] <= 4 * slice, "", "a sleeper keeps another waiting %lu ns", waited[0]);
	before = got[1] - before;
	CHECK(before >= 46 * slice && before <= 54 * slice, "", "it gets %lu of %lu ns",
	      before, 100 * slice);
}

/* A thread that is preempted before it has run goes on before its equal. */
KTEST(policies_fair_kept, "policies.fair_kept", "", "")
{
	use(&sched_fair, 0);
	for (unsigned i = 0; i < 2; i++) {
		set(i, normal);
		wake(i);
	}
	CHECK(running() == 0, "", "the first is %d", running());
	give_way(ENQUEUE_PREEMPTED);
	CHECK(running() == 0, "", "its equal was let in");
}

/* A thread of SCHED_IDLE has the weight 3, a normal one 1024; each is off by a slice or two. */
KTEST(policies_idle_class, "policies.idle_class", "", "")
{
	u64 slice = sched_quantum / 4, expected = 3 * 10 * slice;

	use(&sched_fair, 0);
	set(0, normal);
	set(1, (struct sched_params){ .class = SCHED_IDLE });
	wake(0);
	wake(1);
	run((3 + 1024) * 10 * slice);
	CHECK(got[1] + 2 * slice >= expected && got[1] <= expected + 2 * slice, "",
	      "its share of %lu ns is %lu, and it has %lu", now, expected, got[1]);
}

/*
 * --- pct -----------------------------------------------------------------------------------------
 */

/* The thread that runs at a change point falls below the others, by a random amount. */
KTEST(policies_change, "policies.change", "", "")
{
	unsigned behind = 0, seeds = 64;

	for (unsigned seed = 0; seed < seeds; seed++) {
		int first, second;

		use(&sched_pct, 0);
		q.random = seed;
		for (unsigned i = 0; i < 3; i++) {
			set(i, normal);
			wake(i);
		}
		first = running();
		give_way(ENQUEUE_EXPIRED);
		second = running();
		CHECK(second != first, "", "seed %u: it runs on over its change point", seed);
		give_way(ENQUEUE_EXPIRED);
		CHECK(running() != first && running() != second, "",
		      "seed %u: it fell, and runs before one that has not", seed);
		behind += e[first].base.key < e[second].base.key;
	}
	CHECK(behind > seeds / 4 && behind < seeds * 3 / 4, "",
	      "in %u of %u seeds the first that falls stays above the second", behind, seeds);
}
