/*
 * Which accesses are ordered: happens-before, by vector clocks (Lamport 1978; Flanagan and Freund,
 * "FastTrack", 2009).
 *
 * Each CPU counts its releases: a store with release order, an unlock, an interrupt sent. Its clock
 * says how many releases of every CPU it has seen. Two accesses to a word, one of them a store, are
 * unordered if the later CPU has not seen a release that the earlier one made after its access. The
 * word is then racing: from now on a CPU pauses before it accesses it.
 *
 * A word is 8 bytes at first. As soon as an access is smaller, the next search has smaller words
 * there: neighbours that different locks guard must not be taken for one variable.
 *
 * A CPU also knows which stores it has seen, for loads that may read older ones: weak.c.
 *
 * A word's record belongs to the path that is explored, so the search takes changes back when it
 * goes back. Whether a word races is kept for ever, and so is its size.
 */
#include "explore.h"

#include <string.h>

#define TABLE_BITS	16
#define TABLE_SIZE	(1u << TABLE_BITS)
#define WORDS_MAX	(TABLE_SIZE / 2)
#define UNDO_MAX	(4 * ACCESSES_MAX)	/* an access changes two words at most, mostly */

/* One word's history on this path. */
struct history {
	struct clock stored, loaded;	/* each CPU's own count at its last access; 0: none */
	uint32_t stored_by[HOST_CPUS];	/* the code of that last access */
	uint32_t loaded_by[HOST_CPUS];
	uint8_t plain_store, plain_load;	/* a bit for each CPU: it was not atomic */
	uint8_t thread;			/* that made the last access: its stack + 1 */
	bool store, irqs_on;		/* of the last access */
};

struct word {
	uintptr_t at;
	uint8_t size;
	uint8_t smallest;		/* access to the 8 bytes that begin here */
	bool racing;
	unsigned number;		/* of those whose accesses are effects; 0: not yet */
	struct location *location;
	uint32_t logged;		/* the snapshot since which its old history is in the log */
	struct history h;
	struct release *release;	/* NULL: it never had one */
};

/* Few words have releases. */
struct release {
	const struct word *word;
	uint32_t logged;
	struct known known;		/* what an acquire learns that reads the word now */
};

static struct word words[WORDS_MAX];
static unsigned nr_words, nr_numbers;
static struct {
	uintptr_t at;
	unsigned word;
} table[TABLE_SIZE];

unsigned nr_learned;
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

/* --- Words ------------------------------------------------------------------------------------ */

static unsigned slot_of(uintptr_t at)
{
	unsigned h = (at * 0x9e3779b97f4a7c15ull) >> (64 - TABLE_BITS);

	while (table[h].at && table[h].at != at)
		h = (h + 1) % TABLE_SIZE;
	return h;
}

/* Which chunks of memory may have words: two that share a bit count as one. */
#define CHUNK_BITS	12
#define CHUNK		512
static bool chunks[1u << CHUNK_BITS];

static bool *chunk_of(uintptr_t at)
{
	return &chunks[at / CHUNK % (1u << CHUNK_BITS)];
}

/* Finds the word that begins at @at, or makes it. Most accesses ask for the same one repeatedly. */
static struct word *entry(uintptr_t at)
{
	static struct word *last = words;
	unsigned h;

	if (last->at == at)
		return last;
	h = slot_of(at);
	if (!table[h].at) {
		*chunk_of(at) = true;
		if (nr_words == WORDS_MAX)
			explore_fail("the scenario touches too many words");
		words[nr_words] = (struct word){ .at = at, .size = 8, .smallest = 8 };
		table[h].at = at;
		table[h].word = nr_words++;
	}
	last = &words[table[h].word];
	return last;
}

/* The word that the byte at @address is in. */
static struct word *find_word(const void *address)
{
	uintptr_t at = (uintptr_t)address;
	struct word *whole = entry(at & -8ul), *part;

	if (whole->size == 8)
		return whole;
	part = entry(at & -(uintptr_t)whole->size);
	part->size = whole->size;
	return part;
}

void find_words(const void *address, unsigned size, struct words *found)
{
	uintptr_t at = (uintptr_t)address, end = at + size, unit = at | size;

	found->nr = 0;
	unit &= -unit;
	while (at < end) {
		struct word *whole = entry(at & -8ul);

		if (unit < whole->smallest) {
			whole->smallest = unit;
			nr_learned++;
		}
		found->of[found->nr++] = find_word((void *)at);
		at = (at & -(uintptr_t)whole->size) + whole->size;
	}
}

