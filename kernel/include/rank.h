/*
 * How urgent a thread is: what policies order by, and what priority inheritance passes on.
 */
#pragma once

#include "types.h"

struct sched_rank {
	u32 level;			/* the higher, the more urgent; 0: not at all */
};

static inline bool rank_above(struct sched_rank a, struct sched_rank b)
{
	return a.level > b.level;
}
