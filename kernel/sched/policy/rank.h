/*
 * A rank says how urgent a thread is. Policies order threads by it, and inheritance passes it on.
 */
#pragma once

#include "types.h"

/* Ranks with a key (LEVEL_KEYED) are above all other levels, the smaller key first. */
struct sched_rank {
	u32 level;			/* the higher, the more urgent; 0: not urgent */
	u64 key;			/* only if level is LEVEL_KEYED; may wrap */
};

#define LEVEL_NORMAL_TOP	15u
#define LEVEL_REAL_TIME		16u	/* of real-time priority 1; priority 99 is level 114 */
#define LEVEL_KEYED		128u

static inline bool rank_above(struct sched_rank a, struct sched_rank b)
{
	if (a.level != b.level)
		return a.level > b.level;
	return a.level == LEVEL_KEYED && time_before(a.key, b.key);
}
