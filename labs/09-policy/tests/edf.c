/*
 * Lab 09, step 6: earliest deadline first, within budgets.
 */
#include "edf.h"

/* The earlier deadline goes first, on whichever side of the clock's wrap either is. */
KTEST_EARLY(edf_order, "edf.order", "09.6", "P9.9")
{
	static const u64 starts[] = { 0, 12345 * MS, -(5 * MS), -(1 * MS), -(9 * MS), 1UL << 63 };

	for (unsigned n = 0; n < ARRAY_SIZE(starts); n++) {
		begin(starts[n]);
		set(0, reserved(MS, 10 * MS));
		set(1, reserved(MS, 4 * MS));
		set(2, reserved(MS, 7 * MS));
		enqueue(3, ENQUEUE_WAKE);
		for (unsigned i = 0; i < 3; i++)
			enqueue(i, ENQUEUE_WAKE);
		expect_deadline(1, now + 4 * MS, "P9.9", "it woke now, for 4 ms");
		expect_next(1, "P9.9", "deadlines in 10, 4 and 7 ms");
		expect_next(2, "P9.9", "deadlines in 10 and 7 ms");
		expect_next(0, "P9.9", "a deadline, and none");
		expect_next(3, "P9.9", "one without a reservation");
	}
}

/* The same when they have slept: each goes by the deadline that it has now. */
KTEST_EARLY(edf_again, "edf.again", "09.6", "P9.9")
{
	begin(-(30 * MS));
	set(0, reserved(MS, 10 * MS));
	set(1, reserved(MS, 18 * MS));
	for (unsigned i = 0; i < 2; i++) {
		wake(0);
		wake(1);
		use_up(MS / 2);
		block();
		use_up(MS / 2);
		block();
		now += 19 * MS;
	}
	enqueue(1, ENQUEUE_WAKE);	/* deadline in 18 ms */
	now += 10 * MS;
	enqueue(0, ENQUEUE_WAKE);	/* and 2 ms later than that */
	expect_next(1, "P9.9", "deadlines in 8 and 10 ms, which they did not have before");
	expect_next(0, "P9.9", "a deadline in 10 ms");
}

/* One with an earlier deadline takes the CPU; one with a later one, or an equal one, does not. */
KTEST_EARLY(edf_takes_cpu, "edf.takes_cpu", "09.6", "P9.9")
{
	static const struct {
		u64 comes;
		bool takes;
	} cases[] = { { 4, true }, { 9, true }, { 10, false }, { 11, false } };

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(-(5 * MS));
		set(0, reserved(MS, 10 * MS));
		wake(0);
		set(1, reserved(MS, cases[i].comes * MS));
		CHECK(enqueue(1, ENQUEUE_WAKE) == cases[i].takes, "P9.9",
		      "a deadline in %lu ms %s the CPU from one in 10 ms", cases[i].comes,
		      cases[i].takes ? "does not take" : "takes");
		CHECK(!enqueue(2, ENQUEUE_WAKE), "P9.9",
		      "one without a reservation takes the CPU from one with it");
	}
	begin(0);
	wake(2);
	set(1, reserved(MS, 100 * MS));
	CHECK(enqueue(1, ENQUEUE_WAKE), "P9.9",
	      "one with a reservation does not take the CPU from one without");
}

/* Of equal deadlines the first to come runs first, in every period. */
KTEST_EARLY(edf_ties, "edf.ties", "09.6", "P9.9")
{
	static const u8 order[] = { 2, 0, 1 };

	begin(0);
	for (unsigned i = 0; i < 3; i++) {
		set(order[i], reserved(2 * MS, 10 * MS));
		wake(order[i]);
	}
	for (unsigned turn = 0; turn < 30; turn++) {
		REQUIRE(running() == order[turn % 3], "P9.9", "equal deadlines: turn %u is %d's",
			turn, running());
		run(2 * MS);
		if (turn % 3 == 2)
			run(4 * MS);
	}
}

/*
 * The first of two equals keeps the CPU for its whole budget, also when the budget is new and the
 * slice of the old one was not used up: after a sleep, and after a yield.
 */
