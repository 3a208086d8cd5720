/*
 * Lab 04, steps 4 and 5: waiters of every kind in one queue. Flags, a deadline, and whether that
 * has passed, make no difference to a wake-up nor to a destruction. None of them blocks, and no
 * timer interrupt comes.
 */
#include "base/irq.h"
#include "explore/scenario.h"
#include "sched/cpu.h"

#define KINDS	9			/* three flags, three deadlines */

static struct wait_queue q;
static struct waiter waiters[KINDS];
static struct wait_link links[KINDS];
static struct actor other;

/* Backwards each kind is ahead of those that it was behind. */
static void line_up(bool backwards)
{
	static const unsigned flags[] = { 0, WAIT_UNKILLABLE, WAIT_KILL_ONLY };
	const u64 now = time_now();

	wait_queue_init(&q);
	for (unsigned i = 0; i < KINDS; i++) {
		unsigned kind = backwards ? KINDS - 1 - i : i;

		waiter_init(&waiters[i], flags[kind % 3]);
		links[i] = (struct wait_link){ .shared = false };
		spin_lock(&q.lock);
		expect(!wait_link(&q, &links[i], &waiters[i]), "the queue is destroyed");
		spin_unlock(&q.lock);
		if (kind / 3)
			sleepq_arm(&waiters[i], kind / 3 == 1 ? now - 1 : now + NSEC_PER_SEC);
	}
}

static void leave_all(void)
{
	for (unsigned i = 0; i < KINDS; i++) {
		if (waiters[i].sq)
			sleepq_cancel(&waiters[i]);
		spin_lock(&q.lock);
		wait_unlink(&q, &links[i]);
		spin_unlock(&q.lock);
	}
}

static enum wait_why why_of(unsigned i)
{
	return atomic_load(&waiters[i].why);
}

static void wake_each(void)
{
	for (unsigned n = 1; n <= KINDS; n++) {
		expect(wait_wake_one(&q, 7), "%u wait, and a wake-up woke none of them",
		       KINDS + 1 - n);
		for (unsigned i = 0; i < KINDS; i++)
			expect(why_of(i) == (i < n ? WAIT_EVENT : WAIT_ARMED),
			       "after wake-up %u the wait of number %u has ended with %d", n, i,
			       why_of(i));
	}
}

static _Atomic unsigned turn;		/* even: this CPU's, odd: the watcher's */

/* Looks from the other CPU until the last wait is over. */
static int watch_order(void)
{
	for (unsigned mine = 1; mine <= 3; mine += 2) {
		while (atomic_load(&turn) != mine)
			arch_spin_hint();
		while (why_of(KINDS - 1) == WAIT_ARMED) {
			for (unsigned i = KINDS; --i;)
				expect(why_of(i) == WAIT_ARMED || why_of(i - 1) != WAIT_ARMED,
				       "waiter %u was woken before waiter %u, which came earlier",
				       i, i - 1);
			arch_spin_hint();
		}
		atomic_store(&turn, mine + 1);
	}
	return 0;
}

SCENARIO(event, "event.any_kind", "04.4", "P4.6", .cpus = 2, .sets_up = true, .quiet = true,
	 .keeps = true)
{
	for (unsigned i = 0; i < 2; i++) {
		line_up(i);
		wake_each();
		leave_all();
	}
	act_on(1, &other, watch_order);
	explore_from_here();
	for (unsigned i = 0; i < 2; i++) {
		unsigned woken;

		line_up(i);
		atomic_store(&turn, 2 * i + 1);
		woken = wait_wake_all(&q, 7);
		expect(woken == KINDS, "of %u waiters %u were woken", KINDS, woken);
		while (atomic_load(&turn) != 2 * i + 2)
			arch_spin_hint();
		leave_all();
	}
	end_here();
}

static int destroy(void)
{
	wait_queue_destroy(&q);
	expect(!q.nr, "a destruction returned, and %u waiters have not left", q.nr);
	return 0;
}

/* A destroyer may look now and then whether all have left, and sleep in between. */
static void wake_naps(void)
{
	irq_off();
	sleepq_expire(&this_cpu()->sleepq, time_now() + NSEC_PER_SEC);
	irq_on();
}

SCENARIO(destruction, "destroy.any_kind", "04.5", "P4.15", .cpus = 1, .quiet = true,
	 .keeps = true)
{
	line_up(false);
	act_on(0, &other, destroy);
	for (unsigned i = 0; i < 20; i++)
		thread_yield();
	for (unsigned i = 0; i < KINDS; i++)
		expect(why_of(i) == WAIT_DESTROYED,
		       "the queue is destroyed, and the wait of number %u has ended with %d", i,
		       why_of(i));
	leave_all();
	wake_naps();
	end_here();
}
