/*
 * Lab 04, steps 3 to 5: which waiters a wake-up ends, where shared waiters, those whose wait has
 * ended and those of other threads stand in one queue. Their links are made by hand: none blocks.
 */
#include "base/string.h"
#include "errno.h"
#include "explore/scenario.h"
#include "mm/mm.h"
#include "process/process.h"

#define PLACES	1000
#define RANKS	6

static struct wait_queue q = WAIT_QUEUE_INIT(q);
static struct waiter waiters[PLACES];
static struct wait_link links[PLACES];
static struct actor other, another;

/*
 * A place in the queue for each letter: "s" is a shared waiter, "." is one whose wait has ended,
 * "x" is a shared one of those, "e" is one that an event in another queue has woken.
 */
static void line_up(const char *kinds)
{
	static const enum wait_why ended[] = { WAIT_TIMEOUT, WAIT_KILLED, WAIT_SIGNAL };

	spin_lock(&q.lock);
	for (unsigned i = 0; kinds[i]; i++) {
		waiter_init(&waiters[i], 0);
		links[i] = (struct wait_link){ .shared = kinds[i] == 's' || kinds[i] == 'x' };
		expect(!wait_link(&q, &links[i], &waiters[i]), "the queue is destroyed");
		if (kinds[i] == '.' || kinds[i] == 'x')
			expect(waiter_swap(&waiters[i], ended[i % ARRAY_SIZE(ended)], 0),
			       "the only claim of a wait did not win");
		else if (kinds[i] == 'e')
			waiter_swap(&waiters[i], WAIT_EVENT, 4);
	}
	spin_unlock(&q.lock);
}

/* The letters say which waits are armed, "a", ended by an event, "e", or by something else, ".". */
static void expect_waits(const char *after, const char *wanted)
{
	for (unsigned i = 0; wanted[i]; i++) {
		enum wait_why why = atomic_load(&waiters[i].why);
		char is = why == WAIT_ARMED ? 'a' : why == WAIT_EVENT ? 'e' : '.';

		expect(is == wanted[i], "after %s waiter %u is '%c', not '%c'", after, i, is,
		       wanted[i]);
	}
}

static void leave_all(unsigned n)
{
	spin_lock(&q.lock);
	for (unsigned i = 0; i < n; i++)
		wait_unlink(&q, &links[i]);
	expect(!q.nr && list_empty(&q.links), "all waiters have left, and the queue has %u", q.nr);
	spin_unlock(&q.lock);
}

/* The longest queue: a shared waiter, @kind as often as fits, "s" or ".", and another waiter. */
static void check_crowd(char kind, const char *after)
{
	static char kinds[PLACES + 1];

	memset(kinds, kind, PLACES);
	kinds[0] = 's';
	kinds[PLACES - 1] = '1';
	line_up(kinds);
	expect(wait_wake_one(&q, 5), "a wake-up did not reach the last of %u places", PLACES);
	memset(kinds, kind == 's' ? 'e' : kind, PLACES);
	kinds[0] = kinds[PLACES - 1] = 'e';
	expect_waits(after, kinds);
	leave_all(PLACES);
}

/* A queue with only one waiter: whether a wake-up for one is used up, and for all, counted. */
static void check_alone(const char *kind, bool used, unsigned counted, const char *wanted)
{
	unsigned n;

	line_up(kind);
	expect(wait_wake_one(&q, 5) == used, "a wake-up of waiter '%s' alone did not say %s", kind,
	       used ? "true" : "false");
	expect_waits("a wake-up of one alone", wanted);
	leave_all(1);
	line_up(kind);
	n = wait_wake_all(&q, 5);
	expect(n == counted, "a wake-up for all of waiter '%s' alone counted %u", kind, n);
	expect_waits("a wake-up for all of one alone", wanted);
	leave_all(1);
}