KTEST_EARLY(edf_whole_turn, "edf.whole_turn", "09.6", "P9.9")
{
	for (unsigned n = 0; n < 2; n++) {
		begin(0);
		set(0, reserved(8 * MS, 20 * MS));
		set(1, reserved(2 * MS, n ? 20 * MS : 15 * MS));
		wake(0);
		run(MS);
		if (n) {
			block();
			run(29 * MS);
			wake(0);	/* at 30 ms; deadline 50 ms */
		} else {
			give_way(ENQUEUE_YIELD);
			run(24 * MS);	/* to 25 ms; deadline 40 ms */
		}
		wake(1);
		REQUIRE(running() == 0, "P9.9", "it has a new budget, and %d runs", running());
		run(n ? 8 * MS - 1 : 3 * MS - 1);
		CHECK(running() == 0, "P9.9", "it %s, and before its budget was spent %d ran",
		      n ? "slept" : "had yielded in its last period", running());
		run(1);
		CHECK(running() == 1, "P9.9", "its budget is spent, and %d runs", running());
	}
}

/* One that is preempted goes on before its equals; the deadline is still the same. */
KTEST_EARLY(edf_preempted, "edf.preempted", "09.6", "P9.9")
{
	begin(0);
	set(0, reserved(4 * MS, 20 * MS));
	set(1, reserved(4 * MS, 20 * MS));
	wake(0);
	wake(1);
	run(MS);
	set(2, reserved(MS, 5 * MS));
	wake(2);
	REQUIRE(running() == 2, "P9.9", "the earlier deadline: %d runs", running());
	run(MS);
	CHECK(running() == 0, "P9.9", "preempted, it is to go on before its equal, and %d runs",
	      running());
	expect_deadline(0, 20 * MS, "P9.10", "it was preempted");
	expect_budget(0, 3 * MS, "P9.11", "it ran 1 of 4 ms");
}

/*
 * One that was preempted, moved or changed has not slept: whatever is left, and whenever it comes
 * back, its period goes on.
 */
KTEST_EARLY(edf_no_sleep, "edf.no_sleep", "09.6", "P9.10")
{
	static const enum enqueue_why ways[] = {
		ENQUEUE_PREEMPTED, ENQUEUE_EXPIRED, ENQUEUE_MIGRATED, ENQUEUE_CHANGED,
	};

	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		begin(0);
		set(0, reserved(4 * MS, 20 * MS));
		wake(0);
		use_up(MS);
		now = 15 * MS;		/* 3 ms are left for 5, as others ran */
		q.current = NULL;
		enqueue(0, ways[i]);
		expect_deadline(0, 20 * MS, "P9.10", "it has not slept");
		expect_budget(0, 3 * MS, "P9.10", "it has not slept");
		expect_next(0, "P9.10", "it has not slept");
		use_up(3 * MS - 1);
		now = 25 * MS;		/* 1 ns is left, and the deadline is over */
		q.current = NULL;
		enqueue(0, ways[i]);
		expect_deadline(0, 20 * MS, "P9.10", "it has not slept, and 1 ns is left");
		expect_budget(0, 1, "P9.10", "it has not slept, and 1 ns is left");
	}
}

/*
 * One that wakes keeps its deadline and its budget if what is left is at most its share of the time
 * that is left: 4 of 20 ms here. Times are us since its period began.
 */
