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
 * A word's record belongs to the path that is explored, so the search takes changes back when it
 * goes back. Whether a word races is kept for ever, and so is its size.
 */
#include "explore.h"

#include <string.h>

#define TABLE_BITS	16
#define TABLE_SIZE	(1u << TABLE_BITS)
#define UNDO_MAX	(4 * ACCESSES_MAX)	/* an access changes two words at most, mostly */

/* One word's history on this path. */
struct history {
	struct clock stored, loaded;	/* each CPU's own count at its last access; 0: none */
	struct clock released;		/* what an acquire learns that reads the word now */
	uint32_t stored_by[HOST_CPUS];	/* the code of that last access */
	uint32_t loaded_by[HOST_CPUS];
	uint8_t plain_store, plain_load;	/* a bit for each CPU: it was not atomic */
	uint8_t thread;			/* that made the last access: its stack + 1 */
	bool store, irqs_on;		/* of the last access */
};

struct word {
	uintptr_t at;
	uint8_t size, smallest;		/* known, if at is a multiple of 8 */
	bool racing;
	uint32_t logged;		/* the snapshot since which its old history is in the log */
	struct history h;
};

static struct word words[TABLE_SIZE];
static unsigned nr_words;
unsigned nr_learned;
struct clock clocks[HOST_CPUS];

static struct change {
	uint32_t word;
	struct history old;
} changes[UNDO_MAX];
static unsigned nr_changes;
static uint32_t snapshot_number = 1;

/* --- Words ------------------------------------------------------------------------------------ */

static struct word *entry(uintptr_t at)
{
	unsigned h = (at * 0x9e3779b97f4a7c15ull) >> (64 - TABLE_BITS);

	while (words[h].at != at) {
		if (!words[h].at) {
			if (++nr_words > TABLE_SIZE / 2)
				explore_fail("the scenario touches too many words");
			words[h] = (struct word){ .at = at, .size = 8, .smallest = 8 };
			break;
		}
		h = (h + 1) % TABLE_SIZE;
	}
	return &words[h];
}

/* The word that the byte at @address is in. */
static struct word *find_word(const void *address)
{
	uintptr_t at = (uintptr_t)address;
	struct word *whole = entry(at & -8ul);

	return whole->size == 8 ? whole : entry(at & -(uintptr_t)whole->size);
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

	for (struct word *w = words; w < words + TABLE_SIZE; w++) {
		if (w->at % 8 || w->smallest == w->size)
			continue;
		w->size = w->smallest;
		w->racing = false;	/* it may have been another part that raced */
		split = true;
	}
	if (split)
		forget_data_races();
}

static void race(struct word *w)
{
	nr_learned += !w->racing;
	w->racing = true;
}

/* --- Going back ------------------------------------------------------------------------------- */

unsigned order_mark(void)
{
	snapshot_number++;
	return nr_changes;
}

void order_go_back(unsigned mark)
{
	while (nr_changes > mark) {
		const struct change *c = &changes[--nr_changes];

		words[c->word].h = c->old;
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

static void join(struct clock *to, const struct clock *from)
{
	for (unsigned i = 0; i < HOST_CPUS; i++)
		if (to->of[i] < from->of[i])
			to->of[i] = from->of[i];
}

void order_acquire(const void *address)
{
	join(&clocks[vcpu], &find_word(address)->h.released);
}

void order_release(const void *address, bool keeps)
{
	struct history *h = change(find_word(address));

	if (!keeps)
		h->released = (struct clock){ 0 };
	join(&h->released, &clocks[vcpu]);
	clocks[vcpu].of[vcpu]++;
}

/* A store that is no release: an acquire that reads it learns nothing. */
void order_forget(const void *address)
{
	struct word *w = find_word(address);
	static const struct clock none;

	if (memcmp(&w->h.released, &none, sizeof(none)))
		change(w)->released = none;
}

void explore_sends(const void *p)
{
	if (running)
		order_release(p, true);
}

void explore_gets(const void *p)
{
	if (running)
		order_acquire(p);
}

void order_init(void)
{
	for (unsigned i = 0; i < HOST_CPUS; i++)
		clocks[i].of[i] = 1;
}

/* --- Races ------------------------------------------------------------------------------------ */

/*
 * Compares the access @a with the last ones of @cpu to the same word. Two accesses that race are a
 * data race if one of them is not atomic.
 */
static void compare(struct word *w, const struct access *a, unsigned cpu)
{
	uint32_t seen = clocks[vcpu].of[cpu];
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
	uint32_t *last = &(store ? &h->stored : &h->loaded)->of[vcpu], bit = 1u << vcpu;
	uint8_t *plain = store ? &h->plain_store : &h->plain_load;

	/* Since the last release, one plain access is remembered before all atomic ones. */
	if (a->plain || !(*plain & bit) || *last != clocks[vcpu].of[vcpu]) {
		(store ? h->stored_by : h->loaded_by)[vcpu] = (uintptr_t)a->pc;
		*plain = a->plain ? *plain | bit : *plain & ~bit;
	}
	*last = clocks[vcpu].of[vcpu];
	h->thread = thread;
	h->store = store;
	h->irqs_on = host_irqs_enabled();
}

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
	}
}
