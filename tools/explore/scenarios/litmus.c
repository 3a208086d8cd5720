/*
 * Small programs whose numbers of executions and outcomes are known: tests of the explorer itself
 * (tools/tests/test_explore.py has the numbers). No kernel runs in them.
 */
#include "explore/scenario.h"
#include "mm/mm.h"

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

static noinline void leave_behind(u8 value)
{
	volatile u8 room[256];

	for (unsigned i = 0; i < sizeof(room); i++)
		room[i] = value;
}

static noinline void store_from_a_large_frame(u32 value)
{
	volatile u8 room[256];

	room[0] = 0;
	atomic_store(&y, value);
	atomic_store(&y, room[0]);
}

/* CPU 0 leaves no trace of what it has read but in a frame that is gone; or none at all. */
static void read_and_forget(unsigned cpu, bool leaves)
{
	u32 value = 0;

	if (cpu == 0)
		value = atomic_load(&x);
	else
		atomic_store(&x, 1);
	leave_behind(leaves ? value : 2);
	atomic_store(&y, cpu);		/* pauses, when that frame is gone */
	store_from_a_large_frame(cpu);
}

BARE_SCENARIO(left_behind, "litmus.left_behind", .cpus = 2)
{
	read_and_forget(cpu, true);
}

BARE_SCENARIO(not_left_behind, "litmus.not_left_behind", .cpus = 2)
{
	read_and_forget(cpu, false);
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

/* CPU 0 begins, and nobody else runs while it sets up. */
static void tear(unsigned cpu, bool early)
{
	if (early)
		plain++;
	if (cpu == 0)
		explore_from_here();
	if (!early)
		plain++;
}

BARE_SCENARIO(torn_early, "litmus.torn_in_set_up", .cpus = 2, .sets_up = true,
	      .after = both_counted)
{
	tear(cpu, true);
}

BARE_SCENARIO(torn_late, "litmus.torn_after_set_up", .cpus = 2, .wrong = true, .sets_up = true,
	      .after = both_counted)
{
	tear(cpu, false);
}

BARE_SCENARIO(never_explored, "litmus.never_explored", .cpus = 2, .wrong = true, .sets_up = true)
{
	seen[cpu] = 1;
}

BARE_SCENARIO(explored_twice, "litmus.explored_twice", .cpus = 1, .wrong = true, .sets_up = true)
{
	explore_from_here();
	explore_from_here();
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

/* An access that is not ordered with a free may come after it, even if it never raced before. */
BARE_SCENARIO(used_late, "litmus.used_late", .cpus = 2, .wrong = true)
{
	static u32 *object;

	if (cpu == 0) {
		object = kmalloc(sizeof(*object));
		atomic_store(&x, 1);
		while (!atomic_load(&y))
			arch_spin_hint();
		kfree(object);
	} else {
		while (!atomic_load(&x))
			arch_spin_hint();
		atomic_store(&y, 1);
		*object = 1;
	}
}

/* --- Memory orders: what C11 allows, and what it does not ------------------------------------- */

#define store(p, v, order)	atomic_store_explicit(p, v, memory_order_##order)
#define load(p, order)		atomic_load_explicit(p, memory_order_##order)

/* Store buffering needs sequential consistency: neither release and acquire nor relaxed will do. */
BARE_SCENARIO(buffering_release, "litmus.store_buffering_release", .cpus = 2, .after = one_saw,
	      .weak = true)
{
	store(cpu ? &y : &x, 1, release);
	seen[cpu] = load(cpu ? &x : &y, acquire);
}

BARE_SCENARIO(buffering_half, "litmus.store_buffering_half", .cpus = 2, .after = one_saw,
	      .weak = true)
{
	store(cpu ? &y : &x, 1, relaxed);
	seen[cpu] = load(cpu ? &x : &y, seq_cst);
}

BARE_SCENARIO(buffering_fence, "litmus.store_buffering_fence", .cpus = 2, .after = one_saw)
{
	store(cpu ? &y : &x, 1, relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	seen[cpu] = load(cpu ? &x : &y, relaxed);
}

/* An access that is sequentially consistent and a fence are ordered, too. */
BARE_SCENARIO(buffering_mixed, "litmus.store_buffering_mixed", .cpus = 2, .after = one_saw)
{
	if (cpu == 0) {
		store(&x, 1, relaxed);
		atomic_thread_fence(memory_order_seq_cst);
		seen[0] = load(&y, relaxed);
	} else {
		store(&y, 1, seq_cst);
		seen[1] = load(&x, seq_cst);
	}
}

BARE_SCENARIO(buffering_one_fence, "litmus.store_buffering_one_fence", .cpus = 2, .after = one_saw,
	      .weak = true)
{
	store(cpu ? &y : &x, 1, relaxed);
	if (cpu)
		atomic_thread_fence(memory_order_seq_cst);
	seen[cpu] = load(cpu ? &x : &y, relaxed);
}

/* A fence comes too late if the other CPU does all that it does between the load and the fence. */
BARE_SCENARIO(buffering_late, "litmus.store_buffering_late_fence", .cpus = 2, .after = one_saw,
	      .weak = true)
{
	store(cpu ? &y : &x, 1, relaxed);
	if (cpu)
		atomic_thread_fence(memory_order_seq_cst);
	seen[cpu] = cpu ? load(&x, relaxed) : load(&y, seq_cst);
	if (!cpu)
		atomic_thread_fence(memory_order_seq_cst);
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

/* With an atomic message there is no data race, but both orders are needed, or both fences. */
static void pass(unsigned cpu, int stores, int loads)
{
	const int relaxed = memory_order_relaxed;

	if (cpu == 0) {
		store(&y, 42, relaxed);
		if (stores == memory_order_acq_rel)
			atomic_thread_fence(memory_order_release);
		atomic_store_explicit(&x, 1, stores == memory_order_acq_rel ? relaxed : stores);
	} else {
		int order = loads == memory_order_acq_rel ? relaxed : loads;
		u32 flag = atomic_load_explicit(&x, order);

		if (loads == memory_order_acq_rel)
			atomic_thread_fence(memory_order_acquire);
		expect(!flag || load(&y, relaxed) == 42, "the message came after the flag");
	}
}

BARE_SCENARIO(message_ordered, "litmus.message_ordered", .cpus = 2)
{
	pass(cpu, memory_order_release, memory_order_acquire);
}

BARE_SCENARIO(message_fences, "litmus.message_fences", .cpus = 2)
{
	pass(cpu, memory_order_acq_rel, memory_order_acq_rel);
}

BARE_SCENARIO(message_no_release, "litmus.message_no_release", .cpus = 2, .weak = true)
{
	pass(cpu, memory_order_relaxed, memory_order_acquire);
}

BARE_SCENARIO(message_no_acquire, "litmus.message_no_acquire", .cpus = 2, .weak = true)
{
	pass(cpu, memory_order_release, memory_order_relaxed);
}

/* A read-modify-write goes on with what was released before it, whatever its own order is. */
BARE_SCENARIO(release_sequence, "litmus.release_sequence", .cpus = 3)
{
	if (cpu == 0) {
		store(&y, 42, relaxed);
		store(&x, 1, release);
	} else if (cpu == 1) {
		atomic_fetch_add_explicit(&x, 1, memory_order_relaxed);
	} else if (load(&x, acquire) == 2) {
		expect(load(&y, relaxed) == 42, "the message came after the flag");
	}
}

/* Two loads of one variable agree on the order of its stores. */
BARE_SCENARIO(coherence, "litmus.coherence", .cpus = 2)
{
	u32 first;

	if (cpu == 0) {
		store(&x, 1, relaxed);
		store(&x, 2, relaxed);
		return;
	}
	first = load(&x, relaxed);
	expect(load(&x, relaxed) >= first, "the second load read an older store");
}

/* Independent readers of independent writes: two that disagree on which store came first. */
static unsigned readers[2][2];

static const char *readers_agree(void)
{
	bool x_first = readers[0][0] && !readers[0][1], y_first = readers[1][0] && !readers[1][1];

	return x_first && y_first ? "the readers disagree" : NULL;
}

static void independent(unsigned cpu, int stores, int loads)
{
	_Atomic u32 *const variables[] = { &x, &y, &x };

	if (cpu < 2) {
		atomic_store_explicit(variables[cpu], 1, stores);
		return;
	}
	readers[cpu - 2][0] = atomic_load_explicit(variables[cpu - 2], loads);
	readers[cpu - 2][1] = atomic_load_explicit(variables[cpu - 1], loads);
}

BARE_SCENARIO(iriw, "litmus.iriw", .cpus = 4, .after = readers_agree)
{
	independent(cpu, memory_order_seq_cst, memory_order_seq_cst);
}

BARE_SCENARIO(iriw_acquire, "litmus.iriw_acquire", .cpus = 4, .after = readers_agree,
	      .weak = true)
{
	independent(cpu, memory_order_release, memory_order_acquire);
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

/* Its stores must not come after its loads. */
BARE_SCENARIO(peterson_release, "litmus.peterson_release", .cpus = 2, .weak = true)
{
	store(&wants[cpu], 1, release);
	store(&turn, !cpu, release);
	while (load(&wants[!cpu], acquire) && load(&turn, acquire) == !cpu)
		arch_spin_hint();
	expect(atomic_fetch_add(&inside, 1) == 0, "both are inside");
	atomic_fetch_sub(&inside, 1);
	store(&wants[cpu], 0, release);
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

/* A loop that ends by itself is no deadlock, though what it waits for can never come. */
BARE_SCENARIO(looks_often, "litmus.looks_often", .cpus = 1)
{
	for (unsigned i = 0; i < 100 && !atomic_load(&x); i++)
		arch_spin_hint();
}