KTEST_EARLY(edf_wakes, "edf.wakes", "09.6", "P9.10")
{
	static const struct {
		u64 runs, wakes;
		bool keeps;
	} cases[] = {
		{ 1000, 1500, true },	/* 3 ms for 18.5: its share is 3.7 */
		{ 1000, 5000, true },	/* 3 ms for 15: exactly its share */
		{ 1000, 5001, false },
		{ 3000, 15000, true },	/* 1 ms for 5 */
		{ 3000, 15001, false },
		{ 3999, 19994, true },	/* 1 us for 6 */
		{ 3999, 19996, false },
		{ 1000, 20000, false },	/* its deadline is now */
		{ 1000, 90000, false },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		for (unsigned n = 0; n < 2; n++) {
			u64 start = n ? -(10 * MS) : 7 * MS;
			s64 left = (s64)(4 * MS - cases[i].runs * 1000);

			begin(start);
			set(0, reserved(4 * MS, 20 * MS));
			wake(0);
			expect_deadline(0, start + 20 * MS, "P9.10", "its first period");
			use_up(cases[i].runs * 1000);
			block();
			now = start + cases[i].wakes * 1000;
			wake(0);
			expect_deadline(0, cases[i].keeps ? start + 20 * MS : now + 20 * MS,
					"P9.10", "it has slept");
			expect_budget(0, cases[i].keeps ? left : (s64)(4 * MS), "P9.10",
				      "it has slept");
			CHECK((s64)p->slice(&q, &e[0]) == e[0].budget, "P9.11",
			      "its slice is %lu us", p->slice(&q, &e[0]) / 1000);
		}
	}
}

/* Of its budget just its share of the time until its deadline is left, and 1 ns later too much. */
KTEST_EARLY(edf_wakes_last, "edf.wakes_last", "09.6", "P9.10")
{
	static const struct {
		u64 runtime, period, left, until;
	} cases[] = {
		{ 4 * MS, 20 * MS, 1, 5 },
		{ 3 * MS, 10 * MS, 1000001, 3333337 },	/* no whole number: 3333336.67 */
	};

	for (unsigned i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		u64 runtime = cases[i / 2].runtime, period = cases[i / 2].period;
		u64 left = cases[i / 2].left;
		bool keeps = i % 2;

		begin(0);
		set(0, reserved(runtime, period));
		wake(0);
		use_up(runtime - left);
		block();
		now = period - cases[i / 2].until + !keeps;
		wake(0);
		expect_deadline(0, keeps ? period : now + period, "P9.10", "a little was left");
		expect_budget(0, (s64)(keeps ? left : runtime), "P9.10", "a little was left");
	}
}

/* With a deadline before the end of its period its share is runtime / deadline. */
KTEST_EARLY(edf_wakes_early, "edf.wakes_early", "09.6", "P9.10")
{
	for (unsigned n = 0; n < 2; n++) {
		begin(0);
		set(0, promised(4 * MS, 10 * MS, 40 * MS));
		wake(0);
		expect_deadline(0, 10 * MS, "P9.10", "4 ms within 10 of every 40");
		use_up(2 * MS);
		block();
		now = n ? 5 * MS + 1 : 5 * MS;	/* 2 ms are left for 5 */
		wake(0);
		expect_deadline(0, n ? now + 10 * MS : 10 * MS, "P9.10", "it has slept");
		expect_budget(0, (n ? 4 : 2) * (s64)MS, "P9.10", "it has slept");
	}
}

/* The largest reservations: products of two of their times need more than 62 bits. */
KTEST_EARLY(edf_wakes_large, "edf.wakes_large", "09.6", "P9.10")
{
	u64 period = RESERVED_PERIOD_MAX, runtime = period - 1;

	begin(0);
	set(0, reserved(runtime, period));
	wake(0);
	use_up(MS);
	block();
	wake(0);
	expect_deadline(0, period, "P9.10", "it slept for no time");
	use_up(MS);
	block();
	now += MS;
	wake(0);
	expect_deadline(0, now + period, "P9.10", "it slept longer than it may");
}

/* It has run on for 10 s instead of 2, so its deadline may be several periods ahead. */
KTEST_EARLY(edf_wakes_far, "edf.wakes_far", "09.6", "P9.10")
{
	for (unsigned slept = 0; slept < 30; slept++) {
		u64 deadline;
		bool keeps;

		begin(0);
		set(0, reserved(2000 * MS, 4000 * MS));
		wake(0);
		use_up(10000 * MS);
		give_way(ENQUEUE_EXPIRED);
		while (!q.nr && running() < 0 && q.timer_set) {
			now = q.timer_at;
			p->timer(&q, now);
		}
		if (running() < 0)
			pick();
		REQUIRE(running() == 0, "P9.11", "it was in debt, and never runs again");
		block();
		now += slept * 1000 * MS;
		deadline = e[0].base.key;
		keeps = time_before(now, deadline) && e[0].budget <= (s64)(deadline - now) / 2;
		wake(0);
		expect_deadline(0, keeps ? deadline : now + 4000 * MS, "P9.10",
				"it slept after a debt");
	}
}

