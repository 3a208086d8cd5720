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

/* CPUs or nodes 0 to @n - 1 as Linux lists them. */
static void text_range(struct text *t, unsigned n)
{
	if (n > 1)
		text_printf(t, "0-%u\n", n - 1);
	else
		text_printf(t, "0\n");
}

/* The same as a mask in hexadecimal digits. */
static void text_mask(struct text *t, u32 mask, unsigned n)
{
	for (unsigned digit = (n + 3) / 4; digit-- > 0;)
		text_printf(t, "%x", mask >> 4 * digit & 0xf);
	text_printf(t, "\n");
}

static unsigned count_cpus(void)
{
	return nr_cpus;
}

/* Online, present and possible are the same here: CPUs neither come nor go. */
static void show_cpus(struct text *t)
{
	text_range(t, nr_cpus);
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

static void show_nodes(struct text *t)
{
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

static void show_nodes_with_cpus(struct text *t)
{
	u32 nodes = 0;

	for (unsigned i = 0; i < nr_nodes; i++)
		nodes |= cpus_of(i) ? BIT(i) : 0;
	put_list(t, nodes);
}

static void show_nodes_with_memory(struct text *t)
{
	u64 total, free;
	u32 nodes = 0;

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

static void show_all_mask(struct text *t)
{
	text_mask(t, BIT(nr_cpus) - 1, nr_cpus);
}

#define CPU		"devices/system/cpu/"
#define TOPOLOGY	CPU "cpu#/topology/"
#define NODE		"devices/system/node/"

static const struct table_file rows[] = {
	{ .path = CPU "kernel_max", .number = MAX_CPUS - 1 },
	{ .path = CPU "isolated", .says = "" },
	{ .path = CPU "offline", .says = "" },
	{ .path = CPU "online", .show = show_cpus },
	{ .path = CPU "possible", .show = show_cpus },
	{ .path = CPU "present", .show = show_cpus },
	{ .path = TOPOLOGY "core_id", .count = count_cpus, .show_each = show_id },
	{ .path = TOPOLOGY "core_cpus", .count = count_cpus, .show_each = show_self_mask },
	{ .path = TOPOLOGY "core_cpus_list", .count = count_cpus, .show_each = show_id },
	{ .path = TOPOLOGY "thread_siblings", .count = count_cpus, .show_each = show_self_mask },
	{ .path = TOPOLOGY "thread_siblings_list", .count = count_cpus, .show_each = show_id },
	{ .path = TOPOLOGY "physical_package_id", .count = count_cpus, .says = "0" },
	{ .path = TOPOLOGY "package_cpus", .count = count_cpus, .show = show_all_mask },
	{ .path = TOPOLOGY "package_cpus_list", .count = count_cpus, .show = show_cpus },
	{ .path = TOPOLOGY "core_siblings", .count = count_cpus, .show = show_all_mask },
	{ .path = TOPOLOGY "core_siblings_list", .count = count_cpus, .show = show_cpus },
	{ .path = NODE "has_cpu", .show = show_nodes_with_cpus },
	{ .path = NODE "has_memory", .show = show_nodes_with_memory },
	{ .path = NODE "has_normal_memory", .show = show_nodes_with_memory },
	{ .path = NODE "online", .show = show_nodes },
	{ .path = NODE "possible", .show = show_nodes },
	{ .path = NODE "node#/cpulist", .count = count_nodes, .show_each = show_node_cpus },
	{ .path = NODE "node#/cpumap", .count = count_nodes, .show_each = show_node_mask },
	{ .path = NODE "node#/distance", .count = count_nodes, .show_each = show_distance },
	{ .path = NODE "node#/meminfo", .count = count_nodes, .show_each = show_node_memory },
	{ .path = NULL },
};

void sysfs_init(void)
{
	static const struct table_fs fs = { .rows = rows, .dev = DEV_SYSFS, .dir_mode = 0755 };
	struct inode *root = tablefs_root(&fs);

	if (!root || ramfs_attach(root_inode, "sys", root))
		kprintf("sysfs: no memory for /sys\n");
}
