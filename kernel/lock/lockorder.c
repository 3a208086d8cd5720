/*
 * The lock checker for locks that block, and the report of a deadlock.
 *
 * Mutexes have no ranks; their order is learned. Mutexes with the same name (the expression they
 * were initialized as, such as "&as->lock") form a class. Taking B while holding A draws the edge
 * A -> B, once, with its call chain. An acquire that closes a cycle of edges could deadlock, even
 * if it never has, and is reported with the call chains of all edges of the cycle. The order of two
 * mutexes of one class is not checked: what orders them (a parent before its child) is not in the
 * name. A real deadlock of theirs is found when it happens, by pi_would_deadlock().
 *
 * No locks: edges are only added, and a thread draws its edge before it looks for a cycle. So if
 * two threads close a cycle together, at least one of them sees it.
 */
#include "base/printf.h"
#include "base/trace.h"
#include "lock/lockcheck.h"
#include "sched/cpu.h"
#include "sync/mutex.h"
#include "thread/thread.h"

#define CLASSES		64u
#define CHAINS		128u	/* edges whose call chain is kept */
#define DEPTH		8u

static _Atomic(const char *) names[CLASSES];
static _Atomic u64 edges[CLASSES];	/* of a, bit b: b was taken while a was held */

static struct chain {			/* the call chain that first drew an edge */
	unsigned from, to;
	u64 pcs[DEPTH];
} chains[CHAINS];
static _Atomic unsigned nr_chains;

/* Returns the number of the class @name. A name is one literal, so its address identifies it. */
static unsigned class_of(const char *name)
{
	for (unsigned i = 0; i < CLASSES; i++) {
		const char *taken = names[i];

		if (taken == name)
			return i;
		if (!taken && (atomic_compare_exchange_strong(&names[i], &taken, name) ||
			       taken == name))
			return i;
	}
	panic("more than %u classes of locks that block", CLASSES);
}

/* Checks whether edges lead from @from to @to. via[x] is the class before x on the way. */
static bool find_way(unsigned from, unsigned to, u8 via[CLASSES])
{
	u64 reached = BIT(from), looked = 0;

	while (reached != looked && !(reached & BIT(to))) {
		unsigned at = __builtin_ctzl(reached & ~looked);
		u64 new = edges[at] & ~reached;

		looked |= BIT(at);
		reached |= new;
		for (; new; new &= new - 1)
			via[__builtin_ctzl(new)] = at;
	}
	return reached & BIT(to);
}

static void print_edge(unsigned from, unsigned to)
{
	kprintf("  %s was taken holding %s:\n   ", names[to], names[from]);
	for (struct chain *c = chains; c < chains + MIN(nr_chains, CHAINS); c++)
		if (c->from == from && c->to == to)
			for (unsigned i = 0; i < DEPTH && c->pcs[i]; i++)
				kprintf(" %pS", (void *)c->pcs[i]);
	kprintf("\n");
}

/* Draws an edge, as @lock of class @to is taken holding a lock of class @from. */
static void draw_edge(unsigned from, unsigned to, const void *lock)
{
	u8 via[CLASSES];
	unsigned n;

	if (from == to || (edges[from] & BIT(to)))
		return;
	n = atomic_fetch_add(&nr_chains, 1);
	if (n < CHAINS) {
		chains[n] = (struct chain){ .from = from, .to = to };
		backtrace_collect(chains[n].pcs, DEPTH);
	}
	atomic_fetch_or(&edges[from], BIT(to));
	if (!find_way(to, from, via))
		return;
	kprintf("\nlock order: locks are taken in a circle:\n");
	print_edge(from, to);
	for (unsigned at = from; at != to; at = via[at])
		print_edge(via[at], at);
	lockcheck_print_held(current_thread());
	panic("lock order: taking lock %s %p closes a circle", names[to], lock);
}

void lockcheck_wanted(const void *lock, const char *name)
{
	const struct thread *t = current_thread();

	for (unsigned i = 0; i < t->locks.nr; i++) {
		if (t->locks.at[i].lock == lock) {
			lockcheck_print_held(t);
			panic("lock order: recursion: taking lock %s %p", name, lock);
		}
		draw_edge(class_of(t->locks.at[i].name), class_of(name), lock);
	}
}

void lockcheck_taken(const void *lock, const char *name, const void *site)
{
	held_add(&current_thread()->locks, lock, name, site);
}

void lockcheck_released(const void *lock, const char *name)
{
	struct thread *t = current_thread();

	if (!held_remove(&t->locks, lock))
		panic("lock %s %p is released by thread %d (%s), which does not hold it", name,
		      lock, t->tid, t->name);
}

/* --- Deadlocks, in all builds ----------------------------------------------------------------- */

/* @owner waits too, so its list of held locks does not change. */
static void print_wait(const struct thread *t, const struct mutex *m, const struct thread *owner)
{
	const struct held_lock *held;

	kprintf("  thread %d (%s) waits for mutex %s %p of thread %d (%s)", t->tid, t->name,
		m->name, (const void *)m, owner->tid, owner->name);
	held = held_find(&owner->locks, m);
	if (held)
		kprintf(", taken at %pS", held->site);
	kprintf("\n");
}

/* The caller holds pi_lock (mutex.c), so who waits for whom stays as it is. */
void lockcheck_deadlock(const struct mutex *m, const struct thread *owner)
{
	const struct thread *self = current_thread();

	trace(TRACE_LIFE, TRACE_EV_DEADLOCK, (u64)m, owner->tid);
	kprintf("deadlock: these threads wait for each other:\n");
	print_wait(self, m, owner);
	for (const struct thread *t = owner; t != self; t = t->blocked_on->queue->owner)
		print_wait(t, container_of(t->blocked_on->queue, struct mutex, pi),
			   t->blocked_on->queue->owner);
}
