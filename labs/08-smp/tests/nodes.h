/*
 * A machine with two nodes: CPUs with even numbers are near each other, and so are the others.
 */
#pragma once

#include "mm/numa.h"
#include "sched/cpu.h"

static unsigned node_before[MAX_CPUS], nodes_before;

static inline void nodes_begin(void)
{
	nodes_before = nr_nodes;
	for (unsigned i = 0; i < nr_cpus; i++) {
		node_before[i] = cpus[i].node;
		cpus[i].node = i % 2;
	}
	nr_nodes = 2;
}

static inline void nodes_end(void)
{
	for (unsigned i = 0; i < nr_cpus; i++)
		cpus[i].node = node_before[i];
	nr_nodes = nodes_before;
}
