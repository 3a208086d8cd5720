/*
 * Lab 05, steps 3 to 5: chains of threads, each of which waits for a lock of the next. In the first
 * scenarios no thread runs: their waits are entered in the graph by hand.
 */
#include "graph.h"

#include "errno.h"
#include "lent.h"
#include "sync/mutex.h"

SCENARIO(in_order, "graph.order", "05.3", "P5.5", .cpus = 1, .keeps = true, .no_costume = true)
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

SCENARIO(moves, "graph.moves", "05.3", "P5.5", .cpus = 1, .keeps = true, .no_costume = true)
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

/* Takes a, and makes @middle, and on @cpu an urgent thread that needs b. */
static void hold_a_against(int (*middle)(void), unsigned cpu)
{
	owner = current_thread();
	mutex_lock(&a);
	act_on(1, &first, middle);
	second.urgent = true;
	act_on(cpu, &second, lock_b);
}

static void let_a_go(void)
{
	mutex_unlock(&a);
	end_here();
}

/* A chain: an urgent thread waits for b, whose owner waits for a until its deadline. */
SCENARIO(chain, "mutex.chain", "05.5", "P5.6", .cpus = 2, .after = no_boost, .keeps = true)
{
	hold_a_against(lock_both_timed, 1);
	let_a_go();
}

/* The chain grows while a is handed over. */
SCENARIO(chain_unlock, "mutex.chain_unlock", "05.5", "P5.6", .cpus = 2, .after = no_boost,
	 .keeps = true)
{
	hold_a_against(lock_both_some_time, 1);
	let_a_go();
}

/* The chain grows at its end while the thread before begins to wait, on another CPU. */
SCENARIO(chain_grows, "mutex.chain_grows", "05.5", "P5.6", .cpus = 2, .after = no_boost,
	 .keeps = true)
{
	hold_a_against(lock_both_some_time, 0);
	spin_lock(&pi_lock);
	if (pi_has_waiters(&a.pi) && pi_has_waiters(&b.pi))
		expect(owner->se.inherited.level == second.thread->se.base.level,
		       "an urgent thread waits for b, and the owner of a inherits %u",
		       owner->se.inherited.level);
	spin_unlock(&pi_lock);
	let_a_go();
}

/* While an urgent thread waits for a lock, its owner has that thread's rank. */
SCENARIO(boosted, "mutex.boosted", "05.5", "P5.6", .cpus = 2, .after = no_boost, .keeps = true)
{
	owner = current_thread();
	mutex_lock(&b);
	first.urgent = true;
	act_on(1, &first, lock_b);
	expect_lent(&b, owner, &first);
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

/* The same on one CPU: a thread may be preempted before it sleeps, and is in the circle then. */
SCENARIO(circle_here, "mutex.two_orders_here", "05.5", "P5.7", .cpus = 1, .after = one_refused,
	 .keeps = true)
{
	a.name = b.name;
	act_on(0, &first, lock_a_then_b);
	act_on(0, &second, lock_b_then_a);
	end_here();
}

static atomic_uint had_both;

static int lock_both_for_sure(void)
{
	mutex_lock(&a);
	expect(!thread_sleep(1000), "a sleep failed");
	mutex_lock(&b);
	atomic_store(&had_both, 1);
	mutex_unlock(&b);
	mutex_unlock(&a);
	return 0;
}

/* A thread that cannot be refused closes a circle; a deadline opens it, and it has its turn. */
SCENARIO(opened, "mutex.circle_opened", "05.5", "P5.9", .cpus = 2, .after = all_free, .keeps = true)
{
	bool waits, free;

	a.name = b.name;
	mutex_lock(&b);
	act_on(1, &first, lock_both_for_sure);
	expect(!thread_sleep(500), "a sleep failed");
	if (!mutex_lock_timed(&a, deadline_in(2000)))
		mutex_unlock(&a);
	spin_lock(&pi_lock);
	waits = pi_has_waiters(&b.pi);
	spin_unlock(&pi_lock);
	mutex_unlock(&b);
	free = !atomic_load(&b.word);
	expect(!waits || !free || atomic_load(&had_both),
	       "a thread waited, and after the unlock the mutex was free");
	end_here();
}

static _Atomic bool gave_up;

static int give_up_b(void)
{
	int err = mutex_lock_timed(&b, deadline_in(900));

	if (!err)
		mutex_unlock(&b);
	gave_up = true;
	return err;
}

/* An urgent thread waits for the same lock, and gives up while the circle is closed. */
SCENARIO(circle_lends, "mutex.circle_lends", "05.5", "P5.6", .cpus = 1, .after = all_free,
	 .keeps = true, .no_costume = true)
{
	u32 own = thread_rank(current_thread()).level;

	a.name = b.name;
	mutex_lock(&b);
	act_on(0, &first, lock_both_for_sure);
	second.urgent = true;
	act_on(0, &second, give_up_b);
	if (!mutex_lock_timed(&a, deadline_in(2000)))
		mutex_unlock(&a);
	else
		expect(!gave_up || thread_rank(current_thread()).level == own,
		       "an urgent thread has given up, and the owner has its rank still");
	mutex_unlock(&b);
	end_here();
}
