/*
 * Lab 03, challenge: a second policy in rr.c, by which threads have shares as their quanta are,
 * however they use their turns. The test drives its hooks by hand, so the kernel need not boot it.
 */
#include "sched/policy/test_drive.h"
#include "test/ktest.h"

/* Its address is NULL if there is no such policy. */
extern const struct sched_policy sched_shares __attribute__((weak));

#define TIME		(1200 * MS)
#define OFF		(TIME * 3 / 100)
#define LONG		(10000 * MS)

/* Volatile, as Clang takes it for granted otherwise that a policy is there. */
static const struct sched_policy *const volatile wanted = &sched_shares;

static void begin(void)
{
	const struct sched_policy *there = wanted;

	REQUIRE(there, ktest_property(), "no policy has the name sched_shares");
	use(there, 0);
	for (unsigned i = 0; i < ENTITIES; i++)
		set(i, normal);
}

/* Runs for @ns. If @yields has the CPU it yields after each millisecond. */
static void run_and_yield(u64 ns, int yields)
{
	for (u64 end = now + ns; time_before(now, end);) {
		run(MS);
		if (running() == yields)
			give_way(ENQUEUE_YIELD);
	}
}

/* Three threads, of which @yields yields all the time; -1: none does. */
static void share(int yields)
{
	static const struct sched_params params[] = {
		{ .class = SCHED_OTHER, .nice = -5 },
		{ .class = SCHED_OTHER },
		{ .class = SCHED_OTHER, .nice = 5 },
	};

	begin();
	for (unsigned i = 0; i < ARRAY_SIZE(params); i++) {
		set(i, params[i]);
		wake(i);
	}
	run_and_yield(TIME, yields);
	for (unsigned i = 0; i < ARRAY_SIZE(params); i++) {
		u64 fair = TIME * (3 - i) / 6;

		CHECK(got[i] + OFF >= fair && got[i] <= fair + OFF, "C3.1",
		      "%d yields (-1: none): of %lu ms number %u should have %lu, and has %lu",
		      yields, TIME / MS, i, fair / MS, got[i] / MS);
	}
}

KTEST_EARLY(challenge_quanta, "challenge.quanta", "03.c", "C3.1")
{
	for (int yields = -1; yields < 3; yields++)
		share(yields);
}

/*
 * Number 0 computes for @work and sleeps for @sleep, again and again, beside two that compute; with
 * work 0 it computes until just before its slice is over.
 */
static void doze(u64 work, u64 sleep)
{
	u64 percent, due;

	begin();
	if (!work)
		work = p->slice(&q, &e[0]) * 9 / 10;
	due = work;
	for (unsigned i = 0; i < 3; i++)
		wake(i);
	while (now < 2 * TIME) {
		run(MS / 20);
		if (running() != 0 || got[0] < due)
			continue;
		block();
		run(sleep);
		wake(0);
		due = got[0] + work;
	}
	percent = got[0] * 100 / now;
	CHECK(percent >= 24 && percent <= 35, "C3.2",
	      "of three equals one sleeps for %lu us after each %lu us, and has %lu %%",
	      sleep / 1000, work / 1000, percent);
}

/* Number 2 comes to two that have computed for long; before that it has had @ran ns. */
static void come_back(u64 ran)
{
	u64 before;

	begin();
	wake(0);
	wake(1);
	if (ran) {
		wake(2);
		while (running() != 2 || got[2] < ran)
			run(MS);
		block();
	}
	run(LONG);
	before = got[2];
	wake(2);
	run(6 * sched_quantum);
	CHECK(got[2] - before <= 3 * sched_quantum, "C3.2",
	      "had %lu ms, came after %lu ms, and had %lu of the next %lu ms", before / MS,
	      LONG / MS, (got[2] - before) / MS, 6 * sched_quantum / MS);
	CHECK(got[2] - before >= sched_quantum, "C3.2",
	      "had %lu ms, came after %lu ms, and had only %lu of the next %lu ms", before / MS,
	      LONG / MS, (got[2] - before) / MS, 6 * sched_quantum / MS);
}

KTEST_EARLY(challenge_sleepers, "challenge.sleepers", "03.c", "C3.2")
{
	doze(5 * MS, MS);
	doze(MS, MS / 10);
	doze(0, MS / 10);
	come_back(0);
	come_back(100 * MS);
}

/* Entity @i has another CPU to itself for @ns, waits there, and is taken away. */
static void elsewhere(unsigned i, u64 ns)
{
	static struct policy_queue other;

	policy_queue_init(&other, 1);
	p->enqueue(&other, &e[i], ENQUEUE_WAKE, now);
	for (u64 ran = 0; ran < ns; ran += sched_quantum) {
		other.current = p->pick(&other, now);
		REQUIRE(other.current == &e[i], "C3.3", "it is alone, and is not picked");
		if (p->charge)
			p->charge(&other, &e[i], sched_quantum, now);
		other.current = NULL;
		e[i].slice_left = 0;
		p->enqueue(&other, &e[i], ENQUEUE_EXPIRED, now);
	}
	p->dequeue(&other, &e[i]);
}

/* Number 2 had @there ns on another CPU, and comes to two that have had @here ns. */
static void move(u64 there, u64 here)
{
	begin();
	wake(0);
	wake(1);
	run(here);
	elsewhere(2, there);
	enqueue(2, ENQUEUE_MIGRATED);
	run(6 * sched_quantum);
	CHECK(got[2] >= sched_quantum && got[2] <= 3 * sched_quantum, "C3.3",
	      "had %lu ms elsewhere, came to two that had %lu ms, and had %lu of the next %lu ms",
	      there / MS, here / MS, got[2] / MS, 6 * sched_quantum / MS);
}

KTEST_EARLY(challenge_moved, "challenge.moved", "03.c", "C3.3")
{
	move(LONG, 3 * sched_quantum);
	move(3 * sched_quantum, LONG);
}