bool is_racing(const struct words *w)
{
	for (unsigned i = 0; i < w->nr; i++)
		if (w->of[i]->racing)
			return true;
	return false;
}

void order_begin(void)
{
	bool split = false;

	for (struct word *w = words; w < words + nr_words; w++) {
		if (w->at % 8 || w->smallest == w->size)
			continue;
		w->size = w->smallest;
		w->racing = false;	/* it may have been another part that raced */
		split = true;
	}
	if (split)
		forget_data_races();
}

bool order_is_coarse(const void *address)
{
	const struct word *whole = entry((uintptr_t)address & -8ul);

	return whole->smallest < whole->size;
}

static void race(struct word *w)
{
	nr_learned += !w->racing;
	w->racing = true;
}

void order_race(const void *address)
{
	race(find_word(address));
}

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
	return !memcmp(&k->clock, &nothing.clock, sizeof(nothing.clock));
}

struct location *order_location(const void *address, unsigned size)
{
	struct word *w = find_word(address);

	if (weak && !w->location && w->racing && w->size == size &&
	    (uintptr_t)address == w->at) {
		w->location = location_create();
		nr_learned += !!w->location;
	}
	return w->location;
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
	struct location *l = order_location(address, size);
	struct cpu_state *c = &cpu_states[vcpu];
	unsigned older = c->load == address && l ? c->older : 0;

	c->older = 0;
	progress.older[vcpu] |= older != 0;
	if (l)
		location_load(l, older);
	acquire(older ? &l->old[older - 1].released : released(find_word(address)), order);
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
	struct location *l = order_location(address, size);
	struct cpu_known *k = &known[vcpu];
	struct word *w = find_word(address);
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
	if (order == SEQUENTIAL)
		weak_sequential_fence();
	if (order >= RELEASES) {
		k->fenced = k->now;
		k->now.clock.of[vcpu]++;
	}
}

void order_each_release(void (*f)(uintptr_t at, const struct known *released, void *arg), void *arg)
{
	for (unsigned i = 0; i < nr_releases; i++)
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

	if (h->stored.of[cpu] > seen) {
		race(w);
		if (a->plain || h->plain_store & 1u << cpu)
			note_data_race(a, h->stored_by[cpu]);
	}
	if (a->kind != READ && h->loaded.of[cpu] > seen) {
		race(w);
		if (a->plain || h->plain_load & 1u << cpu)
			note_data_race(a, h->loaded_by[cpu]);
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
	uint32_t *last = &(store ? &h->stored : &h->loaded)->of[vcpu], bit = 1u << vcpu;
	uint8_t *plain = store ? &h->plain_store : &h->plain_load;

	/* Since the last release, one plain access is remembered before all atomic ones. */
	if (a->plain || !(*plain & bit) || *last != now) {
		(store ? h->stored_by : h->loaded_by)[vcpu] = (uintptr_t)a->pc;
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

static void note_effect(struct word *w, enum kind kind)
{
	if (w->racing || kind == ACQUIRE || kind == TRY)
		*(kind == READ ? &effects.loads : &effects.stores) |= bit_of(w);
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

		if (cpu != vcpu && (w->h.stored.of[cpu] > seen || w->h.loaded.of[cpu] > seen))
			race(w);
	}
	note_effect(w, WRITE);
}

void explore_frees(const void *start, size_t size)
{
	uintptr_t at = (uintptr_t)start, end = at + size;

	if (!running)
		return;
	for (at &= -8ul; at < end; at += 8) {
		unsigned part;

		if (!*chunk_of(at)) {
			at |= CHUNK - 8;
			continue;
		}
		if (!table[slot_of(at)].at)
			continue;	/* nobody has accessed it */
		part = entry(at)->size;
		for (uintptr_t i = at; i < at + 8; i += part)
			if (table[slot_of(i)].at)
				compare_free(entry(i));
	}
}

/* --- Accesses --------------------------------------------------------------------------------- */

void order_access(const struct words *w, const struct access *a)
{
	bool of_lock = a->kind == ACQUIRE || a->kind == RELEASE;
	unsigned thread = host_stack_of(__builtin_frame_address(0)) + 1;

	for (unsigned i = 0; i < w->nr; i++) {
		for (unsigned cpu = 0; cpu < nr_vcpus && !of_lock; cpu++)
			if (cpu != vcpu)
				compare(w->of[i], a, cpu);
		if (nr_vcpus == 1)
			compare_threads(w->of[i], a->kind != READ, thread);
		remember(w->of[i], a, thread);
		note_effect(w->of[i], a->kind);
	}
}
