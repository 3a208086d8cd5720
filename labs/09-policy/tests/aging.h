/*
 * Lab 09, step 2: aging. A round is a call of the policy's timer hook.
 */
#pragma once

#include "base/printf.h"
#include "drive.h"
#include "events.h"

#define TOP		15u

/* Lets the time of the next round come. Returns whether the thread that runs must give way. */
static inline bool a_round(void)
{
	REQUIRE(q.timer_set, "P9.3", "threads wait, and no round is to come");
	now = q.timer_at;
	return p->timer(&q, now);
}

static inline void begin(void)
{
	use(&sched_prio, 0);
	for (unsigned i = 0; i < ENTITIES; i++)
		set(i, normal);
}

static inline void put_at(unsigned i, u32 level)
{
	set(i, params_of_level(level));
	enqueue(i, ENQUEUE_WAKE);
}
