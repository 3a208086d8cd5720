/*
 * Lab 05, challenge: a signal moves its waiter to the mutex, as long as that is taken, instead of
 * waking it. All threads are on CPU 0, and none computes for a whole quantum, so how often each is
 * switched to depends on nothing but wake-ups.
 */
#include "sync/pi.h"
#include "sync/sync.h"

#include "sync/test_sync.h"

#define MEMBERS	5

static struct mutex mutex;
static struct condvar condvar;
static unsigned turns;

static struct member {
	struct thread *thread;
	struct deadline d;
	u64 before;		/* how often it had been switched to when it blocked */
	u64 switches;		/* how often after that, until its wait returned */
	unsigned turn;		/* its place among those that have the mutex */
	bool held;
} members[MEMBERS];

static int wait(void *arg)
{
	struct member *w = arg;
	int err;

	mutex_lock(&mutex);
	err = condvar_wait(&condvar, &mutex, w->d);
	w->held = mutex_held(&mutex);
	w->switches = current_thread()->stats.switches_in - w->before;
	w->turn = turns++;
	mutex_unlock(&mutex);
	return err;
}

static struct member *start(unsigned i, int priority, struct deadline d)
{
	struct member *w = &members[i];

	*w = (struct member){ .d = d };
	w->thread = test_thread(ONE_CPU, wait, w, priority);
	test_blocked(w->thread, "condvar");
	w->before = w->thread->stats.switches_in;
	return w;
}

static void begin(void)
{
	test_stay(ONE_CPU);
	condvar_init(&condvar);
	mutex_init(&mutex);
	turns = 0;
}

static void end(void)
{
	condvar_destroy(&condvar);
	test_stay(ALL_CPUS);
	audit();
}

/* The wait of @w has had its signal, and the mutex is taken: it goes on to block. */
static void expect_moved(struct member *w, const char *when)
{
	u64 woken;

	thread_sleep(MS);
	woken = w->thread->stats.switches_in - w->before;
	CHECK(!woken && thread_state(w->thread) == THREAD_BLOCKED, ktest_property(),
	      "%s, and the mutex is taken: a waiter was switched to %lu times, and is %s", when,
	      woken, thread_state_name(thread_state(w->thread)));
}

static void expect_end(struct member *w, int wanted, const char *when)
{
	int err = test_join(w->thread, "condvar");

	CHECK(err == wanted, ktest_property(), "%s: the wait returned %d, not %d", when, err,
	      wanted);
	CHECK(w->held, ktest_property(), "%s: the wait returned without the mutex", when);
}

/* --- How often a waiter is switched to -------------------------------------------------------- */

static void signal_all(bool broadcast)
{
	const char *how = broadcast ? "a broadcast" : "a signal for each";

	begin();
	for (unsigned i = 0; i < MEMBERS; i++)
		start(i, PRIORITY_DEFAULT, DEADLINE_NEVER);
	mutex_lock(&mutex);
	if (broadcast)
		condvar_broadcast(&condvar);
	for (unsigned i = 0; i < MEMBERS && !broadcast; i++)
		condvar_signal(&condvar);
	for (unsigned i = 0; i < MEMBERS; i++)
		expect_moved(&members[i], how);
	mutex_unlock(&mutex);
	for (unsigned i = 0; i < MEMBERS; i++) {
		expect_end(&members[i], 0, how);
		CHECK(members[i].switches == 1, "C5.1",
		      "%s: waiter %u was switched to %lu times until its wait returned", how, i,
		      members[i].switches);
		CHECK(members[i].turn == i, "C5.1", "%s: waiter %u has the mutex as number %u",
		      how, i, members[i].turn);
	}
	CHECK(mutex.word == 0, "C5.1", "%s: all have passed, and the word is %lx", how,
	      mutex.word);
	end();
}

KTEST(challenge_switches, "challenge.switches", "05.c", "C5.1")
{
	signal_all(true);
	signal_all(false);
	begin();			/* of a free mutex no unlock would wake the waiter */
	start(0, PRIORITY_DEFAULT, DEADLINE_NEVER);
	condvar_signal(&condvar);
	expect_end(&members[0], 0, "a signal, and the mutex is free");
	end();
}

/* --- Ranks ------------------------------------------------------------------------------------ */

static bool as_urgent(const struct thread *a, const struct thread *b)
{
	struct sched_rank x = thread_rank(a), y = thread_rank(b);

	return !rank_above(x, y) && !rank_above(y, x);
}

