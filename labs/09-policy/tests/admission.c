/*
 * Lab 09, step 7: what is promised, and that it is kept.
 */
#include "edf.h"

static struct policy_queue *const queues[] = { &q };

static bool admit(unsigned i, struct sched_params params)
{
	if (policy_reserve(queues, 1, &e[i], 1, &params))
		return false;
	set(i, params);
	return true;
}

/* policy_reserve() asks the policy that the kernel runs; here, that is to be edf. */
static void ask_edf(void)
{
	policy.fits = sched_edf.fits;
	begin(0);
}

static void expect_full(const char *what)
{
	u64 period = RESERVED_PERIOD_MAX;

	CHECK(!admit(ENTITIES - 1, reserved(RESERVED_RUNTIME_MIN, period)), "P9.12",
	      "%s use all of a CPU, and one more is admitted", what);
}

/* Shares that add up to 1 to the last nanosecond, and shares that exceed it by the least. */
KTEST_EARLY(edf_exact, "edf.exact", "09.7", "P9.12")
{
	ask_edf();
	CHECK(admit(0, reserved(10 * MS, 10 * MS)), "P9.12", "all of a CPU is refused");
	expect_full("10 of 10 ms");
	ask_edf();
	for (unsigned i = 0; i < 7; i++)
		CHECK(admit(i, reserved(MS, 7 * MS)), "P9.12", "1 of 7 ms: number %u is refused",
		      i + 1);
	expect_full("seven times 1 of 7 ms");
	ask_edf();
	for (unsigned i = 0; i < 6; i++)
		CHECK(admit(i, reserved(MS, 7 * MS)), "P9.12", "1 of 7 ms: number %u is refused",
		      i + 1);
	CHECK(!admit(6, reserved(MS + 1, 7 * MS)), "P9.12",
	      "1 of 7 ms six times and then 1 ms + 1 ns: the last is admitted");
	CHECK(admit(6, reserved(MS, 7 * MS)), "P9.12", "what was refused counts against the next");
	ask_edf();
	CHECK(admit(0, reserved(MS, 2 * MS)) && admit(1, reserved(MS, 3 * MS)) &&
		      admit(2, reserved(MS, 6 * MS)),
	      "P9.12", "1/2 + 1/3 + 1/6 is refused");
	expect_full("1/2 + 1/3 + 1/6");
}

/* Sums so near to 1 that rounding decides, with periods that have no common factor. */
KTEST_EARLY(edf_close, "edf.close", "09.7", "P9.12")
{
	const u64 a = 4194303997UL, b = 4194303991UL;
	u64 half = a / 2;

	/* half / a + x / b <= 1 if and only if x <= (a - half) b / a, which is no whole number */
	for (int by = -1; by <= 2; by++) {
		u64 x = (a - half) * b / a + (u64)(s64)by;

		ask_edf();
		CHECK(admit(0, reserved(half, a)), "P9.12", "about a half is refused");
		CHECK(admit(1, reserved(x, b)) == (by <= 0), "P9.12",
		      "a sum of %s than 1 by less than 1 / 2^32 is %s", by <= 0 ? "less" : "more",
		      by <= 0 ? "refused" : "admitted");
	}
	/* three thirds that are a little too much: each is 1 of 3 us, and the last 1 ns more */
	for (unsigned n = 0; n < 2; n++) {
		ask_edf();
		admit(0, reserved(1000000000, 3000000000));
		admit(1, reserved(1000000000, 3000000000));
		CHECK(admit(2, reserved(1000000000 + n, 3000000000)) == !n, "P9.12",
		      "two thirds and %s is %s", n ? "a third + 1 ns" : "a third",
		      n ? "admitted" : "refused");
	}
}

/* Two that exceed a half by less than 2^-32, and then the other half. */
static void expect_no_half(void)
{
	ask_edf();
	admit(0, reserved(931366394, 3972136255));
	CHECK(admit(1, reserved(1044543798, 3933880219)), "P9.12", "a half of a CPU is refused");
	CHECK(!admit(2, reserved(2000000000, 4000000000)), "P9.12",
	      "two shares exceed a half by less than 1 / 2^32, and the other half is admitted");
}

/*
 * Sums that differ from 1 by 1 / (product of the periods), which are primes near 2^32: below 1 and
 * above it, of four and of seven shares.
 */
