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

#define HANDED_MAX	256		/* of any more, equal memory is enough */

static struct word *handed[HANDED_MAX];
static unsigned nr_handed;

void note_use(struct word *w, const struct access *a)
{
	struct use *u = &w->use;

	u->locks |= ~progress.locks[vcpu];
	u->cpus |= 1u << vcpu;
	u->stored |= a->kind != READ;
	u->plain |= a->plain;
	if (u->handed || ~u->locks || !u->stored || !u->plain || !(u->cpus & (u->cpus - 1)) ||
	    nr_handed == HANDED_MAX)
		return;
	u->handed = true;
	handed[nr_handed++] = w;
}

/* Two bits for each pair: the second CPU does not know the last store of the first, its load. */
static uint64_t not_known(const struct history *h)
{
	uint64_t bits = 0;

	for (unsigned by = 0; by < nr_vcpus; by++)
		for (unsigned cpu = 0; cpu < nr_vcpus; cpu++) {
			uint32_t seen = known[cpu].now.clock.of[by];

			bits = bits << 2 | (cpu != by && h->of[by].stored > seen) << 1 |
			       (cpu != by && h->of[by].loaded > seen);
		}
	return bits;
}

uint64_t handed_hash(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < nr_handed; i++) {
		uint64_t bits = not_known(&handed[i]->h);

		sum += (bits ^ handed[i]->at) * bits * 0x9e3779b97f4a7c15ull;
	}
	return sum;
}