/* However many shared waiters are ahead; those behind the one that is woken wait on. */
SCENARIO(shared_ones, "event.shared_ones", "04.3", "P4.6", .cpus = 1)
{
	line_up("ss1s2s");
	expect(wait_wake_one(&q, 5), "a wake-up woke nobody");
	expect_waits("a wake-up", "eeeaaa");
	expect(wait_wake_one(&q, 5), "a wake-up woke nobody");
	expect_waits("two wake-ups", "eeeeea");
	expect(!wait_wake_one(&q, 5), "a shared waiter used a wake-up up");
	expect_waits("three wake-ups", "eeeeee");
	leave_all(6);
	check_alone("s", false, 1, "e");
	check_alone("1", true, 1, "e");
	check_crowd('s', "a wake-up in a crowd");
}

/* However many waits have ended already, some of them shared, and others between them. */
SCENARIO(behind_many, "ends.one_behind_many", "04.4", "P4.11", .cpus = 1)
{
	line_up("..sxe12xe");
	expect(wait_wake_one(&q, 5), "a wake-up was spent on waits that had ended");
	expect_waits("a wake-up", "..e.eea.e");
	expect(wait_wake_all(&q, 5) == 1, "a wake-up for all did not wake the only waiter");
	expect_waits("a wake-up for all", "..e.eee.e");
	expect(waiters[4].status == 4, "a waiter that had got status 4 has %d",
	       waiters[4].status);
	leave_all(9);
	check_alone(".", false, 0, ".");
	check_alone("x", false, 0, ".");
	check_alone("e", false, 0, "e");
	check_crowd('.', "a wake-up behind a crowd");
}

/* Any int is a status, and shared waiters get it and are counted like others. */
SCENARIO(any_status, "event.any_status", "04.3", "P4.9", .cpus = 1)
{
	static const int statuses[] = { 0, -1, 0x80, 0x10000, S32_MAX, S32_MIN };

	for (unsigned i = 0; i < ARRAY_SIZE(statuses); i++) {
		line_up("s12s3");
		wait_wake_one(&q, statuses[i]);
		expect(wait_wake_all(&q, statuses[i]) == 3, "a wake-up for all did not count 3");
		leave_all(5);
		for (unsigned k = 0; k < 5; k++)
			expect(waiters[k].status == statuses[i],
			       "a waker passed %d, and waiter %u got %d", statuses[i], k,
			       waiters[k].status);
	}
}

static bool is_over(unsigned i)
{
	return atomic_load(&waiters[i].why) != WAIT_ARMED;
}

/* Looks from the other CPU until the last wait is over. */
static int watch_order(void)
{
	do {
		for (unsigned i = RANKS; --i;)
			expect(!is_over(i) || is_over(i - 1),
			       "waiter %u was woken before waiter %u, which came earlier", i,
			       i - 1);
		arch_spin_hint();
	} while (!is_over(RANKS - 1));
	return 0;
}

/*
 * The one that has waited longest is first, wherever its thread runs, whatever its priority, and
 * also if it is shared or to stop.
 */
SCENARIO(first_come, "event.first_come", "04.3", "P4.6", .cpus = 2, .sets_up = true, .keeps = true)
{
	static const u8 levels[RANKS] = { PRIORITY_LOW, PRIORITY_HIGH,    PRIORITY_LOWEST,
					   PRIORITY_LOW, PRIORITY_DEFAULT, PRIORITY_HIGHEST };

	line_up("1234s6");
	for (unsigned i = 0; i < RANKS; i++) {
		struct thread *t = thread_create("waiter", act, NULL, levels[i]);

		expect(!sched_set_affinity(t, BIT(~i & 1)), "CPU %u is not there", ~i & 1);
		if (i % 2 == 0)
			atomic_fetch_or(&t->work, WORK_SUSPEND);
		waiters[i].thread = t;
	}
	act_on(1, &other, watch_order);
	explore_from_here();
	expect(wait_wake_one(&q, 5), "a wake-up woke nobody");
	expect_waits("a wake-up", "eaaaaa");
	expect(wait_wake_one(&q, 5), "a wake-up woke nobody");
	expect_waits("two wake-ups", "eeaaaa");
	expect(wait_wake_one(&q, 5), "a wake-up woke nobody");
	expect_waits("three wake-ups", "eeeaaa");
	expect(wait_wake_all(&q, 5) == 3, "a wake-up for all did not wake the other three");
	leave_all(RANKS);
	end_here();
}