/* Signals all, and checks at once whether this thread is as urgent as @w, who waits for it. */
static void signal_urgent(struct member *w, const char *when)
{
	bool lent;

	preempt_off();			/* none of them runs and locks the mutex by itself */
	condvar_broadcast(&condvar);
	lent = as_urgent(current_thread(), w->thread);
	preempt_on();
	CHECK(lent, "C5.2", "%s: a waiter lends its rank to no owner when the signal returns",
	      when);
	expect_moved(w, when);
}

static struct mutex inner;

static int own_both(void *unused)
{
	(void)unused;
	mutex_lock(&mutex);
	mutex_lock(&inner);
	mutex_unlock(&inner);
	mutex_unlock(&mutex);
	return 0;
}

KTEST(challenge_ranks, "challenge.ranks", "05.c", "C5.2")
{
	static const struct {
		int priority;
		unsigned turn;
	} ranks[] = { { 20, 1 }, { PRIORITY_DEFAULT, 3 }, { 26, 0 }, { 20, 2 } };
	struct thread *owner;

	begin();
	for (unsigned i = 0; i < ARRAY_SIZE(ranks); i++)
		start(i, ranks[i].priority, DEADLINE_NEVER);
	mutex_lock(&mutex);
	signal_urgent(&members[2], "this thread has the mutex");
	mutex_unlock(&mutex);
	for (unsigned i = 0; i < ARRAY_SIZE(ranks); i++) {
		expect_end(&members[i], 0, "a broadcast");
		CHECK(members[i].turn == ranks[i].turn, "C5.2",
		      "waiter %u, of level %d, has the mutex as number %u, not %u", i,
		      ranks[i].priority, members[i].turn, ranks[i].turn);
	}
	end();

	begin();
	mutex_init(&inner);
	start(0, 26, DEADLINE_NEVER);
	mutex_lock(&inner);
	owner = test_thread(ONE_CPU, own_both, NULL, PRIORITY_DEFAULT);
	test_blocked(owner, "owner");
	signal_urgent(&members[0], "the owner waits for a mutex of this thread");
	mutex_unlock(&inner);
	expect_end(&members[0], 0, "the owner had to wait");
	test_join(owner, "owner");
	end();
}

/* --- What comes after the signal, and before it ----------------------------------------------- */

/* The current thread goes on at once, whatever becomes ready. */
static void expire(struct member *w)
{
	sleepq_expire(&this_cpu()->sleepq, w->d.at);	/* as the timer does */
}

#define FAR	deadline_at(time_now() + 1000 * NSEC_PER_SEC)

static void by_deadline(struct member *w)
{
	preempt_off();
	expire(w);
	preempt_on();
}

static void by_kill(struct member *w)
{
	thread_kill(w->thread);
}

static void by_destruction(struct member *w)
{
	(void)w;
	condvar_destroy(&condvar);
}

/* The mutex stays taken until @after has come. */
static void signal_first(void (*after)(struct member *w), const char *when)
{
	struct member *w;

	begin();
	w = start(0, PRIORITY_DEFAULT, FAR);
	mutex_lock(&mutex);
	condvar_signal(&condvar);
	expect_moved(w, "a signal");
	after(w);
	thread_sleep(MS);
	CHECK(thread_state(w->thread) == THREAD_BLOCKED, "C5.3",
	      "%s, and the mutex is taken: the waiter is %s", when,
	      thread_state_name(thread_state(w->thread)));
	mutex_unlock(&mutex);
	expect_end(w, 0, when);
	if (after != by_destruction)
		condvar_destroy(&condvar);
	test_stay(ALL_CPUS);
	audit();
}

/* The first thread's wait is over, but it has not run since: the second one gets the signal. */
static void signal_last(void)
{
	begin();
	start(0, PRIORITY_DEFAULT, FAR);
	start(1, PRIORITY_DEFAULT, DEADLINE_NEVER);
	mutex_lock(&mutex);
	preempt_off();
	expire(&members[0]);
	condvar_signal(&condvar);
	preempt_on();
	expect_moved(&members[1], "the deadline of the first, then a signal");
	mutex_unlock(&mutex);
	expect_end(&members[0], -ETIMEDOUT, "its deadline, then a signal: the first");
	expect_end(&members[1], 0, "the deadline of the first, then a signal: the second");
	end();
}

KTEST(challenge_ends, "challenge.ends", "05.c", "C5.3")
{
	signal_first(by_deadline, "a signal, then its deadline");
	signal_first(by_kill, "a signal, then a kill");
	signal_first(by_destruction, "a signal, then a destruction");
	signal_last();
}
