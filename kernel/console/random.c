/*
 * Pseudo-random bytes: SplitMix64 (Steele, Lea, Flood 2014), one stream for the whole machine.
 *
 * The state changes only by adding a constant, so one atomic addition gives every caller its own
 * number without a lock. Runs must be repeatable, so there is no entropy here: see random.h.
 */
#include "console/random.h"

#include "base/bootargs.h"
#include "base/string.h"
#include "sched/time.h"

#define GOLDEN_GAMMA	0x9e3779b97f4a7c15ull

static _Atomic u64 state;

void random_bytes(void *buf, size_t n)
{
	u8 *p = buf;

	for (size_t len; n; p += len, n -= len) {
		u64 z = atomic_fetch_add_explicit(&state, GOLDEN_GAMMA, memory_order_relaxed);

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ z >> 27) * 0x94d049bb133111ebull;
		z ^= z >> 31;
		len = MIN(n, sizeof(z));
		memcpy(p, &z, len);
	}
}

void random_init(void)
{
	atomic_store(&state, bootarg_number("seed", time_now(), 0, U64_MAX));
}
