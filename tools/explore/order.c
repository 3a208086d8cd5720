/*
 * Which accesses are ordered: happens-before, by vector clocks (Lamport 1978; Flanagan and Freund,
 * "FastTrack", 2009).
 *
 * Each CPU counts its releases: a store with release order, an unlock, an interrupt sent. Its clock
 * says how many releases of every CPU it has seen. Two accesses to a word, one of them a store, are
 * unordered if the later CPU has not seen a release that the earlier one made after its access. The
 * word is then racing: from now on a CPU pauses before it accesses it.
 *
 * A word's record belongs to the path that is explored, so the search takes changes back when it
 * goes back. Whether a word races is kept for ever.
 */
#include "explore.h"

#include <string.h>

#define TABLE_BITS	15
#define TABLE_SIZE	(1u << TABLE_BITS)
#define UNDO_MAX	(4 * ACCESSES_MAX)	/* an access changes two words at most */

/* One word's history on this path. */
struct history {
	struct clock stored, loaded;	/* each CPU's own count at its last access; 0: none */
	struct clock released;		/* what an acquire learns that reads the word now */
	uint8_t thread;			/* that made the last access: its stack + 1 */
	bool store, irqs_on;		/* of the last access */
};

struct word {
	uintptr_t at;			/* address / 8 */
	uint32_t logged;		/* the snapshot since which its old history is in the log */
	bool racing;
	struct history h;
};

static struct word words[TABLE_SIZE];
static unsigned nr_words;
unsigned nr_racing;
struct clock clocks[HOST_CPUS];

static struct change {
	uint32_t word;
	struct history old;
} changes[UNDO_MAX];
static unsigned nr_changes;
static uint32_t snapshot_number = 1;

struct word *find_word(const void *address)
{
	uintptr_t at = (uintptr_t)address >> 3;
	unsigned h = (at * 0x9e3779b97f4a7c15ull) >> (64 - TABLE_BITS);

	while (words[h].at != at) {
		if (!words[h].at) {
			if (++nr_words > TABLE_SIZE / 2)
				explore_fail("the scenario touches too many words");
			words[h].at = at;
			break;
		}
		h = (h + 1) % TABLE_SIZE;
	}
	return &words[h];
}

bool is_racing(const struct word *w)
{
	return w->racing;
}

static void race(struct word *w)
{
	nr_racing += !w->racing;
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

/* Whether the last accesses of @cpu are unordered with one of the current CPU. */
static bool is_unordered(const struct history *h, bool store, unsigned cpu)
{
	uint32_t seen = clocks[vcpu].of[cpu];

	return h->stored.of[cpu] > seen || (store && h->loaded.of[cpu] > seen);
}

void order_access(struct word *w, enum kind kind)
{
	bool of_lock = kind == ACQUIRE || kind == RELEASE, store = kind != READ;
	unsigned thread = host_stack_of(__builtin_frame_address(0));
	uint32_t now = clocks[vcpu].of[vcpu];
	struct history *h;

	for (unsigned cpu = 0; cpu < nr_vcpus && !of_lock; cpu++)
		if (cpu != vcpu && is_unordered(&w->h, store, cpu))
			race(w);
	/* On one CPU only a timer comes between two threads' accesses, if interrupts are on. */
	if (nr_vcpus == 1 && w->h.thread && w->h.thread != thread + 1 && (store || w->h.store) &&
	    (w->h.irqs_on || host_irqs_enabled()))
		race(w);
	h = change(w);
	h->thread = thread + 1;
	h->store = store;
	h->irqs_on = host_irqs_enabled();
	(store ? &h->stored : &h->loaded)->of[vcpu] = now;
}