/* Budget is spent by running, and all of it comes back when a period begins. */
KTEST_EARLY(edf_budget, "edf.budget", "09.6", "P9.11")
{
	begin(0);
	set(0, reserved(2 * MS, 10 * MS));
	wake(0);
	wake(1);			/* has no reservation */
	CHECK(!use_up(MS), "P9.11", "1 of 2 ms is spent, and it must give way");
	CHECK(!use_up(MS - 1), "P9.11", "1 ns is left, and it must give way");
	CHECK(use_up(1), "P9.11", "2 of 2 ms are spent, and it goes on");
	give_way(ENQUEUE_EXPIRED);
	REQUIRE(running() == 1, "P9.11", "its budget is spent, and %d runs", running());
	CHECK(q.timer_set && q.timer_at == 10 * MS, "P9.11",
	      "its budget is spent; it goes on at %lu us, not at 10000 us", q.timer_at / 1000);
	CHECK(q.nr == 0, "P9.11", "one waits for its budget, and %u could run", q.nr);
	now = 10 * MS;
	CHECK(p->timer(&q, now), "P9.11", "its next period begins, and it does not take the CPU");
	expect_deadline(0, 20 * MS, "P9.11", "its second period");
	expect_budget(0, 2 * MS, "P9.11", "its second period");
	give_way(ENQUEUE_PREEMPTED);
	CHECK(running() == 0, "P9.11", "its second period has begun, and %d runs", running());
	CHECK(p->slice(&q, &e[0]) == 2 * MS, "P9.11", "its slice is %lu us",
	      p->slice(&q, &e[0]) / 1000);
	CHECK(e[0].slice_left == 2 * MS, "P9.11", "of its slice it has %lu us left",
	      e[0].slice_left / 1000);
	/* more ns at once than 31 or 32 bits have */
	for (unsigned bits = 31; bits <= 32; bits++) {
		begin(0);
		set(0, reserved(BIT(31), RESERVED_PERIOD_MAX));
		wake(0);
		use_up(BIT(bits));
		expect_budget(0, (s64)(BIT(31) - BIT(bits)), "P9.11", "it ran for 2 s or more");
	}
}

/*
 * A thread that runs on beyond its budget is in debt, and pays it off in the next periods, on
 * whichever side of the clock's wrap these are.
 */
KTEST_EARLY(edf_debt, "edf.debt", "09.6", "P9.11")
{
	static const u64 starts[] = { 0, -(5 * MS), -(15 * MS), -(25 * MS) };
	static const struct {
		u64 runs;		/* of 2 ms */
		s64 budget;
		u64 deadline;
	} cases[] = {
		{ 3 * MS, MS, 20 * MS }, { 4 * MS, 2 * MS, 30 * MS }, { 5 * MS, MS, 30 * MS },
		{ 7 * MS, MS, 40 * MS }, { 4 * MS - 1, 1, 20 * MS },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(starts) * ARRAY_SIZE(cases); i++) {
		u64 start = starts[i / ARRAY_SIZE(cases)];
		unsigned n = i % ARRAY_SIZE(cases);

		begin(start);
		set(0, reserved(2 * MS, 10 * MS));
		wake(0);
		use_up(cases[n].runs);
		give_way(ENQUEUE_EXPIRED);
		REQUIRE(running() < 0, "P9.11", "it is in debt, and runs");
		/* It may wait for each period that brings no budget, or only for the first. */
		while (!q.nr && q.timer_set && time_before(now, start + cases[n].deadline)) {
			now = q.timer_at;
			p->timer(&q, now);
		}
		expect_budget(0, cases[n].budget, "P9.11", "after a debt");
		expect_deadline(0, start + cases[n].deadline, "P9.11", "after a debt");
	}
}

