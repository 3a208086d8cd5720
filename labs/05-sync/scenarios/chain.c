/*
 * Lab 05, steps 3 to 5: chains of threads, each of which waits for a lock of the next. In the first
 * scenarios no thread runs: their waits are entered in the graph by hand.
 */
#include "errno.h"
#include "explore/scenario.h"
#include "sync/mutex.h"

#define THREADS	6
#define LOCKS	4

static struct thread *threads[THREADS];
static struct pi_queue queues[LOCKS];
static struct pi_waiter waiters[THREADS];

static void make_threads(const u8 *levels)
{
	for (unsigned i = 0; i < LOCKS; i++)
		pi_queue_init(&queues[i]);
	for (unsigned i = 0; i < THREADS; i++)
		threads[i] = thread_create("member", act, NULL, levels[i]);
}

/* Thread @t waits for lock @q of @owner. */
static void wait_for(unsigned t, unsigned q, unsigned owner)
{
	waiter_init(&waiters[t].waiter, 0);
	waiters[t].waiter.thread = threads[t];
	spin_lock(&pi_lock);
	pi_wait(&queues[q], threads[owner], &waiters[t]);
	spin_unlock(&pi_lock);
}

static void give_up(unsigned t)
{
	spin_lock(&pi_lock);
	waiter_swap(&waiters[t].waiter, WAIT_TIMEOUT, 0);
	expect(pi_leave(&waiters[t]), "thread %u is in no list", t);
	spin_unlock(&pi_lock);
}

static void pass_to(unsigned t)
{
	spin_lock(&pi_lock);
	waiter_swap(&waiters[t].waiter, WAIT_EVENT, 0);
	pi_pass(&waiters[t]);
	spin_unlock(&pi_lock);
}

/* The digits of @wanted are the threads that wait for lock @q, in order. */
static void expect_order(unsigned q, const char *wanted, const char *when)
{
	char found[THREADS + 1] = "";
	unsigned n = 0;

	list_for_each(w, &queues[q].waiters, struct pi_waiter, node)
		for (unsigned i = 0; i < THREADS && n < THREADS; i++)
			if (w->waiter.thread == threads[i])
				found[n++] = (char)('0' + i);
	for (unsigned i = 0; i <= n; i++)
		expect(found[i] == wanted[i], "%s: the order is %s, not %s", when, found, wanted);
}

/* Thread @t has the rank of a thread of priority @level. */
static void expect_rank(unsigned t, unsigned of, const char *when)
{
	expect(thread_rank(threads[t]).level == threads[of]->se.base.level,
	       "%s: thread %u has rank %u, due is %u", when, t, thread_rank(threads[t]).level,
	       threads[of]->se.base.level);
}

SCENARIO(in_order, "graph.order", "05.3", "P5.5", .cpus = 1, .keeps = true)
{
	static const u8 levels[THREADS] = { 8, 18, 20, 20, 24, 18 };

	make_threads(levels);
	wait_for(3, 0, 0);
	wait_for(1, 0, 0);
	wait_for(2, 0, 0);
	wait_for(4, 0, 0);
	wait_for(5, 0, 0);
	expect_order(0, "43215", "five wait");
	give_up(2);
	expect_order(0, "4315", "one gave up");
	wait_for(2, 1, 1);
	expect_order(0, "4315", "a rank has risen to that of an equal before it");
	end_here();
}

SCENARIO(moves, "graph.moves", "05.3", "P5.5", .cpus = 1, .keeps = true)
{
	static const u8 levels[THREADS] = { 8, 17, 20, 20, 24, 20 };

	make_threads(levels);
	wait_for(1, 0, 0);
	wait_for(2, 0, 0);
	wait_for(3, 0, 0);
	expect_order(0, "231", "three wait");
	wait_for(5, 1, 1);
	expect_order(0, "231", "one has risen: behind its equals");
	wait_for(4, 1, 1);
	expect_order(0, "123", "one has risen: before the others");
	give_up(4);
	expect_order(0, "231", "one has fallen: behind its equals");
	end_here();
}

/* 4 waits for 2's lock, 2 for 1's, 1 for 0's; then each of them gets what it waits for. */
SCENARIO(inherits, "graph.chain", "05.3", "P5.6", .cpus = 1, .keeps = true)
{
	static const u8 levels[THREADS] = { 8, 17, 18, 20, 24, 22 };

	make_threads(levels);
	wait_for(1, 0, 0);
	wait_for(2, 1, 1);
	expect_rank(0, 2, "a chain of three");
	wait_for(4, 2, 2);
	expect_rank(0, 4, "an urgent thread waits at its end");
	expect_rank(1, 4, "an urgent thread waits at its end");
	wait_for(5, 3, 0);
	give_up(4);
	expect_rank(0, 5, "it gave up, another waits for another lock");
	expect_rank(1, 2, "it gave up");
	pass_to(1);
	expect_rank(0, 5, "one of two locks was passed on");
	expect_rank(1, 2, "one of two locks was passed on");
	pass_to(5);
	expect_rank(0, 0, "both locks were passed on");
	end_here();
}

