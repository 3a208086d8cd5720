/*
 * Ticket spin locks, and the nesting of "interrupts off".
 *
 * A ticket lock serves its acquirers in order of arrival, so no CPU starves. While it is held,
 * interrupts are off on the holder's CPU: a handler may take the same lock, and the holder cannot
 * be preempted. The depth is the thread's, not the lock's: locks may be released in any order and
 * interrupts come back with the last one.
 */
#include "spinlock.h"

#include "config.h"
#include "cpu.h"
#include "lockcheck.h"
#include "sched.h"
#include "thread.h"

void irq_off(void)
{
	bool on = arch_irqs_enabled();
	struct thread *t;

	arch_irqs_disable();
	t = current_thread();
	if (t->irq_depth++ == 0)
		t->irqs_were_on = on;
}

/*
 * A reschedule request that came while it could not be served is served at the first point it can.
 */
static void serve_resched(struct thread *t)
{
	if (unlikely(atomic_load_explicit(&t->work, memory_order_relaxed) & WORK_RESCHED) &&
	    t->preempt_depth == 0)
		sched_preempt();
}

void irq_on(void)
{
	struct thread *t = current_thread();

	assert(t->irq_depth > 0);
	if (--t->irq_depth || !t->irqs_were_on)
		return;
	serve_resched(t);
	arch_irqs_enable();
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
	if (unlikely(atomic_load_explicit(&t->work, memory_order_relaxed) & WORK_RESCHED)) {
		arch_irqs_disable();
		serve_resched(t);
		arch_irqs_enable();
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

static void took(struct spinlock *l, const void *site)
{
	l->holder = current_thread();
	l->site = site;
}

static void acquire(struct spinlock *l, const void *site)
{
	u32 ticket = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed);

	/* Pairs with the release in spin_unlock(): we see all that the last holder wrote. */
	while (atomic_load_explicit(&l->owner, memory_order_acquire) != ticket)
		arch_spin_hint();
	took(l, site);
}

void spin_lock(struct spinlock *l)
{
	irq_off();
	if (DEBUG_BUILD)
		lockcheck_acquire(l, false, __builtin_return_address(0));
	acquire(l, __builtin_return_address(0));
}

void spin_lock_nested(struct spinlock *l)
{
	irq_off();
	if (DEBUG_BUILD)
		lockcheck_acquire(l, true, __builtin_return_address(0));
	acquire(l, __builtin_return_address(0));
}

bool spin_trylock(struct spinlock *l)
{
	u32 owner, ticket;

	irq_off();
	owner = atomic_load_explicit(&l->owner, memory_order_relaxed);
	ticket = owner;
	if (!atomic_compare_exchange_strong_explicit(&l->next, &ticket, owner + 1,
						     memory_order_acquire, memory_order_relaxed)) {
		irq_on();
		return false;
	}
	if (DEBUG_BUILD)
		lockcheck_acquired(l, current_thread());
	took(l, __builtin_return_address(0));
	return true;
}

void spin_unlock(struct spinlock *l)
{
	assert(l->holder == current_thread());
	if (DEBUG_BUILD)
		lockcheck_release(l);
	l->holder = NULL;
	atomic_fetch_add_explicit(&l->owner, 1, memory_order_release);
	irq_on();
}

void spin_transfer(struct spinlock *l, struct thread *next)
{
	assert(l->holder == current_thread());
	if (DEBUG_BUILD) {
		lockcheck_release(l);
		lockcheck_acquired(l, next);
	}
	l->holder = next;
}
