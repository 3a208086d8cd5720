/*
 * The lock checker for mutexes, and the report of a deadlock.
 *
 * Mutexes have no ranks; their order is learned. Those of one name (what they were initialized as:
 * all "&as->lock", say) are a class. Whoever takes B while holding A draws the edge A -> B, once,
 * with its call chain. An acquire that closes a cycle of edges could deadlock, even if it never
 * has, and is reported with the chains of all edges of the cycle. Two of one class are not judged
 * here: what orders them (a parent before its child) is not in the name. If they do meet crosswise,
 * the deadlock detector sees it (pi_would_deadlock()). A trylock cannot deadlock and draws no edge.
 *
 * No locks: edges are only ever added, and whoever draws one looks for a cycle afterwards; so of
 * two that close a cycle together, at least one sees it.
 */
#include "config.h"
#include "cpu.h"
#include "instrument.h"
#include "lockcheck.h"
#include "mutex.h"
#include "printf.h"
#include "thread.h"
#include "trace.h"

#define CLASSES		64u
#define CHAINS		128u	/* edges whose call chain is kept */
#define DEPTH		8u

static _Atomic(const char *) names[CLASSES];
static _Atomic u64 edges[CLASSES];	/* of a, bit b: b was taken while a was held */

static struct chain {			/* how an edge was first drawn */
	unsigned from, to;
	u64 pcs[DEPTH];
} chains[CHAINS];
static _Atomic unsigned nr_chains;

/* A name is one literal, so the pointer will do. */
static unsigned class_of(const struct mutex *m)
{
	for (unsigned i = 0; i < CLASSES; i++) {
		const char *taken = names[i];

		if (taken == m->name)
			return i;
		if (!taken && (atomic_compare_exchange_strong(&names[i], &taken, m->name) ||
			       taken == m->name))
			return i;
	}
	panic("more than %u classes of mutexes", CLASSES);
}

/* Is there a way along edges? via[x] is where it came to x from. */
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

static void print_site(const void *site)
{
	u64 off;
	const char *name = symbol_name((vaddr_t)site, &off);

	kprintf("%s+0x%lx", name, off);
}

static void print_edge(unsigned from, unsigned to)
{
	kprintf("  %s was taken holding %s:\n   ", names[to], names[from]);
	for (struct chain *c = chains; c < chains + MIN(nr_chains, CHAINS); c++)
		if (c->from == from && c->to == to)
			for (unsigned i = 0; i < DEPTH && c->pcs[i]; i++) {
				kprintf(" ");
				print_site((void *)c->pcs[i]);
			}
	kprintf("\n");
}

void lockcheck_print_mutexes(const struct thread *t)
{
	for (unsigned i = 0; i < t->nr_mutexes; i++) {
		const struct mutex *m = t->mutexes[i];

		kprintf("  thread %d (%s) holds mutex %s %p, taken at ", t->tid, t->name, m->name,
			(const void *)m);
		print_site(m->site);
		kprintf("\n");
	}
}

/* @m, of class @to, is taken while one of class @from is held. */
static void draw_edge(unsigned from, unsigned to, const struct mutex *m)
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
	kprintf("\nlock order: mutexes are taken in a circle:\n");
	print_edge(from, to);
	for (unsigned at = from; at != to; at = via[at])
		print_edge(via[at], at);
	lockcheck_print_mutexes(current_thread());
	panic("lock order: taking mutex %s %p closes a circle", m->name, (const void *)m);
}

void lockcheck_mutex_wanted(struct mutex *m)
{
	struct thread *t = current_thread();

	for (unsigned i = 0; i < t->nr_mutexes; i++) {
		if (t->mutexes[i] == m) {
			lockcheck_print_mutexes(t);
			panic("lock order: recursion: taking mutex %s %p", m->name, (void *)m);
		}
		draw_edge(class_of(t->mutexes[i]), class_of(m), m);
	}
}

void lockcheck_mutex_taken(struct mutex *m, const void *site)
{
	struct thread *t = current_thread();

	assert(t->nr_mutexes < ARRAY_SIZE(t->mutexes));
	m->site = site;
	t->mutexes[t->nr_mutexes++] = m;
}

void lockcheck_mutex_released(struct mutex *m)
{
	struct thread *t = current_thread();
	unsigned i = t->nr_mutexes;

	while (i > 0 && t->mutexes[i - 1] != m)
		i--;
	if (i == 0)
		panic("mutex %s %p is released by thread %d (%s), which does not hold it", m->name,
		      (void *)m, t->tid, t->name);
	for (; i < t->nr_mutexes; i++)
		t->mutexes[i - 1] = t->mutexes[i];
	t->nr_mutexes--;
}

void lockcheck_none_held(const char *when)
{
	struct thread *t = current_thread();

	if (t->nr_mutexes + t->nr_held == 0)
		return;
	lockcheck_print_mutexes(t);
	panic("thread %d (%s) %s with %u mutexes and %u spin locks held", t->tid, t->name, when,
	      t->nr_mutexes, t->nr_held);
}

/* --- Deadlocks, in all builds ----------------------------------------------------------------- */

static void print_wait(const struct thread *t, const struct mutex *m, const struct thread *owner)
{
	kprintf("  thread %d (%s) waits for mutex %s %p of thread %d (%s)", t->tid, t->name,
		m->name, (const void *)m, owner->tid, owner->name);
	if (DEBUG_BUILD) {
		kprintf(", taken at ");
		print_site(m->site);
	}
	kprintf("\n");
}

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
