/*
 * Shared by the tests that compare a policy with a model: how a thread came to the queue, in words.
 */
#pragma once

#include "sched/policy/policy.h"

static inline const char *event_name(enum enqueue_why why)
{
	static const char *const names[] = {
		[ENQUEUE_PREEMPTED] = "was preempted", [ENQUEUE_WAKE] = "woke",
		[ENQUEUE_EXPIRED] = "had its slice", [ENQUEUE_YIELD] = "yielded",
		[ENQUEUE_MIGRATED] = "was moved", [ENQUEUE_CHANGED] = "got a new priority",
	};

	return names[why];
}