/* --- The queue's lock guards the caller's data too -------------------------------------------- */

static bool half_done;			/* [q.lock] */

static int look(void)
{
	spin_lock(&q.lock);
	expect(!half_done, "a wake-up let the queue's lock go, which its caller holds");
	spin_unlock(&q.lock);
	return 0;
}

SCENARIO(one_keeps_lock, "event.one_keeps_lock", "04.3", "P4.6", .cpus = 2, .keeps = true)
{
	line_up("s.1");
	act_on(1, &other, look);
	spin_lock(&q.lock);
	half_done = true;
	wait_wake_one_locked(&q, 5);
	half_done = false;
	spin_unlock(&q.lock);
	expect_waits("a wake-up", "e.e");
	end_here();
}

SCENARIO(all_keep_lock, "event.all_keep_lock", "04.3", "P4.7", .cpus = 2, .keeps = true)
{
	line_up("1.s2");
	act_on(1, &other, look);
	spin_lock(&q.lock);
	half_done = true;
	wait_wake_all_locked(&q, 5);
	half_done = false;
	spin_unlock(&q.lock);
	expect_waits("a wake-up for all", "e.ee");
	end_here();
}

/* --- Destruction ------------------------------------------------------------------------------ */

/* As poll() does, which takes the queues' locks when its wait is over, and not before. */
static int watch(void)
{
	struct wait_link link = { .shared = true };
	struct waiter w;
	int err;

	waiter_init(&w, 0);
	spin_lock(&q.lock);
	expect(!wait_link(&q, &link, &w), "the queue is destroyed");
	spin_unlock(&q.lock);
	err = waiter_block(&w, DEADLINE_NEVER);
	spin_lock(&q.lock);
	wait_unlink(&q, &link);
	spin_unlock(&q.lock);
	return err;
}

static int wait(void)
{
	return wait_block(&q, DEADLINE_NEVER);
}

static const char *both_destroyed(void)
{
	return other.result == -EIDRM && another.result == -EIDRM
		       ? NULL
		       : wrong("the waits in a destroyed queue returned %d and %d", other.result,
			       another.result);
}

SCENARIO(destroyed_shared, "destroy.shared", "04.5", "P4.15", .cpus = 1, .after = both_destroyed,
	 .keeps = true)
{
	act_on(0, &other, watch);
	act_on(0, &another, wait);
	thread_yield();
	wait_queue_destroy(&q);
	expect(!q.nr, "a destruction returned, and %u waiters have not left", q.nr);
	end_here();
}

/* --- Claims that no lock keeps apart ---------------------------------------------------------- */

static const enum wait_why parties[] = {
	WAIT_EVENT, WAIT_TIMEOUT, WAIT_KILLED, WAIT_SIGNAL, WAIT_DESTROYED,
};
#define PARTIES	ARRAY_SIZE(parties)

static struct waiter contested[PARTIES];
static bool won[2][PARTIES];

/* WAIT1: from the first claim on `why` is the winner's. CPU 1's claim is that of the next party. */
static int claim_each(unsigned cpu)
{
	for (unsigned i = 0; i < PARTIES; i++) {
		enum wait_why why = parties[(i + cpu) % PARTIES];

		won[cpu][i] = waiter_swap(&contested[i], why, why == WAIT_EVENT ? 5 : 0);
		expect(!won[cpu][i] || atomic_load(&contested[i].why) == why,
		       "a claim won, and `why` is another's");
	}
	return 0;
}

static int claim_elsewhere(void)
{
	return claim_each(1);
}

static const char *one_won_each(void)
{
	for (unsigned i = 0; i < PARTIES; i++)
		if (won[0][i] == won[1][i])
			return wrong("of two claims, %d and %d, %s won", parties[i],
				     parties[(i + 1) % PARTIES], won[0][i] ? "both" : "neither");
	return NULL;
}

SCENARIO(claims, "ends.two_claims", "04.4", "P4.10", .cpus = 2, .after = one_won_each,
	 .keeps = true)
{
	for (unsigned i = 0; i < PARTIES; i++)
		waiter_init(&contested[i], 0);
	act_on(1, &other, claim_elsewhere);
	claim_each(0);
	end_here();
}
