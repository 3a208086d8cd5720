/*
 * The words of memory that the kernel has accessed, and whether they race.
 *
 * A word is 8 bytes at first. As soon as an access is smaller, the next search has smaller words
 * there: neighbours that different locks guard must not be taken for one variable.
 */
#include "words.h"

#define TABLE_BITS	16
#define TABLE_SIZE	(1u << TABLE_BITS)
static_assert(TABLE_SIZE >= 2 * WORDS_MAX, "half of the table stays free");

struct word words[WORDS_MAX];
static unsigned nr_words;
static uint16_t table[TABLE_SIZE];	/* numbers in words[] from 1 on; small, to be few pages */
static_assert(WORDS_MAX <= UINT16_MAX, "a number fits");

unsigned nr_learned;

static unsigned slot_of(uintptr_t at)
{
	unsigned h = (at * 0x9e3779b97f4a7c15ull) >> (64 - TABLE_BITS);

	while (table[h] && words[table[h] - 1].at != at)
		h = (h + 1) % TABLE_SIZE;
	return h;
}

/*
 * Which 8 bytes of memory may have words: a bit for each, in chunks of 64. Two chunks that share
 * their bits count as one.
 */
#define CHUNK_BITS	12
#define CHUNK		(64 * 8)
static uint64_t chunks[1u << CHUNK_BITS];

static uint64_t *chunk_of(uintptr_t at)
{
	return &chunks[at / CHUNK % (1u << CHUNK_BITS)];
}

static __attribute__((noinline)) struct word *find_or_make_word(uintptr_t at)
{
	unsigned h = slot_of(at);

	if (!table[h]) {
		*chunk_of(at) |= 1ull << at / 8 % 64;
		if (nr_words == WORDS_MAX)
			explore_fail("the scenario touches too many words");
		words[nr_words] = (struct word){ .at = at, .size = 8, .smallest = 8 };
		table[h] = ++nr_words;
	}
	return &words[table[h] - 1];
}

/* Finds the word that begins at @at, or makes it. Nearly all are found where they were last. */
static inline struct word *entry(uintptr_t at)
{
	static struct word *recent[1u << 13];
	struct word **w = &recent[(at / 8 ^ at % 8 << 10) % (sizeof(recent) / sizeof(*recent))];

	if (!*w || (*w)->at != at)
		*w = find_or_make_word(at);
	return *w;
}

/* The word that the byte at @at is in, which is one of the 8 bytes of @whole. */
static struct word *part_of(struct word *whole, uintptr_t at)
{
	struct word *part;

	if (whole->size == 8)
		return whole;
	part = entry(at & -(uintptr_t)whole->size);
	part->size = whole->size;
	return part;
}

struct word *find_word(const void *address)
{
	uintptr_t at = (uintptr_t)address;

	return part_of(entry(at & -8ul), at);
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
		found->of[found->nr++] = part_of(whole, at);
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
		w->racing = w->atomic = false;	/* it may have been of another part */
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

void order_make_locations(void)
{
	for (struct word *w = words; w < words + nr_words; w++)
		if (w->racing && w->atomic && !w->location)
			w->location = location_create();
}

void race(struct word *w)
{
	nr_learned += !w->racing;
	w->racing = true;
}

void order_race(const void *address)
{
	race(find_word(address));
}

/* Those in the 8 bytes at @at, if there are any. */
static void each_part(uintptr_t at, void (*f)(struct word *w))
{
	unsigned part;

	if (!table[slot_of(at)])
		return;
	part = entry(at)->size;
	for (uintptr_t i = at; i < at + 8; i += part)
		if (table[slot_of(i)])
			f(entry(i));
}

void each_word(const void *start, size_t size, void (*f)(struct word *w))
{
	uintptr_t at = (uintptr_t)start & -8ul, end = (uintptr_t)start + size;

	while (at < end) {
		uint64_t left = *chunk_of(at) >> at / 8 % 64;

		if (!left) {
			at = (at | (CHUNK - 1)) + 1;
			continue;
		}
		at += 8 * __builtin_ctzll(left);
		if (at < end)
			each_part(at, f);
		at += 8;
	}
}
