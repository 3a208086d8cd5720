/*
 * Which accesses are ordered: happens-before, by vector clocks (Lamport 1978; Flanagan and Freund,
 * "FastTrack", 2009).
 *
 * Each CPU counts its releases: a store with release order, an unlock, an interrupt sent. Its clock
 * says how many releases of every CPU it has seen. Two accesses to a word, one of them a store, are
 * unordered if the later CPU has not seen a release that the earlier one made after its access. The
 * word is then racing: from now on a CPU pauses before it accesses it.
 *
 * A CPU also knows which stores it has seen, for loads that may read older ones: weak.c.
 *
 * A word's record belongs to the path that is explored, so the search takes changes back when it
 * goes back. Whether a word races is kept for ever, and so is its size (words.c).
 */
#include "explore.h"

#include <string.h>

#include "words.h"

#define UNDO_MAX	(4 * ACCESSES_MAX)	/* an access changes two words at most, mostly */

/* Few words have releases. */
struct release {
	const struct word *word;
	uint32_t logged;
	struct known known;		/* what an acquire learns that reads the word now */
};

static unsigned nr_numbers;
struct cpu_known known[HOST_CPUS];

#define RELEASES_MAX	4096
static struct release releases[RELEASES_MAX];
static unsigned nr_releases;

static struct change {
	uint32_t word;
	struct history old;
} changes[UNDO_MAX];
static unsigned nr_changes;

static struct release_change {
	uint32_t release;
	struct known old;
} release_changes[UNDO_MAX];
static unsigned nr_release_changes;
static uint32_t snapshot_number = 1;

/* --- Going back ------------------------------------------------------------------------------- */

struct order_mark order_mark(void)
{
	snapshot_number++;
	return (struct order_mark){ nr_changes, nr_release_changes };
}

void order_go_back(struct order_mark mark)
{
	while (nr_changes > mark.changes) {
		const struct change *c = &changes[--nr_changes];

		words[c->word].h = c->old;
	}
	while (nr_release_changes > mark.releases) {
		const struct release_change *c = &release_changes[--nr_release_changes];

		releases[c->release].known = c->old;
	}
	snapshot_number++;
}

static struct history *change(struct word *w)
{
	if (w->logged == snapshot_number)
		return &w->h;
	w->logged = snapshot_number;
	changes[nr_changes++] = (struct change){ w - words, w->h };
	return &w->h;
}

/* --- Clocks ----------------------------------------------------------------------------------- */

static const struct known nothing;

static bool knows_nothing(const struct known *k)
{
	uint32_t any = 0;

	for (unsigned i = 0; i < HOST_CPUS; i++)
		any |= k->clock.of[i];
	return !any;
}

static struct location *location_of(struct word *w, const void *address, unsigned size)
{
	if (w->location || !w->racing || w->size != size || (uintptr_t)address != w->at)
		return w->location;
	w->atomic = true;
	if (weak) {
		w->location = location_create();
		nr_learned += !!w->location;
	}
	return w->location;
}

struct location *order_location(const void *address, unsigned size)
{
	return location_of(find_word(address), address, size);
}

/* The word's record of releases, to be changed: the old one is in the log. */
static struct known *change_release(struct word *w)
{
	struct release *r = w->release;

	if (!r) {
		if (nr_releases == RELEASES_MAX)
			explore_fail("there are releases at more than %u words", RELEASES_MAX);
		w->release = r = &releases[nr_releases++];
		r->word = w;
	}
	if (r->logged != snapshot_number) {
		r->logged = snapshot_number;
		release_changes[nr_release_changes++] =
			(struct release_change){ r - releases, r->known };
	}
	return &r->known;
}

static const struct known *released(const struct word *w)
{
	return w->release ? &w->release->known : &nothing;
}

static void acquire(const struct known *from, int order)
{
	known_join(&known[vcpu].read, from);
	if (order != RELAXED && order != RELEASES)
		known_join(&known[vcpu].now, from);
}

uint64_t order_load(const void *address, unsigned size, uint64_t latest, int order)
{
	struct word *w = find_word(address);
	struct location *l = location_of(w, address, size);
	struct cpu_state *c = &cpu_states[vcpu];
	unsigned older = c->load == address && l ? c->older : 0;

	c->older = 0;
	progress.older[vcpu] |= older != 0;
	if (l)
		location_load(l, older);
	acquire(older ? &l->old[older - 1].released : released(w), order);
	if (!older)
		return latest;
	if (on_older_load)
		on_older_load(l->old[older - 1].value);
	return l->old[older - 1].value;
}

static void release(struct word *w, const struct known *k, bool keeps)
{
	struct known *to;

	if (knows_nothing(k) && (keeps || knows_nothing(released(w))))
		return;
	to = change_release(w);
	if (keeps)
		known_join(to, k);
	else
		*to = *k;
}

void order_store(const void *address, unsigned size, int order, bool keeps)
{
	struct word *w = find_word(address);
	struct location *l = location_of(w, address, size);
	struct cpu_known *k = &known[vcpu];
	uint64_t old = 0;

	if (l) {
		memcpy(&old, address, size);
		location_store(l, old, released(w), order);
	}
	if (order < RELEASES)
		return release(w, &k->fenced, keeps);
	release(w, &k->now, keeps);
	k->now.clock.of[vcpu]++;
}

