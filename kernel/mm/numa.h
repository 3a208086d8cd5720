/*
 * Nodes: CPUs and the memory that is near to them. The port adds what the firmware describes before
 * kernel_main(); after that everything is constant. Without a description all is node 0.
 */
#pragma once

#include "types.h"

#define MAX_NODES	8
#define DISTANCE_LOCAL	10u		/* by ACPI's definition; others are multiples of it */
#define DISTANCE_REMOTE	20u		/* where the firmware gives none */

extern unsigned nr_nodes;		/* 1 + the highest node */

unsigned numa_distance(unsigned a, unsigned b);
unsigned numa_nearest(unsigned node, unsigned i);	/* 0: itself, 1: the nearest other one... */
unsigned numa_node_of_cpu(u64 hwid);	/* after boot: cpu->node */
unsigned numa_node_of_memory(paddr_t pa);

/* For the port. CPUs and memory that find no room in the tables count as node 0's. */
void numa_add_cpu(u64 hwid, u64 node);
void numa_add_memory(paddr_t start, u64 size, u64 node);
void numa_set_distance(u64 a, u64 b, u64 distance);

void numa_init(void);