KTEST_EARLY(edf_closest, "edf.closest", "09.7", "P9.12")
{
	static const struct {
		bool fits;
		u64 shares[7][2];
	} sets[] = {
		{ true, { { 878487453, 3574508239 }, { 964398283, 3955756349 },
			  { 40161899, 4146873397 }, { 1762757977, 3520204697 } } },
		{ false, { { 1375298283, 3737322343 }, { 719909272, 3233563961 },
			   { 392101724, 3926973221 }, { 1078380803, 3483987019 } } },
		{ true, { { 780844752, 3941422493 }, { 16581223, 3061303961 },
			  { 94827771, 3867617899 }, { 1333800653, 4189429589 },
			  { 217216863, 4029624103 }, { 1075521374, 3474954971 },
			  { 360505742, 3998139137 } } },
		{ false, { { 301977168, 3583078217 }, { 585596175, 3391378777 },
			   { 797095992, 3799900693 }, { 626379660, 3789994541 },
			   { 200181885, 4031474791 }, { 696372021, 3283990513 },
			   { 343922229, 3235256093 } } },
	};

	for (unsigned n = 0; n < ARRAY_SIZE(sets); n++) {
		unsigned last = 0;
		bool fits = true;

		ask_edf();
		for (unsigned i = 0; i < 7 && sets[n].shares[i][0]; i++) {
			CHECK(fits, "P9.12", "set %u: share %u of less than 1 is refused", n, i);
			fits = admit(i, reserved(sets[n].shares[i][0], sets[n].shares[i][1]));
			last = i;
		}
		CHECK(fits == sets[n].fits, "P9.12",
		      "%u shares, %s than 1 by 1 / (product of all periods): "
		      "the last, %lu / %lu, is %s",
		      last + 1, sets[n].fits ? "less" : "more", sets[n].shares[last][0],
		      sets[n].shares[last][1], fits ? "admitted" : "refused");
	}
	expect_no_half();
}

static struct sched_entity crowd[1025];

/* Adds a reservation of @share for number @i of the crowd. */
static bool join_crowd(unsigned i, struct sched_params share)
{
	policy_entity_init(&crowd[i], ~0u, now);
	if (policy_reserve(queues, 1, &crowd[i], 1, &share))
		return false;
	crowd[i].params = share;
	return true;
}

/* To admit a thousand one by one would take long: all but the last are put there by hand. */
static void check_thousand(void)
{
	const u64 runtime = 4 * MS, period = 1024 * runtime;
	const unsigned n = ARRAY_SIZE(crowd) - 1;

	ask_edf();
	for (unsigned i = 0; i < n - 1; i++) {
		policy_entity_init(&crowd[i], ~0u, now);
		crowd[i].params = reserved(runtime, period);
		list_push_back(&q.reserved, &crowd[i].reserved);
	}
	CHECK(!admit(0, reserved(runtime + 1, period)), "P9.12",
	      "%u times 1 of 1024 ms, and 1 ns more than that is admitted", n - 1);
	CHECK(join_crowd(n - 1, reserved(runtime, period)), "P9.12",
	      "1 of 1024 ms: number %u is refused", n);
	CHECK(!join_crowd(n, reserved(runtime, period)), "P9.12",
	      "1 of 1024 ms: number %u is admitted", n + 1);
}

/*
 * A crowd: each share has a rest, and all of them together make many units of the last digit. Then
 * fourteen, whose sum exceeds 1 by less than 2^-413.
 */
KTEST_EARLY(edf_crowd, "edf.crowd", "09.7", "P9.12")
{
	static const u64 shares[][2] = {
		{ 165840559, 4194303961 }, { 306416159, 4194303947 }, { 48700922, 4194303931 },
		{ 833109959, 4194303929 }, { 137893790, 4194303899 }, { 152161878, 4194303889 },
		{ 351501596, 4194303887 }, { 729693183, 4194303881 }, { 263616599, 4194303871 },
		{ 131119067, 4194303847 }, { 72074208, 4194303803 }, { 20331244, 4194303781 },
		{ 261651397, 4194303779 }, { 720193309, 4194303761 },
	};
	const u64 period = 4000 * MS, runtime = period / 40;

	ask_edf();
	for (unsigned i = 0; i < 41; i++) {
		if (i >= 39)
			CHECK(!admit(0, reserved(runtime + 1, period)), "P9.12",
			      "%u times 1 of 40 ms, and 1 ns more than that is admitted", i);
		CHECK(join_crowd(i, reserved(runtime, period)) == (i < 40), "P9.12",
		      "1 of 40 ms: number %u is %s", i + 1, i < 40 ? "refused" : "admitted");
	}
	ask_edf();
	for (unsigned i = 0; i < 14; i++)
		CHECK(join_crowd(i, reserved(shares[i][0], shares[i][1])) == (i < 13), "P9.12",
		      "14 shares: number %u, %lu / %lu, is %s, and the sum with it is %s", i + 1,
		      shares[i][0], shares[i][1], i < 13 ? "refused" : "admitted",
		      i < 13 ? "less than 1" : "more than 1 by less than 1 / 2^413");
	check_thousand();
}

/* A deadline before the end of the period counts as if the period were as short. */
KTEST_EARLY(edf_early_deadline, "edf.early_deadline", "09.7", "P9.12")
{
	ask_edf();
	CHECK(admit(0, promised(5 * MS, 10 * MS, 100 * MS)), "P9.12", "a half is refused");
	CHECK(!admit(1, promised(6 * MS, 10 * MS, 100 * MS)), "P9.12",
	      "6 and 5 ms within 10 ms are admitted, since the period is 100 ms");
	CHECK(admit(1, promised(5 * MS, 10 * MS, 200 * MS)), "P9.12", "the other half is refused");
	expect_full("5 within 10 ms, twice,");
}

