/*
 * Tests of spin locks and interrupts: off from the first lock to the last, and then as they were
 * before, even if another CPU has tried the lock meanwhile.
 */
#include "sync/test_sync.h"

static struct spinlock outer = SPINLOCK_INIT(LOCK_OBJECT), inner = SPINLOCK_INIT(LOCK_WAITQ);

KTEST(spin_nested, "spin.nested", "", "spin.interrupts")
{
	spin_lock(&outer);
	spin_lock(&inner);
	CHECK(!arch_irqs_enabled(), "spin.interrupts", "interrupts are on with two locks held");
	spin_unlock(&outer);
	CHECK(!arch_irqs_enabled(), "spin.interrupts", "interrupts are on with a lock held");
	spin_unlock(&inner);
	CHECK(arch_irqs_enabled(), "spin.interrupts", "interrupts stay off");
}

KTEST(spin_handler, "spin.handler", "", "spin.interrupts")
{
	arch_irqs_disable();
	spin_lock(&outer);
	spin_unlock(&outer);
	CHECK(!arch_irqs_enabled(), "spin.interrupts", "a lock leaves them on where they were off");
	arch_irqs_enable();
}

static _Atomic bool comes;

/* Takes the lock like an interrupt handler: with interrupts off before. */
static int ask_with_interrupts_off(void *unused)
{
	(void)unused;
	arch_irqs_disable();
	atomic_store(&comes, true);
	spin_lock(&outer);
	spin_unlock(&outer);
	CHECK(!arch_irqs_enabled(), "spin.interrupts", "they are on where they were off");
	arch_irqs_enable();
	return 0;
}

/* The interrupt state of a waiting CPU must not reach the owner. */
KTEST(spin_owner, "spin.owner", "", "spin.interrupts")
{
	struct thread *t;
	u64 end;

	NEEDS_TWO_CPUS;
	test_stay(ONE_CPU);
	atomic_store(&comes, false);
	t = test_thread(BIT(1), ask_with_interrupts_off, NULL, PRIORITY_DEFAULT);
	spin_lock(&outer);
	end = arch_clock_ns() + LONG;
	while (!atomic_load(&comes) && arch_clock_ns() < end)
		arch_spin_hint();
	end = arch_clock_ns() + MS / 10;	/* now it spins */
	while (arch_clock_ns() < end)
		arch_spin_hint();
	spin_unlock(&outer);
	CHECK(atomic_load(&comes), "spin.interrupts", "the other CPU has not come");
	CHECK(arch_irqs_enabled(), "spin.interrupts", "the owner's interrupts stay off");
	arch_irqs_enable();
	test_join(t, "asker");
}
