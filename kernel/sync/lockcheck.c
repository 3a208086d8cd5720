/*
 * The lock checker for spin locks: strictly rising ranks, no recursion, at most eight deep.
 *
 * Each thread lists the spin locks it holds (t->held). Ranks are the order of LOCK_CLASSES in
 * spinlock.h; as every acquire is checked against every lock held, an order that could deadlock is
 * reported the first time it is used, not the first time it goes wrong. A trylock cannot deadlock
 * and is only noted. Mutexes, whose order is learned: mutexcheck.c.
 */
#include "lockcheck.h"

#include "instrument.h"
#include "spinlock.h"
#include "thread.h"

#define X(id, name) [id] = name,
static const char *const class_names[] = { LOCK_CLASSES(X) };
#undef X

static noreturn void report(const char *what, struct spinlock *l, const void *site,
			    struct spinlock *held)
{
	u64 off, held_off;
	const char *at = symbol_name((vaddr_t)site, &off);
	const char *held_at = symbol_name((vaddr_t)held->site, &held_off);

	panic("lock order: %s: taking %s lock %p at %s+%lu, holding %s lock %p taken at %s+%lu",
	      what, class_names[l->class], (void *)l, at, off, class_names[held->class],
	      (void *)held, held_at, held_off);
}

void lockcheck_acquire(struct spinlock *l, bool nested, const void *site)
{
	struct thread *t = current_thread();

	for (unsigned i = 0; i < t->nr_held; i++) {
		struct spinlock *held = t->held[i];

		if (held == l)
			report("recursion", l, site, held);
		if (held->class > l->class || (held->class == l->class && !nested))
			report("wrong order", l, site, held);
	}
	lockcheck_acquired(l, t);
}

void lockcheck_acquired(struct spinlock *l, struct thread *t)
{
	assert(t->nr_held < ARRAY_SIZE(t->held));
	t->held[t->nr_held++] = l;
}

void lockcheck_release(struct spinlock *l)
{
	struct thread *t = current_thread();
	unsigned i = t->nr_held;

	while (i > 0 && t->held[i - 1] != l)
		i--;
	assert(i > 0);
	for (; i < t->nr_held; i++)
		t->held[i - 1] = t->held[i];
	t->nr_held--;
}