void order_plain_store(const struct access *a)
{
	struct word *w = find_word(a->address);

	if (w->location)
		order_store(a->address, a->size, RELAXED, false);
}

void order_fence(int order)
{
	struct cpu_known *k = &known[vcpu];

	if (order != RELEASES)
		known_join(&k->now, &k->read);
	if (order == SEQUENTIAL) {
		weak_sequential_fence();
		effects.stores |= SEQUENCE;
	}
	if (order >= RELEASES) {
		k->fenced = k->now;
		k->now.clock.of[vcpu]++;
	}
}

void order_each_release(void (*f)(uintptr_t at, const struct known *released, void *arg), void *arg)
{
	for (unsigned i = 0; i < nr_releases; i++)
		if (!knows_nothing(&releases[i].known))
			f(releases[i].word->at, &releases[i].known, arg);
}

void order_init(void)
{
	for (unsigned i = 0; i < HOST_CPUS; i++)
		known[i].now.clock.of[i] = 1;
}

/* --- Races ------------------------------------------------------------------------------------ */

/*
 * Compares the access @a with the last ones of @cpu to the same word. Two accesses that race are a
 * data race if one of them is not atomic.
 */
static void compare(struct word *w, const struct access *a, unsigned cpu)
{
	uint32_t seen = known[vcpu].now.clock.of[cpu];
	const struct history *h = &w->h;

	if (h->of[cpu].stored > seen) {
		race(w);
		if (a->plain || h->plain_store & 1u << cpu)
			note_data_race(a, h->of[cpu].stored_by);
	}
	if (a->kind != READ && h->of[cpu].loaded > seen) {
		race(w);
		if (a->plain || h->plain_load & 1u << cpu)
			note_data_race(a, h->of[cpu].loaded_by);
	}
}

/* On one CPU only a timer comes between two threads' accesses, and only if interrupts are on. */
static void compare_threads(struct word *w, bool store, unsigned thread)
{
	const struct history *h = &w->h;

	if (h->thread && h->thread != thread && (store || h->store) &&
	    (h->irqs_on || host_irqs_enabled()))
		race(w);
}

static void remember(struct word *w, const struct access *a, unsigned thread)
{
	struct history *h = change(w);
	bool store = a->kind != READ;
	uint32_t now = known[vcpu].now.clock.of[vcpu];
	uint32_t *last = store ? &h->of[vcpu].stored : &h->of[vcpu].loaded, bit = 1u << vcpu;
	uint8_t *plain = store ? &h->plain_store : &h->plain_load;

	/* Since the last release, one plain access is remembered before all atomic ones. */
	if (a->plain || !(*plain & bit) || *last != now) {
		*(store ? &h->of[vcpu].stored_by : &h->of[vcpu].loaded_by) = (uintptr_t)a->pc;
		*plain = a->plain ? *plain | bit : *plain & ~bit;
	}
	*last = now;
	h->thread = thread;
	h->store = store;
	h->irqs_on = host_irqs_enabled();
}

/* --- Effects ---------------------------------------------------------------------------------- */

struct effects effects;

static uint64_t bit_of(struct word *w)
{
	if (!w->number)
		w->number = ++nr_numbers;
	return 1ull << w->number % 64;
}

static void note_effect(struct word *w, enum kind kind, int order)
{
	if (!w->racing && kind != ACQUIRE && kind != TRY)
		return;
	*(kind == READ ? &effects.loads : &effects.stores) |= bit_of(w);
	if (weak && order == SEQUENTIAL)
		effects.loads |= SEQUENCE;
}

void explore_interrupts(unsigned cpu)
{
	effects.interrupts |= 1u << cpu;
}

uint64_t lock_wanted(unsigned cpu)
{
	const struct cpu_state *c = &cpu_states[cpu];

	return c->why == PAUSE_LOCK ? bit_of(find_word(c->lock)) : 0;
}

/* --- Memory that is given back ---------------------------------------------------------------- */

/* The last accesses to the word may come too late the next time. */
static void compare_free(struct word *w)
{
	for (unsigned cpu = 0; cpu < nr_vcpus; cpu++) {
		uint32_t seen = known[vcpu].now.clock.of[cpu];

		if (cpu != vcpu && (w->h.of[cpu].stored > seen || w->h.of[cpu].loaded > seen))
			race(w);
	}
	note_effect(w, WRITE, RELAXED);
}

void order_frees(const void *start, size_t size)
{
	each_word(start, size, compare_free);
}

/* --- Accesses --------------------------------------------------------------------------------- */

uint64_t lock_bit(const void *lock)
{
	return bit_of(find_word(lock));
}

void order_access(const struct words *w, const struct access *a)
{
	bool of_lock = a->kind == ACQUIRE || a->kind == RELEASE;
	unsigned thread = nr_vcpus == 1 ? host_stack_of(cpu_states[vcpu].sp) + 1 : 0;

	for (unsigned i = 0; i < w->nr; i++) {
		for (unsigned cpu = 0; cpu < nr_vcpus && !of_lock; cpu++)
			if (cpu != vcpu)
				compare(w->of[i], a, cpu);
		if (nr_vcpus == 1)
			compare_threads(w->of[i], a->kind != READ, thread);
		remember(w->of[i], a, thread);
		note_use(w->of[i], a);
		note_effect(w->of[i], a->kind, a->order);
	}
}
