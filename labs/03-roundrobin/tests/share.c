/*
 * Lab 03, step 6: equal shares.
 */
#include "hogs.h"

KTEST(share_three, "share.three", "03.6", "P3.8")
{
	struct hog h[3] = { 0 };
	u64 quantum = sched_quantum, least = ~0UL, most = 0;

	set_urgent(current_thread(), true);
	for (unsigned i = 0; i < 3; i++)
		start_hog(&h[i], there(), compute);
	thread_sleep(5 * MS);
	measure(h, 3, 15 * quantum);
	for (unsigned i = 0; i < 3; i++) {
		least = MIN(least, h[i].since);
		most = MAX(most, h[i].since);
	}
	CHECK(most - least <= quantum + MS, "P3.8",
	      "of three equals one computed for %lu ms, another for %lu ms", most / MS, least / MS);
	CHECK(least + most / 2 > 7 * quantum - MS, "P3.8", "three equals got %lu to %lu ms",
	      least / MS, most / MS);
	end_hogs(h, 3);
	set_urgent(current_thread(), false);
}

static _Atomic unsigned turns;
static struct hog *_Atomic last_turn;

/* Counts how often the turn goes to another thread. */
static int take_turns(void *arg)
{
	struct hog *h = arg;

	while (!atomic_load(&h->stop))
		if (atomic_exchange(&last_turn, h) != h)
			turns++;
	return 0;
}

/* Wakes every 3 ms, and runs for 0.1 ms. */
static int interrupt_often(void *arg)
{
	struct hog *h = arg;

	while (!atomic_load(&h->stop)) {
		u64 end = time_now() + MS / 10;

		while (time_before(time_now(), end))
			;
		thread_sleep(3 * MS);
	}
	return 0;
}

KTEST(share_rest, "share.rest", "03.6", "P3.8")
{
	struct hog h[2] = { 0 }, often = { 0 };
	unsigned n = 30;

	set_urgent(current_thread(), true);
	for (unsigned i = 0; i < 2; i++)
		start_hog(&h[i], there(), take_turns);
	start_hog(&often, there(), interrupt_often);
	set_urgent(often.thread, true);
	thread_sleep(5 * MS);
	turns = 0;
	measure(h, 2, n * sched_quantum);
	CHECK(turns >= n / 2 && turns <= n + 3, "P3.8",
	      "interrupted often, two threads took %u turns in the time of %u quanta", turns, n);
	CHECK(h[0].since > n * sched_quantum / 3 && h[1].since > n * sched_quantum / 3, "P3.8",
	      "interrupted often, two equals computed for %lu and %lu ms", h[0].since / MS,
	      h[1].since / MS);
	end_hogs(h, 2);
	end_hogs(&often, 1);
	set_urgent(current_thread(), false);
}
