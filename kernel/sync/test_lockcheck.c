/*
 * Kernels that break the rules of locks, for tools/tests/test_locks.py to read what they say: each
 * "test" of the step "panic" ends in one. And the deadlock that is survived.
 */
#include "lockcheck.h"
#include "test_sync.h"

#define STEP	"panic"

static struct mutex first = MUTEX_INIT(first), second = MUTEX_INIT(second);
static struct mutex third = MUTEX_INIT(third);
static struct spinlock object = SPINLOCK_INIT(LOCK_OBJECT), inode = SPINLOCK_INIT(LOCK_INODE);

/* Nobody else has to run: the order alone tells. */
static noinline void take_in_order(struct mutex *a, struct mutex *b)
{
	mutex_lock(a);
	mutex_lock(b);
	mutex_unlock(b);
	mutex_unlock(a);
}

KTEST(lock_circle, "lock.circle", STEP, "")
{
	take_in_order(&first, &second);
	take_in_order(&second, &third);
	take_in_order(&third, &first);
}

KTEST(lock_recursion, "lock.recursion", STEP, "")
{
	mutex_lock(&first);
	mutex_lock(&first);
}

static int unlock_it(void *m)
{
	mutex_unlock(m);
	return 0;
}

KTEST(lock_foreign, "lock.foreign", STEP, "")
{
	mutex_lock(&first);
	test_join(test_thread(ALL_CPUS, unlock_it, &first, PRIORITY_DEFAULT), "foreign");
}

static int keep_it(void *m)
{
	mutex_lock(m);
	return 0;
}

KTEST(lock_kept, "lock.kept", STEP, "")
{
	test_join(test_thread(ALL_CPUS, keep_it, &first, PRIORITY_DEFAULT), "keeper");
}

KTEST(lock_to_user, "lock.to_user", STEP, "")
{
	mutex_lock(&second);
	lockcheck_none_held("returns to user mode");
}

/* On a free mutex: the rule holds whether it would wait or not. */
KTEST(lock_under_spin, "lock.under_spin", STEP, "")
{
	spin_lock(&object);
	mutex_lock(&first);
}

static void lock_in_interrupt(void *m)
{
	mutex_lock(m);
}

KTEST(lock_in_interrupt, "lock.in_interrupt", STEP, "")
{
	sweep_action = lock_in_interrupt;
	sweep_action_arg = &first;
	sweep_arm("thread_yield", current_thread(), 1);
	for (;;)
		thread_yield();
}

KTEST(lock_spin_order, "lock.spin_order", STEP, "")
{
	spin_lock(&inode);
	spin_lock(&object);
}

KTEST(lock_spin_recursion, "lock.spin_recursion", STEP, "")
{
	spin_lock(&object);
	spin_lock(&object);
}

/*
 * --- A deadlock ---------------------------------------------------------------------------------
 */

static struct thread *crossed;

/* Holds the second, waits for the first, which the other one holds. */
static int cross(void *unused)
{
	int err;

	(void)unused;
	mutex_lock(&second);
	err = mutex_lock_killable(&first);
	if (!err)
		mutex_unlock(&first);
	mutex_unlock(&second);
	return err;
}

static void start_crossing(void)
{
	mutex_init(&first);
	mutex_init_named(&second, first.name);	/* of one class: the order is not judged */
	mutex_lock(&first);
	crossed = test_thread(ALL_CPUS, cross, NULL, PRIORITY_DEFAULT);
	test_blocked(crossed, "crossing");
}

/* A wait that may fail does. */
KTEST(deadlock_refused, "deadlock.refused", "", "deadlock")
{
	int err;

	start_crossing();
	err = mutex_lock_killable(&second);
	CHECK(err == -EDEADLK, "deadlock", "it waits for itself: %d", err);
	err = mutex_lock_timed(&second, deadline_in(SOON));
	CHECK(err == -EDEADLK, "deadlock", "it waits for itself: %d", err);
	mutex_unlock(&first);
	CHECK(test_join(crossed, "crossing") == 0, "deadlock", "the other one got nothing");
	audit();
}

static int kill_soon(void *t)
{
	thread_sleep(MS);
	thread_kill(t);
	return 0;
}

/* One that may not fail is reported and waits; killing another of the circle resolves it. */
KTEST(deadlock_reported, "deadlock.reported", "", "deadlock")
{
	struct thread *killer;

	start_crossing();
	killer = test_thread(ALL_CPUS, kill_soon, crossed, PRIORITY_DEFAULT);
	mutex_lock(&second);
	CHECK(test_join(crossed, "crossing") == -EINTR, "deadlock", "it was not killed");
	test_join(killer, "killer");
	CHECK(list_empty(&current_thread()->contended), "deadlock", "somebody still waits");
	mutex_unlock(&second);
	mutex_unlock(&first);
	audit();
}
