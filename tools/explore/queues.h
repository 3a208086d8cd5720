/*
 * Shared by the scenarios of run queues: what holds of all CPUs when nobody is left to run.
 */
#pragma once

#include "explore/scenario.h"

#include "sched/cpu.h"

/* For `after`. */
static inline const char *queues_are_empty(void)
{
	for (unsigned i = 0; i < nr_cpus; i++) {
		if (atomic_load(&cpus[i].runq.q.nr))
			return wrong("the queue of CPU %u counts %u", i,
				     atomic_load(&cpus[i].runq.q.nr));
		if (cpus[i].runq.current != &cpus[i].idle)
			return wrong("CPU %u does not run its idle thread", i);
		if (entity_queued(&cpus[i].idle.se))
			return wrong("the idle thread of CPU %u is in a queue", i);
	}
	return NULL;
}
