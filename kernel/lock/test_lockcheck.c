/*
 * Kernels that break the rules of locks, for tools/tests/test_locks.py, which reads the reports:
 * each "test" here ends in a panic, and runs only when it is asked for by name.
 */
#include "base/string.h"
#include "lock/lockcheck.h"
#include "sync/test_sync.h"

#define STEP	"panic"

static struct mutex first = MUTEX_INIT(first), second = MUTEX_INIT(second);
static struct mutex third = MUTEX_INIT(third);
static struct spinlock object = SPINLOCK_INIT(LOCK_OBJECT), inode = SPINLOCK_INIT(LOCK_INODE);

/* No other thread has to run: the order alone is reported. */
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

/* MUTEX3: the report at a thread's end, and below at the return to user mode. */
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
	struct trapframe tf;

	memset(&tf, 0xff, sizeof(tf));		/* no system call has that number */
	mutex_lock(&second);
	arch_irqs_disable();
	syscall_entry(&tf);			/* MUTEX3 */
}

/* The mutex is free, so nothing would wait: the rule holds all the same. */
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
	for (;;) {			/* until an interrupt hits thread_yield() */
		sweep_arm("thread_yield", current_thread(), 1);
		thread_yield();
	}
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