/* A new reservation of the same thread takes the place of the old one. */
KTEST_EARLY(edf_in_place, "edf.in_place", "09.7", "P9.12")
{
	/* the same once more, with another period, a smaller one, and the first again */
	static const struct {
		u8 runtime, period;
	} others[] = { { 5, 10 }, { 10, 20 }, { 2, 20 }, { 5, 10 } };

	ask_edf();
	admit(0, reserved(5 * MS, 10 * MS));
	CHECK(admit(1, reserved(4 * MS, 10 * MS)), "P9.12", "5 and 4 of 10 ms are refused");
	CHECK(admit(1, reserved(5 * MS, 10 * MS)), "P9.12",
	      "5 of 10 ms in place of 4 of 10 ms is refused, beside 5 of 10 ms");
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++)
		CHECK(admit(1, reserved(others[i].runtime * MS, others[i].period * MS)), "P9.12",
		      "%u of %u ms in place of the last one is refused, beside 5 of 10 ms",
		      others[i].runtime, others[i].period);
	CHECK(!admit(1, reserved(6 * MS, 10 * MS)), "P9.12",
	      "6 of 10 ms in place of 5 of 10 ms is admitted, beside 5 of 10 ms");
	expect_full("5 of 10 ms twice, one of which was refused to become 6,");
	for (unsigned i = 0; i < 2; i++)
		CHECK(!admit(i, reserved(11 * MS, 20 * MS)), "P9.12",
		      "11 of 20 ms in place of 5 of 10 ms is admitted, beside 5 of 10 ms");
	CHECK(admit(0, normal), "P9.12", "giving back is refused");
	CHECK(admit(2, reserved(5 * MS, 10 * MS)), "P9.12",
	      "a reservation was given back, and its share is refused to another");
}

/*
 * --- Kept promises -------------------------------------------------------------------------------
 */

static u64 seed;

static u64 below(u64 n)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (seed >> 33) % n;
}

/* The periods' least common multiple is 120 ms. */
static const u8 periods[] = { 4, 5, 6, 8, 10, 12, 20, 30 };

/* Adds reservations at random until exactly all of the CPU is promised. Returns how many. */
static unsigned promise_all(void)
{
	u64 left = 120 * MS;		/* of each 120 ms */
	unsigned n = 0;

	while (left && n < ENTITIES - 1) {
		u64 period = periods[below(ARRAY_SIZE(periods))], times = 120 / period;
		u64 runtime = MS / 4 + below(period * MS / 3);

		runtime = MIN(runtime, left / times);
		if (n == ENTITIES - 2) {
			period = 120;	/* the rest, whatever it is */
			runtime = left;
			times = 1;
		}
		if (runtime < RESERVED_RUNTIME_MIN)
			break;
		REQUIRE(admit(n, reserved(runtime, period * MS)), "P9.12",
			"%lu ns of %lu ms are refused, and %lu of 120 ms are free", runtime, period,
			left);
		left -= runtime * times;
		n++;
	}
	return n;
}

/* At the end of each of their periods the first @n, but not @except, have had all their budgets. */
static void expect_served(unsigned n, int except, const char *what)
{
	for (unsigned i = 0; i < n; i++) {
		const struct sched_params *of = &e[i].params;
		u64 due = now / of->period * of->runtime;

		if ((int)i != except && now % of->period == 0)
			CHECK(got[i] == due, "P9.13", "%s: after %lu ms %u has had %lu of %lu us",
			      what, now / MS, i, got[i] / 1000, due / 1000);
	}
}

/* All want all of their budgets, released at once. */
KTEST_EARLY(edf_full, "edf.full", "09.7", "P9.13")
{
	for (unsigned nr = 0; nr < 30; nr++) {
		unsigned n;

		ask_edf();
		seed = nr;
		n = promise_all();
		for (unsigned i = 0; i < n; i++)
			wake(i);
		wake(n);		/* has none, and would take all */
		while (now < 240 * MS) {
			run(MS);
			expect_served(n, -1, "a full CPU");
		}
	}
}

/* One of them sleeps and wakes at bad moments, and yields. No other is late. */
KTEST_EARLY(edf_whatever, "edf.whatever", "09.7", "P9.13")
{
	for (unsigned nr = 0; nr < 30; nr++) {
		unsigned n, bad;
		bool asleep = false;

		ask_edf();
		seed = 1000 + nr;
		n = promise_all();
		bad = (unsigned)below(n);
		for (unsigned i = 0; i < n; i++)
			wake(i);
		while (now < 240 * MS) {
			if (running() == (int)bad && below(2)) {
				asleep = below(3);
				if (asleep)
					block();
				else
					give_way(ENQUEUE_YIELD);
			} else if (asleep && below(3) == 0) {
				asleep = false;
				wake(bad);
			}
			run(MS / 4);
			expect_served(n, (int)bad, "one sleeps and yields");
		}
	}
}
