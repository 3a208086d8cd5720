/*
 * Lab 09, hidden: reservations whose deadlines are before the ends of their periods, and debts.
 */
#include "edf.h"

static void await_budget(void)
{
	while (!q.nr && q.timer_set) {
		now = q.timer_at;
		p->timer(&q, now);
	}
}

/* A debt is paid by whole periods, each with its own deadline. */
static void owe_periods(void)
{
	begin(0);
	set(0, promised(2 * MS, 5 * MS, 10 * MS));
	wake(0);
	use_up(5 * MS);
	give_way(ENQUEUE_EXPIRED);
	await_budget();
	expect_budget(0, (s64)MS, "P9.11", "it overran by 3 ms of 2");
	expect_deadline(0, 25 * MS, "P9.11", "it overran by 3 ms of 2");
}

/* Alone on its CPU it has its share, not in the first period only. */
static void run_alone(void)
{
	begin(0);
	set(0, promised(2 * MS, 5 * MS, 20 * MS));
	wake(0);
	run(199 * MS);
	CHECK(got[0] == 20 * MS, "P9.11", "2 ms of each 20 ms are %lu us in 199 ms",
	      got[0] / 1000);
}

/* A debt of more than 32 bits of nanoseconds. */
static void owe_seconds(void)
{
	u64 period = RESERVED_PERIOD_MAX;

	begin(0);
	set(0, reserved(2000 * MS, period));
	wake(0);
	e[0].inherited = (struct sched_rank){ .level = LEVEL_KEYED, .key = 5 * MS };
	use_up(7000 * MS);
	e[0].inherited = (struct sched_rank){ .level = 0 };
	give_way(ENQUEUE_EXPIRED);
	await_budget();
	expect_budget(0, 1000 * (s64)MS, "P9.11", "it overran by 5 s of 2");
	expect_deadline(0, 4 * period, "P9.11", "it overran by 5 s of 2");
}

/* However long it ran at once, in the end it has had its share: each debt is paid in full. */
static void pay_in_full(void)
{
	static const u64 deadlines[] = { 10 * MS, 5 * MS };

	for (unsigned i = 0; i < ARRAY_SIZE(deadlines); i++)
		for (u64 ran = 2 * MS; ran <= 15 * MS; ran += MS / 2) {
			begin(0);
			set(0, promised(2 * MS, deadlines[i], 10 * MS));
			wake(0);
			use_up(ran);
			give_way(ENQUEUE_EXPIRED);
			run(200 * MS - now);
			CHECK(got[0] + ran == 40 * MS, "P9.11",
			      "2 of each 10 ms within %lu, and first it ran for %lu us at once: "
			      "in 200 ms it had %lu us",
			      deadlines[i] / MS, ran / 1000, (got[0] + ran) / 1000);
		}
}

KTEST_EARLY(edf_rare, "edf.rare", "09.h", "P9.11")
{
	owe_periods();
	run_alone();
	owe_seconds();
	pay_in_full();
}