/* Time without a reservation is not charged to one that it gets back in the same period. */
KTEST_EARLY(edf_between, "edf.between", "09.6", "P9.11")
{
	begin(0);
	set(0, reserved(2 * MS, 10 * MS));
	wake(0);
	use_up(MS);
	set(0, normal);
	CHECK(!use_up(3 * MS), "P9.11", "it has no budget that could be spent");
	set(0, reserved(2 * MS, 10 * MS));
	expect_budget(0, MS, "P9.11", "it ran 3 ms without a reservation meanwhile");
}

/* The timer comes late, or the deadline lies before the period's end: it starts again from now. */
KTEST_EARLY(edf_late, "edf.late", "09.6", "P9.11")
{
	begin(0);
	set(0, reserved(2 * MS, 10 * MS));
	wake(0);
	use_up(2 * MS);
	give_way(ENQUEUE_EXPIRED);
	now = 12 * MS;
	p->timer(&q, now);
	expect_deadline(0, 20 * MS, "P9.11", "its period began 2 ms ago");
	pick();
	use_up(3 * MS);			/* 1 ms too long: that is over with the period */
	give_way(ENQUEUE_EXPIRED);
	now = 75 * MS;
	p->timer(&q, now);
	expect_deadline(0, 85 * MS, "P9.11", "all of its next period was missed");
	expect_budget(0, 2 * MS, "P9.11", "all of its next period was missed");
	/* with a deadline before the period's end that is over, while the period goes on */
	begin(0);
	set(0, promised(2 * MS, 5 * MS, 20 * MS));
	wake(0);
	use_up(2 * MS);
	give_way(ENQUEUE_EXPIRED);
	now = 27 * MS;
	p->timer(&q, now);
	expect_deadline(0, 32 * MS, "P9.11", "2 of 20 ms within 5, begun 7 ms ago");
	expect_budget(0, 2 * MS, "P9.11", "2 of 20 ms within 5, begun 7 ms ago");
}

/* A thread that is blocked while in debt does not get rid of it before its deadline. */
KTEST_EARLY(edf_sleeps_off, "edf.sleeps_off", "09.6", "P9.11")
{
	begin(0);
	set(0, reserved(2 * MS, 10 * MS));
	wake(0);
	use_up(3 * MS);
	block();
	now = 5 * MS;
	enqueue(0, ENQUEUE_WAKE);
	expect_next(-1, "P9.11", "it is in debt");
	CHECK(q.timer_set && q.timer_at == 10 * MS, "P9.11",
	      "in debt, it goes on at %lu us, not at 10000 us", q.timer_at / 1000);
	now = 10 * MS;
	p->timer(&q, now);
	expect_budget(0, MS, "P9.11", "it slept in debt");
	pick();
	use_up(2 * MS);			/* in debt again */
	block();
	now = 20 * MS;
	enqueue(0, ENQUEUE_WAKE);
	expect_budget(0, 2 * MS, "P9.10", "it slept to its deadline");
	expect_deadline(0, 30 * MS, "P9.10", "it slept to its deadline");
}

/* Yielding gives up the rest of the period, and no more: a debt stays. */
KTEST_EARLY(edf_yields, "edf.yields", "09.6", "P9.11")
{
	for (unsigned n = 0; n < 2; n++) {
		begin(0);
		set(0, reserved(2 * MS, 10 * MS));
		wake(0);
		use_up(n ? 3 * MS : MS);
		give_way(ENQUEUE_YIELD);
		REQUIRE(running() < 0, "P9.11", "it has yielded, and runs on in its period");
		now = 5 * MS;
		p->dequeue(&q, &e[0]);	/* it is stopped, and continued at once */
		if (p->leave)
			p->leave(&q, &e[0], now);
		enqueue(0, ENQUEUE_WAKE);
		expect_next(-1, "P9.11", "it has yielded, was stopped and goes on");
		CHECK(q.timer_set && q.timer_at == 10 * MS, "P9.11",
		      "it has yielded; it goes on at %lu us, not at 10000 us", q.timer_at / 1000);
		now = 10 * MS;
		p->timer(&q, now);
		expect_budget(0, (n ? 1 : 2) * (s64)MS, "P9.11", "it has yielded");
		expect_deadline(0, 20 * MS, "P9.11", "it has yielded");
	}
	begin(0);
	set(0, promised(2 * MS, 5 * MS, 10 * MS));
	wake(0);
	give_way(ENQUEUE_YIELD);
	CHECK(q.timer_at == 10 * MS, "P9.11",
	      "2 of 10 ms within 5: it has yielded and goes on at %lu us, not at 10000 us",
	      q.timer_at / 1000);
	now = 10 * MS;
	p->timer(&q, now);
	expect_deadline(0, 15 * MS, "P9.11", "2 of 10 ms within 5, in its second period");

	begin(0);
	set(0, reserved(2 * MS, 10 * MS));
	wake(0);
	now = 12 * MS;		/* nobody let it run until now */
	give_way(ENQUEUE_YIELD);
	expect_budget(0, 2 * MS, "P9.11", "it has yielded when its period was over");
	expect_deadline(0, 20 * MS, "P9.11", "it has yielded when its period was over");
}

