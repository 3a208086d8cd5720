/*
 * Spin locks, and the nesting of "interrupts off".
 *
 * Test and test-and-set: any CPU that is running may get a free lock. A ticket lock would serve
 * CPUs in order of arrival; but virtual CPUs run only when the host lets them, and in such a queue
 * all would wait for the one that the host has just stopped. While a lock is held, interrupts are
 * off on the holder's CPU: a handler may take the same lock, and the holder cannot be preempted.
 * The depth is the thread's, not the lock's: locks may be released in any order, and interrupts
 * come back with the last one.
 */
#include "lock/spinlock.h"

#include "config.h"
#include "lock/lockcheck.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "thread/thread.h"

void irq_off(void)
{
	u32 on = arch_irqs_save();
	struct thread *t = current_thread();

	if (t->irq_depth++ == 0)
		t->irqs_were_on = on;
}

static inline bool resched_wanted(struct thread *t)
{
	return unlikely(atomic_load_explicit(&t->work, memory_order_relaxed) & WORK_RESCHED);
}

/*
 * Serves a reschedule request that came while interrupts or preemption were off, and turns
 * interrupts on.
 */
static noinline void serve_resched(struct thread *t)
{
	if (DEBUG_BUILD)
		assert_irqs_off();
	if (t->preempt_depth == 0)
		sched_preempt();
	arch_irqs_enable();
}

/* Sets the nesting to @depth, and turns interrupts on if it is 0 and they were on before. */
static inline void unnest(struct thread *t, unsigned depth)
{
	t->irq_depth = depth;
	if (depth || !t->irqs_were_on)
		return;
	if (resched_wanted(t))
		serve_resched(t);
	else
		arch_irqs_enable();
}

void irq_on(void)
{
	struct thread *t = current_thread();

	assert(t->irq_depth > 0);
	unnest(t, t->irq_depth - 1);
}

void preempt_off(void)
{
	current_thread()->preempt_depth++;
}

void preempt_on(void)
{
	struct thread *t = current_thread();

	assert(t->preempt_depth > 0);
	if (--t->preempt_depth || !arch_irqs_enabled())
		return;
	if (resched_wanted(t)) {
		arch_irqs_disable();
		serve_resched(t);
	}
}

void assert_may_block(void)
{
	struct thread *t = current_thread();

	assert(t->irq_depth == 0);
	assert(t->preempt_depth == 0);
	assert(arch_irqs_enabled());
}

void spin_init(struct spinlock *l, enum lock_class class)
{
	*l = (struct spinlock)SPINLOCK_INIT(class);
}

#define THE_LOCK	NO_LOCK_ANALYSIS("this is the implementation of locking")

/* Takes the lock if it is free. The acquire pairs with the release in spin_unlock(). */
static inline bool grab(struct spinlock *l)
{
	return !atomic_exchange_explicit(&l->locked, 1, memory_order_acquire);
}

/* Spins on a plain load, which leaves the holder its cache line, until the lock looks free. */
static noinline void wait_and_grab(struct spinlock *l)
{
	assert(l->holder != current_thread());
	do {
		while (atomic_load_explicit(&l->locked, memory_order_relaxed))
			arch_spin_hint();
	} while (!grab(l));
}

static inline void acquire(struct spinlock *l, bool nested, const void *site)
{
	irq_off();
	if (DEBUG_BUILD)
		lockcheck_acquire(l, nested, site);
	if (unlikely(!grab(l)))
		wait_and_grab(l);
	l->holder = current_thread();
}

void spin_lock(struct spinlock *l) THE_LOCK
{
	acquire(l, false, __builtin_return_address(0));
}

void spin_lock_nested(struct spinlock *l) THE_LOCK
{
	acquire(l, true, __builtin_return_address(0));
}

bool spin_trylock(struct spinlock *l) THE_LOCK
{
	irq_off();
	if (!grab(l)) {
		irq_on();
		return false;
	}
	if (DEBUG_BUILD)
		lockcheck_acquired(l, __builtin_return_address(0));
	l->holder = current_thread();
	return true;
}

void spin_unlock(struct spinlock *l) THE_LOCK
{
	struct thread *t = current_thread();
	unsigned depth = t->irq_depth;

	assert(l->holder == t && depth > 0);
	if (DEBUG_BUILD)
		lockcheck_release(l);
	l->holder = NULL;
	atomic_store_explicit(&l->locked, 0, memory_order_release);
	unnest(t, depth - 1);
}
