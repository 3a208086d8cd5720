/*
 * Words that are handed from one CPU to another by something else than a lock.
 *
 * Two executions may come to equal memory although in one of them a store is ordered before all
 * that follows, and in the other it is not. Only the second may go on to a data race, so the two
 * are different states: what the CPUs know of such words is a part of the hash. Words that are
 * always accessed under the same lock have no data races (Savage et al., "Eraser", 1997), nor have
 * those that one CPU uses; these are nearly all, and they are left out.
 */
#include "words.h"

static struct word *handed[HANDED_MAX];
static unsigned nr_handed;

/*
 * Clocks only grow along a path, so what every CPU knew once of a word it knows until the next
 * access. progress.settled has a bit for each such word: most are, and need no second look.
 */
static uint64_t *settled(unsigned i)
{
	return &progress.settled[i / 64];
}

void note_use(struct word *w, const struct access *a)
{
	struct use *u = &w->use;

	if (u->handed)
		*settled(u->handed - 1) &= ~(1ull << (u->handed - 1) % 64);
	if (u->handed || a->kind == ACQUIRE || a->kind == RELEASE)
		return;
	u->locks |= ~progress.locks[vcpu];
	u->cpus |= 1u << vcpu;
	u->stored |= a->kind != READ;
	u->plain |= a->plain;
	if (~u->locks || !u->stored || !u->plain || !(u->cpus & (u->cpus - 1)) ||
	    nr_handed == HANDED_MAX)
		return;
	handed[nr_handed++] = w;
	u->handed = nr_handed;
}

/* Two bits for each pair of @n: the second does not know the first's last store, its last load. */
static inline uint64_t not_known(const struct history *h, unsigned n)
{
	uint64_t bits = 0;

	for (unsigned by = 0; by < n; by++)
		for (unsigned cpu = 0; cpu < n; cpu++) {
			uint32_t seen = known[cpu].now.clock.of[by];

			if (cpu != by)
				bits = bits << 2 | (h->of[by].stored > seen) << 1 |
				       (h->of[by].loaded > seen);
		}
	return bits;
}

/*
 * The part of the hash that word @i adds. Where the compiler knows @n, the loops of not_known()
 * unroll. The shift between two products makes equal sums of different words as unlikely as any.
 */
static inline uint64_t hash_of(unsigned i, unsigned n)
{
	uint64_t bits = not_known(&handed[i]->h, n), h;

	if (!bits) {
		*settled(i) |= 1ull << i % 64;
		return 0;
	}
	h = (bits * HANDED_MAX + i) * 0x9e3779b97f4a7c15ull;
	return (h ^ h >> 32) * 0x9e3779b97f4a7c15ull;
}

static inline uint64_t hash_of_all(unsigned n)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < nr_handed; i += 64)
		for (uint64_t left = ~*settled(i); left; left &= left - 1) {
			unsigned word = i + __builtin_ctzll(left);

			if (word >= nr_handed)
				break;
			sum += hash_of(word, n);
		}
	return sum;
}

uint64_t handed_hash(void)
{
	switch (nr_vcpus) {
	case 1:
		return 0;
	case 2:
		return hash_of_all(2);
	case 3:
		return hash_of_all(3);
	default:
		return hash_of_all(HOST_CPUS);
	}
}
