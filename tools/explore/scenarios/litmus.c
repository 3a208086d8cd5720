/*
 * Small programs whose numbers of executions and outcomes are known: tests of the explorer itself
 * (tools/tests/test_explore.py has the numbers). No kernel runs in them.
 */
#include "explore/scenario.h"

#include "lock/spinlock.h"

static _Atomic u32 x, y;
static u32 plain;
static u32 seen[4];

/* n stores to one word have n! orders. */
#define WRITERS(n)						\
	BARE_SCENARIO(writers_##n, "litmus.writers_" #n, .cpus = (n))	\
	{							\
		atomic_store(&x, cpu + 1);			\
	}

WRITERS(2)
WRITERS(3)
WRITERS(4)

/* Two CPUs with three stores each: 6 over 3. */
BARE_SCENARIO(three_each, "litmus.three_each", .cpus = 2)
{
	for (unsigned i = 0; i < 3; i++)
		atomic_store(&x, cpu + i);
}

/* Words that only one CPU stores to make no choice, nor do words that are only read. */
BARE_SCENARIO(private_words, "litmus.private_words", .cpus = 4)
{
	for (unsigned i = 0; i < 5; i++)
		seen[cpu] += plain;
}

/* Reads of one word commute, too; the store has n + 1 places among n reads. */
BARE_SCENARIO(reader, "litmus.reader", .cpus = 2)
{
	if (cpu == 0)
		atomic_store(&x, 1);
	else
		for (unsigned i = 0; i < 3; i++)
			seen[i] = atomic_load(&x);
}

/* In a lock's section the plain word is not racing: two orders. */
static struct spinlock lock = SPINLOCK_INIT(LOCK_OBJECT);

static const char *both_counted(void)
{
	return plain == 2 ? NULL : "an addition was lost";
}

BARE_SCENARIO(locked, "litmus.locked", .cpus = 2, .after = both_counted)
{
	spin_lock(&lock);
	plain++;
	spin_unlock(&lock);
}

BARE_SCENARIO(torn, "litmus.torn", .cpus = 2, .wrong = true, .after = both_counted)
{
	plain++;
}

/* A lock may be held when another CPU tries it, even if nothing else happens while it is held. */
BARE_SCENARIO(tried, "litmus.tried", .cpus = 2, .wrong = true)
{
	if (cpu == 0)
		spin_lock(&lock);
	else
		expect(spin_trylock(&lock), "the lock was held");
	spin_unlock(&lock);
}

/* One loses its addition only if the other comes between its load and its store. */
static const char *both_added(void)
{
	return atomic_load(&x) == 2 ? NULL : "an addition was lost";
}

BARE_SCENARIO(two_steps, "litmus.two_steps", .cpus = 2, .wrong = true, .after = both_added)
{
	atomic_store(&x, atomic_load(&x) + 1);
}

BARE_SCENARIO(one_step, "litmus.one_step", .cpus = 2, .after = both_added)
{
	atomic_fetch_add(&x, 1);
}

/* Store buffering: in every order of the accesses one of the loads sees a store. */
static const char *one_saw(void)
{
	return seen[0] || seen[1] ? NULL : "both loads came before both stores";
}

BARE_SCENARIO(store_buffering, "litmus.store_buffering", .cpus = 2, .after = one_saw)
{
	atomic_store(cpu ? &y : &x, 1);
	seen[cpu] = atomic_load(cpu ? &x : &y);
}

/* Message passing: a reader that sees the flag sees the message. */
BARE_SCENARIO(message, "litmus.message", .cpus = 2)
{
	if (cpu == 0) {
		plain = 42;
		atomic_store(&x, 1);
	} else if (atomic_load(&x)) {
		expect(plain == 42, "the message was %u", plain);
	}
}

/*
 * The same without release and acquire. It is right as long as all CPUs see all stores in one
 * order, but nothing orders the two accesses to the message: a data race.
 */
BARE_SCENARIO(message_raced, "litmus.message_raced", .cpus = 2)
{
	if (cpu == 0) {
		plain = 42;
		atomic_store_explicit(&x, 1, memory_order_relaxed);
	} else if (atomic_load_explicit(&x, memory_order_relaxed)) {
		expect(plain == 42, "the message was %u", plain);
	}
}

/* Neighbours in one word of memory are two variables. */
BARE_SCENARIO(neighbours, "litmus.neighbours", .cpus = 2)
{
	static u8 pair[2];

	pair[cpu]++;
	pair[cpu]++;
}

/* Peterson's lock ("Myths about the mutual exclusion problem", 1981), and without its turn. */
static _Atomic u32 wants[2], turn, inside;

static void peterson(unsigned cpu, bool polite)
{
	atomic_store(&wants[cpu], 1);
	if (polite)
		atomic_store(&turn, !cpu);
	while (atomic_load(&wants[!cpu]) && atomic_load(&turn) == !cpu)
		arch_spin_hint();
	expect(atomic_fetch_add(&inside, 1) == 0, "both are inside");
	atomic_fetch_sub(&inside, 1);
	atomic_store(&wants[cpu], 0);
}

BARE_SCENARIO(peterson, "litmus.peterson", .cpus = 2)
{
	peterson(cpu, true);
}

BARE_SCENARIO(impolite, "litmus.peterson_without_turn", .cpus = 2, .wrong = true)
{
	peterson(cpu, false);
}

/* Dining philosophers: a fork between each two, and everyone takes the left one first. */
static struct spinlock forks[3] = { SPINLOCK_INIT(LOCK_OBJECT), SPINLOCK_INIT(LOCK_OBJECT),
				    SPINLOCK_INIT(LOCK_OBJECT) };

static void dine(struct spinlock *first, struct spinlock *second)
{
	spin_lock(first);
	spin_lock_nested(second);
	spin_unlock(second);
	spin_unlock(first);
}

BARE_SCENARIO(philosophers, "litmus.philosophers", .cpus = 3, .wrong = true)
{
	dine(&forks[cpu], &forks[(cpu + 1) % 3]);
}

BARE_SCENARIO(ordered, "litmus.philosophers_in_order", .cpus = 3)
{
	unsigned left = cpu, right = (cpu + 1) % 3;

	dine(&forks[MIN(left, right)], &forks[MAX(left, right)]);
}

/* A loop that never ends is found, whether or not it says that it waits. */
BARE_SCENARIO(waits_for_ever, "litmus.waits_for_ever", .cpus = 2, .wrong = true)
{
	if (cpu == 0)
		while (!atomic_load(&x))
			arch_spin_hint();
}

BARE_SCENARIO(runs_for_ever, "litmus.runs_for_ever", .cpus = 2, .wrong = true)
{
	if (cpu == 0)
		while (!atomic_load(&x))
			atomic_load(&y);
	else
		atomic_store(&y, 1);
}
