/*
 * The lock checker: which locks each thread holds, and the order of spin locks: strictly rising
 * ranks, no recursion, at most eight at a time.
 *
 * Ranks are the order of LOCK_CLASSES in spinlock.h. Every acquire is checked against every lock
 * held, so a wrong order is reported the first time it is used, not the first time it deadlocks. A
 * trylock cannot deadlock and is only noted. The report names the places where both locks were
 * taken. The order of locks that block is learned, in lockorder.c.
 */
#include "lock/lockcheck.h"

#include "base/printf.h"
#include "lock/spinlock.h"
#include "thread/thread.h"

#define X(id, name) [id] = name,
static const char *const class_names[] = { LOCK_CLASSES(X) };
#undef X

void held_add(struct held_locks *h, const void *lock, const char *name, const void *site)
{
	assert(h->nr < ARRAY_SIZE(h->at));
	h->at[h->nr++] = (struct held_lock){ lock, name, site };
}

const struct held_lock *held_find(const struct held_locks *h, const void *lock)
{
	for (unsigned i = h->nr; i > 0; i--)
		if (h->at[i - 1].lock == lock)
			return &h->at[i - 1];
	return NULL;
}

bool held_remove(struct held_locks *h, const void *lock)
{
	const struct held_lock *held = held_find(h, lock);

	if (!held)
		return false;
	h->nr--;
	for (unsigned i = held - h->at; i < h->nr; i++)
		h->at[i] = h->at[i + 1];
	return true;
}

static void print(const struct thread *t, const struct held_locks *h, const char *kind)
{
	for (const struct held_lock *l = h->at; l < h->at + h->nr; l++)
		kprintf("  thread %d (%s) holds %s %s %p, taken at %pS\n", t->tid, t->name, kind,
			l->name, l->lock, l->site);
}

void lockcheck_print_held(const struct thread *t)
{
	print(t, &t->spins, "spin lock");
	print(t, &t->locks, "lock");
}

void lockcheck_none_held(const char *when)
{
	struct thread *t = current_thread();

	if (t->locks.nr + t->spins.nr == 0)
		return;
	lockcheck_print_held(t);
	panic("thread %d (%s) %s with %u locks and %u spin locks held", t->tid, t->name, when,
	      t->locks.nr, t->spins.nr);
}

/* --- Spin locks ------------------------------------------------------------------------------- */

void lockcheck_acquire(struct spinlock *l, bool nested, const void *site)
{
	const struct held_locks *h = &current_thread()->spins;

	for (unsigned i = 0; i < h->nr; i++) {
		const struct spinlock *held = h->at[i].lock;

		if (held == l || held->class > l->class || (held->class == l->class && !nested))
			panic("lock order: %s: taking %s lock %p at %pS, holding %s lock %p "
			      "taken at %pS",
			      held == l ? "recursion" : "wrong order", class_names[l->class],
			      (void *)l, site, h->at[i].name, h->at[i].lock, h->at[i].site);
	}
	lockcheck_acquired(l, site);
}

void lockcheck_acquired(struct spinlock *l, const void *site)
{
	held_add(&current_thread()->spins, l, class_names[l->class], site);
}

void lockcheck_transfer(struct spinlock *l, struct thread *next)
{
	const struct held_lock *held = held_find(&current_thread()->spins, l);

	held_add(&next->spins, l, held->name, held->site);
	lockcheck_release(l);
}

void lockcheck_release(struct spinlock *l)
{
	bool held = held_remove(&current_thread()->spins, l);

	assert(held);
}
