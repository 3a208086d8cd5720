/*
 * /sys: CPUs and nodes, as programs look for them there. A row a file (tablefs.h).
 */
#include "base/printf.h"
#include "fs/fs.h"
#include "mm/mm.h"
#include "mm/numa.h"
#include "procfs/procfs.h"
#include "sched/cpu.h"
#include "tablefs.h"

static unsigned count_cpus(void)
{
	return nr_cpus;
}

/* Online, present and possible are the same here: CPUs neither come nor go. */
static void show_cpus(struct text *t, unsigned n)
{
	(void)n;
	text_range(t, nr_cpus);
}

static void show_kernel_max(struct text *t, unsigned n)
{
	(void)n;
	text_printf(t, "%u\n", MAX_CPUS - 1);
}

static void show_id(struct text *t, unsigned n)
{
	text_printf(t, "%u\n", n);
}

/* --- Nodes ------------------------------------------------------------------------------------ */

static unsigned count_nodes(void)
{
	return nr_nodes;
}

static void show_nodes(struct text *t, unsigned n)
{
	(void)n;
	text_range(t, nr_nodes);
}

static u32 cpus_of(unsigned node)
{
	u32 mask = 0;

	for (unsigned i = 0; i < nr_cpus; i++)
		mask |= cpus[i].node == node ? BIT(i) : 0;
	return mask;
}

static void show_node_mask(struct text *t, unsigned n)
{
	text_mask(t, cpus_of(n), nr_cpus);
}

/* Numbers and ranges of them: "0-1,3". */
static void put_list(struct text *t, u32 mask)
{
	const char *comma = "";

	for (unsigned i = 0, last; i < 32; i = last + 1) {
		last = i;
		if (!(mask >> i & 1))
			continue;
		while (last < 31 && mask >> (last + 1) & 1)
			last++;
		text_printf(t, last > i ? "%s%u-%u" : "%s%u", comma, i, last);
		comma = ",";
	}
	text_printf(t, "\n");
}

static void show_node_cpus(struct text *t, unsigned n)
{
	put_list(t, cpus_of(n));
}

static void show_nodes_with_cpus(struct text *t, unsigned n)
{
	u32 nodes = 0;

	(void)n;
	for (unsigned i = 0; i < nr_nodes; i++)
		nodes |= cpus_of(i) ? BIT(i) : 0;
	put_list(t, nodes);
}

static void show_nodes_with_memory(struct text *t, unsigned n)
{
	u64 total, free;
	u32 nodes = 0;

	(void)n;
	for (unsigned i = 0; i < nr_nodes; i++) {
		page_count_node(i, &total, &free);
		nodes |= total ? BIT(i) : 0;
	}
	put_list(t, nodes);
}

static void show_distance(struct text *t, unsigned n)
{
	for (unsigned i = 0; i < nr_nodes; i++)
		text_printf(t, "%s%u", i ? " " : "", numa_distance(n, i));
	text_printf(t, "\n");
}

static void show_node_memory(struct text *t, unsigned n)
{
	const u64 kib = PAGE_SIZE / 1024;
	u64 total, free;

	page_count_node(n, &total, &free);
	text_printf(t, "Node %u MemTotal:       %8lu kB\n", n, total * kib);
	text_printf(t, "Node %u MemFree:        %8lu kB\n", n, free * kib);
	text_printf(t, "Node %u MemUsed:        %8lu kB\n", n, (total - free) * kib);
}

/* --- CPUs ------------------------------------------------------------------------------------- */

/* Each CPU is a core by itself, all cores are in one package. */
static void show_self_mask(struct text *t, unsigned n)
{
	text_mask(t, BIT(n), nr_cpus);
}

static void show_all_mask(struct text *t, unsigned n)
{
	(void)n;
	text_mask(t, BIT(nr_cpus) - 1, nr_cpus);
}

#define CPU		"devices/system/cpu/"
#define TOPOLOGY	CPU "cpu#/topology/"
#define NODE		"devices/system/node/"

static const struct table_file rows[] = {
	{ CPU "kernel_max", show_kernel_max, NULL, NULL, NULL },
	{ CPU "isolated", NULL, NULL, NULL, "" },
	{ CPU "offline", NULL, NULL, NULL, "" },
	{ CPU "online", show_cpus, NULL, NULL, NULL },
	{ CPU "possible", show_cpus, NULL, NULL, NULL },
	{ CPU "present", show_cpus, NULL, NULL, NULL },
	{ TOPOLOGY "core_id", show_id, NULL, count_cpus, NULL },
	{ TOPOLOGY "core_cpus", show_self_mask, NULL, count_cpus, NULL },
	{ TOPOLOGY "core_cpus_list", show_id, NULL, count_cpus, NULL },
	{ TOPOLOGY "thread_siblings", show_self_mask, NULL, count_cpus, NULL },
	{ TOPOLOGY "thread_siblings_list", show_id, NULL, count_cpus, NULL },
	{ TOPOLOGY "physical_package_id", NULL, NULL, count_cpus, "0" },
	{ TOPOLOGY "package_cpus", show_all_mask, NULL, count_cpus, NULL },
	{ TOPOLOGY "package_cpus_list", show_cpus, NULL, count_cpus, NULL },
	{ TOPOLOGY "core_siblings", show_all_mask, NULL, count_cpus, NULL },
	{ TOPOLOGY "core_siblings_list", show_cpus, NULL, count_cpus, NULL },
	{ NODE "has_cpu", show_nodes_with_cpus, NULL, NULL, NULL },
	{ NODE "has_memory", show_nodes_with_memory, NULL, NULL, NULL },
	{ NODE "has_normal_memory", show_nodes_with_memory, NULL, NULL, NULL },
	{ NODE "online", show_nodes, NULL, NULL, NULL },
	{ NODE "possible", show_nodes, NULL, NULL, NULL },
	{ NODE "node#/cpulist", show_node_cpus, NULL, count_nodes, NULL },
	{ NODE "node#/cpumap", show_node_mask, NULL, count_nodes, NULL },
	{ NODE "node#/distance", show_distance, NULL, count_nodes, NULL },
	{ NODE "node#/meminfo", show_node_memory, NULL, count_nodes, NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

void sysfs_init(void)
{
	static const struct table_fs fs = { .rows = rows, .dev = DEV_SYSFS, .dir_mode = 0755 };
	struct inode *root = tablefs_root(&fs);

	if (!root || ramfs_attach(root_inode, "sys", root))
		kprintf("sysfs: no memory for /sys\n");
}
