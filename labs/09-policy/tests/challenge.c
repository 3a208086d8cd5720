/*
 * Lab 09, challenge: with deadlines before the ends of their periods, sets are admitted that the
 * sum of runtime / deadline refuses, and what is promised is kept. Times are quarters of a ms.
 */
#include "edf.h"

#define UNIT		(MS / 4)
#define CYCLE		480u	/* the least common multiple of the periods */
#define SETS		40u

struct job {
	unsigned runtime, deadline, period;
};

static struct policy_queue *const queues[] = { &q };
static const u8 periods[] = { 16, 20, 24, 32, 40, 48, 80, 120 };
static struct job jobs[ENTITIES];
static u64 seed;

static u64 below(u64 n)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (seed >> 33) % n;
}

static void ask_edf(unsigned nr)
{
	seed = nr;
	policy.fits = sched_edf.fits;
	begin(0);
}

static bool admit(unsigned i, struct job j)
{
	struct sched_params params = promised(j.runtime * UNIT, j.deadline * UNIT, j.period * UNIT);

	if (policy_reserve(queues, 1, &e[i], 1, &params))
		return false;
	jobs[i] = j;
	set(i, params);
	return true;
}

/* The most that @j wants by @t: all jobs that are released and due in that time. */
static unsigned demand(struct job j, unsigned t)
{
	return t < j.deadline ? 0 : ((t - j.deadline) / j.period + 1) * j.runtime;
}

/* By the definition: in no time do the first @n of @jobs want more than there is. */
static bool all_meet(unsigned n)
{
	for (unsigned t = 1; t <= 2 * CYCLE; t++) {
		unsigned sum = 0;

		for (unsigned i = 0; i < n; i++)
			sum += demand(jobs[i], t);
		if (sum > t)
			return false;
	}
	return true;
}

static struct job any_job(void)
{
	struct job j = { .period = periods[below(ARRAY_SIZE(periods))] };

	j.runtime = 1 + below(j.period / 4);
	j.deadline = j.runtime + below(j.period - j.runtime);	/* before the end of the period */
	return j;
}

KTEST_EARLY(challenge_demand, "challenge.demand", "09.c", "C9.1")
{
	unsigned admitted = 0, refused = 0;

	for (unsigned nr = 0; nr < SETS; nr++) {
		ask_edf(nr);
		for (unsigned n = 0, tries = 0; n < ENTITIES - 1 && tries < 20; tries++) {
			struct job j = jobs[n] = any_job();
			bool meets = all_meet(n + 1), admits = admit(n, j);

			CHECK(admits == meets, "C9.1",
			      "set %u, thread %u, %u within %u of %u: it is %s, and %s deadlines",
			      nr, n, j.runtime, j.deadline, j.period,
			      admits ? "admitted" : "refused",
			      meets ? "all meet their" : "some would miss their");
			if (admits != meets)
				return;
			n += admits;
			admitted += admits;
			refused += !admits;
		}
	}
	CHECK(admitted > SETS && refused > SETS, "C9.1", "%u were admitted and %u refused",
	      admitted, refused);
}

/* Each of the first @n, but not @except, has had all that it was to have by its last deadline. */
static bool served(unsigned nr, unsigned n, unsigned except)
{
	for (unsigned i = 0; i < n; i++) {
		u64 due = demand(jobs[i], now / UNIT) * UNIT;

		CHECK(i == except || got[i] >= due, "C9.2",
		      "set %u, after %lu us thread %u, %u within %u of %u, has had %lu of %lu us",
		      nr, now / 1000, i, jobs[i].runtime, jobs[i].deadline, jobs[i].period,
		      got[i] / 1000, due / 1000);
		if (i != except && got[i] < due)
			return false;
	}
	return true;
}

/* Thread @bad sleeps, wakes and yields at any moment; @n: none does. */
static bool run_set(unsigned nr, unsigned n, unsigned bad)
{
	bool asleep = false;

	for (unsigned i = 0; i < n; i++)
		wake(i);
	while (now < 2 * CYCLE * UNIT) {
		if (running() == (int)bad && below(2)) {
			asleep = below(4);
			if (asleep)
				block();
			else
				give_way(ENQUEUE_YIELD);
		} else if (asleep && below(3) == 0) {
			asleep = false;
			wake(bad);
		}
		run(UNIT);
		if (!served(nr, n, bad))
			return false;
	}
	return true;
}

KTEST_EARLY(challenge_promises, "challenge.promises", "09.c", "C9.2")
{
	for (unsigned nr = 0; nr < 3 * SETS; nr++) {
		unsigned n = 0;

		ask_edf(1000 + nr);
		for (unsigned tries = 0; n < ENTITIES - 1 && tries < 30; tries++) {
			struct job j = jobs[n] = any_job();

			if (!all_meet(n + 1))
				continue;
			REQUIRE(admit(n, j), "C9.2", "set %u: a thread is refused that would meet "
						     "its deadlines, as all others",
				nr);
			n++;
		}
		if (n && !run_set(nr, n, nr % 3 ? (unsigned)below(n) : n))
			return;
	}
}
