/*
 * Which node a CPU and a piece of memory belong to, and how far nodes are from each other.
 *
 * The tables are filled from the firmware's on the boot CPU alone, then only read: no lock. They
 * are short and searched in order; the one frequent question has its answer in cpu->node.
 */
#include "mm/numa.h"

#include "base/machine.h"
#include "sched/cpu.h"

#define MAX_RANGES	(2 * MACHINE_MAX_RANGES)

static struct {
	u64 hwid;
	u8 node;
} cpu_nodes[ARRAY_SIZE(machine.cpu_hwid)];

static struct {
	struct mem_range range;
	u8 node;
} ranges[MAX_RANGES];

static unsigned nr_cpu_nodes, nr_ranges;
static u8 distances[MAX_NODES][MAX_NODES];	/* 0: the firmware says nothing */
static u8 order[MAX_NODES][MAX_NODES];		/* of each node, all nodes, the nearest first */

void numa_add_cpu(u64 hwid, u64 node)
{
	if (node >= MAX_NODES || nr_cpu_nodes == ARRAY_SIZE(cpu_nodes))
		return;
	cpu_nodes[nr_cpu_nodes].hwid = hwid;
	cpu_nodes[nr_cpu_nodes++].node = node;
	nr_nodes = MAX(nr_nodes, node + 1);
}

void numa_add_memory(paddr_t start, u64 size, u64 node)
{
	if (!size || node >= MAX_NODES || nr_ranges == MAX_RANGES)
		return;
	ranges[nr_ranges].range = (struct mem_range){ start, size };
	ranges[nr_ranges++].node = node;
	nr_nodes = MAX(nr_nodes, node + 1);
}

void numa_set_distance(u64 a, u64 b, u64 distance)
{
	if (a < MAX_NODES && b < MAX_NODES && distance < 256)
		distances[a][b] = distance;
}

unsigned numa_distance(unsigned a, unsigned b)
{
	if (distances[a][b])
		return distances[a][b];
	return a == b ? DISTANCE_LOCAL : DISTANCE_REMOTE;
}

unsigned numa_node_of_cpu(u64 hwid)
{
	for (unsigned i = 0; i < nr_cpu_nodes; i++)
		if (cpu_nodes[i].hwid == hwid)
			return cpu_nodes[i].node;
	return 0;
}

unsigned numa_node_of_memory(paddr_t pa)
{
	for (unsigned i = 0; i < nr_ranges; i++)
		if (pa - ranges[i].range.start < ranges[i].range.size)
			return ranges[i].node;
	return 0;
}

unsigned numa_nearest(unsigned node, unsigned i)
{
	return order[node][i];
}

/* Fills in order[node]. Equally near nodes stay in the order of their numbers. */
static void sort_by_distance(unsigned node)
{
	u8 *o = order[node];

	for (unsigned i = 0; i < nr_nodes; i++) {
		unsigned at = i;

		for (; at && numa_distance(node, i) < numa_distance(node, o[at - 1]); at--)
			o[at] = o[at - 1];
		o[at] = i;
	}
}

/* The boot CPU was prepared before its node was known. */
void numa_init(void)
{
	cpus[0].node = numa_node_of_cpu(machine.boot_hwid);
	for (unsigned i = 0; i < nr_nodes; i++)
		sort_by_distance(i);
}