/* It waits for its next period, and in the middle a more urgent thread waits for it, and ends. */
static void check_needed_for_a_moment(void)
{
	begin(0);
	set(0, reserved(2 * MS, 10 * MS));
	wake(0);
	use_up(2 * MS);
	give_way(ENQUEUE_EXPIRED);
	for (unsigned needed = 2; needed-- > 0;) {
		now += MS;
		p->dequeue(&q, &e[0]);
		e[0].inherited = (struct sched_rank){ .level = needed ? LEVEL_KEYED : 0,
						      .key = 5 * MS };
		enqueue(0, ENQUEUE_CHANGED);
		CHECK(q.nr == needed, "P9.11",
		      "its budget is spent, %s waits for it, and %u could run",
		      needed ? "an earlier deadline" : "none any more", q.nr);
		expect_budget(0, 0, "P9.11", "needed for a moment in its period");
		expect_deadline(0, 10 * MS, "P9.11", "needed for a moment in its period");
	}
	CHECK(q.timer_set && q.timer_at == 10 * MS, "P9.11",
	      "needed for a moment, it goes on at %lu us, not at 10000 us", q.timer_at / 1000);
}

/* While a more urgent thread waits for it, a thread without budget runs on. */
KTEST_EARLY(edf_inherits, "edf.inherits", "09.6", "P9.11")
{
	begin(0);
	set(0, reserved(2 * MS, 10 * MS));
	wake(0);
	e[0].inherited = (struct sched_rank){ .level = LEVEL_KEYED, .key = 5 * MS };
	CHECK(!use_up(3 * MS), "P9.11",
	      "an earlier deadline waits for it, and it must give way as its budget is spent");
	expect_budget(0, -(s64)MS, "P9.11", "it ran on into debt");
	e[0].inherited = (struct sched_rank){ 0 };
	CHECK(use_up(MS), "P9.11", "none waits for it any more, and it goes on without budget");
	begin(0);
	set(0, reserved(2 * MS, 10 * MS));
	wake(0);
	e[0].inherited = (struct sched_rank){ .level = LEVEL_KEYED, .key = 5 * MS };
	use_up(3 * MS);
	now = 10 * MS;
	give_way(ENQUEUE_PREEMPTED);
	expect_deadline(0, 20 * MS, "P9.11", "an earlier deadline waits for it, a period ends");
	expect_budget(0, MS, "P9.11", "an earlier deadline waits for it, a period ends");
	/* it yields, runs on, and waits for its next period when it is needed no more */
	begin(0);
	set(0, reserved(2 * MS, 10 * MS));
	wake(0);
	e[0].inherited = (struct sched_rank){ .level = LEVEL_KEYED, .key = 5 * MS };
	give_way(ENQUEUE_YIELD);
	CHECK(running() == 0, "P9.11", "an earlier deadline waits for one that yields: %d runs",
	      running());
	e[0].inherited = (struct sched_rank){ 0 };
	give_way(ENQUEUE_PREEMPTED);
	CHECK(running() < 0, "P9.11", "it has yielded, none waits for it any more, and it runs on");
	begin(0);
	wake(1);
	CHECK(!use_up(3 * MS), "P9.11", "one without a reservation has spent its budget");
	check_needed_for_a_moment();
}