static void expect_circle(unsigned t, unsigned owner, bool wanted, const char *when)
{
	bool found;

	spin_lock(&pi_lock);
	found = pi_would_deadlock(threads[t], threads[owner]);
	spin_unlock(&pi_lock);
	expect(found == wanted, "%s: thread %u, if it waited for a lock of %u, would %s", when, t,
	       owner, wanted ? "wait for itself" : "not wait for itself");
}

SCENARIO(circles, "graph.circle", "05.4", "P5.7", .cpus = 1, .keeps = true)
{
	static const u8 levels[THREADS] = { 8, 8, 8, 8, 8, 8 };

	make_threads(levels);
	expect_circle(0, 0, true, "a lock of its own");
	expect_circle(0, 1, false, "no thread waits");
	for (unsigned i = 0; i < 4; i++) {
		wait_for(i, i, i + 1);
		expect_circle(i + 1, 0, true, "a chain that begins with 0");
		expect_circle(5, 0, false, "a chain of others");
	}
	waiter_swap(&waiters[2].waiter, WAIT_TIMEOUT, 0);
	expect_circle(4, 0, false, "a wait of the chain has been ended");
	expect_circle(4, 3, true, "a wait that is not in the chain has been ended");
	end_here();
}

/* --- Threads that lock mutexes ---------------------------------------------------------------- */

static struct mutex a = MUTEX_INIT(a), b = MUTEX_INIT(b);
static struct thread *owner;
static struct actor first, second;

static const char *all_free(void)
{
	if (atomic_load(&a.word) || atomic_load(&b.word))
		return wrong("the words of the mutexes are %lx and %lx", atomic_load(&a.word),
			     atomic_load(&b.word));
	return pi_has_waiters(&a.pi) || pi_has_waiters(&b.pi) ? "a waiter is left" : NULL;
}

static const char *no_boost(void)
{
	if (owner->se.inherited.level || first.thread->se.inherited.level)
		return "a thread keeps a rank that it inherited";
	if (first.result && first.result != -ETIMEDOUT)
		return wrong("the lock returned %d", first.result);
	return all_free();
}

/* Holds b, and waits for a. */
static int lock_both(struct deadline d)
{
	int err;

	mutex_lock(&b);
	err = mutex_lock_timed(&a, d);
	if (!err)
		mutex_unlock(&a);
	mutex_unlock(&b);
	return err;
}

static int lock_both_timed(void)
{
	return lock_both(deadline_in(1000));
}

static int lock_both_some_time(void)
{
	return lock_both(DEADLINE_NEVER);
}

static int lock_b(void)
{
	mutex_lock(&b);
	mutex_unlock(&b);
	return 0;
}

static void hold_a_against(int (*middle)(void))
{
	owner = current_thread();
	mutex_lock(&a);
	act_on(1, &first, middle);
	second.urgent = true;
	act_on(1, &second, lock_b);
	mutex_unlock(&a);
	end_here();
}

/* A chain: an urgent thread waits for b, whose owner waits for a until its deadline. */
SCENARIO(chain, "mutex.chain", "05.5", "P5.6", .cpus = 2, .after = no_boost, .keeps = true)
{
	hold_a_against(lock_both_timed);
}

/* The chain grows while a is handed over. */
SCENARIO(chain_unlock, "mutex.chain_unlock", "05.5", "P5.6", .cpus = 2, .after = no_boost,
	 .keeps = true)
{
	hold_a_against(lock_both_some_time);
}

/* While an urgent thread waits for a lock, its owner has that thread's rank. */
SCENARIO(boosted, "mutex.boosted", "05.5", "P5.6", .cpus = 2, .after = no_boost, .keeps = true)
{
	owner = current_thread();
	mutex_lock(&b);
	first.urgent = true;
	act_on(1, &first, lock_b);
	spin_lock(&pi_lock);
	if (pi_has_waiters(&b.pi))
		expect(owner->se.inherited.level == first.thread->se.base.level,
		       "an urgent thread waits, and the owner inherits %u",
		       owner->se.inherited.level);
	spin_unlock(&pi_lock);
	mutex_unlock(&b);
	end_here();
}

static int lock_a_then_b(void)
{
	int err;

	mutex_lock(&a);
	err = mutex_lock_interruptible(&b);
	if (!err)
		mutex_unlock(&b);
	mutex_unlock(&a);
	return err;
}

static int lock_b_then_a(void)
{
	int err;

	mutex_lock(&b);
	err = mutex_lock_interruptible(&a);
	if (!err)
		mutex_unlock(&a);
	mutex_unlock(&b);
	return err;
}

static const char *one_refused(void)
{
	int one = first.result, other = second.result;

	if ((one && one != -EDEADLK) || (other && other != -EDEADLK) || (one && other))
		return wrong("two locks in two orders returned %d and %d", one, other);
	return all_free();
}

SCENARIO(circle, "mutex.two_orders", "05.5", "P5.10", .cpus = 2, .after = one_refused,
	 .keeps = true)
{
	a.name = b.name;	/* one class: their order is not judged */
	act_on(0, &first, lock_a_then_b);
	act_on(1, &second, lock_b_then_a);
	end_here();
}
