/*
 * How urgent a thread is: what policies order by, and what priority inheritance passes on.
 */
#pragma once

#include "types.h"

/* All keyed ranks are above all levels, the smaller key first. */
struct sched_rank {
	u32 level;			/* the higher, the more urgent; 0: not at all */
	u64 key;			/* may wrap; counts if level is LEVEL_KEYED */
};

#define LEVEL_NORMAL_TOP	15u
#define LEVEL_REAL_TIME		16u	/* that of real-time priority 1; 99 is level 114 */
#define LEVEL_KEYED		128u

static inline bool rank_above(struct sched_rank a, struct sched_rank b)
{
	if (a.level != b.level)
		return a.level > b.level;
	return a.level == LEVEL_KEYED && time_before(a.key, b.key);
}
